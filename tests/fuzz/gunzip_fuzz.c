// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gunzip filter: the same bytes come out, or the same failure, whatever the steps in which
 * input comes and output is taken.
 */
#include "support/drip_stream.h"

#include "base/buf.h"
#include "base/bug.h"

static int gunzip(struct slice packed, size_t step, size_t cap, struct buf *out, struct err *err)
{
    struct drip_stream below = drip_of(packed, step);
    struct stream *gunzip = stream_auto_gunzip(&below.stream, err);
    struct stream *in = stream_limit(gunzip, 1 << 20, "the text", err);
    char piece[4096];
    size_t got = 1;
    int result = 0;

    while (got && result == 0) {
        result = stream_read(in, piece, cap, &got, err);
        BUG_ON(result == 0 && got > cap);
        if (result == 0)
            buf_put(out, piece, got);
    }
    stream_close(in);
    BUG_ON(below.closed != 1);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packed = {(const char *)data, size};
    struct buf out = BUF_INIT(1 << 22), dripped = BUF_INIT(1 << 22);
    struct err err = {ERR_NONE, ""}, err_drip = err;
    int result = gunzip(packed, SIZE_MAX, 4096, &out, &err);

    BUG_ON(result != gunzip(packed, 1 + size % 5, 1 + size % 97, &dripped, &err_drip));
    BUG_ON(err.code != err_drip.code);
    BUG_ON(result == 0 && !slice_eq(buf_slice(&out), buf_slice(&dripped)));
    buf_release(&out);
    buf_release(&dripped);
    return 0;
}
