/* SPDX-License-Identifier: Apache-2.0 */
/* CSV as RFC 4180 has it, and fields that a spreadsheet would run. */
#include "unit.h"

#include "codec/csv.h"

static void test_fields(void **state)
{
    static const struct {
        struct slice text;
        const char *expected;
    } cases[] = {
        {SLICE_INIT(""), ""},
        {SLICE_INIT("nginx"), "nginx"},
        {SLICE_INIT("two words"), "two words"},
        {SLICE_INIT("a,b"), "\"a,b\""},
        {SLICE_INIT("say \"hi\""), "\"say \"\"hi\"\"\""},
        {SLICE_INIT("\""), "\"\"\"\""},
        {SLICE_INIT("a\nb"), "\"a\nb\""},
        {SLICE_INIT("a\rb"), "\"a\rb\""},
        {SLICE_INIT("=1+1"), "'=1+1"},
        {SLICE_INIT("+1"), "'+1"},
        {SLICE_INIT("-1"), "'-1"},
        {SLICE_INIT("@SUM(A1)"), "'@SUM(A1)"},
        {SLICE_INIT("\t=1"), "'\t=1"},
        {SLICE_INIT("\r=1"), "\"'\r=1\""},
        {SLICE_INIT("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\""},
        {SLICE_INIT("a=1"), "a=1"},
        {SLICE_INIT("\xe9\x95\x9c\xe5\x83\x8f"), "\xe9\x95\x9c\xe5\x83\x8f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = BUF_INIT(1024);

        csv_field(&out, cases[i].text, true);
        assert_slice(buf_slice(&out), cases[i].expected);
        buf_release(&out);
    }
}

/* NUL is a character like others; the set of signs has none. */
static void test_nul(void **state)
{
    struct buf out = BUF_INIT(1024);

    (void)state;
    csv_field(&out, SLICE("\0x"), true);
    assert_true(slice_eq(buf_slice(&out), SLICE("\0x")));
    buf_release(&out);
}

static void test_lines(void **state)
{
    struct buf out = BUF_INIT(1024);

    (void)state;
    csv_field(&out, SLICE("a"), true);
    csv_field(&out, SLICE_NONE, false);
    csv_number(&out, -5);
    csv_number(&out, INT64_MAX);
    csv_end(&out);
    csv_field(&out, SLICE("b"), true);
    csv_end(&out);
    assert_slice(buf_slice(&out), "a,,-5,9223372036854775807\nb\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
