/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars for tests, block by block, right or wrong as the test likes: put_header() and put_data()
 * append to a buffer, tar_put_file() and its like do both.
 */
#ifndef CAREEN_TESTS_TAR_MAKE_H
#define CAREEN_TESTS_TAR_MAKE_H

#include "base/buf.h"

#define TAR_MAKE_MAGIC_USTAR \
    "ustar\0"                \
    "00"
#define TAR_MAKE_MAGIC_GNU "ustar  \0"

/* Writes the checksum of a header that is else complete. */
static inline void tar_seal(unsigned char block[512])
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
}

static inline void tar_header(
    unsigned char block[512], const char *name, char type, uint64_t size, const char *link)
{
    memset(block, 0, 512);
    memcpy(block, name, strnlen(name, 100));
    memcpy(block + 157, link, strnlen(link, 100));
    snprintf((char *)block + 124, 12, "%011llo", (unsigned long long)size);
    block[156] = (unsigned char)type;
    memcpy(block + 257, TAR_MAKE_MAGIC_USTAR, 8);
    tar_seal(block);
}

static inline void tar_put_data(struct buf *out, struct slice data)
{
    static const char zeros[512];

    buf_put_slice(out, data);
    buf_put(out, zeros, (512 - data.len % 512) % 512);
}

static inline void tar_put(
    struct buf *out, const char *name, char type, struct slice data, const char *link)
{
    unsigned char block[512];

    tar_header(block, name, type, data.len, link);
    buf_put(out, block, 512);
    tar_put_data(out, data);
}

static inline void tar_put_file(struct buf *out, const char *name, struct slice data)
{
    tar_put(out, name, '0', data, "");
}

static inline void tar_put_end(struct buf *out)
{
    static const char zeros[1024];

    buf_put(out, zeros, sizeof(zeros));
}

#endif
