/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of any length and content, and what is said about them. */
#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "inventory/lines.h"

#include <stdlib.h>
#include <string.h>

static void open_text(
    struct lines *lines, struct slice text, struct blob *blob, struct inventory_file *file)
{
    struct err err = {0};

    *blob = blob_of_memory(text, "text");
    *file = (struct inventory_file){.path = SLICE("etc/x"), .content = blob};
    assert_ok(lines_open(lines, file, &err));
}

static void test_lines(void **state)
{
    static const char *const expected[] = {"one", "", "t\twe", "\r", "end"};
    struct lines lines = {0};
    struct inventory_file file;
    struct blob blob;
    struct slice line;
    struct err err = {0};

    (void)state;
    open_text(&lines, SLICE("one\n\nt\twe\n\r\nend"), &blob, &file);
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        assert_true(lines_next(&lines, &line));
        assert_slice(line, expected[i]);
        assert_int_equal(lines.number, i + 1);
    }
    assert_false(lines_next(&lines, &line));
    assert_false(lines_next(&lines, &line));
    assert_ok(lines_end(&lines, &err));
    assert_int_equal(lines_fail(&lines, &err, "no %s", "more"), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.message, "etc/x:5: no more");
    lines_release(&lines);

    open_text(&lines, SLICE_NONE, &blob, &file);
    assert_false(lines_next(&lines, &line));
    lines_release(&lines);
}

/* Lines of every length around the buffer's own; the last with and without its end. */
static void test_lengths(void **state)
{
    static const size_t lengths[] = {
        1, 65535, 65536, 65537, 0, 200000, 3, 131071, 131072, LIMIT_INVENTORY_LINE_BYTES - 1, 7};
    struct buf text = BUF_INIT(8UL << 20);
    struct lines lines = {0};
    struct inventory_file file;
    struct blob blob;
    struct slice line;
    struct err err = {0};
    const size_t count = sizeof(lengths) / sizeof(*lengths);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char *at = buf_reserve(&text, lengths[i]);

        assert_non_null(at);
        memset(at, (int)('a' + i), lengths[i]);
        text.len += lengths[i];
        if (i + 1 < count)
            buf_put_char(&text, '\n');
    }
    open_text(&lines, buf_slice(&text), &blob, &file);
    for (size_t i = 0; i < count; i++) {
        assert_true(lines_next(&lines, &line));
        assert_int_equal(line.len, lengths[i]);
        for (size_t k = 0; k < line.len; k++)
            assert_int_equal(line.ptr[k], 'a' + i);
    }
    assert_false(lines_next(&lines, &line));
    assert_ok(lines_end(&lines, &err));
    lines_release(&lines);
    buf_release(&text);
}

static void test_too_long(void **state)
{
    const size_t len = LIMIT_INVENTORY_LINE_BYTES + 10;
    char *text = malloc(len);
    struct lines lines = {0};
    struct inventory_file file;
    struct blob blob;
    struct slice line;
    struct err err = {0};

    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    text[2] = '\n';
    open_text(&lines, (struct slice){text, len}, &blob, &file);
    assert_true(lines_next(&lines, &line));
    assert_false(lines_next(&lines, &line));
    assert_false(lines_next(&lines, &line));
    assert_int_equal(lines_end(&lines, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(
        err.message, "etc/x:2: a line is longer than 1048576 bytes (LIMIT_INVENTORY_LINE_BYTES)");
    lines_release(&lines);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
