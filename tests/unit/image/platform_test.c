/* SPDX-License-Identifier: Apache-2.0 */
/* Which platforms a text means. */
#include "unit.h"

#include "image/platform.h"

static bool matches(const char *wanted, const char *os, const char *architecture)
{
    struct platform platform;
    struct err err;

    assert_ok(platform_parse(slice_of(wanted), &platform, &err));
    return platform_matches(&platform, slice_of(os), slice_of(architecture));
}

static void test_matches(void **state)
{
    (void)state;
    assert_true(matches("", "linux", "amd64"));
    assert_true(matches("", "", ""));
    assert_true(matches("linux", "linux", "s390x"));
    assert_true(matches("amd64", "linux", "amd64"));
    assert_true(matches("x86_64", "linux", "amd64"));
    assert_true(matches("linux/amd64", "linux", "amd64"));
    assert_true(matches("linux/arm64", "linux", "arm64/v8"));
    assert_true(matches("linux/arm64/v8", "linux", "arm64"));
    assert_true(matches("aarch64", "linux", "arm64/v8"));
    assert_true(matches("arm/v7", "linux", "arm/v7"));
    assert_true(matches("arm", "linux", "arm/v6"));
}

static void test_does_not_match(void **state)
{
    (void)state;
    assert_false(matches("linux", "windows", "amd64"));
    assert_false(matches("amd64", "linux", "arm64"));
    assert_false(matches("amd64", "", ""));
    assert_false(matches("linux/arm/v7", "linux", "arm/v6"));
    assert_false(matches("linux/arm/v7", "linux", "arm"));
    assert_false(matches("linux/arm64/v9", "linux", "arm64"));
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "/", "linux/", "/amd64", "linux//v8", "a/b/c", "linux/a/b/c"};
    struct platform platform;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (platform_parse(slice_of(texts[i]), &platform, &err) == 0)
            fail_msg("\"%s\" was taken", texts[i]);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.message, texts[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_does_not_match),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
