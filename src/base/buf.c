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

char *buf_reserve(struct buf *buf, size_t len)
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
    if (need <= buf->cap)
        return buf->data + buf->len;
    cap = buf->cap ? buf->cap * 2 : 256;
    if (cap < need)
        cap = need;
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

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    char *room = buf_reserve(buf, len);

    if (!room)
        return;
    if (len)
        memcpy(room, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_put_char(struct buf *buf, char c)
{
    buf_put(buf, &c, 1);
}

void buf_put_slice(struct buf *buf, struct slice s)
{
    buf_put(buf, s.ptr, s.len);
}

void buf_put_cstr(struct buf *buf, const char *s)
{
    buf_put(buf, s, strlen(s));
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
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
