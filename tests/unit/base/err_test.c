/* SPDX-License-Identifier: Apache-2.0 */
/* Error messages: whole, in front of each other, cut at the end of the buffer, codes of errno. */
#include "unit.h"

#include <errno.h>

static void set_and_prefix(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(err_set(&err, ERR_INVALID, "limit %d is above %s", 201, "200"), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.message, "limit 201 is above 200");
    assert_int_equal(err_prefix(&err, "request %d", 7), -1);
    assert_int_equal(err_prefix(&err, "GET"), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.message, "GET: request 7: limit 201 is above 200");
    assert_int_equal(err_nomem(&err), -1);
    assert_int_equal(err.code, ERR_NOMEM);
    assert_string_equal(err.message, "out of memory");
}

static void errno_chooses_the_code(void **state)
{
    static const struct {
        int number;
        enum err_code code;
    } cases[] = {
        {ENOSPC, ERR_FULL},
        {EDQUOT, ERR_FULL},
        {EACCES, ERR_DENIED},
        {EPERM, ERR_DENIED},
        {EROFS, ERR_DENIED},
        {ENOENT, ERR_NOT_FOUND},
        {ENOMEM, ERR_NOMEM},
        {EIO, ERR_IO},
        {EISDIR, ERR_IO},
    };
    char expected[200];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err err = {0};

        errno = cases[i].number;
        assert_int_equal(err_set_errno(&err, "open %s", "data/careen.db"), -1);
        assert_int_equal(err.code, cases[i].code);
        snprintf(expected, sizeof(expected), "open data/careen.db: %s", strerror(cases[i].number));
        assert_string_equal(err.message, expected);
    }
}

static void long_messages_are_cut(void **state)
{
    char text[2 * sizeof(((struct err *)0)->message)];
    struct {
        struct err err;
        unsigned char fence[8];
    } it;

    (void)state;
    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memset(&it, 0x5a, sizeof(it));
    err_set(&it.err, ERR_FORMAT, "%s", text);
    assert_int_equal(strlen(it.err.message), sizeof(it.err.message) - 1);
    err_prefix(&it.err, "%s", "where");
    assert_int_equal(strlen(it.err.message), sizeof(it.err.message) - 1);
    assert_memory_equal(it.err.message, "where: mmm", 10);
    err_prefix(&it.err, "%s", text);
    errno = EIO;
    err_set_errno(&it.err, "%s", text);
    assert_int_equal(strlen(it.err.message), sizeof(it.err.message) - 1);
    for (size_t i = 0; i < sizeof(it.fence); i++)
        assert_int_equal(it.fence[i], 0x5a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_prefix),
        cmocka_unit_test(errno_chooses_the_code),
        cmocka_unit_test(long_messages_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
