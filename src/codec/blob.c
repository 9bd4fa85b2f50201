/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: see blob.h. Files are read with pread(2), so that a blob has no place of its own in them
 * and threads do not disturb each other. Invariant of a blob in a file: offset + size does not
 * overflow, and did not pass the file's end when the blob was made; a file that was cut since is
 * noticed when it is read.
 */
#include "codec/blob.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob_stream {
    struct stream stream;
    struct blob blob;
    uint64_t at;
    struct err failed;
};

struct blob blob_of_memory(struct slice bytes, const char *name)
{
    static const unsigned char nothing[1];

    return (struct blob){
        .bytes = bytes.ptr ? (const unsigned char *)bytes.ptr : nothing,
        .fd = -1,
        .size = bytes.len,
        .name = name,
    };
}

int blob_of_file(int fd, const char *name, struct blob *ret, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set_errno(err, "cannot read %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_IO, "cannot read %s: it is no regular file", name);
    *ret = (struct blob){.fd = fd, .size = (uint64_t)st.st_size, .name = name};
    return 0;
}

int blob_part(
    const struct blob *blob, uint64_t offset, uint64_t size, struct blob *ret, struct err *err)
{
    if (offset > blob->size || size > blob->size - offset)
        return err_set(err, ERR_FORMAT,
            "%s ends at byte %llu, in the middle of %llu bytes from byte %llu", blob->name,
            (unsigned long long)blob->size, (unsigned long long)size, (unsigned long long)offset);
    *ret = *blob;
    if (blob->bytes)
        ret->bytes = blob->bytes + offset;
    else
        ret->offset = blob->offset + offset;
    ret->size = size;
    return 0;
}

/* Up to len bytes, which the blob has; fewer only where the file was cut meanwhile. */
static int read_file(
    const struct blob *blob, uint64_t offset, void *dst, size_t len, size_t *ret, struct err *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t got =
            pread(blob->fd, (char *)dst + done, len - done, (off_t)(blob->offset + offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, "cannot read %s", blob->name);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret = done;
    return 0;
}

int blob_read(const struct blob *blob, uint64_t offset, void *dst, size_t len, struct err *err)
{
    uint64_t there = offset < blob->size ? blob->size - offset : 0;
    size_t got = 0;

    if (len == 0)
        return 0;
    if (there >= len) {
        if (blob->bytes) {
            memcpy(dst, blob->bytes + offset, len);
            return 0;
        }
        if (read_file(blob, offset, dst, len, &got, err) != 0)
            return -1;
        if (got == len)
            return 0;
        there = got;
    }
    return err_set(err, ERR_FORMAT,
        "%s ends at byte %llu, in the middle of %zu bytes from byte %llu", blob->name,
        (unsigned long long)(offset < blob->size ? offset + there : blob->size), len,
        (unsigned long long)offset);
}

static int stream_of_blob_read(
    struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct blob_stream *s = (struct blob_stream *)stream;
    uint64_t left = s->blob.size - s->at;
    size_t want = left < cap ? (size_t)left : cap;

    if (s->failed.code == ERR_NONE && blob_read(&s->blob, s->at, dst, want, &s->failed) == 0) {
        s->at += want;
        *ret = want;
        return 0;
    }
    *err = s->failed;
    return -1;
}

static void stream_of_blob_close(struct stream *stream)
{
    free(stream);
}

static const struct stream_ops blob_ops = {stream_of_blob_read, stream_of_blob_close};

struct stream *stream_open_blob(const struct blob *blob, struct err *err)
{
    struct blob_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        err_nomem(err);
        return NULL;
    }
    s->stream.ops = &blob_ops;
    s->blob = *blob;
    return &s->stream;
}
