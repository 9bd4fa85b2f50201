/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One header block of a tar: 512 bytes with fields at fixed places (POSIX.1-2001 pax, "ustar
 * Interchange Format"; GNU tar manual, "Basic Tar Format").
 */
#ifndef CAREEN_IMAGE_TAR_BLOCK_H
#define CAREEN_IMAGE_TAR_BLOCK_H

#include "base/err.h"
#include "base/slice.h"

enum { TAR_BLOCK_BYTES = 512, TAR_NAME_BYTES = 256 + 2 };

enum tar_format {
    TAR_V7,
    TAR_USTAR,
    TAR_STAR, /* ustar with a shorter prefix */
    TAR_GNU,
};

struct tar_block {
    enum tar_format format;
    char type;
    uint64_t size;
    char name[TAR_NAME_BYTES]; /* the prefix in front, NUL-terminated */
    char link[101];
};

/* Of bytes that stand at two places of a sparse file of the older GNU format. */
struct tar_part {
    uint64_t offset, size; /* in the file as it was */
};

bool tar_block_is_zero(const unsigned char block[TAR_BLOCK_BYTES]);
/* ERR_FORMAT: a wrong checksum, or a size that is no number from 0 to 2^62. */
int tar_block_decode(
    const unsigned char block[TAR_BLOCK_BYTES], struct tar_block *ret, struct err *err);

/* A field of a number: octal digits, or base 256 when its first bit is set. False for anything
 * else, negative numbers, and those over 2^62. */
bool tar_number(const unsigned char *field, size_t len, uint64_t *ret);
/* A field of text: up to its first NUL. */
struct slice tar_text(const unsigned char *field, size_t len);

#endif
