/* SPDX-License-Identifier: Apache-2.0 */
/* The zstd filter, fed with what libzstd itself packs. */
#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/unzstd.h"
#include "support/drip_stream.h"

#include <zstd.h>

static const struct expansion most = {1 << 20, 50};

static struct slice pack(
    struct slice text, int level, int window_log, int checksum, char *dst, size_t cap)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer in = {text.ptr, text.len, 0};
    ZSTD_outBuffer out = {dst, cap, 0};
    size_t left;

    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
    if (window_log)
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    /* In two steps: of a text that is there whole, the window would be made as small. */
    do
        left = ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue);
    while (!ZSTD_isError(left) && in.pos < in.size);
    left = ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
    ZSTD_freeCCtx(context);
    assert_int_equal(left, 0);
    return (struct slice){dst, out.pos};
}

static int unpack(struct slice packed, size_t step, size_t cap, struct buf *out, struct err *err)
{
    struct drip_stream below = drip_of(packed, step);
    struct stream *in = stream_unzstd(&below.stream, &most, err);
    char *piece = malloc(cap);
    size_t got = 1;
    int result = 0;

    assert_non_null(in);
    while (got && result == 0) {
        result = stream_read(in, piece, cap, &got, err);
        if (result == 0)
            buf_put(out, piece, got);
    }
    if (result) {
        struct err again;

        assert_int_equal(stream_read(in, piece, cap, &got, &again), -1);
        assert_string_equal(again.message, err->message);
    }
    free(piece);
    stream_close(in);
    assert_int_equal(below.closed, 1);
    return result;
}

static void expect(struct slice packed, struct slice text)
{
    static const size_t sizes[] = {1, 7, 1000, 65536, 300000};

    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            struct buf out = BUF_INIT(10000000);
            struct err err;

            assert_ok(unpack(packed, sizes[i], sizes[j], &out, &err));
            assert_int_equal(out.len, text.len);
            assert_true(slice_eq(buf_slice(&out), text));
            buf_release(&out);
        }
}

static void expect_failure(struct slice packed, enum err_code code, const char *says)
{
    for (size_t step = 1; step < 70000; step *= 50) {
        struct buf out = BUF_INIT(10000000);
        struct err err = {ERR_NONE, ""};

        assert_int_equal(unpack(packed, step, 64, &out, &err), -1);
        if (err.code != code || !strstr(err.message, says))
            fail_msg("%d \"%s\" does not say \"%s\"", (int)err.code, err.message, says);
        buf_release(&out);
    }
}

static struct buf numbers(size_t len)
{
    struct buf text = BUF_INIT(10000000);

    for (unsigned i = 0; text.len < len; i++)
        buf_printf(&text, "%u,", i * 2654435761u);
    return text;
}

static void test_frames(void **state)
{
    struct buf text = numbers(150000), packed = BUF_INIT(1000000), twice = BUF_INIT(1000000);
    char bytes[200000];

    (void)state;
    expect(SLICE_NONE, SLICE_NONE);
    expect(pack(SLICE_NONE, 1, 0, 1, bytes, sizeof(bytes)), SLICE_NONE);
    expect(pack(SLICE("text"), 19, 0, 0, bytes, sizeof(bytes)), SLICE("text"));
    expect(pack(buf_slice(&text), 3, 0, 1, bytes, sizeof(bytes)), buf_slice(&text));
    /* Frames, with skippable ones between. */
    buf_put(&packed, "\x50\x2a\x4d\x18\x02\0\0\0ab", 10);
    buf_put_slice(&packed, pack(buf_slice(&text), 3, 0, 1, bytes, sizeof(bytes)));
    buf_put(&packed, "\x5f\x2a\x4d\x18\0\0\0\0", 8);
    buf_put_slice(&packed, pack(buf_slice(&text), 1, 0, 0, bytes, sizeof(bytes)));
    buf_put_slice(&twice, buf_slice(&text));
    buf_put_slice(&twice, buf_slice(&text));
    expect(buf_slice(&packed), buf_slice(&twice));
    buf_release(&text);
    buf_release(&twice);
    buf_release(&packed);
}

static void test_truncation(void **state)
{
    char bytes[1000];
    struct slice packed = pack(SLICE("some text, some text"), 3, 0, 1, bytes, sizeof(bytes));

    (void)state;
    for (size_t len = 1; len < packed.len; len++)
        expect_failure(slice_sub(packed, 0, len), ERR_FORMAT, "truncated zstd data: it ends");
}

static void test_damage(void **state)
{
    char bytes[1000];
    struct buf both = BUF_INIT(2000);
    struct slice packed = pack(SLICE("some text, some text"), 3, 0, 1, bytes, sizeof(bytes));

    (void)state;
    buf_put_slice(&both, packed);
    buf_put_cstr(&both, "garbage behind it");
    expect_failure(
        buf_slice(&both), ERR_FORMAT, "bytes that are not zstd where a frame must begin");
    bytes[packed.len - 1] ^= 1; /* the checksum */
    expect_failure(packed, ERR_FORMAT, "damaged zstd data: ");
    expect_failure(SLICE("garbage"), ERR_FORMAT, "bytes that are not zstd");
    buf_release(&both);
}

static void test_dictionary(void **state)
{
    (void)state;
    /* A frame header that names dictionary 7. */
    expect_failure(
        SLICE("\x28\xb5\x2f\xfd\x01\x00\x07\x01\x00\x00"), ERR_UNSUPPORTED, "needs a dictionary");
}

static void test_window(void **state)
{
    struct buf text = numbers(100000);
    char bytes[200000];

    (void)state;
    expect(pack(buf_slice(&text), 1, 23, 1, bytes, sizeof(bytes)), buf_slice(&text));
    expect_failure(pack(buf_slice(&text), 1, 24, 1, bytes, sizeof(bytes)), ERR_LIMIT,
        "has a window larger than the limit of 8388608 bytes");
    buf_release(&text);
}

static void test_bomb(void **state)
{
    char *zeros = calloc(1, 2 << 20), bytes[200000];

    (void)state;
    expect(pack((struct slice){zeros, 1 << 20}, 3, 0, 1, bytes, sizeof(bytes)),
        (struct slice){zeros, 1 << 20});
    expect_failure(pack((struct slice){zeros, 2 << 20}, 3, 0, 1, bytes, sizeof(bytes)), ERR_LIMIT,
        "the zstd data expands to more than 50 times its size at byte");
    free(zeros);
}

static void test_errors_below_pass(void **state)
{
    char bytes[1000], text[100];
    struct slice packed = pack(SLICE("some text, some text"), 3, 0, 1, bytes, sizeof(bytes));

    (void)state;
    for (size_t at = 0; at <= packed.len; at++) {
        struct drip_stream below = drip_of(packed, 5);
        struct err err = {ERR_NONE, ""};
        struct stream *in = stream_unzstd(&below.stream, &most, &err);
        size_t got = 1;

        below.fail_after = at;
        while (got && stream_read(in, text, sizeof(text), &got, &err) == 0)
            assert_true(got > 0);
        assert_string_equal(err.message, "the drip dried up");
        stream_close(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_errors_below_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
