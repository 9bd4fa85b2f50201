/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distributions by the names that scanners and os-release files give them, and what each calls a
 * release: Debian's "10.13" is debian-10, Alpine's "3.10.2" is alpine-3.10.
 */
#ifndef CAREEN_MODEL_DISTRO_H
#define CAREEN_MODEL_DISTRO_H

#include "base/slice.h"

struct distro;

enum { DISTRO_RELEASE_BYTES = 160 };

/* By a family as given, without regard to ASCII case ("redhat", "rhel", "amazonlinux"); NULL when
 * nobody knows it. */
const struct distro *distro_find(struct slice family);
/* "deb", "rpm", "apk", ... */
struct slice distro_ecosystem(const struct distro *distro);

/* Has it releases, or is it rolling? */
bool distro_has_versions(const struct distro *distro);

/* The release into dst: "debian-10", "euleros-2.0-sp9". A family that nobody knows gives
 * "family-version" as it stands, in lower case, blanks as '-'; an empty one or "none" gives an
 * empty slice, and so does one too long for dst. */
struct slice distro_release(
    struct slice family, struct slice version, char dst[DISTRO_RELEASE_BYTES]);
/* The same from a purl: its qualifier `distro` ("debian-10.2", "3.9.4", "amazon-2 (Karoo)") and its
 * namespace, which is the family where the qualifier is only a version. */
struct slice distro_release_of_purl(
    struct slice namespace, struct slice qualifier, char dst[DISTRO_RELEASE_BYTES]);

#endif
