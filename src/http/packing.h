/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which answers are sent packed with gzip: those that the application allows, that the client takes
 * packed, and that are long enough. And the packers for it, kept from one answer to the next.
 */
#ifndef CAREEN_HTTP_PACKING_H
#define CAREEN_HTTP_PACKING_H

#include "base/slice.h"
#include "codec/gzip.h"

#include <pthread.h>

/* Shorter bodies fit into one packet as they are. */
enum { PACKED_FROM_BYTES = 1400, PACKERS_KEPT = 16 };

/* Does an Accept-Encoding header of this value prefer gzip (RFC 9110, section 12.5.3)? No when it
 * is empty, refuses gzip or likes "identity" better, nor when gzip's weight is not understood. */
bool packing_is_wanted(struct slice accept_encoding);

struct packers {
    pthread_mutex_t lock;
    struct gzip *kept[PACKERS_KEPT]; /* owned */
    size_t count;
};

void packers_init(struct packers *packers);
void packers_release(struct packers *packers);
/* NULL: out of memory. To be given back. Any thread. */
struct gzip *packers_take(struct packers *packers);
void packers_give(struct packers *packers, struct gzip *gzip); /* accepts NULL */

#endif
