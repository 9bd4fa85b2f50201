/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets, one a key: a full one holds `limit` tokens, and `limit` flow in every minute. A
 * key that is not known has a full one.
 *
 * Memory is bounded: THROTTLE_BUCKETS buckets; the one that lacks least makes room, which is what
 * forgetting changes least. Keys are told apart by 64 bits of a hash that is seeded for each
 * process, so nobody can aim at another's. Any thread.
 */
#ifndef CAREEN_API_THROTTLE_H
#define CAREEN_API_THROTTLE_H

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

enum { THROTTLE_BUCKETS = LIMIT_THROTTLE_BUCKETS };

struct throttle;

struct throttle *throttle_new(struct err *err);
void throttle_free(struct throttle *throttle); /* accepts NULL */

/* Takes a token. When there is none: false, and *ret_wait_s says in how many seconds there will be
 * (at least 1). limit: the one that holds now; it may change from call to call; 0: none, always
 * true. now_us: of a clock that does not jump. */
bool throttle_take(struct throttle *throttle, struct slice key, unsigned limit, int64_t now_us,
    unsigned *ret_wait_s);
/* The same, but leaves the token where it is. */
bool throttle_look(struct throttle *throttle, struct slice key, unsigned limit, int64_t now_us,
    unsigned *ret_wait_s);

/* The network that an address is counted by: an IPv4 address itself (also when it is written as
 * ::ffff:a.b.c.d), of an IPv6 address the first 64 bits, which is what one client has at least.
 * Text that is no address stands for itself. */
enum { THROTTLE_NETWORK_BYTES = 64 };
struct slice throttle_network(const char *address, char dst[THROTTLE_NETWORK_BYTES]);

#endif
