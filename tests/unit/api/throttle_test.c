/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets against a model that keeps every key, over a clock of our own. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include "api/throttle.h"
#include "rng.h"

enum { SECOND_US = 1000 * 1000, MINUTE_US = 60 * SECOND_US };

static struct throttle *throttle;

static int setup(void **state)
{
    struct err err;

    (void)state;
    throttle = throttle_new(&err);
    return throttle ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    throttle_free(throttle);
    return 0;
}

static bool take(const char *key, unsigned limit, int64_t now_us, unsigned *ret_wait_s)
{
    return throttle_take(throttle, slice_of(key), limit, now_us, ret_wait_s);
}

static void test_a_full_bucket_and_then_one_at_a_time(void **state)
{
    unsigned wait_s = 0;

    (void)state;
    for (int i = 0; i < 60; i++)
        assert_true(take("a", 60, SECOND_US, &wait_s));
    assert_int_equal(wait_s, 0);
    assert_false(take("a", 60, SECOND_US, &wait_s));
    assert_int_equal(wait_s, 1);
    assert_true(take("b", 60, SECOND_US, &wait_s)); /* another's is its own */
    assert_false(take("a", 60, 2 * SECOND_US - 1, &wait_s));
    assert_true(take("a", 60, 2 * SECOND_US, &wait_s));
    assert_false(take("a", 60, 2 * SECOND_US, &wait_s));
    /* A minute later it is full, and holds no more however long it waits. */
    for (int i = 0; i < 60; i++)
        assert_true(take("a", 60, 1000 * INT64_C(1000000) * 60, &wait_s));
    assert_false(take("a", 60, 1000 * INT64_C(1000000) * 60, &wait_s));
}

static void test_how_long_to_wait(void **state)
{
    unsigned wait_s = 0;

    (void)state;
    assert_true(take("a", 1, 5 * SECOND_US, &wait_s));
    assert_false(take("a", 1, 5 * SECOND_US, &wait_s));
    assert_int_equal(wait_s, 60);
    assert_false(take("a", 1, 5 * SECOND_US + 1, &wait_s));
    assert_int_equal(wait_s, 60);
    assert_false(take("a", 1, 6 * SECOND_US, &wait_s));
    assert_int_equal(wait_s, 59);
    assert_false(take("a", 1, 5 * SECOND_US + MINUTE_US - 1, &wait_s));
    assert_int_equal(wait_s, 1);
    assert_true(take("a", 1, 5 * SECOND_US + MINUTE_US, &wait_s));
}

static void test_looking_takes_nothing(void **state)
{
    unsigned wait_s = 0;

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(throttle_look(throttle, SLICE("a"), 1, 0, &wait_s));
    assert_true(take("a", 1, 0, &wait_s));
    assert_false(throttle_look(throttle, SLICE("a"), 1, 0, &wait_s));
    assert_int_equal(wait_s, 60);
}

static void test_no_limit_is_no_limit(void **state)
{
    unsigned wait_s = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(take("a", 0, 0, &wait_s));
}

static void test_the_limit_may_change(void **state)
{
    unsigned wait_s = 0;

    (void)state;
    assert_true(take("a", 1000, 0, &wait_s)); /* 999 are left */
    for (int i = 0; i < 10; i++)
        assert_true(take("a", 10, 0, &wait_s));
    assert_false(take("a", 10, 0, &wait_s));
    assert_false(take("a", 1000, 0, &wait_s));
    assert_true(take("a", UINT32_MAX, SECOND_US, &wait_s));
}

static void test_a_clock_that_is_late(void **state)
{
    unsigned wait_s = 0;

    (void)state;
    assert_true(take("a", 2, MINUTE_US, &wait_s));
    assert_true(take("a", 2, MINUTE_US - 5, &wait_s)); /* a thread that was overtaken */
    assert_false(take("a", 2, MINUTE_US, &wait_s));
    assert_true(take("a", 2, MINUTE_US + MINUTE_US / 2, &wait_s));
}

/* --- Against a model -------------------------------------------------------------------------- */

enum { KEYS = 40, STEPS = 200000 };

/* Keeps when each token that was taken is back: the k-th behind a full bucket comes k intervals
 * after it began to flow. In 1/limit microseconds, so that nothing is rounded. */
struct model {
    uint64_t full_at[KEYS]; /* when it will be full, times the limit */
};

static bool model_take(struct model *model, size_t key, unsigned limit, uint64_t now_us)
{
    uint64_t now = now_us * limit, full_at = model->full_at[key];

    if (full_at < now)
        full_at = now;
    if (full_at + MINUTE_US > now + (uint64_t)limit * MINUTE_US)
        return false;
    model->full_at[key] = full_at + MINUTE_US;
    return true;
}

static void compare(struct rng *rng, unsigned limit)
{
    struct model model = {{0}};
    uint64_t now_us = MINUTE_US, taken = 0;
    unsigned wait_s = 0;
    char name[16];

    for (int step = 0; step < STEPS / 4; step++) {
        size_t key = (size_t)rng_below(rng, rng_below(rng, 2) ? KEYS : 3);
        bool expected = model_take(&model, key, limit, now_us);
        int len = snprintf(name, sizeof(name), "%u/%zu", limit, key);
        bool got = throttle_take(
            throttle, (struct slice){name, (size_t)len}, limit, (int64_t)now_us, &wait_s);

        if (got != expected)
            fail_msg("limit %u, step %d: %d, not %d", limit, step, got, expected);
        taken += got;
        if (!got)
            assert_in_range(wait_s, 1, 60 / limit + 1);
        now_us += rng_below(rng, rng_below(rng, 20000) ? MINUTE_US / (limit * 20) : 2 * MINUTE_US);
    }
    assert_in_range(
        taken, STEPS / 100, STEPS / 4 - STEPS / 100); /* of both kinds there were many */
}

static void test_it_is_as_the_model(void **state)
{
    static const unsigned limits[] = {1, 7, 60, 1000};
    struct rng rng = {20261124};

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        compare(&rng, limits[i]);
}

/* --- Bounded memory --------------------------------------------------------------------------- */

/* Whoever has used all is not forgotten for many who have used one. */
static void test_the_emptiest_is_kept(void **state)
{
    unsigned wait_s = 0;
    char name[16];

    (void)state;
    for (int i = 0; i < 100; i++)
        take("greedy", 100, 0, &wait_s);
    for (int i = 0; i < 20 * THROTTLE_BUCKETS; i++) {
        snprintf(name, sizeof(name), "%d", i);
        assert_true(take(name, 100, 0, &wait_s));
    }
    assert_false(take("greedy", 100, 0, &wait_s));
}

static void *take_many(void *ctx)
{
    unsigned wait_s = 0, *taken = ctx;

    for (int i = 0; i < 5000; i++)
        *taken += take("shared", 1000, MINUTE_US, &wait_s);
    return NULL;
}

static void test_threads_share_a_bucket(void **state)
{
    pthread_t threads[4];
    unsigned taken[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &taken[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(taken[0] + taken[1] + taken[2] + taken[3], 1000);
}

/* --- Networks --------------------------------------------------------------------------------- */

static bool same_network(const char *a, const char *b)
{
    char a_bytes[THROTTLE_NETWORK_BYTES], b_bytes[THROTTLE_NETWORK_BYTES];

    return slice_eq(throttle_network(a, a_bytes), throttle_network(b, b_bytes));
}

static void test_networks(void **state)
{
    (void)state;
    assert_true(same_network("10.0.0.1", "10.0.0.1"));
    assert_false(same_network("10.0.0.1", "10.0.0.2"));
    assert_true(same_network("10.0.0.1", "::ffff:10.0.0.1"));
    assert_false(same_network("10.0.0.1", "::ffff:10.0.0.2"));
    assert_true(same_network("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_false(same_network("2001:db8:0:1::1", "2001:db8:0:2::1"));
    assert_true(same_network("::1", "::2"));
    assert_true(same_network("", ""));
    assert_false(same_network("", "::1"));
    assert_false(same_network("unix", "10.0.0.1"));
}

#define WITH_THROTTLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_THROTTLE(test_a_full_bucket_and_then_one_at_a_time),
        WITH_THROTTLE(test_how_long_to_wait),
        WITH_THROTTLE(test_looking_takes_nothing),
        WITH_THROTTLE(test_no_limit_is_no_limit),
        WITH_THROTTLE(test_the_limit_may_change),
        WITH_THROTTLE(test_a_clock_that_is_late),
        WITH_THROTTLE(test_it_is_as_the_model),
        WITH_THROTTLE(test_the_emptiest_is_kept),
        WITH_THROTTLE(test_threads_share_a_bucket),
        cmocka_unit_test(test_networks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
