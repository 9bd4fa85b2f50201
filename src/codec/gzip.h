/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing with gzip (RFC 1952), quickly rather than tightly: answers are packed while somebody
 * waits for them. A packer is used by one thread at a time, for one member after the other; it
 * holds 170 KiB, so whoever needs one often keeps it.
 */
#ifndef CAREEN_CODEC_GZIP_H
#define CAREEN_CODEC_GZIP_H

#include "base/buf.h"

struct gzip;

enum gzip_then {
    GZIP_FLUSH, /* what was put so far can be unpacked from what came out so far */
    GZIP_END    /* the member ends; the next put begins another one */
};

struct gzip *gzip_new(struct err *err); /* ERR_NOMEM */
void gzip_free(struct gzip *gzip);      /* accepts NULL */
/* Forgets a member that was begun and not ended. */
void gzip_reset(struct gzip *gzip);
/* Appends the packed bytes to *out, whose error sticks as ever (buf_check). */
void gzip_put(struct gzip *gzip, struct slice bytes, enum gzip_then then, struct buf *out);

#endif
