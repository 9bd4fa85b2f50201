/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CycloneDX, JSON, 1.2 to 1.7 (1.0 and 1.1 exist only as XML); later 1.x versions are read for what
 * they have in common with 1.7.
 *
 * metadata.component is what the document is about: an image if it is a container. It is no package
 * of its own, unless a vulnerability affects it. Every other component is one, at whatever depth it
 * is nested, if it has a purl, or if it is software by its type (library, framework, application,
 * firmware, device-driver): `generic` then. An operating system is the release. What is left are
 * files, data, machines and lock files.
 *
 * A bill of materials is a package list: complete, unless it has no package, or says that it is not
 * (Careen's own), or has a vulnerability of which cannot be told what it affects.
 */
#include "base/array.h"
#include "base/limits.h"
#include "sbom/component.h"
#include "sbom/cyclonedx_vulns.h"

struct ref {
    uint64_t hash; /* component_ref_hash() of a bom-ref, or of a purl */
    uint32_t package;
};

enum { MAX_REFS = 4 * LIMIT_IMAGE_PACKAGES };

struct cyclonedx {
    struct slice format, version;
    bool has_root, has_system;
    struct component root, system;
    uint64_t root_ref;
    struct slice root_type;
    struct ref *refs; /* heap */
    size_t ref_count, ref_cap;
    struct map ref_ids;
    struct cyclonedx_vulns vulns;
};

static void cyclonedx_release(void *state)
{
    struct cyclonedx *bom = state;

    free(bom->refs);
    map_release(&bom->ref_ids);
    cyclonedx_vulns_release(&bom->vulns);
}

/* ---- references to components ---- */

static bool is_ref(const void *owner, uint32_t id, const void *key)
{
    const struct cyclonedx *bom = owner;
    const uint64_t *hash = key;

    return bom->refs[id].hash == *hash;
}

static uint32_t find_ref(const struct cyclonedx *bom, uint64_t hash)
{
    uint32_t id = map_find(&bom->ref_ids, hash, is_ref, bom, &hash);

    return id == MAP_NONE ? MAP_NONE : bom->refs[id].package;
}

/* Of two components with one reference the first is found. */
static int add_ref(struct cyclonedx *bom, uint64_t hash, uint32_t package, struct err *err)
{
    if (hash == 0 || find_ref(bom, hash) != MAP_NONE)
        return 0;
    if (bom->ref_count >= MAX_REFS)
        return err_set(err, ERR_LIMIT,
            "the report refers to more than %d components "
            "(four times LIMIT_IMAGE_PACKAGES)",
            MAX_REFS);
    if (array_reserve(&bom->refs, &bom->ref_cap, bom->ref_count + 1, sizeof(*bom->refs), err) < 0 ||
        map_add(&bom->ref_ids, hash, (uint32_t)bom->ref_count, err) < 0)
        return -1;
    bom->refs[bom->ref_count++] = (struct ref){hash, package};
    return 0;
}

/* ---- components ---- */

static bool is_software(struct slice type)
{
    static const char *const types[] = {
        "library", "framework", "application", "firmware", "device-driver"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_is(type, types[i]))
            return true;
    return type.len == 0;
}

static void add_package(
    struct reading *in, struct cyclonedx *bom, const struct component *component, uint64_t ref)
{
    struct package package;
    struct err err;
    uint32_t id;

    if (!component_to_package(in, component, &package))
        return;
    if (report_add_package(in->report, &package, &id, &err) < 0 ||
        add_ref(bom, ref, id, &err) < 0 || add_ref(bom, component->purl_hash, id, &err) < 0)
        fail_reading(in, &err);
}

static void end_component(struct reading *in, struct cyclonedx *bom,
    const struct component *component, struct slice type, uint64_t ref)
{
    if (slice_is(type, "operating-system")) {
        if (!bom->has_system)
            bom->system = *component;
        bom->has_system = true;
        return;
    }
    if (component->has_purl || (is_software(type) && !component->is_lock_file))
        add_package(in, bom, component, ref);
}

static void read_components(struct reading *in, struct cyclonedx *bom);

static void read_purl(struct reading *in, struct component *component)
{
    struct slice text;

    if (json_peek_string(in->json, &text) && text.len)
        component_take_purl(in, component, text);
}

static void read_ref(struct reading *in, uint64_t *ret)
{
    struct slice text;

    if (json_peek_string(in->json, &text) && text.len)
        *ret = component_ref_hash(text);
}

static void read_component(struct reading *in, struct cyclonedx *bom, struct component *component,
    struct slice *ret_type, uint64_t *ret_ref)
{
    struct slice key;

    component_init(component);
    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "type"))
            read_text(in, ret_type);
        else if (slice_is(key, "bom-ref"))
            read_ref(in, ret_ref);
        else if (slice_is(key, "group"))
            read_text(in, &component->group);
        else if (slice_is(key, "name"))
            read_text(in, &component->name);
        else if (slice_is(key, "version"))
            read_text(in, &component->version);
        else if (slice_is(key, "purl"))
            read_purl(in, component);
        else if (slice_is(key, "properties"))
            read_properties(in, component_take_property, component);
        else if (slice_is(key, "components"))
            read_components(in, bom);
        else
            json_skip(in->json);
    }
}

static void read_components(struct reading *in, struct cyclonedx *bom)
{
    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        struct component component;
        struct slice type = SLICE_NONE;
        uint64_t ref = 0;

        if (json_peek(in->json) == JSON_NULL && json_skip(in->json))
            continue;
        read_component(in, bom, &component, &type, &ref);
        if (!json_failed(in->json))
            end_component(in, bom, &component, type, ref);
    }
}

/* ---- the top level ---- */

static void read_bom_format(struct reading *in, void *state)
{
    read_text(in, &((struct cyclonedx *)state)->format);
}

static void read_spec_version(struct reading *in, void *state)
{
    read_text(in, &((struct cyclonedx *)state)->version);
}

static void read_metadata(struct reading *in, void *state)
{
    struct cyclonedx *bom = state;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (!slice_is(key, "component")) {
            json_skip(in->json);
            continue;
        }
        bom->has_root = json_peek(in->json) == JSON_OBJECT;
        read_component(in, bom, &bom->root, &bom->root_type, &bom->root_ref);
    }
}

static void read_top_components(struct reading *in, void *state)
{
    read_components(in, state);
}

static void read_vulnerabilities(struct reading *in, void *state)
{
    cyclonedx_read_vulns(in, &((struct cyclonedx *)state)->vulns);
}

/* "1.2" to "1.7", and what comes behind it */
static int check_version(const struct cyclonedx *bom, struct err *err)
{
    struct slice minor = bom->version, major = slice_pull_until(&minor, '.');
    uint64_t number = 0;

    if (!slice_is(bom->format, "CycloneDX"))
        return err_set(err, ERR_INVALID,
            "bomFormat of this CycloneDX document must be \"CycloneDX\", not \"%.*s\"",
            SLICE_FMT(slice_sub(bom->format, 0, 60)));
    if (bom->version.len == 0)
        return err_set(err, ERR_INVALID,
            "this is a CycloneDX document without its specVersion: 1.2 to 1.7 are read");
    if (slice_is(major, "1") && slice_to_u64(minor, &number) && number >= 2)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
        "this is a CycloneDX document of version %.*s: 1.2 to 1.7 are read, as JSON",
        SLICE_FMT(slice_sub(bom->version, 0, 60)));
}

/* Vulnerabilities of what the document is about need a package for it. */
static int add_root(struct reading *in, struct cyclonedx *bom, struct err *err)
{
    bool is_affected = false;
    struct package package;
    uint32_t id;

    for (size_t i = 0; i < bom->vulns.claim_count; i++)
        is_affected |= bom->vulns.claims[i].ref == bom->root_ref;
    if (!bom->has_root || in->report->is_image || !is_affected ||
        find_ref(bom, bom->root_ref) != MAP_NONE)
        return 0;
    if (!component_to_package(in, &bom->root, &package))
        return json_reader_finish(in->json, err);
    if (report_add_package(in->report, &package, &id, err) < 0)
        return -1;
    return add_ref(bom, bom->root_ref, id, err);
}

static int add_claims(struct reading *in, struct cyclonedx *bom, struct err *err)
{
    for (size_t i = 0; i < bom->vulns.claim_count; i++) {
        const struct pending_claim *claim = &bom->vulns.claims[i];
        const struct pending_vuln *vuln = &bom->vulns.vulns[claim->vuln];
        uint32_t package = find_ref(bom, claim->ref);

        if (package == MAP_NONE) {
            bom->vulns.lost = true;
            continue;
        }
        if (report_add_claim(in->report,
                &(struct report_claim){.package = package,
                    .record = vuln->record,
                    .severity = vuln->severity,
                    .fixed_version =
                        cyclonedx_fixed_version(vuln, in->report->packages[package].name)},
                err) < 0)
            return -1;
    }
    return 0;
}

static int cyclonedx_finish(struct reading *in, void *state, struct err *err)
{
    struct cyclonedx *bom = state;
    struct report *report = in->report;

    if (check_version(bom, err) < 0)
        return -1;
    if (!bom->has_root)
        component_init(&bom->root);
    report->is_image = slice_is(bom->root_type, "container");
    if (component_identify(&bom->root, report, err) < 0 || add_root(in, bom, err) < 0 ||
        add_claims(in, bom, err) < 0)
        return -1;
    report->complete = component_tells_all(&bom->root, report) && !bom->vulns.lost;
    return component_set_release(in, &bom->root, &bom->system, err);
}

static const struct format_key keys[] = {
    {"bomFormat", true, JSON_STRING, read_bom_format},
    {"specVersion", true, JSON_STRING, read_spec_version},
    {"metadata", false, JSON_OBJECT, read_metadata},
    {"components", false, JSON_ARRAY, read_top_components},
    {"vulnerabilities", false, JSON_ARRAY, read_vulnerabilities},
};

const struct report_format cyclonedx_format = {
    .name = "cyclonedx",
    .title = "CycloneDX document",
    .source = SOURCE_SBOM,
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(*keys),
    .state_bytes = sizeof(struct cyclonedx),
    .finish = cyclonedx_finish,
    .release = cyclonedx_release,
};
