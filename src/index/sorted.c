/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_query() sorted by an attribute of images: the order of all images (order.c) is walked up to
 * the end of the page. Which of them are in the scope, and have one of the vulnerabilities, stands
 * in bits; how many rows each has is known without opening it. The total is found as for the usual
 * order.
 */
#include "index/query.h"

enum { AHEAD = 8 };

/* What makes rows: the codes, or the vulnerabilities, whose sets are then given. */
struct sorting {
    const struct index *index;
    const struct index_query *query;
    const uint64_t *bits; /* ordinals with rows; NULL: any */
    const struct rows *vulns;
    struct admitted admitted;
    uint64_t total;
};

static uint64_t rows_of(const struct sorting *sorting, uint32_t ordinal)
{
    uint64_t rows = 0;

    if (sorting->bits && !(sorting->bits[ordinal / 64] >> ordinal % 64 & 1))
        return 0;
    if (!sorting->vulns)
        return rows_at(sorting->index, ordinal, &sorting->admitted);
    for (size_t i = 0; i < sorting->vulns->count; i++)
        rows += idset_contains(set_of_rows(&sorting->vulns->at[i]), ordinal);
    return rows;
}

static uint64_t rows_not_behind(const struct sorting *sorting, uint32_t ordinal)
{
    uint32_t vuln = sorting->query->after_vuln;
    uint64_t rows = 0;

    if (rows_of(sorting, ordinal) == 0)
        return 0;
    if (!sorting->vulns)
        return rows_up_to(entry_at(sorting->index, ordinal), &sorting->admitted, vuln);
    for (size_t i = 0; i < sorting->vulns->count && sorting->vulns->at[i].vuln <= vuln; i++)
        rows += idset_contains(set_of_rows(&sorting->vulns->at[i]), ordinal);
    return rows;
}

static void add_rows(
    const struct sorting *sorting, uint32_t ordinal, uint64_t skip, struct index_page *page)
{
    const struct entry *entry = entry_at(sorting->index, ordinal);
    size_t limit = sorting->query->limit;

    if (!sorting->vulns) {
        add_image(page, entry, &sorting->admitted, &skip, limit);
        return;
    }
    for (size_t i = 0; i < sorting->vulns->count && page->count < limit; i++) {
        const struct vuln_rows *at = &sorting->vulns->at[i];

        if (!idset_contains(set_of_rows(at), ordinal))
            continue;
        if (skip)
            skip--;
        else
            page_add(page, entry, entry_find(entry, at->vuln));
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

static uint64_t *bits_of_rows(
    const struct index *index, const struct rows *rows, uint64_t *ret_total, struct err *err)
{
    uint64_t *bits = calloc((size_t)index->ordinal_count / 64 + 1, sizeof(*bits));

    if (!bits) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < rows->count; i++) {
        idset_into_bits(set_of_rows(&rows->at[i]), bits);
        *ret_total += set_of_rows(&rows->at[i])->count;
    }
    return bits;
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
    int failed = order ? 0 : -1;

    if (!failed && names_vulns(query)) {
        failed = rows_collect(index, scope, query, query->codes, &rows, err);
        sorting.vulns = &rows;
        if (!failed && !(bits = bits_of_rows(index, &rows, &sorting.total, err)))
            failed = -1;
    } else if (!failed) {
        failed = count_codes(scope, &sorting, err);
        if (!failed && !scope->all && !(bits = bits_of_scope(index, scope, err)))
            failed = -1;
    }
    if (!failed) {
        sorting.bits = bits;
        page->total = sorting.total;
        page->more = false;
        walk_order(&sorting, order, page);
    }
    free(bits);
    rows_release(&rows);
    return failed;
}
