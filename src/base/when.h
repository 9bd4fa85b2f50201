/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and points in time as people write them in options. */
#ifndef CAREEN_BASE_WHEN_H
#define CAREEN_BASE_WHEN_H

#include "base/err.h"
#include "base/slice.h"

/* "30m", "12h" or "90d": a whole number, 1-100000, and its unit; in milliseconds. ERR_USAGE, naming
 * the text, which the caller puts the option's name before. */
int when_duration(struct slice text, int64_t *ret_ms, struct err *err);

/* "2027-01-31" (the start of that day, UTC), "2027-01-31T18:30Z", "2027-01-31T18:30:00Z", also with
 * an offset from UTC, "+08:00", instead of the Z (RFC 3339, section 5.6; years from 1970). In epoch
 * milliseconds. ERR_USAGE, naming the text. */
int when_instant(struct slice text, int64_t *ret_ms, struct err *err);

#endif
