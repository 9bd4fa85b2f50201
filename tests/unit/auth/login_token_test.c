/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "auth/login_token.h"

static const struct seal seal = {.key = {7}};

static void test_there_and_back(void **state)
{
    static const struct login logins[] = {
        {1, 0, 0, 0}, {2, 3, 4, 1700000000123}, {UINT32_MAX, UINT32_MAX, UINT32_MAX, INT64_MAX}};
    const struct seal other = {.key = {8}};
    char text[LOGIN_TOKEN_BYTES];
    struct login back;

    (void)state;
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        login_token_make(&seal, &logins[i], text);
        assert_true(login_token_is(slice_of(text)));
        assert_true(login_token_read(&seal, slice_of(text), &back));
        assert_int_equal(back.user, logins[i].user);
        assert_int_equal(back.generation, logins[i].generation);
        assert_int_equal(back.project, logins[i].project);
        assert_true(back.issued_ms == logins[i].issued_ms);
        assert_false(login_token_read(&other, slice_of(text), &back));
    }
}

/* Nothing about a token can be changed. */
static void test_changed(void **state)
{
    const struct login login = {2, 3, 4, 1700000000123};
    char text[LOGIN_TOKEN_BYTES];
    struct login back;
    size_t len;

    (void)state;
    login_token_make(&seal, &login, text);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];

        text[i] = was == '1' ? '2' : '1';
        assert_false(login_token_read(&seal, slice_of(text), &back));
        text[i] = was;
        assert_false(login_token_read(&seal, (struct slice){text, i}, &back));
    }
    text[len] = '0';
    assert_false(login_token_read(&seal, (struct slice){text, len + 1}, &back));
    assert_false(login_token_read(&seal, SLICE("careen-login."), &back));
    assert_false(login_token_read(&seal, SLICE_NONE, &back));
    assert_false(login_token_is(SLICE("careen_0000")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
