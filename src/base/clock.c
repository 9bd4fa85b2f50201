/* SPDX-License-Identifier: Apache-2.0 */
/* Wall clock, monotonic clock, RFC 3339 text. */
#include "base/clock.h"

#include "base/slice.h"

#include <pthread.h>

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

char *clock_format(int64_t epoch_ms, char dst[CLOCK_TEXT_BYTES])
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
