/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is put together on the stack: every value has its ceiling, so the line has one too, and
 * nothing is allocated. The access log is on the path of every request: hence no printf, and runs
 * of plain characters are copied. log_output.c writes the line.
 */
#include "base/log.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/log_output.h"
#include "base/utf8.h"

#include <stdarg.h>

static int max_level = LOG_INFO, line_format = LOG_LOGFMT; /* atomic */

void log_set_level(enum log_level level)
{
    __atomic_store_n(&max_level, (int)level, __ATOMIC_RELAXED);
}

void log_set_format(enum log_format format)
{
    __atomic_store_n(&line_format, (int)format, __ATOMIC_RELAXED);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= __atomic_load_n(&max_level, __ATOMIC_RELAXED);
}

/* --- Values ----------------------------------------------------------------------------------- */

enum { BARE = 1, PLAIN = 2 }; /* needs neither quotes nor escape; at least no escape */

/* By ASCII character. */
static unsigned char kind_of(unsigned char c)
{
    if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
        return 0;
    return c == ' ' || c == '=' ? PLAIN : BARE | PLAIN;
}

static unsigned char kinds[256];

__attribute__((constructor)) static void fill_kinds(void)
{
    for (unsigned c = 0; c < 256; c++)
        kinds[c] = kind_of((unsigned char)c);
}

static bool is_bare(struct slice s)
{
    unsigned char all = BARE;

    for (size_t i = 0; i < s.len; i++)
        all &= kinds[(unsigned char)s.ptr[i]];
    return s.len && all;
}

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static char *put_cstr(char *at, const char *text)
{
    return put(at, text, strlen(text));
}

static char *put_unicode_escape(char *at, unsigned code)
{
    static const char digits[] = "0123456789abcdef";

    *at++ = '\\';
    *at++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = digits[code >> shift & 15];
    return at;
}

enum { UNIT_CHARS = 6 }; /* "\u001b" */

static unsigned decode_three(const unsigned char *c)
{
    return (c[0] & 15u) << 12 | (c[1] & 63u) << 6 | (c[2] & 63u);
}

/* What the text begins with, a code point or a byte that is none; returns the bytes it took. What
 * utf8_is_line() refuses has two or three bytes in UTF-8. */
static size_t escape_unit(struct slice s, char unit[UNIT_CHARS], size_t *ret_len)
{
    const unsigned char *c = (const unsigned char *)s.ptr;
    static const char short_names[] = "\"\"\\\\\nn\rr\tt";
    size_t took = utf8_sequence(s);

    if (took == 1)
        for (const char *name = short_names; *name; name += 2)
            if (*name == s.ptr[0]) {
                unit[0] = '\\';
                unit[1] = name[1];
                *ret_len = 2;
                return 1;
            }
    *ret_len = UNIT_CHARS;
    if (took == 0) {
        put_unicode_escape(unit, 0xfffd);
        return 1;
    }
    if (took == 4 || utf8_is_line((struct slice){s.ptr, took})) {
        *ret_len = took;
        memcpy(unit, s.ptr, took);
    } else {
        put_unicode_escape(unit, took == 1   ? c[0]
                                 : took == 2 ? (c[0] & 31u) << 6 | (c[1] & 63u)
                                             : decode_three(c));
    }
    return took;
}

/* At most LOG_TEXT_CHARS characters between the quotes. */
static char *put_quoted(char *at, struct slice s)
{
    char *last;

    *at++ = '"';
    last = at + LOG_TEXT_CHARS - 3;
    for (size_t i = 0; i < s.len;) {
        char unit[UNIT_CHARS];
        size_t took = 1, len;

        if (kinds[(unsigned char)s.ptr[i]] && at < last) {
            *at++ = s.ptr[i++];
            continue;
        }
        took = escape_unit(slice_skip(s, i), unit, &len);
        if (at + len > last) {
            at = put(at, "...", 3);
            break;
        }
        at = put(at, unit, len);
        i += took;
    }
    *at++ = '"';
    return at;
}

static char *put_text(char *at, enum log_format format, struct slice text)
{
    if (format == LOG_LOGFMT && text.len <= LOG_TEXT_CHARS && is_bare(text))
        return put(at, text.ptr, text.len);
    return put_quoted(at, text);
}

static char *put_number(char *at, int64_t number)
{
    char digits[20];
    size_t from = sizeof(digits);
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do
        digits[--from] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *at++ = '-';
    return put(at, digits + from, sizeof(digits) - from);
}

/* --- Lines ------------------------------------------------------------------------------------ */

static char *put_key(char *at, enum log_format format, const char *key)
{
    size_t len = strlen(key);

    BUG_ON(len > LOG_KEY_CHARS);
    at = format == LOG_JSON ? put(at, ",\"", 2) : put(at, " ", 1);
    at = put(at, key, len);
    return format == LOG_JSON ? put(at, "\":", 2) : put(at, "=", 1);
}

size_t log_format_event(enum log_format format, enum log_level level, int64_t time_ms,
    const char *event, const struct log_field *fields, size_t count, char dst[LOG_LINE_BYTES])
{
    static const char *const levels[][2] = {
        {" level=error msg=", "\",\"level\":\"error\",\"msg\":"},
        {" level=warn msg=", "\",\"level\":\"warn\",\"msg\":"},
        {" level=info msg=", "\",\"level\":\"info\",\"msg\":"},
        {" level=debug msg=", "\",\"level\":\"debug\",\"msg\":"},
    };
    char *at = put_cstr(dst, format == LOG_JSON ? "{\"time\":\"" : "time=");

    BUG_ON(count > LOG_FIELDS_MAX);
    at += strlen(clock_format(time_ms, at));
    at = put_cstr(at, levels[level][format]);
    at = put_text(at, format, slice_of(event));
    for (size_t i = 0; i < count; i++) {
        at = put_key(at, format, fields[i].key);
        at = fields[i].is_number ? put_number(at, fields[i].number)
                                 : put_text(at, format, fields[i].text);
    }
    if (format == LOG_JSON)
        *at++ = '}';
    *at++ = '\n';
    return (size_t)(at - dst);
}

static void write_event(enum log_level level, const char *event, const struct log_field *fields,
    size_t count, bool may_wait)
{
    enum log_format format = (enum log_format)__atomic_load_n(&line_format, __ATOMIC_RELAXED);
    char line[LOG_LINE_BYTES];

    if (log_enabled(level))
        log_output(line,
            log_format_event(format, level, clock_now_ms(), event, fields, count, line), may_wait);
}

void log_event(
    enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    write_event(level, event, fields, count, false);
}

void log_event_soon(
    enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    write_event(level, event, fields, count, true);
}

void log_line(enum log_level level, const char *format, ...)
{
    char text[LOG_TEXT_CHARS + 1];
    va_list args;
    int wrote;

    if (!log_enabled(level))
        return;
    va_start(args, format);
    wrote = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (wrote >= 0)
        log_event(level, text, NULL, 0);
}
