/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of ordinals against a plain array of flags, in all three forms and across their thresholds.
 * The domain spans two of CRoaring's containers of 65,536 ids.
 */
#include "unit.h"

#include "index/idset.h"

enum { DOMAIN = 70000, STEPS = 6000 };

struct plain {
    bool has[DOMAIN];
    uint32_t count;
};

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static struct plain *plain_new(void)
{
    struct plain *plain = calloc(1, sizeof(*plain));

    assert_non_null(plain);
    return plain;
}

static void add(struct idset *set, struct plain *plain, uint32_t id)
{
    struct err err;

    assert_ok(idset_prepare(set, &err));
    idset_add(set, id);
    plain->count += !plain->has[id];
    plain->has[id] = true;
}

static void drop(struct idset *set, struct plain *plain, uint32_t id)
{
    idset_remove(set, id);
    plain->count -= plain->has[id];
    plain->has[id] = false;
}

/* Everything that can be asked of a set; reading in chunks of `chunk`. */
static void check(const struct idset *set, const struct plain *plain, size_t chunk)
{
    uint32_t read[512], rank = 0, selected, from = 0;
    size_t count = 0, at = 0;

    assert_null(idset_validate(set));
    assert_int_equal(set->count, plain->count);
    for (uint32_t id = 0; id < DOMAIN; id++) {
        if (id % 997 == 0 || plain->has[id])
            assert_int_equal(idset_below(set, id), rank);
        if (id % 13 == 0)
            assert_int_equal(idset_contains(set, id), plain->has[id]);
        if (!plain->has[id])
            continue;
        assert_true(idset_contains(set, id));
        if (rank % 7 == 0) {
            assert_true(idset_select(set, rank, &selected));
            assert_int_equal(selected, id);
        }
        if (at == count) {
            count = idset_read(set, from, read, chunk);
            at = 0;
            assert_true(count > 0);
        }
        assert_int_equal(read[at], id);
        from = read[at++] + 1;
        rank++;
    }
    assert_int_equal(at, count);
    assert_int_equal(idset_read(set, from, read, chunk), 0);
    assert_false(idset_select(set, rank, &selected));
}

static void test_empty(void **state)
{
    struct idset set = {.count = 0};
    uint32_t id;

    (void)state;
    assert_false(idset_contains(&set, 0));
    assert_false(idset_select(&set, 0, &id));
    assert_int_equal(idset_below(&set, UINT32_MAX), 0);
    assert_int_equal(idset_read(&set, 0, &id, 1), 0);
    assert_int_equal(idset_bytes(&set), 0);
    idset_remove(&set, 7);
    assert_null(idset_validate(&set));
    idset_release(&set);
}

/* Grows to thousands and shrinks to nothing again, so that each form is left and entered. */
static void test_grow_and_shrink(void **state)
{
    struct plain *plain = plain_new();
    struct idset set = {.count = 0};

    (void)state;
    for (uint32_t spread = 100; spread <= DOMAIN; spread += DOMAIN - 100) {
        for (int i = 0; i < STEPS; i++) {
            add(&set, plain, random_below(spread));
            if (i < 90 || i % 1500 == 0)
                check(&set, plain, i % 2 ? 5 : 512);
        }
        check(&set, plain, 512);
        for (uint32_t id = 0; id < DOMAIN; id++) {
            bool check_now = plain->has[id] && (plain->count < 90 || plain->count % 1000 == 0);

            drop(&set, plain, id);
            if (check_now)
                check(&set, plain, 100);
        }
        assert_int_equal(set.count, 0);
        assert_int_equal(idset_bytes(&set), 0);
    }
    idset_release(&set);
    free(plain);
}

/* Filled in order with a tail, then settled, at sizes around the thresholds. */
static void test_filling(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 65, 66, 67, 100, 4096, 5000, 20000};
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct plain *plain = plain_new();
        struct idset set = {.count = 0};

        for (uint32_t n = 0, id = 0; n < sizes[i]; n++, id += 1 + n % 5) {
            assert_ok(idset_prepare_filling(&set, &err));
            idset_add(&set, id);
            plain->has[id] = true;
            plain->count++;
        }
        assert_int_equal(set.count, sizes[i]);
        assert_true(idset_bytes(&set) < 1024 + sizes[i] * 8);
        assert_int_not_equal(set.cap, UINT32_MAX);
        idset_settle(&set);
        assert_int_equal(set.cap == UINT32_MAX, sizes[i] > IDSET_ARRAY_MAX);
        check(&set, plain, 512);
        add(&set, plain, DOMAIN - 1);
        check(&set, plain, 512);
        idset_release(&set);
        free(plain);
    }
}

static void test_forms_go_back(void **state)
{
    struct plain *plain = plain_new();
    struct idset set = {.count = 0};

    (void)state;
    for (uint32_t id = 0; id < IDSET_ARRAY_MAX; id++)
        add(&set, plain, id * 3);
    assert_int_not_equal(set.cap, UINT32_MAX);
    add(&set, plain, 1);
    assert_int_equal(set.cap, UINT32_MAX);
    for (uint32_t id = 0; set.count > 33; id++)
        drop(&set, plain, id);
    assert_int_equal(set.cap, UINT32_MAX);
    drop(&set, plain, IDSET_ARRAY_MAX * 3 - 3);
    assert_int_not_equal(set.cap, UINT32_MAX);
    check(&set, plain, 4);
    idset_release(&set);
    free(plain);
}

/* A move must leave the room that prepare has made, in every form and at every size. */
static void test_move_keeps_room(void **state)
{
    (void)state;
    for (uint32_t size = 1; size < 100; size++) {
        struct plain *plain = plain_new();
        struct idset set = {.count = 0};
        struct err err;

        for (uint32_t id = 0; id < size; id++)
            add(&set, plain, id * 2);
        assert_ok(idset_prepare(&set, &err));
        for (uint32_t id = size; id-- > 0;) {
            idset_move(&set, id * 2, id * 2 + 1);
            plain->has[id * 2] = false;
            plain->has[id * 2 + 1] = true;
        }
        idset_add(&set, 5000);
        plain->has[5000] = true;
        plain->count++;
        check(&set, plain, 64);
        idset_release(&set);
        free(plain);
    }
}

static void fill(struct idset *set, struct plain *plain, uint32_t count, uint32_t spread)
{
    while (plain->count < count)
        add(set, plain, random_below(spread));
}

static void check_pair(uint32_t a_count, uint32_t b_count, uint32_t spread)
{
    struct plain *a = plain_new(), *b = plain_new(), *both = plain_new(), *either = plain_new();
    struct idset a_set = {.count = 0}, b_set = {.count = 0}, result;
    struct err err;

    fill(&a_set, a, a_count, spread);
    fill(&b_set, b, b_count, spread);
    for (uint32_t id = 0; id < DOMAIN; id++) {
        both->has[id] = a->has[id] && b->has[id];
        either->has[id] = a->has[id] || b->has[id];
        both->count += both->has[id];
        either->count += either->has[id];
    }
    assert_int_equal(idset_and_count(&a_set, &b_set), both->count);
    assert_ok(idset_and(&a_set, &b_set, &result, &err));
    check(&result, both, 512);
    idset_release(&result);
    check(&a_set, a, 512);
    check(&b_set, b, 512);
    assert_ok(idset_or_into(&a_set, &b_set, &err));
    check(&a_set, either, 512);
    add(&a_set, either, spread - 1); /* what came out can be changed */
    drop(&a_set, either, 0);
    check(&a_set, either, 512);
    idset_release(&a_set);
    idset_release(&b_set);
    free(a);
    free(b);
    free(both);
    free(either);
}

static void test_and_or(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 40, 66, 67, 500, 6000};
    size_t count = sizeof(sizes) / sizeof(sizes[0]);

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            check_pair(sizes[i], sizes[j], (i + j) % 2 ? 7000 : DOMAIN);
}

static void test_of_bits(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 66, 67, 5000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct plain *plain = plain_new();
        uint64_t words[DOMAIN / 64 + 1] = {0};
        struct idset set;
        struct err err;

        while (plain->count < sizes[i]) {
            uint32_t id = random_below(DOMAIN);

            plain->count += !plain->has[id];
            plain->has[id] = true;
            words[id / 64] |= (uint64_t)1 << id % 64;
        }
        assert_ok(idset_of_bits(words, DOMAIN / 64 + 1, &set, &err));
        check(&set, plain, 512);
        add(&set, plain, 3);
        check(&set, plain, 512);
        idset_release(&set);
        free(plain);
    }
}

/* Containers of CRoaring that are full, empty, and on both sides of where lists become bits. */
static void test_of_dense_bits(void **state)
{
    static const uint32_t members[] = {65536, 0, 4096, 4097, 100};
    size_t count = 65536 / 64 * 4 + 2; /* the last container is cut short */
    uint64_t *words = calloc(count, sizeof(*words));
    uint32_t rank = 0, found;
    struct idset set;
    struct err err;

    (void)state;
    assert_non_null(words);
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t j = 0; j < members[i]; j++)
            words[i * 1024 + j / 64] |= (uint64_t)1 << j % 64;
    assert_ok(idset_of_bits(words, count, &set, &err));
    assert_null(idset_validate(&set));
    assert_int_equal(set.count, 65536 + 4096 + 4097 + 100);
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t j = 0; j < members[i]; j++) {
            assert_true(idset_select(&set, rank++, &found));
            assert_int_equal(found, i * 65536 + j);
        }
    idset_release(&set);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_grow_and_shrink),
        cmocka_unit_test(test_filling),
        cmocka_unit_test(test_forms_go_back),
        cmocka_unit_test(test_move_keeps_room),
        cmocka_unit_test(test_and_or),
        cmocka_unit_test(test_of_bits),
        cmocka_unit_test(test_of_dense_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
