/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the JSON reader, shared by json_reader.c (structure: what may follow what, and the
 * public calls) and json_text.c (bytes: the window, strings, numbers, words, blanks).
 *
 *     document  |........ read before ........|window: used | not yet used |  free  |... to come
 *                                              0             at            end      sizeof(window)
 *                                              ^ window_offset
 *
 * Invariants: at <= end; window_offset + at is the number of bytes consumed; after a failure
 * at == end and `ended` holds, so that every loop over bytes stops by itself.
 */
#ifndef CAREEN_CODEC_JSON_INTERNAL_H
#define CAREEN_CODEC_JSON_INTERNAL_H

#include "base/buf.h"
#include "base/limits.h"
#include "codec/json_reader.h"

enum { JSON_WINDOW_BYTES = 64 * 1024, JSON_KEY_KEPT_BYTES = 64 };

enum json_container {
    JSON_IN_OBJECT,
    JSON_IN_ARRAY,
    JSON_IN_NULL, /* a null that is read as an empty object or array */
};

/* An object or array that was entered, and where in it the walk stands: the path of messages. */
struct json_level {
    enum json_container container;
    uint64_t members;      /* begun so far */
    unsigned char key_len; /* of the key's start in key[]; 0 while the next key is being read */
    bool key_cut;
    char key[JSON_KEY_KEPT_BYTES];
};

struct json_reader {
    struct stream *in; /* the caller's */
    struct err error;
    bool failed;
    bool started;         /* the encoding was looked at */
    bool ended;           /* the stream has no more */
    bool value_due;       /* a value must come next */
    uint64_t value_start; /* offset of the value that was asked for last */
    uint64_t window_offset;
    size_t at, end;
    unsigned depth;  /* levels in use */
    struct buf text; /* a decoded string that does not stand whole and plain in the window */
    struct buf key;  /* a key too long for its level */
    struct json_level levels[LIMIT_JSON_DEPTH];
    char window[JSON_WINDOW_BYTES];
};

/* Fails at this offset, unless failed already; the key path comes before the message. Returns
 * false. */
bool json_fail_at(struct json_reader *r, enum err_code code, uint64_t offset, const char *format,
    ...) __attribute__((format(printf, 4, 5)));
/* "<path>: the document ends in the middle of <what> at byte N". Returns false. */
bool json_fail_end(struct json_reader *r, const char *what);

/* Makes at least `need` bytes available at r->at (fewer where the document ends first). Returns how
 * many there are. need <= 4096. */
size_t json_need(struct json_reader *r, size_t need);
/* Passes over blanks. True when a byte follows; false at the end or on error. */
bool json_skip_blanks(struct json_reader *r);

/* What is kept of a string: all, up to its ceiling, or only what a path shows of a key. */
enum json_keep { JSON_KEEP_ALL, JSON_KEEP_START };

/* The string whose opening quote is at r->at, checked and decoded: in the window where it stands
 * there whole and plain, else in r->text. `what` is "a string" or "a key". */
bool json_text_string(
    struct json_reader *r, const char *what, enum json_keep keep, struct slice *ret);
/* The number at r->at, in the window. */
bool json_text_number(struct json_reader *r, struct slice *ret);
/* true, false or null at r->at: their type, and the value of a bool; else an error. */
enum json_type json_text_word(struct json_reader *r, bool *ret_value);

#endif
