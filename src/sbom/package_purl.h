/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a package and its purl. What a purl cannot carry, or carries only after its type's
 * normalisation, is written beside it (package_field.h), so that an SBOM that Careen wrote is read
 * again without loss.
 */
#ifndef CAREEN_SBOM_PACKAGE_PURL_H
#define CAREEN_SBOM_PACKAGE_PURL_H

#include "sbom/purl.h"
#include "sbom/report.h"

/* "[epoch:]version[-release]" as a text of the report. An epoch that the version has already is not
 * put before it again, one of 0 is dropped; what follows a NUL is dropped too: scanners cut
 * versions out of executables and sometimes take the byte behind the string along. */
int version_compose(struct report *report, int64_t epoch, struct slice version,
    struct slice release, struct slice *ret, struct err *err);
/* Syft's qualifier `upstream`: "glibc", "openssl@3.0.1", "avahi-0.7-20.el8.src.rpm". */
int source_from_upstream(
    struct report *report, struct slice upstream, struct package *package, struct err *err);

/* The release that an OS package's qualifier `distro` tells, as a text of the report; else empty.
 */
int release_from_purl(
    struct report *report, const struct purl *purl, struct slice *ret, struct err *err);
/* Everything else that a purl tells of its package; the release stays empty. Texts of the report.
 */
int package_from_purl(
    struct report *report, const struct purl *purl, struct package *ret, struct err *err);

/* "debian-12" -> "debian": up to the first '-' before a digit. */
struct slice release_family(struct slice release);
/* The purl of a package, in canonical form, appended to *out. os_release stands in for a release
 * that is not known. ERR_INVALID or ERR_LIMIT, with nothing appended, where there can be none. */
int package_to_purl(
    const struct package *package, struct slice os_release, struct buf *out, struct err *err);

/* The purl of an image (type oci), likewise. `name` is a reference without tag. */
int image_to_purl(struct slice name, struct slice tag, struct slice digest,
    struct slice architecture, struct buf *out, struct err *err);
/* "registry/repository" of an image's purl (type oci or docker), and its tag and digest, which are
 * empty when not told; texts of the report. *ret_name is empty when it is no image's purl. */
int image_from_purl(struct report *report, const struct purl *purl, struct slice *ret_name,
    struct slice *ret_tag, struct slice *ret_digest, struct err *err);

#endif
