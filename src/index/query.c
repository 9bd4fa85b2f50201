/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_query() without vulnerabilities: rows are counted by the counts of their images, and only
 * the images on the page are opened. (With vulnerabilities: by_vuln.c.)
 *
 * One walk over the matching ordinals adds up the total and notes where the page starts: at an
 * offset in rows, or at an ordinal when a cursor is given. Without a scope the walk is over the
 * sums of blocks. The sums of a chunk are taken first, and only the chunk in which the page starts
 * is looked at ordinal by ordinal.
 */
#include "index/query.h"

#include "base/limits.h"

enum { CHUNK = 256, FILL_CHUNK = 32 };

/* --- Admitted codes --------------------------------------------------------------------------- */

enum { LANES = 8, FEW_CODES = 6 };

/* The admitted codes, as a list for few of them and as lanes of ones for many. */
struct admitted {
    uint16_t lanes[INDEX_CODES]; /* 0xffff or 0 */
    uint8_t list[INDEX_CODES];
    size_t count;
};

static void admitted_init(struct admitted *admitted, uint32_t codes)
{
    admitted->count = 0;
    for (uint8_t code = 0; code < INDEX_CODES; code++) {
        bool is = (codes >> code & 1) != 0;

        admitted->lanes[code] = is ? UINT16_MAX : 0;
        if (is)
            admitted->list[admitted->count++] = code;
    }
}

/* An image has fewer than 65,536 findings, so 16 bits hold each sum and the compiler can add eight
 * of them at once. */
static uint32_t rows_of(const uint16_t counts[INDEX_CODES], const struct admitted *admitted)
{
    uint16_t sums[LANES] = {0};
    uint32_t rows = 0;

    if (admitted->count <= FEW_CODES) {
        for (size_t i = 0; i < admitted->count; i++)
            rows += counts[admitted->list[i]];
        return rows;
    }
    for (size_t i = 0; i < INDEX_CODES; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            sums[j] = (uint16_t)(sums[j] + (counts[i + j] & admitted->lanes[i + j]));
    for (size_t j = 0; j < LANES; j++)
        rows += sums[j];
    return rows;
}

/* --- Finding the start ------------------------------------------------------------------------ */

/* Where the page is to start, and then where it does: `skip` admitted rows into the ordinal. */
struct start {
    bool by_ordinal;
    uint32_t ordinal; /* by_ordinal: the first ordinal that may be on the page */
    uint64_t offset;  /* else: this many rows before it */
    bool found;
    uint64_t before; /* rows in the ordinals before it */
    uint64_t skip;
};

static bool starts_here(const struct start *start, uint32_t last_ordinal, uint64_t rows_so_far)
{
    return start->by_ordinal ? last_ordinal >= start->ordinal : rows_so_far > start->offset;
}

/* The start is among these ordinals, before which stand `before` rows. */
static void start_among(const struct index *index, const struct admitted *admitted,
    const uint32_t *ordinals, size_t count, uint64_t before, struct start *start)
{
    for (size_t i = 0; i < count && !start->found; i++) {
        uint32_t rows = rows_of(counts_at(index, ordinals[i]), admitted);

        if (starts_here(start, ordinals[i], before + rows)) {
            start->found = true;
            start->ordinal = ordinals[i];
            start->before = before;
            start->skip = start->by_ordinal ? 0 : start->offset - before;
        }
        before += rows;
    }
}

static uint64_t walk_ordinals(const struct index *index, const struct idset *set,
    const struct admitted *admitted, struct start *start)
{
    uint32_t ordinals[CHUNK];
    uint64_t total = 0;
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1) {
        uint64_t rows = 0;

        for (size_t i = 0; i < count; i++)
            rows += rows_of(counts_at(index, ordinals[i]), admitted);
        if (!start->found && starts_here(start, ordinals[count - 1], total + rows))
            start_among(index, admitted, ordinals, count, total, start);
        total += rows;
    }
    return total;
}

static void start_in_block(const struct index *index, const struct admitted *admitted,
    uint32_t first, uint32_t count, uint64_t before, struct start *start)
{
    uint32_t ordinals[BLOCK_ORDINALS];

    for (uint32_t i = 0; i < count; i++)
        ordinals[i] = first + i;
    start_among(index, admitted, ordinals, count, before, start);
}

static uint64_t walk_blocks(
    const struct index *index, const struct admitted *admitted, struct start *start)
{
    uint64_t total = 0, before = 0;

    for (size_t i = 0; i < admitted->count; i++)
        total += index->totals[admitted->list[i]];
    for (uint32_t first = 0; first < index->ordinal_count && !start->found;
         first += BLOCK_ORDINALS) {
        uint32_t left = index->ordinal_count - first;
        uint32_t count = left < BLOCK_ORDINALS ? left : BLOCK_ORDINALS;
        uint64_t rows = 0;

        for (size_t i = 0; i < admitted->count; i++)
            rows += index->sums[first / BLOCK_ORDINALS][admitted->list[i]];
        if (starts_here(start, first + count - 1, before + rows))
            start_in_block(index, admitted, first, count, before, start);
        before += rows;
    }
    return total;
}

/* Rows of the cursor's own image that stand at or before it. */
static uint64_t rows_up_to(const struct index *index, const struct idset *set,
    const struct index_query *query, uint32_t ordinal)
{
    const struct entry *entry;
    const uint32_t *vulns;
    uint64_t rows = 0;

    if (ordinal == index->ordinal_count || number_at(index, ordinal) != query->after_image ||
        !idset_contains(set, ordinal))
        return 0;
    entry = entry_at(index, ordinal);
    vulns = entry_vulns(entry);
    for (size_t i = 0; i < entry->count && vulns[i] <= query->after_vuln; i++)
        rows += query->codes >> entry_codes(entry)[i] & 1;
    return rows;
}

/* --- The page --------------------------------------------------------------------------------- */

void page_add(struct index_page *page, const struct entry *entry, size_t finding)
{
    page->rows[page->count++] = (struct index_row){
        .image = &entry->image,
        .vuln = entry_vulns(entry)[finding],
        .code = entry_codes(entry)[finding],
        .first_scan_ms = entry_first_scan_ms(entry, finding),
    };
}

/* Adds the admitted rows of one image but the first *skip. */
static void add_image(struct index_page *page, const struct entry *entry, uint32_t codes,
    uint64_t *skip, size_t limit)
{
    const uint8_t *at = entry_codes(entry);

    for (size_t i = 0; i < entry->count && page->count < limit; i++) {
        if (!(codes >> at[i] & 1))
            continue;
        if (*skip)
            --*skip;
        else
            page_add(page, entry, i);
    }
}

static void fill(const struct index *index, const struct idset *set,
    const struct index_query *query, const struct start *start, struct index_page *page)
{
    uint32_t ordinals[FILL_CHUNK];
    uint64_t skip = start->skip;
    size_t count;

    for (uint32_t from = start->ordinal; (count = idset_read(set, from, ordinals, FILL_CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++) {
            add_image(page, entry_at(index, ordinals[i]), query->codes, &skip, query->limit);
            if (page->count == query->limit)
                return;
        }
}

static void query_images(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, struct index_page *page)
{
    struct start start = {.by_ordinal = query->by_cursor, .offset = query->offset};
    struct admitted admitted;
    uint32_t cursor = 0;

    admitted_init(&admitted, query->codes);
    if (query->by_cursor)
        start.ordinal = cursor = ordinal_from(index, query->after_image);
    page->total = scope->all ? walk_blocks(index, &admitted, &start)
                             : walk_ordinals(index, scope->set, &admitted, &start);
    page->count = 0;
    page->more = false;
    if (!start.found)
        return;
    if (query->by_cursor && start.ordinal == cursor)
        start.skip = rows_up_to(index, scope->set, query, cursor);
    fill(index, scope->set, query, &start, page);
    page->more = start.before + start.skip + page->count < page->total;
}

int index_query(const struct index *index, const struct index_query *query, struct index_page *ret,
    struct err *err)
{
    struct ordinals scope;
    int failed = 0;

    if (query->limit < 1 || query->limit > LIMIT_PAGE_MAX)
        return err_set(err, ERR_INVALID, "a page of %zu rows was asked for: 1 to %d are possible",
            query->limit, LIMIT_PAGE_MAX);
    if (ordinals_of_scope(index, &query->scope, &scope, err) < 0)
        return -1;
    if (query->by_vuln)
        failed = query_vulns(index, &scope, query, ret, err);
    else
        query_images(index, &scope, query, ret);
    ordinals_release(&scope);
    return failed;
}
