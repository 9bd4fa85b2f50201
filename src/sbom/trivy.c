/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trivy's JSON report, schema version 2 (aquasecurity/trivy, pkg/types/report.go), of any artifact.
 *
 * A result (a lock file, the OS packages, a jar) lists packages, if Trivy was told to, and
 * vulnerabilities. A vulnerability names its package by several means, and members come in any
 * order, so both lists are kept until their result ends and are joined then: by identifier, package
 * id, purl, or name and version; else the package is made from the vulnerability's own fields. The
 * identifiers serve for nothing but this, so only their 64-bit hashes are kept.
 *
 * Complete means: there is a package list, and no result has vulnerabilities without one. Trivy
 * leaves an empty list out, so a report on an image without any package counts as vulnerable-only:
 * better to admit too much than to look clean.
 */
#include "base/array.h"
#include "sbom/artifact.h"
#include "model/distro.h"
#include "sbom/ecosystem.h"
#include "sbom/format.h"
#include "sbom/package_purl.h"

enum { SCHEMA_VERSION = 2 };

/* The means of naming a package within a result, best first. */
enum link_kind { LINK_UID, LINK_ID, LINK_PURL, LINK_VERSION, LINK_COUNT };

/* A package as an entry of the report names it. */
struct subject {
    uint64_t links[LINK_COUNT]; /* 0 = not given */
    struct package package;     /* ecosystem empty: to be told from the result's type */
};

/* Entries live in the report's arena; those of a result that has ended serve the next one. */
struct listed {
    struct listed *next;
    struct subject subject;
};

struct finding {
    struct finding *next;
    struct subject subject;
    uint32_t record;
    enum severity severity;
    struct slice fixed_version;
};

struct link {
    uint64_t hash;
    uint32_t package;
};

struct trivy {
    int64_t schema_version;
    struct slice artifact_type;
    struct artifact artifact;
    struct slice family, version; /* of the distribution */
    struct slice architecture, variant;
    bool has_list, lacks_list; /* a result lists its packages; one with findings does not */

    struct listed *free_listed;
    struct finding *free_findings;
    struct names vendor_ids; /* of the vulnerability being read; kept for its memory */
    struct link *links;      /* of the result that ends; heap */
    size_t link_count, link_cap;
    struct map link_ids;
};

/* One result while it is read. */
struct result {
    struct slice class, type;
    bool has_list;
    struct listed *packages, **next_package;
    struct finding *findings, **next_finding;
};

static void trivy_release(void *state)
{
    struct trivy *trivy = state;

    map_release(&trivy->link_ids);
    free(trivy->links);
}

/* ---- links ---- */

static uint64_t link_hash(enum link_kind kind, struct slice text)
{
    uint64_t hash = text.len ? slice_hash(text) * 0x9e3779b97f4a7c15u + (uint64_t)kind : 0;

    return hash ^ (hash >> 31);
}

static uint64_t version_hash(struct slice name, struct slice version)
{
    return link_hash(LINK_VERSION, name) ^ (slice_hash(version) * 0xff51afd7ed558ccdu);
}

static void read_link(struct reading *in, enum link_kind kind, struct subject *subject)
{
    struct slice text;

    if (json_peek_string(in->json, &text))
        subject->links[kind] = link_hash(kind, text);
}

static bool is_link(const void *owner, uint32_t id, const void *key)
{
    const struct trivy *trivy = owner;
    const uint64_t *hash = key;

    return trivy->links[id].hash == *hash;
}

/* The package so named in this result, or MAP_NONE. */
static uint32_t find_linked(const struct trivy *trivy, const struct subject *subject)
{
    for (int kind = 0; kind < LINK_COUNT; kind++) {
        uint64_t hash = subject->links[kind];
        uint32_t id = hash ? map_find(&trivy->link_ids, hash, is_link, trivy, &hash) : MAP_NONE;

        if (id != MAP_NONE)
            return trivy->links[id].package;
    }
    return MAP_NONE;
}

/* Of two packages under one name the first is found. */
static int add_links(
    struct trivy *trivy, const struct subject *subject, uint32_t package, struct err *err)
{
    for (int kind = 0; kind < LINK_COUNT; kind++) {
        uint64_t hash = subject->links[kind];

        if (!hash || map_find(&trivy->link_ids, hash, is_link, trivy, &hash) != MAP_NONE)
            continue;
        if (array_reserve(&trivy->links, &trivy->link_cap, trivy->link_count + 1,
                sizeof(*trivy->links), err) < 0 ||
            map_add(&trivy->link_ids, hash, (uint32_t)trivy->link_count, err) < 0)
            return -1;
        trivy->links[trivy->link_count++] = (struct link){hash, package};
    }
    return 0;
}

/* ---- a package ---- */

static void read_purl(struct reading *in, struct subject *subject, int64_t *epoch)
{
    struct slice text;
    struct purl purl;

    if (!json_peek_string(in->json, &text) || text.len == 0)
        return;
    subject->links[LINK_PURL] = link_hash(LINK_PURL, text);
    if (to_purl(text, &purl))
        apply_purl(in, &purl, &subject->package, epoch);
}

static void read_identifier(struct reading *in, struct subject *subject, int64_t *epoch)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "UID"))
            read_link(in, LINK_UID, subject);
        else if (slice_is(key, "PURL"))
            read_purl(in, subject, epoch);
        else
            json_skip(in->json);
    }
}

/* What Trivy's version texts are made of. */
struct version_parts {
    struct slice version, release;
    int64_t epoch;
};

static bool read_package_field(struct reading *in, struct slice key, struct subject *subject,
    struct version_parts *own, struct version_parts *source)
{
    struct package *package = &subject->package;

    if (slice_is(key, "ID"))
        read_link(in, LINK_ID, subject);
    else if (slice_is(key, "Name"))
        read_text(in, &package->name);
    else if (slice_is(key, "Identifier"))
        read_identifier(in, subject, &own->epoch);
    else if (slice_is(key, "Version"))
        read_text(in, &own->version);
    else if (slice_is(key, "Release"))
        read_text(in, &own->release);
    else if (slice_is(key, "Epoch"))
        json_read_i64(in->json, &own->epoch);
    else if (slice_is(key, "Arch"))
        read_text(in, &package->arch);
    else if (slice_is(key, "Modularitylabel"))
        read_text(in, &package->module);
    else if (slice_is(key, "SrcName"))
        read_text(in, &package->source_name);
    else if (slice_is(key, "SrcVersion"))
        read_text(in, &source->version);
    else if (slice_is(key, "SrcRelease"))
        read_text(in, &source->release);
    else if (slice_is(key, "SrcEpoch"))
        json_read_i64(in->json, &source->epoch);
    else
        return json_skip(in->json);
    return true;
}

static void read_package(struct reading *in, struct subject *subject)
{
    struct version_parts own = {0}, source = {0};
    struct package *package = &subject->package;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key))
        read_package_field(in, key, subject, &own, &source);
    if (json_failed(in->json) ||
        !compose_version(in, own.epoch, own.version, own.release, &package->version) ||
        !compose_version(
            in, source.epoch, source.version, source.release, &package->source_version))
        return;
    package_tidy(package);
    subject->links[LINK_VERSION] = version_hash(package->name, package->version);
}

/* ---- a vulnerability ---- */

static void read_finding_field(struct reading *in, struct slice key, struct trivy *trivy,
    struct slice *ret_name, struct finding *finding)
{
    struct subject *subject = &finding->subject;

    if (slice_is(key, "VulnerabilityID"))
        read_text(in, ret_name);
    else if (slice_is(key, "VendorIDs"))
        read_names(in, &trivy->vendor_ids);
    else if (slice_is(key, "PkgID"))
        read_link(in, LINK_ID, subject);
    else if (slice_is(key, "PkgName"))
        read_text(in, &subject->package.name);
    else if (slice_is(key, "PkgIdentifier"))
        read_identifier(in, subject, NULL);
    else if (slice_is(key, "InstalledVersion"))
        read_text(in, &subject->package.version);
    else if (slice_is(key, "FixedVersion"))
        read_text(in, &finding->fixed_version);
    else if (slice_is(key, "Severity"))
        read_severity(in, &finding->severity);
    else
        json_skip(in->json);
}

/* The status is not looked at: what the report shows, it claims ("not_affected" too). */
static void read_finding(struct reading *in, struct trivy *trivy, struct finding *finding)
{
    struct package *package = &finding->subject.package;
    struct slice key, name = SLICE_NONE;

    trivy->vendor_ids.count = 0;
    json_begin_object(in->json);
    while (json_next_key(in->json, &key))
        read_finding_field(in, key, trivy, &name, finding);
    if (json_failed(in->json) ||
        !compose_version(in, 0, package->version, SLICE_NONE, &package->version))
        return;
    finding->subject.links[LINK_VERSION] = version_hash(package->name, package->version);
    add_related_record(in, name, &trivy->vendor_ids, &finding->record);
}

/* ---- a result ---- */

static void *take_entry(struct reading *in, size_t size)
{
    struct err err;
    void *entry = arena_alloc(&in->report->arena, size, &err);

    if (!entry)
        fail_reading(in, &err);
    return entry;
}

static void read_packages(struct reading *in, struct trivy *trivy, struct result *result)
{
    result->has_list = true;
    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        struct listed *listed = trivy->free_listed;

        if (listed)
            trivy->free_listed = listed->next;
        else if (!(listed = take_entry(in, sizeof(*listed))))
            return;
        *listed = (struct listed){0};
        *result->next_package = listed;
        result->next_package = &listed->next;
        read_package(in, &listed->subject);
    }
}

static void read_findings(struct reading *in, struct trivy *trivy, struct result *result)
{
    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        struct finding *finding = trivy->free_findings;

        if (finding)
            trivy->free_findings = finding->next;
        else if (!(finding = take_entry(in, sizeof(*finding))))
            return;
        *finding = (struct finding){0};
        *result->next_finding = finding;
        result->next_finding = &finding->next;
        read_finding(in, trivy, finding);
    }
}

/* Does the result hold packages (and not misconfigurations, secrets, licences)? Results without a
 * class are those of early versions of the schema. */
static bool is_of_packages(const struct result *result)
{
    return result->class.len == 0 || slice_is(result->class, "os-pkgs") ||
           slice_is(result->class, "lang-pkgs");
}

/* For packages that have no purl. */
static struct slice ecosystem_of_result(const struct result *result)
{
    const struct distro *distro = NULL;
    struct slice ecosystem;

    if (!slice_is(result->class, "lang-pkgs"))
        distro = distro_find(result->type);
    ecosystem = distro ? distro_ecosystem(distro) : ecosystem_of(result->type);
    return ecosystem.len ? ecosystem : SLICE("generic");
}

static int add_package(struct report *report, struct subject *subject, struct slice ecosystem,
    uint32_t *ret, struct err *err)
{
    if (subject->package.ecosystem.len == 0)
        subject->package.ecosystem = ecosystem;
    return report_add_package(report, &subject->package, ret, err);
}

static int join_result(
    struct report *report, struct trivy *trivy, struct result *result, struct err *err)
{
    struct slice ecosystem = ecosystem_of_result(result);

    map_release(&trivy->link_ids);
    trivy->link_count = 0;
    for (struct listed *at = result->packages; at; at = at->next) {
        uint32_t package;

        if (add_package(report, &at->subject, ecosystem, &package, err) < 0 ||
            (result->findings && add_links(trivy, &at->subject, package, err) < 0))
            return -1;
    }
    for (struct finding *at = result->findings; at; at = at->next) {
        struct report_claim claim = {.package = find_linked(trivy, &at->subject),
            .record = at->record,
            .severity = at->severity,
            .fixed_version = at->fixed_version};

        if ((claim.package == MAP_NONE &&
                add_package(report, &at->subject, ecosystem, &claim.package, err) < 0) ||
            report_add_claim(report, &claim, err) < 0)
            return -1;
    }
    return 0;
}

static void end_result(struct reading *in, struct trivy *trivy, struct result *result)
{
    struct err err;

    if (is_of_packages(result)) {
        trivy->has_list |= result->has_list;
        trivy->lacks_list |= result->findings && !result->has_list;
        if (join_result(in->report, trivy, result, &err) < 0)
            fail_reading(in, &err);
    }
    *result->next_package = trivy->free_listed;
    trivy->free_listed = result->packages;
    *result->next_finding = trivy->free_findings;
    trivy->free_findings = result->findings;
}

static void read_result(struct reading *in, struct trivy *trivy)
{
    struct result result = {0};
    struct slice key;

    result.next_package = &result.packages;
    result.next_finding = &result.findings;
    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "Class"))
            read_text(in, &result.class);
        else if (slice_is(key, "Type"))
            read_text(in, &result.type);
        else if (slice_is(key, "Packages"))
            read_packages(in, trivy, &result);
        else if (slice_is(key, "Vulnerabilities"))
            read_findings(in, trivy, &result);
        else
            json_skip(in->json);
    }
    if (!json_failed(in->json))
        end_result(in, trivy, &result);
}

/* ---- the top level ---- */

static void read_results(struct reading *in, void *state)
{
    json_begin_array(in->json);
    while (json_next_element(in->json))
        read_result(in, state);
}

static void read_os(struct reading *in, struct trivy *trivy)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "Family"))
            read_text(in, &trivy->family);
        else if (slice_is(key, "Name"))
            read_text(in, &trivy->version);
        else
            json_skip(in->json);
    }
}

static void read_image_config(struct reading *in, struct trivy *trivy)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "architecture"))
            read_text(in, &trivy->architecture);
        else if (slice_is(key, "variant"))
            read_text(in, &trivy->variant);
        else
            json_skip(in->json);
    }
}

static void read_metadata(struct reading *in, void *state)
{
    struct trivy *trivy = state;
    struct artifact *artifact = &trivy->artifact;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "OS"))
            read_os(in, trivy);
        else if (slice_is(key, "ImageID"))
            read_text(in, &artifact->config_digest);
        else if (slice_is(key, "RepoTags"))
            read_names(in, &artifact->repo_tags);
        else if (slice_is(key, "RepoDigests"))
            read_names(in, &artifact->repo_digests);
        else if (slice_is(key, "Reference"))
            read_text(in, &artifact->reference);
        else if (slice_is(key, "Size"))
            json_read_i64(in->json, &in->report->size_bytes);
        else if (slice_is(key, "ImageConfig"))
            read_image_config(in, trivy);
        else
            json_skip(in->json);
    }
}

/* Other versions are refused where they are met: what follows may have any shape. */
static void read_schema_version(struct reading *in, void *state)
{
    struct trivy *trivy = state;

    if (json_read_i64(in->json, &trivy->schema_version) && trivy->schema_version != SCHEMA_VERSION)
        json_fail(in->json, ERR_UNSUPPORTED,
            "this is a Trivy report of schema version %lld: only version %d is read",
            (long long)trivy->schema_version, SCHEMA_VERSION);
}

static void read_artifact_name(struct reading *in, void *state)
{
    read_text(in, &((struct trivy *)state)->artifact.given);
}

static void read_artifact_type(struct reading *in, void *state)
{
    read_text(in, &((struct trivy *)state)->artifact_type);
}

static int trivy_finish(struct reading *in, void *state, struct err *err)
{
    struct trivy *trivy = state;
    struct report *report = in->report;
    char text[DISTRO_RELEASE_BYTES];
    struct slice release;

    if (trivy->schema_version != SCHEMA_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
            "this is a Trivy report without its SchemaVersion: only version %d is read",
            SCHEMA_VERSION);
    report->is_image = slice_is(trivy->artifact_type, "container_image");
    report->complete = trivy->has_list && !trivy->lacks_list;
    artifact_identify(&trivy->artifact, report);
    release = distro_release(trivy->family, trivy->version, text);
    if (set_architecture(report, trivy->architecture, trivy->variant, err) < 0 ||
        report_text(report, release, &release, err) < 0)
        return -1;
    return report_set_release(report, release.len ? release : in->purl_release, err);
}

static const struct format_key keys[] = {
    {"SchemaVersion", true, JSON_NUMBER, read_schema_version},
    {"ArtifactName", true, JSON_STRING, read_artifact_name},
    {"ArtifactType", true, JSON_STRING, read_artifact_type},
    {"Metadata", false, JSON_OBJECT, read_metadata},
    {"Results", false, JSON_ARRAY, read_results},
};

const struct report_format trivy_format = {
    .name = "trivy",
    .title = "Trivy report",
    .source = SOURCE_TRIVY,
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(*keys),
    .state_bytes = sizeof(struct trivy),
    .finish = trivy_finish,
    .release = trivy_release,
};
