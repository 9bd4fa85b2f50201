/* SPDX-License-Identifier: Apache-2.0 */
/* See pack.h. Everything unpacked comes from outside: from the disk, or from a child process that
 * may have fallen to an image. */
#include "scan/pack.h"

void pack_number(struct buf *out, uint64_t value)
{
    char bytes[10];
    size_t len = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (char)(value | 0x80);
    bytes[len++] = (char)value;
    buf_put(out, bytes, len);
}

void pack_text(struct buf *out, struct slice text)
{
    pack_number(out, text.len);
    buf_put_slice(out, text);
}

static uint64_t fail(struct unpack *in)
{
    in->failed = true;
    in->rest = SLICE_NONE;
    return 0;
}

uint64_t unpack_number(struct unpack *in)
{
    uint64_t value = 0;
    unsigned char byte;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->rest.len == 0)
            return fail(in);
        byte = (unsigned char)in->rest.ptr[0];
        in->rest = slice_skip(in->rest, 1);
        if (shift == 63 && byte > 1)
            return fail(in);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return byte == 0 && shift ? fail(in) : value;
    }
    return fail(in);
}

uint64_t unpack_up_to(struct unpack *in, uint64_t max)
{
    uint64_t value = unpack_number(in);

    return value > max ? fail(in) : value;
}

size_t unpack_count(struct unpack *in, size_t each)
{
    uint64_t count = unpack_number(in);

    return count > in->rest.len / each ? (size_t)fail(in) : (size_t)count;
}

struct slice unpack_text(struct unpack *in)
{
    uint64_t len = unpack_number(in);
    struct slice text;

    if (in->failed || len > in->rest.len) {
        fail(in);
        return SLICE_NONE;
    }
    text = slice_sub(in->rest, 0, (size_t)len);
    in->rest = slice_skip(in->rest, (size_t)len);
    return text;
}
