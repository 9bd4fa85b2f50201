/* SPDX-License-Identifier: Apache-2.0 */
/* Growing buffers; see buf.h. */
#include "base/buf.h"

#include <stdarg.h>

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = ERR_NONE;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_reserve_more(struct buf *buf, size_t len)
{
    size_t need, cap;
    char *moved;

    if (buf->failed)
        return NULL;
    if (len > buf->max || buf->len > buf->max - len) {
        buf->failed = ERR_LIMIT;
        return NULL;
    }
    if (__builtin_add_overflow(buf->len + len, 1u, &need)) {
        buf->failed = ERR_NOMEM;
        return NULL;
    }
    cap = buf->cap ? buf->cap * 2 : 256;
    if (cap < need)
        cap = need;
    if (cap - 1 > buf->max)
        cap = buf->max + 1; /* no less than need */
    moved = realloc(buf->data, cap);
    if (!moved) {
        buf->failed = ERR_NOMEM;
        return NULL;
    }
    buf->data = moved;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
    return buf->data + buf->len;
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[20];
    size_t at = sizeof(digits);

    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10)
        digits[--at] = pairs[2 * value + 1];
    digits[--at] = (char)(value >= 10 ? pairs[2 * value] : '0' + (char)value);
    buf_put(buf, digits + at, sizeof(digits) - at);
}

void buf_put_i64(struct buf *buf, int64_t value)
{
    if (value < 0) {
        buf_put_char(buf, '-');
        buf_put_u64(buf, 0u - (uint64_t)value);
    } else {
        buf_put_u64(buf, (uint64_t)value);
    }
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    int len;
    char *room;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 && buf->failed == ERR_NONE)
        buf->failed = ERR_LIMIT; /* longer than an int can say */
    if (len < 0 || !(room = buf_reserve(buf, (size_t)len)))
        return;
    va_start(args, format);
    vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->data, buf->len};
}

int buf_check(const struct buf *buf, const char *what, struct err *err)
{
    if (buf->failed == ERR_NONE)
        return 0;
    if (buf->failed == ERR_NOMEM)
        return err_nomem(err);
    return err_set(err, ERR_LIMIT, "%s is larger than the limit of %zu bytes", what, buf->max);
}
