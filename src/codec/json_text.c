/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of JSON: the window over the stream, and what stands between the brackets (RFC 8259,
 * sections 6 and 7). Strings are read in pieces - plain runs, one escape, one UTF-8 sequence - so
 * that a skipped string of any length costs no memory and a read one is copied once at most.
 */
#include "codec/json_internal.h"

#include "base/bug.h"
#include "base/utf8.h"
#include "codec/hash.h"
#include "codec/json_plain.h"

enum { NEED_MAX = 4096, WORD_MAX = 24 };

/* Reads more behind what is not used yet, which moves to the front where the window is full. */
static bool read_more(struct json_reader *r)
{
    size_t got;

    if (r->ended)
        return false;
    if (r->at == r->end || r->end == sizeof(r->window)) {
        memmove(r->window, r->window + r->at, r->end - r->at);
        r->window_offset += r->at;
        r->end -= r->at;
        r->at = 0;
    }
    if (stream_read(r->in, r->window + r->end, sizeof(r->window) - r->end, &got, &r->error) != 0) {
        r->failed = r->ended = true;
        r->end = r->at;
        return false;
    }
    r->end += got;
    r->ended = got == 0;
    return got > 0;
}

size_t json_need(struct json_reader *r, size_t need)
{
    BUG_ON(need > NEED_MAX);
    while (r->end - r->at < need)
        if (!read_more(r))
            break;
    return r->end - r->at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool json_skip_blanks(struct json_reader *r)
{
    for (;;) {
        size_t at = r->at, end = r->end;

        while (at < end && is_blank(r->window[at]))
            at++;
        r->at = at;
        if (at < end)
            return true;
        if (!read_more(r))
            return false;
    }
}

/* ---- strings ---- */

static uint64_t offset_of(const struct json_reader *r)
{
    return r->window_offset + r->at;
}

/* The code unit of "\uXXXX" at p, or -1 when it is none. */
static int32_t escaped_unit(const char *p, size_t len)
{
    int32_t unit = 0;

    if (len < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_value(p[i]);

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* "\uXXXX" at r->at, two of them where they are a surrogate pair; half a pair becomes U+FFFD. */
static bool unicode_escape(struct json_reader *r, const char *what, char dst[4], size_t *ret_len)
{
    size_t len = json_need(r, 12);
    const char *p = r->window + r->at;
    int32_t unit = escaped_unit(p, len), low;
    uint32_t code_point;

    if (unit < 0) {
        for (size_t i = 2; i < len && i < 6; i++)
            if (hex_value(p[i]) < 0)
                return json_fail_at(r, ERR_FORMAT, offset_of(r),
                    "broken escape in %s: four hex digits must follow \\u", what);
        return json_fail_end(r, what);
    }
    r->at += 6;
    code_point = (uint32_t)unit;
    if (unit >= 0xd800 && unit < 0xdc00) {
        low = escaped_unit(p + 6, len - 6);
        if (low >= 0xdc00 && low < 0xe000) {
            code_point = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            r->at += 6;
        } else {
            code_point = 0xfffd;
        }
    } else if (unit >= 0xdc00 && unit < 0xe000) {
        code_point = 0xfffd;
    }
    *ret_len = utf8_encode(code_point, dst);
    return true;
}

static bool escape(struct json_reader *r, const char *what, char dst[4], size_t *ret_len)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char letter;

    if (json_need(r, 2) < 2)
        return json_fail_end(r, what);
    letter = r->window[r->at + 1];
    if (letter == 'u')
        return unicode_escape(r, what, dst, ret_len);
    found = letter ? strchr(letters, letter) : NULL;
    if (!found)
        return json_fail_at(r, ERR_FORMAT, offset_of(r), "unknown escape in %s", what);
    dst[0] = values[found - letters];
    *ret_len = 1;
    r->at += 2;
    return true;
}

/* At the end of a document: the start of a UTF-8 sequence, with nothing behind it? */
static bool is_cut_sequence(struct slice rest)
{
    unsigned char lead = (unsigned char)rest.ptr[0];

    if (lead < 0xc2 || lead > 0xf4 || rest.len >= (lead >= 0xf0 ? 4u : lead >= 0xe0 ? 3u : 2u))
        return false;
    for (size_t i = 1; i < rest.len; i++)
        if (((unsigned char)rest.ptr[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* What is not plain at r->at: an escape (decoded into dst), or a UTF-8 sequence (copied there). */
static bool special_piece(struct json_reader *r, const char *what, char dst[4], size_t *ret_len)
{
    char c = r->window[r->at];
    struct slice rest;
    size_t n;

    if (c == '\\')
        return escape(r, what, dst, ret_len);
    if ((unsigned char)c < 0x20)
        return json_fail_at(r, ERR_FORMAT, offset_of(r),
            "control character 0x%02x in %s; it must be escaped", (unsigned)c, what);
    rest.len = json_need(r, 4);
    rest.ptr = r->window + r->at;
    n = utf8_sequence(rest);
    if (n == 0 && rest.len < 4 && is_cut_sequence(rest))
        return json_fail_end(r, what);
    if (n == 0)
        return json_fail_at(r, ERR_FORMAT, offset_of(r), "%s is not UTF-8", what);
    memcpy(dst, rest.ptr, n);
    *ret_len = n;
    r->at += n;
    return true;
}

/* Takes the run of plain bytes at r->at, which may be empty. False where the document ends. */
static bool plain_piece(struct json_reader *r, const char *what, struct slice *ret)
{
    if (r->at == r->end && !read_more(r))
        return json_fail_end(r, what);
    ret->ptr = r->window + r->at;
    ret->len = json_plain_len(ret->ptr, r->end - r->at);
    r->at += ret->len;
    return true;
}

static void put_piece(struct json_reader *r, enum json_keep keep, struct slice piece)
{
    if (keep == JSON_KEEP_ALL)
        buf_put_slice(&r->text, piece);
    else if (r->text.len <= JSON_KEY_KEPT_BYTES)
        buf_put_slice(&r->text, slice_sub(piece, 0, JSON_KEY_KEPT_BYTES + 1));
}

static bool too_long(struct json_reader *r, uint64_t start, const char *what)
{
    if (r->text.failed == ERR_NOMEM)
        return json_fail_at(r, ERR_NOMEM, start, "out of memory for %s", what);
    return json_fail_at(r, ERR_LIMIT, start, "%s is longer than the limit of %d bytes", what,
        LIMIT_JSON_STRING_BYTES);
}

/* The string into r->text, whole or its start only; r->at is behind the opening quote, which is at
 * `start`. */
static bool decode(struct json_reader *r, const char *what, enum json_keep keep, uint64_t start)
{
    struct slice run;
    char special[4];
    size_t len = 0;

    buf_clear(&r->text);
    for (;;) {
        if (!plain_piece(r, what, &run))
            return false;
        put_piece(r, keep, run);
        if (r->at < r->end && r->window[r->at] == '"')
            break;
        if (r->at < r->end) {
            if (!special_piece(r, what, special, &len))
                return false;
            put_piece(r, keep, (struct slice){special, len});
        }
        if (r->text.failed)
            return too_long(r, start, what);
    }
    r->at++;
    return r->text.failed ? too_long(r, start, what) : true;
}

bool json_text_string(
    struct json_reader *r, const char *what, enum json_keep keep, struct slice *ret)
{
    uint64_t start = offset_of(r);
    const char *text = r->window + r->at + 1;
    size_t len = json_plain_len(text, r->end - r->at - 1);

    if (r->at + 1 + len < r->end && text[len] == '"') {
        *ret = (struct slice){text, len};
        r->at += len + 2;
        return true;
    }
    r->at++;
    if (!decode(r, what, keep, start))
        return false;
    *ret = buf_slice(&r->text);
    return true;
}

/* ---- numbers and words ---- */

static size_t digits(struct slice s, size_t from)
{
    size_t i = from;

    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        i++;
    return i;
}

static bool number_too_long(struct json_reader *r)
{
    return json_fail_at(r, ERR_LIMIT, offset_of(r),
        "a number is longer than the limit of %d characters", LIMIT_JSON_NUMBER_CHARS);
}

/* Fails for a digit that should stand at position i of the number s: s ends there, or something
 * else stands there. */
static bool digit_missing(struct json_reader *r, struct slice s, size_t i)
{
    if (i == s.len)
        return i > LIMIT_JSON_NUMBER_CHARS ? number_too_long(r) : json_fail_end(r, "a number");
    return json_fail_at(r, ERR_FORMAT, offset_of(r) + i, "broken number: a digit is missing");
}

/* number = [ "-" ] int [ frac ] [ exp ] */
static bool number_length(struct json_reader *r, struct slice s, size_t *ret)
{
    size_t i = s.ptr[0] == '-', end = digits(s, i);

    if (end == i)
        return digit_missing(r, s, i);
    if (s.ptr[i] == '0' && end > i + 1)
        return json_fail_at(
            r, ERR_FORMAT, offset_of(r), "broken number: more digits follow a leading 0");
    i = end;
    if (i < s.len && s.ptr[i] == '.') {
        end = digits(s, i + 1);
        if (end == i + 1)
            return digit_missing(r, s, end);
        i = end;
    }
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'))
            i++;
        end = digits(s, i);
        if (end == i)
            return digit_missing(r, s, i);
        i = end;
    }
    *ret = i;
    return true;
}

bool json_text_number(struct json_reader *r, struct slice *ret)
{
    struct slice s = {.len = json_need(r, LIMIT_JSON_NUMBER_CHARS + 1)};
    size_t len = 0;

    s.ptr = r->window + r->at;
    if (s.len > LIMIT_JSON_NUMBER_CHARS + 1)
        s.len = LIMIT_JSON_NUMBER_CHARS + 1;
    if (r->failed || !number_length(r, s, &len))
        return false;
    if (len > LIMIT_JSON_NUMBER_CHARS)
        return number_too_long(r);
    *ret = (struct slice){s.ptr, len};
    r->at += len;
    return true;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

enum json_type json_text_word(struct json_reader *r, bool *ret_value)
{
    static const struct {
        const char *word;
        enum json_type type;
        bool value;
    } words[] = {
        {"true", JSON_BOOL, true}, {"false", JSON_BOOL, false}, {"null", JSON_NULL, false}};
    size_t len = json_need(r, WORD_MAX), n = 0;
    struct slice word = {r->window + r->at, 0};
    bool cut;

    while (n < len && n < WORD_MAX && is_word_char(word.ptr[n]))
        n++;
    word.len = n;
    cut = n == len && r->ended;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_is(word, words[i].word)) {
            r->at += n;
            *ret_value = words[i].value;
            return words[i].type;
        }
        if (cut && n < strlen(words[i].word) && memcmp(word.ptr, words[i].word, n) == 0) {
            json_fail_end(r, words[i].word);
            return JSON_NOTHING;
        }
    }
    json_fail_at(
        r, ERR_FORMAT, offset_of(r), "the word \"%.*s\" is no JSON value", SLICE_FMT(word));
    return JSON_NOTHING;
}
