/* SPDX-License-Identifier: Apache-2.0 */
/* See follower.h. */
#include "api/follower.h"

#include "api/call.h"
#include "base/clock.h"
#include "base/log.h"

enum { FOLLOW_INTERVAL_MS = 200 };

static int load(struct service *service, struct err *err)
{
    int64_t start_us = clock_monotonic_us();

    if (fleet_load(service->fleet, 0, err) < 0)
        return -1;
    log_event(LOG_INFO, "index loaded",
        &LOG_NUMBER("took_ms", (clock_monotonic_us() - start_us) / 1000), 1);
    return 0;
}

/* One round: load if that has not succeeded yet, else follow. Who may call does not wait for it. */
static int work_round(struct service *service, bool *loaded, struct err *err)
{
    if (principals_refresh(service->principals, err) < 0)
        return -1;
    if (*loaded)
        return fleet_follow(service->fleet, err);
    *loaded = load(service, err) == 0;
    return *loaded ? 0 : -1;
}

/* A failure is logged once and tried again in the next round; until then the server is not ready:
 * its answers may be old. */
static void *follow(void *ctx)
{
    struct service *service = ctx;
    bool loaded = false, failing = false;

    do {
        struct err err = {0};
        bool failed = work_round(service, &loaded, &err) < 0;

        if (failed && !failing)
            log_line(LOG_ERROR, "following the store: %s; trying again", err.message);
        failing = failed;
        if (!failed)
            metrics_note_followed(service->metrics, clock_monotonic_us());
        __atomic_store_n(&service->ready, loaded && !failed, __ATOMIC_RELEASE);
    } while (pause_wait(&service->pause, FOLLOW_INTERVAL_MS));
    return NULL;
}

int follower_start(struct service *service, struct err *err)
{
    if (pthread_create(&service->follower, NULL, follow, service) == 0)
        return 0;
    return err_set(err, ERR_NOMEM, "cannot start a thread");
}

void follower_stop(struct service *service)
{
    pthread_join(service->follower, NULL);
}
