/* SPDX-License-Identifier: Apache-2.0 */
/* Matching a raw path against the patterns of the table, segment by segment. */
#include "api/routes.h"

#include "api/findings.h"
#include "api/openapi_schemas.h"
#include "api/operation_params.h"
#include "base/limits.h"
#include "base/utf8.h"

#define IMAGES "/careen/v1/{project_id}/images"
#define IMAGE IMAGES "/{image_id}"
#define IMAGE_VULNERABILITY "/v5/{project_id}/image/vulnerability"
#define DECISIONS "/careen/v1/{project_id}/decisions"

static const struct failure *const login_failures[] = {
    &failure_iam_body, &failure_iam_login, &failure_iam_forbidden, &failure_throttled, NULL};
static const struct failure *const token_failures[] = {
    &failure_iam_forbidden, &failure_iam_no_token, NULL};

static const struct media metrics_media[] = {{"text/plain", &schema_metrics}, {NULL, NULL}};
static const struct media findings_media[] = {{"application/jsonl", &schema_findings},
    {"text/csv", &schema_findings}, {"application/sarif+json", &schema_sarif}, {NULL, NULL}};

static const struct route routes[] = {
    {.method = "GET",
        .pattern = "/v5/{project_id}/vulnerability/images",
        .access = ACCESS_ROLE,
        .role = ROLE_VIEWER,
        .handle = handle_affected_images,
        .operation = "ListVulAffectImages",
        .summary = "List the images that a vulnerability affects",
        .tag = "HSS",
        .query = QUERY_AFFECTED,
        .answer = &schema_affected_page},
    {.method = "POST",
        .pattern = IMAGE_VULNERABILITY "/handle",
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .body = BODY_OPERATION,
        .blocking = true,
        .handle = handle_image_vulnerability,
        .operation = "HandleImageVulnerability",
        .summary = "Decide about vulnerabilities of images",
        .tag = "HSS",
        .query = QUERY_FIELDS,
        .fields = &operation_query,
        .request = &schema_operation,
        .answer = &schema_done},
    {.method = "POST",
        .pattern = IMAGE_VULNERABILITY "/handle-affect-vulnerabilities",
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .body = BODY_OPERATION,
        .blocking = true,
        .handle = handle_preview_image_vulnerability,
        .operation = "ListImageHandleAffectVulnerabilities",
        .summary = "List the rows that HandleImageVulnerability would change",
        .tag = "HSS",
        .query = QUERY_FIELDS,
        .fields = &preview_query,
        .request = &schema_operation,
        .answer = &schema_preview},
    {.method = "GET",
        .pattern = IMAGE_VULNERABILITY "/handle-history",
        .access = ACCESS_ROLE,
        .role = ROLE_VIEWER,
        .blocking = true,
        .handle = handle_image_vulnerability_history,
        .operation = "ListGeneralImageVulOperations",
        .summary = "List what was decided about a vulnerability, image by image, the newest first",
        .tag = "HSS",
        .query = QUERY_FIELDS,
        .fields = &history_query,
        .answer = &schema_history},
    {.method = "GET",
        .pattern = "/careen/v1/{project_id}/findings",
        .access = ACCESS_ROLE,
        .role = ROLE_VIEWER,
        .handle = handle_export_findings,
        .operation = "ExportFindings",
        .summary = "Export all rows of ListVulAffectImages that the filters choose",
        .tag = "Careen",
        .query = QUERY_FILTERS,
        .fields = &findings_query,
        .answer = &schema_findings,
        .media = findings_media},
    {.method = "POST",
        .pattern = IMAGES,
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .body = BODY_REPORT,
        .blocking = true,
        .handle = handle_import,
        .operation = "ImportReport",
        .summary = "Import a scanner's report or an SBOM of one image, which lives where the query "
                   "says",
        .tag = "Careen",
        .query = QUERY_PLACEMENT,
        .answer = &schema_import_outcome},
    {.method = "GET",
        .pattern = IMAGE,
        .access = ACCESS_ROLE,
        .role = ROLE_VIEWER,
        .blocking = true,
        .handle = handle_show_image,
        .operation = "ShowImage",
        .summary = "Show everything about one image",
        .tag = "Careen",
        .answer = &schema_image},
    {.method = "PATCH",
        .pattern = IMAGE,
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .body = BODY_DOCUMENT,
        .blocking = true,
        .handle = handle_set_image,
        .operation = "ChangeImage",
        .summary = "Change where one image is said to live, which may give it another id",
        .tag = "Careen",
        .request = &schema_image_change,
        .answer = &schema_image_id},
    {.method = "DELETE",
        .pattern = IMAGE,
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .blocking = true,
        .handle = handle_remove_image,
        .operation = "RemoveImage",
        .summary = "Remove one image with all that was reported of it",
        .tag = "Careen",
        .answer = &schema_removed},
    {.method = "GET",
        .pattern = DECISIONS,
        .access = ACCESS_ROLE,
        .role = ROLE_VIEWER,
        .blocking = true,
        .handle = handle_list_decisions,
        .operation = "ListDecisions",
        .summary = "List decisions, the oldest first",
        .tag = "Careen",
        .query = QUERY_FIELDS,
        .fields = &decisions_query,
        .answer = &schema_decisions},
    {.method = "POST",
        .pattern = DECISIONS,
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .body = BODY_OPERATION,
        .blocking = true,
        .handle = handle_decide,
        .operation = "Decide",
        .summary = "Make a decision, or say what it would change",
        .tag = "Careen",
        .query = QUERY_FIELDS,
        .fields = &decide_query,
        .request = &schema_decision_body,
        .answer = &schema_decision_outcome},
    {.method = "DELETE",
        .pattern = DECISIONS "/{decision}",
        .access = ACCESS_ROLE,
        .role = ROLE_OPERATOR,
        .blocking = true,
        .handle = handle_withdraw_decision,
        .operation = "WithdrawDecision",
        .summary = "Withdraw a decision that is in force",
        .tag = "Careen",
        .answer = &schema_withdrawn},
    {.method = "POST",
        .pattern = "/v3/auth/tokens",
        .access = ACCESS_OPEN,
        .body = BODY_DOCUMENT,
        .blocking = true,
        .iam = true,
        .handle = handle_create_token,
        .operation = "KeystoneCreateUserTokenByPassword",
        .summary = "Log in with a password",
        .tag = "IAM",
        .request = &schema_login,
        .answer = &schema_token_answer,
        .status = 201,
        .gives_token = true,
        .failures = login_failures},
    {.method = "GET",
        .pattern = "/v3/auth/tokens",
        .access = ACCESS_CALLER,
        .iam = true,
        .handle = handle_show_token,
        .operation = "KeystoneValidateToken",
        .summary = "Examine a token: one's own, or, for admins of all projects, anybody's",
        .tag = "IAM",
        .answer = &schema_token_answer,
        .examines = true,
        .gives_token = true,
        .failures = token_failures},
    {.method = "GET",
        .pattern = "/v3/projects",
        .access = ACCESS_CALLER,
        .iam = true,
        .handle = handle_list_projects,
        .operation = "KeystoneListProjects",
        .summary = "List the projects in which the caller has a role",
        .tag = "IAM",
        .query = QUERY_PROJECTS,
        .answer = &schema_projects},
    {.method = "GET",
        .pattern = "/v3/auth/domains",
        .access = ACCESS_CALLER,
        .iam = true,
        .handle = handle_list_domains,
        .operation = "KeystoneListAuthDomains",
        .summary = "List the one domain",
        .tag = "IAM",
        .answer = &schema_domains},
    {.method = "GET",
        .pattern = "/healthz",
        .access = ACCESS_OPEN,
        .handle = handle_health,
        .operation = "ShowHealth",
        .summary = "Answers while the process does",
        .tag = "Service",
        .answer = &schema_health},
    {.method = "GET",
        .pattern = "/readyz",
        .access = ACCESS_OPEN,
        .handle = handle_ready,
        .operation = "ShowReadiness",
        .summary = "Tell whether what is loaded at the start is, and kept up; 503 if not",
        .tag = "Service",
        .answer = &schema_readiness,
        .other_status = 503},
    {.method = "GET",
        .pattern = "/openapi.json",
        .access = ACCESS_OPEN,
        .handle = handle_openapi,
        .operation = "ShowOpenapi",
        .summary = "This document",
        .tag = "Service",
        .answer = &schema_document},
    {.method = "GET",
        .pattern = "/metrics",
        .access = ACCESS_CALLER,
        .blocking = true,
        .handle = handle_metrics,
        .operation = "ShowMetrics",
        .summary = "What the server counts and holds, for Prometheus",
        .tag = "Service",
        .answer = &schema_metrics,
        .media = metrics_media},
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]) };

const struct route *route_at(size_t i)
{
    return i < ROUTE_COUNT ? &routes[i] : NULL;
}

size_t route_number(const struct route *route)
{
    return (size_t)(route - routes);
}

unsigned route_status(const struct route *route)
{
    return route->status ? route->status : 200;
}

/* Where the raw segments of {project_id}, {image_id} and {decision} go, still encoded. */
struct segments {
    struct slice project_id, image_id, decision;
};

static bool matches(const char *pattern, struct slice path, struct segments *ret)
{
    struct slice rest = slice_of(pattern);

    if (slice_ends_with(path, "/"))
        return false; /* another path, which pulling segments would not tell */
    while (rest.len && path.len) {
        struct slice want = slice_pull_until(&rest, '/'), have = slice_pull_until(&path, '/');

        if (slice_is(want, "{project_id}"))
            ret->project_id = have;
        else if (slice_is(want, "{image_id}"))
            ret->image_id = have;
        else if (slice_is(want, "{decision}"))
            ret->decision = have;
        else if (!slice_eq(want, have))
            return false;
        else
            continue;
        if (have.len == 0)
            return false;
    }
    return rest.len == 0 && path.len == 0;
}

static int decode_id(
    struct call *call, const char *name, struct slice raw, struct slice *ret, struct err *err)
{
    if (raw.len == 0)
        return 0;
    if (percent_decode(raw, &call->request->arena, ret, err) < 0)
        return err_prefix(err, "%s", name);
    if (utf8_count(*ret) > LIMIT_ID_CHARS)
        return err_set(err, ERR_INVALID, "%s: must be 1-%d characters", name, LIMIT_ID_CHARS);
    return 0;
}

static void decode_ids(struct call *call, const struct segments *segments)
{
    struct err err = {0};
    struct slice detail;

    if (decode_id(call, "project_id", segments->project_id, &call->project_id, &err) == 0 &&
        decode_id(call, "image_id", segments->image_id, &call->image_id, &err) == 0 &&
        decode_id(call, "decision", segments->decision, &call->decision, &err) == 0)
        return;
    call->bad_path = (struct refusal){failure_of(err.code), ""};
    if (arena_dup(&call->request->arena, slice_of(err.message), &detail, &err) == 0)
        call->bad_path.detail = detail.ptr;
}

const struct failure *route_find(struct call *call)
{
    bool path_known = false;
    struct segments segments;

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        segments = (struct segments){0};
        if (!matches(routes[i].pattern, call->request->path, &segments))
            continue;
        path_known = true;
        if (strcmp(routes[i].method, call->request->method) != 0)
            continue;
        call->route = &routes[i];
        decode_ids(call, &segments);
        return NULL;
    }
    return path_known ? &failure_wrong_method : &failure_no_route;
}
