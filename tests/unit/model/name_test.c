/* SPDX-License-Identifier: Apache-2.0 */
/* Names from outside: what is refused, and how it is shown. */
#include "unit.h"

#include "base/limits.h"
#include "model/name.h"

#include <string.h>

static void test_check(void **state)
{
    char text[4 * LIMIT_NAME_CHARS + 4];
    struct err err = {0};

    (void)state;
    assert_ok(name_check("the thing", SLICE("libstdc++6"), true, &err));
    assert_ok(name_check("the thing", SLICE_NONE, false, &err));
    assert_int_equal(name_check("the thing", SLICE_NONE, true, &err), -1);
    assert_string_equal(err.message, "the thing is empty");
    assert_int_equal(name_check("the thing", SLICE("a\0b"), true, &err), -1);
    assert_string_equal(err.message, "the thing \"a?b\" is not UTF-8 or holds control characters");
    assert_int_equal(name_check("the thing", SLICE("\xff"), true, &err), -1);

    /* Characters count, not bytes. */
    for (size_t i = 0; i <= LIMIT_NAME_CHARS; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    assert_ok(name_check("it", (struct slice){text, 2 * LIMIT_NAME_CHARS}, true, &err));
    assert_int_equal(
        name_check("it", (struct slice){text, 2 * LIMIT_NAME_CHARS + 2}, true, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void test_shown(void **state)
{
    char dst[NAME_SHOWN_BYTES], text[100];

    (void)state;
    assert_string_equal(name_shown(SLICE("a\tb\x7f"), dst), "a?b?");
    assert_string_equal(name_shown(SLICE_NONE, dst), "");
    memset(text, 'x', sizeof(text));
    assert_int_equal(strlen(name_shown((struct slice){text, 60}, dst)), 60);
    assert_int_equal(strlen(name_shown((struct slice){text, 61}, dst)), 63);
    assert_string_equal(dst + 60, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
