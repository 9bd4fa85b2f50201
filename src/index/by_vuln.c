/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_query() with vulnerabilities: each has the set of ordinals where it makes a row. The number
 * of rows before an ordinal is the sum of the ranks in those sets, so the first and the last
 * ordinal of a page are found by bisection; then only what lies between them is read and sorted.
 *
 * A cursor becomes an offset: the number of rows at or before it, whether its row is there or not.
 */
#include "index/query.h"

#include "base/array.h"

enum { STACK_ROWS = 512, CHUNK = 256 };

void rows_release(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        idset_release(&rows->at[i].own);
    free(rows->at);
}

/* --- The ordinals of each vulnerability ------------------------------------------------------- */

/* Adds a set that belongs to the index: borrowed while it is the only one. */
static int add_set(struct vuln_rows *rows, const struct idset *set, struct err *err)
{
    const struct idset *first = rows->set;

    if (!first && rows->own.count == 0) {
        rows->set = set;
        return 0;
    }
    rows->set = NULL;
    if (first && idset_or_into(&rows->own, first, err) < 0)
        return -1;
    return idset_or_into(&rows->own, set, err);
}

static int add_intersection(
    struct vuln_rows *rows, const struct idset *set, const struct idset *scope, struct err *err)
{
    struct idset both;
    int failed = 0;

    if (idset_and(set, scope, &both, err) < 0)
        return -1;
    if (rows->own.count == 0) {
        idset_release(&rows->own);
        rows->own = both;
        return 0;
    }
    if (both.count)
        failed = idset_or_into(&rows->own, &both, err);
    idset_release(&both);
    return failed;
}

/* Without regard to time. */
static int rows_of_posting(const struct posting *posting, const struct ordinals *scope,
    uint64_t codes, struct vuln_rows *rows, struct err *err)
{
    for (uint32_t i = 0; i < posting->count; i++) {
        const struct idset *set = &posting->at[i].set;

        if (!(codes >> posting->at[i].code & 1))
            continue;
        if ((scope->all ? add_set(rows, set, err)
                        : add_intersection(rows, set, only_set(scope), err)) < 0)
            return -1;
    }
    return 0;
}

/* Whether this finding of an image was first seen since then. */
static bool is_since(const struct index *index, uint32_t ordinal, uint32_t vuln, int64_t since_ms)
{
    const struct entry *entry;

    if (newest_at(index, ordinal) < since_ms)
        return false;
    if (oldest_at(index, ordinal) >= since_ms)
        return true;
    entry = entry_at(index, ordinal);
    return entry_first_scan_ms(entry, entry_find(entry, vuln)) >= since_ms;
}

/* Takes the set over. */
static void keep_only(struct vuln_rows *rows, const struct idset *kept)
{
    idset_release(&rows->own);
    rows->own = *kept;
    rows->set = NULL;
}

/* Only the ordinals with a finding first seen since then. */
static int keep_since(
    const struct index *index, struct vuln_rows *rows, int64_t since_ms, struct err *err)
{
    size_t words = (size_t)index->ordinal_count / 64 + 1, count;
    uint64_t *bits = calloc(words, sizeof(*bits));
    uint32_t ordinals[CHUNK];
    struct idset kept;
    int failed;

    if (!bits)
        return err_nomem(err);
    for (uint32_t from = 0; (count = idset_read(set_of_rows(rows), from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (is_since(index, ordinals[i], rows->vuln, since_ms))
                bits[ordinals[i] / 64] |= (uint64_t)1 << ordinals[i] % 64;
    failed = idset_of_bits(bits, words, &kept, err);
    free(bits);
    if (failed)
        return -1;
    keep_only(rows, &kept);
    return 0;
}

/* Only the ordinals where one of the packages has the name. */
static int keep_named(const struct index *index, const struct posting *posting, uint32_t name,
    struct vuln_rows *rows, struct err *err)
{
    struct named_rows named;
    struct idset kept;
    int failed;

    if (variants_with(&index->postings.packages, posting, name, &named, err) < 0)
        return -1;
    if (named.all)
        return 0;
    failed = idset_and(set_of_rows(rows), &named.set, &kept, err);
    idset_release(&named.set);
    if (failed)
        return -1;
    keep_only(rows, &kept);
    return 0;
}

int rows_of_vuln(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint32_t vuln, uint64_t codes, struct vuln_rows *ret,
    struct err *err)
{
    const struct posting *posting = postings_find(&index->postings, vuln);

    if (!posting)
        return 0;
    if (rows_of_posting(posting, scope, codes, ret, err) < 0)
        return -1;
    if (query->by_package && set_of_rows(ret)->count &&
        keep_named(index, posting, query->package, ret, err) < 0)
        return -1;
    if (query->by_time && set_of_rows(ret)->count)
        return keep_since(index, ret, query->first_seen_since_ms, err);
    return 0;
}

static int add_vuln(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint32_t vuln, uint64_t codes, struct rows *rows,
    struct err *err)
{
    struct vuln_rows *at;

    if (array_reserve(&rows->at, &rows->cap, rows->count + 1, sizeof(*rows->at), err) < 0)
        return -1;
    at = &rows->at[rows->count++];
    *at = (struct vuln_rows){.vuln = vuln};
    if (rows_of_vuln(index, scope, query, vuln, codes, at, err) < 0)
        return -1;
    if (set_of_rows(at)->count == 0) {
        idset_release(&at->own);
        rows->count--;
    }
    return 0;
}

static int all_members(const struct idset *set, struct ids *ret, struct err *err)
{
    uint32_t members[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, members, CHUNK));
         from = members[count - 1] + 1)
        if (ids_append(ret, members, count, err) < 0)
            return -1;
    return 0;
}

int query_numbers(
    const struct index *index, const struct index_query *query, struct ids *ret, struct err *err)
{
    const struct idset *named =
        query->by_package ? packages_vulns(&index->postings.packages, query->package) : NULL;
    size_t kept = 0;

    ret->count = 0;
    if (query->by_package && !named)
        return 0;
    if (!query->by_vuln)
        return all_members(named, ret, err);
    if (ids_append(ret, query->vulns, query->vuln_count, err) < 0)
        return -1;
    ids_sort_unique(ret);
    for (size_t i = 0; named && i < ret->count; i++)
        if (idset_contains(named, ret->at[i]))
            ret->at[kept++] = ret->at[i];
    ret->count = named ? kept : ret->count;
    return 0;
}

int rows_collect(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint64_t codes, struct rows *ret, struct err *err)
{
    struct ids vulns = {0};
    int failed = query_numbers(index, query, &vulns, err);

    for (size_t i = 0; failed == 0 && i < vulns.count; i++)
        failed = add_vuln(index, scope, query, vulns.at[i], codes, ret, err);
    ids_release(&vulns);
    return failed;
}

/* --- Positions -------------------------------------------------------------------------------- */

static uint64_t rows_below(const struct rows *rows, uint32_t ordinal)
{
    uint64_t below = 0;

    for (size_t i = 0; i < rows->count; i++)
        below += idset_below(set_of_rows(&rows->at[i]), ordinal);
    return below;
}

/* The ordinal of the row with `offset` rows before it; there is such a row. */
static uint32_t ordinal_of_row(const struct rows *rows, uint64_t offset, uint32_t ordinal_count)
{
    uint32_t low = 0, high = ordinal_count;

    if (rows->count == 1) {
        (void)idset_select(set_of_rows(&rows->at[0]), (uint32_t)offset, &low);
        return low;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (rows_below(rows, middle) <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t cursor_offset(
    const struct index *index, const struct rows *rows, const struct index_query *query)
{
    uint32_t ordinal = ordinal_from(index, query->after_image);
    uint64_t offset = rows_below(rows, ordinal);

    if (ordinal < index->ordinal_count && number_at(index, ordinal) == query->after_image)
        for (size_t i = 0; i < rows->count && rows->at[i].vuln <= query->after_vuln; i++)
            offset += idset_contains(set_of_rows(&rows->at[i]), ordinal);
    return offset;
}

/* --- The page --------------------------------------------------------------------------------- */

/* A row as one number that sorts: ordinal, then vulnerability. */
static uint64_t row_key(uint32_t ordinal, uint32_t vuln)
{
    return (uint64_t)ordinal << 32 | vuln;
}

static int compare_keys(const void *left, const void *right)
{
    uint64_t a, b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

/* All rows of the ordinals first..last, in order. `keys` has room for them. */
static size_t read_rows(const struct rows *rows, uint32_t first, uint32_t last, uint64_t *keys)
{
    size_t used = 0;

    for (size_t i = 0; i < rows->count; i++) {
        uint32_t ordinals[CHUNK], from = first;
        size_t count, within = CHUNK;

        while (within == CHUNK &&
               (count = idset_read(set_of_rows(&rows->at[i]), from, ordinals, CHUNK))) {
            for (within = 0; within < count && ordinals[within] <= last; within++)
                keys[used++] = row_key(ordinals[within], rows->at[i].vuln);
            from = ordinals[count - 1] + 1;
        }
    }
    if (rows->count > 1)
        qsort(keys, used, sizeof(*keys), compare_keys);
    return used;
}

static int fill(const struct index *index, const struct rows *rows, uint64_t offset, size_t wanted,
    struct index_page *page, struct err *err)
{
    uint32_t first = ordinal_of_row(rows, offset, index->ordinal_count);
    uint32_t last = ordinal_of_row(rows, offset + wanted - 1, index->ordinal_count);
    uint64_t before = rows_below(rows, first);
    size_t span = (size_t)(rows_below(rows, last + 1) - before);
    uint64_t on_stack[STACK_ROWS], *keys = on_stack;

    if (span > STACK_ROWS) {
        keys = malloc(span * sizeof(*keys));
        if (!keys)
            return err_nomem(err);
    }
    (void)read_rows(rows, first, last, keys);
    for (size_t i = 0; i < wanted; i++) {
        uint64_t key = keys[offset - before + i];
        const struct entry *entry = entry_at(index, (uint32_t)(key >> 32));

        page_add(page, entry, entry_find(entry, (uint32_t)key));
    }
    if (keys != on_stack)
        free(keys);
    return 0;
}

static int make_page(const struct index *index, const struct rows *rows, struct pass *pass,
    struct index_page *page, struct err *err)
{
    uint64_t offset = pass->by_cursor ? cursor_offset(index, rows, pass->query) : pass->offset;
    uint64_t total = rows_below(rows, index->ordinal_count);
    size_t room = pass->query->limit - page->count, wanted;

    pass->total = total;
    pass->left = offset < total ? total - offset : 0;
    wanted = pass->left < room ? (size_t)pass->left : room;
    return wanted ? fill(index, rows, offset, wanted, page, err) : 0;
}

int query_vulns(const struct index *index, const struct ordinals *scope, struct pass *pass,
    struct index_page *page, struct err *err)
{
    struct rows rows = {0};
    int failed = rows_collect(index, scope, pass->query, pass->codes, &rows, err);

    if (failed == 0)
        failed = make_page(index, &rows, pass, page, err);
    rows_release(&rows);
    return failed;
}
