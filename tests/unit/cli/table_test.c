/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that line up on a terminal. */
#include "unit.h"

#include "cli/table.h"

/* Rows of texts, NULL-terminated; without colours. */
static void check_table(
    const char *const *headings, size_t columns, const char *const *cells, const char *expected)
{
    struct buf out = BUF_INIT(65536);
    struct table table;

    table_init(&table, headings, columns);
    for (size_t i = 0; cells[i]; i++)
        table_cell(&table, slice_of(cells[i]), COLOUR_RED);
    table_write(&table, false, &out);
    assert_slice(buf_slice(&out), expected);
    table_release(&table);
    buf_release(&out);
}

static void test_alignment(void **state)
{
    static const char *const headings[] = {"NAME", ">COUNT", "LAST"};
    static const char *const cells[] = {"nginx", "7", "x", "a", "1234567", "longer than all", "",
        "1", "", "", "", "y", "b", "", "", "", "", "", NULL};

    (void)state;
    check_table(headings, 3, cells,
        "NAME     COUNT  LAST\n"
        "nginx        7  x\n"
        "a      1234567  longer than all\n"
        "             1\n"
        "                y\n"
        "b\n"
        "\n");
}

static void test_only_headings(void **state)
{
    static const char *const headings[] = {"ONE", ">TWO"};
    static const char *const none[] = {NULL};

    (void)state;
    check_table(headings, 2, none, "ONE  TWO\n");
}

/* A wide character takes two columns, an accented letter one, and U+FFFD, for a byte that is no
 * UTF-8, one. */
static void test_width(void **state)
{
    static const char *const headings[] = {"N", "X"};
    static const char *const cells[] = {"\xe9\x95\x9c\xe5\x83\x8f", "1", "\xc3\xa9t\xc3\xa9", "2",
        "\xff!", "3", "\xf0\x9f\x9a\xa2", "4", NULL};

    (void)state;
    check_table(headings, 2, cells,
        "N     X\n"
        "\xe9\x95\x9c\xe5\x83\x8f  1\n"
        "\xc3\xa9t\xc3\xa9   2\n"
        "\xef\xbf\xbd!    3\n"
        "\xf0\x9f\x9a\xa2    4\n");
}

/* Nothing in a cell steers the terminal: no escape, no new line, no turned direction. */
static void test_controls(void **state)
{
    static const char *const headings[] = {"N", "X"};
    static const char *const cells[] = {"a\x1b[2Jb", "1", "\r\n\x7f", "2",
        "\xc2\x9b"
        "31m",
        "3",
        "\xe2\x80\xae"
        "x",
        "4", NULL};

    (void)state;
    check_table(headings, 2, cells,
        "N       X\n"
        "a\xef\xbf\xbd[2Jb  1\n"
        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd     2\n"
        "\xef\xbf\xbd"
        "31m    3\n"
        "\xef\xbf\xbdx      4\n");
}

static void test_colours(void **state)
{
    static const char *const headings[] = {"A", ">B"};
    struct buf out = BUF_INIT(1024);
    struct table table;

    (void)state;
    table_init(&table, headings, 2);
    table_cell(&table, SLICE("x"), COLOUR_BOLD_RED);
    table_number(&table, 18446744073709551615u);
    table_write(&table, true, &out);
    assert_slice(buf_slice(&out), "\x1b[2mA\x1b[0m                     \x1b[2mB\x1b[0m\n"
                                  "\x1b[1;31mx\x1b[0m  18446744073709551615\n");
    table_release(&table);
    buf_release(&out);
}

/* Cells are kept, not pointed at. */
static void test_copies(void **state)
{
    static const char *const headings[] = {"A"};
    struct buf out = BUF_INIT(1024);
    struct table table;
    char text[] = "before";

    (void)state;
    table_init(&table, headings, 1);
    table_cell(&table, slice_of(text), COLOUR_NONE);
    memset(text, 'x', sizeof(text) - 1);
    table_write(&table, false, &out);
    assert_slice(buf_slice(&out), "A\nbefore\n");
    table_release(&table);
    buf_release(&out);
}

/* A table that ran out of its memory is an error, not a shorter table. */
static void test_failure(void **state)
{
    static const char *const headings[] = {"A"};
    struct buf out = BUF_INIT(1024);
    struct table table;
    struct err err;

    (void)state;
    table_init(&table, headings, 1);
    table.arena.max_bytes = table.arena.used_bytes;
    table_cell(&table, SLICE("too much"), COLOUR_NONE);
    table_write(&table, false, &out);
    assert_int_equal(buf_check(&out, "the table", &err), -1);
    assert_int_equal(out.len, 0);
    table_release(&table);
    buf_release(&out);
}

static void test_necessity(void **state)
{
    (void)state;
    assert_int_equal(colour_of_necessity(NECESSITY_CRITICAL), COLOUR_BOLD_RED);
    assert_int_equal(colour_of_necessity(NECESSITY_HIGH), COLOUR_RED);
    assert_int_equal(colour_of_necessity(NECESSITY_MEDIUM), COLOUR_YELLOW);
    assert_int_equal(colour_of_necessity(NECESSITY_LOW), COLOUR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_only_headings),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_necessity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
