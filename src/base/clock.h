/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Wall-clock times are int64 epoch milliseconds everywhere, as on the wire; durations are
 * taken from the monotonic clock, so a clock that jumps does not disturb a timeout.
 */
#ifndef CAREEN_BASE_CLOCK_H
#define CAREEN_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Wall clock in epoch milliseconds. The environment variable CAREEN_CLOCK_MS, read once, fixes it:
 * for tests that compare times. */
int64_t clock_now_ms(void);
int64_t clock_monotonic_us(void);
/* The monotonic clock in so many milliseconds, for pthread_cond_timedwait(). */
struct timespec clock_monotonic_in(int64_t ms);

enum { CLOCK_TEXT_BYTES = 32 };
/* "2026-11-24T06:52:24.123Z" (RFC 3339, UTC) into dst; returns dst. */
char *clock_format(int64_t epoch_ms, char dst[CLOCK_TEXT_BYTES]);

#endif
