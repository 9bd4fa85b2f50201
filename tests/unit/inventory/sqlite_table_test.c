/* SPDX-License-Identifier: Apache-2.0 */
/* Records of SQLite's: columns of every type. Tables are walked in rpm_sqlite_test.c. */
#include "inventory/reading.h"

#include "inventory/sqlite_table.h"

static void test_columns(void **state)
{
    /* NULL, 8, 16, 24, 32, 48 and 64 bits, a double, 0, 1, a blob of 2, a text of 1 */
    struct slice record = SLICE("\x0d\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x0f"
                                "\xff\x80\x00\x01\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xfe"
                                "\x00\x00\x00\x00\x00\x00\x00\x2a"
                                "dddddddd"
                                "xyt");
    static const struct {
        enum sqlite_kind kind;
        int64_t integer;
    } expected[] = {{SQLITE_NULL, 0}, {SQLITE_INTEGER, -1}, {SQLITE_INTEGER, -32768},
        {SQLITE_INTEGER, 0x10000}, {SQLITE_INTEGER, 0x7fffffff}, {SQLITE_INTEGER, -2},
        {SQLITE_INTEGER, 42}, {SQLITE_REAL, 0}, {SQLITE_INTEGER, 0}, {SQLITE_INTEGER, 1},
        {SQLITE_BLOB, 0}, {SQLITE_TEXT, 0}};
    struct sqlite_columns columns;
    struct sqlite_value value;
    struct err err = {0};
    bool more;

    (void)state;
    assert_ok(sqlite_columns_begin(&columns, record, &err));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_ok(sqlite_columns_next(&columns, &more, &value, &err));
        assert_true(more);
        assert_int_equal(value.kind, expected[i].kind);
        if (value.kind == SQLITE_INTEGER)
            assert_int_equal(value.integer, expected[i].integer);
    }
    assert_slice(value.bytes, "t");
    assert_ok(sqlite_columns_next(&columns, &more, &value, &err));
    assert_false(more);
}

static void refuse_record(struct slice record, const char *message)
{
    struct sqlite_columns columns;
    struct sqlite_value value;
    struct err err = {0};
    bool more;

    if (sqlite_columns_begin(&columns, record, &err) == 0)
        assert_int_equal(sqlite_columns_next(&columns, &more, &value, &err), -1);
    assert_string_equal(err.message, message);
}

static void test_damage(void **state)
{
    (void)state;
    refuse_record(SLICE(""), "a row of the database has no sound header");
    refuse_record(SLICE("\x00"), "a row of the database has no sound header");
    refuse_record(SLICE("\x05\x01"), "a row of the database has no sound header");
    refuse_record(SLICE("\x80\x80"), "a row of the database has no sound header");
    refuse_record(SLICE("\x02\x0a"), "a column of the database is of no known type");
    refuse_record(SLICE("\x02\x80"), "a column of the database is of no known type");
    refuse_record(SLICE("\x02\x10x"), "a column of the database has 2 bytes, and its row 1");
    refuse_record(SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        "a column of the database has 9223372036854775801 bytes, and its row 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
