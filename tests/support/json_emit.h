/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a value from a JSON reader to a JSON writer in one canonical form, for comparing the
 * reader with itself and with another parser: integers that fit 64 bits as they are, other numbers
 * as the string "num", and what is nested deeper than the writer goes as the string "deep".
 */
#ifndef CAREEN_TESTS_JSON_EMIT_H
#define CAREEN_TESTS_JSON_EMIT_H

#include "codec/json_reader.h"
#include "codec/json_writer.h"

enum { JSON_EMIT_DEPTH_MAX = 50 };

static inline void json_emit_number(struct json_reader *r, struct json_writer *w)
{
    struct slice number;
    int64_t value;

    json_peek_number(r, &number); /* empty on failure */
    if (slice_to_i64(number, &value))
        json_write_i64(w, value);
    else
        json_write_string(w, SLICE("num"));
}

static inline void json_emit(struct json_reader *r, struct json_writer *w)
{
    struct slice text;
    bool value;

    switch (json_peek(r)) {
    case JSON_NOTHING:
        json_write_null(w);
        return;
    case JSON_OBJECT:
        if (w->depth >= JSON_EMIT_DEPTH_MAX)
            break;
        json_write_begin_object(w);
        json_begin_object(r);
        while (json_next_key(r, &text)) {
            json_write_key_slice(w, text);
            json_emit(r, w);
        }
        json_write_end_object(w);
        return;
    case JSON_ARRAY:
        if (w->depth >= JSON_EMIT_DEPTH_MAX)
            break;
        json_write_begin_array(w);
        json_begin_array(r);
        while (json_next_element(r))
            json_emit(r, w);
        json_write_end_array(w);
        return;
    case JSON_STRING:
        json_peek_string(r, &text);
        json_write_string(w, text);
        return;
    case JSON_NUMBER:
        json_emit_number(r, w);
        return;
    case JSON_BOOL:
        value = false;
        json_read_bool(r, &value);
        json_write_bool(w, value);
        return;
    case JSON_NULL:
        json_skip(r);
        json_write_null(w);
        return;
    }
    json_skip(r);
    json_write_string(w, SLICE("deep"));
}

#endif
