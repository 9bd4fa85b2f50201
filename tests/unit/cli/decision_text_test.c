/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions as rows and notes: whatever texts they hold, lines stay lines and as wide as they may.
 */
#include "unit.h"

#include "base/utf8.h"
#include "cli/decision_text.h"

static void write_one(const struct decision_view *view, struct buf *out)
{
    struct table table;

    table_init(&table, decision_headings, DECISION_COLUMNS);
    decision_table_row(&table, view);
    table_write(&table, false, out);
    table_release(&table);
    decision_write_notes(out, view);
    assert_int_equal(out->failed, ERR_NONE);
}

/* The text of a decision about `vul` at `place`, for `reason`. */
static void write_texts(struct slice vul, struct slice place, struct slice reason, struct buf *out)
{
    const uint32_t number = 1;
    const struct decision decision = {.number = 999999,
        .action = DECISION_WHITELIST,
        .vulns = &number,
        .vuln_count = 1,
        .type = -1,
        .scope = DECISION_REPOSITORY,
        .place = place,
        .image_type = -1,
        .author = reason,
        .reason = reason,
        .end = DECISION_WITHDRAWN,
        .ended_by = reason};
    const struct decision_view view = {.decision = &decision, .vul_ids = &vul, .rows = 9999999};

    write_one(&view, out);
}

static void test_nothing_breaks_out_of_its_line(void **state)
{
    const struct slice bad = SLICE("a\nb\x1b[2J\x7f\xff\xe2\x80\xae");
    struct buf out = BUF_INIT(65536);
    size_t lines = 0;

    (void)state;
    write_texts(bad, bad, bad, &out);
    for (size_t i = 0; i < out.len; i++) {
        lines += out.data[i] == '\n';
        assert_true(out.data[i] == '\n' || (unsigned char)out.data[i] >= 0x20);
        assert_int_not_equal(out.data[i], 0x7f);
    }
    assert_int_equal(lines, 4); /* heading, row, who and why, how it ended */
    assert_null(strstr(out.data, "\xe2\x80\xae"));
    assert_null(strstr(out.data, "\xff"));
    assert_non_null(strstr(out.data, "a\xef\xbf\xbd"
                                     "b\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
    buf_release(&out);
}

/* Characters up to the end of the line. */
static size_t width(const char *line)
{
    return utf8_count((struct slice){line, (size_t)(strchr(line, '\n') - line)});
}

static void test_rows_are_narrow(void **state)
{
    char text[300];
    struct buf out = BUF_INIT(65536);
    const char *row;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t len = 0; len < sizeof(text); len++) {
        const struct slice long_text = {text, len};

        buf_clear(&out);
        write_texts(long_text, long_text, SLICE("r"), &out);
        row = strchr(out.data, '\n') + 1;
        assert_true(width(out.data) <= 100 && width(row) <= 100);
        assert_true(strstr(out.data, "\xe2\x80\xa6") || len <= 26); /* cut, or all there */
    }
    assert_non_null(strstr(out.data, "vulnerabilities: xxx"));
    assert_non_null(strstr(out.data, "        repository xxx"));
    buf_release(&out);
}

static void test_statuses(void **state)
{
    (void)state;
    assert_string_equal(
        status_text(index_code(NECESSITY_LOW, VUL_APP, false, false, false)), "open");
    assert_string_equal(
        status_text(index_code(NECESSITY_LOW, VUL_APP, false, true, true)), "ignored");
    assert_string_equal(
        status_text(index_code(NECESSITY_HIGH, VUL_LINUX, false, false, true)), "handled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_breaks_out_of_its_line),
        cmocka_unit_test(test_rows_are_narrow),
        cmocka_unit_test(test_statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
