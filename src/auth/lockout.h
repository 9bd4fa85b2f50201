/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has guessed too often: more than LOCKOUT_TRIES failures in a row for one name (an AK, a user)
 * from one address lock that pair for LOCKOUT_MS (contract, section 8.3). Counted for each pair, or
 * anyone who knows a name could lock it out.
 *
 * Memory is bounded: LOCKOUT_PAIRS pairs, the one that failed longest ago makes room. Any thread.
 */
#ifndef CAREEN_AUTH_LOCKOUT_H
#define CAREEN_AUTH_LOCKOUT_H

#include "base/err.h"
#include "base/slice.h"

enum { LOCKOUT_TRIES = 5, LOCKOUT_MS = 5 * 60 * 1000, LOCKOUT_PAIRS = 4096 };

struct lockout;

struct lockout *lockout_new(struct err *err);
void lockout_free(struct lockout *lockout); /* accepts NULL */

/* now_ms: of a clock that does not jump. */
bool lockout_is_locked(
    struct lockout *lockout, struct slice name, struct slice address, int64_t now_ms);
void lockout_failed(
    struct lockout *lockout, struct slice name, struct slice address, int64_t now_ms);
void lockout_succeeded(struct lockout *lockout, struct slice name, struct slice address);

#endif
