/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A purl says what a package is; the component's own name and version stand in for it. What tools
 * know beyond it (the source package, an epoch, a module) they write as properties of their own.
 */
#include "sbom/component.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "model/reference.h"
#include "model/distro.h"
#include "sbom/ecosystem.h"
#include "sbom/package_purl.h"

#define TRIVY "aquasecurity:trivy:"
#define SYFT "syft:metadata:"

uint64_t component_ref_hash(struct slice ref)
{
    uint64_t hash = slice_hash(ref) * 0x9e3779b97f4a7c15u;

    return hash ^ (hash >> 31);
}

void component_init(struct component *component)
{
    *component = (struct component){.size_bytes = -1};
}

/* ---- reading ---- */

bool component_take_purl(struct reading *in, struct component *component, struct slice text)
{
    struct purl purl;
    struct err err;

    if (component->has_purl || !to_purl(text, &purl))
        return true;
    component->has_purl = true;
    component->purl_hash = component_ref_hash(text);
    if (package_from_purl(in->report, &purl, &component->package, &err) < 0 ||
        (in->purl_release.len == 0 &&
            release_from_purl(in->report, &purl, &in->purl_release, &err) < 0) ||
        image_from_purl(in->report, &purl, &component->image_name, &component->image_tag,
            &component->image_digest, &err) < 0) {
        fail_reading(in, &err);
        return false;
    }
    return true;
}

static bool take_text(struct component *component, struct slice name, struct slice value)
{
    const struct {
        const char *name;
        struct slice *to;
    } texts[] = {
        {TRIVY "ImageID", &component->artifact.config_digest},
        {TRIVY "Reference", &component->artifact.reference},
        {TRIVY "Modularitylabel", &component->module},
        {TRIVY "SrcName", &component->source_name},
        {TRIVY "SrcVersion", &component->source_version},
        {TRIVY "SrcRelease", &component->source_release},
        {SYFT "modularityLabel", &component->module},
        {SYFT "source", &component->source_name},
        {SYFT "sourceVersion", &component->source_version},
        {"syft:package:type", &component->type},
        {CAREEN_PREFIX "config_digest", &component->artifact.config_digest},
        {CAREEN_PREFIX "digest", &component->digest},
        {CAREEN_PREFIX "architecture", &component->architecture},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (slice_is(name, texts[i].name)) {
            *texts[i].to = value;
            return true;
        }
    return false;
}

static bool take_number(struct component *component, struct slice name, struct slice value)
{
    int64_t *to = NULL;

    if (slice_is(name, TRIVY "SrcEpoch"))
        to = &component->source_epoch;
    else if (slice_is(name, SYFT "epoch"))
        to = &component->epoch;
    else if (slice_is(name, TRIVY "Size") || slice_is(name, CAREEN_PREFIX "size_bytes"))
        to = &component->size_bytes;
    if (to && !slice_to_i64(value, to))
        *to = to == &component->size_bytes ? -1 : 0;
    return to != NULL;
}

static void push_name(struct reading *in, struct names *names, struct slice name)
{
    struct err err;

    if (name.len && names_push(&in->report->arena, names, name, &err) < 0)
        fail_reading(in, &err);
}

void component_take_property(struct reading *in, void *ctx, struct slice name, struct slice value)
{
    struct component *component = ctx;
    struct package source = {0};
    struct err err;

    if (package_fields_take(&component->fields, name, value) || take_text(component, name, value) ||
        take_number(component, name, value))
        return;
    if (slice_is(name, TRIVY "RepoTag"))
        push_name(in, &component->artifact.repo_tags, value);
    else if (slice_is(name, TRIVY "RepoDigest"))
        push_name(in, &component->artifact.repo_digests, value);
    else if (slice_is(name, TRIVY "Class"))
        component->is_lock_file = slice_is(value, "lang-pkgs");
    else if (slice_is(name, CAREEN_PREFIX "complete")) {
        component->is_partial = slice_is(value, "false");
        component->is_whole = slice_is(value, "true");
    } else if (slice_is(name, CAREEN_PREFIX "source"))
        component->is_careens = words_find(&source_words, value) == SOURCE_CAREEN;
    else if (slice_is(name, SYFT "sourceRpm") && slice_ends_with(value, ".src.rpm")) {
        if (source_from_upstream(in->report, value, &source, &err) < 0)
            fail_reading(in, &err);
        component->source_name = source.source_name;
        component->source_version = source.source_version;
    }
}

/* ---- a package ---- */

static bool make_generic(struct reading *in, const struct component *component, struct package *ret)
{
    struct buf name CLEANUP(buf_release) = BUF_INIT(2 * LIMIT_JSON_STRING_BYTES + 1);
    struct err err;

    ret->ecosystem = ecosystem_of(component->type);
    if (ret->ecosystem.len == 0)
        ret->ecosystem = SLICE("generic");
    ret->name = component->name;
    if (component->group.len == 0)
        return true;
    buf_put_slice(&name, component->group);
    buf_put_char(&name, '/');
    buf_put_slice(&name, component->name);
    if (buf_check(&name, "a component's name", &err) == 0)
        return add_text(in, buf_slice(&name), &ret->name);
    fail_reading(in, &err);
    return false;
}

bool component_to_package(
    struct reading *in, const struct component *component, struct package *ret)
{
    struct package package = component->package;

    if (!component->has_purl && !make_generic(in, component, &package))
        return false;
    if (!compose_version(in, component->epoch,
            package.version.len ? package.version : component->version, SLICE_NONE,
            &package.version))
        return false;
    if (package.module.len == 0)
        package.module = component->module;
    if (component->source_name.len) {
        package.source_name = component->source_name;
        if (!compose_version(in, component->source_epoch, component->source_version,
                component->source_release, &package.source_version))
            return false;
    }
    package_tidy(&package);
    package_fields_apply(&component->fields, &package);
    *ret = package;
    return true;
}

/* ---- what the document is about ---- */

/* "name", with `mark` and `rest` behind it, as a text of the report. */
static int join(struct report *report, struct slice name, char mark, struct slice rest,
    struct slice *ret, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(4 * LIMIT_JSON_STRING_BYTES);

    buf_put_slice(&text, name);
    buf_put_char(&text, mark);
    buf_put_slice(&text, rest);
    if (buf_check(&text, "the image's name", err) < 0)
        return -1;
    return report_text(report, buf_slice(&text), ret, err);
}

/* The version of an image's component is its tag, or (Syft) its digest. */
static int take_version(struct component *component, struct report *report, struct err *err)
{
    struct reference given;
    struct err ignored;

    component->artifact.given = component->name;
    if (slice_find_char(component->version, ':') < component->version.len) {
        component->artifact.manifest_digest = component->version;
        return 0;
    }
    if (component->version.len == 0 || reference_parse(component->name, &given, &ignored) < 0 ||
        given.tag.len || given.digest.len)
        return 0;
    return join(report, component->name, ':', component->version, &component->artifact.given, err);
}

static int push_joined(struct report *report, struct names *names, struct slice name, char mark,
    struct slice rest, struct err *err)
{
    struct slice text;

    if (name.len == 0 || rest.len == 0)
        return 0;
    if (join(report, name, mark, rest, &text, err) < 0)
        return -1;
    return names_push(&report->arena, names, text, err);
}

int component_identify(struct component *component, struct report *report, struct err *err)
{
    struct artifact *artifact = &component->artifact;

    artifact->given = component->name;
    if (report->is_image && (take_version(component, report, err) < 0 ||
                                push_joined(report, &artifact->repo_tags, component->image_name,
                                    ':', component->image_tag, err) < 0 ||
                                push_joined(report, &artifact->repo_digests, component->image_name,
                                    '@', component->image_digest, err) < 0))
        return -1;
    artifact_identify(artifact, report);
    if (report->is_image && digest_is_valid(component->digest))
        report->digest = component->digest;
    report->architecture =
        component->architecture.len ? component->architecture : component->package.arch;
    report->size_bytes = component->size_bytes;
    if (component->is_careens)
        report->source = SOURCE_CAREEN;
    return 0;
}

bool component_tells_all(const struct component *about, const struct report *report)
{
    return !about->is_partial && (report->package_count || (about->is_careens && about->is_whole));
}

/* "careen:release", if it is given: it may say that the release is not known. */
static bool given_release(const struct component *component, struct slice *ret)
{
    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT; i++)
        if (component->fields.given[i] && strcmp(package_field_name(i), "release") == 0) {
            *ret = component->fields.value[i];
            return true;
        }
    return false;
}

int component_set_release(struct reading *in, const struct component *about,
    const struct component *system, struct err *err)
{
    char text[DISTRO_RELEASE_BYTES];
    struct slice release;

    if (given_release(about, &release))
        return report_set_release(in->report, release, err);
    release = distro_release(system->name, system->version, text);
    if (report_text(in->report, release, &release, err) < 0)
        return -1;
    return report_set_release(in->report, release.len ? release : in->purl_release, err);
}
