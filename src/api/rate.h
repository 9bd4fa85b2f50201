/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often: requests of one caller, and refusals of one address, a minute (settings
 * rate_limit_per_user and refusals_per_address). Inside api/ only.
 *
 * An address is held back only in what is refused anyway: whoever has good credentials is served,
 * also from behind the same proxy. Only logins with a password are turned away unread, since
 * checking one costs a good part of a second of a processor.
 */
#ifndef CAREEN_API_RATE_H
#define CAREEN_API_RATE_H

#include "api/call.h"

/* Counts the request of call->principal; who has none is not counted. */
struct refusal rate_caller(struct call *call);
/* Before a login is read: has its address been refused too often? */
struct refusal rate_login(struct call *call);
/* Counts a login that was put off because too many passwords are being checked: whoever sends so
 * many at once is guessing. */
void rate_login_put_off(struct call *call);
/* Counts a refusal for want of good credentials (401): it, or the one to answer instead. */
struct refusal rate_refused(struct call *call, struct refusal refusal);

#endif
