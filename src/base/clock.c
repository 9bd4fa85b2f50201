/* SPDX-License-Identifier: Apache-2.0 */
/* Wall clock, monotonic clock, RFC 3339 text. */
#include "base/clock.h"

#include "base/slice.h"

#include <pthread.h>

#define DAY_MS INT64_C(86400000)
/* 0000-03-01 and 10000-01-01, midnight. */
#define YEAR_0_MS (INT64_C(-719468) * DAY_MS)
#define YEAR_10000_MS (INT64_C(2932897) * DAY_MS)

static int64_t fixed_ms = -1;

static void read_fixed_clock(void)
{
    const char *text = getenv("CAREEN_CLOCK_MS");
    uint64_t value;

    if (text && slice_to_u64(slice_of(text), &value) && value <= INT64_MAX)
        fixed_ms = (int64_t)value;
}

int64_t clock_now_ms(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct timespec now;

    pthread_once(&once, read_fixed_clock);
    if (fixed_ms >= 0)
        return fixed_ms;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct timespec clock_monotonic_in(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Two decimal digits. */
static void put_2(char *dst, unsigned value)
{
    dst[0] = (char)('0' + value / 10);
    dst[1] = (char)('0' + value % 10);
}

/* The date of a day since 1970-01-01, as "YYYY-MM-DD", for years 0 to 9999: with years that begin
 * in March the leap day is the last one, and months follow a line (their lengths repeat every five:
 * 153 days). */
static void put_date(char *dst, int64_t day)
{
    unsigned from_march_0 = (unsigned)(day + 719468);
    unsigned era = from_march_0 / 146097, day_of_era = from_march_0 % 146097;
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0 is March */
    unsigned year = era * 400 + year_of_era + (month >= 10);

    put_2(dst, year / 100);
    put_2(dst + 2, year % 100);
    dst[4] = '-';
    put_2(dst + 5, month < 10 ? month + 3 : month - 9);
    dst[7] = '-';
    put_2(dst + 8, day_of_year - (153 * month + 2) / 5 + 1);
}

/* Years of other than four digits, as the system writes them. */
static char *format_far_away(int64_t epoch_ms, char dst[CLOCK_TEXT_BYTES])
{
    time_t seconds = (time_t)(epoch_ms / 1000);
    int millis = (int)(epoch_ms % 1000);
    struct tm utc = {0};
    size_t used;

    if (millis < 0) {
        millis += 1000;
        seconds--;
    }
    gmtime_r(&seconds, &utc);
    used = strftime(dst, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(dst + used, CLOCK_TEXT_BYTES - used, ".%03uZ", (unsigned)millis % 1000u);
    return dst;
}

/* Every log line has one, and every row of an answer: strftime() takes a microsecond, and the
 * system's time zones are behind a lock. */
char *clock_format(int64_t epoch_ms, char dst[CLOCK_TEXT_BYTES])
{
    static const char pattern[] = "0000-00-00T00:00:00.000Z";
    unsigned ms_of_day;
    int64_t day;

    if (epoch_ms < YEAR_0_MS || epoch_ms >= YEAR_10000_MS)
        return format_far_away(epoch_ms, dst);
    day = (epoch_ms - YEAR_0_MS) / DAY_MS + YEAR_0_MS / DAY_MS;
    ms_of_day = (unsigned)((epoch_ms - YEAR_0_MS) % DAY_MS);
    memcpy(dst, pattern, sizeof(pattern));
    put_date(dst, day);
    put_2(dst + 11, ms_of_day / 3600000);
    put_2(dst + 14, ms_of_day / 60000 % 60);
    put_2(dst + 17, ms_of_day / 1000 % 60);
    put_2(dst + 20, ms_of_day % 1000 / 10);
    dst[22] = (char)('0' + ms_of_day % 10);
    return dst;
}
