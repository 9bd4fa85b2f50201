/* SPDX-License-Identifier: Apache-2.0 */
/* Base 64 for URLs: the vectors of RFC 4648, section 10, without padding; and what is none. */
#include "unit.h"

#include "codec/base64url.h"

static void test_vectors(void **state)
{
    static const struct {
        struct slice bytes;
        const char *text;
    } cases[] = {
        {SLICE_INIT(""), ""},
        {SLICE_INIT("f"), "Zg"},
        {SLICE_INIT("fo"), "Zm8"},
        {SLICE_INIT("foo"), "Zm9v"},
        {SLICE_INIT("foob"), "Zm9vYg"},
        {SLICE_INIT("fooba"), "Zm9vYmE"},
        {SLICE_INIT("foobar"), "Zm9vYmFy"},
        {SLICE_INIT("\xfb\xff\xfe"), "-__-"}, /* what "+//+" is in the other alphabet */
        {SLICE_INIT("\0\0"), "AAA"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = BUF_INIT(1024);
        struct slice back;
        struct arena arena;
        struct err err = {0};

        arena_init(&arena, "a test", 1024);
        base64url_encode(&out, cases[i].bytes);
        assert_slice(buf_slice(&out), cases[i].text);
        assert_ok(base64url_decode(slice_of(cases[i].text), &arena, &back, &err));
        assert_true(slice_eq(back, cases[i].bytes));
        buf_release(&out);
        arena_release(&arena);
    }
}

static void test_refused(void **state)
{
    static const struct slice cases[] = {SLICE_INIT("Z"), SLICE_INIT("Zm9vY"), SLICE_INIT("Zg=="),
        SLICE_INIT("Zh"), SLICE_INIT("Zm9"), SLICE_INIT("Zm+v"), SLICE_INIT("Zm/v"),
        SLICE_INIT("Zm9v\n"), SLICE_INIT(" Zg"), SLICE_INIT("Z\0"), SLICE_INIT("\xe9\x95\x9c")};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice back = SLICE_INIT("untouched");
        struct arena arena;
        struct err err = {0};

        arena_init(&arena, "a test", 1024);
        if (base64url_decode(cases[i], &arena, &back, &err) == 0)
            fail_msg("taken: %.*s", SLICE_FMT(cases[i]));
        assert_int_equal(err.code, ERR_INVALID);
        assert_slice(back, "untouched");
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
