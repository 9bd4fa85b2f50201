/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte streams to pull from, and the filters that stack on them. A stream is read by one thread.
 *
 * Ownership: stream_close() closes a stream and what lies under it, frees both and accepts NULL.
 * A constructor that fails leaves the stream it was given open and with the caller; one that
 * succeeds has taken it over.
 */
#ifndef CAREEN_CODEC_STREAM_H
#define CAREEN_CODEC_STREAM_H

#include "base/err.h"
#include "base/slice.h"

struct stream;

/* What a kind of stream provides. read: fills up to cap (> 0) bytes and sets *ret to the number
 * read, 0 at the end; -1 with *err on failure (and on every later call). */
struct stream_ops {
    int (*read)(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err);
    void (*close)(struct stream *stream);
};

/* The head of every kind of stream. */
struct stream {
    const struct stream_ops *ops;
};

int stream_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err);
void stream_close(struct stream *stream);
/* For `struct stream *in CLEANUP(stream_cleanup) = NULL;`. */
void stream_cleanup(struct stream **stream);

/* A regular file or pipe by path; folders, devices and missing files are refused by name. */
struct stream *stream_open_file(const char *path, struct err *err);
/* Takes over fd. `name` (kept, not copied) is used in messages. */
struct stream *stream_open_fd(int fd, const char *name, struct err *err);
/* Reads bytes that the caller keeps alive and unchanged. */
struct stream *stream_open_memory(struct slice bytes, struct err *err);

/* Looks at the first bytes: gzip (RFC 1952, members may follow each other) is decompressed, all
 * else passes through. CRC and length of each member are checked; a truncated or damaged member is
 * ERR_FORMAT with the offset in the compressed bytes. */
struct stream *stream_auto_gunzip(struct stream *in, struct err *err);
/* How much may come out of a decompressor: free_bytes in any case, and beyond them `ratio` times
 * the bytes that went in. */
struct expansion {
    uint64_t free_bytes;
    unsigned ratio;
};
/* stream_auto_gunzip() with other ceilings than LIMIT_GUNZIP_*. */
struct stream *stream_gunzip_within(
    struct stream *in, const struct expansion *most, struct err *err);
/* For decompressors: ERR_LIMIT when `out` bytes are too many for `in`. what: "gzip". */
int expansion_check(
    const struct expansion *most, const char *what, uint64_t in, uint64_t out, struct err *err);
/* ERR_LIMIT once more than max bytes came through: "<what> is larger than the limit of N bytes".
 * `what` is kept, not copied. */
struct stream *stream_limit(struct stream *in, uint64_t max, const char *what, struct err *err);

#endif
