/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Begin (route, authentication, project), handle, refuse, and the follower thread. The order of
 * checks is the contract's (section 8.3): route, authentication, project, parameters, so that an
 * unauthenticated caller learns nothing of validation.
 */
#include "api/service.h"

#include "api/authenticate.h"
#include "api/call.h"
#include "api/openapi.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum { FOLLOW_INTERVAL_MS = 200, TRIM_INTERVAL_MS = 3600 * 1000, TRIM_CHUNK = 500 };

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

/* --- The follower ----------------------------------------------------------------------------- */

/* Waits; false when the service is stopping. */
static bool wait_ms(struct service *service, int64_t ms)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&service->lock);
    while (
        !service->stopping && pthread_cond_timedwait(&service->wake, &service->lock, &until) == 0)
        ;
    stopping = service->stopping;
    pthread_mutex_unlock(&service->lock);
    return !stopping;
}

static int trim_some(struct service *service, size_t *ret_dropped, struct err *err)
{
    struct store *store = fleet_store(service->fleet);
    int64_t before_ms = clock_now_ms() - service->options.log_keep_ms;

    if (store_begin(store, "careen serve (trimming the change log)", err) < 0)
        return -1;
    if (store_trim_log(store, before_ms, TRIM_CHUNK, ret_dropped, err) < 0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

/* In short writes: others want their turn. */
static int trim_log(struct service *service, struct err *err)
{
    size_t dropped = TRIM_CHUNK;

    while (dropped == TRIM_CHUNK)
        if (trim_some(service, &dropped, err) < 0)
            return -1;
    return 0;
}

static int load(struct service *service, struct err *err)
{
    int64_t start_us = clock_monotonic_us();

    if (fleet_load(service->fleet, 0, err) < 0)
        return -1;
    log_line(
        LOG_INFO, "index loaded in %lld ms", (long long)((clock_monotonic_us() - start_us) / 1000));
    service->loaded = true;
    return 0;
}

/* One round: load if that has not succeeded yet, else follow. Who may call does not wait for it. */
static int work_round(struct service *service, struct err *err)
{
    if (principals_refresh(service->principals, err) < 0)
        return -1;
    return service->loaded ? fleet_follow(service->fleet, err) : load(service, err);
}

static void trim_when_due(struct service *service, int64_t *due_us)
{
    struct err err = {0};

    if (!service->loaded || clock_monotonic_us() < *due_us)
        return;
    *due_us = clock_monotonic_us() + TRIM_INTERVAL_MS * INT64_C(1000);
    if (trim_log(service, &err) < 0)
        log_line(LOG_WARN, "trimming the change log: %s; trying again in an hour", err.message);
}

/* A failure is logged once and tried again in the next round; until then the server is not ready:
 * its answers may be old. */
static void *follow(void *ctx)
{
    struct service *service = ctx;
    int64_t trim_due_us = 0;
    bool failing = false;

    do {
        struct err err = {0};
        bool failed = work_round(service, &err) < 0;

        if (failed && !failing)
            log_line(LOG_ERROR, "following the store: %s; trying again", err.message);
        failing = failed;
        __atomic_store_n(&service->ready, service->loaded && !failed, __ATOMIC_RELEASE);
        if (!failed)
            trim_when_due(service, &trim_due_us);
    } while (wait_ms(service, FOLLOW_INTERVAL_MS));
    return NULL;
}

bool service_ready(const struct service *service)
{
    return __atomic_load_n(&service->ready, __ATOMIC_ACQUIRE);
}

/* --- Start and stop --------------------------------------------------------------------------- */

static void init_waiting(struct service *service)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&service->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&service->lock, NULL);
}

static void destroy(struct service *service)
{
    principals_close(service->principals);
    lockout_free(service->lockout);
    buf_release(&service->openapi);
    pthread_cond_destroy(&service->wake);
    pthread_mutex_destroy(&service->lock);
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
    init_waiting(service);
    if (openapi_write(&service->openapi, options, err) == 0)
        service->lockout = lockout_new(err);
    if (service->lockout)
        service->principals = principals_open(fleet_store(fleet), options->data_dir, err);
    if (service->principals && pthread_create(&service->follower, NULL, follow, service) == 0)
        return service;
    if (service->principals)
        err_set(err, ERR_NOMEM, "cannot start a thread");
    destroy(service);
    return NULL;
}

void service_stop(struct service *service)
{
    if (!service)
        return;
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    pthread_cond_signal(&service->wake);
    pthread_mutex_unlock(&service->lock);
    pthread_join(service->follower, NULL);
    destroy(service);
}
