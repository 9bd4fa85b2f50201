/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many findings of each code an image has, in 16 bits each: 32 bytes an image where nobody has
 * decided anything, for the planes of decided codes are only there in blocks that have such rows.
 */
#include "index/internal.h"

#include "base/bug.h"

static size_t plane_bytes(void)
{
    return sizeof(uint16_t[BLOCK_ORDINALS][PLANE_CODES]);
}

static int add_plane(struct index *index, uint32_t ordinal, unsigned plane, struct err *err)
{
    struct block *block = block_of(index, ordinal);

    if (plane == 0 || block->decided[plane - 1])
        return 0;
    block->decided[plane - 1] = calloc(1, plane_bytes());
    if (!block->decided[plane - 1])
        return err_nomem(err);
    index->planes++;
    return 0;
}

int counts_prepare_code(struct index *index, uint32_t ordinal, uint8_t code, struct err *err)
{
    return add_plane(index, ordinal, plane_of(code), err);
}

int counts_prepare(
    struct index *index, uint32_t ordinal, const struct entry *entry, struct err *err)
{
    const uint8_t *codes = entry_codes(entry);

    for (size_t i = 0; i < entry->count; i++)
        if (add_plane(index, ordinal, plane_of(codes[i]), err) < 0)
            return -1;
    return 0;
}

static uint16_t *counts_to_change(struct index *index, uint32_t ordinal, unsigned plane)
{
    struct block *block = block_of(index, ordinal);

    if (plane == 0)
        return block->open[ordinal % BLOCK_ORDINALS];
    BUG_ON(!block->decided[plane - 1]);
    return block->decided[plane - 1][ordinal % BLOCK_ORDINALS];
}

/* The counts are unsigned and wrap around midway. */
void counts_add(struct index *index, uint32_t ordinal, uint8_t code, int step)
{
    uint16_t *count = &counts_to_change(index, ordinal, plane_of(code))[code % PLANE_CODES];
    uint16_t *all = &block_of(index, ordinal)->findings[ordinal % BLOCK_ORDINALS];
    uint64_t bit = (uint64_t)1 << code;

    *count = (uint16_t)(*count + step);
    *all = (uint16_t)(*all + step);
    index->sums[ordinal / BLOCK_ORDINALS][code] += (uint32_t)step;
    index->totals[code] += (uint64_t)(int64_t)step;
    index->present = index->totals[code] ? index->present | bit : index->present & ~bit;
    index->findings += (uint64_t)(int64_t)step;
}

void counts_move(struct index *index, uint32_t from, uint32_t to)
{
    uint16_t *findings = &block_of(index, from)->findings[from % BLOCK_ORDINALS];

    for (unsigned plane = 0; plane < PLANES; plane++) {
        uint16_t *old, *new;

        if (!counts_at(index, from, plane) || (plane && !block_of(index, to)->decided[plane - 1]))
            continue; /* zeros: room was made for all others */
        old = counts_to_change(index, from, plane);
        new = counts_to_change(index, to, plane);
        for (size_t i = 0; i < PLANE_CODES; i++) {
            index->sums[from / BLOCK_ORDINALS][plane * PLANE_CODES + i] -= old[i];
            index->sums[to / BLOCK_ORDINALS][plane * PLANE_CODES + i] += old[i];
            new[i] = old[i];
            old[i] = 0;
        }
    }
    block_of(index, to)->findings[to % BLOCK_ORDINALS] = *findings;
    *findings = 0;
}

static bool is_zero(const uint32_t *sums)
{
    uint32_t any = 0;

    for (size_t i = 0; i < PLANE_CODES; i++)
        any |= sums[i];
    return any == 0;
}

void counts_trim(struct index *index, size_t first_block, size_t last_block)
{
    for (size_t at = first_block; at <= last_block && at < index->block_count; at++)
        for (unsigned plane = 1; plane < PLANES; plane++) {
            uint16_t(**counts)[PLANE_CODES] = &index->blocks[at]->decided[plane - 1];

            if (!*counts || !is_zero(index->sums[at] + plane * PLANE_CODES))
                continue;
            free(*counts);
            *counts = NULL;
            index->planes--;
        }
}

void counts_read(const struct index *index, uint32_t ordinal, uint16_t ret[INDEX_CODES])
{
    for (unsigned plane = 0; plane < PLANES; plane++) {
        const uint16_t *counts = counts_at(index, ordinal, plane);

        if (counts)
            memcpy(ret + plane * PLANE_CODES, counts, sizeof(uint16_t[PLANE_CODES]));
        else
            memset(ret + plane * PLANE_CODES, 0, sizeof(uint16_t[PLANE_CODES]));
    }
}

void block_free(struct block *block)
{
    for (unsigned plane = 1; plane < PLANES; plane++)
        free(block->decided[plane - 1]);
    free(block);
}

static const char *validate_block(const struct index *index, size_t at, size_t *planes)
{
    uint32_t sums[INDEX_CODES] = {0};

    for (uint32_t i = 0; i < BLOCK_ORDINALS; i++) {
        uint16_t counts[INDEX_CODES];

        counts_read(index, (uint32_t)at * BLOCK_ORDINALS + i, counts);
        for (size_t code = 0; code < INDEX_CODES; code++)
            sums[code] += counts[code];
    }
    if (memcmp(sums, index->sums[at], sizeof(sums)) != 0)
        return "a block's sums are not those of its images' counts";
    for (unsigned plane = 1; plane < PLANES; plane++) {
        if (!index->blocks[at]->decided[plane - 1])
            continue;
        ++*planes;
        if (is_zero(sums + plane * PLANE_CODES))
            return "a block has counts of a plane that are all zeros";
    }
    return NULL;
}

const char *counts_validate(const struct index *index)
{
    size_t planes = 0;

    for (size_t at = 0; at < index->block_count; at++) {
        const char *why = validate_block(index, at, &planes);

        if (why)
            return why;
    }
    if (planes != index->planes)
        return "the planes of counts are not as many as was counted";
    for (size_t code = 0; code < INDEX_CODES; code++)
        if ((index->present >> code & 1) != (index->totals[code] != 0))
            return "a code is present without findings, or the other way round";
    return NULL;
}
