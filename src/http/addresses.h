/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each client address has. An IPv6 client is given a whole network, so its
 * first 64 bits are what counts. Not locked: by the gate, under its lock. */
#ifndef CAREEN_HTTP_ADDRESSES_H
#define CAREEN_HTTP_ADDRESSES_H

#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESSES_SLOTS = 512 };

struct address {
    struct address *next;
    unsigned char bytes[8]; /* IPv4: four of them behind four 0xff, which begin no IPv6 address */
    unsigned connections;
};

struct addresses {
    struct address *slots[ADDRESSES_SLOTS]; /* owned chains */
};

/* One connection more. NULL when there are `max` already, or without memory. */
struct address *addresses_add(
    struct addresses *addresses, const struct sockaddr *address, unsigned max);
/* One less; the last frees. NULL is allowed. */
void addresses_remove(struct addresses *addresses, struct address *address);

#endif
