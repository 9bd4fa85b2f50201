/* SPDX-License-Identifier: Apache-2.0 */
/* Time as text, the fixed clock of tests, and clocks that go forward. */
#include "unit.h"

#include "base/clock.h"

#include <sys/wait.h>
#include <unistd.h>

static void format_is_rfc_3339(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {-1001, "1969-12-31T23:59:58.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1754563675226, "2025-08-07T10:47:55.226Z"},
        {4102444799999, "2099-12-31T23:59:59.999Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "10000-01-01T00:00:00.000Z"},
        {INT64_MAX, "292278994-08-17T07:12:55.807Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
    };
    char text[CLOCK_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_ptr_equal(clock_format(cases[i].ms, text), text);
        assert_string_equal(text, cases[i].text);
    }
}

/* As the C library has it: every day from the year 1000 to 4159, and moments all over the range. */
static void format_is_that_of_the_c_library(void **state)
{
    char text[CLOCK_TEXT_BYTES], theirs[64];
    struct tm utc;

    (void)state;
    for (int64_t i = -354284; i < 800000; i++) {
        int64_t ms = i * 86400000 + (i * 7919 % 86400000);
        time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
        size_t used;

        gmtime_r(&seconds, &utc);
        used = strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(theirs + used, sizeof(theirs) - used, ".%03dZ", (int)(ms - seconds * 1000));
        assert_string_equal(clock_format(ms, text), theirs);
    }
}

/* What clock_now_ms() says in a process with this setting, or -1 for the real time. The setting is
 * read once, so each case needs a process of its own. */
static void monotonic_times_to_come(void **state)
{
    static const int64_t waits_ms[] = {0, 1, 999, 1000, 1001, 123456};

    (void)state;
    for (size_t i = 0; i < sizeof(waits_ms) / sizeof(*waits_ms); i++) {
        int64_t before_us = clock_monotonic_us();
        struct timespec at = clock_monotonic_in(waits_ms[i]);
        int64_t after_us = clock_monotonic_us();
        int64_t at_us = (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;

        assert_true(at.tv_nsec >= 0 && at.tv_nsec < 1000000000);
        assert_true(at_us >= before_us + waits_ms[i] * 1000);
        assert_true(at_us <= after_us + waits_ms[i] * 1000);
    }
}

static int64_t now_with(const char *setting)
{
    int64_t now = 0;
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct timespec real;

        setenv("CAREEN_CLOCK_MS", setting, 1);
        now = clock_now_ms();
        setenv("CAREEN_CLOCK_MS", "5", 1);
        if (clock_now_ms() < now)
            now = -2; /* read again */
        clock_gettime(CLOCK_REALTIME, &real);
        if (now / 60000 == real.tv_sec / 60 || now / 60000 == real.tv_sec / 60 - 1)
            now = -1;
        _exit(write(ends[1], &now, sizeof(now)) == sizeof(now) ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &now, sizeof(now)), sizeof(now));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
    return now;
}

static void environment_fixes_the_clock(void **state)
{
    (void)state;
    assert_int_equal(now_with("1754563675226"), 1754563675226);
    assert_int_equal(now_with("0"), 0);
    assert_true(now_with("9223372036854775807") == INT64_MAX);
    assert_int_equal(now_with(""), -1);
    assert_int_equal(now_with("soon"), -1);
    assert_int_equal(now_with("-5"), -1);
    assert_int_equal(now_with("9223372036854775808"), -1);
}

static void monotonic_goes_forward(void **state)
{
    int64_t start = clock_monotonic_us(), last = start;

    (void)state;
    while (last - start < 2000) {
        int64_t now = clock_monotonic_us();

        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_is_rfc_3339),
        cmocka_unit_test(format_is_that_of_the_c_library),
        cmocka_unit_test(environment_fixes_the_clock),
        cmocka_unit_test(monotonic_goes_forward),
        cmocka_unit_test(monotonic_times_to_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
