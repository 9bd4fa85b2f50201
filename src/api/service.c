/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Begin (route, authentication, project), handle, refuse. The order of
 * checks is the contract's (section 8.3): route, authentication, project, parameters, so that an
 * unauthenticated caller learns nothing of validation.
 */
#include "api/service.h"

#include "api/authenticate.h"
#include "api/call.h"
#include "api/follower.h"
#include "api/openapi.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

/* --- The server's callbacks ------------------------------------------------------------------- */

/* Answers a refusal, if it is one. */
static bool refused(struct call *call, struct refusal refusal)
{
    if (refusal.failure)
        call_refuse(call, refusal.failure, refusal.detail);
    return refusal.failure != NULL;
}

/* A call whose signature waits for its body is not let in before that. */
static struct refusal admit(struct call *call)
{
    struct refusal refusal = {route_find(call), ""};

    if (!refusal.failure)
        refusal = authenticate(call);
    return refusal.failure || call->proof == PROOF_SIGNATURE ? refusal : authorize(call);
}

static void plan_body(const struct call *call, struct http_plan *plan)
{
    plan->blocking = call->route->blocking;
    plan->hash_body = call->proof != PROOF_COMPLETE;
    if (call->route->body == BODY_NONE)
        return;
    plan->body = HTTP_BODY_KEEP;
    plan->max_body_bytes = call->route->body == BODY_REPORT
                               ? call->service->options.max_report_bytes
                               : LIMIT_DOCUMENT_BYTES;
}

static void begin(
    void *ctx, struct http_request *request, struct http_plan *plan, struct http_response *response)
{
    struct err err = {0};
    struct call *call = arena_alloc(&request->arena, sizeof(*call), &err);

    if (!call) {
        struct call failed = {.request = request, .response = response};

        call_fail(&failed, &err);
        plan->answered = true;
        return;
    }
    *call = (struct call){.service = ctx, .request = request, .response = response};
    request->user = call;
    plan->answered = refused(call, admit(call));
    if (!plan->answered)
        plan_body(call, plan);
}

static void handle(void *ctx, struct http_request *request, struct http_response *response)
{
    struct call *call = request->user;
    bool waits = call->proof == PROOF_SIGNATURE;

    (void)ctx;
    call->response = response;
    if (refused(call, authenticate_body(call)) || (waits && refused(call, authorize(call))))
        return;
    call->route->handle(call);
}

/* The server's own refusals, in our format. What it calls its own fault is no fault of the request,
 * whatever the operating system called it (a spool folder that is not there: "not found"). */
static void refuse(void *ctx, struct http_request *request, const struct err *error,
    struct http_response *response)
{
    struct call call = {.service = ctx, .request = request, .response = response};
    const struct failure *failure = failure_of_transport(response->status);
    struct err inside = *error;

    if (response->status >= 500 && failure_of(error->code)->http_status < 500)
        inside.code = ERR_IO;
    if (failure)
        call_refuse(&call, failure, error->message);
    else
        call_fail(&call, &inside);
}

struct http_app service_app(struct service *service)
{
    return (struct http_app){.ctx = service, .begin = begin, .handle = handle, .refuse = refuse};
}

bool service_ready(const struct service *service)
{
    return __atomic_load_n(&service->ready, __ATOMIC_ACQUIRE);
}

/* --- Start and stop --------------------------------------------------------------------------- */

static void destroy(struct service *service)
{
    principals_close(service->principals);
    lockout_free(service->lockout);
    buf_release(&service->openapi);
    free(service);
}

struct service *service_start(
    struct fleet *fleet, const struct service_options *options, struct err *err)
{
    struct service *service = calloc(1, sizeof(*service));

    if (!service) {
        err_nomem(err);
        return NULL;
    }
    service->fleet = fleet;
    service->options = *options;
    if (openapi_write(&service->openapi, options, err) == 0)
        service->lockout = lockout_new(err);
    if (service->lockout)
        service->principals = principals_open(fleet_store(fleet), options->data_dir, err);
    if (service->principals && follower_start(service, err) == 0)
        return service;
    destroy(service);
    return NULL;
}

void service_stop(struct service *service)
{
    if (!service)
        return;
    follower_stop(service);
    destroy(service);
}
