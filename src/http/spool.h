/* SPDX-License-Identifier: Apache-2.0 */
/* A request's body while it comes in: kept in memory up to SPOOL_MEMORY_BYTES, from there on in a
 * file without a name, which vanishes with the process however it ends; or dropped, and hashed
 * either way if that is wanted. */
#ifndef CAREEN_HTTP_SPOOL_H
#define CAREEN_HTTP_SPOOL_H

#include "base/buf.h"
#include "codec/hash.h"
#include "codec/stream.h"

#include <stdatomic.h>

enum { SPOOL_MEMORY_BYTES = 64 * 1024 };

struct spool {
    const char *dir; /* kept, not copied */
    bool keep;       /* else what is written is dropped */
    bool hashed;     /* the digest is wanted */
    struct sha256 hash;
    struct buf memory;
    int fd; /* -1 while all is in memory */
    const atomic_bool *gone, *ending;
};

/* gone: the client has hung up; ending: the server ends. Once one of them is set, reading the body
 * back fails: ERR_BUSY. */
void spool_init(
    struct spool *spool, const char *dir, const atomic_bool *gone, const atomic_bool *ending);
/* Before anything is written. */
void spool_want(struct spool *spool, bool keep, bool hash);
/* ERR_FULL when the disk is full, ERR_IO, ERR_DENIED, ERR_NOMEM. */
int spool_write(struct spool *spool, const void *bytes, size_t len, struct err *err);
/* The SHA-256 of the whole, if it is wanted; once. */
void spool_digest(struct spool *spool, unsigned char ret[SHA256_BYTES]);
/* The whole as a stream; once. The spool must outlive the stream. */
struct stream *spool_open(struct spool *spool, struct err *err);
void spool_release(struct spool *spool);

#endif
