/* SPDX-License-Identifier: Apache-2.0 */
/* Causes that tell of decisions and of why images were removed (the log itself: images_test.c); and
 * numbers by name. */
#include "store_fixture.h"

struct causes_seen {
    struct cause at[16]; /* their lists' counts only */
    size_t count;
};

static int see_cause(void *ctx, const struct cause *cause, struct err *err)
{
    struct causes_seen *seen = ctx;

    (void)err;
    assert_true(seen->count < 16);
    seen->at[seen->count++] = *cause;
    return 0;
}

static void test_causes(void **state)
{
    static const struct cause causes[] = {
        {.kind = CAUSE_DECISION_PUT, .at_ms = 1, .project = 1, .decision = UINT32_MAX - 1},
        {.kind = CAUSE_DECISION_ENDED, .at_ms = 2, .project = 1, .decision = 6},
        {.kind = CAUSE_DECISION_PUT, .at_ms = 3, .project = 1, .decision = 6},
        {.kind = CAUSE_IMAGE_REMOVED, .at_ms = 4, .project = 1, .image = 6},
        {.kind = CAUSE_IMAGE_REMOVED, .project = 1, .image = 7, .removal = REMOVAL_SUPERSEDED},
        {.kind = CAUSE_IMAGE_REMOVED, .project = 1, .image = 8, .removal = REMOVAL_UNSEEN},
        {.kind = CAUSE_IMAGE_SCANNED, .project = 1, .image = 6},
    };
    enum { COUNT = sizeof(causes) / sizeof(*causes) };
    struct store *store = ((struct fixture *)*state)->store;
    struct causes_seen seen = {0};
    size_t dropped = 0;
    struct err err;

    begin(store);
    for (size_t i = 0; i < COUNT; i++)
        assert_ok(store_add_cause(store, &causes[i], &err));
    commit(store);
    assert_ok(store_each_cause(store, 0, 100, see_cause, &seen, &err));
    assert_int_equal(seen.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(seen.at[i].number, i + 1);
        assert_int_equal(seen.at[i].kind, causes[i].kind);
        assert_int_equal(seen.at[i].at_ms, causes[i].at_ms);
        assert_int_equal(seen.at[i].image, causes[i].image);
        assert_int_equal(seen.at[i].decision, causes[i].decision);
        assert_int_equal(seen.at[i].removal, causes[i].removal);
        assert_int_equal(seen.at[i].added.count + seen.at[i].removed.count, 0);
    }
    begin(store);
    assert_ok(store_trim_log(store, 3, 2, &dropped, &err));
    commit(store);
    assert_int_equal(dropped, 2);
    assert_bounds(store, 2, COUNT);
}

/* --- Numbers by name -------------------------------------------------------------------------- */

static int64_t state_of(struct store *store, const char *name)
{
    int64_t value = 99;
    struct err err;

    assert_ok(store_get_state(store, name, &value, &err));
    return value;
}

static void test_state(void **state)
{
    struct fixture *f = *state;
    struct err err;

    assert_int_equal(state_of(f->store, "never set"), 0);
    begin(f->store);
    assert_ok(store_set_state(f->store, "a", INT64_MAX, &err));
    assert_ok(store_set_state(f->store, "b", INT64_MIN, &err));
    assert_int_equal(state_of(f->store, "a"), INT64_MAX);
    commit(f->store);
    begin(f->store);
    assert_ok(store_set_state(f->store, "a", 3, &err));
    commit(f->store);
    reopen(f);
    assert_int_equal(state_of(f->store, "a"), 3);
    assert_int_equal(state_of(f->store, "b"), INT64_MIN);
    assert_int_equal(state_of(f->store, "A"), 0);
    assert_bounds(f->store, 0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_causes), TEST(test_state)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
