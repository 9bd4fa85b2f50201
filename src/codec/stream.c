/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streams at the bottom of every stack: file descriptors and memory; and the byte ceiling. See
 * stream.h. Invariant: a kind that failed once keeps its error and repeats it, so that a loop of
 * reads which overlooks one failure cannot go on behind a hole.
 */
#include "codec/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bug.h"

struct fd_stream {
    struct stream stream;
    int fd;
    const char *name;
    char *owned_name; /* NULL when the caller keeps the name alive */
    struct err failed;
};

struct memory_stream {
    struct stream stream;
    struct slice rest;
};

struct limit_stream {
    struct stream stream;
    struct stream *in; /* owned */
    uint64_t left, max;
    const char *what;
    struct err failed;
};

int stream_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    BUG_ON(cap == 0);
    return stream->ops->read(stream, dst, cap, ret, err);
}

void stream_close(struct stream *stream)
{
    if (stream)
        stream->ops->close(stream);
}

void stream_cleanup(struct stream **stream)
{
    stream_close(*stream);
}

static int fd_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct fd_stream *s = (struct fd_stream *)stream;
    ssize_t got;

    if (s->failed.code == ERR_NONE) {
        do
            got = read(s->fd, dst, cap);
        while (got < 0 && errno == EINTR);
        if (got >= 0) {
            *ret = (size_t)got;
            return 0;
        }
        err_set_errno(&s->failed, "cannot read %s", s->name);
    }
    *err = s->failed;
    return -1;
}

static void fd_close(struct stream *stream)
{
    struct fd_stream *s = (struct fd_stream *)stream;

    close(s->fd);
    free(s->owned_name);
    free(s);
}

static const struct stream_ops fd_ops = {fd_read, fd_close};

struct stream *stream_open_fd(int fd, const char *name, struct err *err)
{
    struct fd_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        err_nomem(err);
        return NULL;
    }
    s->stream.ops = &fd_ops;
    s->fd = fd;
    s->name = name;
    return &s->stream;
}

static int check_kind(const char *path, const struct stat *st, struct err *err)
{
    if (S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode))
        return 0;
    return err_set(err, ERR_INVALID, "%s is %s; a file or a pipe is needed", path,
        S_ISDIR(st->st_mode)                           ? "a folder"
        : S_ISSOCK(st->st_mode)                        ? "a socket"
        : S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode) ? "a device"
                                                       : "no regular file");
}

/* The kind is asked for before opening, because opening a device can do things of its own, and once
 * more on what was opened, because the name may have been given to something else meanwhile. */
static int open_readable(const char *path, struct err *err)
{
    struct stat st;
    int fd;

    if (stat(path, &st) != 0)
        return err_set_errno(err, "cannot open %s", path);
    if (check_kind(path, &st, err) != 0)
        return -1;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return err_set_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) != 0) {
        err_set_errno(err, "cannot open %s", path);
        close(fd);
        return -1;
    }
    if (check_kind(path, &st, err) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct stream *stream_open_file(const char *path, struct err *err)
{
    int fd = open_readable(path, err);
    struct fd_stream *s;
    char *name;

    if (fd < 0)
        return NULL;
    name = strdup(path);
    s = name ? (struct fd_stream *)stream_open_fd(fd, name, err) : NULL;
    if (!s) {
        err_nomem(err);
        free(name);
        close(fd);
        return NULL;
    }
    s->owned_name = name;
    return &s->stream;
}

static int memory_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct memory_stream *s = (struct memory_stream *)stream;
    size_t n = s->rest.len < cap ? s->rest.len : cap;

    (void)err; /* memory does not fail */
    if (n)
        memcpy(dst, s->rest.ptr, n);
    s->rest = slice_skip(s->rest, n);
    *ret = n;
    return 0;
}

static void memory_close(struct stream *stream)
{
    free(stream);
}

static const struct stream_ops memory_ops = {memory_read, memory_close};

struct stream *stream_open_memory(struct slice bytes, struct err *err)
{
    struct memory_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        err_nomem(err);
        return NULL;
    }
    s->stream.ops = &memory_ops;
    s->rest = bytes;
    return &s->stream;
}

/* At the ceiling one byte more is asked for: the end must be told from an excess. */
static int limit_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct limit_stream *s = (struct limit_stream *)stream;
    size_t want = s->left < cap ? (size_t)s->left : cap, got;
    char excess;

    if (s->failed.code == ERR_NONE) {
        if (want == 0 ? stream_read(s->in, &excess, 1, &got, &s->failed)
                      : stream_read(s->in, dst, want, &got, &s->failed)) {
            *err = s->failed;
            return -1;
        }
        if (want || got == 0) {
            s->left -= got;
            *ret = got;
            return 0;
        }
        err_set(&s->failed, ERR_LIMIT, "%s is larger than the limit of %llu bytes", s->what,
            (unsigned long long)s->max);
    }
    *err = s->failed;
    return -1;
}

static void limit_close(struct stream *stream)
{
    struct limit_stream *s = (struct limit_stream *)stream;

    stream_close(s->in);
    free(s);
}

static const struct stream_ops limit_ops = {limit_read, limit_close};

struct stream *stream_limit(struct stream *in, uint64_t max, const char *what, struct err *err)
{
    struct limit_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        err_nomem(err);
        return NULL;
    }
    s->stream.ops = &limit_ops;
    s->in = in;
    s->left = s->max = max;
    s->what = what;
    return &s->stream;
}

int expansion_check(
    const struct expansion *most, const char *what, uint64_t in, uint64_t out, struct err *err)
{
    if (out <= most->free_bytes || out / most->ratio <= in)
        return 0;
    return err_set(err, ERR_LIMIT,
        "the %s data expands to more than %u times its size at byte %llu of the compressed data: "
        "if that is no mistake, unpack it first",
        what, most->ratio, (unsigned long long)in);
}
