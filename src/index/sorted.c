/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_query() sorted by an attribute of images: the order of all images (order.c) is walked up to
 * the end of the page. Which of them are in the scope, and have one of the vulnerabilities, stands
 * in bits; how many rows each has is known without opening it. The total is found as for the usual
 * order.
 *
 * With many vulnerabilities each set would be asked about each image up to a deep offset, which
 * takes seconds: then rows are counted beforehand, set by set.
 */
#include "index/query.h"

enum { AHEAD = 8, CHUNK = 256 };

/* What makes rows: the codes, or the vulnerabilities, whose sets are then given. */
struct sorting {
    const struct index *index;
    const struct index_query *query;
    const uint64_t *bits;    /* ordinals with rows; NULL: any */
    const uint32_t *counted; /* rows of the vulnerabilities by ordinal; NULL: not counted */
    const struct rows *vulns;
    struct admitted admitted;
    uint64_t total;
};

static int compare_vulns(const void *left, const void *right)
{
    const struct vuln_rows *a = left, *b = right;

    return (a->vuln > b->vuln) - (a->vuln < b->vuln);
}

static bool makes_row(const struct rows *vulns, uint32_t vuln, uint32_t ordinal)
{
    const struct vuln_rows key = {.vuln = vuln};
    const struct vuln_rows *at =
        bsearch(&key, vulns->at, vulns->count, sizeof(*vulns->at), compare_vulns);

    return at && idset_contains(set_of_rows(at), ordinal);
}

/* The next vulnerability of the image that makes a row, from *place on; false when there is none.
 * Goes through the fewer of the two: what is asked for, or what the image has. */
static bool next_row(const struct rows *vulns, const struct entry *entry, uint32_t ordinal,
    size_t *place, uint32_t *ret_vuln)
{
    bool by_entry = entry->count < vulns->count;
    size_t count = by_entry ? entry->count : vulns->count;

    while (*place < count) {
        size_t i = (*place)++;

        *ret_vuln = by_entry ? entry_vulns(entry)[i] : vulns->at[i].vuln;
        if (by_entry ? makes_row(vulns, *ret_vuln, ordinal)
                     : idset_contains(set_of_rows(&vulns->at[i]), ordinal))
            return true;
    }
    return false;
}

static uint64_t rows_of(const struct sorting *sorting, uint32_t ordinal)
{
    uint64_t rows = 0;
    size_t place = 0;
    uint32_t vuln;

    if (sorting->bits && !(sorting->bits[ordinal / 64] >> ordinal % 64 & 1))
        return 0;
    if (!sorting->vulns)
        return rows_at(sorting->index, ordinal, &sorting->admitted);
    if (sorting->counted)
        return sorting->counted[ordinal];
    while (next_row(sorting->vulns, entry_at(sorting->index, ordinal), ordinal, &place, &vuln))
        rows++;
    return rows;
}

static uint64_t rows_not_behind(const struct sorting *sorting, uint32_t ordinal)
{
    const struct entry *entry = entry_at(sorting->index, ordinal);
    uint32_t after = sorting->query->after_vuln, vuln;
    uint64_t rows = 0;
    size_t place = 0;

    if (rows_of(sorting, ordinal) == 0)
        return 0;
    if (!sorting->vulns)
        return rows_up_to(entry, &sorting->admitted, after);
    while (next_row(sorting->vulns, entry, ordinal, &place, &vuln) && vuln <= after)
        rows++;
    return rows;
}

static void add_rows(
    const struct sorting *sorting, uint32_t ordinal, uint64_t skip, struct index_page *page)
{
    const struct entry *entry = entry_at(sorting->index, ordinal);
    size_t limit = sorting->query->limit, place = 0;
    uint32_t vuln;

    if (!sorting->vulns) {
        add_image(page, entry, &sorting->admitted, &skip, limit);
        return;
    }
    while (page->count < limit && next_row(sorting->vulns, entry, ordinal, &place, &vuln)) {
        if (skip)
            skip--;
        else
            page_add(page, entry, entry_find(entry, vuln));
    }
}

/* --- The walk --------------------------------------------------------------------------------- */

/* A place in the order; `skip` rows from there on are not wanted. */
struct place {
    size_t chunk, at;
    uint64_t skip;
};

static struct place first_place(const struct sorting *sorting, const struct order *order)
{
    const struct index_query *query = sorting->query;
    const struct order_key key = {query->after_value, query->after_name, query->after_image};
    struct place place = {.skip = query->offset};
    uint32_t ordinal;

    if (!query->by_cursor)
        return place;
    order_seek(
        sorting->index, order, query->sort, query->descending, &key, &place.chunk, &place.at);
    place.skip = 0;
    if (place.chunk == order->count)
        return place;
    ordinal = order->chunks[place.chunk]->ordinals[place.at];
    if (order_is_at(sorting->index, ordinal, query->sort, query->descending, &key))
        place.skip = rows_not_behind(sorting, ordinal);
    return place;
}

/* Fills the page, and goes on to the first row behind it. */
static void walk_order(
    const struct sorting *sorting, const struct order *order, struct index_page *page)
{
    struct place place = first_place(sorting, order);

    for (; place.chunk < order->count; place.chunk++, place.at = 0) {
        const struct order_chunk *chunk = order->chunks[place.chunk];

        for (; place.at < chunk->count; place.at++) {
            uint32_t ordinal = chunk->ordinals[place.at];
            uint64_t rows, count = page->count;

            if (place.at + AHEAD < chunk->count && !sorting->vulns)
                __builtin_prefetch(counts_at(sorting->index, chunk->ordinals[place.at + AHEAD], 0));
            rows = rows_of(sorting, ordinal);
            if (place.skip >= rows) {
                place.skip -= rows;
                continue;
            }
            if (count < sorting->query->limit)
                add_rows(sorting, ordinal, place.skip, page);
            page->more = place.skip + (page->count - count) < rows;
            place.skip = 0;
            if (page->more)
                return;
        }
    }
}

/* --- Sources ---------------------------------------------------------------------------------- */

static uint64_t *bits_of_scope(
    const struct index *index, const struct ordinals *scope, struct err *err)
{
    uint64_t *bits = calloc((size_t)index->ordinal_count / 64 + 1, sizeof(*bits));

    if (!bits) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < scope->count; i++)
        idset_into_bits(scope->parts[i].set, bits);
    return bits;
}

static uint64_t *bits_of_rows(const struct index *index, const struct rows *rows, struct err *err)
{
    uint64_t *bits = calloc((size_t)index->ordinal_count / 64 + 1, sizeof(*bits));

    if (!bits) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < rows->count; i++)
        idset_into_bits(set_of_rows(&rows->at[i]), bits);
    return bits;
}

static uint32_t *count_rows(const struct index *index, const struct rows *rows, struct err *err)
{
    uint32_t *counted = calloc((size_t)index->ordinal_count + 1, sizeof(*counted));
    uint32_t ordinals[CHUNK];
    size_t count;

    if (!counted) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < rows->count; i++)
        for (uint32_t from = 0;
             (count = idset_read(set_of_rows(&rows->at[i]), from, ordinals, CHUNK));
             from = ordinals[count - 1] + 1)
            for (size_t j = 0; j < count; j++)
                counted[ordinals[j]]++;
    return counted;
}

/* An image that has rows has at least one, so no more images are asked than the offset says. */
static bool asking_is_dearer(const struct sorting *sorting)
{
    const struct index_query *query = sorting->query;

    return !query->by_cursor && query->offset * sorting->vulns->count > sorting->total;
}

static int look_at_rows(const struct rows *rows, struct sorting *sorting, uint64_t **ret_bits,
    uint32_t **ret_counted, struct err *err)
{
    sorting->vulns = rows;
    for (size_t i = 0; i < rows->count; i++)
        sorting->total += set_of_rows(&rows->at[i])->count;
    sorting->bits = *ret_bits = bits_of_rows(sorting->index, rows, err);
    if (!*ret_bits || !asking_is_dearer(sorting))
        return *ret_bits ? 0 : -1;
    sorting->counted = *ret_counted = count_rows(sorting->index, rows, err);
    return *ret_counted ? 0 : -1;
}

static int count_codes(const struct ordinals *scope, struct sorting *sorting, struct err *err)
{
    struct walk walk;

    if (walk_begin(&walk, sorting->index, scope, sorting->query, sorting->query->codes, err) < 0)
        return -1;
    sorting->admitted = walk.admitted;
    sorting->total = walk.total;
    walk_end(&walk);
    return 0;
}

int query_sorted(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, struct index_page *page, struct err *err)
{
    const struct order *order = orders_get(index, query->sort, query->descending, err);
    struct sorting sorting = {.index = index, .query = query};
    struct rows rows = {0};
    uint64_t *bits = NULL;
    uint32_t *counted = NULL;
    int failed = order ? 0 : -1;

    if (!failed && names_vulns(query)) {
        failed = rows_collect(index, scope, query, query->codes, &rows, err);
        if (!failed)
            failed = look_at_rows(&rows, &sorting, &bits, &counted, err);
    } else if (!failed) {
        failed = count_codes(scope, &sorting, err);
        if (!failed && !scope->all && !(bits = bits_of_scope(index, scope, err)))
            failed = -1;
        sorting.bits = bits;
    }
    if (!failed) {
        page->total = sorting.total;
        page->more = false;
        if (query->by_cursor || query->offset < sorting.total)
            walk_order(&sorting, order, page);
    }
    free(bits);
    free(counted);
    rows_release(&rows);
    return failed;
}
