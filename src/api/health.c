/* SPDX-License-Identifier: Apache-2.0 */
/* GET /healthz: the process answers. GET /readyz: what is loaded at the start is, and
 * changes are followed. */
#include "api/call.h"

void handle_health(struct call *call)
{
    buf_put_cstr(&call->response->body, "{\"status\":\"ok\"}");
    call_finish(call);
}

void handle_ready(struct call *call)
{
    bool ready = service_ready(call->service);

    buf_put_cstr(
        &call->response->body, ready ? "{\"status\":\"ready\"}" : "{\"status\":\"not ready\"}");
    call_finish(call);
    if (!ready)
        call->response->status = 503;
}
