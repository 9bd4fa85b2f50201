/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table with chains; its hash has a secret, so nobody can choose addresses that collide. */
#include "http/addresses.h"

#include "base/slice.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void key_of(const struct sockaddr *address, unsigned char key[8])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    memset(key, 0xff, 8);
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        memcpy(key + 4, &v4.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            memcpy(key + 4, &v6.sin6_addr.s6_addr[12], 4);
        else
            memcpy(key, &v6.sin6_addr, 8);
    }
}

static struct address **slot_of(struct addresses *addresses, const unsigned char key[8])
{
    uint64_t hash = slice_hash((struct slice){(const char *)key, 8});

    return &addresses->slots[hash % ADDRESSES_SLOTS];
}

struct address *addresses_add(
    struct addresses *addresses, const struct sockaddr *address, unsigned max)
{
    unsigned char key[8];
    struct address **slot, *at;

    key_of(address, key);
    slot = slot_of(addresses, key);
    for (at = *slot; at && memcmp(at->bytes, key, sizeof(key)) != 0; at = at->next)
        ;
    if (!at) {
        at = calloc(1, sizeof(*at));
        if (!at)
            return NULL;
        memcpy(at->bytes, key, sizeof(key));
        at->next = *slot;
        *slot = at;
    }
    if (at->connections == max)
        return NULL;
    at->connections++;
    return at;
}

void addresses_remove(struct addresses *addresses, struct address *address)
{
    struct address **at;

    if (!address || --address->connections)
        return;
    at = slot_of(addresses, address->bytes);
    while (*at != address)
        at = &(*at)->next;
    *at = address->next;
    free(address);
}
