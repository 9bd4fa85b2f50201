/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "auth/lockout.h"

static struct lockout *lockout;

static int setup(void **state)
{
    struct err err;

    (void)state;
    lockout = lockout_new(&err);
    return lockout ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lockout_free(lockout);
    return 0;
}

static bool locked(const char *name, const char *address, int64_t now_ms)
{
    return lockout_is_locked(lockout, slice_of(name), slice_of(address), now_ms);
}

static void fail_times(const char *name, const char *address, int times, int64_t now_ms)
{
    for (int i = 0; i < times; i++)
        lockout_failed(lockout, slice_of(name), slice_of(address), now_ms);
}

static void test_the_sixth_locks(void **state)
{
    (void)state;
    fail_times("AK", "10.0.0.1", 5, 1000);
    assert_false(locked("AK", "10.0.0.1", 1000));
    fail_times("AK", "10.0.0.1", 1, 2000);
    assert_true(locked("AK", "10.0.0.1", 2000));
    assert_true(locked("AK", "10.0.0.1", 2000 + LOCKOUT_MS - 1));
    assert_false(locked("AK", "10.0.0.1", 2000 + LOCKOUT_MS));
    assert_false(locked("AK", "10.0.0.2", 2000));
    assert_false(locked("AL", "10.0.0.1", 2000));
    /* After it there are five more. */
    fail_times("AK", "10.0.0.1", 5, 400000);
    assert_false(locked("AK", "10.0.0.1", 400000));
    fail_times("AK", "10.0.0.1", 1, 400000);
    assert_true(locked("AK", "10.0.0.1", 400000));
}

static void test_in_a_row(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        fail_times("AK", "::1", 5, 1000);
        lockout_succeeded(lockout, SLICE("AK"), SLICE("::1"));
    }
    assert_false(locked("AK", "::1", 1000));
    lockout_succeeded(lockout, SLICE("never"), SLICE("::1"));
}

/* The table is full of others; what is locked stays locked while there is anything older. */
static void test_bounded(void **state)
{
    char name[24];

    (void)state;
    for (int i = 0; i < 20 * LOCKOUT_PAIRS; i++) {
        snprintf(name, sizeof(name), "AK%d", i);
        fail_times(name, "10.0.0.1", 1, i);
    }
    fail_times("AK", "10.0.0.1", 6, 20 * LOCKOUT_PAIRS);
    assert_true(locked("AK", "10.0.0.1", 20 * LOCKOUT_PAIRS));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_sixth_locks),
        TEST(test_in_a_row),
        TEST(test_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
