/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See unzstd.h. The library says at the end of each frame that it ended (0): only there may the
 * input end, else it was cut.
 */
#include "codec/unzstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/limits.h"

enum { INPUT_BYTES = 64 * 1024, WINDOW_LOG_MAX = 23 };
_Static_assert(1L << WINDOW_LOG_MAX == LIMIT_ZSTD_WINDOW_BYTES, "the window's ceiling");

struct unzstd_stream {
    struct stream stream;
    struct stream *in; /* owned */
    ZSTD_DCtx *context;
    ZSTD_inBuffer input; /* of input_bytes */
    uint64_t taken;      /* bytes read from `in` so far */
    uint64_t made;       /* bytes that all frames gave so far */
    bool between;        /* no frame has begun, or the last one ended */
    struct expansion most;
    struct err failed;
    unsigned char input_bytes[INPUT_BYTES];
};

static unsigned long long compressed_offset(const struct unzstd_stream *z)
{
    return z->taken - (z->input.size - z->input.pos);
}

static int explain(struct unzstd_stream *z, size_t result)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(result);

    switch ((int)code) { /* of over thirty codes, those that are not plain damage */
    case ZSTD_error_memory_allocation:
        return err_nomem(&z->failed);
    case ZSTD_error_frameParameter_windowTooLarge:
        return err_set(&z->failed, ERR_LIMIT,
            "the zstd data has a window larger than the limit of %ld bytes (zstd --long?)",
            LIMIT_ZSTD_WINDOW_BYTES);
    case ZSTD_error_dictionary_wrong:
        return err_set(
            &z->failed, ERR_UNSUPPORTED, "the zstd data needs a dictionary to be unpacked");
    case ZSTD_error_prefix_unknown:
        return err_set(&z->failed, ERR_FORMAT,
            "bytes that are not zstd where a frame must begin, near byte %llu of the compressed "
            "data",
            compressed_offset(z));
    default:
        return err_set(&z->failed, ERR_FORMAT,
            "damaged zstd data: %s, near byte %llu of the compressed data",
            ZSTD_getErrorName(result), compressed_offset(z));
    }
}

/* Reads more input. *ret_end: there is none. */
static int fill(struct unzstd_stream *z, bool *ret_end)
{
    size_t got;

    if (stream_read(z->in, z->input_bytes, INPUT_BYTES, &got, &z->failed) != 0)
        return -1;
    z->taken += got;
    z->input.size = got;
    z->input.pos = 0;
    *ret_end = got == 0;
    return 0;
}

static int produce(struct unzstd_stream *z, void *dst, size_t cap, size_t *ret)
{
    ZSTD_outBuffer output = {dst, cap, 0};
    bool end = false;

    while (output.pos == 0) {
        size_t before = z->input.pos, result;

        /* Even without input: what a frame gives may be more than the last call had room for. */
        if (!z->between || z->input.pos < z->input.size) {
            result = ZSTD_decompressStream(z->context, &output, &z->input);
            if (ZSTD_isError(result))
                return explain(z, result);
            z->between = result == 0;
            z->made += output.pos;
            if (expansion_check(&z->most, "zstd", compressed_offset(z), z->made, &z->failed) != 0)
                return -1;
        }
        if (output.pos || z->input.pos < z->input.size || z->input.pos > before)
            continue;
        if (fill(z, &end) != 0)
            return -1;
        if (end && !z->between)
            return err_set(&z->failed, ERR_FORMAT,
                "truncated zstd data: it ends in the middle of a frame at byte %llu of the "
                "compressed data",
                compressed_offset(z));
        if (end)
            break;
    }
    *ret = output.pos;
    return 0;
}

static int unzstd_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct unzstd_stream *z = (struct unzstd_stream *)stream;

    if (z->failed.code == ERR_NONE && produce(z, dst, cap, ret) == 0)
        return 0;
    *err = z->failed;
    return -1;
}

static void unzstd_close(struct stream *stream)
{
    struct unzstd_stream *z = (struct unzstd_stream *)stream;

    ZSTD_freeDCtx(z->context);
    stream_close(z->in);
    free(z);
}

static const struct stream_ops unzstd_ops = {unzstd_read, unzstd_close};

struct stream *stream_unzstd(struct stream *in, const struct expansion *most, struct err *err)
{
    struct unzstd_stream *z = calloc(1, sizeof(*z));

    if (z)
        z->context = ZSTD_createDCtx();
    if (!z || !z->context ||
        ZSTD_isError(ZSTD_DCtx_setParameter(z->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        if (z)
            ZSTD_freeDCtx(z->context);
        free(z);
        err_nomem(err);
        return NULL;
    }
    z->stream.ops = &unzstd_ops;
    z->in = in;
    z->input.src = z->input_bytes;
    z->between = true;
    z->most = *most;
    return &z->stream;
}
