/* SPDX-License-Identifier: Apache-2.0 */
/* Careen's own endpoints for decisions: list, make, withdraw. */
#include "api/call.h"
#include "api/decision_body.h"
#include "api/decision_render.h"
#include "api/granted.h"
#include "api/operation_params.h"
#include "base/clock.h"
#include "base/limits.h"

static int parse(
    struct call *call, const struct fields *fields, struct decisions_params *ret, struct err *err)
{
    struct query_params params;

    *ret = (struct decisions_params){
        .enterprise_project = SLICE("0"), .state = DECISIONS_IN_FORCE, .limit = LIMIT_PAGE_MIN};
    if (call_query(call, &params, err) < 0)
        return -1;
    return fields_from_query(fields, &params, false, ret, err);
}

/* --- GET /careen/v1/{project_id}/decisions ---------------------------------------------------- */

/* A decision may name 100,000 images, and lie over millions of rows, which are counted: of such
 * ones, fewer are on the page. */
enum { PAGE_BYTES = 4 << 20, PAGE_US = 200 * 1000 };

struct page {
    struct json_writer w;
    size_t count, limit;
    uint32_t last;
    int64_t until_us;
    bool more;
};

static int take_decision(void *ctx, const struct decision_view *view, struct err *err)
{
    struct page *page = ctx;

    (void)err;
    page->more = page->count == page->limit || page->w.out->len > PAGE_BYTES ||
                 (page->count && clock_monotonic_us() > page->until_us);
    if (page->more)
        return 1;
    decision_write(&page->w, view);
    page->last = view->decision->number;
    page->count++;
    return 0;
}

static int list(struct call *call, struct err *err)
{
    struct decisions_params given;
    struct decision_query query;
    struct page page = {.count = 0};

    if (parse(call, &decisions_query, &given, err) < 0)
        return -1;
    query = (struct decision_query){.in_force = given.state == DECISIONS_IN_FORCE,
        .vul_id = given.vul_id,
        .confined = !call->access.all,
        .after = (uint32_t)given.after,
        .limit = (size_t)given.limit + 1};
    page.limit = (size_t)given.limit;
    page.until_us = clock_monotonic_us() + PAGE_US;
    if (granted_projects(call, &given.enterprise_project, &query.enterprise_projects,
            &query.enterprise_project_count, err) < 0)
        return -1;
    json_writer_init(&page.w, &call->response->body);
    json_write_begin_object(&page.w);
    json_write_key(&page.w, "decisions");
    json_write_begin_array(&page.w);
    if (fleet_each_decision(
            call->service->fleet, call->project, &query, take_decision, &page, err) < 0)
        return -1;
    json_write_end_array(&page.w);
    if (page.more) {
        json_write_member_u64(&page.w, "next", page.last);
    }
    json_write_end_object(&page.w);
    return 0;
}

void handle_list_decisions(struct call *call)
{
    struct err err = {0};

    if (list(call, &err) < 0)
        call_fail(call, &err);
    else
        call_finish(call);
}

/* --- POST ------------------------------------------------------------------------------------- */

static int decide(struct call *call, struct decision_outcome *ret, struct err *err)
{
    struct decisions_params given;
    struct decision_body body;
    struct decision_request request;
    struct deciding deciding = {.author = call->principal.name};

    if (parse(call, &decide_query, &given, err) < 0 ||
        granted_projects(call, &given.enterprise_project, &deciding.enterprise_projects,
            &deciding.enterprise_project_count, err) < 0 ||
        decision_body_read(call->request->body, &call->request->arena, &body, err) < 0)
        return -1;
    request = decision_body_request(&body);
    deciding.reason = body.reason;
    deciding.expires_ms = body.expires_ms;
    if (body.dry_run)
        return fleet_preview_decision(
            call->service->fleet, call->project, &request, 1, &deciding, NULL, NULL, ret, err);
    return fleet_decide(call->service->fleet, call->project, &request, 1, &deciding,
        "careen serve (deciding)", ret, err);
}

void handle_decide(struct call *call)
{
    struct decision_outcome outcome = {0};
    struct json_writer w;
    struct err err = {0};

    if (decide(call, &outcome, &err) < 0) {
        call_fail(call, &err);
    } else {
        json_writer_init(&w, &call->response->body);
        json_write_begin_object(&w);
        decision_write_outcome(&w, &outcome);
        json_write_end_object(&w);
        call_finish(call);
    }
    ids_release(&outcome.numbers);
}

/* --- DELETE /careen/v1/{project_id}/decisions/{decision} -------------------------------------- */

static int withdraw(struct call *call, uint64_t *ret_rows, struct err *err)
{
    const struct deciding by = {.author = call->principal.name,
        .enterprise_projects = call->access.enterprise_projects,
        .enterprise_project_count = call->access.all ? 0 : call->access.enterprise_project_count};
    uint64_t number;

    if (!slice_to_u64(call->decision, &number) || number == 0 || number > UINT32_MAX)
        return err_set(err, ERR_NOT_FOUND, "there is no decision with the number \"%.*s\"",
            SLICE_FMT(call->decision));
    return fleet_withdraw_decision(call->service->fleet, call->project, (uint32_t)number, &by,
        "careen serve (withdrawing a decision)", ret_rows, err);
}

void handle_withdraw_decision(struct call *call)
{
    struct err err = {0};
    uint64_t rows = 0;

    if (withdraw(call, &rows, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    buf_printf(&call->response->body, "{\"rows\":%llu}", (unsigned long long)rows);
    call_finish(call);
}
