/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "api/iam_login.h"

#define LOGIN(methods, user, scope)                                                                \
    "{\"auth\":{\"identity\":{\"methods\":" methods ",\"password\":{\"user\":" user "}}" scope "}" \
    "}"
#define ALICE "{\"name\":\"alice\",\"password\":\"secret!\",\"domain\":{\"name\":\"d\"}}"

static int read_login(
    const char *text, struct arena *arena, struct login_request *ret, struct err *err)
{
    struct stream *body = stream_open_memory(slice_of(text), err);
    int failed;

    assert_non_null(body);
    arena_init(arena, "a login", 1 << 20);
    failed = login_request_read(body, arena, ret, err);
    stream_close(body);
    return failed;
}

static void test_read(void **state)
{
    struct login_request login = {0};
    struct arena arena;
    struct err err;

    (void)state;
    assert_ok(read_login(LOGIN("[\"password\"]", ALICE,
                             ",\"scope\":{\"project\":{\"name\":\"p\",\"x\":[{}]}},\"y\":1"),
        &arena, &login, &err));
    assert_slice(login.user_name, "alice");
    assert_slice(login.password, "secret!");
    assert_slice(login.domain_name, "d");
    assert_true(login.scope_project && !login.scope_domain);
    assert_slice(login.scope_name, "p");
    arena_release(&arena);

    assert_ok(
        read_login("{\"auth\":{\"scope\":{\"domain\":{\"id\":\"i\"}},\"identity\":{\"password\":"
                   "{\"user\":{\"password\":\"p\",\"domain\":{\"id\":\"j\"},\"name\":\"n\"}},"
                   "\"methods\":[\"password\"]}}}",
            &arena, &login, &err));
    assert_true(login.scope_domain && !login.scope_project);
    assert_slice(login.scope_id, "i");
    assert_slice(login.domain_id, "j");
    assert_slice(login.user_name, "n");
    arena_release(&arena);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *part;
    } cases[] = {
        {"", ERR_FORMAT, ""},
        {"{", ERR_FORMAT, ""},
        {"{}", ERR_INVALID, "methods"},
        {"[]", ERR_INVALID, ""},
        {LOGIN("[]", ALICE, ""), ERR_INVALID, "methods"},
        {LOGIN("\"password\"", ALICE, ""), ERR_INVALID, "methods"},
        {LOGIN("[\"password\",\"totp\"]", ALICE, ""), ERR_INVALID, "only method"},
        {LOGIN("[\"password\"]", "{\"name\":\"a\"}", ""), ERR_INVALID, "user.password"},
        {LOGIN("[\"password\"]", "{\"password\":\"secret!\"}", ""), ERR_INVALID, "user.name"},
        {LOGIN("[\"password\"]", "{\"name\":1,\"password\":\"secret!\"}", ""), ERR_INVALID, "name"},
        {LOGIN("[\"password\"]", "{\"name\":\"a\",\"password\":[\"secret!\"]}", ""), ERR_INVALID,
            "password"},
        {LOGIN("[\"password\"]", ALICE, ",\"scope\":{\"project\":{},\"domain\":{}}"), ERR_INVALID,
            "not both"},
        {LOGIN("[\"password\"]", ALICE, ",\"scope\":{\"project\":{}}"), ERR_INVALID,
            "name or an id"},
        {LOGIN("[\"password\"]", ALICE, "") "x", ERR_FORMAT, ""},
    };
    struct login_request login = {0};
    struct arena arena;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {0};

        assert_int_equal(read_login(cases[i].text, &arena, &login, &err), -1);
        if (err.code != cases[i].code || !strstr(err.message, cases[i].part))
            fail_msg("%s: code %d, %s", cases[i].text, err.code, err.message);
        assert_null(strstr(err.message, "secret!"));
        assert_null(login.user_name.ptr);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
