/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of counts by block, for those values of attributes that many images have: a question about
 * such a value, or about several of one attribute, adds up a few hundred sums instead of the counts
 * of tens of thousands of images.
 *
 * A tally costs as many bytes as the counts of two images a block, so a value has one while it has
 * more than four images a block on average, and loses it below two: a number of images that sways
 * around one of them does not build it anew each time. The empty text has none: nobody asks for it.
 *
 * A tally is a convenience. Where there is no memory for one (or for its growth) there is none, and
 * the counts of the images are added up: nothing here fails.
 */
#include "index/internal.h"

enum { IMAGES_TO_BUILD = 4, IMAGES_TO_KEEP = 2, CHUNK = 256 };

/* A set of ordinals and the place of its tally. */
struct group {
    const struct idset *set;
    struct tally **tally;
};

enum { MAX_GROUPS = 7 };

static size_t groups_of(
    struct attributes *attributes, const struct entry *entry, struct group ret[MAX_GROUPS])
{
    size_t count = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum table_id table = attribute_fields[i].table;
        struct value *value;

        if (!table_has_tallies(table))
            continue;
        value = attributes->tables[table].places[entry->values[i]].value;
        if (value->len)
            ret[count++] = (struct group){&value->set, &value->as.tally};
    }
    ret[count++] = (struct group){&attributes->types[entry->image.place.type],
        &attributes->type_tallies[entry->image.place.type]};
    if (entry->image.latest)
        ret[count++] = (struct group){&attributes->latest, &attributes->latest_tally};
    if (entry->image.place.containers > 0)
        ret[count++] = (struct group){&attributes->running, &attributes->running_tally};
    return count;
}

size_t tally_bytes(const struct tally *tally)
{
    return tally ? sizeof(*tally) + tally->blocks * sizeof(tally->sums[0]) + 16 : 0;
}

/* So many blocks, those that are new with zeros; NULL, and the old one is gone, without memory. */
static struct tally *resize(struct tally *tally, size_t blocks)
{
    size_t before = tally ? tally->blocks : 0;
    struct tally *resized = realloc(tally, sizeof(*tally) + blocks * sizeof(tally->sums[0]));

    if (!resized) {
        free(tally);
        return NULL;
    }
    if (!tally)
        memset(resized->totals, 0, sizeof(resized->totals));
    memset(resized->sums[before], 0, (blocks - before) * sizeof(resized->sums[0]));
    resized->blocks = blocks;
    return resized;
}

static void set_tally(struct attributes *attributes, struct tally **place, struct tally *tally)
{
    attributes->bytes += tally_bytes(tally);
    *place = tally;
}

/* Makes room for a block; drops the tally when there is no memory. */
static void reach(struct attributes *attributes, struct tally **place, size_t block)
{
    if (!*place || block < (*place)->blocks)
        return;
    attributes->bytes -= tally_bytes(*place);
    set_tally(attributes, place, resize(*place, block + 1 + block / 8));
}

/* Adds `step` (1 or -1) times the counts of an ordinal. */
static void count_ordinal(struct index *index, struct tally *tally, uint32_t ordinal, int step)
{
    for (unsigned plane = 0; plane < PLANES; plane++) {
        const uint16_t *counts = counts_at(index, ordinal, plane);
        uint32_t *sums = tally->sums[ordinal / BLOCK_ORDINALS] + plane * PLANE_CODES;
        uint64_t *totals = tally->totals + plane * PLANE_CODES;

        for (size_t i = 0; counts && i < PLANE_CODES; i++) {
            sums[i] += (uint32_t)(counts[i] * step);
            totals[i] += (uint64_t)(int64_t)(counts[i] * step);
        }
    }
}

static void build(struct index *index, const struct group *group)
{
    struct tally *tally = resize(NULL, index->block_count);
    uint32_t ordinals[CHUNK];
    size_t count;

    if (!tally)
        return;
    for (uint32_t from = 0; (count = idset_read(group->set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            count_ordinal(index, tally, ordinals[i], 1);
    set_tally(&index->attributes, group->tally, tally);
}

void tally_drop(struct attributes *attributes, struct tally **place)
{
    attributes->bytes -= tally_bytes(*place);
    free(*place);
    *place = NULL;
}

void tallies_fit(struct index *index, const struct entry *entry)
{
    struct group groups[MAX_GROUPS];
    size_t count = groups_of(&index->attributes, entry, groups);

    for (size_t i = 0; i < count; i++) {
        if (*groups[i].tally && groups[i].set->count < IMAGES_TO_KEEP * index->block_count)
            tally_drop(&index->attributes, groups[i].tally);
        else if (!*groups[i].tally && groups[i].set->count > IMAGES_TO_BUILD * index->block_count)
            build(index, &groups[i]);
    }
}

void tallies_add(struct index *index, uint32_t ordinal, const struct entry *entry)
{
    struct group groups[MAX_GROUPS];
    size_t count = groups_of(&index->attributes, entry, groups);

    for (size_t i = 0; i < count; i++) {
        reach(&index->attributes, groups[i].tally, ordinal / BLOCK_ORDINALS);
        if (*groups[i].tally)
            count_ordinal(index, *groups[i].tally, ordinal, 1);
    }
}

void tallies_subtract(struct index *index, uint32_t ordinal, const struct entry *entry)
{
    struct group groups[MAX_GROUPS];
    size_t count = groups_of(&index->attributes, entry, groups);

    for (size_t i = 0; i < count; i++)
        if (*groups[i].tally)
            count_ordinal(index, *groups[i].tally, ordinal, -1);
}

void tallies_recode(struct index *index, uint32_t ordinal, const struct entry *entry,
    uint8_t old_code, uint8_t new_code)
{
    struct group groups[MAX_GROUPS];
    size_t count = groups_of(&index->attributes, entry, groups);

    for (size_t i = 0; i < count; i++) {
        struct tally *tally = *groups[i].tally;

        if (!tally)
            continue;
        tally->sums[ordinal / BLOCK_ORDINALS][old_code]--;
        tally->sums[ordinal / BLOCK_ORDINALS][new_code]++;
        tally->totals[old_code]--;
        tally->totals[new_code]++;
    }
}

/* --- Validation ------------------------------------------------------------------------------- */

static const char *validate_tally(
    const struct index *index, const struct idset *set, const struct tally *tally)
{
    uint64_t totals[INDEX_CODES] = {0};

    for (size_t block = 0; tally && block < index->block_count; block++) {
        uint32_t sums[INDEX_CODES] = {0}, ordinals[BLOCK_ORDINALS];
        size_t count =
            idset_read(set, (uint32_t)(block * BLOCK_ORDINALS), ordinals, BLOCK_ORDINALS);

        for (size_t i = 0; i < count && ordinals[i] / BLOCK_ORDINALS == block; i++) {
            uint16_t counts[INDEX_CODES];

            counts_read(index, ordinals[i], counts);
            for (size_t code = 0; code < INDEX_CODES; code++)
                sums[code] += counts[code];
        }
        if (block < tally->blocks) {
            if (memcmp(sums, tally->sums[block], sizeof(sums)) != 0)
                return "the sums of an attribute's value are not those of its images' counts";
        } else if (count && ordinals[0] / BLOCK_ORDINALS == block) {
            return "the sums of an attribute's value end before its images";
        }
        for (size_t code = 0; code < INDEX_CODES; code++)
            totals[code] += sums[code];
    }
    if (tally && memcmp(totals, tally->totals, sizeof(totals)) != 0)
        return "the totals of an attribute's value are not those of its sums";
    return NULL;
}

const char *tallies_validate(const struct index *index)
{
    const struct attributes *attributes = &index->attributes;
    const char *why;

    for (enum table_id i = 0; i < TABLE_COUNT; i++)
        for (size_t j = 0; table_has_tallies(i) && j < attributes->tables[i].count; j++) {
            const struct value *value = attributes->tables[i].places[j].value;

            if (value && (why = validate_tally(index, &value->set, value->as.tally)))
                return why;
        }
    for (size_t i = 0; i < IMAGE_TYPE_COUNT; i++)
        if ((why = validate_tally(index, &attributes->types[i], attributes->type_tallies[i])))
            return why;
    if ((why = validate_tally(index, &attributes->latest, attributes->latest_tally)))
        return why;
    return validate_tally(index, &attributes->running, attributes->running_tally);
}
