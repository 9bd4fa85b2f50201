// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression by looking: the same bytes come out, or the same failure, whatever the steps in
 * which input comes and output is taken.
 */
#include "support/drip_stream.h"

#include "base/buf.h"
#include "base/bug.h"
#include "codec/decompress.h"

enum { MOST_BYTES = 1 << 20 };

static int decompress(
    struct slice packed, size_t step, size_t cap, struct buf *out, struct err *err)
{
    static const struct expansion most = {MOST_BYTES / 2, 20};
    struct drip_stream below = drip_of(packed, step);
    enum compression compression;
    struct stream *unpacked = stream_auto_decompress(&below.stream, &most, &compression, err);
    struct stream *in = unpacked ? stream_limit(unpacked, MOST_BYTES, "the text", err) : NULL;
    char piece[4096];
    size_t got = 1;
    int result = in ? 0 : -1;

    while (got && result == 0) {
        result = stream_read(in, piece, cap, &got, err);
        BUG_ON(result == 0 && got > cap);
        if (result == 0)
            buf_put(out, piece, got);
    }
    stream_close(in);
    BUG_ON(in && below.closed != 1);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packed = {(const char *)data, size};
    struct buf out = BUF_INIT(1 << 22), dripped = BUF_INIT(1 << 22);
    struct err err = {ERR_NONE, ""}, err_drip = err;
    int result = decompress(packed, SIZE_MAX, 4096, &out, &err);

    BUG_ON(result != decompress(packed, 1 + size % 5, 1 + size % 97, &dripped, &err_drip));
    BUG_ON(result == 0 && !slice_eq(buf_slice(&out), buf_slice(&dripped)));
    buf_release(&out);
    buf_release(&dripped);
    return 0;
}
