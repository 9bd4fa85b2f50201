/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs in an array that is sorted by image: about two bytes a claim and 16 an image. Images arrive
 * with ascending numbers, so entries are nearly always appended. The entries of images that have
 * gone are dropped once they are half of all, so that coming and going for years costs no memory.
 */
#include "fleet/holdings.h"

#include "base/cleanup.h"
#include "codec/idlist.h"

enum { GONE_MIN = 1024 };

void holdings_release(struct holdings *holdings)
{
    for (size_t i = 0; i < holdings->count; i++)
        free(holdings->at[i].blob);
    free(holdings->at);
    *holdings = (struct holdings){0};
}

/* Position of the image's entry, or where it belongs. */
static size_t position_of(const struct holdings *holdings, uint32_t image)
{
    size_t low = 0, high = holdings->count;

    if (high && holdings->at[high - 1].image < image)
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (holdings->at[middle].image < image)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct held *find_entry(const struct holdings *holdings, uint32_t image)
{
    size_t at = position_of(holdings, image);

    return at < holdings->count && holdings->at[at].image == image ? &holdings->at[at] : NULL;
}

static struct held *add_entry(struct holdings *holdings, uint32_t image, struct err *err)
{
    size_t at = position_of(holdings, image);

    if (array_reserve(
            &holdings->at, &holdings->cap, holdings->count + 1, sizeof(*holdings->at), err) < 0)
        return NULL;
    memmove(
        &holdings->at[at + 1], &holdings->at[at], (holdings->count - at) * sizeof(*holdings->at));
    holdings->count++;
    holdings->gone++;
    holdings->at[at] = (struct held){.image = image};
    return &holdings->at[at];
}

int holdings_get(const struct holdings *holdings, uint32_t image, struct ids *ret, struct err *err)
{
    const struct held *held = find_entry(holdings, image);
    struct slice bytes;

    ret->count = 0;
    if (!held || !held->blob)
        return 0;
    bytes = (struct slice){held->blob, held->size};
    return idlist_decode(&bytes, SIZE_MAX, ret, err);
}

int holdings_compare(const struct holdings *holdings, uint32_t image, const struct ids *claims,
    struct ids *ret_come, struct ids *ret_go, struct err *err)
{
    struct ids old CLEANUP(ids_release) = {0};

    if (holdings_get(holdings, image, &old, err) < 0 ||
        ids_subtract(claims, &old, ret_come, err) < 0)
        return -1;
    return ids_subtract(&old, claims, ret_go, err);
}

static void drop_gone(struct holdings *holdings)
{
    size_t kept = 0;

    if (holdings->gone < GONE_MIN || holdings->gone < holdings->count / 2)
        return;
    for (size_t i = 0; i < holdings->count; i++)
        if (holdings->at[i].blob)
            holdings->at[kept++] = holdings->at[i];
    holdings->count = kept;
    holdings->gone = 0;
}

static void let_go(struct holdings *holdings, struct held *held)
{
    if (!held || !held->blob)
        return;
    free(held->blob);
    *held = (struct held){.image = held->image};
    holdings->gone++;
    drop_gone(holdings);
}

/* A blob of just its size. */
static char *encode(const struct ids *claims, uint32_t *ret_size, struct err *err)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(UINT32_MAX);
    char *blob;

    idlist_encode(&out, claims);
    if (buf_check(&out, "an image's list of claims", err) < 0)
        return NULL;
    blob = malloc(out.len);
    if (!blob) {
        err_nomem(err);
        return NULL;
    }
    memcpy(blob, out.data, out.len);
    *ret_size = (uint32_t)out.len;
    return blob;
}

int holdings_set(
    struct holdings *holdings, uint32_t image, const struct ids *claims, struct err *err)
{
    struct held *held = find_entry(holdings, image);
    uint32_t size;
    char *blob;

    if (claims->count == 0) {
        let_go(holdings, held);
        return 0;
    }
    blob = encode(claims, &size, err);
    if (!blob)
        return -1;
    if (!held)
        held = add_entry(holdings, image, err);
    if (!held) {
        free(blob);
        return -1;
    }
    holdings->gone -= held->blob == NULL;
    free(held->blob);
    held->blob = blob;
    held->size = size;
    return 0;
}
