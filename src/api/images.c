/* SPDX-License-Identifier: Apache-2.0 */
/* Careen's own endpoints for images: import a report, show, change, remove. */
#include "api/call.h"
#include "api/granted.h"
#include "api/image_render.h"
#include "api/placement_params.h"
#include "base/cleanup.h"
#include "base/limits.h"

/* --- POST /careen/v1/{project_id}/images ------------------------------------------------------ */

static int parse_placement(struct call *call, struct placement_request *ret, struct err *err)
{
    struct query_params params;

    placement_request_init(ret);
    if (call_query(call, &params, err) < 0)
        return -1;
    for (size_t i = 0; i < params.count; i++)
        if (placement_take(ret, params.at[i].name, params.at[i].value, err) < 0)
            return -1;
    if (!ret->type_given)
        return err_set(err, ERR_INVALID, "image_type: must be given");
    return placement_check(&ret->place, err);
}

static int read_body(struct call *call, struct report *report, struct err *err)
{
    struct stream *body = call->request->body;
    uint64_t max_bytes = service_options(call->service)->max_report_bytes;

    if (!body || call->request->body_bytes == 0)
        return err_set(err, ERR_FORMAT, "the body is empty: send a Trivy or Grype report as JSON");
    max_bytes = max_bytes < LIMIT_REPORT_BYTES / LIMIT_REPORT_EXPANSION
                    ? max_bytes * LIMIT_REPORT_EXPANSION
                    : LIMIT_REPORT_BYTES;
    return report_read(body, max_bytes, report, err);
}

static int import(
    struct call *call, struct report *report, struct put_outcome *ret, struct err *err)
{
    struct placement_request given;
    struct put_request request = {.report = report, .place = &given.place};

    if (parse_placement(call, &given, err) < 0 ||
        granted_enterprise_project(call, given.place.enterprise_project, err) < 0 ||
        read_body(call, report, err) < 0)
        return -1;
    request.name = given.name;
    request.tag = given.version;
    if (fleet_put_images(call->service->fleet, call->project, &request, 1, "careen serve (import)",
            ret, err) < 0)
        return -1;
    if (ret->failed)
        *err = ret->err;
    return ret->failed ? -1 : 0;
}

void handle_import(struct call *call)
{
    struct report report;
    struct put_outcome outcome;
    struct err err = {0};

    report_init(&report);
    if (import(call, &report, &outcome, &err) < 0) {
        metrics_count_import(call->service->metrics, report.format, IMPORT_REFUSED);
        call_fail(call, &err);
    } else {
        metrics_count_import(call->service->metrics, report.format,
            outcome.created || outcome.changed ? IMPORT_TAKEN : IMPORT_UNCHANGED);
        image_write_outcome(&call->response->body, &report, &outcome);
        call_finish(call);
    }
    report_release(&report);
}

/* --- GET, DELETE ------------------------------------------------------------------------------ */

void handle_show_image(struct call *call)
{
    struct image_detail detail;
    struct err err = {0};

    if (granted_image(call, &err) < 0 ||
        fleet_show_image(call->service->fleet, call->project, call->image_id, &call->request->arena,
            &detail, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    image_write_detail(&call->response->body, &detail);
    call_finish(call);
}

void handle_remove_image(struct call *call)
{
    struct err err = {0};

    if (granted_image(call, &err) < 0 ||
        fleet_remove_image(call->service->fleet, call->project, call->image_id,
            "careen serve (removing an image)", &err) < 0) {
        call_fail(call, &err);
        return;
    }
    metrics_count_removed(call->service->metrics, REMOVAL_ASKED, 1);
    buf_put_cstr(&call->response->body, "{\"removed\":1}");
    call_finish(call);
}

/* --- PATCH ------------------------------------------------------------------------------------ */

/* A member has the type that showing the image gives it. */
static enum json_type type_of(const struct placement_param *param)
{
    if (param->kind == PLACEMENT_NUMBER)
        return JSON_NUMBER;
    return param->kind == PLACEMENT_FLAG ? JSON_BOOL : JSON_STRING;
}

/* The value as text, so that PATCH and options share their parsers. */
static bool read_value(struct json_reader *r, const struct placement_param *param,
    struct arena *arena, struct slice *ret)
{
    enum json_type type = type_of(param);
    char digits[24];
    int64_t number = 0;
    bool truth = false;
    struct err err = {0};

    if (json_peek(r) != type) {
        json_fail(r, ERR_INVALID, "%s: must be %s", param->name,
            type == JSON_NUMBER ? "a number"
            : type == JSON_BOOL ? "true or false"
                                : "a string");
        return false;
    }
    if (type == JSON_STRING)
        return json_read_string(r, arena, ret);
    if (type == JSON_NUMBER ? !json_read_i64(r, &number) : !json_read_bool(r, &truth))
        return false;
    if (type == JSON_NUMBER)
        snprintf(digits, sizeof(digits), "%lld", (long long)number);
    else
        snprintf(digits, sizeof(digits), "%s", truth ? "true" : "false");
    if (arena_dup(arena, slice_of(digits), ret, &err) < 0)
        json_fail_with(r, &err);
    return !json_failed(r);
}

static bool read_member(
    struct json_reader *r, struct arena *arena, struct slice key, struct placement_request *given)
{
    struct err err = {0};
    const struct placement_param *param = placement_find(key, &err);
    struct slice value;

    if (!param) {
        json_fail_with(r, &err);
        return false;
    }
    if (param->field == 0) {
        json_fail(r, ERR_INVALID, "%s: cannot be changed on a stored image", param->name);
        return false;
    }
    if (!read_value(r, param, arena, &value))
        return false;
    if (placement_take(given, slice_of(param->name), value, &err) < 0)
        json_fail_with(r, &err);
    return !json_failed(r);
}

static int read_change(struct call *call, struct image_change *ret, struct err *err)
{
    struct placement_request given;
    struct json_reader *r CLEANUP(json_reader_cleanup) = NULL;
    struct slice key;

    placement_request_init(&given);
    if (!call->request->body || call->request->body_bytes == 0)
        return err_set(err, ERR_FORMAT, "the body is empty: send a JSON object of what to change");
    r = json_reader_new(call->request->body, err);
    if (!r)
        return -1;
    json_begin_object(r);
    while (json_next_key(r, &key) && read_member(r, &call->request->arena, key, &given))
        ;
    if (json_reader_finish(r, err) < 0)
        return -1;
    if (given.fields == 0)
        return err_set(err, ERR_INVALID, "the object names nothing to change");
    *ret = (struct image_change){given.fields, given.place};
    return 0;
}

void handle_set_image(struct call *call)
{
    struct image_change change;
    char id[UUID_TEXT_BYTES];
    struct err err = {0};

    if (granted_image(call, &err) < 0 || read_change(call, &change, &err) < 0 ||
        granted_move(call, &change, &err) < 0 ||
        fleet_set_image(call->service->fleet, call->project, call->image_id, &change,
            "careen serve (changing an image)", id, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    buf_printf(&call->response->body, "{\"image_id\":\"%s\"}", id);
    call_finish(call);
}
