/* SPDX-License-Identifier: Apache-2.0 */
/* More than a pipe takes at once, and a pipe that nobody reads. */
#include "unit.h"

#include "base/write_all.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

static void *drain(void *ctx)
{
    const int *fd = ctx;
    static char seen[BYTES + 1];
    size_t len = 0;
    ssize_t got;

    while (
        len < BYTES && (got = read(*fd, seen + len, BYTES - len < 1000 ? BYTES - len : 1000)) > 0)
        len += (size_t)got;
    seen[len] = '\0';
    return seen;
}

static void test_more_than_fits(void **state)
{
    static char bytes[BYTES];
    pthread_t reader;
    void *seen;
    int ends[2];

    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)('a' + i % 23);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&reader, NULL, drain, &ends[0]), 0);
    assert_true(write_all(ends[1], (struct slice){bytes, BYTES}));
    close(ends[1]);
    pthread_join(reader, &seen);
    assert_memory_equal(seen, bytes, BYTES);
    close(ends[0]);
}

static void test_failure(void **state)
{
    int ends[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_false(write_all(ends[1], SLICE("x")));
    assert_int_equal(errno, EPIPE);
    assert_true(write_all(ends[1], SLICE_NONE));
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_fits),
        cmocka_unit_test(test_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
