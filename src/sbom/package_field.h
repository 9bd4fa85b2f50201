/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package's fields by name, for what Careen writes beside a purl: CycloneDX properties
 * ("careen:source_name": "glibc"), SPDX annotations ("careen:source_name=glibc"). They tell how the
 * package differs from what its purl tells, a field that is empty included.
 */
#ifndef CAREEN_SBOM_PACKAGE_FIELD_H
#define CAREEN_SBOM_PACKAGE_FIELD_H

#include "sbom/format.h"

#define CAREEN_PREFIX "careen:"

enum { PACKAGE_FIELD_COUNT = 9 };

const char *package_field_name(unsigned field);
struct slice *package_field(struct package *package, unsigned field);

/* What a document says in so many words of one package. */
struct package_fields {
    struct slice value[PACKAGE_FIELD_COUNT];
    bool given[PACKAGE_FIELD_COUNT];
};

/* Takes "careen:FIELD" and its value (a text of the report); false when it is something else. */
bool package_fields_take(struct package_fields *fields, struct slice key, struct slice value);
/* Lays them over the package. An empty release becomes RELEASE_NONE (report.h). */
void package_fields_apply(const struct package_fields *fields, struct package *package);

#endif
