/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See parent.h. A child that stops talking, talks nonsense or dies fails the scan of its own
 * target, and of no other. It has no terminal, no input but as its target, and no descriptor but
 * those of its plan.
 */
#include "scan/parent.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "scan/cache.h"
#include "scan/child.h"
#include "scan/descriptors.h"
#include "scan/facts.h"
#include "scan/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- starting ---- */

/* A folder for large contents: where TMPDIR says, and nowhere else; without one, on a disk if there
 * is one. */
static int make_scratch(struct parent *parent, struct err *err)
{
    const char *given = getenv("TMPDIR");
    bool chosen = given && *given;
    const char *const places[] = {chosen ? given : "/var/tmp", "/tmp"};

    for (size_t i = 0; i < (chosen ? 1 : sizeof(places) / sizeof(places[0])); i++) {
        int len =
            snprintf(parent->scratch, sizeof(parent->scratch), "%s/careen-scan.XXXXXX", places[i]);

        if (len > 0 && (size_t)len < sizeof(parent->scratch) && mkdtemp(parent->scratch)) {
            parent->scratch_fd = open(parent->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (parent->scratch_fd >= 0)
                return 0;
            rmdir(parent->scratch);
        }
    }
    parent->scratch[0] = '\0';
    return err_set_errno(err, "cannot make a scratch folder in %s (TMPDIR)", places[0]);
}

/* Keeps the plan's descriptors, and nothing else that was open. */
static void close_others(const struct child_plan *plan)
{
    const int kept[] = {
        plan->target_fd, plan->input_fd, plan->cache_fd, plan->scratch_fd, plan->out_fd};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    descriptors_keep(kept, sizeof(kept) / sizeof(kept[0]));
}

static _Noreturn void run_child(const struct child_plan *plan, pid_t parent)
{
    sandbox_die_with(parent);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    close_others(plan);
    _exit(child_main(plan));
}

static int start(struct parent *parent, struct child_plan *plan, struct err *err)
{
    int ends[2];
    pid_t self = getpid();

    if (make_scratch(parent, err) < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, "cannot make a pipe");
    plan->scratch_fd = parent->scratch_fd;
    plan->out_fd = ends[1];
    parent->pid = fork();
    if (parent->pid == 0)
        run_child(plan, self);
    close(ends[1]);
    if (parent->pid < 0) {
        parent->pid = 0;
        close(ends[0]);
        return err_set_errno(err, "cannot start a process");
    }
    parent->pipe_fd = ends[0];
    fcntl(parent->pipe_fd, F_SETFL, O_NONBLOCK);
    parent->deadline_us = clock_monotonic_us() + LIMIT_SCAN_S * INT64_C(1000000);
    return 0;
}

int parent_start(struct parent *parent, const char *target, const struct scan_options *options,
    unsigned threads, int cache_fd, struct err *err)
{
    struct child_plan plan = {.target = target,
        .platform = options->platform,
        .threads = threads,
        .cache_fd = cache_fd,
        .target_fd = -1,
        .input_fd = -1};
    int failed;

    *parent = (struct parent){.pipe_fd = -1,
        .scratch_fd = -1,
        .cache_fd = cache_fd,
        .in = BUF_INIT(LIMIT_SCAN_FRAME_BYTES + FRAME_HEAD_BYTES + 65536)};
    if (image_target_is_input(target))
        plan.input_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    else
        plan.target_fd = open(image_target_path(target), O_PATH | O_CLOEXEC);
    failed = start(parent, &plan, err);
    cleanup_fd(&plan.target_fd);
    cleanup_fd(&plan.input_fd);
    if (failed)
        parent_end(parent, err);
    return failed;
}

/* ---- ending ---- */

static void fail(struct parent *parent, const struct err *why)
{
    if (!parent->failed)
        parent->err = *why;
    parent->failed = true;
}

void parent_end(struct parent *parent, const struct err *why)
{
    int status;

    if (why)
        fail(parent, why);
    if (parent->pid) {
        kill(parent->pid, SIGKILL);
        while (waitpid(parent->pid, &status, 0) < 0 && errno == EINTR)
            ;
        parent->pid = 0;
    }
    cleanup_fd(&parent->pipe_fd);
    cleanup_fd(&parent->scratch_fd);
    parent->pipe_fd = parent->scratch_fd = -1;
    if (parent->scratch[0])
        rmdir(parent->scratch);
    parent->scratch[0] = '\0';
    buf_release(&parent->in);
}

void parent_release(struct parent *parent)
{
    parent_end(parent, NULL);
    scanned_release(&parent->scanned);
}

/* ---- frames ---- */

static int take_image(struct parent *parent, struct slice bytes, struct err *err)
{
    struct scanned *scanned = &parent->scanned;

    if (scanned->count >= LIMIT_IMAGE_MANIFESTS ||
        array_reserve(&scanned->images, &parent->image_cap, scanned->count + 1,
            sizeof(*scanned->images), err) < 0)
        return err_set(
            err, ERR_LIMIT, "more than %d images (LIMIT_IMAGE_MANIFESTS)", LIMIT_IMAGE_MANIFESTS);
    if (parent->found_bytes + bytes.len > LIMIT_SCAN_FOUND_BYTES)
        return err_set(err, ERR_LIMIT,
            "what is found in its images is larger than the limit of %lu bytes "
            "(LIMIT_SCAN_FOUND_BYTES): save fewer of them into one archive",
            LIMIT_SCAN_FOUND_BYTES);
    if (image_decode(bytes, &scanned->images[scanned->count], err) < 0)
        return -1;
    parent->found_bytes += bytes.len;
    scanned->count++;
    return 0;
}

/* The cache is a help, and may fail. What is put there must at least be whole. */
static void take_facts(struct parent *parent, struct slice bytes)
{
    struct unpack in = {.rest = bytes};
    struct slice name = unpack_text(&in);
    char path[CACHE_NAME_BYTES];
    struct layer_facts facts;
    struct err ignored;

    if (in.failed || parent->cache_fd < 0 || parent->cache_failed ||
        !slice_to_cstr(name, path, sizeof(path)) || !cache_is_name(path) ||
        layer_facts_decode(in.rest, &facts, &ignored) < 0)
        return;
    layer_facts_release(&facts);
    if (cache_put(parent->cache_fd, path, in.rest, &parent->cache_err) < 0)
        parent->cache_failed = true;
    else
        parent->cache_written = true;
}

/* So that what is not asked for any more is what cache_trim() removes. */
static void take_cached(const struct parent *parent, struct slice bytes)
{
    struct unpack in = {.rest = bytes};
    struct slice name = unpack_text(&in);
    char path[CACHE_NAME_BYTES];

    if (!in.failed && parent->cache_fd >= 0 && slice_to_cstr(name, path, sizeof(path)) &&
        cache_is_name(path))
        cache_touch(parent->cache_fd, path);
}

static void take_left_out(struct scanned *scanned, struct slice bytes)
{
    struct unpack in = {.rest = bytes};
    size_t count = (size_t)unpack_up_to(&in, INT32_MAX);
    struct slice first = unpack_text(&in);

    if (in.failed)
        return;
    scanned->left_out = count;
    snprintf(scanned->first_left_out, sizeof(scanned->first_left_out), "%.*s", SLICE_FMT(first));
}

static void take_progress(struct parent *parent, struct slice bytes)
{
    struct unpack in = {.rest = bytes};
    size_t done = (size_t)unpack_up_to(&in, INT32_MAX);
    size_t known = (size_t)unpack_up_to(&in, INT32_MAX);

    parent->layers_done = done;
    parent->layers_known = known;
}

static int take_frame(
    struct parent *parent, enum frame_type type, struct slice bytes, struct err *err)
{
    struct unpack in = {.rest = bytes};

    switch (type) {
    case FRAME_WALLS:
        slice_to_cstr(unpack_text(&in), parent->scanned.why_not, sizeof(parent->scanned.why_not));
        break;
    case FRAME_PROGRESS:
        take_progress(parent, bytes);
        break;
    case FRAME_FACTS:
        take_facts(parent, bytes);
        break;
    case FRAME_CACHED:
        take_cached(parent, bytes);
        break;
    case FRAME_LEFT_OUT:
        take_left_out(&parent->scanned, bytes);
        break;
    case FRAME_IMAGE:
        return take_image(parent, bytes, err);
    case FRAME_ERROR:
        parent->finished = true;
        error_decode(bytes, err);
        return -1;
    case FRAME_DONE:
        parent->finished = true;
        break;
    case FRAME_TYPES:
        break;
    }
    return 0;
}

static int take_frames(struct parent *parent, struct err *err)
{
    struct slice rest = buf_slice(&parent->in), body;
    enum frame_type type;
    int got;

    while (!parent->finished && (got = frame_next(&rest, &type, &body, err)) != 0)
        if (got < 0 || take_frame(parent, type, body, err) < 0)
            return -1;
    if (rest.len != parent->in.len && rest.len)
        memmove(parent->in.data, rest.ptr, rest.len);
    parent->in.len = rest.len;
    return 0;
}

/* Waits for a child that has closed its pipe, but no longer than a second: one that was taken over
 * need not end. Its status; that of SIGKILL when it had to be. */
static int wait_for_end(pid_t pid)
{
    const struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};
    pid_t ended = 0;
    int status = 0;

    for (int naps = 0; naps < 100 && (ended = waitpid(pid, &status, WNOHANG)) == 0; naps++)
        nanosleep(&nap, NULL);
    if (ended)
        return status;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* The pipe was closed before the child said all that it had to. */
static void end_unfinished(struct parent *parent)
{
    struct err why;
    int status = wait_for_end(parent->pid);

    parent->pid = 0;
    if (WIFSIGNALED(status))
        err_set(&why, ERR_IO, "the process that reads the image was ended by signal %d (%s)",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        err_set(&why, ERR_IO, "the process that reads the image ended without a result");
    parent_end(parent, &why);
}

bool parent_read(struct parent *parent)
{
    char *room = buf_reserve(&parent->in, 65536);
    struct err err = {0};
    ssize_t got;

    if (!room) {
        err_nomem(&err);
        parent_end(parent, &err);
        return false;
    }
    got = read(parent->pipe_fd, room, 65536);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
        end_unfinished(parent);
        return false;
    }
    parent->in.len += (size_t)got;
    if (take_frames(parent, &err) < 0)
        parent_end(parent, &err);
    else if (parent->finished)
        parent_end(parent, NULL);
    return parent->pipe_fd >= 0;
}
