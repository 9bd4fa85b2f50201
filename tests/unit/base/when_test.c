/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and times as people write them; compared with clock_format(). */
#include "unit.h"

#include "base/clock.h"
#include "base/when.h"

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"45s", 45000}, {"1m", 60000}, {"30m", 1800000}, {"12h", 43200000},
        {"90d", 7776000000}, {"007d", 604800000}, {"100000d", 8640000000000}};
    static const char *const bad[] = {"", "d", "90", "90ms", "0", "0d", "100001d", "-1d", "+1d",
        " 1d", "1d ", "1.5h", "1D", "90days", "1d2h", "99999999999999999999d", "\xc3\xa9", "1e3d"};
    struct err err = {0};
    int64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(when_duration(slice_of(good[i].text), &ms, &err), 0);
        assert_true(ms == good[i].ms);
    }
    assert_int_equal(err.code, ERR_NONE);
    ms = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (when_duration(slice_of(bad[i]), &ms, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.message, bad[i]));
        assert_true(ms == 7);
    }
}

static void test_durations_as_text(void **state)
{
    static const char *const texts[] = {"1s", "90s", "1m", "36h", "90d", "100000d"};
    char dst[WHEN_DURATION_BYTES];
    struct err err = {0};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_ok(when_duration(slice_of(texts[i]), &ms, &err));
        assert_string_equal(when_duration_format(ms, dst), texts[i]);
    }
    assert_string_equal(when_duration_format(0, dst), "0");
    assert_string_equal(when_duration_format(1500, dst), "1500ms");
}

static void test_ages(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0}, {"0d", 0}, {"00s", 0}, {"45s", 45000}, {"90d", 7776000000}};
    static const char *const bad[] = {"", "00", "1", "s", "-0", "100001d"};
    struct err err = {0};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ms = 7;
        assert_ok(when_age(slice_of(good[i].text), &ms, &err));
        assert_true(ms == good[i].ms);
    }
    ms = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (when_age(slice_of(bad[i]), &ms, &err) == 0)
            fail_msg("taken: %s", bad[i]);
    assert_true(ms == 7);
}

static void test_instants(void **state)
{
    static const char *const good[][2] = {
        {"2027-01-31", "2027-01-31T00:00:00.000Z"},
        {"2028-02-29", "2028-02-29T00:00:00.000Z"},
        {"1970-01-01", "1970-01-01T00:00:00.000Z"},
        {"9999-12-31", "9999-12-31T00:00:00.000Z"},
        {"2027-01-31T18:30Z", "2027-01-31T18:30:00.000Z"},
        {"2027-01-31T18:30:59Z", "2027-01-31T18:30:59.000Z"},
        {"2027-01-31T18:30:00+08:00", "2027-01-31T10:30:00.000Z"},
        {"2027-01-31T00:00-05:30", "2027-01-31T05:30:00.000Z"},
        {"2027-03-01T00:30+01:00", "2027-02-28T23:30:00.000Z"},
    };
    static const char *const bad[] = {"", "2027", "2027-01", "2027-1-31", "27-01-31", "2027-02-29",
        "2027-06-31", "2027-00-10", "2027-13-01", "2027-01-00", "2027-01-32", "1969-12-31",
        "2027-01-31 18:30Z", "2027-01-31T", "2027-01-31T18:30", "2027-01-31T18Z",
        "2027-01-31T24:00Z", "2027-01-31T18:60Z", "2027-01-31T18:30:60Z", "2027-01-31T18:30:00z",
        "2027-01-31T18:30:00+8:00", "2027-01-31T18:30:00+0800", "2027-01-31T18:30:00+24:00",
        "2027-01-31T18:30:00Zx", "2027-01-31Z", "2027/01/31", "31.01.2027", "tomorrow",
        "-027-01-31", "2027-01-31T18:30:00.5Z", "12027-01-31"};
    char text[CLOCK_TEXT_BYTES];
    struct err err = {0};
    int64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(when_instant(slice_of(good[i][0]), &ms, &err), 0);
        assert_string_equal(clock_format(ms, text), good[i][1]);
    }
    assert_int_equal(err.code, ERR_NONE);
    ms = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (when_instant(slice_of(bad[i]), &ms, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.message, bad[i]));
        assert_true(ms == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_durations_as_text),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
