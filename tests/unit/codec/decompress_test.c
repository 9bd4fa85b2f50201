/* SPDX-License-Identifier: Apache-2.0 */
/* What the first bytes tell. */
#include "unit.h"

#include "base/buf.h"
#include "codec/decompress.h"
#include "support/drip_stream.h"

static const struct expansion most = {1 << 20, 50};

/* gzip and zstd of "hello hello hello\n". */
static const char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x5c"
                           "\x00\x3b\x7c\x8a\xdf\x12\0\0";
static const char zstd[] = "\x28\xb5\x2f\xfd\x20\x12\x91\0\0hello hello hello\n";

static void expect(struct slice packed, enum compression kind, struct slice text)
{
    for (size_t step = 1; step < 100; step += 9) {
        struct drip_stream below = drip_of(packed, step);
        enum compression found;
        struct err err;
        struct stream *in = stream_auto_decompress(&below.stream, &most, &found, &err);
        struct buf out = BUF_INIT(10000);
        char piece[5];
        size_t got = 1;

        assert_non_null(in);
        assert_int_equal(found, kind);
        while (got) {
            assert_ok(stream_read(in, piece, sizeof(piece), &got, &err));
            buf_put(&out, piece, got);
        }
        assert_true(slice_eq(buf_slice(&out), text));
        buf_release(&out);
        stream_close(in);
        assert_int_equal(below.closed, 1);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    expect(SLICE_NONE, COMPRESSION_NONE, SLICE_NONE);
    expect(SLICE("x"), COMPRESSION_NONE, SLICE("x"));
    expect(SLICE("plain text, long"), COMPRESSION_NONE, SLICE("plain text, long"));
    expect(SLICE("\x1f"), COMPRESSION_NONE, SLICE("\x1f"));
    expect(SLICE("BZh9 is a name"), COMPRESSION_NONE, SLICE("BZh9 is a name"));
    expect((struct slice){gzip, sizeof(gzip)}, COMPRESSION_GZIP, SLICE("hello hello hello\n"));
    expect((struct slice){zstd, sizeof(zstd) - 1}, COMPRESSION_ZSTD, SLICE("hello hello hello\n"));
    expect(SLICE("\x5a\x2a\x4d\x18\x01\0\0\0x"), COMPRESSION_ZSTD, SLICE_NONE);
}

static void test_others(void **state)
{
    static const struct {
        struct slice bytes;
        const char *name;
    } cases[] = {
        {SLICE_INIT("\xfd\x37zXZ\0\0\4"), "xz compression is not read"},
        {SLICE_INIT("BZh91AY&SY"), "bzip2 compression is not read"},
        {SLICE_INIT("\x04\x22\x4d\x18zzzz"), "lz4 compression is not read"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct drip_stream below = drip_of(cases[i].bytes, 3);
        enum compression found;
        struct err err;

        assert_null(stream_auto_decompress(&below.stream, &most, &found, &err));
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, cases[i].name));
        assert_int_equal(below.closed, 0);
    }
}

static void test_errors_pass(void **state)
{
    struct drip_stream below = drip_of(SLICE("abcdefgh"), 1);
    enum compression found;
    struct err err;

    (void)state;
    below.fail_after = 3;
    assert_null(stream_auto_decompress(&below.stream, &most, &found, &err));
    assert_string_equal(err.message, "the drip dried up");
    assert_int_equal(below.closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_errors_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
