/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v5/{project_id}/vulnerability/images: ListVulAffectImages. */
#include "api/affected_params.h"
#include "api/affected_render.h"
#include "api/call.h"
#include "api/granted.h"

struct answer {
    struct buf *body;
    const struct affected_request *request;
};

static int render(void *ctx, const struct affected_page *page, struct err *err)
{
    const struct answer *answer = ctx;

    (void)err;
    affected_write_page(answer->body, page, answer->request);
    return 0;
}

void handle_affected_images(struct call *call)
{
    struct affected_request request;
    struct answer answer = {&call->response->body, &request};
    struct query_params params;
    struct err err = {0};

    if (call_query(call, &params, &err) < 0 ||
        affected_parse(&params, service_options(call->service)->strict_parameters,
            &call->request->arena, &request, &err) < 0 ||
        granted_scope(call, &request, &err) < 0 ||
        fleet_affected(call->service->fleet, call->project, &request.query, render, &answer, &err) <
            0)
        call_fail(call, &err);
    else
        call_finish(call);
}
