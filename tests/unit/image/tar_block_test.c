/* SPDX-License-Identifier: Apache-2.0 */
/* One header block: numbers, names, formats, checksums. */
#include "unit.h"

#include "image/tar_block.h"
#include "support/tar_make.h"

static bool number(const char *field, size_t len, uint64_t *ret)
{
    return tar_number((const unsigned char *)field, len, ret);
}

static void test_octal(void **state)
{
    static const struct {
        const char *field;
        size_t len;
        uint64_t value;
    } good[] = {
        {"00000000017", 12, 15},
        {"        17 ", 12, 15},
        {"17\0\0\0\0\0\0\0\0\0\0", 12, 15},
        {"17\0garbage!!", 12, 15},
        {"\0\0\0\0\0\0\0\0\0\0\0\0", 12, 0},
        {"            ", 12, 0},
        {"777777777777", 12, (UINT64_C(1) << 36) - 1},
    };
    static const char *const bad[] = {"18", "1 7", "-1", "0x1", "1.", "a"};
    uint64_t value = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(number(good[i].field, good[i].len, &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(number(bad[i], strlen(bad[i]) + 1, &value));
    assert_false(number("7777777777777777777777", 22, &value));
}

static void test_base256(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(number("\x80\0\0\0\0\0\0\0\0\0\x01\x02", 12, &value));
    assert_int_equal(value, 258);
    assert_true(number("\x80\0\0\0\x3f\xff\xff\xff\xff\xff\xff\xff", 12, &value));
    assert_int_equal(value, (UINT64_C(1) << 62) - 1);
    assert_false(number("\x80\0\0\0\x40\0\0\0\0\0\0\0", 12, &value));
    assert_false(number("\x80\0\1\0\0\0\0\0\0\0\0\0", 12, &value));
    assert_false(number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, &value));
}

static void test_formats(void **state)
{
    unsigned char bytes[512];
    struct tar_block block;
    struct err err;

    (void)state;
    tar_header(bytes, "name", '2', 7, "link");
    memcpy(bytes + 345, "prefix", 6);
    tar_seal(bytes);
    assert_ok(tar_block_decode(bytes, &block, &err));
    assert_int_equal(block.format, TAR_USTAR);
    assert_string_equal(block.name, "prefix/name");
    assert_string_equal(block.link, "link");
    assert_int_equal(block.size, 7);
    assert_int_equal(block.type, '2');
    memcpy(bytes + 508, "tar", 4);
    tar_seal(bytes);
    assert_ok(tar_block_decode(bytes, &block, &err));
    assert_int_equal(block.format, TAR_STAR);
    assert_string_equal(block.name, "prefix/name");
    memcpy(bytes + 257, TAR_MAKE_MAGIC_GNU, 8);
    tar_seal(bytes);
    assert_ok(tar_block_decode(bytes, &block, &err));
    assert_int_equal(block.format, TAR_GNU);
    assert_string_equal(block.name, "name");
    memset(bytes + 257, 0, 8);
    tar_seal(bytes);
    assert_ok(tar_block_decode(bytes, &block, &err));
    assert_int_equal(block.format, TAR_V7);
    assert_string_equal(block.name, "name");
}

static void test_full_fields(void **state)
{
    unsigned char bytes[512];
    struct tar_block block;
    struct err err;

    (void)state;
    tar_header(bytes, "", '0', 0, "");
    memset(bytes, 'n', 100);
    memset(bytes + 157, 'l', 100);
    memset(bytes + 345, 'p', 155);
    tar_seal(bytes);
    assert_ok(tar_block_decode(bytes, &block, &err));
    assert_int_equal(strlen(block.name), 256);
    assert_int_equal(strlen(block.link), 100);
}

static void test_checksums(void **state)
{
    unsigned char bytes[512];
    struct tar_block block;
    struct err err;
    int sum = 0;

    (void)state;
    tar_header(bytes, "name", '0', 0, "");
    for (int i = 0; i < 512; i++) {
        bytes[i] ^= 1;
        if (i < 148 || i >= 156) {
            assert_int_equal(tar_block_decode(bytes, &block, &err), -1);
            assert_string_equal(err.message, "a header with a wrong checksum");
        }
        bytes[i] ^= 1;
    }
    /* Some made it of signed bytes. */
    bytes[0] = 0xe4;
    memset(bytes + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (signed char)bytes[i];
    snprintf((char *)bytes + 148, 8, "%06o", (unsigned)sum);
    assert_ok(tar_block_decode(bytes, &block, &err));
}

static void test_zero(void **state)
{
    unsigned char bytes[512] = {0};

    (void)state;
    assert_true(tar_block_is_zero(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 1;
        assert_false(tar_block_is_zero(bytes));
        bytes[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octal),
        cmocka_unit_test(test_base256),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_full_fields),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
