/* SPDX-License-Identifier: Apache-2.0 */
/* See when.h. */
#include "base/when.h"

#include <stdio.h>

/* --- Durations -------------------------------------------------------------------------------- */

#define DURATION_MAX_MS (INT64_C(100000) * 86400 * 1000)

/* Largest first. */
static const struct {
    int64_t ms;
    char name;
} units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
enum { UNITS = sizeof(units) / sizeof(units[0]) };

/* A number and a unit; the number may be 0. */
static bool read_amount(struct slice text, int64_t *ret_ms)
{
    uint64_t number;

    for (size_t i = 0; i < UNITS && text.len; i++)
        if (text.ptr[text.len - 1] == units[i].name &&
            slice_to_u64(slice_sub(text, 0, text.len - 1), &number) &&
            number <= (uint64_t)(DURATION_MAX_MS / units[i].ms)) {
            *ret_ms = (int64_t)number * units[i].ms;
            return true;
        }
    return false;
}

static int refuse(struct slice text, struct err *err)
{
    return err_set(err, ERR_USAGE,
        "must be a number and s, m, h or d (30m, 12h, 90d), not \"%.*s\"", SLICE_FMT(text));
}

int when_duration(struct slice text, int64_t *ret_ms, struct err *err)
{
    int64_t ms;

    if (!read_amount(text, &ms) || ms == 0)
        return refuse(text, err);
    *ret_ms = ms;
    return 0;
}

int when_age(struct slice text, int64_t *ret_ms, struct err *err)
{
    int64_t ms = 0;

    if (!slice_is(text, "0") && !read_amount(text, &ms))
        return refuse(text, err);
    *ret_ms = ms;
    return 0;
}

char *when_duration_format(int64_t ms, char dst[WHEN_DURATION_BYTES])
{
    size_t i = 0;

    while (i < UNITS && ms % units[i].ms != 0)
        i++;
    if (ms == 0)
        snprintf(dst, WHEN_DURATION_BYTES, "0");
    else if (i == UNITS)
        snprintf(dst, WHEN_DURATION_BYTES, "%lldms", (long long)ms);
    else
        snprintf(dst, WHEN_DURATION_BYTES, "%lld%c", (long long)(ms / units[i].ms), units[i].name);
    return dst;
}

/* --- Points in time --------------------------------------------------------------------------- */

/* Text eaten from the left; the first thing that does not fit sticks. */
struct eating {
    struct slice rest;
    bool wrong;
};

static int eat_digits(struct eating *eating, size_t count)
{
    uint64_t value = 0;

    if (eating->rest.len < count || !slice_to_u64(slice_sub(eating->rest, 0, count), &value))
        eating->wrong = true;
    eating->rest = slice_skip(eating->rest, count);
    return (int)value;
}

static bool eat_char(struct eating *eating, char c)
{
    if (eating->rest.len == 0 || *eating->rest.ptr != c)
        return false;
    eating->rest = slice_skip(eating->rest, 1);
    return true;
}

static void need_char(struct eating *eating, char c)
{
    eating->wrong |= !eat_char(eating, c);
}

static void eat_date(struct eating *eating, struct tm *day)
{
    day->tm_year = eat_digits(eating, 4) - 1900;
    need_char(eating, '-');
    day->tm_mon = eat_digits(eating, 2) - 1;
    need_char(eating, '-');
    day->tm_mday = eat_digits(eating, 2);
}

/* The time of day and the offset, in seconds of UTC after the start of the day. */
static int64_t eat_time(struct eating *eating)
{
    int hour = eat_digits(eating, 2), minute, second = 0, sign, off_hour, off_minute;

    need_char(eating, ':');
    minute = eat_digits(eating, 2);
    if (eat_char(eating, ':'))
        second = eat_digits(eating, 2);
    eating->wrong |= hour > 23 || minute > 59 || second > 59;
    if (eat_char(eating, 'Z'))
        return hour * 3600 + minute * 60 + second;
    sign = eat_char(eating, '-') ? -1 : 1;
    if (sign > 0)
        need_char(eating, '+');
    off_hour = eat_digits(eating, 2);
    need_char(eating, ':');
    off_minute = eat_digits(eating, 2);
    eating->wrong |= off_hour > 23 || off_minute > 59;
    return hour * 3600 + minute * 60 + second - sign * (off_hour * 3600 + off_minute * 60);
}

int when_instant(struct slice text, int64_t *ret_ms, struct err *err)
{
    struct eating eating = {.rest = text};
    struct tm day = {0}, carried;
    int64_t seconds = 0;
    time_t start;

    eat_date(&eating, &day);
    if (eating.rest.len && !eating.wrong) {
        need_char(&eating, 'T');
        seconds = eat_time(&eating);
    }
    carried = day;
    start = timegm(&carried); /* carries the 31st of June over into July */
    if (eating.wrong || eating.rest.len || day.tm_year < 70 || carried.tm_mon != day.tm_mon ||
        carried.tm_mday != day.tm_mday)
        return err_set(err, ERR_USAGE,
            "must be a day, 2027-01-31, or a time, 2027-01-31T18:30Z, not \"%.*s\"",
            SLICE_FMT(text));
    *ret_ms = ((int64_t)start + seconds) * 1000;
    return 0;
}
