/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content keys to ids, so that a report full of known packages costs no SQL.
 *
 * Only positive answers are kept. An id never changes, and its row is deleted only by collecting
 * (collect.c), after which the cache of every process is emptied (write.c): so an entry stays true
 * whatever else others write. Only the rollback of our own write can make one false, and then
 * everything that came in during that write is forgotten. When the cache is full it is emptied: it
 * fills again within a few reports, and needs no book-keeping for each hit.
 */
#include "store/sqlite/sqlite_store.h"

/* About 18 MB when full: 20 bytes an entry and the map's slots. */
enum { CACHE_ENTRIES = 1 << 19 };

struct cached_id {
    unsigned char key[CONTENT_KEY_BYTES];
    uint32_t id;
};

/* Seeded, unlike the key itself: whoever chooses package names must not choose our probe chains. */
static uint64_t hash_of(const unsigned char *key)
{
    return slice_hash((struct slice){(const char *)key, CONTENT_KEY_BYTES});
}

static bool is_key(const void *owner, uint32_t position, const void *key)
{
    const struct id_cache *cache = owner;

    return memcmp(cache->at[position].key, key, CONTENT_KEY_BYTES) == 0;
}

uint32_t id_cache_find(const struct id_cache *cache, const unsigned char key[CONTENT_KEY_BYTES])
{
    uint32_t position = map_find(&cache->map, hash_of(key), is_key, cache, key);

    return position == MAP_NONE ? MAP_NONE : cache->at[position].id;
}

void id_cache_release(struct id_cache *cache)
{
    map_release(&cache->map);
    free(cache->at);
    *cache = (struct id_cache){0};
}

void id_cache_add(struct id_cache *cache, const unsigned char key[CONTENT_KEY_BYTES], uint32_t id)
{
    struct err ignored; /* without memory there is no cache, and nothing else is lost */

    if (cache->count == CACHE_ENTRIES)
        id_cache_release(cache);
    if (array_reserve(&cache->at, &cache->cap, cache->count + 1, sizeof(*cache->at), &ignored) < 0)
        return;
    memcpy(cache->at[cache->count].key, key, CONTENT_KEY_BYTES);
    cache->at[cache->count].id = id;
    if (map_add(&cache->map, hash_of(key), (uint32_t)cache->count, &ignored) == 0)
        cache->count++;
}

void id_cache_keep(struct id_cache *cache)
{
    cache->kept = cache->count;
}

void id_cache_forget(struct id_cache *cache)
{
    while (cache->count > cache->kept) {
        cache->count--;
        map_remove(&cache->map, hash_of(cache->at[cache->count].key), (uint32_t)cache->count);
    }
}
