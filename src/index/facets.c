/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facets: the rows of a query by each value of each filter, and how many images, vulnerabilities
 * and containers there are behind them.
 *
 * The matching images are gone through once, in order, and what is needed of each lies in columns
 * of its block: the rows that it has (counts, or with vulnerabilities the sets that it is in), and
 * the places of its values, by which they are added up. Codes come from the sums of the scope's
 * parts where these are known.
 *
 * Distinct vulnerabilities of few findings are marked one by one. Of many findings only a sample is
 * marked, which finds all that are common; the sets of each of the others are held against the
 * scope, and the first image that both have will do.
 */
#include "index/query.h"

#include "base/cleanup.h"

enum { CHUNK = 256, MARKS_PER_VULN = 10, AHEAD = 8 };

_Static_assert((int)INDEX_FACET_ENTERPRISE_PROJECT == (int)TABLE_ENTERPRISE_PROJECT &&
                   (int)INDEX_FACET_REGISTRY_TYPE == (int)TABLE_REGISTRY_TYPE &&
                   (int)INDEX_FACET_REGISTRY_NAME == (int)TABLE_REGISTRY_NAME &&
                   (int)INDEX_FACET_CLUSTER_ID == (int)TABLE_CLUSTER_ID,
    "a facet's number is that of its table");

struct counting {
    const struct index *index;
    const struct index_query *query;
    struct ordinals scope;
    struct admitted admitted;
    uint64_t *by_value[INDEX_FACET_COUNT]; /* rows, by place in the table */
    uint32_t *rows;                        /* by ordinal; only with vulnerabilities */
    uint64_t *marks;                       /* a bit each vulnerability seen; NULL: not asked for */
    size_t stride, until_mark;             /* one of so many images is marked */
    struct index_facets *ret;
};

static void counting_release(struct counting *counting)
{
    for (size_t i = 0; i < INDEX_FACET_COUNT; i++)
        free(counting->by_value[i]);
    free(counting->rows);
    free(counting->marks);
    ordinals_release(&counting->scope);
}

static void *zeros(size_t count, size_t size, struct err *err)
{
    void *zeroed = calloc(count + 1, size);

    if (!zeroed)
        err_nomem(err);
    return zeroed;
}

static int counting_init(struct counting *counting, struct err *err)
{
    for (size_t i = 0; i < INDEX_FACET_COUNT; i++) {
        counting->by_value[i] =
            zeros(counting->index->attributes.tables[i].count, sizeof(uint64_t), err);
        if (!counting->by_value[i])
            return -1;
    }
    return 0;
}

/* An image with so many rows, of which there are some. */
static void add_rows(struct counting *counting, uint32_t ordinal, uint32_t rows)
{
    const struct block *block = block_of(counting->index, ordinal);
    size_t at = ordinal % BLOCK_ORDINALS;

    counting->ret->images++;
    counting->ret->containers += block->containers[at];
    counting->ret->by_image_type[block->types[at]] += rows;
    for (size_t i = 0; i < INDEX_FACET_COUNT; i++)
        counting->by_value[i][block->values[i][at]] += rows;
}

/* --- Without vulnerabilities ------------------------------------------------------------------ */

static void mark_vulns(struct counting *counting, const struct entry *entry)
{
    const uint32_t *vulns = entry_vulns(entry);
    const uint8_t *codes = entry_codes(entry);
    uint64_t admitted = counting->admitted.codes, *marks = counting->marks;

    for (size_t i = 0; i < entry->count; i++)
        if (admitted >> codes[i] & 1)
            marks[vulns[i] / 64] |= (uint64_t)1 << vulns[i] % 64;
}

/* The codes of an image whose sums are not known. */
static void add_codes(struct counting *counting, uint32_t ordinal)
{
    uint64_t *by_code = counting->ret->by_code;

    for (size_t i = 0; i < counting->admitted.count; i++) {
        unsigned code = counting->admitted.list[i];
        const uint16_t *counts = counts_at(counting->index, ordinal, plane_of(code));

        by_code[code] += counts ? counts[code % PLANE_CODES] : 0;
    }
}

/* All of an image's rows since a time, its codes and vulnerabilities, at one look at its findings.
 */
static uint32_t add_since(struct counting *counting, uint32_t ordinal)
{
    const struct entry *entry = entry_at(counting->index, ordinal);
    const struct entry_since since = entry_since(entry, counting->admitted.since_ms);
    const uint32_t *vulns = entry_vulns(entry);
    const uint8_t *codes = entry_codes(entry);
    uint64_t admitted = counting->admitted.codes, *marks = counting->marks;
    uint32_t rows = 0;

    for (size_t i = 0; i < entry->count; i++) {
        if (!(admitted >> codes[i] & 1) || !entry_is_since(&since, i))
            continue;
        counting->ret->by_code[codes[i]]++;
        marks[vulns[i] / 64] |= (uint64_t)1 << vulns[i] % 64;
        rows++;
    }
    return rows;
}

/* Sums do not know times. */
static void add_part_since(struct counting *counting, const struct part *part)
{
    uint32_t ordinals[CHUNK], rows;
    size_t count;

    for (uint32_t from = 0; (count = idset_read(part->set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++) {
            if (newest_at(counting->index, ordinals[i]) < counting->admitted.since_ms)
                continue;
            rows = add_since(counting, ordinals[i]);
            if (rows)
                add_rows(counting, ordinals[i], rows);
        }
}

static void add_part(struct counting *counting, const struct part *part)
{
    bool known = part->totals != NULL;
    uint32_t ordinals[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(part->set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++) {
            uint32_t rows = rows_at(counting->index, ordinals[i], &counting->admitted);

            if (rows == 0)
                continue;
            add_rows(counting, ordinals[i], rows);
            if (!known)
                add_codes(counting, ordinals[i]);
            if (counting->marks && --counting->until_mark == 0) {
                counting->until_mark = counting->stride;
                mark_vulns(counting, entry_at(counting->index, ordinals[i]));
            }
        }
    for (size_t i = 0; known && i < counting->admitted.count; i++)
        counting->ret->by_code[counting->admitted.list[i]] +=
            part->totals[counting->admitted.list[i]];
}

/* Marks are made while images are gone through: of all where these have few findings, or where only
 * the images know. */
static int want_marks(struct counting *counting, struct err *err)
{
    const struct index *index = counting->index;
    uint64_t images = 0, findings;

    for (size_t i = 0; i < counting->scope.count; i++)
        images += counting->scope.parts[i].set->count;
    if (counting->scope.all && !counting->admitted.by_time)
        return 0;
    findings = images * (index->findings / (index->images + 1));
    counting->stride = counting->until_mark = 1;
    if (!counting->admitted.by_time)
        counting->stride += findings / (MARKS_PER_VULN * index->postings.vulns + 1);
    counting->marks = zeros(index->postings.cap * (POSTING_PAGE / 64), sizeof(uint64_t), err);
    return counting->marks ? 0 : -1;
}

static uint64_t count_marks(const struct counting *counting)
{
    uint64_t count = 0;

    for (size_t i = 0; i < counting->index->postings.cap * (POSTING_PAGE / 64); i++)
        count += (uint64_t)__builtin_popcountll(counting->marks[i]);
    return count;
}

/* bits: the scope; NULL: every image. */
static bool has_rows(const struct posting *posting, uint64_t codes, const uint64_t *bits)
{
    for (uint32_t i = 0; i < posting->count; i++)
        if ((codes >> posting->at[i].code & 1) &&
            (!bits || idset_meets_bits(&posting->at[i].set, bits)))
            return true;
    return false;
}

/* Postings and their sets lie all over the heap: each is asked of memory some steps ahead. */
static uint64_t count_page(
    const struct posting_page *page, uint64_t codes, const uint64_t *marks, const uint64_t *bits)
{
    const struct posting *used[POSTING_PAGE];
    uint64_t count = 0;
    size_t filled = 0;

    for (size_t i = 0; i < POSTING_PAGE; i++)
        if (page->at[i] && !(marks && marks[i / 64] >> i % 64 & 1))
            used[filled++] = page->at[i];
    for (size_t i = 0; i < filled; i++) {
        if (i + 2 * AHEAD < filled)
            __builtin_prefetch(used[i + 2 * AHEAD]);
        if (bits && i + AHEAD < filled)
            idset_prefetch(&used[i + AHEAD]->at[0].set);
        count += has_rows(used[i], codes, bits);
    }
    return count;
}

static uint64_t *bits_of_scope(const struct counting *counting, struct err *err)
{
    uint64_t *bits = zeros((size_t)counting->index->ordinal_count / 64 + 1, sizeof(*bits), err);

    for (size_t i = 0; bits && i < counting->scope.count; i++)
        idset_into_bits(counting->scope.parts[i].set, bits);
    return bits;
}

static int count_vulns(struct counting *counting, struct err *err)
{
    const struct postings *postings = &counting->index->postings;
    const uint64_t *marks = counting->marks;
    uint64_t *bits = NULL, *vulns = &counting->ret->vulns;

    if (marks)
        *vulns = count_marks(counting);
    else if (counting->admitted.all)
        *vulns = postings->vulns;
    if (marks ? counting->stride == 1 : counting->admitted.all)
        return 0;
    if (marks && !(bits = bits_of_scope(counting, err)))
        return -1;
    for (size_t i = 0; i < postings->cap; i++)
        if (postings->pages[i])
            *vulns += count_page(postings->pages[i], counting->admitted.codes,
                marks ? marks + i * (POSTING_PAGE / 64) : NULL, bits);
    free(bits);
    return 0;
}

static int count_images(struct counting *counting, struct err *err)
{
    if (parts_of_scope(counting->index, &counting->query->scope, &counting->scope, err) < 0)
        return -1;
    admitted_init(&counting->admitted, counting->index, counting->query, counting->query->codes);
    if (want_marks(counting, err) < 0)
        return -1;
    for (size_t i = 0; i < counting->scope.count; i++)
        (counting->admitted.by_time ? add_part_since : add_part)(
            counting, &counting->scope.parts[i]);
    return count_vulns(counting, err);
}

/* --- With vulnerabilities --------------------------------------------------------------------- */

/* One code of one vulnerability. Returns its rows, or -1. */
static int64_t add_set(struct counting *counting, uint32_t vuln, uint8_t code, struct err *err)
{
    struct vuln_rows rows = {.vuln = vuln};
    uint32_t ordinals[CHUNK];
    int64_t added = 0;
    size_t count;
    int failed = rows_of_vuln(
        counting->index, &counting->scope, counting->query, vuln, (uint64_t)1 << code, &rows, err);

    for (uint32_t from = 0;
         !failed && (count = idset_read(set_of_rows(&rows), from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1) {
        for (size_t i = 0; i < count; i++)
            counting->rows[ordinals[i]]++;
        added += (int64_t)count;
    }
    idset_release(&rows.own);
    counting->ret->by_code[code] += (uint64_t)added;
    return failed ? -1 : added;
}

static int add_vuln(struct counting *counting, uint32_t vuln, struct err *err)
{
    const struct posting *posting = postings_find(&counting->index->postings, vuln);
    bool any = false;

    for (uint32_t i = 0; posting && i < posting->count; i++) {
        int64_t added = 0;

        if (counting->query->codes >> posting->at[i].code & 1)
            added = add_set(counting, vuln, posting->at[i].code, err);
        if (added < 0)
            return -1;
        any |= added > 0;
    }
    counting->ret->vulns += any;
    return 0;
}

static int add_vulns(struct counting *counting, struct err *err)
{
    struct ids vulns CLEANUP(ids_release) = {0};

    if (query_numbers(counting->index, counting->query, &vulns, err) < 0)
        return -1;
    for (size_t i = 0; i < vulns.count; i++)
        if (add_vuln(counting, vulns.at[i], err) < 0)
            return -1;
    return 0;
}

static int count_named(struct counting *counting, struct err *err)
{
    if (ordinals_of_scope(counting->index, &counting->query->scope, &counting->scope, err) < 0)
        return -1;
    counting->rows = zeros(counting->index->ordinal_count, sizeof(*counting->rows), err);
    if (!counting->rows || add_vulns(counting, err) < 0)
        return -1;
    for (uint32_t ordinal = 0; ordinal < counting->index->ordinal_count; ordinal++)
        if (counting->rows[ordinal])
            add_rows(counting, ordinal, counting->rows[ordinal]);
    return 0;
}

/* --- The values with the most rows ------------------------------------------------------------ */

static int compare_values(const void *left, const void *right)
{
    const struct index_facet_value *a = left, *b = right;

    if (a->rows != b->rows)
        return a->rows > b->rows ? -1 : 1;
    return slice_cmp(a->text, b->text);
}

static int rank_values(
    const struct table *table, const uint64_t *rows, struct index_facet *ret, struct err *err)
{
    struct index_facet_value *all = zeros(table->count, sizeof(*all), err);
    size_t count = 0;

    if (!all)
        return -1;
    for (size_t i = 0; i < table->count; i++)
        if (rows[i] && table->places[i].value->len)
            all[count++] = (struct index_facet_value){value_text(table->places[i].value), rows[i]};
    qsort(all, count, sizeof(*all), compare_values);
    ret->values = count;
    ret->count = count < INDEX_FACET_VALUES ? count : INDEX_FACET_VALUES;
    memcpy(ret->at, all, ret->count * sizeof(*all));
    free(all);
    return 0;
}

int index_facets(const struct index *index, const struct index_query *query,
    struct index_facets *ret, struct err *err)
{
    struct counting counting CLEANUP(counting_release) = {
        .index = index, .query = query, .ret = ret};

    memset(ret, 0, sizeof(*ret));
    if (counting_init(&counting, err) < 0 ||
        (names_vulns(query) ? count_named(&counting, err) : count_images(&counting, err)) < 0)
        return -1;
    for (size_t i = 0; i < INDEX_FACET_COUNT; i++)
        if (rank_values(
                &index->attributes.tables[i], counting.by_value[i], &ret->by_value[i], err) < 0)
            return -1;
    for (size_t code = 0; code < INDEX_CODES; code++)
        ret->rows += ret->by_code[code];
    return 0;
}
