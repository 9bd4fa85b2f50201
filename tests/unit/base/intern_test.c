/* SPDX-License-Identifier: Apache-2.0 */
/* Interned strings: ids in order of arrival, one for each content, found again. */
#include "unit.h"

#include "base/intern.h"
#include "death.h"
#include "rng.h"

static void ids_count_up_and_stay(void **state)
{
    enum { STRINGS = 20000 };
    struct intern in;
    struct err err;
    uint32_t id;

    (void)state;
    assert_ok(intern_init(&in, "the test", 1 << 24, &err));
    assert_slice(intern_get(&in, 0), "");
    assert_int_equal(intern_find(&in, SLICE_NONE), 0);
    for (uint32_t i = 1; i <= STRINGS; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "name-%u", i * 7919u);
        struct slice s = {text, (size_t)len};

        assert_int_equal(intern_find(&in, s), MAP_NONE);
        assert_ok(intern_put(&in, s, &id, &err));
        assert_int_equal(id, i);
        memset(text, 'x', sizeof(text)); /* it must have been copied */
    }
    for (uint32_t i = STRINGS; i > 0; i--) {
        char text[32];

        snprintf(text, sizeof(text), "name-%u", i * 7919u);
        assert_slice(intern_get(&in, i), text);
        assert_int_equal(intern_find(&in, slice_of(text)), i);
        assert_ok(intern_put(&in, slice_of(text), &id, &err));
        assert_int_equal(id, i);
    }
    assert_int_equal(in.count, STRINGS + 1);
    intern_release(&in);
}

static void content_is_bytes(void **state)
{
    static const struct slice texts[] = {SLICE_INIT("a"), SLICE_INIT("a\0"), SLICE_INIT("a\0b"),
        SLICE_INIT("\0"), SLICE_INIT("\xff"), SLICE_INIT("A")};
    struct intern in;
    struct err err;

    (void)state;
    assert_ok(intern_init(&in, "the test", 1 << 20, &err));
    for (uint32_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        uint32_t id;

        assert_ok(intern_put(&in, texts[i], &id, &err));
        assert_int_equal(id, i + 1);
        assert_true(slice_eq(intern_get(&in, id), texts[i]));
    }
    intern_release(&in);
}

static void ceiling_and_range(void **state)
{
    struct intern in;
    struct err err = {0};
    uint32_t id = 99;

    (void)state;
    assert_ok(intern_init(&in, "the names", 2048, &err));
    assert_int_equal(intern_put(&in, (struct slice){(const char[4096]){0}, 4096}, &id, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(id, 99);
    assert_ok(intern_put(&in, SLICE("small"), &id, &err));
    assert_int_equal(id, 1);
    assert_dies(intern_get(&in, 2));
    intern_release(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_count_up_and_stay),
        cmocka_unit_test(content_is_bytes),
        cmocka_unit_test(ceiling_and_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
