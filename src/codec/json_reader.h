/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pull reader for JSON (RFC 8259) from a stream: constant memory whatever the document's size.
 *
 * The caller walks the document and asks for what it expects; a value of another type is an error
 * that names the key, what was expected, what stands there and the byte offset. Errors are sticky:
 * after the first one every call returns false / an empty value, so a walk is checked once at its
 * end with json_reader_finish().
 *
 *     json_begin_object(r);
 *     while (json_next_key(r, &key)) {
 *         if (slice_is(key, "Name"))
 *             json_read_string(r, arena, &name);
 *         else
 *             json_skip(r);
 *     }
 *
 * Strict: one value, then only blanks; UTF-8 (a byte order mark is skipped; UTF-16 and UTF-32 are
 * refused by name); no trailing commas, comments, NaN, leading zeros or raw control characters in
 * strings, in skipped values too. An escaped lone surrogate becomes U+FFFD. Where a key is given
 * twice both are delivered. Ceilings: LIMIT_JSON_*.
 *
 * Codes: ERR_FORMAT for bytes that are not JSON, ERR_INVALID for a value of another type or range
 * than was asked for, ERR_UNSUPPORTED for UTF-16 and UTF-32, ERR_LIMIT; the stream's own errors
 * pass through as they are. To ask for a value where none is due is a BUG.
 */
#ifndef CAREEN_CODEC_JSON_READER_H
#define CAREEN_CODEC_JSON_READER_H

#include "base/arena.h"
#include "codec/stream.h"

struct json_reader;

enum json_type {
    JSON_NOTHING, /* error, or no value here */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_BOOL,
    JSON_NULL,
};

/* Reads from `in`, which stays the caller's. NULL with *err (ERR_NOMEM). */
struct json_reader *json_reader_new(struct stream *in, struct err *err);
void json_reader_free(struct json_reader *r);
void json_reader_cleanup(struct json_reader **r);

/* The type of the value that comes next; it is not consumed. */
enum json_type json_peek(struct json_reader *r);

/* Enters an object or array. A null counts as an empty one (Go's encoders write null for nil). */
bool json_begin_object(struct json_reader *r);
bool json_begin_array(struct json_reader *r);
/* The next key of the object entered last; false at its end (which leaves the object) or on error.
 * The key is valid until the next call. The value of the key before must have been consumed. */
bool json_next_key(struct json_reader *r, struct slice *ret_key);
/* True when the array entered last has another element; false at its end or on error. */
bool json_next_element(struct json_reader *r);

/* A string, copied into the arena. null gives the empty slice. */
bool json_read_string(struct json_reader *r, struct arena *arena, struct slice *ret);
/* A string that is only looked at: consumed like json_read_string(), but not copied: valid until
 * the next call on r. null gives the empty slice. */
bool json_peek_string(struct json_reader *r, struct slice *ret);
/* A number as it is written: consumed, and valid until the next call on r. null gives the empty
 * slice. */
bool json_peek_number(struct json_reader *r, struct slice *ret);
/* An integer; fractions, exponents and what does not fit are errors. null leaves *ret alone. */
bool json_read_i64(struct json_reader *r, int64_t *ret);
bool json_read_bool(struct json_reader *r, bool *ret);
/* Any value, whole. */
bool json_skip(struct json_reader *r);

/* Bytes consumed so far: where the value that was read last ends. */
uint64_t json_offset(const struct json_reader *r);
bool json_failed(const struct json_reader *r);
/* Makes the reader fail with an error of the caller's (a value that is wrong for its meaning),
 * unless it failed already; the key path is put before the message, " at byte N" (where the value
 * that was asked for last starts) behind it. */
void json_fail(struct json_reader *r, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For arena failures and the like that happen during a walk: takes over an error already made. */
void json_fail_with(struct json_reader *r, const struct err *why);
/* Checks that only blanks follow. 0, or -1 with *err: the first error of the walk. */
int json_reader_finish(struct json_reader *r, struct err *err);

#endif
