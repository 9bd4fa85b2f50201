/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole document in a unit test, in steps of so many bytes. */
#ifndef CAREEN_TESTS_JSON_READING_H
#define CAREEN_TESTS_JSON_READING_H

#include "support/drip_stream.h"
#include "support/json_emit.h"

struct reading {
    struct buf out;
    struct err err;
    bool accepted;
};

static inline void reading_release(struct reading *reading)
{
    buf_release(&reading->out);
}

/* Reads the document in steps of so many bytes: emitted again, or skipped. */
static inline struct reading read_document(struct slice document, size_t step, bool skip)
{
    struct reading reading = {.out = BUF_INIT(64UL * 1024 * 1024)};
    struct drip_stream in = drip_of(document, step);
    struct json_reader *r = json_reader_new(&in.stream, &reading.err);
    struct json_writer w;

    json_writer_init(&w, &reading.out);
    if (skip)
        json_skip(r);
    else
        json_emit(r, &w);
    reading.accepted = json_reader_finish(r, &reading.err) == 0;
    json_reader_free(r);
    return reading;
}

#endif
