/* SPDX-License-Identifier: Apache-2.0 */
/* The words by which scanners name kinds of packages, as purl types: what `ecosystem` holds. */
#ifndef CAREEN_SBOM_ECOSYSTEM_H
#define CAREEN_SBOM_ECOSYSTEM_H

#include "base/slice.h"

/* The purl type for a scanner's word ("jar", "python-pkg", "java-archive"): a static text; an empty
 * slice for a word that nobody knows. */
struct slice ecosystem_of(struct slice word);

#endif
