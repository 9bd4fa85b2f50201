/* SPDX-License-Identifier: Apache-2.0 */
/* Request ids: 32 lower-case hex digits, never the same twice in a process, and by their random
 * seed not in two processes either. No system call for each. */
#ifndef CAREEN_HTTP_REQUEST_ID_H
#define CAREEN_HTTP_REQUEST_ID_H

#include "http/server.h"

#include <stdatomic.h>

struct request_ids {
    uint64_t seed[2];
    _Atomic uint64_t next; /* = ids given so far */
};

void request_ids_init(struct request_ids *ids);
void request_ids_take(struct request_ids *ids, char id[REQUEST_ID_CHARS + 1]); /* any thread */

#endif
