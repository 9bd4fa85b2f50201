/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a ceiling and a sticky error: a row of puts is checked once, at its
 * end, with buf_check(). After a failure every further put does nothing.
 * Invariants: data[len] is NUL whenever data is not NULL; cap is at most max + 1, so that what fits
 * into the memory keeps to the ceiling, and max is never lowered while there is memory.
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

static inline void buf_put(struct buf *buf, const void *bytes, size_t len);
static inline void buf_put_char(struct buf *buf, char c);
static inline void buf_put_slice(struct buf *buf, struct slice s);
static inline void buf_put_cstr(struct buf *buf, const char *s);
void buf_put_u64(struct buf *buf, uint64_t value); /* decimal; faster than printf */
void buf_put_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes behind buf->data + buf->len, to be written directly and then counted
 * with buf->len += n (and data[len] = 0). NULL on failure. */
static inline char *buf_reserve(struct buf *buf, size_t len);

struct slice buf_slice(const struct buf *buf);
/* 0, or -1 with *err naming `what` and the ceiling. */
int buf_check(const struct buf *buf, const char *what, struct err *err);

/* ---- What every byte of every answer goes through: in line, so that lengths known to the compiler
 * cost nothing ---- */

/* For buf_reserve() alone: where there is no room yet, or none may be. */
char *buf_reserve_more(struct buf *buf, size_t len);

static inline char *buf_reserve(struct buf *buf, size_t len)
{
    if (len < buf->cap - buf->len && !buf->failed)
        return buf->data + buf->len;
    return buf_reserve_more(buf, len);
}

static inline void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    char *room = buf_reserve(buf, len);

    if (!room)
        return;
    if (len)
        memcpy(room, bytes, len);
    room[len] = '\0';
    buf->len += len;
}

static inline void buf_put_char(struct buf *buf, char c)
{
    buf_put(buf, &c, 1);
}

static inline void buf_put_slice(struct buf *buf, struct slice s)
{
    buf_put(buf, s.ptr, s.len);
}

static inline void buf_put_cstr(struct buf *buf, const char *s)
{
    buf_put(buf, s, strlen(s));
}

#endif
