/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of the call, of Careen's own endpoints, of the service's, and of errors; bottom up. */
#include "api/openapi_schemas.h"

#include "api/placement_params.h"
#include "base/limits.h"

#define DIGITS "^[0-9]+$"
#define DIGEST "^sha256:[0-9a-f]{64}$"
#define UUID "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
#define HEX32 "^[0-9a-f]{32}$"

static const char *const truth_names[] = {"false", "true"};
static const struct words truth_words = {"truth", truth_names, 2};
static const char *const health_names[] = {"ok"};
static const struct words health_words = {"status", health_names, 1};
static const char *const readiness_names[] = {"ready", "not ready"};
static const struct words readiness_words = {"status", readiness_names, 2};

/* --- Affected images -------------------------------------------------------------------------- */

static const struct member affected_row_members[] = {
    {.name = "agent_id", .help = "the host on which the image was found", .optional = true},
    {.name = "image_id", .help = "the image at its place", .pattern = UUID},
    {.name = "image_name", .help = "its name, without tag"},
    {.name = "vul_id", .help = "the vulnerability: its CVE, else its GHSA, else its own id"},
    {.name = "repair_necessity", .help = "the worst severity", .words = &necessity_words},
    {.name = "container_num",
        .type = MEMBER_INTEGER,
        .help = "containers that run the image; 0 when not known",
        .maximum = LIMIT_CONTAINERS},
    {.name = "image_digest",
        .help = "the repository's manifest, else the config",
        .pattern = DIGEST,
        .optional = true},
    {.name = "image_version", .help = "the tag", .optional = true},
    {.name = "status", .help = "whether it was decided to ignore it", .words = &vul_status_words},
    {.name = "first_scan_time",
        .help = "when the vulnerability was first there, in epoch milliseconds",
        .pattern = DIGITS},
    {.name = "latest_scan_time",
        .help = "the last report of the image, in epoch milliseconds",
        .pattern = DIGITS},
    {.name = "image_type", .help = "where the image lives", .words = &image_type_rows},
    {.name = "image_size", .help = "in bytes", .pattern = DIGITS, .optional = true},
    {.name = "organization", .help = "to which the image belongs", .optional = true},
    {.name = "registry_type",
        .help = "the registry's kind",
        .words = &registry_type_words,
        .optional = true},
    {.name = "registry_name", .help = "the registry", .optional = true},
    {.name = "is_multi_arch",
        .help = "whether the image's reference names several platforms",
        .words = &truth_words,
        .optional = true},
    {.name = "cluster_id", .help = "the cluster in which it runs", .optional = true},
    {.name = "cluster_name", .help = "that cluster's name", .optional = true},
    {.name = "type",
        .help = "whether it is in OS packages or in others",
        .words = &vul_type_words,
        .beyond = true},
    {.name = "assessment",
        .help = "how much of the image has been looked at",
        .words = &assessment_words,
        .beyond = true},
    {.name = "enterprise_project_id", .help = "the image's enterprise project", .beyond = true},
    {.name = "image_config_digest",
        .help = "the digest of the image's config",
        .pattern = DIGEST,
        .optional = true,
        .beyond = true},
    {.name = "is_latest",
        .help = "false once another image was reported for the same place, repository, tag and "
                "platform",
        .words = &truth_words,
        .beyond = true},
    {.name = "updated_time",
        .help = "the last change of anything, in epoch milliseconds",
        .pattern = DIGITS,
        .beyond = true},
    {.name = "is_handled",
        .type = MEMBER_BOOLEAN,
        .help = "whether it was decided to ignore it, or that it is repaired",
        .beyond = true},
};
static const struct schema schema_affected_row = {
    "AffectedImage", "An image and a vulnerability that it has", MEMBERS(affected_row_members)};

static const struct member affected_counts_members[] = {
    {.name = "image_num", .type = MEMBER_INTEGER, .help = "images that have a row"},
    {.name = "vul_num", .type = MEMBER_INTEGER, .help = "vulnerabilities that have a row"},
    {.name = "container_num",
        .type = MEMBER_INTEGER,
        .help = "containers that run those images, as far as it is known"},
};
static const struct schema schema_affected_counts = {
    "AffectedCounts", "What the rows of all pages are about", MEMBERS(affected_counts_members)};

static const struct member facet_value_members[] = {
    {.name = "value", .help = "as the parameter takes it"},
    {.name = "row_num", .type = MEMBER_INTEGER, .help = "rows that have it"},
};
static const struct schema schema_facet_value = {
    "FacetValue", "A value that rows have", MEMBERS(facet_value_members)};

static const struct member facet_members[] = {
    {.name = "value_num", .type = MEMBER_INTEGER, .help = "values that rows have"},
    {.name = "values",
        .type = MEMBER_OBJECTS,
        .help = "those of the most rows first, at most 100",
        .of = &schema_facet_value},
};
static const struct schema schema_facet = {
    "Facet", "The values of a filter that rows have", MEMBERS(facet_members)};

#define FACET(filter)                                                           \
    {                                                                           \
        .name = filter, .type = MEMBER_OBJECT, .help = "of the filter " filter, \
        .of = &schema_facet                                                     \
    }
static const struct member affected_facets_members[] = {FACET("repair_necessity"), FACET("type"),
    FACET("status"), FACET("is_handled"), FACET("fixable"), FACET("image_type"),
    FACET("registry_type"), FACET("registry_name"), FACET("cluster_id"),
    FACET("enterprise_project_id")};
static const struct schema schema_affected_facets = {"AffectedFacets",
    "The values that the rows of all pages have", MEMBERS(affected_facets_members)};

static const struct member affected_page_members[] = {
    {.name = "total_num",
        .type = MEMBER_INTEGER,
        .help = "all rows that match, not those of this page",
        .maximum = INT32_MAX},
    {.name = "data_list", .type = MEMBER_OBJECTS, .help = "the page", .of = &schema_affected_row},
    {.name = "next",
        .help = "there while rows follow: the value of `after` for the next page",
        .optional = true,
        .beyond = true},
    {.name = "counts",
        .type = MEMBER_OBJECT,
        .help = "with include=counts",
        .of = &schema_affected_counts,
        .optional = true,
        .beyond = true},
    {.name = "facets",
        .type = MEMBER_OBJECT,
        .help = "with include=facets",
        .of = &schema_affected_facets,
        .optional = true,
        .beyond = true},
};
const struct schema schema_affected_page = {
    "AffectedImages", "A page of affected images", MEMBERS(affected_page_members)};

/* --- Images ----------------------------------------------------------------------------------- */

static const struct member import_outcome_members[] = {
    {.name = "image_id", .help = "the image", .pattern = UUID},
    {.name = "source", .help = "who reported", .words = &source_words},
    {.name = "created", .type = MEMBER_BOOLEAN, .help = "whether the image is new"},
    {.name = "changed", .type = MEMBER_BOOLEAN, .help = "whether anything but the time is new"},
    {.name = "assessment",
        .help = "how much of the image has been looked at",
        .words = &assessment_words},
    {.name = "packages", .type = MEMBER_INTEGER, .help = "of the report"},
    {.name = "claims",
        .type = MEMBER_INTEGER,
        .help = "pairs of package and vulnerability of the report"},
    {.name = "findings", .type = MEMBER_INTEGER, .help = "the image's rows over all its sources"},
    {.name = "appeared", .type = MEMBER_INTEGER, .help = "rows that this report added"},
    {.name = "retracted", .type = MEMBER_INTEGER, .help = "rows that it took away"},
};
const struct schema schema_import_outcome = {
    "ImportOutcome", "What an import found and changed", MEMBERS(import_outcome_members)};

static const struct member image_source_members[] = {
    {.name = "source", .help = "who reported", .words = &source_words},
    {.name = "complete", .type = MEMBER_BOOLEAN, .help = "all packages, not vulnerable ones only"},
    {.name = "scanned_ms", .type = MEMBER_INTEGER, .help = "when, in epoch milliseconds"},
    {.name = "packages", .type = MEMBER_INTEGER, .help = "how many it reported"},
    {.name = "claims", .type = MEMBER_INTEGER, .help = "how many it made"},
};
static const struct schema schema_image_source = {
    "ImageSource", "A source that has reported the image", MEMBERS(image_source_members)};

static const struct member image_package_members[] = {
    {.name = "ecosystem", .help = "a purl type: deb, npm, ..."},
    {.name = "release", .help = "the OS release of an OS package", .optional = true},
    {.name = "channel", .help = "the repository's class", .optional = true},
    {.name = "name", .help = "with its namespace"},
    {.name = "version", .help = "[epoch:]version[-release]"},
    {.name = "arch", .help = "as the distribution writes it", .optional = true},
    {.name = "module", .help = "the modularity label or stream", .optional = true},
    {.name = "source_name", .help = "its source package", .optional = true},
    {.name = "source_version", .help = "that package's version", .optional = true},
    {.name = "first_seen_ms",
        .type = MEMBER_INTEGER,
        .help = "when it was first seen in the image, in epoch milliseconds"},
    {.name = "sources", .type = MEMBER_TEXTS, .help = "who saw it", .words = &source_words},
};
static const struct schema schema_image_package = {
    "ImagePackage", "A package of the image", MEMBERS(image_package_members)};

static const struct member image_claim_members[] = {
    {.name = "vul_id", .help = "the vulnerability, as rows name it"},
    {.name = "type", .help = "in OS packages or in others", .words = &vul_type_words},
    {.name = "reported_as", .help = "the id that the source gave it"},
    {.name = "source", .help = "who reported it", .words = &source_words},
    {.name = "severity", .help = "the source's word", .words = &severity_words},
    {.name = "package", .help = "the package's name"},
    {.name = "version", .help = "the package's version"},
    {.name = "arch", .help = "the package's architecture", .optional = true},
    {.name = "fixed_version", .help = "the version without it, if one is known", .optional = true},
    {.name = "known_ms",
        .type = MEMBER_INTEGER,
        .help = "when it was first said of that package, in epoch milliseconds"},
};
static const struct schema schema_image_claim = {
    "ImageClaim", "What a source says of a package", MEMBERS(image_claim_members)};

static const struct member image_members[] = {
    {.name = "image_id", .help = "the image at its place", .pattern = UUID},
    {.name = "name", .help = "without tag"},
    {.name = "version", .help = "the tag", .optional = true},
    {.name = "digest",
        .help = "the repository's manifest, else the config",
        .pattern = DIGEST,
        .optional = true},
    {.name = "config_digest", .help = "the config", .pattern = DIGEST, .optional = true},
    {.name = "os", .help = "the OS release: debian-12", .optional = true},
    {.name = "architecture", .help = "amd64, arm64/v8", .optional = true},
    {.name = "size_bytes", .type = MEMBER_INTEGER, .help = "its size", .optional = true},
    {.name = "enterprise_project_id", .help = "its enterprise project"},
    {.name = "image_type", .help = "where it lives", .words = &image_type_rows},
    {.name = "registry_type",
        .help = "the registry's kind",
        .words = &registry_type_words,
        .optional = true},
    {.name = "registry_name", .help = "the registry", .optional = true},
    {.name = "organization", .help = "to which it belongs", .optional = true},
    {.name = "cluster_id", .help = "the cluster in which it runs", .optional = true},
    {.name = "cluster_name", .help = "that cluster's name", .optional = true},
    {.name = "agent_id", .help = "the host on which it was found", .optional = true},
    {.name = "pipeline", .help = "the pipeline that built it", .optional = true},
    {.name = "containers",
        .type = MEMBER_INTEGER,
        .help = "how many run it",
        .maximum = LIMIT_CONTAINERS,
        .optional = true},
    {.name = "is_multi_arch",
        .type = MEMBER_BOOLEAN,
        .help = "whether its reference names several platforms",
        .optional = true},
    {.name = "assessment", .help = "how much of it was looked at", .words = &assessment_words},
    {.name = "latest", .type = MEMBER_BOOLEAN, .help = "no later image stands in its place"},
    {.name = "first_seen_ms", .type = MEMBER_INTEGER, .help = "its arrival, in epoch milliseconds"},
    {.name = "latest_scan_ms", .type = MEMBER_INTEGER, .help = "its last report"},
    {.name = "updated_ms", .type = MEMBER_INTEGER, .help = "the last change of anything"},
    {.name = "sources",
        .type = MEMBER_OBJECTS,
        .help = "who has reported it",
        .of = &schema_image_source},
    {.name = "packages",
        .type = MEMBER_OBJECTS,
        .help = "what is in it",
        .of = &schema_image_package},
    {.name = "vulnerabilities",
        .type = MEMBER_OBJECTS,
        .help = "what its sources say of the packages",
        .of = &schema_image_claim},
};
const struct schema schema_image = {"Image", "Everything about one image", MEMBERS(image_members)};

static const struct member image_id_members[] = {
    {.name = "image_id", .help = "the image's id from now on", .pattern = UUID},
};
const struct schema schema_image_id = {"ImageId", "A changed image", MEMBERS(image_id_members)};

static const struct member removed_members[] = {
    {.name = "removed", .type = MEMBER_INTEGER, .help = "how many images are gone: 1"},
};
const struct schema schema_removed = {"Removed", "A removal", MEMBERS(removed_members)};

/* The body of a PATCH: those of the placement parameters that a stored image lets be changed. */
static void write_image_change(struct json_writer *w)
{
    json_write_member(w, "type", SLICE("object"));
    json_write_member(w, "description", SLICE("What to change; other members are refused"));
    json_write_key(w, "properties");
    json_write_begin_object(w);
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++) {
        const struct placement_param *param = &placement_params[i];

        if (param->field == 0)
            continue;
        json_write_key(w, param->name);
        json_write_begin_object(w);
        schema_write_placement(w, param);
        json_write_member(w, "description", slice_of(param->help));
        json_write_end_object(w);
    }
    json_write_end_object(w);
    json_write_key(w, "additionalProperties");
    json_write_bool(w, false);
    json_write_key(w, "minProperties");
    json_write_i64(w, 1);
}

const struct schema schema_image_change = {
    .name = "ImageChange", .help = "What to change", .write = write_image_change};

/* --- The service ------------------------------------------------------------------------------ */

static const struct member health_members[] = {
    {.name = "status", .help = "ok", .words = &health_words},
};
const struct schema schema_health = {"Health", "A sign of life", MEMBERS(health_members)};

static const struct member readiness_members[] = {
    {.name = "status", .help = "\"not ready\" comes with status 503", .words = &readiness_words},
};
const struct schema schema_readiness = {
    "Readiness", "Whether what is loaded at the start is, and kept up", MEMBERS(readiness_members)};

const struct schema schema_document = {.name = "OpenapiDocument", .help = "An OpenAPI document"};

static void write_text(struct json_writer *w)
{
    json_write_member(w, "type", SLICE("string"));
}

const struct schema schema_metrics = {
    .name = "Metrics", .help = "Prometheus' text format, version 0.0.4", .write = write_text};

const struct schema schema_findings = {.name = "Findings",
    .help = "Rows: an object of data_list a line; or CSV, a line of names first",
    .write = write_text};
const struct schema schema_sarif = {.name = "SarifLog", .help = "A log in SARIF 2.1.0"};

/* --- Errors ----------------------------------------------------------------------------------- */

#define ERROR_MEMBERS                                                                \
    {.name = "error_code", .help = "HSS.0001, APIGW.0301, IAM.0001, ..."},           \
        {.name = "error_msg", .help = "what is wrong"},                              \
    {                                                                                \
        .name = "request_id", .help = "of the header X-Request-Id", .pattern = HEX32 \
    }

static const struct member error_members[] = {
    ERROR_MEMBERS,
    {.name = "error_description",
        .help = "what is wrong, in detail; of errors that are not the gateway's (HSS....)",
        .optional = true},
};
const struct schema schema_error = {"Error", "Why a request fails", MEMBERS(error_members)};

static const struct member iam_detail_members[] = {
    {.name = "code", .type = MEMBER_INTEGER, .help = "the status"},
    {.name = "message", .help = "what is wrong"},
    {.name = "title", .help = "the status in words"},
};
static const struct schema schema_iam_detail = {
    "IamErrorDetail", "The other of IAM's shapes of an error", MEMBERS(iam_detail_members)};

static const struct member iam_error_members[] = {
    ERROR_MEMBERS,
    {.name = "error",
        .type = MEMBER_OBJECT,
        .help = "there unless the request was refused before its path was known",
        .of = &schema_iam_detail,
        .optional = true},
};
const struct schema schema_iam_error = {
    "IamError", "Why a request to IAM fails", MEMBERS(iam_error_members)};
