/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that looks after the store: trims the change log, ends decisions whose time is over,
 * removes images that have had theirs. All of it may have to wait for another writer, which is why
 * it is not the follower's work. Inside api/ only. */
#ifndef CAREEN_API_KEEPER_H
#define CAREEN_API_KEEPER_H

#include "api/service.h"

int keeper_start(struct service *service, struct err *err);
void keeper_stop(struct service *service); /* waits for it; after pause_end() */

#endif
