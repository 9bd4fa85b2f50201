/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash table against a plain array: every id has a key, and the model knows which are in. The
 * hash functions are chosen to be bad: few values, so that runs are long and wrap around the end.
 */
#include "unit.h"

#include "base/map.h"
#include "death.h"
#include "rng.h"

enum { KEYS = 3000 };

struct model {
    uint64_t hash[KEYS];
    bool in[KEYS];
};

static bool is_key(const void *owner, uint32_t id, const void *key)
{
    const struct model *model = owner;
    const uint32_t *sought = key;

    assert_true(id < KEYS);
    assert_true(model->in[id]); /* nothing that was removed is offered */
    return id == *sought;
}

static void assert_same(const struct map *map, const struct model *model)
{
    size_t in = 0;

    for (uint32_t id = 0; id < KEYS; id++) {
        uint32_t found = map_find(map, model->hash[id], is_key, model, &id);

        assert_int_equal(found, model->in[id] ? id : MAP_NONE);
        in += model->in[id];
    }
    assert_int_equal(map->count, in);
}

static void assert_valid(const struct map *map)
{
    size_t used = 0;

    assert_int_equal(map->cap & (map->cap - 1), 0);
    for (size_t i = 0; i < map->cap; i++)
        used += map->slots[i] != 0;
    assert_int_equal(used, map->count);
    assert_true(map->cap == 0 || used < map->cap); /* a search ends */
}

/* Adds and removes at random while about `target` keys are in. */
static void churn(uint64_t hash_bits, size_t target, uint64_t seed)
{
    static struct model model;
    struct rng rng = {seed};
    struct map map = {0};
    struct err err;

    memset(&model, 0, sizeof(model));
    for (size_t id = 0; id < KEYS; id++)
        model.hash[id] = rng_next(&rng) & hash_bits;
    for (int step = 0; step < 40000; step++) {
        uint32_t id = (uint32_t)rng_below(&rng, target);

        if (model.in[id]) {
            map_remove(&map, model.hash[id], id);
            model.in[id] = false;
        } else {
            assert_ok(map_add(&map, model.hash[id], id, &err));
            model.in[id] = true;
        }
        if (step % 2000 == 0) {
            assert_same(&map, &model);
            assert_valid(&map);
        }
    }
    assert_same(&map, &model);
    for (uint32_t id = 0; id < KEYS; id++) {
        if (model.in[id])
            map_remove(&map, model.hash[id], id);
        model.in[id] = false;
    }
    assert_same(&map, &model);
    assert_valid(&map);
    map_release(&map);
    assert_null(map.slots);
}

static void good_hashes(void **state)
{
    (void)state;
    churn(UINT64_MAX, KEYS, 5);
}

static void few_hashes(void **state)
{
    (void)state;
    churn(0x1f00000000u, KEYS, 6);
    churn(0, 200, 7);                   /* one run */
    churn(0xffffffffu, 200, 8);         /* the part that is not kept: one run too */
    churn(0xffffffff00000000u, 30, 9);  /* small tables, often wrapping around */
    churn(0x8000000100000000u, 21, 10); /* fills the first table to its brim */
}

/* A hash whose home is the last slot of a table of 32, found by trying. */
static uint64_t hash_at_the_end(void)
{
    struct err err;

    for (uint64_t hash = 1;; hash++) {
        struct map map = {0};
        bool last;

        assert_ok(map_add(&map, hash << 32, 0, &err));
        assert_int_equal(map.cap, 32);
        last = map.slots[31] != 0;
        map_release(&map);
        if (last)
            return hash << 32;
    }
}

static void removal_wraps_around(void **state)
{
    static struct model model;
    uint64_t at_end = hash_at_the_end();
    struct err err;

    (void)state;
    for (uint32_t removed = 0; removed < 10; removed++) {
        struct map map = {0};

        memset(&model, 0, sizeof(model));
        for (uint32_t id = 0; id < 10; id++) {
            model.hash[id] = at_end;
            model.in[id] = true;
            assert_ok(map_add(&map, at_end, id, &err));
        }
        assert_true(map.slots[31] != 0 && map.slots[0] != 0 && map.slots[8] != 0);
        assert_int_equal(map.slots[9], 0);
        map_remove(&map, at_end, removed);
        model.in[removed] = false;
        assert_same(&map, &model);
        assert_true(map.slots[31] != 0 && map.slots[7] != 0);
        assert_int_equal(map.slots[8], 0);
        map_release(&map);
    }
}

static void absent_things(void **state)
{
    struct map map = {0};
    struct model *none = NULL;
    struct err err;
    uint32_t id = 1;

    (void)state;
    assert_int_equal(map_find(&map, 5, is_key, none, &id), MAP_NONE);
    map_remove(&map, 5, 1);
    assert_ok(map_add(&map, 5, 1, &err));
    map_remove(&map, 5, 2);
    map_remove(&map, (uint64_t)6 << 32, 1);
    assert_int_equal(map.count, 1);
    assert_dies((void)map_add(&map, 5, MAP_NONE, &err));
    map_release(&map);
}

static bool is_any(const void *owner, uint32_t id, const void *key)
{
    (void)owner;
    (void)id;
    (void)key;
    return true;
}

static void largest_id(void **state)
{
    struct map map = {0};
    struct err err;

    (void)state;
    assert_ok(map_add(&map, UINT64_MAX, MAP_NONE - 1, &err));
    assert_int_equal(map_find(&map, UINT64_MAX, is_any, NULL, NULL), MAP_NONE - 1);
    map_remove(&map, UINT64_MAX, MAP_NONE - 1);
    assert_int_equal(map_find(&map, UINT64_MAX, is_any, NULL, NULL), MAP_NONE);
    map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_hashes),
        cmocka_unit_test(few_hashes),
        cmocka_unit_test(removal_wraps_around),
        cmocka_unit_test(absent_things),
        cmocka_unit_test(largest_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
