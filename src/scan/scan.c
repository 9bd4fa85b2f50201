/* SPDX-License-Identifier: Apache-2.0 */
/* See scan.h: several children, watched by one thread; their answers are told in the order of the
 * targets. */
#include "scan/scan.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "scan/cache.h"
#include "scan/parent.h"
#include "scan/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { TICK_MS = 200 };

struct scan {
    const char *const *targets;
    size_t count;
    const struct scan_options *options;
    const struct scan_visitor *visitor;
    struct parent *parents; /* by target; heap */
    size_t started, told, running;
    size_t at_once;
    unsigned threads; /* of each child */
    int cache_fd;
    bool cache_failed, cache_written;
};

static void warn(const struct scan *scan, const struct err *why)
{
    if (scan->visitor->warn)
        scan->visitor->warn(scan->visitor->ctx, why);
}

/* ---- the cache ---- */

static void open_cache(struct scan *scan)
{
    struct err err;

    if (scan->options->cache_dir && cache_open(scan->options->cache_dir, &scan->cache_fd, &err) < 0)
        warn(scan, &err);
}

static void note_cache(struct scan *scan, const struct parent *parent)
{
    scan->cache_written |= parent->cache_written;
    if (parent->cache_failed && !scan->cache_failed)
        warn(scan, &parent->cache_err);
    scan->cache_failed |= parent->cache_failed;
}

static void trim_cache(struct scan *scan)
{
    uint64_t max = scan->options->cache_bytes ? scan->options->cache_bytes : LIMIT_CACHE_BYTES;
    uint64_t left;
    struct err err;

    if (scan->cache_written && cache_trim(scan->cache_fd, max, &left, &err) < 0)
        warn(scan, &err);
}

/* ---- children ---- */

static void plan_threads(struct scan *scan)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = scan->options->threads ? scan->options->threads
                     : processors > 0       ? (size_t)processors
                                            : 1;

    scan->at_once = scan->count < threads ? scan->count : threads;
    if (scan->at_once > LIMIT_SCAN_CHILDREN)
        scan->at_once = LIMIT_SCAN_CHILDREN;
    scan->threads = scan->at_once ? (unsigned)(threads / scan->at_once) : 1;
    if (scan->threads > LIMIT_SCAN_THREADS)
        scan->threads = LIMIT_SCAN_THREADS;
}

/* A target that cannot be started has failed; the others go on, but not so far ahead of one that
 * takes long that what they found fills the memory. */
static void start_some(struct scan *scan)
{
    while (scan->started < scan->count && scan->running < scan->at_once &&
           scan->started - scan->told < LIMIT_SCAN_CHILDREN) {
        struct parent *parent = &scan->parents[scan->started];
        struct err err = {0};

        if (parent_start(parent, scan->targets[scan->started], scan->options, scan->threads,
                scan->cache_fd, &err) == 0)
            scan->running++;
        scan->started++;
    }
}

static int tell_finished(struct scan *scan, struct err *err)
{
    while (scan->told < scan->started && scan->parents[scan->told].pipe_fd < 0) {
        struct parent *parent = &scan->parents[scan->told];
        struct scanned scanned = parent->scanned;
        int failed;

        note_cache(scan, parent);
        if (!parent->failed)
            parent->scanned = (struct scanned){0};
        failed = scan->visitor->done(scan->visitor->ctx, scan->told,
            parent->failed ? NULL : &scanned, parent->failed ? &parent->err : NULL, err);
        parent_release(parent);
        scan->told++;
        if (failed)
            return -1;
    }
    return 0;
}

static void tell_progress(const struct scan *scan)
{
    size_t done = 0, known = 0;

    if (!scan->visitor->progress)
        return;
    for (size_t i = 0; i < scan->started; i++) {
        done += scan->parents[i].layers_done;
        known += scan->parents[i].layers_known;
    }
    scan->visitor->progress(scan->visitor->ctx, done, known);
}

static void check_deadline(struct parent *parent)
{
    struct err why;

    if (clock_monotonic_us() < parent->deadline_us)
        return;
    err_set(&why, ERR_LIMIT, "the scan took longer than %d s (LIMIT_SCAN_S)", LIMIT_SCAN_S);
    parent_end(parent, &why);
}

static int watch(struct scan *scan, struct err *err)
{
    struct pollfd fds[LIMIT_SCAN_CHILDREN];
    size_t at[LIMIT_SCAN_CHILDREN];
    nfds_t count = 0;

    for (size_t i = scan->told; i < scan->started; i++)
        if (scan->parents[i].pipe_fd >= 0) {
            at[count] = i;
            fds[count++] = (struct pollfd){.fd = scan->parents[i].pipe_fd, .events = POLLIN};
        }
    if (poll(fds, count, TICK_MS) < 0 && errno != EINTR)
        return err_set_errno(err, "cannot wait for the processes that read images");
    for (nfds_t i = 0; i < count; i++) {
        struct parent *parent = &scan->parents[at[i]];

        if (fds[i].revents)
            parent_read(parent);
        if (parent->pipe_fd >= 0)
            check_deadline(parent);
        if (parent->pipe_fd < 0)
            scan->running--;
    }
    return 0;
}

static bool is_stopped(const struct scan *scan)
{
    return scan->options->stop && *scan->options->stop;
}

static int run(struct scan *scan, struct err *err)
{
    while (scan->told < scan->count) {
        if (is_stopped(scan))
            return err_set(err, ERR_BUSY, "interrupted");
        start_some(scan);
        if (scan->running && watch(scan, err) < 0)
            return -1;
        tell_progress(scan);
        if (tell_finished(scan, err) < 0)
            return -1;
    }
    return 0;
}

int scan_targets(const char *const *targets, size_t count, const struct scan_options *options,
    const struct scan_visitor *visitor, struct err *err)
{
    struct scan scan = {
        .targets = targets, .count = count, .options = options, .visitor = visitor, .cache_fd = -1};
    int failed;

    scan.parents = calloc(count + 1, sizeof(*scan.parents));
    if (!scan.parents)
        return err_nomem(err);
    plan_threads(&scan);
    open_cache(&scan);
    failed = run(&scan, err);
    for (size_t i = scan.told; i < scan.started; i++)
        parent_release(&scan.parents[i]);
    trim_cache(&scan);
    cleanup_fd(&scan.cache_fd);
    free(scan.parents);
    return failed;
}

/* ---- one target ---- */

static int take_one(
    void *ctx, size_t target, struct scanned *scanned, const struct err *why, struct err *err)
{
    (void)target;
    if (scanned) {
        *(struct scanned *)ctx = *scanned;
        return 0;
    }
    *err = *why;
    return -1;
}

int scan_target(
    const char *target, const struct scan_options *options, struct scanned *ret, struct err *err)
{
    struct scanned scanned = {0};
    const struct scan_visitor visitor = {.done = take_one, .ctx = &scanned};

    if (scan_targets(&target, 1, options, &visitor, err) < 0)
        return -1;
    *ret = scanned;
    return 0;
}

void scanned_release(struct scanned *scanned)
{
    for (size_t i = 0; i < scanned->count; i++)
        scanned_image_release(&scanned->images[i]);
    free(scanned->images);
    *scanned = (struct scanned){0};
}
