/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grype's JSON report (anchore/grype, grype/presenter/models), from version 0.7 with fixedInVersion
 * and links to the present one with fix, namespace, advisories and relatedVulnerabilities.
 *
 * Grype reports matches only, one object for each package and vulnerability, never the packages
 * that it found nothing for: always vulnerable-only.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "sbom/artifact.h"
#include "model/distro.h"
#include "sbom/ecosystem.h"
#include "sbom/format.h"
#include "sbom/package_purl.h"

struct grype {
    struct slice source_type;
    struct artifact artifact;
    struct slice architecture, variant;
    struct slice distro_name, distro_version;
    struct names related; /* of the match being read; kept for its memory */
};

/* One match while it is read. */
struct match {
    struct package package;
    struct slice type, version, group; /* group: of Maven coordinates */
    int64_t epoch;
    struct slice vulnerability;
    enum severity severity;
    struct slice fixed_version;
};

/* ---- the package ---- */

/* Syft leaves the group out of the name of a Java package; Trivy's names have it. */
static void take_purl(struct reading *in, struct match *match)
{
    struct slice text;
    struct purl purl;

    if (!json_peek_string(in->json, &text) || !to_purl(text, &purl))
        return;
    if (!apply_purl(in, &purl, &match->package, &match->epoch))
        return;
    if (slice_is(purl.type, "maven"))
        add_text(in, purl.namespace, &match->group);
}

/* The first one is the source package. */
static void read_upstreams(struct reading *in, struct package *package)
{
    struct slice key;
    bool first = true;

    json_begin_array(in->json);
    for (; json_next_element(in->json); first = false) {
        json_begin_object(in->json);
        while (json_next_key(in->json, &key)) {
            if (first && slice_is(key, "name"))
                read_text(in, &package->source_name);
            else if (first && slice_is(key, "version"))
                read_text(in, &package->source_version);
            else
                json_skip(in->json);
        }
    }
}

/* The shape depends on the kind of package; members of RPMs, and one of old reports on Debian's
 * packages, are looked for. */
static void read_package_metadata(struct reading *in, struct match *match)
{
    struct slice key;

    if (json_peek(in->json) != JSON_OBJECT) {
        json_skip(in->json);
        return;
    }
    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "modularityLabel") && json_peek(in->json) == JSON_STRING)
            read_text(in, &match->package.module);
        else if (slice_is(key, "Source") && json_peek(in->json) == JSON_STRING)
            read_text(in, &match->package.source_name);
        else if (slice_is(key, "epoch") && json_peek(in->json) == JSON_NUMBER)
            json_read_i64(in->json, &match->epoch);
        else
            json_skip(in->json);
    }
}

static void read_artifact(struct reading *in, struct match *match)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "name"))
            read_text(in, &match->package.name);
        else if (slice_is(key, "version"))
            read_text(in, &match->version);
        else if (slice_is(key, "type"))
            read_text(in, &match->type);
        else if (slice_is(key, "purl"))
            take_purl(in, match);
        else if (slice_is(key, "upstreams"))
            read_upstreams(in, &match->package);
        else if (slice_is(key, "metadata"))
            read_package_metadata(in, match);
        else
            json_skip(in->json);
    }
}

/* ---- the vulnerability ---- */

/* ["1.2", "2.0"] as "1.2, 2.0" */
static void read_fixed_versions(struct reading *in, struct slice *ret)
{
    struct buf list = BUF_INIT(LIMIT_JSON_STRING_BYTES);
    struct slice version;

    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        if (!json_peek_string(in->json, &version) || version.len == 0)
            continue;
        if (list.len)
            buf_put_cstr(&list, ", ");
        buf_put_slice(&list, version);
    }
    if (list.failed)
        json_fail(in->json, list.failed, "fix.versions is too long a list");
    if (list.len)
        add_text(in, buf_slice(&list), ret);
    buf_release(&list);
}

static void read_fix(struct reading *in, struct match *match)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "versions"))
            read_fixed_versions(in, &match->fixed_version);
        else
            json_skip(in->json);
    }
}

static void read_vulnerability(struct reading *in, struct match *match, struct names *related)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "id"))
            read_text(in, &match->vulnerability);
        else if (slice_is(key, "severity"))
            read_severity(in, &match->severity);
        else if (slice_is(key, "fix"))
            read_fix(in, match);
        else if (slice_is(key, "fixedInVersion"))
            read_text(in, &match->fixed_version);
        else if (slice_is(key, "advisories"))
            read_ids(in, related);
        else
            json_skip(in->json);
    }
}

/* ---- a match ---- */

static bool complete_package(struct reading *in, struct match *match)
{
    struct package *package = &match->package;
    char text[2 * LIMIT_NAME_CHARS];
    int n;

    if (!compose_version(in, match->epoch, match->version, SLICE_NONE, &package->version))
        return false;
    if (package->ecosystem.len == 0)
        package->ecosystem = ecosystem_of(match->type);
    if (package->ecosystem.len == 0)
        package->ecosystem = SLICE("generic");
    package_tidy(package);
    if (match->group.len == 0 || package->name.len == 0 ||
        slice_find_char(package->name, ':') < package->name.len)
        return true;
    n = snprintf(
        text, sizeof(text), "%.*s:%.*s", SLICE_FMT(match->group), SLICE_FMT(package->name));
    if (n < 0 || (size_t)n >= sizeof(text)) {
        json_fail(in->json, ERR_INVALID, "a Java package's name is longer than %d characters",
            LIMIT_NAME_CHARS);
        return false;
    }
    return add_text(in, (struct slice){text, (size_t)n}, &package->name);
}

static void end_match(struct reading *in, struct grype *grype, struct match *match)
{
    struct report_claim claim = {
        .severity = match->severity, .fixed_version = match->fixed_version};
    struct err err;

    if (!complete_package(in, match) ||
        !add_related_record(in, match->vulnerability, &grype->related, &claim.record))
        return;
    if (report_add_package(in->report, &match->package, &claim.package, &err) < 0 ||
        report_add_claim(in->report, &claim, &err) < 0)
        fail_reading(in, &err);
}

static void read_match(struct reading *in, struct grype *grype)
{
    struct match match = {0};
    struct slice key;

    grype->related.count = 0;
    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "artifact"))
            read_artifact(in, &match);
        else if (slice_is(key, "vulnerability"))
            read_vulnerability(in, &match, &grype->related);
        else if (slice_is(key, "relatedVulnerabilities"))
            read_ids(in, &grype->related);
        else
            json_skip(in->json);
    }
    if (!json_failed(in->json))
        end_match(in, grype, &match);
}

/* ---- the top level ---- */

static void read_matches(struct reading *in, void *state)
{
    json_begin_array(in->json);
    while (json_next_element(in->json))
        read_match(in, state);
}

static void read_image_target(struct reading *in, struct grype *grype)
{
    struct artifact *artifact = &grype->artifact;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "userInput"))
            read_text(in, &artifact->given);
        else if (slice_is(key, "imageID"))
            read_text(in, &artifact->config_digest);
        else if (slice_is(key, "manifestDigest"))
            read_text(in, &artifact->manifest_digest);
        else if (slice_is(key, "tags"))
            read_names(in, &artifact->repo_tags);
        else if (slice_is(key, "repoDigests"))
            read_names(in, &artifact->repo_digests);
        else if (slice_is(key, "imageSize"))
            json_read_i64(in->json, &in->report->size_bytes);
        else if (slice_is(key, "architecture"))
            read_text(in, &grype->architecture);
        else if (slice_is(key, "architectureVariant"))
            read_text(in, &grype->variant);
        else
            json_skip(in->json);
    }
}

/* A folder's target is its path. */
static void read_source(struct reading *in, void *state)
{
    struct grype *grype = state;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "type"))
            read_text(in, &grype->source_type);
        else if (slice_is(key, "target") && json_peek(in->json) == JSON_STRING)
            read_text(in, &grype->artifact.given);
        else if (slice_is(key, "target"))
            read_image_target(in, grype);
        else
            json_skip(in->json);
    }
}

static void read_distro(struct reading *in, void *state)
{
    struct grype *grype = state;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "name"))
            read_text(in, &grype->distro_name);
        else if (slice_is(key, "version"))
            read_text(in, &grype->distro_version);
        else
            json_skip(in->json);
    }
}

/* Who made the report, and with which settings: large, and of no use here. */
static void skip_value(struct reading *in, void *state)
{
    (void)state;
    json_skip(in->json);
}

static int grype_finish(struct reading *in, void *state, struct err *err)
{
    struct grype *grype = state;
    struct report *report = in->report;
    char text[DISTRO_RELEASE_BYTES];
    struct slice release;

    report->is_image = slice_is(grype->source_type, "image");
    artifact_identify(&grype->artifact, report);
    release = distro_release(grype->distro_name, grype->distro_version, text);
    if (set_architecture(report, grype->architecture, grype->variant, err) < 0 ||
        report_text(report, release, &release, err) < 0)
        return -1;
    return report_set_release(report, release.len ? release : in->purl_release, err);
}

static const struct format_key keys[] = {
    {"matches", true, JSON_ARRAY, read_matches},
    {"source", false, JSON_OBJECT, read_source},
    {"distro", false, JSON_OBJECT, read_distro},
    {"descriptor", false, JSON_OBJECT, skip_value},
    {"ignoredMatches", false, JSON_ARRAY, skip_value},
};

const struct report_format grype_format = {
    .name = "grype",
    .title = "Grype report",
    .source = SOURCE_GRYPE,
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(*keys),
    .state_bytes = sizeof(struct grype),
    .finish = grype_finish,
};
