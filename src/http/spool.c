/* SPDX-License-Identifier: Apache-2.0 */
/* Most bodies are a few kilobytes and never touch the disk; a report may have 64 MB. */
#include "http/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Reading a report takes longer than anything else that a handler does, so this is where one that
 * nobody waits for is interrupted. */
struct spool_stream {
    struct stream head;
    struct stream *in;
    const atomic_bool *gone, *ending; /* of the exchange, which outlives it */
};

void spool_init(
    struct spool *spool, const char *dir, const atomic_bool *gone, const atomic_bool *ending)
{
    *spool = (struct spool){.dir = dir,
        .memory = BUF_INIT(SPOOL_MEMORY_BYTES),
        .fd = -1,
        .gone = gone,
        .ending = ending};
}

void spool_want(struct spool *spool, bool keep, bool hash)
{
    spool->keep = keep;
    spool->hashed = hash;
    if (hash)
        sha256_begin(&spool->hash);
}

static int open_nameless(const char *dir, struct err *err)
{
    char path[4096];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    /* Not every file system has O_TMPFILE (overlay on old kernels, NFS). */
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return err_set_errno(err, "cannot keep a request body in %s", dir);
    if ((size_t)snprintf(path, sizeof(path), "%s/body-XXXXXX", dir) >= sizeof(path))
        return err_set(err, ERR_IO, "the folder name %.80s... is too long", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot keep a request body in %s", dir);
    unlink(path);
    return fd;
}

static int write_all(struct spool *spool, const char *bytes, size_t len, struct err *err)
{
    while (len) {
        ssize_t wrote = write(spool->fd, bytes, len);

        if (wrote < 0 && errno != EINTR)
            return err_set_errno(err, "cannot keep a request body in %s", spool->dir);
        if (wrote > 0) {
            bytes += wrote;
            len -= (size_t)wrote;
        }
    }
    return 0;
}

int spool_write(struct spool *spool, const void *bytes, size_t len, struct err *err)
{
    if (spool->hashed)
        sha256_add(&spool->hash, (struct slice){bytes, len});
    if (!spool->keep)
        return 0;
    if (spool->fd < 0) {
        if (len <= SPOOL_MEMORY_BYTES - spool->memory.len) {
            buf_put(&spool->memory, bytes, len);
            return buf_check(&spool->memory, "a request body", err);
        }
        spool->fd = open_nameless(spool->dir, err);
        if (spool->fd < 0)
            return -1;
        if (write_all(spool, spool->memory.data, spool->memory.len, err) < 0)
            return -1;
        buf_release(&spool->memory);
    }
    return write_all(spool, bytes, len, err);
}

void spool_digest(struct spool *spool, unsigned char ret[SHA256_BYTES])
{
    if (spool->hashed)
        sha256_finish(&spool->hash, ret);
    spool->hashed = false;
}

static int spool_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct spool_stream *own = (struct spool_stream *)stream;

    if (*own->ending)
        return err_set(err, ERR_BUSY, "the server is shutting down: try again");
    if (*own->gone)
        return err_set(err, ERR_BUSY, "the client has hung up: send the request again");
    return stream_read(own->in, dst, cap, ret, err);
}

static void spool_close(struct stream *stream)
{
    struct spool_stream *own = (struct spool_stream *)stream;

    stream_close(own->in);
    free(own);
}

static struct stream *open_kept(struct spool *spool, struct err *err)
{
    struct stream *stream;

    if (spool->fd < 0)
        return stream_open_memory(buf_slice(&spool->memory), err);
    if (lseek(spool->fd, 0, SEEK_SET) < 0) {
        err_set_errno(err, "cannot read a request body back from %s", spool->dir);
        return NULL;
    }
    stream = stream_open_fd(spool->fd, "the request body", err);
    if (stream)
        spool->fd = -1; /* the stream has it now */
    return stream;
}

struct stream *spool_open(struct spool *spool, struct err *err)
{
    static const struct stream_ops ops = {.read = spool_read, .close = spool_close};
    struct spool_stream *own = calloc(1, sizeof(*own));

    if (!own) {
        err_nomem(err);
        return NULL;
    }
    *own = (struct spool_stream){{&ops}, open_kept(spool, err), spool->gone, spool->ending};
    if (!own->in) {
        free(own);
        return NULL;
    }
    return &own->head;
}

void spool_release(struct spool *spool)
{
    buf_release(&spool->memory);
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}
