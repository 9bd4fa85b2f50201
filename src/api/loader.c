/* SPDX-License-Identifier: Apache-2.0 */
/* See loader.h. */
#include "api/loader.h"

#include "api/call.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

enum { LOOK_MS = 1000, ID_MEMORY_BYTES = 64 * 1024 };

static void log_project(
    struct service *service, enum log_level level, const char *what, uint32_t project, int64_t ms)
{
    struct arena arena CLEANUP(arena_release);
    struct slice id = SLICE_NONE;
    struct err no_matter;
    struct log_field fields[2];

    arena_init(&arena, "a project id", ID_MEMORY_BYTES);
    (void)fleet_project_id(service->fleet, project, &arena, &id, &no_matter);
    fields[0] = LOG_TEXT("project", id);
    fields[1] = LOG_NUMBER("took_ms", ms);
    log_event(level, what, fields, ms < 0 ? 1 : 2);
}

static void load_next(struct service *service)
{
    int64_t start_us = clock_monotonic_us();
    uint32_t project = 0;
    struct err err = {0};
    int loaded = fleet_load_next(service->fleet, LOOK_MS, &project, &start_us, &err);

    if (loaded > 0)
        log_project(
            service, LOG_INFO, "index loaded", project, (clock_monotonic_us() - start_us) / 1000);
    else if (loaded < 0 && !pause_is_over(&service->pause))
        log_line(LOG_ERROR, "loading: %s", err.message);
}

/* Warns once of what cannot be mended. */
static void keep_budget(struct service *service)
{
    uint32_t project = 0;
    struct err err = {0};
    int kept;

    while ((kept = fleet_keep_budget(service->fleet, &project, &err)) == 1)
        log_project(service, LOG_INFO, "index dropped: the memory budget is exceeded", project, -1);
    if (kept < 0)
        log_line(LOG_WARN, "keeping to the memory budget: %s", err.message);
    if (__atomic_exchange_n(&service->over_budget, kept == 2, __ATOMIC_RELAXED) || kept != 2)
        return;
    log_line(LOG_WARN, "the projects in use take more than memory_budget: they stay loaded");
}

static void *load(void *ctx)
{
    struct service *service = ctx;

    while (!pause_is_over(&service->pause)) {
        load_next(service);
        if (!__atomic_load_n(&service->started, __ATOMIC_RELAXED) &&
            fleet_all_loaded(service->fleet))
            __atomic_store_n(&service->started, true, __ATOMIC_RELEASE);
        keep_budget(service);
    }
    return NULL;
}

int loader_start(struct service *service, struct err *err)
{
    for (; service->loader_count < LOADERS; service->loader_count++)
        if (pthread_create(&service->loaders[service->loader_count], NULL, load, service)) {
            loader_stop(service);
            return err_set(err, ERR_NOMEM, "cannot start a thread");
        }
    return 0;
}

void loader_stop(struct service *service)
{
    pause_end(&service->pause);
    fleet_stop_loading(service->fleet);
    for (; service->loader_count; service->loader_count--)
        pthread_join(service->loaders[service->loader_count - 1], NULL);
}
