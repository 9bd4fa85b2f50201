/* SPDX-License-Identifier: Apache-2.0 */
/* Answering calls; see call.h. */
#include "api/call.h"

#include "api/rate.h"
#include "api/routes.h"

/* What a caller may know of a failure inside. */
static const char *public_detail(const struct err *err)
{
    if (err->code == ERR_FULL)
        return "no space left on the server; nothing was stored";
    return err->code == ERR_BUSY || err->code == ERR_LOADING ? err->message : "";
}

int call_query(struct call *call, struct query_params *ret, struct err *err)
{
    if (query_parse(call->request->query, &call->request->arena, ret, err) == 0)
        return 0;
    if (err->code == ERR_LIMIT)
        err->code = ERR_INVALID; /* it is no body that is too large */
    return -1;
}

void call_log(const struct call *call, enum log_level level, const char *message)
{
    const struct log_field id = LOG_TEXT("request_id", slice_of(call->request->id));

    log_event(level, message, &id, 1);
}

void call_fail(struct call *call, const struct err *err)
{
    const struct failure *failure = failure_of(err->code);
    bool internal = failure->http_status >= 500;

    if (internal)
        call_log(call, err->code == ERR_LOADING ? LOG_INFO : LOG_ERROR, err->message);
    if (err->code == ERR_BUSY || err->code == ERR_LOADING)
        snprintf(call->response->retry_after, sizeof(call->response->retry_after), "1");
    call_refuse(call, failure, internal ? public_detail(err) : err->message);
}

void call_refuse(struct call *call, const struct failure *failure, const char *detail)
{
    struct http_response *response = call->response;
    struct refusal refusal = {failure, detail};

    if (failure->http_status == 401)
        refusal = rate_refused(call, refusal);
    buf_clear(&response->body);
    response->status = refusal.failure->http_status;
    (call->route && call->route->iam ? failure_write_iam : failure_write)(
        &response->body, refusal.failure, refusal.detail, call->request->id);
}

void call_finish(struct call *call)
{
    struct err err = {0};

    call->response->status = route_status(call->route);
    call->response->compressible = !call->route->iam; /* logins answer with tokens */
    if (buf_check(&call->response->body, "the answer", &err) < 0) {
        err.code = ERR_IO;
        call_fail(call, &err);
    }
}
