/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays, and sorted sets of ids as plain arrays. */
#include "base/array.h"

int array_reserve(void *array, size_t *cap, size_t need, size_t size, struct err *err)
{
    size_t bigger = *cap ? *cap : 16, bytes;
    char *moved;
    void *old;

    if (need <= *cap)
        return 0;
    while (bigger < need)
        if (__builtin_mul_overflow(bigger, 2u, &bigger))
            return err_nomem(err);
    memcpy(&old, array, sizeof(old));
    if (__builtin_mul_overflow(bigger, size, &bytes) || !(moved = realloc(old, bytes)))
        return err_nomem(err);
    memset(moved + *cap * size, 0, bytes - *cap * size);
    memcpy(array, &moved, sizeof(moved));
    *cap = bigger;
    return 0;
}

void ids_release(struct ids *ids)
{
    free(ids->at);
    *ids = (struct ids){0};
}

int ids_push(struct ids *ids, uint32_t id, struct err *err)
{
    if (array_reserve(&ids->at, &ids->cap, ids->count + 1, sizeof(*ids->at), err) < 0)
        return -1;
    ids->at[ids->count++] = id;
    return 0;
}

int ids_append(struct ids *ids, const uint32_t *at, size_t count, struct err *err)
{
    size_t need;

    if (__builtin_add_overflow(ids->count, count, &need))
        return err_nomem(err);
    if (array_reserve(&ids->at, &ids->cap, need, sizeof(*ids->at), err) < 0)
        return -1;
    if (count)
        memcpy(ids->at + ids->count, at, count * sizeof(*at));
    ids->count += count;
    return 0;
}

static int compare_ids(const void *left, const void *right)
{
    uint32_t a, b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

/* Often they are: then nothing is to be done. */
static bool are_ascending(const struct ids *ids)
{
    for (size_t i = 1; i < ids->count; i++)
        if (ids->at[i - 1] >= ids->at[i])
            return false;
    return true;
}

void ids_sort_unique(struct ids *ids)
{
    size_t kept = 0;

    if (are_ascending(ids))
        return;
    qsort(ids->at, ids->count, sizeof(*ids->at), compare_ids);
    for (size_t i = 0; i < ids->count; i++)
        if (kept == 0 || ids->at[kept - 1] != ids->at[i])
            ids->at[kept++] = ids->at[i];
    ids->count = kept;
}

bool ids_contains(const struct ids *sorted, uint32_t id)
{
    return sorted->count &&
           bsearch(&id, sorted->at, sorted->count, sizeof(*sorted->at), compare_ids) != NULL;
}

bool ids_equal(const struct ids *a, const struct ids *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->at, b->at, a->count * sizeof(*a->at)) == 0);
}

int ids_subtract(const struct ids *a, const struct ids *b, struct ids *ret, struct err *err)
{
    size_t j = 0;

    ret->count = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (j < b->count && b->at[j] < a->at[i])
            j++;
        if ((j == b->count || b->at[j] != a->at[i]) && ids_push(ret, a->at[i], err) < 0)
            return -1;
    }
    return 0;
}
