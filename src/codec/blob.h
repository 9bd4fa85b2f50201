/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob: bytes that can be read at any place: a file, a part of one, or memory. What a blob reads
 * from is not its own and must outlive it; a blob is passed and copied by value. Any number of
 * threads may read at once.
 */
#ifndef CAREEN_CODEC_BLOB_H
#define CAREEN_CODEC_BLOB_H

#include "codec/stream.h"

struct blob {
    const unsigned char *bytes; /* NULL: in the file */
    int fd;                     /* a regular file; not owned */
    uint64_t offset, size;      /* in the file; of the blob */
    const char *name;           /* for messages; kept, not copied */
};

struct blob blob_of_memory(struct slice bytes, const char *name);
/* All of an open regular file. ERR_IO. */
int blob_of_file(int fd, const char *name, struct blob *ret, struct err *err);
/* A part; ERR_FORMAT when it passes the blob's end. */
int blob_part(
    const struct blob *blob, uint64_t offset, uint64_t size, struct blob *ret, struct err *err);

/* Exactly len bytes from offset; ERR_FORMAT ("NAME ends at byte N, in the middle of ...") when
 * fewer are there, ERR_IO. */
int blob_read(const struct blob *blob, uint64_t offset, void *dst, size_t len, struct err *err);
/* From the first byte to the last. The blob is copied, what it reads from is not. */
struct stream *stream_open_blob(const struct blob *blob, struct err *err);

#endif
