/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images in other orders than by number: by name, by the time of the last scan, by containers,
 * each in both directions (equal ones stand by number in both, so one is not the other backwards).
 *
 * An order is a list of chunks of ordinals; an image comes into one chunk, which is cut in two when
 * it is full, and leaves it, which goes when it is empty. Keys are not kept: they are read from the
 * images, some twenty for each change.
 *
 * Nobody may ever sort: an order is made when it is asked for first, by a read. Reads that ask at
 * the same time wait for the one that makes it; what changes the index has it alone.
 */
#include "index/internal.h"

#include "base/array.h"
#include "base/bug.h"

#include <pthread.h>

enum { CHUNK = 256, FILL = ORDER_CHUNK * 3 / 4 };

struct orders {
    pthread_mutex_t making;
    struct order *at[ORDER_COUNT]; /* by order_id(); NULL where none was asked for */
};

static size_t order_id(enum index_sort sort, bool descending)
{
    return (size_t)(sort - INDEX_SORT_IMAGE_NAME) * 2 + descending;
}

static enum index_sort sort_of(size_t id)
{
    return (enum index_sort)(INDEX_SORT_IMAGE_NAME + id / 2);
}

static bool is_descending(size_t id)
{
    return id % 2 != 0;
}

/* --- Keys ------------------------------------------------------------------------------------- */

static struct order_key key_of(const struct image *image, size_t id)
{
    struct order_key key = {.name = image->name, .number = image->number};

    key.value =
        sort_of(id) == INDEX_SORT_CONTAINERS ? image->place.containers : image->latest_scan_ms;
    return key;
}

static int compare_values(const struct order_key *a, const struct order_key *b, size_t id)
{
    int order = sort_of(id) == INDEX_SORT_IMAGE_NAME
                    ? slice_cmp(a->name, b->name)
                    : (a->value > b->value) - (a->value < b->value);

    return is_descending(id) ? -order : order;
}

static int compare_keys(const struct order_key *a, const struct order_key *b, size_t id)
{
    int order = compare_values(a, b, id);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static bool same_value(const struct entry *a, const struct entry *b, size_t id)
{
    struct order_key a_key, b_key;

    if (!a || !b)
        return false;
    a_key = key_of(&a->image, id);
    b_key = key_of(&b->image, id);
    return compare_values(&a_key, &b_key, id) == 0;
}

static bool is_before(
    const struct index *index, uint32_t ordinal, const struct order_key *key, size_t id)
{
    struct order_key at = key_of(&entry_at(index, ordinal)->image, id);

    return compare_keys(&at, key, id) < 0;
}

/* --- One order -------------------------------------------------------------------------------- */

static void order_free(struct order *order)
{
    for (size_t i = 0; order && i < order->count; i++)
        free(order->chunks[i]);
    if (order)
        free(order->chunks);
    free(order);
}

/* The chunk where a key stands or would: the last one that starts before it or with it. */
static size_t chunk_of(
    const struct index *index, const struct order *order, const struct order_key *key, size_t id)
{
    size_t low = 0, count = order->count;

    /* Chunks before `low` start before the key. */
    while (count) {
        size_t half = count / 2;

        if (is_before(index, order->chunks[low + half]->ordinals[0], key, id)) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low ? low - 1 : 0;
}

static size_t position_in(const struct index *index, const struct order_chunk *chunk,
    const struct order_key *key, size_t id)
{
    size_t low = 0, count = chunk->count;

    while (count) {
        size_t half = count / 2;

        if (is_before(index, chunk->ordinals[low + half], key, id)) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static void seek(const struct index *index, const struct order *order, size_t id,
    const struct order_key *key, size_t *ret_chunk, size_t *ret_at)
{
    *ret_chunk = chunk_of(index, order, key, id);
    *ret_at = 0;
    if (order->count == 0)
        return;
    *ret_at = position_in(index, order->chunks[*ret_chunk], key, id);
    if (*ret_at == order->chunks[*ret_chunk]->count) {
        ++*ret_chunk;
        *ret_at = 0;
    }
}

void order_seek(const struct index *index, const struct order *order, enum index_sort sort,
    bool descending, const struct order_key *key, size_t *ret_chunk, size_t *ret_at)
{
    seek(index, order, order_id(sort, descending), key, ret_chunk, ret_at);
}

bool order_is_at(const struct index *index, uint32_t ordinal, enum index_sort sort, bool descending,
    const struct order_key *key)
{
    size_t id = order_id(sort, descending);
    struct order_key at = key_of(&entry_at(index, ordinal)->image, id);

    return compare_keys(&at, key, id) == 0;
}

/* A new chunk at this place of the list. */
static struct order_chunk *add_chunk(struct order *order, size_t at, struct err *err)
{
    struct order_chunk *chunk;

    if (array_reserve(&order->chunks, &order->cap, order->count + 1, sizeof(*order->chunks), err) <
        0)
        return NULL;
    chunk = malloc(sizeof(*chunk));
    if (!chunk) {
        err_nomem(err);
        return NULL;
    }
    chunk->count = 0;
    memmove(
        order->chunks + at + 1, order->chunks + at, (order->count - at) * sizeof(*order->chunks));
    order->chunks[at] = chunk;
    order->count++;
    return chunk;
}

/* Cuts a full chunk in two. */
static int split(struct order *order, size_t at, struct err *err)
{
    struct order_chunk *upper = add_chunk(order, at + 1, err), *lower = order->chunks[at];

    if (!upper)
        return -1;
    upper->count = lower->count / 2;
    lower->count -= upper->count;
    memcpy(
        upper->ordinals, lower->ordinals + lower->count, upper->count * sizeof(upper->ordinals[0]));
    return 0;
}

static int insert(struct index *index, struct order *order, size_t id, uint32_t ordinal)
{
    struct order_key key = key_of(&entry_at(index, ordinal)->image, id);
    size_t at = chunk_of(index, order, &key, id), position;
    struct order_chunk *chunk;
    struct err no_matter;

    if (order->count == 0 && !add_chunk(order, 0, &no_matter))
        return -1;
    if (order->chunks[at]->count == ORDER_CHUNK) {
        if (split(order, at, &no_matter) < 0)
            return -1;
        at = chunk_of(index, order, &key, id);
    }
    chunk = order->chunks[at];
    position = position_in(index, chunk, &key, id);
    memmove(chunk->ordinals + position + 1, chunk->ordinals + position,
        (chunk->count - position) * sizeof(chunk->ordinals[0]));
    chunk->ordinals[position] = ordinal;
    chunk->count++;
    return 0;
}

static void remove_ordinal(struct index *index, struct order *order, size_t id, uint32_t ordinal)
{
    struct order_key key = key_of(&entry_at(index, ordinal)->image, id);
    struct order_chunk *chunk;
    size_t at, position;

    seek(index, order, id, &key, &at, &position);
    BUG_ON(at == order->count || order->chunks[at]->ordinals[position] != ordinal);
    chunk = order->chunks[at];
    chunk->count--;
    memmove(chunk->ordinals + position, chunk->ordinals + position + 1,
        (chunk->count - position) * sizeof(chunk->ordinals[0]));
    if (chunk->count)
        return;
    free(chunk);
    order->count--;
    memmove(
        order->chunks + at, order->chunks + at + 1, (order->count - at) * sizeof(*order->chunks));
}

/* --- Making one ------------------------------------------------------------------------------- */

/* An image to be sorted; ordinals ascend with numbers. */
struct sortable {
    struct order_key key;
    uint32_t ordinal;
    size_t id;
};

static int compare_sortables(const void *left, const void *right)
{
    const struct sortable *a = left, *b = right;

    return compare_keys(&a->key, &b->key, a->id);
}

static struct sortable *sorted_images(const struct index *index, size_t id, struct err *err)
{
    const struct idset *live = &index->attributes.live;
    struct sortable *images = malloc((live->count + 1) * sizeof(*images));
    uint32_t ordinals[CHUNK];
    size_t used = 0, count;

    if (!images) {
        err_nomem(err);
        return NULL;
    }
    for (uint32_t from = 0; (count = idset_read(live, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            images[used++] = (struct sortable){
                key_of(&entry_at(index, ordinals[i])->image, id), ordinals[i], id};
    qsort(images, used, sizeof(*images), compare_sortables);
    return images;
}

static struct order *make(const struct index *index, size_t id, struct err *err)
{
    size_t count = index->attributes.live.count;
    struct sortable *images = sorted_images(index, id, err);
    struct order *order = calloc(1, sizeof(*order));
    struct order_chunk *chunk = NULL;

    if (!images || !order) {
        free(images);
        free(order);
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (i % FILL == 0 && !(chunk = add_chunk(order, order->count, err))) {
            free(images);
            order_free(order);
            return NULL;
        }
        chunk->ordinals[chunk->count++] = images[i].ordinal;
    }
    free(images);
    return order;
}

/* --- All of them ------------------------------------------------------------------------------ */

struct orders *orders_new(struct err *err)
{
    struct orders *orders = calloc(1, sizeof(*orders));

    if (!orders) {
        err_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&orders->making, NULL);
    return orders;
}

void orders_free(struct orders *orders)
{
    if (!orders)
        return;
    for (size_t id = 0; id < ORDER_COUNT; id++)
        order_free(orders->at[id]);
    pthread_mutex_destroy(&orders->making);
    free(orders);
}

const struct order *orders_get(
    const struct index *index, enum index_sort sort, bool descending, struct err *err)
{
    struct order **place = &index->orders->at[order_id(sort, descending)];
    struct order *order = __atomic_load_n(place, __ATOMIC_ACQUIRE);

    if (order)
        return order;
    pthread_mutex_lock(&index->orders->making);
    order = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (!order) {
        order = make(index, order_id(sort, descending), err);
        __atomic_store_n(place, order, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&index->orders->making);
    return order;
}

void orders_leave(
    struct index *index, uint32_t ordinal, const struct entry *old, const struct entry *new)
{
    for (size_t id = 0; old && id < ORDER_COUNT; id++)
        if (index->orders->at[id] && !same_value(old, new, id))
            remove_ordinal(index, index->orders->at[id], id, ordinal);
}

void orders_enter(
    struct index *index, uint32_t ordinal, const struct entry *old, const struct entry *new)
{
    for (size_t id = 0; new &&id < ORDER_COUNT; id++) {
        struct order *order = index->orders->at[id];

        if (!order || same_value(old, new, id) || insert(index, order, id, ordinal) == 0)
            continue;
        order_free(order);
        index->orders->at[id] = NULL;
    }
}

size_t orders_bytes(const struct orders *orders)
{
    size_t bytes = sizeof(*orders);

    for (size_t id = 0; id < ORDER_COUNT; id++) {
        /* another reader may be making it */
        const struct order *order = __atomic_load_n(&orders->at[id], __ATOMIC_ACQUIRE);

        if (order)
            bytes += sizeof(*order) + order->cap * sizeof(struct order_chunk *) +
                     order->count * (sizeof(struct order_chunk) + 16);
    }
    return bytes;
}

static const char *validate_order(const struct index *index, const struct order *order, size_t id)
{
    struct order_key last = {.number = 0};
    uint64_t images = 0;

    for (size_t i = 0; i < order->count; i++) {
        const struct order_chunk *chunk = order->chunks[i];

        if (chunk->count == 0 || chunk->count > ORDER_CHUNK)
            return "a chunk of an order is empty or has too many images";
        for (size_t j = 0; j < chunk->count; j++) {
            struct order_key key;

            if (chunk->ordinals[j] >= index->ordinal_count || !entry_at(index, chunk->ordinals[j]))
                return "an order has an image that is not there";
            key = key_of(&entry_at(index, chunk->ordinals[j])->image, id);
            if (images++ && compare_keys(&last, &key, id) >= 0)
                return "the images of an order are not in order";
            last = key;
        }
    }
    return images == index->images ? NULL : "an order has lost an image";
}

const char *orders_validate(const struct index *index)
{
    for (size_t id = 0; id < ORDER_COUNT; id++) {
        const struct order *order = index->orders->at[id];
        const char *why = order ? validate_order(index, order, id) : NULL;

        if (why)
            return why;
    }
    return NULL;
}
