/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays, and id sets against a plain table of flags. */
#include "unit.h"

#include "base/array.h"
#include "rng.h"

enum { UNIVERSE = 300 };

static void reserve_grows_and_zeroes(void **state)
{
    uint64_t *numbers = NULL;
    size_t cap = 0;
    struct err err;

    (void)state;
    assert_ok(array_reserve(&numbers, &cap, 0, sizeof(*numbers), &err));
    assert_null(numbers);
    assert_ok(array_reserve(&numbers, &cap, 1, sizeof(*numbers), &err));
    assert_int_equal(cap, 16);
    for (size_t i = 0; i < cap; i++) {
        assert_int_equal(numbers[i], 0);
        numbers[i] = i + 1;
    }
    assert_ok(array_reserve(&numbers, &cap, 1000, sizeof(*numbers), &err));
    assert_int_equal(cap, 1024);
    for (size_t i = 0; i < cap; i++)
        assert_int_equal(numbers[i], i < 16 ? i + 1 : 0);
    free(numbers);
}

static void huge_needs_are_refused(void **state)
{
    static const size_t needs[] = {
        SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 2, SIZE_MAX / 4, SIZE_MAX / 8 + 1};
    uint64_t *numbers = NULL;
    struct ids ids = {0};
    size_t cap = 0;
    struct err err;

    (void)state;
    assert_ok(array_reserve(&numbers, &cap, 4, sizeof(*numbers), &err));
    numbers[3] = 77;
    for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
        err.code = ERR_NONE;
        assert_int_equal(array_reserve(&numbers, &cap, needs[i], sizeof(*numbers), &err), -1);
        assert_int_equal(err.code, ERR_NOMEM);
        assert_int_equal(cap, 16);
        assert_int_equal(numbers[3], 77);
    }
    free(numbers);

    assert_ok(ids_push(&ids, 5, &err));
    assert_int_equal(ids_append(&ids, ids.at, SIZE_MAX, &err), -1);
    assert_int_equal(ids.count, 1);
    ids_release(&ids);
}

static void draw(struct rng *rng, struct ids *ids, bool member[UNIVERSE])
{
    size_t count = rng_below(rng, 2 * UNIVERSE);
    struct err err;

    memset(member, 0, UNIVERSE * sizeof(*member));
    ids->count = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = (uint32_t)rng_below(rng, UNIVERSE);

        assert_ok(ids_push(ids, id, &err));
        member[id] = true;
    }
    ids_sort_unique(ids);
}

static void assert_members(const struct ids *ids, const bool member[UNIVERSE])
{
    size_t expected = 0;

    for (uint32_t id = 0; id < UNIVERSE; id++) {
        expected += member[id];
        assert_int_equal(ids_contains(ids, id), member[id]);
    }
    assert_int_equal(ids->count, expected);
    for (size_t i = 1; i < ids->count; i++)
        assert_true(ids->at[i - 1] < ids->at[i]);
}

static void sets_behave_as_flags(void **state)
{
    struct ids a = {0}, b = {0}, rest = {0};
    struct rng rng = {2};
    struct err err;

    (void)state;
    for (int round = 0; round < 300; round++) {
        bool in_a[UNIVERSE], in_b[UNIVERSE], in_rest[UNIVERSE];

        draw(&rng, &a, in_a);
        draw(&rng, &b, in_b);
        assert_members(&a, in_a);
        assert_int_equal(ids_equal(&a, &b), memcmp(in_a, in_b, sizeof(in_a)) == 0);
        assert_true(ids_equal(&a, &a));
        assert_ok(ids_subtract(&a, &b, &rest, &err));
        for (uint32_t id = 0; id < UNIVERSE; id++)
            in_rest[id] = in_a[id] && !in_b[id];
        assert_members(&rest, in_rest);
        assert_ok(ids_append(&rest, b.at, b.count, &err));
        ids_sort_unique(&rest);
        for (uint32_t id = 0; id < UNIVERSE; id++)
            in_rest[id] = in_a[id] || in_b[id];
        assert_members(&rest, in_rest);
    }
    ids_release(&a);
    ids_release(&b);
    ids_release(&rest);
}

static void empty_sets(void **state)
{
    struct ids none = {0}, rest = {0}, extremes = {0};
    struct err err;

    (void)state;
    ids_sort_unique(&none);
    assert_false(ids_contains(&none, 0));
    assert_true(ids_equal(&none, &rest));
    assert_ok(ids_append(&none, NULL, 0, &err));
    assert_ok(ids_subtract(&none, &none, &rest, &err));
    assert_int_equal(rest.count, 0);

    assert_ok(ids_push(&extremes, UINT32_MAX, &err));
    assert_ok(ids_push(&extremes, 0, &err));
    ids_sort_unique(&extremes);
    assert_int_equal(extremes.at[0], 0);
    assert_int_equal(extremes.at[1], UINT32_MAX);
    assert_false(ids_equal(&none, &extremes));
    ids_release(&extremes);
    assert_null(extremes.at);
    ids_release(&none);
    ids_release(&rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve_grows_and_zeroes),
        cmocka_unit_test(huge_needs_are_refused),
        cmocka_unit_test(sets_behave_as_flags),
        cmocka_unit_test(empty_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
