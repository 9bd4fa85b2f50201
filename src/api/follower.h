/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that loads the index and then follows the change log, so that what other processes
 * write is in the answers within a second. It writes nothing, so it waits for no writer
 * (keeper.h does). Inside api/ only. */
#ifndef CAREEN_API_FOLLOWER_H
#define CAREEN_API_FOLLOWER_H

#include "api/service.h"

int follower_start(struct service *service, struct err *err);
void follower_stop(struct service *service); /* waits for it; after pause_end() */

#endif
