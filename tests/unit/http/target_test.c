/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "http/target.h"

static void splits_targets(void **state)
{
    static const struct {
        const char *target, *path, *query;
    } cases[] = {
        {"/", "/", ""},
        {"/a/b", "/a/b", ""},
        {"/a?b=c", "/a", "b=c"},
        {"/a?", "/a", ""},
        {"/a?b?c/d", "/a", "b?c/d"},
        {"//a//b/", "/a//b/", ""},
        {"////", "/", ""},
        {"?q", "/", "q"},
        {"*", "*", ""},
        {"http://host", "/", ""},
        {"http://host:80/a?b", "/a", "b"},
        {"HTTPS://host?b=//c", "/", "b=//c"},
        {"http://host//a", "/a", ""},
        {"/http://host/a", "/http://host/a", ""},
        {"a/b://c", "a/b://c", ""},
        {"a?b://c/d", "a", "b://c/d"},
        {"host:443", "host:443", ""},
        {"/%2f+%00", "/%2f+%00", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice path, query;

        target_split(slice_of(cases[i].target), &path, &query);
        assert_slice(path, cases[i].path);
        assert_slice(query, cases[i].query);
    }
}

static void refuses_blanks_and_controls(void **state)
{
    (void)state;
    assert_true(target_is_valid(SLICE("/a%20b~\x80\xff")));
    assert_false(target_is_valid(SLICE("")));
    assert_false(target_is_valid(SLICE("/a b")));
    assert_false(target_is_valid(SLICE("/a\tb")));
    assert_false(target_is_valid(SLICE("/a\x7f")));
    assert_false(target_is_valid(SLICE("/a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_targets),
        cmocka_unit_test(refuses_blanks_and_controls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
