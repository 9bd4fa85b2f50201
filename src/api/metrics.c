/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics.h. Every counter is there once: an addition costs some 20 cycles, a hundred when
 * another processor has just added to the same; a request makes four. */
#include "api/metrics.h"

#include "api/prometheus.h"
#include "api/routes.h"
#include "base/bug.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { STATUSES = 600, FORMATS = 5 };

static const int64_t bounds_us[] = {50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
enum { BOUNDS = sizeof(bounds_us) / sizeof(bounds_us[0]) };

/* Of report->format; the last stands for what could not be read. */
static const char *const formats[FORMATS] = {"trivy", "grype", "cyclonedx", "spdx", "unknown"};
static const char *const import_ends[IMPORT_END_COUNT] = {"imported", "unchanged", "refused"};
static const char *const credentials[CREDENTIAL_COUNT] = {"none", "token", "signature", "password"};
const char *const rate_policy_names[RATE_POLICY_COUNT] = {"user", "ip"};

struct route_metrics {
    atomic_ullong by_status[STATUSES]; /* 0: the client went before it was answered */
    atomic_ullong by_bucket[BOUNDS + 1];
    atomic_ullong took_us, sent_bytes;
};

struct metrics {
    atomic_ullong refused[CREDENTIAL_COUNT], throttled[RATE_POLICY_COUNT];
    atomic_ullong imports[FORMATS][IMPORT_END_COUNT], removed[REMOVAL_COUNT], expired;
    atomic_llong followed_us; /* 0: never */
    size_t route_count;
    struct route_metrics routes[]; /* the last is of requests without a route */
};

struct metrics *metrics_new(struct err *err)
{
    struct metrics *metrics;
    size_t routes = 0;

    while (route_at(routes))
        routes++;
    metrics = calloc(1, sizeof(*metrics) + (routes + 1) * sizeof(metrics->routes[0]));
    if (!metrics)
        err_nomem(err);
    else
        metrics->route_count = routes;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

static void add(atomic_ullong *to, uint64_t n)
{
    atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static uint64_t get(const atomic_ullong *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static size_t bucket_of(int64_t took_us)
{
    size_t i = 0;

    while (i < BOUNDS && took_us > bounds_us[i])
        i++;
    return i;
}

void metrics_count_request(
    struct metrics *metrics, const struct route *route, const struct http_ended *ended)
{
    struct route_metrics *of = &metrics->routes[route ? route_number(route) : metrics->route_count];

    BUG_ON(ended->status >= STATUSES);
    add(&of->by_status[ended->status], 1);
    add(&of->by_bucket[bucket_of(ended->took_us)], 1);
    add(&of->took_us, ended->took_us > 0 ? (uint64_t)ended->took_us : 0);
    if (!ended->cut)
        add(&of->sent_bytes, ended->sent_bytes);
}

void metrics_count_refused(struct metrics *metrics, enum credential with)
{
    add(&metrics->refused[with], 1);
}

void metrics_count_throttled(struct metrics *metrics, enum rate_policy policy)
{
    add(&metrics->throttled[policy], 1);
}

void metrics_count_import(struct metrics *metrics, const char *format, enum import_end end)
{
    size_t i = 0;

    while (i < FORMATS - 1 && (!format || strcmp(format, formats[i]) != 0))
        i++;
    add(&metrics->imports[i][end], 1);
}

void metrics_count_removed(struct metrics *metrics, enum removal why, uint64_t images)
{
    add(&metrics->removed[why], images);
}

void metrics_count_expired(struct metrics *metrics)
{
    add(&metrics->expired, 1);
}

void metrics_note_followed(struct metrics *metrics, int64_t now_us)
{
    atomic_store_explicit(&metrics->followed_us, now_us, memory_order_relaxed);
}

int64_t metrics_follow_age_us(const struct metrics *metrics, int64_t now_us)
{
    int64_t followed_us = atomic_load_explicit(&metrics->followed_us, memory_order_relaxed);

    return followed_us ? now_us - followed_us : -1;
}

/* --- As text ---------------------------------------------------------------------------------- */

static struct slice route_label(const struct metrics *metrics, size_t i)
{
    return i < metrics->route_count ? slice_of(route_at(i)->operation) : SLICE("other");
}

static void write_request_count(
    struct buf *out, struct slice route, unsigned status, uint64_t count)
{
    char code[16];
    int len = snprintf(code, sizeof(code), "%u", status);
    const struct prom_label labels[] = {
        {"route", route}, {"code", {code, (size_t)len}}, {NULL, SLICE_NONE}};

    prom_sample(out, "careen_http_requests_total", labels, count);
}

/* Of what has happened: most pairs never do. */
static void write_requests(struct buf *out, const struct metrics *metrics)
{
    prom_counter(out, "careen_http_requests_total",
        "HTTP requests by operation and status; code 0: the client went before it was answered.");
    for (size_t i = 0; i <= metrics->route_count; i++)
        for (unsigned status = 0; status < STATUSES; status++) {
            uint64_t count = get(&metrics->routes[i].by_status[status]);

            if (count)
                write_request_count(out, route_label(metrics, i), status, count);
        }
}

/* Of routes that were asked for. */
static void write_durations(struct buf *out, const struct metrics *metrics)
{
    prom_histogram(out, "careen_http_request_duration_seconds",
        "Time from a request's first line to the end of its answer, by operation.");
    for (size_t i = 0; i <= metrics->route_count; i++) {
        const struct route_metrics *of = &metrics->routes[i];
        const struct prom_label labels[] = {{"route", route_label(metrics, i)}, {NULL, SLICE_NONE}};
        uint64_t counts[BOUNDS + 1], all = 0;

        for (size_t k = 0; k <= BOUNDS; k++)
            all += counts[k] = get(&of->by_bucket[k]);
        if (all)
            prom_sample_buckets(out, "careen_http_request_duration_seconds", labels,
                &(struct prom_buckets){bounds_us, counts, BOUNDS, get(&of->took_us)});
    }
}

static void write_sent(struct buf *out, const struct metrics *metrics)
{
    prom_counter(out, "careen_http_sent_bytes_total", "Bytes of answers' bodies, by operation.");
    for (size_t i = 0; i <= metrics->route_count; i++) {
        const struct prom_label labels[] = {{"route", route_label(metrics, i)}, {NULL, SLICE_NONE}};

        prom_sample(
            out, "careen_http_sent_bytes_total", labels, get(&metrics->routes[i].sent_bytes));
    }
}

/* A family with one label: a sample for each of its values. */
static void write_by(struct buf *out, const char *name, const char *help, const char *label,
    const char *const *values, const atomic_ullong *counts, size_t count)
{
    prom_counter(out, name, help);
    for (size_t i = 0; i < count; i++) {
        const struct prom_label labels[] = {{label, slice_of(values[i])}, {NULL, SLICE_NONE}};

        prom_sample(out, name, labels, get(&counts[i]));
    }
}

static void write_imports(struct buf *out, const struct metrics *metrics)
{
    prom_counter(out, "careen_imports_total",
        "Reports sent to this server, by format and what "
        "became of them.");
    for (size_t i = 0; i < FORMATS; i++)
        for (size_t end = 0; end < IMPORT_END_COUNT; end++) {
            const struct prom_label labels[] = {{"format", slice_of(formats[i])},
                {"outcome", slice_of(import_ends[end])}, {NULL, SLICE_NONE}};

            prom_sample(out, "careen_imports_total", labels, get(&metrics->imports[i][end]));
        }
}

void metrics_write_counters(struct buf *out, const struct metrics *metrics)
{
    write_requests(out, metrics);
    write_durations(out, metrics);
    write_sent(out, metrics);
    write_by(out, "careen_refused_credentials_total",
        "Requests refused for want of good credentials, by what they came with.", "kind",
        credentials, metrics->refused, CREDENTIAL_COUNT);
    write_by(out, "careen_throttled_requests_total",
        "Requests answered 429: too many of one user, or too many refused of one address.",
        "policy", rate_policy_names, metrics->throttled, RATE_POLICY_COUNT);
    write_imports(out, metrics);
    write_by(out, "careen_images_removed_total",
        "Images that this server has removed: asked to, or by retention.", "reason",
        removal_words.names, metrics->removed, REMOVAL_COUNT);
    prom_counter_of(out, "careen_decisions_expired_total",
        "Decisions whose end by the clock this server has written down.", get(&metrics->expired));
}
