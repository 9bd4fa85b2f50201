/* SPDX-License-Identifier: Apache-2.0 */
/* See follower.h. Rounds of FOLLOW_INTERVAL_MS; rarer work is done in the round in which it is due.
 */
#include "api/follower.h"

#include "api/call.h"
#include "base/clock.h"
#include "base/log.h"

enum { FOLLOW_INTERVAL_MS = 200, TRIM_INTERVAL_MS = 3600 * 1000, TRIM_CHUNK = 500 };

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

static void destroy_waiting(struct service *service)
{
    pthread_cond_destroy(&service->wake);
    pthread_mutex_destroy(&service->lock);
}

int follower_start(struct service *service, struct err *err)
{
    init_waiting(service);
    if (pthread_create(&service->follower, NULL, follow, service) == 0)
        return 0;
    destroy_waiting(service);
    return err_set(err, ERR_NOMEM, "cannot start a thread");
}

void follower_stop(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    pthread_cond_signal(&service->wake);
    pthread_mutex_unlock(&service->lock);
    pthread_join(service->follower, NULL);
    destroy_waiting(service);
}
