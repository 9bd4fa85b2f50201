/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See map.h for the slot layout. Only the upper half of the hash is kept, so growing needs no
 * call-back: the home position is taken from those 32 bits, spread by a multiplication.
 */
#include "base/map.h"

#include "base/bug.h"

static uint64_t slot_of(uint64_t hash, uint32_t id)
{
    return (hash & 0xffffffff00000000u) | ((uint64_t)id + 1);
}

static uint32_t id_of(uint64_t slot)
{
    return (uint32_t)(slot - 1);
}

static size_t home_of(uint64_t slot, size_t cap)
{
    return (size_t)(((slot >> 32) * 0x9e3779b97f4a7c15u) >> 20) & (cap - 1);
}

void map_release(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

uint32_t map_find(
    const struct map *map, uint64_t hash, map_is_key is_key, const void *owner, const void *key)
{
    if (map->cap == 0)
        return MAP_NONE;
    for (size_t i = home_of(hash, map->cap); map->slots[i]; i = (i + 1) & (map->cap - 1)) {
        uint64_t slot = map->slots[i];

        if ((slot ^ hash) >> 32 == 0 && is_key(owner, id_of(slot), key))
            return id_of(slot);
    }
    return MAP_NONE;
}

static void place(uint64_t *slots, size_t cap, uint64_t slot)
{
    size_t i = home_of(slot, cap);

    while (slots[i])
        i = (i + 1) & (cap - 1);
    slots[i] = slot;
}

static int grow(struct map *map, struct err *err)
{
    size_t cap = map->cap ? map->cap * 2 : 32;
    uint64_t *slots = calloc(cap, sizeof(*slots));

    if (!slots)
        return err_nomem(err);
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i])
            place(slots, cap, map->slots[i]);
    free(map->slots);
    map->slots = slots;
    map->cap = cap;
    return 0;
}

int map_add(struct map *map, uint64_t hash, uint32_t id, struct err *err)
{
    BUG_ON(id == MAP_NONE);
    if (map->count + map->count / 2 >= map->cap && grow(map, err) < 0)
        return -1;
    place(map->slots, map->cap, slot_of(hash, id));
    map->count++;
    return 0;
}

/* Closes the gap at `hole` by moving back what may stand there: no tombstones. */
static void close_gap(struct map *map, size_t hole)
{
    size_t mask = map->cap - 1;

    for (size_t i = (hole + 1) & mask; map->slots[i]; i = (i + 1) & mask) {
        size_t home = home_of(map->slots[i], map->cap);

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = 0;
}

void map_remove(struct map *map, uint64_t hash, uint32_t id)
{
    uint64_t sought = slot_of(hash, id);

    if (map->cap == 0)
        return;
    for (size_t i = home_of(hash, map->cap); map->slots[i]; i = (i + 1) & (map->cap - 1)) {
        if (map->slots[i] == sought) {
            close_gap(map, i);
            map->count--;
            return;
        }
    }
}
