/* SPDX-License-Identifier: Apache-2.0 */
/* See follower.h. */
#include "api/follower.h"

#include "api/call.h"
#include "base/clock.h"
#include "base/log.h"

enum { FOLLOW_INTERVAL_MS = 200 };

/* Who may call does not wait for what is being loaded. */
static int work_round(struct service *service, struct err *err)
{
    if (principals_refresh(service->principals, err) < 0)
        return -1;
    return fleet_follow(service->fleet, err);
}

/* A failure is logged once and tried again in the next round; until then the server is not ready:
 * its answers may be old. */
static void *follow(void *ctx)
{
    struct service *service = ctx;
    bool failing = false;

    do {
        struct err err = {0};
        bool failed = work_round(service, &err) < 0;

        if (failed && !failing)
            log_line(LOG_ERROR, "following the store: %s; trying again", err.message);
        failing = failed;
        if (!failed)
            metrics_note_followed(service->metrics, clock_monotonic_us());
        __atomic_store_n(&service->following, !failed, __ATOMIC_RELEASE);
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
