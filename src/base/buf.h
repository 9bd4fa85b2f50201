/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a ceiling and a sticky error: a row of puts is checked once, at its
 * end, with buf_check(). After a failure every further put does nothing.
 * Invariant: data[len] is NUL whenever data is not NULL.
 */
#ifndef CAREEN_BASE_BUF_H
#define CAREEN_BASE_BUF_H

#include "base/err.h"
#include "base/slice.h"

struct buf {
    char *data; /* owned; NULL while empty */
    size_t len, cap;
    size_t max;           /* ceiling on len */
    enum err_code failed; /* ERR_NONE, ERR_LIMIT or ERR_NOMEM */
};

/* A zero-initialised struct buf with max set is ready: `struct buf b = BUF_INIT(LIMIT_X);`. */
#define BUF_INIT(max_len) \
    {                     \
        .max = (max_len)  \
    }

void buf_release(struct buf *buf); /* frees; ready for use again with the same ceiling */
void buf_clear(struct buf *buf);   /* keeps the memory, forgets the content and the error */

void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_put_char(struct buf *buf, char c);
void buf_put_slice(struct buf *buf, struct slice s);
void buf_put_cstr(struct buf *buf, const char *s);
void buf_put_u64(struct buf *buf, uint64_t value); /* decimal; faster than printf */
void buf_put_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes behind buf->data + buf->len, to be written directly and then counted
 * with buf->len += n (and data[len] = 0). NULL on failure. */
char *buf_reserve(struct buf *buf, size_t len);

struct slice buf_slice(const struct buf *buf);
/* 0, or -1 with *err naming `what` and the ceiling. */
int buf_check(const struct buf *buf, const char *what, struct err *err);

#endif
