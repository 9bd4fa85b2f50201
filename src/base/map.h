/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table from a caller's hash to 32-bit ids, open addressing with linear probing. The keys
 * stay with the caller (ids, not pointers): a lookup is given a predicate that says whether the key
 * of a candidate id is the one sought. Not for use from two threads at once.
 *
 *     slot:  [ hash high bits : 32 | id + 1 : 32 ]     0 = empty
 */
#ifndef CAREEN_BASE_MAP_H
#define CAREEN_BASE_MAP_H

#include "base/err.h"
#include "base/slice.h"

struct map {
    uint64_t *slots; /* owned; cap is a power of two */
    size_t count, cap;
};

#define MAP_NONE UINT32_MAX

/* Does `id` have the key that `key` points at? */
typedef bool (*map_is_key)(const void *owner, uint32_t id, const void *key);

void map_release(struct map *map);
/* The id stored under this key, or MAP_NONE. */
uint32_t map_find(
    const struct map *map, uint64_t hash, map_is_key is_key, const void *owner, const void *key);
/* Adds an id whose key is not in the table yet. 0, or -1 with *err (ERR_NOMEM), table unchanged.
 * Ids up to UINT32_MAX - 1. */
int map_add(struct map *map, uint64_t hash, uint32_t id, struct err *err);
/* Removes this very id if it is there under this hash. */
void map_remove(struct map *map, uint64_t hash, uint32_t id);

#endif
