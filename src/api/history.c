/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v5/{project_id}/image/vulnerability/handle-history: ListGeneralImageVulOperations. */
#include "api/call.h"
#include "api/granted.h"
#include "api/operation_params.h"
#include "base/limits.h"
#include "codec/json_writer.h"

static enum vul_status status_after(enum decision_action action)
{
    return action == DECISION_IGNORE || action == DECISION_WHITELIST ? STATUS_IGNORED
                                                                     : STATUS_UNFIX;
}

static void write_image(struct json_writer *w, const struct history_entry *entry)
{
    const struct image *image = entry->image;

    json_write_member(w, "image_id", slice_of(entry->image_id));
    if (!image)
        return;
    json_write_member(w, "image_name", image->name);
    json_write_member_if(w, "image_digest", image->digest);
    json_write_member_if(w, "image_version", image->tag);
    json_write_member_if(w, "agent_id", image->place.agent_id);
}

static int write_entry(void *ctx, const struct history_entry *entry, struct err *err)
{
    struct json_writer *w = ctx;
    const struct decision *decision = entry->decision;

    (void)err;
    json_write_begin_object(w);
    write_image(w, entry);
    json_write_member(w, "user_name", decision->author);
    json_write_key(w, "handle_time");
    json_write_i64(w, decision->created_ms);
    json_write_member(
        w, "handle_type", slice_of(words_name(&decision_action_words, (int)decision->action)));
    json_write_member(
        w, "status", slice_of(words_name(&vul_status_words, (int)status_after(decision->action))));
    json_write_member_if(w, "app_name", decision->package);
    json_write_member_if(w, "remark", decision->reason);
    json_write_member_u64(w, "decision", decision->number);
    json_write_member(w, "state", slice_of(words_name(&decision_end_words, (int)decision->end)));
    json_write_end_object(w);
    return 0;
}

static int parse(struct call *call, struct history_params *given, struct err *err)
{
    struct query_params params;

    *given = (struct history_params){.enterprise_project = SLICE("0"),
        .limit = LIMIT_PAGE_MIN,
        .image_type = -1,
        .status = -1,
        .action = -1};
    if (call_query(call, &params, err) < 0)
        return -1;
    return fields_from_query(
        &history_query, &params, service_options(call->service)->strict_parameters, given, err);
}

static void take_query(const struct history_params *given, struct history_query *ret)
{
    *ret = (struct history_query){.vul_id = given->vul_id,
        .scope = {.type = given->image_type,
            .image_id = given->image_id,
            .name_part = given->image_name},
        .action = given->action,
        .status = given->status,
        .author = given->user_name,
        .reason_part = given->remark,
        .package = given->app_name,
        .offset = (uint64_t)given->offset,
        .limit = (size_t)given->limit};
}

/* total_num comes last: it is known when the page has been walked. */
static int answer(struct call *call, struct err *err)
{
    struct history_params given;
    struct history_query query;
    struct json_writer w;
    uint64_t total = 0;

    if (parse(call, &given, err) < 0)
        return -1;
    take_query(&given, &query);
    if (granted_projects(call, &given.enterprise_project, &query.scope.enterprise_projects,
            &query.scope.enterprise_project_count, err) < 0)
        return -1;
    json_writer_init(&w, &call->response->body);
    json_write_begin_object(&w);
    json_write_key(&w, "data_list");
    json_write_begin_array(&w);
    if (given.app_version.len == 0 && fleet_decision_history(call->service->fleet, call->project,
                                          &query, write_entry, &w, &total, err) < 0)
        return -1;
    json_write_end_array(&w);
    json_write_key(&w, "total_num");
    json_write_i64(&w, total > INT32_MAX ? INT32_MAX : (int64_t)total);
    json_write_end_object(&w);
    return 0;
}

void handle_image_vulnerability_history(struct call *call)
{
    struct err err = {0};

    if (answer(call, &err) < 0)
        call_fail(call, &err);
    else
        call_finish(call);
}
