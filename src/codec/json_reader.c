/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader's structure: which byte may follow which, the levels entered, the key path of
 * messages, and the public calls. Skipping a value runs over the same few functions as walking it,
 * so what is accepted does not depend on what is looked at (a fuzzer holds it to that).
 *
 * Invariants: value_due says that a value must come next; while it is not, the position is behind a
 * value or behind an opening bracket of levels[depth - 1].
 */
#include "codec/json_internal.h"

#include <stdarg.h>

#include "base/bug.h"
#include "base/utf8.h"

enum { PATH_BYTES = 512, PATH_KEPT_BYTES = 400 };

static const char *const type_names[] = {
    [JSON_NOTHING] = "nothing",
    [JSON_OBJECT] = "an object",
    [JSON_ARRAY] = "an array",
    [JSON_STRING] = "a string",
    [JSON_NUMBER] = "a number",
    [JSON_BOOL] = "a boolean",
    [JSON_NULL] = "null",
};

static uint64_t offset_of(const struct json_reader *r)
{
    return r->window_offset + r->at;
}

static struct json_level *top(struct json_reader *r)
{
    BUG_ON(r->depth == 0);
    return &r->levels[r->depth - 1];
}

/* ---- errors ---- */

static void put_key(struct buf *path, const struct json_level *level)
{
    struct slice key = {level->key, level->key_len};
    bool printable = utf8_is_line(key);

    for (size_t i = 0; i < key.len; i++)
        buf_put_char(
            path, printable || (key.ptr[i] > 0x20 && key.ptr[i] < 0x7f) ? key.ptr[i] : '?');
    if (level->key_cut)
        buf_put_cstr(path, "...");
}

/* "Results[0].Vulnerabilities[3].PkgName: ", or nothing at the top. Of a long path the end. */
static void put_path(struct buf *path, const struct json_reader *r)
{
    size_t kept = 0;
    unsigned first = r->depth;

    while (first > 0 && kept < PATH_KEPT_BYTES - JSON_KEY_KEPT_BYTES)
        kept += r->levels[--first].key_len + 4u;
    if (first > 0)
        buf_put_cstr(path, "...");
    for (unsigned i = first; i < r->depth; i++) {
        const struct json_level *level = &r->levels[i];

        if (level->container == JSON_IN_OBJECT && level->key_len) {
            if (i > first)
                buf_put_char(path, '.');
            put_key(path, level);
        }
        if (level->container == JSON_IN_ARRAY && level->members)
            buf_printf(path, "[%llu]", (unsigned long long)level->members - 1);
    }
    if (path->len)
        buf_put_cstr(path, ": ");
}

__attribute__((format(printf, 4, 0))) static void fail_va(
    struct json_reader *r, enum err_code code, uint64_t offset, const char *format, va_list args)
{
    struct buf path = BUF_INIT(PATH_BYTES);
    char message[640];

    if (r->failed)
        return;
    put_path(&path, r);
    vsnprintf(message, sizeof(message), format, args);
    err_set(&r->error, code, "%s%s at byte %llu", path.data ? path.data : "", message,
        (unsigned long long)offset);
    buf_release(&path);
    r->failed = r->ended = true;
    r->end = r->at;
}

bool json_fail_at(
    struct json_reader *r, enum err_code code, uint64_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_va(r, code, offset, format, args);
    va_end(args);
    return false;
}

bool json_fail_end(struct json_reader *r, const char *what)
{
    return json_fail_at(
        r, ERR_FORMAT, r->window_offset + r->end, "the document ends in the middle of %s", what);
}

void json_fail(struct json_reader *r, enum err_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_va(r, code, r->value_start, format, args);
    va_end(args);
}

void json_fail_with(struct json_reader *r, const struct err *why)
{
    if (r->failed)
        return;
    r->error = *why;
    r->failed = r->ended = true;
    r->end = r->at;
}

static enum json_type type_of(char c)
{
    switch (c) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_NOTHING;
    }
}

/* Fails: something else than `expected` stands at r->at. */
static bool unexpected(struct json_reader *r, const char *expected)
{
    char c = r->window[r->at];
    enum json_type type = type_of(c);

    if (type == JSON_OBJECT || type == JSON_ARRAY || type == JSON_STRING || type == JSON_NUMBER)
        return json_fail_at(
            r, ERR_FORMAT, offset_of(r), "expected %s, found %s", expected, type_names[type]);
    if (c > 0x20 && c < 0x7f)
        return json_fail_at(r, ERR_FORMAT, offset_of(r), "expected %s, found '%c'", expected, c);
    return json_fail_at(r, ERR_FORMAT, offset_of(r), "expected %s, found byte 0x%02x", expected,
        (unsigned)(unsigned char)c);
}

static bool ends_inside(struct json_reader *r)
{
    if (r->depth)
        return json_fail_end(r, top(r)->container == JSON_IN_ARRAY ? "an array" : "an object");
    return json_fail_at(r, ERR_FORMAT, r->window_offset + r->end,
        r->window_offset + r->end ? "the document has no value, only blanks: it ends"
                                  : "the document is empty: it ends");
}

/* ---- structure ---- */

/* The encoding, by byte order mark or, since JSON starts with two ASCII characters nearly always,
 * by where the NUL bytes are. */
static bool start(struct json_reader *r)
{
    unsigned char b[4] = {0};
    size_t len = json_need(r, sizeof(b));
    const char *refused = NULL;

    r->started = true;
    memcpy(b, r->window + r->at, len < sizeof(b) ? len : sizeof(b));
    if (len >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf)
        r->at += 3;
    else if (len >= 4 && ((b[0] == 0xff && b[1] == 0xfe && b[2] == 0 && b[3] == 0) ||
                             (b[0] == 0 && b[1] == 0 && (b[2] == 0xfe || b[2] == 0)) ||
                             (b[1] == 0 && b[2] == 0 && b[3] == 0)))
        refused = "UTF-32";
    else if (len >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff) ||
                             (b[0] == 0) != (b[1] == 0)))
        refused = "UTF-16";
    if (refused)
        return json_fail_at(r, ERR_UNSUPPORTED, 0,
            "the document is in %s; convert it to UTF-8: it starts", refused);
    return !r->failed;
}

enum json_type json_peek(struct json_reader *r)
{
    enum json_type type;

    if (r->failed || !r->value_due || (!r->started && !start(r)))
        return JSON_NOTHING;
    if (!json_skip_blanks(r)) {
        ends_inside(r);
        return JSON_NOTHING;
    }
    r->value_start = offset_of(r);
    type = type_of(r->window[r->at]);
    if (type == JSON_NOTHING) {
        char c = (char)(r->window[r->at] | 0x20);
        bool ignored;

        if (c >= 'a' && c <= 'z')
            json_text_word(r, &ignored);
        else
            unexpected(r, "a value");
    }
    return type;
}

/* The type of the value that is to be consumed now. */
static enum json_type value_type(struct json_reader *r)
{
    BUG_ON(!r->failed && !r->value_due);
    return json_peek(r);
}

/* Fails: the value at r->at is whole, but not `expected`. */
static bool mismatch(struct json_reader *r, const char *expected, enum json_type found)
{
    bool ignored;

    if (found == JSON_NOTHING || (found == JSON_BOOL && !json_text_word(r, &ignored)))
        return false;
    return json_fail_at(
        r, ERR_INVALID, r->value_start, "expected %s, found %s", expected, type_names[found]);
}

static bool take_null(struct json_reader *r)
{
    bool ignored;

    if (json_text_word(r, &ignored) != JSON_NULL)
        return false;
    r->value_due = false;
    return true;
}

static bool push(struct json_reader *r, enum json_container container)
{
    struct json_level *level;

    if (r->depth == LIMIT_JSON_DEPTH)
        return json_fail_at(r, ERR_LIMIT, r->value_start,
            "the document is nested deeper than the limit of %d levels", LIMIT_JSON_DEPTH);
    level = &r->levels[r->depth++];
    level->container = container;
    level->members = 0;
    level->key_len = 0;
    level->key_cut = false;
    r->value_due = false;
    return true;
}

static bool begin(struct json_reader *r, enum json_type wanted, enum json_container container)
{
    enum json_type type = value_type(r);

    if (type == JSON_NULL)
        return take_null(r) && push(r, JSON_IN_NULL);
    if (type != wanted)
        return mismatch(r, type_names[wanted], type);
    if (!push(r, container))
        return false;
    r->at++;
    return true;
}

/* Moves to the next member of the level entered last: behind the comma where one is due. False at
 * the end, which leaves the level, and on error. */
static bool next_member(struct json_reader *r, char closing, const char *expected)
{
    struct json_level *level = top(r);
    char c;

    BUG_ON(r->value_due);
    if (level->container == JSON_IN_NULL) {
        r->depth--;
        return false;
    }
    if (!json_skip_blanks(r))
        return ends_inside(r);
    c = r->window[r->at];
    if (c == closing) {
        r->at++;
        r->depth--;
        return false;
    }
    if (level->members) {
        if (c != ',')
            return unexpected(r, expected);
        r->at++;
    }
    level->members++;
    return true;
}

/* Keeps the start of the key for the path, cut between code points. */
static void keep_key(struct json_level *level, struct slice key)
{
    size_t n = key.len;

    if (n > sizeof(level->key)) {
        n = sizeof(level->key);
        while (n > 0 && ((unsigned char)key.ptr[n] & 0xc0) == 0x80)
            n--;
    }
    if (n)
        memcpy(level->key, key.ptr, n);
    level->key_len = (unsigned char)n;
    level->key_cut = n < key.len;
}

static bool next_key(struct json_reader *r, enum json_keep keep, struct slice *ret_key)
{
    struct json_level *level = top(r);

    if (!next_member(r, '}', "',' or '}'"))
        return false;
    level->key_len = 0;
    level->key_cut = false;
    if (!json_skip_blanks(r))
        return ends_inside(r);
    if (r->window[r->at] != '"')
        return unexpected(r, "a key in quotes");
    if (!json_text_string(r, "a key", keep, ret_key))
        return false;
    keep_key(level, *ret_key);
    if (level->key_cut && keep == JSON_KEEP_ALL) {
        buf_clear(&r->key);
        buf_put_slice(&r->key, *ret_key);
        if (r->key.failed)
            return json_fail_at(r, ERR_NOMEM, offset_of(r), "out of memory for a key");
        *ret_key = buf_slice(&r->key);
    } else {
        *ret_key = (struct slice){level->key, level->key_len};
    }
    if (!json_skip_blanks(r))
        return ends_inside(r);
    if (r->window[r->at] != ':')
        return unexpected(r, "':' behind a key");
    r->at++;
    r->value_due = true;
    return true;
}

static bool next_element(struct json_reader *r)
{
    if (!next_member(r, ']', "',' or ']'"))
        return false;
    r->value_due = true;
    return true;
}

static bool skip_scalar(struct json_reader *r, enum json_type type)
{
    struct slice ignored;
    bool ignored_value;

    if (type == JSON_STRING   ? !json_text_string(r, "a string", JSON_KEEP_START, &ignored)
        : type == JSON_NUMBER ? !json_text_number(r, &ignored)
                              : json_text_word(r, &ignored_value) == JSON_NOTHING)
        return false;
    r->value_due = false;
    return true;
}

/* ---- public ---- */

struct json_reader *json_reader_new(struct stream *in, struct err *err)
{
    struct json_reader *r = malloc(sizeof(*r));

    if (!r) {
        err_nomem(err);
        return NULL;
    }
    memset(r, 0, offsetof(struct json_reader, levels)); /* the rest is set before it is read */
    r->in = in;
    r->value_due = true;
    r->text.max = r->key.max = LIMIT_JSON_STRING_BYTES;
    return r;
}

void json_reader_free(struct json_reader *r)
{
    if (!r)
        return;
    buf_release(&r->text);
    buf_release(&r->key);
    free(r);
}

void json_reader_cleanup(struct json_reader **r)
{
    json_reader_free(*r);
}

bool json_begin_object(struct json_reader *r)
{
    return begin(r, JSON_OBJECT, JSON_IN_OBJECT);
}

bool json_begin_array(struct json_reader *r)
{
    return begin(r, JSON_ARRAY, JSON_IN_ARRAY);
}

bool json_next_key(struct json_reader *r, struct slice *ret_key)
{
    *ret_key = SLICE_NONE;
    if (r->failed)
        return false;
    BUG_ON(top(r)->container == JSON_IN_ARRAY);
    if (next_key(r, JSON_KEEP_ALL, ret_key))
        return true;
    *ret_key = SLICE_NONE;
    return false;
}

bool json_next_element(struct json_reader *r)
{
    if (r->failed)
        return false;
    BUG_ON(top(r)->container == JSON_IN_OBJECT);
    return next_element(r);
}

bool json_peek_string(struct json_reader *r, struct slice *ret)
{
    enum json_type type = value_type(r);

    *ret = SLICE_NONE;
    if (type == JSON_NULL)
        return take_null(r);
    if (type != JSON_STRING)
        return mismatch(r, "a string", type);
    if (!json_text_string(r, "a string", JSON_KEEP_ALL, ret))
        return false;
    r->value_due = false;
    return true;
}

bool json_read_string(struct json_reader *r, struct arena *arena, struct slice *ret)
{
    struct slice seen;
    struct err err;

    *ret = SLICE_NONE;
    if (!json_peek_string(r, &seen))
        return false;
    if (seen.ptr && arena_dup(arena, seen, ret, &err) != 0) {
        json_fail_with(r, &err);
        return false;
    }
    return true;
}

bool json_peek_number(struct json_reader *r, struct slice *ret)
{
    enum json_type type = value_type(r);

    *ret = SLICE_NONE;
    if (type == JSON_NULL)
        return take_null(r);
    if (type != JSON_NUMBER)
        return mismatch(r, "a number", type);
    if (!json_text_number(r, ret))
        return false;
    r->value_due = false;
    return true;
}

bool json_read_i64(struct json_reader *r, int64_t *ret)
{
    struct slice number;
    enum json_type type = value_type(r);

    if (type != JSON_NUMBER && type != JSON_NULL)
        return mismatch(r, "an integer", type);
    if (!json_peek_number(r, &number))
        return false;
    if (type == JSON_NULL || slice_to_i64(number, ret))
        return true;
    return json_fail_at(r, ERR_INVALID, r->value_start,
        "expected an integer of 64 bits, found %.*s", SLICE_FMT(slice_sub(number, 0, 60)));
}

bool json_read_bool(struct json_reader *r, bool *ret)
{
    enum json_type type = value_type(r);
    bool value;

    if (type == JSON_NULL)
        return take_null(r);
    if (type != JSON_BOOL)
        return mismatch(r, "a boolean", type);
    if (json_text_word(r, &value) == JSON_NOTHING)
        return false;
    r->value_due = false;
    *ret = value;
    return true;
}

bool json_skip(struct json_reader *r)
{
    unsigned base = r->depth;
    struct slice ignored;

    do {
        enum json_type type = value_type(r);

        if (type == JSON_NOTHING)
            return false;
        if (type == JSON_OBJECT || type == JSON_ARRAY) {
            if (!push(r, type == JSON_OBJECT ? JSON_IN_OBJECT : JSON_IN_ARRAY))
                return false;
            r->at++;
        } else if (!skip_scalar(r, type)) {
            return false;
        }
        while (r->depth > base && !r->failed && !r->value_due)
            if (top(r)->container == JSON_IN_OBJECT)
                next_key(r, JSON_KEEP_START, &ignored);
            else
                next_element(r);
    } while (r->depth > base && !r->failed);
    return !r->failed;
}

uint64_t json_offset(const struct json_reader *r)
{
    return offset_of(r);
}

bool json_failed(const struct json_reader *r)
{
    return r->failed;
}

int json_reader_finish(struct json_reader *r, struct err *err)
{
    if (r->value_due)
        json_peek(r); /* sets the error of an empty document */
    if (!r->failed) {
        if (json_skip_blanks(r))
            unexpected(r, "the end of the document");
        else if (r->depth)
            ends_inside(r);
    }
    if (!r->failed)
        return 0;
    *err = r->error;
    return -1;
}
