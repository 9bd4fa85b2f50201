/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gunzip filter. Large and odd members are made here with stored blocks and a CRC-32 of the
 * test's own; two members made by zlib bring in fixed and dynamic Huffman codes.
 */
#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "support/drip_stream.h"

/* zlib, level 9, dynamic codes, with a file name: "line %d of a text that deflate packs well, line
 * %d\n" of i and 7 * i, for i from 0 to 59. */
static const unsigned char dynamic[] = {
    /* clang-format off */
    0x1f, 0x8b, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x6e, 0x61, 0x6d, 0x65, 0x2e, 0x74,
    0x78, 0x74, 0x00, 0x95, 0xd6, 0x3d, 0x4e, 0xc4, 0x30, 0x18, 0x84, 0xe1, 0x9e, 0x53, 0xf8, 0x00,
    0x14, 0xfe, 0x7e, 0x1c, 0xdb, 0xc7, 0x59, 0x41, 0x56, 0x20, 0x22, 0x40, 0x22, 0x12, 0x1c, 0x1f,
    0x69, 0x3d, 0xe9, 0x67, 0xaa, 0x6d, 0xf2, 0x56, 0xf3, 0x78, 0xed, 0xe3, 0xfd, 0x73, 0x2f, 0xb5,
    0x7c, 0xdd, 0xcb, 0xad, 0x9c, 0xfb, 0xdf, 0x59, 0xce, 0xb7, 0xdb, 0x59, 0x5e, 0xf7, 0xfb, 0x71,
    0x3b, 0xf7, 0xf2, 0x7d, 0x7b, 0xf9, 0xf8, 0x29, 0xbf, 0xfb, 0x71, 0x3c, 0x97, 0xe3, 0xf1, 0xe5,
    0xd3, 0xe3, 0xc7, 0xe8, 0xa0, 0xaf, 0xc0, 0xe9, 0xc0, 0x72, 0x15, 0x41, 0x17, 0x6e, 0xab, 0x48,
    0xbe, 0x18, 0xab, 0x68, 0x74, 0x11, 0x6d, 0x15, 0x1b, 0x5d, 0xa4, 0xaf, 0xa2, 0xf3, 0xc5, 0x5c,
    0xc5, 0xa0, 0x8b, 0xb6, 0xad, 0x62, 0xd2, 0xc5, 0x16, 0x18, 0x90, 0x9f, 0xbc, 0x5f, 0x9b, 0x0b,
    0xa3, 0x63, 0x75, 0xe3, 0x67, 0x1f, 0x98, 0xdd, 0xf8, 0xdd, 0x27, 0x76, 0x37, 0x7e, 0xf8, 0x89,
    0xe1, 0x8d, 0x5f, 0xde, 0x2a, 0xa6, 0x37, 0x7e, 0x7b, 0x33, 0x8c, 0x6f, 0x5d, 0x68, 0x30, 0xbf,
    0xf1, 0xfb, 0x9b, 0x03, 0x80, 0xf1, 0x02, 0x2c, 0x40, 0xc0, 0xab, 0x70, 0x26, 0x61, 0xc0, 0x4d,
    0x68, 0xae, 0xa3, 0x2f, 0x9c, 0xfd, 0x06, 0x05, 0xce, 0x2b, 0xb0, 0x0d, 0x0c, 0x3c, 0x85, 0x06,
    0x0e, 0x5c, 0x70, 0xd0, 0xe1, 0xc0, 0x05, 0x07, 0x03, 0x0e, 0x5c, 0x70, 0x30, 0xe0, 0xc0, 0x05,
    0x07, 0x13, 0x0e, 0x9c, 0x77, 0xe0, 0x15, 0x0e, 0xa2, 0x0a, 0xff, 0xb4, 0x70, 0x10, 0x26, 0x34,
    0x70, 0x10, 0xbc, 0x03, 0xf7, 0xeb, 0x12, 0x10, 0x6e, 0x81, 0x80, 0x83, 0x10, 0xee, 0x81, 0x80,
    0x83, 0xe0, 0x1d, 0x78, 0xc2, 0x41, 0xf0, 0x0e, 0xbc, 0xc1, 0x41, 0x74, 0xa1, 0x81, 0x83, 0xe0,
    0x1d, 0xf8, 0x06, 0x07, 0x21, 0x38, 0xe8, 0x70, 0x90, 0x82, 0x83, 0x01, 0x07, 0x29, 0x38, 0x18,
    0x70, 0x90, 0x82, 0x83, 0x09, 0x07, 0xc9, 0x3b, 0x88, 0x7a, 0x3d, 0x07, 0x52, 0x68, 0xe0, 0x20,
    0x85, 0x17, 0x81, 0xc1, 0x41, 0xf2, 0x0e, 0xc2, 0xe1, 0x20, 0xbb, 0xd0, 0xc0, 0x41, 0xf2, 0x0e,
    0x22, 0xe0, 0x20, 0x79, 0x07, 0x91, 0x70, 0xd0, 0xaa, 0xf0, 0x2a, 0x82, 0x83, 0x66, 0x42, 0x03,
    0x07, 0x8d, 0x77, 0x10, 0x1b, 0x1c, 0x34, 0xc1, 0x41, 0x87, 0x83, 0x26, 0x38, 0xe8, 0xd7, 0xc3,
    0x50, 0x70, 0x30, 0xe0, 0xa0, 0x09, 0x0e, 0x26, 0x1c, 0x34, 0xc1, 0xc1, 0x84, 0x83, 0xc6, 0x3b,
    0xc8, 0x0a, 0x07, 0x8d, 0x77, 0x90, 0x16, 0x4f, 0xff, 0x1c, 0x7b, 0xbf, 0x17, 0x15, 0x0c, 0x00,
    0x00,
    /* clang-format on */
};

/* zlib, fixed codes: "hello hello hello\n". */
static const unsigned char fixed[] = {
    /* clang-format off */
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57,
    0xc8, 0x40, 0x90, 0x5c, 0x00, 0x3b, 0x7c, 0x8a, 0xdf, 0x12, 0x00, 0x00, 0x00,
    /* clang-format on */
};

/* zlib, level 9: 32 KiB of zeros, 512 times its size. */
static const unsigned char dense[] = {
    /* clang-format off */
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x01, 0x01, 0x00, 0x00,
    0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0xa6, 0xfc, 0x1f, 0x01, 0x00, 0x80, 0x00, 0x00,
    /* clang-format on */
};

static struct slice bytes_of(const unsigned char *bytes, size_t len)
{
    return (struct slice){(const char *)bytes, len};
}

#define DYNAMIC bytes_of(dynamic, sizeof(dynamic))
#define FIXED bytes_of(fixed, sizeof(fixed))
#define DENSE bytes_of(dense, sizeof(dense))

static uint32_t crc32_of(struct slice s)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

static void put_le(struct buf *out, uint32_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_put_char(out, (char)(value >> 8 * i & 0xff));
}

/* A member with these header flags (RFC 1952, section 2.3.1), in stored blocks of at most 65535. */
static void put_member(struct buf *out, struct slice text, unsigned char flags)
{
    struct slice rest = text;

    buf_put(out, "\x1f\x8b\x08", 3);
    buf_put_char(out, (char)flags);
    buf_put(out, "\0\0\0\0\0\xff", 6);
    if (flags & 4)
        buf_put(out, "\x05\0extra", 7);
    if (flags & 8)
        buf_put(out, "name", 5);
    if (flags & 16)
        buf_put(out, "comment", 8);
    do {
        struct slice block = slice_sub(rest, 0, 65535);

        rest = slice_skip(rest, block.len);
        buf_put_char(out, rest.len == 0);
        put_le(out, (uint32_t)block.len, 2);
        put_le(out, ~(uint32_t)block.len, 2);
        buf_put_slice(out, block);
    } while (rest.len);
    put_le(out, crc32_of(text), 4);
    put_le(out, (uint32_t)text.len, 4);
}

/* Reads everything: 0 with the text in *out, or -1 with *err. The input drips in `step`s, the
 * output is asked for in `cap`s. */
static int gunzip(struct slice packed, size_t step, size_t cap, struct buf *out, struct err *err)
{
    struct drip_stream below = drip_of(packed, step);
    struct stream *in = stream_auto_gunzip(&below.stream, err);
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
    } else {
        assert_int_equal(stream_read(in, piece, cap, &got, err), 0);
        assert_int_equal(got, 0);
    }
    free(piece);
    stream_close(in);
    assert_int_equal(below.closed, 1);
    return result;
}

static void check(struct slice packed, struct slice text)
{
    static const size_t sizes[] = {1, 2, 7, 100, 65536, 200000};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

    for (size_t i = 0; i < SIZES; i++)
        for (size_t j = 0; j < SIZES; j++) {
            struct buf out = BUF_INIT(10000000);
            struct err err;

            assert_ok(gunzip(packed, sizes[i], sizes[j], &out, &err));
            assert_int_equal(out.len, text.len);
            assert_true(slice_eq(buf_slice(&out), text));
            buf_release(&out);
        }
}

static struct buf dynamic_text(void)
{
    struct buf text = BUF_INIT(100000);

    for (int i = 0; i < 60; i++)
        buf_printf(&text, "line %d of a text that deflate packs well, line %d\n", i, i * 7);
    return text;
}

static void test_members(void **state)
{
    struct buf text = dynamic_text();

    (void)state;
    check(DYNAMIC, buf_slice(&text));
    check(FIXED, SLICE("hello hello hello\n"));
    buf_release(&text);
}

static void test_header_fields(void **state)
{
    static const unsigned char flags[] = {0, 4, 8, 16, 4 + 8, 4 + 8 + 16};

    (void)state;
    for (size_t i = 0; i < sizeof(flags); i++) {
        struct buf packed = BUF_INIT(1000);

        put_member(&packed, SLICE("text"), flags[i]);
        check(buf_slice(&packed), SLICE("text"));
        buf_release(&packed);
    }
}

static void test_many_members_and_padding(void **state)
{
    struct buf packed = BUF_INIT(1000000), text = BUF_INIT(1000000);
    struct buf first = dynamic_text();
    static const char zeros[1000];

    (void)state;
    buf_put_slice(&packed, FIXED);
    buf_put_slice(&packed, DYNAMIC);
    put_member(&packed, SLICE_NONE, 0);
    put_member(&packed, SLICE("stored"), 8);
    buf_put_slice(&packed, FIXED);
    buf_put_cstr(&text, "hello hello hello\n");
    buf_put_slice(&text, buf_slice(&first));
    buf_put_cstr(&text, "storedhello hello hello\n");
    check(buf_slice(&packed), buf_slice(&text));
    buf_put(&packed, zeros, 1);
    check(buf_slice(&packed), buf_slice(&text));
    buf_put(&packed, zeros, sizeof(zeros));
    check(buf_slice(&packed), buf_slice(&text));
    buf_release(&packed);
    buf_release(&text);
    buf_release(&first);
}

static void test_large(void **state)
{
    struct buf text = BUF_INIT(1000000), packed = BUF_INIT(1000000);
    struct err err;

    (void)state;
    for (unsigned i = 0; text.len < 300000; i++)
        buf_printf(&text, "%u,", i * 2654435761u);
    put_member(&packed, buf_slice(&text), 0);
    for (size_t cap = 999; cap < 500000; cap *= 5) {
        struct buf out = BUF_INIT(1000000);

        assert_ok(gunzip(buf_slice(&packed), SIZE_MAX, cap, &out, &err));
        assert_true(slice_eq(buf_slice(&out), buf_slice(&text)));
        buf_release(&out);
    }
    buf_release(&text);
    buf_release(&packed);
}

/* Reads `count` dense members, each with `stored` more bytes in one of its own; the code of the
 * error. */
static enum err_code read_dense(size_t count, size_t stored, size_t step, struct err *err)
{
    struct buf packed = BUF_INIT(10000000), out = BUF_INIT(40000000);
    char more[200] = {0};
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        buf_put_slice(&packed, DENSE);
        if (stored)
            put_member(&packed, (struct slice){more, stored}, 0);
    }
    *err = (struct err){0};
    if (gunzip(buf_slice(&packed), step, 100000, &out, err) == 0)
        assert_int_equal(out.len, count * (32768 + stored));
    code = err->code;
    buf_release(&packed);
    buf_release(&out);
    return code;
}

static void test_bombs(void **state)
{
    enum { FREE_MEMBERS = LIMIT_GUNZIP_FREE_BYTES / 32768 };
    static const size_t steps[] = {1, 1000, SIZE_MAX};
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(read_dense(FREE_MEMBERS, 0, steps[i], &err), ERR_NONE);
        assert_int_equal(read_dense(FREE_MEMBERS + 1, 0, steps[i], &err), ERR_LIMIT);
        assert_non_null(strstr(err.message, "expands to more than 200 times its size at byte "));
        /* A frame of 23 bytes around the stored ones: 32848 bytes of 167, then 32838 of 157. */
        assert_int_equal(read_dense(2 * FREE_MEMBERS, 80, steps[i], &err), ERR_NONE);
        assert_int_equal(read_dense(2 * FREE_MEMBERS, 70, steps[i], &err), ERR_LIMIT);
    }
}

static void test_other_bytes_pass(void **state)
{
    (void)state;
    check(SLICE(""), SLICE(""));
    check(SLICE("\x1f"), SLICE("\x1f"));
    check(SLICE("{\"a\":1}"), SLICE("{\"a\":1}"));
    check(SLICE("\x1f\x8c\x1f\x8b"), SLICE("\x1f\x8c\x1f\x8b"));
}

static void expect_failure(struct slice packed, const char *says)
{
    for (size_t step = 1; step < 70000; step *= 50) {
        struct buf out = BUF_INIT(1000000);
        struct err err = {ERR_NONE, ""};

        assert_int_equal(gunzip(packed, step, 64, &out, &err), -1);
        assert_int_equal(err.code, ERR_FORMAT);
        if (!strstr(err.message, says))
            fail_msg("\"%s\" does not say \"%s\"", err.message, says);
        buf_release(&out);
    }
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t len = 2; len < sizeof(dynamic); len++) {
        char says[100];

        snprintf(says, sizeof(says),
            "truncated gzip data: it ends in the middle of a member at "
            "byte %zu of the compressed data",
            len);
        expect_failure(bytes_of(dynamic, len), says);
    }
}

static void test_damage(void **state)
{
    unsigned char bytes[sizeof(dynamic)];
    size_t first_data = 10 + 9;

    (void)state;
    for (size_t i = first_data; i < sizeof(dynamic); i++)
        for (int bit = 0; bit < 8; bit += 3) {
            struct buf out = BUF_INIT(1000000);
            struct err err;

            memcpy(bytes, dynamic, sizeof(dynamic));
            bytes[i] = (unsigned char)(bytes[i] ^ 1 << bit);
            assert_int_equal(gunzip(bytes_of(bytes, sizeof(bytes)), 100, 64, &out, &err), -1);
            assert_int_equal(err.code, ERR_FORMAT);
            buf_release(&out);
        }
    memcpy(bytes, dynamic, sizeof(dynamic));
    bytes[sizeof(dynamic) - 1] ^= 1; /* ISIZE */
    expect_failure(bytes_of(bytes, sizeof(bytes)), "damaged gzip data: ");
    bytes[sizeof(dynamic) - 1] ^= 1;
    bytes[sizeof(dynamic) - 8] ^= 1; /* CRC32 */
    expect_failure(bytes_of(bytes, sizeof(bytes)), "damaged gzip data: ");
    expect_failure(SLICE("\x1f\x8b\x07\0\0\0\0\0\0\3\1\2\3\4\5\6\7\10\11"), "damaged gzip data: ");
}

static void test_trailing_garbage(void **state)
{
    struct buf packed = BUF_INIT(10000);
    char says[100];

    (void)state;
    buf_put_slice(&packed, FIXED);
    buf_put_cstr(&packed, "x");
    snprintf(says, sizeof(says),
        "bytes that are not gzip follow the compressed data at byte %zu of it", sizeof(fixed));
    expect_failure(buf_slice(&packed), says);
    buf_clear(&packed);
    buf_put_slice(&packed, FIXED);
    buf_put(&packed, "\0\0\x1f\x8b", 4);
    snprintf(says, sizeof(says), "at byte %zu of the compressed data", sizeof(fixed) + 2);
    expect_failure(buf_slice(&packed), says);
    buf_release(&packed);
}

static void test_errors_below_pass(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(fixed) + 1; at++) {
        struct drip_stream below = drip_of(FIXED, 5);
        struct err err;
        struct stream *in = stream_auto_gunzip(&below.stream, &err);
        char text[100];
        size_t got = 1;

        below.fail_after = at;
        while (got && stream_read(in, text, sizeof(text), &got, &err) == 0)
            assert_true(got > 0);
        assert_int_equal(err.code, ERR_IO);
        assert_string_equal(err.message, "the drip dried up");
        stream_close(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_many_members_and_padding),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_other_bytes_pass),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_trailing_garbage),
        cmocka_unit_test(test_errors_below_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
