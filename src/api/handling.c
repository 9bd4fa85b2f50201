/* SPDX-License-Identifier: Apache-2.0 */
/* HandleImageVulnerability, and ListImageHandleAffectVulnerabilities, which says what that would
 * change (contract, section 5.1). */
#include "api/call.h"
#include "api/granted.h"
#include "api/operation.h"
#include "api/operation_params.h"
#include "base/limits.h"
#include "codec/json_writer.h"

/* What a call asks for, and of whom. */
struct asked {
    struct operation_params params;
    struct operation operation;
    struct decision_request *requests;
    size_t count;
    struct deciding deciding;
};

static int read_asked(
    struct call *call, const struct fields *fields, struct asked *ret, struct err *err)
{
    struct arena *arena = &call->request->arena;
    struct query_params params;

    *ret = (struct asked){.params = {.enterprise_project = SLICE("0"), .limit = LIMIT_PAGE_MIN},
        .deciding = {.author = call->principal.name, .known_only = true}};
    if (call_query(call, &params, err) < 0 ||
        fields_from_query(fields, &params, false, &ret->params, err) < 0 ||
        granted_projects(call, &ret->params.enterprise_project, &ret->deciding.enterprise_projects,
            &ret->deciding.enterprise_project_count, err) < 0 ||
        operation_read(call->request->body, arena, &ret->operation, err) < 0 ||
        operation_requests(&ret->operation, arena, &ret->requests, &ret->count, err) < 0)
        return -1;
    ret->deciding.reason = ret->operation.remark;
    return 0;
}

/* --- POST /v5/{project_id}/image/vulnerability/handle ----------------------------------------- */

/* The answer is an object without members, as in the SDKs' models. Of an empty body the Java SDK
 * makes no object but null, and programs that print the response fail. */
void handle_image_vulnerability(struct call *call)
{
    struct asked asked;
    struct decision_outcome outcome = {0};
    struct err err = {0};

    if (read_asked(call, &operation_query, &asked, &err) < 0 ||
        fleet_decide(call->service->fleet, call->project, asked.requests, asked.count,
            &asked.deciding, "careen serve (handling vulnerabilities)", &outcome, &err) < 0) {
        call_fail(call, &err);
    } else {
        buf_put_cstr(&call->response->body, "{}");
        call_finish(call);
    }
    ids_release(&outcome.numbers);
}

/* --- POST /v5/{project_id}/image/vulnerability/handle-affect-vulnerabilities ------------------ */

/* Rows are written as they come; of all that match, the images and vulnerabilities are counted. */
struct preview {
    const struct operation_params *params;
    struct json_writer w;
    uint64_t rows, images;
    uint32_t last_image; /* rows come image by image */
    struct ids vulns;    /* each once, up to `counted`; then as they came */
    size_t counted;
};

enum { VULNS_UNSORTED = 64 << 10 };

static int note_vuln(struct preview *preview, uint32_t vuln, struct err *err)
{
    struct ids *vulns = &preview->vulns;

    if (ids_push(vulns, vuln, err) < 0)
        return -1;
    if (vulns->count >= 2 * preview->counted + VULNS_UNSORTED) {
        ids_sort_unique(vulns);
        preview->counted = vulns->count;
    }
    return 0;
}

static void write_row(struct json_writer *w, const struct affected_row *row)
{
    json_write_begin_object(w);
    json_write_member(w, "image_id", slice_of(row->image->id));
    json_write_member(w, "image_name", row->image->name);
    json_write_member(w, "vul_id", row->vul_id);
    json_write_member(w, "vul_name", row->vul_id);
    json_write_end_object(w);
}

static int take_row(void *ctx, const struct affected_row *row, struct err *err)
{
    struct preview *preview = ctx;
    const struct operation_params *params = preview->params;
    uint64_t at = preview->rows;

    if (!slice_contains(row->image->name, params->image_name) ||
        !slice_contains(row->vul_id, params->vul_name))
        return 0;
    if (preview->rows++ == 0 || row->image->number != preview->last_image)
        preview->images++;
    preview->last_image = row->image->number;
    if (at >= (uint64_t)params->offset && at - (uint64_t)params->offset < (uint64_t)params->limit)
        write_row(&preview->w, row);
    return note_vuln(preview, row->vuln, err);
}

static void write_count(struct json_writer *w, const char *key, uint64_t count)
{
    json_write_key(w, key);
    json_write_i64(w, count > INT32_MAX ? INT32_MAX : (int64_t)count);
}

static int write_preview(struct call *call, const struct asked *asked, struct preview *preview,
    struct decision_outcome *outcome, struct err *err)
{
    struct json_writer *w = &preview->w;

    json_writer_init(w, &call->response->body);
    json_write_begin_object(w);
    json_write_key(w, "data_list");
    json_write_begin_array(w);
    if (fleet_preview_decision(call->service->fleet, call->project, asked->requests, asked->count,
            &asked->deciding, take_row, preview, outcome, err) < 0)
        return -1;
    json_write_end_array(w);
    ids_sort_unique(&preview->vulns);
    write_count(w, "total_vul_num", preview->rows);
    write_count(w, "vul_num", preview->vulns.count);
    write_count(w, "image_num", preview->images);
    json_write_end_object(w);
    return 0;
}

void handle_preview_image_vulnerability(struct call *call)
{
    struct asked asked;
    struct preview preview = {.params = &asked.params};
    struct decision_outcome outcome = {0};
    struct err err = {0};

    if (read_asked(call, &preview_query, &asked, &err) < 0 ||
        write_preview(call, &asked, &preview, &outcome, &err) < 0)
        call_fail(call, &err);
    else
        call_finish(call);
    ids_release(&preview.vulns);
    ids_release(&outcome.numbers);
}
