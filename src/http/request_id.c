/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter run through the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable
 * pseudorandom number generators", 2014). It is a bijection of 64-bit numbers, so the first half of
 * an id is unique by itself. Ids name requests; they are no secrets.
 */
#include "http/request_id.h"

#include "base/random.h"

void request_ids_init(struct request_ids *ids)
{
    random_bytes(ids->seed, sizeof(ids->seed));
    ids->next = 0;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void put_hex(uint64_t x, char *dst)
{
    for (int i = 15; i >= 0; i--, x >>= 4)
        dst[i] = "0123456789abcdef"[x & 15];
}

void request_ids_take(struct request_ids *ids, char id[REQUEST_ID_CHARS + 1])
{
    uint64_t n = atomic_fetch_add_explicit(&ids->next, 1, memory_order_relaxed);

    put_hex(mix(ids->seed[0] + n), id);
    put_hex(mix(ids->seed[1] ^ mix(n)), id + 16);
    id[REQUEST_ID_CHARS] = '\0';
}
