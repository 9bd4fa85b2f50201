/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks every invariant of the index: what is kept twice (lists and sets, codes and counts, images
 * and totals) must say the same.
 */
#include "index/internal.h"

#include "model/vulnerability.h"

/* What the entries add up to. */
struct sums {
    uint64_t images, findings, latest, running;
    uint64_t totals[INDEX_CODES];
    size_t bytes;
};

static bool columns_are_right(
    const struct index *index, uint32_t ordinal, const struct entry *entry)
{
    const struct block *block = block_of(index, ordinal);
    int64_t containers = entry->image.place.containers;
    size_t at = ordinal % BLOCK_ORDINALS;

    for (size_t i = 0; i < INDEX_FACET_COUNT; i++)
        if (attribute_fields[i].table != (enum table_id)i ||
            block->values[i][at] != entry->values[i])
            return false;
    return block->types[at] == (uint8_t)entry->image.place.type &&
           block->containers[at] == (containers > 0 ? (uint32_t)containers : 0);
}

static const char *validate_findings(
    const struct index *index, uint32_t ordinal, const struct entry *entry)
{
    const uint32_t *vulns = entry_vulns(entry);
    const uint8_t *codes = entry_codes(entry);
    uint32_t counts[INDEX_CODES] = {0};
    uint16_t kept[INDEX_CODES];

    for (size_t i = 0; i < entry->count; i++) {
        const struct posting *posting = postings_find(&index->postings, vulns[i]);
        bool found = false;

        if (i && vulns[i - 1] >= vulns[i])
            return "an image's vulnerabilities are not ascending";
        if (codes[i] >= INDEX_CODES || index_code_type(codes[i]) != vuln_type(vulns[i]))
            return "a finding's code is not of its vulnerability's type";
        counts[codes[i]]++;
        for (uint32_t j = 0; posting && j < posting->count; j++)
            found = found || (posting->at[j].code == codes[i] &&
                                 idset_contains(&posting->at[j].set, ordinal));
        if (!found)
            return "a finding is not in the set of its vulnerability and code";
    }
    for (size_t i = 1; i < entry->time_count; i++)
        if (entry->findings[i - 1] >= entry->findings[i])
            return "an image's times are not ascending";
    if (oldest_at(index, ordinal) != entry_oldest_ms(entry) ||
        newest_at(index, ordinal) != entry_newest_ms(entry))
        return "an image's oldest or newest time is not that of its findings";
    if (!columns_are_right(index, ordinal, entry))
        return "what facets count an image by is not what it has";
    if (findings_at(index, ordinal) != entry->count)
        return "an image's findings are not as many as was counted";
    counts_read(index, ordinal, kept);
    for (size_t code = 0; code < INDEX_CODES; code++)
        if (counts[code] != kept[code])
            return "an image's counts are not those of its codes";
    return NULL;
}

struct id_sought {
    uint32_t ordinal;
};

static bool is_ordinal(const void *owner, uint32_t id, const void *key)
{
    const struct id_sought *sought = key;

    (void)owner;
    return id == sought->ordinal;
}

static const char *validate_attributes_of(
    const struct index *index, uint32_t ordinal, const struct entry *entry)
{
    const struct attributes *attributes = &index->attributes;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct value *value = attributes_value(attributes, i, entry->values[i]);
        struct slice text;

        if (!value)
            return "an image refers to an attribute's value that is gone";
        memcpy(&text, (const char *)&entry->image + attribute_fields[i].offset, sizeof(text));
        if (text.ptr != value->text || text.len != value->len)
            return "an image's text is not that of its attribute's value";
        if (attribute_fields[i].table != TABLE_TEXT && !idset_contains(&value->set, ordinal))
            return "an image is not in the set of its attribute's value";
    }
    if (!idset_contains(&attributes->live, ordinal) ||
        !idset_contains(&attributes->types[entry->image.place.type], ordinal) ||
        !idset_contains(&attributes->assessments[entry->image.assessment], ordinal))
        return "an image is not in the set of its type, of its assessment or of all";
    if (idset_contains(&attributes->latest, ordinal) != entry->image.latest ||
        idset_contains(&attributes->running, ordinal) != (entry->image.place.containers > 0))
        return "the set of latest or of running images is wrong";
    if (map_find(&index->ids, image_id_hash(&entry->image), is_ordinal, index,
            &(struct id_sought){ordinal}) != ordinal)
        return "an image is not found by its id";
    return NULL;
}

static const char *validate_ordinal(const struct index *index, uint32_t ordinal, struct sums *sums)
{
    const struct entry *entry = entry_at(index, ordinal);
    uint16_t counts[INDEX_CODES];
    const char *why;

    if (ordinal && number_at(index, ordinal - 1) >= number_at(index, ordinal))
        return "image numbers are not ascending";
    counts_read(index, ordinal, counts);
    if (!entry) {
        for (size_t code = 0; code < INDEX_CODES; code++)
            if (counts[code] || findings_at(index, ordinal))
                return "a hole has counts";
        return NULL;
    }
    if (entry->image.number != number_at(index, ordinal))
        return "an image's number is not its ordinal's";
    sums->images++;
    sums->findings += entry->count;
    sums->latest += entry->image.latest;
    sums->running += entry->image.place.containers > 0;
    sums->bytes += entry_bytes(entry);
    for (size_t code = 0; code < INDEX_CODES; code++)
        sums->totals[code] += counts[code];
    if ((why = validate_findings(index, ordinal, entry)))
        return why;
    return validate_attributes_of(index, ordinal, entry);
}

/* Each finding was found in its set; as many members as findings means that there are no others. */
static uint64_t posting_members(const struct index *index)
{
    uint64_t members = 0;

    for (size_t i = 0; i < index->postings.cap; i++) {
        const struct posting_page *page = index->postings.pages[i];

        for (size_t j = 0; page && j < POSTING_PAGE; j++)
            for (uint32_t k = 0; page->at[j] && k < page->at[j]->count; k++)
                members += page->at[j]->at[k].set.count;
    }
    return members;
}

static uint64_t text_references(const struct table *table)
{
    uint64_t refs = 0;

    for (size_t i = 0; i < table->count; i++)
        refs += table->places[i].value ? table->places[i].value->refs : 0;
    return refs;
}

const char *index_validate(const struct index *index)
{
    struct sums sums = {0};
    uint64_t text_fields = 0;
    const char *why;

    if ((uint64_t)index->block_count * BLOCK_ORDINALS < index->ordinal_count)
        return "there are more ordinals than blocks hold";
    if ((why = attributes_validate(&index->attributes)) ||
        (why = postings_validate(&index->postings)))
        return why;
    for (uint32_t ordinal = 0; ordinal < index->ordinal_count; ordinal++)
        if ((why = validate_ordinal(index, ordinal, &sums)))
            return why;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        text_fields += attribute_fields[i].table == TABLE_TEXT;
    if (text_references(&index->attributes.tables[TABLE_TEXT]) != text_fields * sums.images)
        return "texts are referred to more often than images have them";
    if (sums.images != index->images || sums.images != index->attributes.live.count ||
        sums.images != index->ids.count || sums.latest != index->attributes.latest.count ||
        sums.running != index->attributes.running.count)
        return "the number of images is not what was counted";
    if (sums.findings != index->findings || sums.findings != posting_members(index) ||
        memcmp(sums.totals, index->totals, sizeof(sums.totals)) != 0)
        return "the number of findings is not what was counted";
    if (sums.bytes != index->entry_bytes)
        return "the memory of images is not what was counted";
    if ((why = counts_validate(index)))
        return why;
    if ((why = tallies_validate(index)))
        return why;
    return orders_validate(index);
}
