/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of formats share: texts, versions, purls and related names. See format.h. */
#include "sbom/format.h"

#include "sbom/package_field.h"
#include "sbom/package_purl.h"

void fail_reading(struct reading *in, const struct err *why)
{
    json_fail(in->json, why->code, "%s", why->message);
}

bool add_text(struct reading *in, struct slice s, struct slice *ret)
{
    struct err err;

    if (report_text(in->report, s, ret, &err) == 0)
        return true;
    fail_reading(in, &err);
    return false;
}

bool read_text(struct reading *in, struct slice *ret)
{
    struct slice s;

    return json_peek_string(in->json, &s) && add_text(in, s, ret);
}

void read_names(struct reading *in, struct names *ret)
{
    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        struct slice name;
        struct err err;

        if (!read_text(in, &name) || name.len == 0)
            continue;
        if (names_push(&in->report->arena, ret, name, &err) < 0)
            fail_reading(in, &err);
    }
}

void read_severity(struct reading *in, enum severity *ret)
{
    struct slice word;
    int value;

    if (!json_peek_string(in->json, &word))
        return;
    value = words_find_nocase(&severity_words, word);
    *ret = value < 0 ? SEVERITY_UNKNOWN : (enum severity)value;
}

bool compose_version(struct reading *in, int64_t epoch, struct slice version, struct slice release,
    struct slice *ret)
{
    struct err err;

    if (version_compose(in->report, epoch, version, release, ret, &err) == 0)
        return true;
    fail_reading(in, &err);
    return false;
}

bool to_purl(struct slice text, struct purl *ret)
{
    struct err ignored;

    return purl_parse(text, PURL_LENIENT, ret, &ignored) == 0;
}

bool apply_purl(
    struct reading *in, const struct purl *purl, struct package *package, int64_t *epoch)
{
    struct slice arch = purl_qualifier(purl, "arch"), upstream = purl_qualifier(purl, "upstream");
    struct err err;

    if (package->ecosystem.len == 0 && !add_text(in, purl->type, &package->ecosystem))
        return false;
    if (package->arch.len == 0 && !add_text(in, arch, &package->arch))
        return false;
    if (epoch && *epoch == 0 && (!slice_to_i64(purl_qualifier(purl, "epoch"), epoch) || *epoch < 0))
        *epoch = 0;
    if ((package->source_name.len == 0 && upstream.len &&
            source_from_upstream(in->report, upstream, package, &err) < 0) ||
        (in->purl_release.len == 0 &&
            release_from_purl(in->report, purl, &in->purl_release, &err) < 0)) {
        fail_reading(in, &err);
        return false;
    }
    return true;
}

/* Are there CVEs of two different names? */
static bool has_several_cves(const struct names *ids)
{
    const struct slice *first = NULL;

    for (size_t i = 0; i < ids->count; i++) {
        if (name_kind_of(ids->at[i]) != NAME_CVE)
            continue;
        if (first && !slice_eq(*first, ids->at[i]))
            return true;
        first = &ids->at[i];
    }
    return false;
}

bool add_related_record(
    struct reading *in, struct slice name, const struct names *ids, uint32_t *ret)
{
    struct report_record record = {.name = name};
    enum name_kind kind = name_kind_of(name);
    bool several = has_several_cves(ids);
    struct slice *at = NULL;
    struct err err;
    bool ok;

    if (ids->count) {
        /* Aliases from the left, covered ids from the right; report_add_record copies them. */
        at = calloc(ids->count, sizeof(*at));
        if (!at) {
            err_nomem(&err);
            fail_reading(in, &err);
            return false;
        }
        record.aliases.at = at;
    }
    for (size_t i = 0; i < ids->count; i++) {
        enum name_kind other = name_kind_of(ids->at[i]);
        bool alias = kind != NAME_ADVISORY && other != NAME_ADVISORY &&
                     !(other == NAME_CVE && (kind == NAME_CVE || several));

        if (alias)
            at[record.aliases.count++] = ids->at[i];
        else
            at[ids->count - ++record.covers.count] = ids->at[i];
    }
    if (ids->count)
        record.covers.at = at + (ids->count - record.covers.count);
    ok = report_add_record(in->report, &record, ret, &err) == 0;
    if (!ok)
        fail_reading(in, &err);
    free(at);
    return ok;
}

/* ---- properties ---- */

bool is_known_property(struct slice name)
{
    static const char *const names[] = {"aquasecurity:trivy:Class", "aquasecurity:trivy:ImageID",
        "aquasecurity:trivy:Modularitylabel", "aquasecurity:trivy:Reference",
        "aquasecurity:trivy:RepoDigest", "aquasecurity:trivy:RepoTag", "aquasecurity:trivy:Size",
        "aquasecurity:trivy:SrcEpoch", "aquasecurity:trivy:SrcName",
        "aquasecurity:trivy:SrcRelease", "aquasecurity:trivy:SrcVersion", "syft:metadata:epoch",
        "syft:metadata:modularityLabel", "syft:metadata:source", "syft:metadata:sourceRpm",
        "syft:metadata:sourceVersion", "syft:package:type"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(name, names[i]))
            return true;
    return slice_starts_with(name, CAREEN_PREFIX);
}

/* A value may stand before its name: it is kept then, whatever it is of. */
static void read_property(struct reading *in, property_fn take, void *ctx)
{
    struct slice key, text, name = SLICE_NONE, value = SLICE_NONE;
    bool is_named = false;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        bool is_string = json_peek(in->json) == JSON_STRING;

        if (slice_is(key, "name") && is_string && json_peek_string(in->json, &text)) {
            is_named = true;
            if (is_known_property(text))
                add_text(in, text, &name);
        } else if (slice_is(key, "value") && is_string && (!is_named || name.len)) {
            read_text(in, &value);
        } else {
            json_skip(in->json);
        }
    }
    if (name.len && !json_failed(in->json))
        take(in, ctx, name, value);
}

void read_properties(struct reading *in, property_fn take, void *ctx)
{
    json_begin_array(in->json);
    while (json_next_element(in->json))
        read_property(in, take, ctx);
}

int set_architecture(
    struct report *report, struct slice architecture, struct slice variant, struct err *err)
{
    char text[64];
    int n;

    if (variant.len == 0) {
        report->architecture = architecture;
        return 0;
    }
    n = snprintf(text, sizeof(text), "%.*s/%.*s", SLICE_FMT(architecture), SLICE_FMT(variant));
    if (n < 0 || (size_t)n >= sizeof(text))
        return err_set(err, ERR_INVALID,
            "architecture and variant of the image are longer than %zu bytes", sizeof(text) - 1);
    return report_text(report, (struct slice){text, (size_t)n}, &report->architecture, err);
}

void read_ids(struct reading *in, struct names *ret)
{
    struct slice key, id;
    struct err err;

    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        json_begin_object(in->json);
        while (json_next_key(in->json, &key)) {
            if (!slice_is(key, "id"))
                json_skip(in->json);
            else if (read_text(in, &id) && id.len &&
                     names_push(&in->report->arena, ret, id, &err) < 0)
                fail_reading(in, &err);
        }
    }
}
