// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader against itself: skipping, walking, and walking a stream that gives a few bytes at
 * a time agree on what is accepted and say the same of what is not; and what was accepted is,
 * emitted again, accepted and emitted the same.
 */
#include "support/drip_stream.h"
#include "support/json_emit.h"

#include "base/bug.h"

static bool read_document(
    struct slice document, size_t step, bool skip, struct buf *out, struct err *err)
{
    struct drip_stream in = drip_of(document, step);
    struct json_reader *r = json_reader_new(&in.stream, err);
    struct json_writer w;
    bool accepted;

    json_writer_init(&w, out);
    if (skip)
        json_skip(r);
    else
        json_emit(r, &w);
    accepted = json_reader_finish(r, err) == 0;
    BUG_ON(accepted && json_offset(r) != document.len);
    BUG_ON(accepted == json_failed(r));
    json_reader_free(r);
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice document = {(const char *)data, size};
    struct buf out = BUF_INIT(1UL << 28), dripped = BUF_INIT(1UL << 28),
               again = BUF_INIT(1UL << 28);
    struct err err = {ERR_NONE, ""}, err_skip = err, err_drip = err;
    bool accepted = read_document(document, SIZE_MAX, false, &out, &err);

    BUG_ON(accepted != read_document(document, SIZE_MAX, true, &again, &err_skip));
    BUG_ON(accepted != read_document(document, 1 + size % 7, false, &dripped, &err_drip));
    BUG_ON(err.code != err_skip.code || strcmp(err.message, err_skip.message) != 0);
    BUG_ON(err.code != err_drip.code || strcmp(err.message, err_drip.message) != 0);
    BUG_ON(!slice_eq(buf_slice(&out), buf_slice(&dripped)));
    if (accepted) {
        buf_clear(&again);
        BUG_ON(!read_document(buf_slice(&out), SIZE_MAX, false, &again, &err));
        BUG_ON(!slice_eq(buf_slice(&out), buf_slice(&again)));
    }
    buf_release(&out);
    buf_release(&dripped);
    buf_release(&again);
    return 0;
}
