/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and points in time as people write them, in options and settings. */
#ifndef CAREEN_BASE_WHEN_H
#define CAREEN_BASE_WHEN_H

#include "base/err.h"
#include "base/slice.h"

/* "45s", "30m", "12h" or "90d": a whole number, at least 1, and its unit; at most 100000d. In
 * milliseconds. ERR_USAGE, naming the text, which the caller puts the option's name before. */
int when_duration(struct slice text, int64_t *ret_ms, struct err *err);
/* An age: the same, or 0 with or without a unit ("0", "0d"). */
int when_age(struct slice text, int64_t *ret_ms, struct err *err);
/* The same as text, in the largest unit that leaves no rest ("36h"; "0"); what is no whole number
 * of seconds in "ms", which nothing reads. Returns dst. */
enum { WHEN_DURATION_BYTES = 32 };
char *when_duration_format(int64_t ms, char dst[WHEN_DURATION_BYTES]);

/* "2027-01-31" (the start of that day, UTC), "2027-01-31T18:30Z", "2027-01-31T18:30:00Z", also with
 * an offset from UTC, "+08:00", instead of the Z (RFC 3339, section 5.6; years from 1970). In epoch
 * milliseconds. ERR_USAGE, naming the text. */
int when_instant(struct slice text, int64_t *ret_ms, struct err *err);

#endif
