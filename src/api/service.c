/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Begin (route, authentication, project), handle, refuse, and the follower thread. The order of
 * checks is the contract's (section 8.3): route, authentication, project, parameters, so that an
 * unauthenticated caller learns nothing of validation.
 */
#include "api/service.h"

#include "api/call.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum { FOLLOW_INTERVAL_MS = 200, TRIM_INTERVAL_MS = 3600 * 1000 };

/* --- Who is calling --------------------------------------------------------------------------- */

static int unauthenticated(char *detail, size_t cap, const char *text)
{
    snprintf(detail, cap, "%s", text);
    return -1;
}

/* 0 and the token's project, or -1 and the detail of the 401 (contract, section 8.3). */
static int authenticate(struct service *service, const struct http_request *request,
    uint32_t *ret_project, char *detail, size_t cap)
{
    struct slice token = http_header(request, "X-Auth-Token");
    char when[CLOCK_TEXT_BYTES];
    int64_t expires_ms = 0;

    if (token.len == 0 && http_header(request, "Authorization").len)
        return unauthenticated(detail, cap, "verify aksk signature fail");
    if (token.len == 0)
        return unauthenticated(detail, cap, "x-auth-token not found");
    switch (tokens_check(service->tokens, token, clock_now_ms(), ret_project, &expires_ms)) {
    case TOKEN_GOOD:
        return 0;
    case TOKEN_EXPIRED:
        snprintf(detail, cap, "token expires, expires_at: %s", clock_format(expires_ms, when));
        return -1;
    case TOKEN_UNKNOWN:
    case TOKEN_REVOKED:
    default:
        return unauthenticated(detail, cap, "decrypt token fail");
    }
}

/* Is the token's project the one of the path, and of X-Project-Id if that is sent? */
static bool project_agrees(struct call *call, uint32_t project)
{
    struct slice header = http_header(call->request, "X-Project-Id");
    struct slice id;
    struct err err = {0};

    if (header.len && !slice_eq(header, call->project_id))
        return false;
    call->project = project;
    return fleet_project_id(call->service->fleet, project, &call->request->arena, &id, &err) == 0 &&
           slice_eq(id, call->project_id);
}

static void refuse_with(struct call *call, const struct failure *failure, const char *detail)
{
    call->response->status = failure->http_status;
    failure_write(&call->response->body, failure, detail, call->request->id);
}

/* NULL, or the refusal. */
static const struct failure *admit(struct call *call, char *detail, size_t cap)
{
    struct err err = {0};
    const struct failure *refusal = route_find(call, &err);
    uint32_t project = 0;
    bool open = call->route && call->route->access == ACCESS_OPEN;

    if (!call->route)
        return refusal;
    if (!open && authenticate(call->service, call->request, &project, detail, cap) < 0)
        return &failure_unauthenticated;
    if (refusal) {
        snprintf(detail, cap, "%s", err.message);
        return refusal;
    }
    return open || project_agrees(call, project) ? NULL : &failure_wrong_project;
}

/* --- The server's callbacks ------------------------------------------------------------------- */

static void begin(
    void *ctx, struct http_request *request, struct http_plan *plan, struct http_response *response)
{
    struct err err = {0};
    struct call *call = arena_alloc(&request->arena, sizeof(*call), &err);
    const struct failure *refusal;
    char detail[sizeof(err.message)] = "";

    if (!call) {
        struct call failed = {.request = request, .response = response};

        call_fail(&failed, &err);
        plan->answered = true;
        return;
    }
    *call = (struct call){.service = ctx, .request = request, .response = response};
    request->user = call;
    refusal = admit(call, detail, sizeof(detail));
    if (refusal) {
        refuse_with(call, refusal, detail);
        plan->answered = true;
        return;
    }
    plan->blocking = call->route->blocking;
    if (call->route->upload) {
        plan->body = HTTP_BODY_KEEP;
        plan->max_body_bytes = call->service->options.max_report_bytes;
    }
}

static void handle(void *ctx, struct http_request *request, struct http_response *response)
{
    struct call *call = request->user;

    (void)ctx;
    call->response = response;
    call->route->handle(call);
}

/* The server's own refusals, in our format. */
static void refuse(void *ctx, struct http_request *request, const struct err *error,
    struct http_response *response)
{
    struct call call = {.service = ctx, .request = request, .response = response};
    const struct failure *failure = failure_of_transport(response->status);

    if (failure)
        refuse_with(&call, failure, error->message);
    else
        call_fail(&call, error);
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

static int trim_log(struct service *service, struct err *err)
{
    struct store *store = fleet_store(service->fleet);

    if (store_begin(store, "careen serve (trimming the change log)", err) < 0)
        return -1;
    if (store_trim_log(store, clock_now_ms() - service->options.log_keep_ms, err) < 0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

static int load(struct service *service, struct err *err)
{
    int64_t start_us = clock_monotonic_us();

    if (fleet_load(service->fleet, 0, err) < 0)
        return -1;
    log_line(
        LOG_INFO, "index loaded in %lld ms", (long long)((clock_monotonic_us() - start_us) / 1000));
    __atomic_store_n(&service->ready, true, __ATOMIC_RELEASE);
    return 0;
}

/* One round: load if that has not succeeded yet, else follow. A failure is logged once and tried
 * again in the next round. */
static int work_round(struct service *service, int64_t *trim_at_us, struct err *err)
{
    if (!service_ready(service))
        return load(service, err);
    if (fleet_follow(service->fleet, err) < 0 || tokens_refresh(service->tokens, err) < 0)
        return -1;
    if (clock_monotonic_us() < *trim_at_us)
        return 0;
    *trim_at_us = clock_monotonic_us() + TRIM_INTERVAL_MS * INT64_C(1000);
    return trim_log(service, err);
}

static void *follow(void *ctx)
{
    struct service *service = ctx;
    int64_t trim_at_us = 0;
    bool failing = false;

    do {
        struct err err = {0};
        bool failed = work_round(service, &trim_at_us, &err) < 0;

        if (failed && !failing)
            log_line(LOG_ERROR, "following the store: %s; trying again", err.message);
        failing = failed;
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
    tokens_close(service->tokens);
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
    service->tokens = tokens_open(fleet_store(fleet), err);
    if (service->tokens && pthread_create(&service->follower, NULL, follow, service) == 0)
        return service;
    if (service->tokens)
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
