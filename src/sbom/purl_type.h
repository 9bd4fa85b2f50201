/* SPDX-License-Identifier: Apache-2.0 */
/* What the purl types' definitions say: normalisation, and what a type requires or prohibits. */
#ifndef CAREEN_SBOM_PURL_TYPE_H
#define CAREEN_SBOM_PURL_TYPE_H

#include "sbom/purl.h"

/* Puts the parts into the form of their type, within purl->text. */
void purl_type_normalise(struct purl *purl);
/* Does purl hold to its type's definition? Types that have none allow everything. ERR_INVALID. */
int purl_type_check(const struct purl *purl, struct err *err);
/* Is the first segment the namespace, and all that follows the name ("git")? */
bool purl_type_has_path_name(struct slice type);

#endif
