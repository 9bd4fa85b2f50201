/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See idset.h for the three forms. Going from one form to the next happens in prepare (which may
 * fail), going back in remove (which stays in the larger form when there is no memory); between the
 * two thresholds lies a gap, so that a set that sways around one of them does not convert each
 * time.
 */
#include "index/idset.h"

#include "base/bug.h"

#include <roaring/roaring.h>

enum { ARRAY_AGAIN = 32 };

#define CAP_ROARING UINT32_MAX
#define CAP_FILLING (UINT32_MAX - 1)

/* A large set while it is filled in ascending order: adding many at once is cheap, one by one is
 * not. */
enum { FILLING_TAIL = 58 };
struct filling {
    roaring_bitmap_t *roaring;
    uint32_t count; /* of the tail, which is not in the bitmap yet */
    uint32_t tail[FILLING_TAIL];
};

static bool is_roaring(const struct idset *set)
{
    return set->cap == CAP_ROARING;
}

static bool is_filling(const struct idset *set)
{
    return set->cap == CAP_FILLING;
}

/* The members of the two small forms. */
static const uint32_t *ids_of(const struct idset *set)
{
    return set->cap ? set->as.array : set->as.few;
}

static uint32_t *ids_to_change(struct idset *set)
{
    return set->cap ? set->as.array : set->as.few;
}

static uint32_t room_of(const struct idset *set)
{
    return set->cap ? set->cap : IDSET_FEW;
}

/* Position of the first id >= `id` in a sorted array. */
static uint32_t lower_bound(const uint32_t *ids, uint32_t count, uint32_t id)
{
    uint32_t low = 0;

    while (count) {
        uint32_t half = count / 2;

        if (ids[low + half] < id) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* The next capacity: half as much again, rounded up to what malloc hands out anyway (4 k + 2 ids
 * and its header fill its granules of 16 bytes). */
static uint32_t next_cap(uint32_t cap)
{
    uint32_t next = (cap + cap / 2 + 2) / 4 * 4 + 2;

    return next < IDSET_ARRAY_MAX ? next : IDSET_ARRAY_MAX;
}

void idset_release(struct idset *set)
{
    if (is_filling(set))
        roaring_bitmap_free(((struct filling *)set->as.filling)->roaring);
    if (is_roaring(set))
        roaring_bitmap_free(set->as.roaring);
    else if (set->cap)
        free(set->as.array); /* or what is filled */
    *set = (struct idset){0};
}

static int become_array(struct idset *set, uint32_t cap, struct err *err)
{
    uint32_t *array = malloc(cap * sizeof(*array));

    if (!array)
        return err_nomem(err);
    if (is_roaring(set)) {
        roaring_bitmap_to_uint32_array(set->as.roaring, array);
        roaring_bitmap_free(set->as.roaring);
    } else {
        memcpy(array, ids_of(set), set->count * sizeof(*array));
        if (set->cap)
            free(set->as.array);
    }
    set->as.array = array;
    set->cap = cap;
    return 0;
}

static int become_roaring(struct idset *set, struct err *err)
{
    roaring_bitmap_t *roaring = roaring_bitmap_create();

    if (!roaring)
        return err_nomem(err);
    roaring_bitmap_add_many(roaring, set->count, ids_of(set));
    if (set->cap)
        free(set->as.array);
    set->as.roaring = roaring;
    set->cap = CAP_ROARING;
    return 0;
}

int idset_prepare(struct idset *set, struct err *err)
{
    if (is_roaring(set) || set->count < room_of(set))
        return 0;
    if (set->cap == IDSET_ARRAY_MAX)
        return become_roaring(set, err);
    return become_array(set, next_cap(room_of(set)), err);
}

static void flush(struct filling *filling)
{
    roaring_bitmap_add_many(filling->roaring, filling->count, filling->tail);
    filling->count = 0;
}

static int become_filling(struct idset *set, struct err *err)
{
    struct filling *filling = malloc(sizeof(*filling));

    if (!filling)
        return err_nomem(err);
    if (become_roaring(set, err) < 0) {
        free(filling);
        return -1;
    }
    filling->roaring = set->as.roaring;
    filling->count = 0;
    set->as.filling = filling;
    set->cap = CAP_FILLING;
    return 0;
}

int idset_prepare_filling(struct idset *set, struct err *err)
{
    if (is_filling(set)) {
        struct filling *filling = set->as.filling;

        if (filling->count == FILLING_TAIL)
            flush(filling);
        return 0;
    }
    if (!is_roaring(set) && set->cap == IDSET_ARRAY_MAX && set->count == set->cap)
        return become_filling(set, err);
    return idset_prepare(set, err);
}

void idset_settle(struct idset *set)
{
    struct filling *filling = set->as.filling;

    if (!is_filling(set))
        return;
    flush(filling);
    set->as.roaring = filling->roaring;
    set->cap = CAP_ROARING;
    free(filling);
    roaring_bitmap_shrink_to_fit(set->as.roaring);
}

void idset_add(struct idset *set, uint32_t id)
{
    uint32_t *ids, at;

    if (is_filling(set)) {
        struct filling *filling = set->as.filling;

        filling->tail[filling->count++] = id;
        set->count++;
        return;
    }
    if (is_roaring(set)) {
        set->count += roaring_bitmap_add_checked(set->as.roaring, id);
        return;
    }
    ids = ids_to_change(set);
    at = set->count && ids[set->count - 1] < id ? set->count : lower_bound(ids, set->count, id);
    if (at < set->count && ids[at] == id)
        return;
    BUG_ON(set->count == room_of(set));
    memmove(ids + at + 1, ids + at, (set->count - at) * sizeof(*ids));
    ids[at] = id;
    set->count++;
}

/* Fewer members may fit a smaller form. Without memory the set stays as it is, which is right too.
 */
static void retreat(struct idset *set)
{
    struct err no_matter;

    if (is_roaring(set)) {
        if (set->count <= ARRAY_AGAIN)
            (void)become_array(set, next_cap(ARRAY_AGAIN), &no_matter);
    } else if (set->cap && set->count <= 1) {
        uint32_t *array = set->as.array;
        uint32_t last = array[0];

        free(array);
        set->as.few[0] = last;
        set->cap = 0;
    }
}

static void remove_id(struct idset *set, uint32_t id)
{
    uint32_t *ids, at;

    if (is_roaring(set)) {
        set->count -= roaring_bitmap_remove_checked(set->as.roaring, id);
        return;
    }
    ids = ids_to_change(set);
    at = lower_bound(ids, set->count, id);
    if (at == set->count || ids[at] != id)
        return;
    set->count--;
    memmove(ids + at, ids + at + 1, (set->count - at) * sizeof(*ids));
}

void idset_remove(struct idset *set, uint32_t id)
{
    remove_id(set, id);
    retreat(set);
}

void idset_move(struct idset *set, uint32_t from, uint32_t to)
{
    BUG_ON(!idset_contains(set, from) || idset_contains(set, to));
    remove_id(set, from);
    idset_add(set, to);
}

bool idset_contains(const struct idset *set, uint32_t id)
{
    uint32_t at;

    if (is_roaring(set))
        return roaring_bitmap_contains(set->as.roaring, id);
    at = lower_bound(ids_of(set), set->count, id);
    return at < set->count && ids_of(set)[at] == id;
}

uint32_t idset_below(const struct idset *set, uint32_t id)
{
    if (!is_roaring(set))
        return lower_bound(ids_of(set), set->count, id);
    return id == 0 ? 0 : (uint32_t)roaring_bitmap_rank(set->as.roaring, id - 1);
}

bool idset_select(const struct idset *set, uint32_t rank, uint32_t *ret)
{
    if (rank >= set->count)
        return false;
    if (is_roaring(set))
        return roaring_bitmap_select(set->as.roaring, rank, ret);
    *ret = ids_of(set)[rank];
    return true;
}

uint32_t idset_last(const struct idset *set)
{
    if (is_roaring(set))
        return roaring_bitmap_maximum(set->as.roaring);
    return set->count ? ids_of(set)[set->count - 1] : 0;
}

size_t idset_read(const struct idset *set, uint32_t from, uint32_t *dst, size_t max)
{
    roaring_uint32_iterator_t it;
    uint32_t at;
    size_t count;

    if (is_roaring(set)) {
        roaring_init_iterator(set->as.roaring, &it);
        if (!roaring_move_uint32_iterator_equalorlarger(&it, from))
            return 0;
        return roaring_read_uint32_iterator(&it, dst, (uint32_t)max);
    }
    at = lower_bound(ids_of(set), set->count, from);
    count = set->count - at < max ? set->count - at : max;
    if (count)
        memcpy(dst, ids_of(set) + at, count * sizeof(*dst));
    return count;
}

/* A set of ids that are ascending, up to IDSET_ARRAY_MAX of them. */
static int from_array(const uint32_t *ids, uint32_t count, struct idset *ret, struct err *err)
{
    struct idset set = {.count = count};

    if (count > IDSET_FEW) {
        set.as.array = malloc(count * sizeof(*ids));
        if (!set.as.array)
            return err_nomem(err);
        memcpy(set.as.array, ids, count * sizeof(*ids));
        set.cap = count;
    } else if (count) {
        memcpy(set.as.few, ids, count * sizeof(*ids));
    }
    *ret = set;
    return 0;
}

int idset_and(const struct idset *a, const struct idset *b, struct idset *ret, struct err *err)
{
    uint32_t both[IDSET_ARRAY_MAX], count = 0;

    if (is_roaring(a) && is_roaring(b)) {
        roaring_bitmap_t *roaring = roaring_bitmap_and(a->as.roaring, b->as.roaring);

        if (!roaring)
            return err_nomem(err);
        *ret = (struct idset){.as.roaring = roaring,
            .count = (uint32_t)roaring_bitmap_get_cardinality(roaring),
            .cap = CAP_ROARING};
        return 0;
    }
    if (is_roaring(a)) {
        const struct idset *other = a;

        a = b;
        b = other;
    }
    for (uint32_t i = 0; i < a->count; i++)
        if (idset_contains(b, ids_of(a)[i]))
            both[count++] = ids_of(a)[i];
    return from_array(both, count, ret, err);
}

uint32_t idset_and_count(const struct idset *a, const struct idset *b)
{
    uint32_t count = 0;

    if (is_roaring(a) && is_roaring(b))
        return (uint32_t)roaring_bitmap_and_cardinality(a->as.roaring, b->as.roaring);
    if (is_roaring(a))
        return idset_and_count(b, a);
    for (uint32_t i = 0; i < a->count; i++)
        count += idset_contains(b, ids_of(a)[i]);
    return count;
}

int idset_or_into(struct idset *into, const struct idset *b, struct err *err)
{
    if (!is_roaring(b)) {
        for (uint32_t i = 0; i < b->count; i++) {
            if (idset_prepare(into, err) < 0)
                return -1;
            idset_add(into, ids_of(b)[i]);
        }
        return 0;
    }
    if (!is_roaring(into) && become_roaring(into, err) < 0)
        return -1;
    roaring_bitmap_or_inplace(into->as.roaring, b->as.roaring);
    into->count = (uint32_t)roaring_bitmap_get_cardinality(into->as.roaring);
    return 0;
}

void idset_prefetch(const struct idset *set)
{
    if (set->cap)
        __builtin_prefetch(set->as.array); /* or the bitmap */
}

bool idset_meets_bits(const struct idset *set, const uint64_t *words)
{
    uint32_t chunk[64];
    size_t count;

    if (!is_roaring(set)) {
        for (uint32_t i = 0; i < set->count; i++)
            if (words[ids_of(set)[i] / 64] >> ids_of(set)[i] % 64 & 1)
                return true;
        return false;
    }
    for (uint32_t from = 0; (count = idset_read(set, from, chunk, 64)); from = chunk[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (words[chunk[i] / 64] >> chunk[i] % 64 & 1)
                return true;
    return false;
}

void idset_into_bits(const struct idset *set, uint64_t *words)
{
    uint32_t chunk[256];
    size_t count;

    if (!is_roaring(set)) {
        for (uint32_t i = 0; i < set->count; i++)
            words[ids_of(set)[i] / 64] |= (uint64_t)1 << ids_of(set)[i] % 64;
        return;
    }
    for (uint32_t from = 0; (count = idset_read(set, from, chunk, 256));
         from = chunk[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            words[chunk[i] / 64] |= (uint64_t)1 << chunk[i] % 64;
}

static size_t list_bits(uint64_t word, uint32_t first, uint32_t *dst)
{
    size_t used = 0;

    for (; word; word &= word - 1)
        dst[used++] = first + (uint32_t)__builtin_ctzll(word);
    return used;
}

enum { CONTAINER_WORDS = 1024, CONTAINER_ARRAY_MAX = 4096 };

/* The bits as CRoaring's portable form (the "Roaring bitmap format specification"), which it reads
 * at the speed of memory: adding id after id takes twenty times as long.
 *
 *     [ 12346 : 4 | containers : 4 | key, members - 1 : 2 + 2 each | offset : 4 each | containers ]
 *
 * A container of up to 4,096 members is a list of 16-bit numbers, else 1,024 words of bits. */
struct portable {
    char *at;
    size_t used;
};

static void put_bytes(struct portable *to, const void *from, size_t count)
{
    memcpy(to->at + to->used, from, count);
    to->used += count;
}

static void put_container(
    struct portable *to, const uint64_t *words, size_t count, uint32_t members)
{
    static const uint64_t zeros[CONTAINER_WORDS];

    if (members > CONTAINER_ARRAY_MAX) {
        put_bytes(to, words, count * sizeof(*words));
        put_bytes(to, zeros, (CONTAINER_WORDS - count) * sizeof(*words));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t ids[64];
        size_t listed = list_bits(words[i], (uint32_t)i * 64, ids);

        for (size_t j = 0; j < listed; j++)
            put_bytes(to, &(uint16_t){(uint16_t)ids[j]}, sizeof(uint16_t));
    }
}

static uint32_t members_of(const uint64_t *words, size_t count)
{
    uint32_t members = 0;

    for (size_t i = 0; i < count; i++)
        members += (uint32_t)__builtin_popcountll(words[i]);
    return members;
}

static size_t words_from(size_t count, size_t first)
{
    return count - first < CONTAINER_WORDS ? count - first : CONTAINER_WORDS;
}

static int roaring_of_bits(const uint64_t *words, size_t count, struct idset *set, struct err *err)
{
    size_t most = (count + CONTAINER_WORDS - 1) / CONTAINER_WORDS, offset;
    uint32_t head[2] = {12346, 0};
    struct portable to = {.at = malloc(8 + most * (8 + CONTAINER_WORDS * sizeof(*words)))};

    if (!to.at)
        return err_nomem(err);
    to.used = sizeof(head);
    for (size_t first = 0; first < count; first += CONTAINER_WORDS) {
        uint32_t members = members_of(words + first, words_from(count, first));
        uint16_t key[2] = {(uint16_t)(first / CONTAINER_WORDS), (uint16_t)(members - 1)};

        if (members == 0)
            continue;
        put_bytes(&to, key, sizeof(key));
        head[1]++;
    }
    memcpy(to.at, head, sizeof(head));
    offset = to.used;
    to.used += head[1] * sizeof(uint32_t);
    for (size_t first = 0; first < count; first += CONTAINER_WORDS) {
        uint32_t members = members_of(words + first, words_from(count, first));

        if (members == 0)
            continue;
        memcpy(to.at + offset, &(uint32_t){(uint32_t)to.used}, sizeof(uint32_t));
        offset += sizeof(uint32_t);
        put_container(&to, words + first, words_from(count, first), members);
    }
    set->as.roaring = roaring_bitmap_portable_deserialize_safe(to.at, to.used);
    free(to.at);
    if (!set->as.roaring)
        return err_nomem(err);
    set->cap = CAP_ROARING;
    return 0;
}

int idset_of_bits(const uint64_t *words, size_t count, struct idset *ret, struct err *err)
{
    struct idset set = {.count = members_of(words, count)};
    uint32_t ids[IDSET_ARRAY_MAX];
    size_t used = 0;

    if (set.count <= IDSET_ARRAY_MAX) {
        for (size_t i = 0; i < count; i++)
            used += list_bits(words[i], (uint32_t)i * 64, ids + used);
        return from_array(ids, set.count, ret, err);
    }
    if (roaring_of_bits(words, count, &set, err) < 0)
        return -1;
    *ret = set;
    return 0;
}

/* What malloc takes for a block: a header of 8 bytes, granules of 16. */
static size_t block_bytes(size_t size)
{
    return (size + 8 + 15) / 16 * 16;
}

/* A container holds its ids as 16-bit numbers until 8 KiB of bits are smaller; its array has about
 * an eighth to spare. */
static size_t roaring_bytes(const struct idset *set)
{
    const roaring_bitmap_t *roaring = set->as.roaring;
    size_t containers = (size_t)roaring->high_low_container.size;
    size_t ids = (size_t)set->count * 2 + set->count / 4, bits = containers * 8192;

    return block_bytes(sizeof(*roaring)) + 2 * containers * 11 + containers * 40 +
           (ids < bits ? ids : bits);
}

size_t idset_bytes(const struct idset *set)
{
    if (is_filling(set))
        return block_bytes(sizeof(struct filling)) + (size_t)set->count * 2;
    if (is_roaring(set))
        return roaring_bytes(set);
    return set->cap ? block_bytes(set->cap * sizeof(uint32_t)) : 0;
}

const char *idset_validate(const struct idset *set)
{
    const uint32_t *ids = is_roaring(set) ? NULL : ids_of(set);

    if (is_roaring(set)) {
        if (roaring_bitmap_get_cardinality(set->as.roaring) != set->count)
            return "a set's count is not that of its bitmap";
        return NULL;
    }
    if (set->cap > IDSET_ARRAY_MAX || set->count > room_of(set))
        return "a set's count is beyond its room";
    for (uint32_t i = 1; i < set->count; i++)
        if (ids[i - 1] >= ids[i])
            return "a set's ids are not ascending";
    return NULL;
}
