/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: what is counted (metrics.c), and the state of server, store, projects and process
 * at this moment. docs/operations.md has the table of all families.
 */
#include "api/call.h"
#include "api/metrics_process.h"
#include "api/metrics_projects.h"
#include "api/prometheus.h"
#include "base/clock.h"

/* Counting rows reads the disk: who asks more often than this gets the last figures. */
enum { STORED_KEPT_US = 10 * 1000 * 1000 };

static void write_build(struct buf *out)
{
    const struct prom_label labels[] = {{"version", SLICE(CAREEN_VERSION)}, {NULL, SLICE_NONE}};

    prom_gauge(out, "careen_build_info", "Always 1; the version in a label.");
    prom_sample(out, "careen_build_info", labels, 1);
}

static void write_following(struct buf *out, const struct service *service)
{
    int64_t age_us = metrics_follow_age_us(service->metrics, clock_monotonic_us());

    prom_gauge_of(out, "careen_ready", "Whether what is loaded at the start is, and kept up.",
        service_ready(service));
    prom_gauge(out, "careen_follow_age_seconds",
        "Time since the indexes were last seen to be equal to what is stored.");
    if (age_us >= 0)
        prom_sample_micro(out, "careen_follow_age_seconds", NULL, age_us);
}

static void write_refused(struct buf *out, const char *reason, uint64_t count)
{
    const struct prom_label labels[] = {{"reason", slice_of(reason)}, {NULL, SLICE_NONE}};

    prom_sample(out, "careen_http_connections_refused_total", labels, count);
}

static void write_server(struct buf *out, const struct http_server *server)
{
    struct http_counters counters = {0};

    if (server)
        http_server_counters(server, &counters);
    prom_gauge_of(out, "careen_http_connections", "Open connections.", counters.connections_now);
    prom_counter(out, "careen_http_connections_refused_total",
        "Connections cut because they were too slow (slow), or turned away because there were too "
        "many in all or from their address (full).");
    write_refused(out, "slow", counters.refused_slow);
    write_refused(out, "full", counters.refused_full);
    prom_gauge_of(out, "careen_http_waiting_requests",
        "Requests that wait for a worker, or for their project to be loaded.", counters.waiting);
}

static void write_tls(struct buf *out, const struct http_server *server)
{
    static const char name[] = "careen_tls_certificate_expiry_timestamp_seconds";
    struct tls_info info;

    prom_gauge(out, name,
        "When the certificate in use expires, since the epoch; absent without "
        "TLS.");
    if (server && http_server_tls_info(server, &info))
        prom_sample_micro(out, name, NULL, info.not_after_ms * 1000);
}

/* --- The store -------------------------------------------------------------------------------- */

static int read_stored(struct store *store, struct stored_figures *ret, struct err *err)
{
    struct retention_past past;
    uint64_t trimmed;

    if (store_stats(store, &ret->stats, err) < 0 ||
        store_log_bounds(store, &trimmed, &ret->log_position, err) < 0 ||
        fleet_retention_past(store, &past, err) < 0)
        return -1;
    ret->retention_ran_ms = past.ran_ms;
    ret->read_us = clock_monotonic_us();
    return 0;
}

static int find_stored(struct service *service, struct stored_figures *ret, struct err *err)
{
    int failed = 0;

    pthread_mutex_lock(&service->stored_lock);
    if (service->stored.read_us == 0 ||
        clock_monotonic_us() - service->stored.read_us >= STORED_KEPT_US)
        failed = read_stored(fleet_store(service->fleet), &service->stored, err);
    *ret = service->stored;
    pthread_mutex_unlock(&service->stored_lock);
    return failed;
}

static void write_kinds(struct buf *out, const struct store_stats *stats)
{
    const struct {
        const char *kind;
        uint64_t count;
    } kinds[] = {{"projects", stats->projects}, {"images", stats->images},
        {"packages", stats->packages}, {"names", stats->names}, {"records", stats->records},
        {"claims", stats->claims}, {"decisions", stats->decisions}, {"causes", stats->causes}};

    prom_gauge(out, "careen_stored_objects", "What the database holds, of all projects, by kind.");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct prom_label labels[] = {{"kind", slice_of(kinds[i].kind)}, {NULL, SLICE_NONE}};

        prom_sample(out, "careen_stored_objects", labels, kinds[i].count);
    }
}

static void write_stored(struct buf *out, const struct stored_figures *stored)
{
    prom_gauge_of(out, "careen_database_bytes", "The database on disk, journals included.",
        stored->stats.bytes);
    write_kinds(out, &stored->stats);
    prom_gauge_of(out, "careen_change_log_position",
        "The number of the last change, of all projects.", stored->log_position);
    prom_gauge(
        out, "careen_retention_run_timestamp_seconds", "When retention last ran, since the epoch.");
    if (stored->retention_ran_ms)
        prom_sample_micro(
            out, "careen_retention_run_timestamp_seconds", NULL, stored->retention_ran_ms * 1000);
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* Of all projects: only counts, which tell a caller nothing of one that is not theirs. */
static void write_memory(struct buf *out, struct fleet *fleet)
{
    struct fleet_memory memory;

    fleet_memory(fleet, &memory);
    prom_gauge_of(
        out, "careen_memory_budget_bytes", "The setting memory_budget; 0: none.", memory.budget);
    prom_gauge_of(out, "careen_projects_loaded", "Projects in memory.", memory.loaded);
    prom_counter_of(out, "careen_project_loads_total",
        "How often a project was loaded into memory.", memory.loads);
    prom_counter_of(out, "careen_project_drops_total",
        "How often a project was dropped from memory, because of the budget.", memory.drops);
}

/* --- All together ----------------------------------------------------------------------------- */

void handle_metrics(struct call *call)
{
    const struct http_server *server = __atomic_load_n(&call->service->server, __ATOMIC_ACQUIRE);
    struct buf *out = &call->response->body;
    struct stored_figures stored;
    struct err err = {0};

    if (find_stored(call->service, &stored, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    write_build(out);
    write_following(out, call->service);
    metrics_write_counters(out, call->service->metrics);
    write_server(out, server);
    write_tls(out, server);
    write_stored(out, &stored);
    write_memory(out, call->service->fleet);
    if (metrics_write_projects(call, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    metrics_write_process(out);
    call_finish(call);
    if (call->response->status == 200)
        call->response->content_type = PROMETHEUS_TYPE;
}
