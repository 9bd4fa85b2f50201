/* SPDX-License-Identifier: Apache-2.0 */
/* See keeper.h. A round a second; rarer work is done in the round in which it is due. */
#include "api/keeper.h"

#include "api/call.h"
#include "base/clock.h"
#include "base/log.h"

enum { ROUND_MS = 1000, CHORE_INTERVAL_MS = 3600 * 1000, TRIM_CHUNK = 500 };

/* --- The change log --------------------------------------------------------------------------- */

static int trim_some(struct service *service, size_t *ret_dropped, struct err *err)
{
    struct store *store = fleet_store(service->fleet);
    int64_t before_ms = clock_now_ms() - service_options(service)->log_keep_ms;

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
static void trim_log(struct service *service)
{
    size_t dropped = TRIM_CHUNK;
    struct err err = {0};

    while (dropped == TRIM_CHUNK)
        if (trim_some(service, &dropped, &err) < 0) {
            log_line(LOG_WARN, "trimming the change log: %s; trying again in an hour", err.message);
            return;
        }
}

/* --- Retention -------------------------------------------------------------------------------- */

static int log_removed(void *ctx, struct slice project_id, const struct image *image,
    enum removal why, struct err *err)
{
    struct service *service = ctx;
    const struct log_field fields[] = {
        LOG_TEXT("reason", slice_of(words_name(&removal_words, (int)why))),
        LOG_TEXT("project", project_id),
        LOG_TEXT("image", slice_of(image->id)),
        LOG_TEXT("name", image->name),
        LOG_TEXT("tag", image->tag),
    };

    metrics_count_removed(service->metrics, why, 1);
    log_event(LOG_INFO, "removed", fields, sizeof(fields) / sizeof(fields[0]));
    if (pause_is_over(&service->pause))
        return err_set(err, ERR_BUSY, "the server is stopping");
    return 0;
}

/* What the images had to themselves. */
static void collect(struct service *service)
{
    struct store_collected collected;
    struct err err = {0};

    if (store_collect(fleet_store(service->fleet), "careen serve (collecting)", &collected, &err) <
        0)
        log_line(LOG_WARN, "collecting unused facts: %s", err.message);
    else
        log_line(LOG_INFO, "collected %llu claims and %llu packages that nothing used any more",
            (unsigned long long)collected.claims, (unsigned long long)collected.packages);
}

static void retain(struct service *service)
{
    const struct retention rule = service_options(service)->retention;
    struct retained retained = {0};
    struct err err = {0};

    if (rule.superseded_ms < 0 && rule.unseen_ms < 0)
        return;
    if (fleet_retain(service->fleet, 0, &rule, false, "careen serve (retention)", log_removed,
            service, &retained, &err) < 0)
        log_line(LOG_WARN, "retention: %s; trying again in an hour", err.message);
    else if (retained.spared)
        log_event(LOG_WARN,
            "retention left images alone that make up more than half of their project; "
            "`careen prune --dry-run` shows them",
            &LOG_NUMBER("images", (int64_t)retained.spared), 1);
    if (retained.superseded + retained.unseen)
        collect(service);
}

/* --- Decisions -------------------------------------------------------------------------------- */

static void log_expired(void *ctx, struct slice project_id, const struct decision *decision)
{
    struct service *service = ctx;
    const struct log_field fields[] = {
        LOG_NUMBER("decision", decision->number),
        LOG_TEXT("project", project_id),
        LOG_TEXT("author", decision->author),
        LOG_TEXT("decided", slice_of(words_name(&decision_action_words, (int)decision->action))),
        LOG_TEXT("because", decision->reason),
    };

    metrics_count_expired(service->metrics);
    log_event(LOG_INFO, "decision expired", fields, sizeof(fields) / sizeof(fields[0]));
}

/* A failure is logged once; the next round tries again. */
static bool expire(struct service *service, bool failing)
{
    struct err err = {0};

    if (fleet_expire_decisions(
            service->fleet, "careen serve (decisions)", log_expired, service, &err) == 0)
        return true;
    if (!failing)
        log_line(LOG_WARN, "ending decisions whose time is over: %s; trying again", err.message);
    return false;
}

/* --- Rounds ----------------------------------------------------------------------------------- */

/* Nothing is done before the index is there: retention needs it, and the disk is busy enough. */
static void *keep(void *ctx)
{
    struct service *service = ctx;
    int64_t due_us = 0;
    bool failing = false;

    do {
        if (!service_ready(service))
            continue;
        failing = !expire(service, failing);
        if (clock_monotonic_us() < due_us)
            continue;
        due_us = clock_monotonic_us() + CHORE_INTERVAL_MS * INT64_C(1000);
        trim_log(service);
        retain(service);
    } while (pause_wait(&service->pause, ROUND_MS));
    return NULL;
}

int keeper_start(struct service *service, struct err *err)
{
    if (pthread_create(&service->keeper, NULL, keep, service) == 0)
        return 0;
    return err_set(err, ERR_NOMEM, "cannot start a thread");
}

void keeper_stop(struct service *service)
{
    pthread_join(service->keeper, NULL);
}
