/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The background thread: it loads the index and then follows the change log, so that what other
 * processes write is in the answers within a second; and it looks after the store: trims the log,
 * ends decisions whose time is over, removes images that have had theirs. Inside api/ only.
 */
#ifndef CAREEN_API_FOLLOWER_H
#define CAREEN_API_FOLLOWER_H

#include "api/service.h"

int follower_start(struct service *service, struct err *err);
void follower_stop(struct service *service); /* waits for it */

#endif
