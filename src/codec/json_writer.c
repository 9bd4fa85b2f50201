/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON writer; see json_writer.h. Every answer of the API goes through here, so a string that
 * needs no escape - nearly all - costs one scan and one copy.
 */
#include "codec/json_writer.h"

#include "base/bug.h"
#include "base/utf8.h"
#include "codec/json_plain.h"

enum { DEPTH_MAX = 60 };

void json_writer_init(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

static uint64_t level_bit(const struct json_writer *w)
{
    return (uint64_t)1 << w->depth;
}

/* What comes before a value: nothing behind a key, else a comma where one is due. */
static void before_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    BUG_ON(w->is_object & level_bit(w));
    if (w->has_member & level_bit(w)) {
        BUG_ON(w->depth == 0); /* a second value */
        buf_put_char(w->out, ',');
    }
    w->has_member |= level_bit(w);
}

static void begin(struct json_writer *w, char bracket)
{
    before_value(w);
    BUG_ON(w->depth >= DEPTH_MAX);
    buf_put_char(w->out, bracket);
    w->depth++;
    w->has_member &= ~level_bit(w);
    w->is_object &= ~level_bit(w);
}

static void end(struct json_writer *w, char bracket)
{
    BUG_ON(w->depth == 0 || w->after_key);
    buf_put_char(w->out, bracket);
    w->depth--;
}

void json_write_begin_object(struct json_writer *w)
{
    begin(w, '{');
    w->is_object |= level_bit(w);
}

void json_write_end_object(struct json_writer *w)
{
    BUG_ON(!(w->is_object & level_bit(w)));
    end(w, '}');
}

void json_write_begin_array(struct json_writer *w)
{
    begin(w, '[');
}

void json_write_end_array(struct json_writer *w)
{
    BUG_ON(w->is_object & level_bit(w));
    end(w, ']');
}

/* One character that is not plain at the start of s; returns the bytes of s that it took. */
static size_t put_special(struct buf *out, struct slice s)
{
    static const char values[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    char c = s.ptr[0];
    const char *found = c ? strchr(values, c) : NULL;
    size_t n;

    if (found) {
        buf_put_char(out, '\\');
        buf_put_char(out, letters[found - values]);
        return 1;
    }
    if ((unsigned char)c < 0x20) {
        buf_printf(out, "\\u%04x", (unsigned)c);
        return 1;
    }
    n = utf8_sequence(s);
    if (n == 0) {
        buf_put_cstr(out, "\xef\xbf\xbd");
        return 1;
    }
    buf_put(out, s.ptr, n);
    return n;
}

static void put_string(struct buf *out, struct slice s)
{
    size_t n = json_plain_len(s.ptr, s.len);

    buf_put_char(out, '"');
    for (;;) {
        buf_put(out, s.ptr, n);
        s = slice_skip(s, n);
        if (s.len == 0)
            break;
        n = put_special(out, s);
        s = slice_skip(s, n);
        n = json_plain_len(s.ptr, s.len);
    }
    buf_put_char(out, '"');
}

/* Whether a comma is due before the key; the caller writes it, the key and a value. */
static bool before_key(struct json_writer *w)
{
    bool comma = w->has_member & level_bit(w);

    BUG_ON(w->after_key || !(w->is_object & level_bit(w)));
    w->has_member |= level_bit(w);
    return comma;
}

/* `,"key":`, of which the comma is left out where none is due; returns where it ends. */
static char *put_key(char *at, bool comma, struct slice key)
{
    at[0] = ',';
    at += comma;
    *at++ = '"';
    memcpy(at, key.ptr, key.len);
    at += key.len;
    *at++ = '"';
    *at++ = ':';
    return at;
}

enum { KEY_MARKS = 4, STRING_MARKS = 2 };

void json_write_key_of(struct json_writer *w, struct slice key)
{
    bool comma = before_key(w);
    char *room = buf_reserve(w->out, key.len + KEY_MARKS);

    w->after_key = true;
    if (!room)
        return;
    *put_key(room, comma, key) = '\0';
    w->out->len += key.len + KEY_MARKS - !comma;
}

void json_write_key_slice(struct json_writer *w, struct slice key)
{
    if (before_key(w))
        buf_put_char(w->out, ',');
    w->after_key = true;
    put_string(w->out, key);
    buf_put_char(w->out, ':');
}

void json_write_string(struct json_writer *w, struct slice s)
{
    before_value(w);
    put_string(w->out, s);
}

void json_write_i64(struct json_writer *w, int64_t value)
{
    before_value(w);
    buf_put_i64(w->out, value);
}

void json_write_i64_string(struct json_writer *w, int64_t value)
{
    before_value(w);
    buf_put_char(w->out, '"');
    buf_put_i64(w->out, value);
    buf_put_char(w->out, '"');
}

void json_write_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buf_put_cstr(w->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
    before_value(w);
    buf_put_cstr(w->out, "null");
}

void json_write_json(struct json_writer *w, const char *json)
{
    before_value(w);
    buf_put_cstr(w->out, json);
}

void json_write_members(struct json_writer *w, struct slice members)
{
    BUG_ON(w->after_key || !(w->is_object & level_bit(w)));
    if (members.len == 0)
        return;
    if (w->has_member & level_bit(w))
        buf_put_char(w->out, ',');
    w->has_member |= level_bit(w);
    buf_put_slice(w->out, members);
}

/* Nearly every string is plain: one reservation then. */
void json_write_member_of(struct json_writer *w, struct slice key, struct slice value)
{
    char *room, *at;
    bool comma;

    if (json_plain_len(value.ptr, value.len) < value.len) {
        json_write_key_of(w, key);
        json_write_string(w, value);
        return;
    }
    comma = before_key(w);
    room = buf_reserve(w->out, key.len + KEY_MARKS + value.len + STRING_MARKS);
    if (!room)
        return;
    at = put_key(room, comma, key);
    *at++ = '"';
    if (value.len)
        memcpy(at, value.ptr, value.len);
    at += value.len;
    *at++ = '"';
    *at = '\0';
    w->out->len += (size_t)(at - room);
}

void json_write_member_u64(struct json_writer *w, const char *key, uint64_t value)
{
    json_write_key(w, key);
    json_write_i64(w, (int64_t)value);
}
