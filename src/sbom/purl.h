/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Package URLs (the purl specification, ECMA-427):
 * scheme:type/namespace/name@version?qualifiers#subpath
 *
 * Enough of them to tell what a scanner's package is: nothing is put into canonical form, and
 * qualifiers other than those below are passed over, as is the subpath.
 */
#ifndef CAREEN_SBOM_PURL_H
#define CAREEN_SBOM_PURL_H

#include "base/slice.h"

enum { PURL_MAX_BYTES = 2048 };

/* All slices point into `text`: a purl may be copied only by parsing again. */
struct purl {
    struct slice type;                          /* lower case: "deb", "maven" */
    struct slice namespace, name, version;      /* percent-decoded; only name is never empty */
    struct slice arch, distro, epoch, upstream; /* qualifiers, percent-decoded */
    char text[PURL_MAX_BYTES];
};

/* False, with *ret undefined, when text is no package URL or longer than PURL_MAX_BYTES. */
bool purl_parse(struct slice text, struct purl *ret);

#endif
