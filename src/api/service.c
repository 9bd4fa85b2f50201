/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Begin (route, authentication, project, throttling), handle, refuse. The order of checks is the
 * contract's (section 8.3): route, authentication, project, throttling, parameters, so that an
 * unauthenticated caller learns nothing of validation.
 */
#include "api/service.h"

#include "api/authenticate.h"
#include "api/call.h"
#include "api/follower.h"
#include "api/keeper.h"
#include "api/loader.h"
#include "api/openapi.h"
#include "api/rate.h"
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

/* Behind authentication: may they, and how often? */
static struct refusal let_in(struct call *call)
{
    struct refusal refusal = authorize(call);

    return refusal.failure ? refusal : rate_caller(call);
}

/* A call whose signature waits for its body is not let in before that. */
static struct refusal admit(struct call *call)
{
    struct refusal refusal = {route_find(call), ""};

    if (!refusal.failure && call->route->handle == handle_create_token)
        refusal = rate_login(call);
    if (!refusal.failure)
        refusal = authenticate(call);
    return refusal.failure || call->proof == PROOF_SIGNATURE ? refusal : let_in(call);
}

/* Strangers are one owner: 0. */
static uint64_t owner_of(const struct principal *principal)
{
    return principal->user ? (uint64_t)principal->user << 32 : principal->token;
}

static void plan_body(const struct call *call, struct http_plan *plan)
{
    plan->blocking = call->route->blocking;
    plan->owner = owner_of(&call->principal);
    plan->hash_body = call->proof != PROOF_COMPLETE;
    if (call->route->body == BODY_NONE)
        return;
    plan->body = HTTP_BODY_KEEP;
    plan->max_body_bytes = LIMIT_DOCUMENT_BYTES;
    if (call->route->body == BODY_REPORT)
        plan->max_body_bytes = service_options(call->service)->max_report_bytes;
    else if (call->route->body == BODY_OPERATION)
        plan->max_body_bytes = LIMIT_OPERATION_BYTES;
}

/* While its project is being loaded a call waits, and takes no thread. With a signature still to be
 * checked it is nobody's yet: nothing is loaded for it, and it may have to wait on a thread then.
 */
static void plan_project(struct call *call, struct http_plan *plan)
{
    bool loaded = true;

    if (call->project && call->proof != PROOF_SIGNATURE) {
        call->hold = fleet_hold(call->service->fleet, call->project, &loaded);
        plan->waits = call->hold && !loaded;
    } else if (call->project) {
        loaded = fleet_is_loaded(call->service->fleet, call->project);
    }
    plan->blocking |= !loaded;
    call->wait_until_us = clock_monotonic_us() + LIMIT_LOADING_WAIT_MS * INT64_C(1000);
}

static bool is_ready(void *ctx, const struct http_request *request)
{
    struct service *service = ctx;
    const struct call *call = request->user;

    return fleet_is_settled(service->fleet, call->hold) ||
           clock_monotonic_us() >= call->wait_until_us;
}

/* Behind a signature that was good. */
static void hold_project(struct call *call)
{
    bool loaded = true;

    if (call->project)
        call->hold = fleet_hold(call->service->fleet, call->project, &loaded);
    if (call->hold && !loaded)
        fleet_await(call->service->fleet, call->hold, LIMIT_LOADING_WAIT_MS);
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
    if (plan->answered)
        return;
    plan_body(call, plan);
    plan_project(call, plan);
}

static void handle(void *ctx, struct http_request *request, struct http_response *response)
{
    struct call *call = request->user;
    bool waits = call->proof == PROOF_SIGNATURE;

    (void)ctx;
    call->response = response;
    if (refused(call, authenticate_body(call)) || (waits && refused(call, let_in(call))))
        return;
    if (waits)
        hold_project(call);
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

static void done(void *ctx, const struct http_request *request, const struct http_ended *ended)
{
    const struct service *service = ctx;
    struct call *call = request->user;

    if (call)
        fleet_release(call->hold);
    metrics_count_request(service->metrics, call ? call->route : NULL, ended);
}

struct http_app service_app(struct service *service)
{
    return (struct http_app){.ctx = service,
        .begin = begin,
        .ready = is_ready,
        .handle = handle,
        .refuse = refuse,
        .done = done};
}

bool service_ready(const struct service *service)
{
    return __atomic_load_n(&service->started, __ATOMIC_ACQUIRE) &&
           __atomic_load_n(&service->following, __ATOMIC_ACQUIRE);
}

void service_set_server(struct service *service, const struct http_server *server)
{
    __atomic_store_n(&service->server, server, __ATOMIC_RELEASE);
}

/* --- What may change while it runs ------------------------------------------------------------ */

const struct configuration *service_configuration(const struct service *service)
{
    return __atomic_load_n(&service->configuration, __ATOMIC_ACQUIRE);
}

const struct service_options *service_options(const struct service *service)
{
    return &service_configuration(service)->options;
}

static void free_configurations(struct configuration *newest)
{
    while (newest) {
        struct configuration *older = newest->older;

        buf_release(&newest->openapi);
        free(newest);
        newest = older;
    }
}

static int configure(
    struct service *service, const struct service_options *options, struct err *err)
{
    struct configuration *made = calloc(1, sizeof(*made));

    if (!made)
        return err_nomem(err);
    made->options = *options;
    if (openapi_write(&made->openapi, options, err) < 0) {
        free_configurations(made);
        return -1;
    }
    made->older = service->configuration;
    __atomic_store_n(&service->configuration, made, __ATOMIC_RELEASE);
    return 0;
}

static bool same_retention(const struct retention *a, const struct retention *b)
{
    return a->superseded_ms == b->superseded_ms && a->unseen_ms == b->unseen_ms &&
           a->whole == b->whole;
}

/* In what may change. */
static bool same_options(const struct service_options *a, const struct service_options *b)
{
    return a->strict_parameters == b->strict_parameters &&
           a->max_report_bytes == b->max_report_bytes && a->log_keep_ms == b->log_keep_ms &&
           same_retention(&a->retention, &b->retention) &&
           a->rate_limit_per_user == b->rate_limit_per_user &&
           a->refusals_per_address == b->refusals_per_address &&
           a->metrics_open == b->metrics_open && a->memory_budget == b->memory_budget;
}

void service_reconfigure(struct service *service, const struct service_options *options)
{
    struct service_options now;
    struct err err = {0};

    pthread_mutex_lock(&service->configuring);
    now = *options;
    now.data_dir = service_options(service)->data_dir;
    now.domain = service_options(service)->domain;
    now.load_at_start = service_options(service)->load_at_start;
    fleet_set_budget(service->fleet, now.memory_budget);
    if (!same_options(&now, service_options(service)) && configure(service, &now, &err) < 0)
        log_line(LOG_ERROR, "the configuration stays as it was: %s", err.message);
    pthread_mutex_unlock(&service->configuring);
}

/* --- Start and stop --------------------------------------------------------------------------- */

static void destroy(struct service *service)
{
    principals_close(service->principals);
    lockout_free(service->lockout);
    throttle_free(service->callers);
    throttle_free(service->addresses);
    metrics_free(service->metrics);
    free_configurations(service->configuration);
    pthread_mutex_destroy(&service->configuring);
    pthread_mutex_destroy(&service->stored_lock);
    pause_release(&service->pause);
    free(service);
}

static int start_parts(
    struct service *service, const struct service_options *options, struct err *err)
{
    if (configure(service, options, err) < 0)
        return -1;
    service->lockout = lockout_new(err);
    if (service->lockout)
        service->callers = throttle_new(err);
    if (service->callers)
        service->addresses = throttle_new(err);
    if (service->addresses)
        service->metrics = metrics_new(err);
    if (service->metrics)
        service->principals = principals_open(fleet_store(service->fleet), options->data_dir, err);
    return service->principals ? 0 : -1;
}

static int start_threads(struct service *service, struct err *err)
{
    if (follower_start(service, err) < 0)
        return -1;
    if (keeper_start(service, err) == 0) {
        if (loader_start(service, err) == 0)
            return 0;
        keeper_stop(service);
    }
    pause_end(&service->pause);
    follower_stop(service);
    return -1;
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
    pthread_mutex_init(&service->configuring, NULL);
    pthread_mutex_init(&service->stored_lock, NULL);
    pause_init(&service->pause);
    fleet_set_budget(fleet, options->memory_budget);
    fleet_load_on_demand(fleet, options->load_at_start);
    service->started = !options->load_at_start;
    if (start_parts(service, options, err) == 0 && start_threads(service, err) == 0)
        return service;
    destroy(service);
    return NULL;
}

void service_stop(struct service *service)
{
    if (!service)
        return;
    loader_stop(service);
    keeper_stop(service);
    follower_stop(service);
    destroy(service);
}
