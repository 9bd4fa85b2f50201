/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/package_field.h"

static const struct {
    const char *name;
    size_t offset;
} fields_of_package[PACKAGE_FIELD_COUNT] = {
    {"ecosystem", offsetof(struct package, ecosystem)},
    {"release", offsetof(struct package, release)},
    {"channel", offsetof(struct package, channel)},
    {"name", offsetof(struct package, name)},
    {"version", offsetof(struct package, version)},
    {"arch", offsetof(struct package, arch)},
    {"module", offsetof(struct package, module)},
    {"source_name", offsetof(struct package, source_name)},
    {"source_version", offsetof(struct package, source_version)},
};

const char *package_field_name(unsigned field)
{
    return fields_of_package[field].name;
}

struct slice *package_field(struct package *package, unsigned field)
{
    return (struct slice *)(void *)((char *)package + fields_of_package[field].offset);
}

bool package_fields_take(struct package_fields *fields, struct slice key, struct slice value)
{
    if (!slice_starts_with(key, CAREEN_PREFIX))
        return false;
    key = slice_skip(key, strlen(CAREEN_PREFIX));
    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT; i++)
        if (slice_is(key, fields_of_package[i].name)) {
            fields->value[i] = value;
            fields->given[i] = true;
            return true;
        }
    return false;
}

void package_fields_apply(const struct package_fields *fields, struct package *package)
{
    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT; i++)
        if (fields->given[i])
            *package_field(package, i) = fields->value[i];
    if (package_vul_type(package->ecosystem) != VUL_LINUX)
        package->release = SLICE_NONE;
    else if (fields->given[1] && package->release.len == 0)
        package->release = slice_of(RELEASE_NONE);
}
