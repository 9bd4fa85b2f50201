/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A streaming JSON writer (RFC 8259) into a struct buf: commas are put by the writer, nesting is
 * the caller's duty (checked by BUG_ON). Compact, UTF-8 raw; quotes, backslash and control
 * characters escaped; bytes that are not UTF-8 become U+FFFD. Errors stick in the buf (buf_check).
 */
#ifndef CAREEN_CODEC_JSON_WRITER_H
#define CAREEN_CODEC_JSON_WRITER_H

#include "base/buf.h"

struct json_writer {
    struct buf *out;
    uint64_t has_member; /* one bit for each level: a comma is due */
    uint64_t is_object;  /* one bit for each level: keys are due */
    unsigned depth;      /* at most 60 */
    bool after_key;
};

void json_writer_init(struct json_writer *w, struct buf *out);
void json_write_begin_object(struct json_writer *w);
void json_write_end_object(struct json_writer *w);
void json_write_begin_array(struct json_writer *w);
void json_write_end_array(struct json_writer *w);
/* The key is plain ASCII, without anything to escape. */
static inline void json_write_key(struct json_writer *w, const char *key);
void json_write_key_slice(struct json_writer *w, struct slice key); /* any key, escaped */
void json_write_string(struct json_writer *w, struct slice s);
void json_write_i64(struct json_writer *w, int64_t value);
/* The number as a JSON string: "1754563675226". */
void json_write_i64_string(struct json_writer *w, int64_t value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
/* A value that is JSON already; the caller answers for it. */
void json_write_json(struct json_writer *w, const char *json);
/* Members that are JSON already: what a writer has written within an object, from behind its brace.
 * Nothing when empty. */
void json_write_members(struct json_writer *w, struct slice members);
/* key and string value in one call: the commonest member. */
static inline void json_write_member(struct json_writer *w, const char *key, struct slice value);
/* The same, left out when value is empty. */
static inline void json_write_member_if(struct json_writer *w, const char *key, struct slice value);
/* key and a number, at most INT64_MAX. */
void json_write_member_u64(struct json_writer *w, const char *key, uint64_t value);

/* ---- In line, so that the compiler counts the characters of keys that it knows ---- */

/* The same as those without "_of", for the functions below alone. */
void json_write_key_of(struct json_writer *w, struct slice key);
void json_write_member_of(struct json_writer *w, struct slice key, struct slice value);

static inline void json_write_key(struct json_writer *w, const char *key)
{
    json_write_key_of(w, (struct slice){key, strlen(key)});
}

static inline void json_write_member(struct json_writer *w, const char *key, struct slice value)
{
    json_write_member_of(w, (struct slice){key, strlen(key)}, value);
}

static inline void json_write_member_if(struct json_writer *w, const char *key, struct slice value)
{
    if (value.len)
        json_write_member(w, key, value);
}

#endif
