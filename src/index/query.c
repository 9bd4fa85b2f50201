/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_query() without vulnerabilities: rows are counted by the counts of their images, and only
 * the images on the page are opened. (With vulnerabilities: by_vuln.c.)
 *
 * The unit is the block. How many rows a block has is known for parts with sums, and added up from
 * the counts of images, in one walk, for the others. The total follows; then the blocks are gone
 * through up to the one in which the page starts (at an offset in rows, or behind a cursor), and
 * only that one is looked at image by image.
 */
#include "index/query.h"

#include "base/limits.h"

enum { CHUNK = 256, AHEAD = 8 };

/* --- Admitted codes --------------------------------------------------------------------------- */

enum { LANES = 8, FEW_CODES = 8 };

void admitted_init(struct admitted *admitted, const struct index *index,
    const struct index_query *query, uint64_t codes)
{
    uint64_t present = codes & index->present;

    admitted->codes = codes;
    admitted->by_time = query->by_time;
    admitted->since_ms = query->first_seen_since_ms;
    admitted->all = present == index->present;
    admitted->planes = 0;
    admitted->count = 0;
    for (uint64_t left = present; left; left &= left - 1) {
        uint8_t code = (uint8_t)__builtin_ctzll(left);

        admitted->list[admitted->count++] = code;
        admitted->planes |= 1u << plane_of(code);
    }
    if (admitted->count <= FEW_CODES)
        return;
    for (uint8_t code = 0; code < INDEX_CODES; code++) {
        bool is = (present >> code & 1) != 0;

        admitted->wide_lanes[code] = is ? UINT32_MAX : 0;
        admitted->lanes[code] = is ? UINT16_MAX : 0;
    }
}

static uint32_t rows_of_few(
    const struct index *index, uint32_t ordinal, const struct admitted *admitted)
{
    const uint16_t *open = counts_at(index, ordinal, 0);
    uint32_t rows = 0;

    for (size_t i = 0; i < admitted->count; i++) {
        unsigned code = admitted->list[i];
        const uint16_t *counts =
            code < PLANE_CODES ? open : counts_at(index, ordinal, plane_of(code));

        rows += counts ? counts[code % PLANE_CODES] : 0;
    }
    return rows;
}

/* An image has fewer than 65,536 findings, so 16 bits hold each sum and the compiler can add eight
 * of them at once. */
static uint32_t rows_of_counts(
    const struct index *index, uint32_t ordinal, const struct admitted *admitted)
{
    uint16_t sums[LANES] = {0};
    uint32_t rows = 0;

    if (admitted->count <= FEW_CODES)
        return rows_of_few(index, ordinal, admitted);
    for (unsigned plane = 0; plane < PLANES; plane++) {
        const uint16_t *lanes = admitted->lanes + plane * PLANE_CODES, *counts;

        if (!(admitted->planes >> plane & 1) || !(counts = counts_at(index, ordinal, plane)))
            continue;
        for (size_t i = 0; i < PLANE_CODES; i += LANES)
            for (size_t j = 0; j < LANES; j++)
                sums[j] = (uint16_t)(sums[j] + (counts[i + j] & lanes[i + j]));
    }
    for (size_t j = 0; j < LANES; j++)
        rows += sums[j];
    return rows;
}

static uint32_t rows_of_sums(const uint32_t sums[INDEX_CODES], const struct admitted *admitted)
{
    uint32_t rows = 0;

    if (admitted->count <= FEW_CODES) {
        for (size_t i = 0; i < admitted->count; i++)
            rows += sums[admitted->list[i]];
        return rows;
    }
    for (unsigned plane = 0; plane < PLANES; plane++)
        for (size_t i = plane * PLANE_CODES;
             (admitted->planes >> plane & 1) && i < (plane + 1) * PLANE_CODES; i++)
            rows += sums[i] & admitted->wide_lanes[i];
    return rows;
}

/* Opens the image. */
static uint32_t rows_since(const struct entry *entry, const struct admitted *admitted)
{
    const struct entry_since since = entry_since(entry, admitted->since_ms);
    const uint8_t *codes = entry_codes(entry);
    uint32_t rows = 0;

    for (size_t i = 0; i < entry->count; i++)
        rows += (admitted->codes >> codes[i] & 1) && entry_is_since(&since, i);
    return rows;
}

uint32_t rows_at(const struct index *index, uint32_t ordinal, const struct admitted *admitted)
{
    if (admitted->by_time) {
        if (newest_at(index, ordinal) < admitted->since_ms)
            return 0;
        if (oldest_at(index, ordinal) < admitted->since_ms)
            return rows_since(entry_at(index, ordinal), admitted);
    }
    if (admitted->all)
        return findings_at(index, ordinal);
    return rows_of_counts(index, ordinal, admitted);
}

/* What rows_at() will read first. */
static void prefetch_rows(
    const struct index *index, uint32_t ordinal, const struct admitted *admitted)
{
    const struct block *block = block_of(index, ordinal);

    if (admitted->by_time)
        __builtin_prefetch(&block->newest[ordinal % BLOCK_ORDINALS]);
    else
        __builtin_prefetch(block->open[ordinal % BLOCK_ORDINALS]);
}

/* --- Rows by block ---------------------------------------------------------------------------- */

/* All rows of some ordinals: the commonest walk, without a call for each. */
static uint64_t add_findings(struct walk *walk, const uint32_t *ordinals, size_t count)
{
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t rows = findings_at(walk->index, ordinals[i]);

        walk->rows[ordinals[i] / BLOCK_ORDINALS] += rows;
        total += rows;
    }
    return total;
}

/* The counts of images lie far apart: each is asked of memory some steps before it is read. */
static uint64_t add_admitted(struct walk *walk, const uint32_t *ordinals, size_t count)
{
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t rows;

        if (i + AHEAD < count)
            prefetch_rows(walk->index, ordinals[i + AHEAD], &walk->admitted);
        rows = rows_at(walk->index, ordinals[i], &walk->admitted);
        walk->rows[ordinals[i] / BLOCK_ORDINALS] += rows;
        total += rows;
    }
    return total;
}

static void add_counted(struct walk *walk, const struct idset *set)
{
    bool all = walk->admitted.all && !walk->admitted.by_time;
    uint32_t ordinals[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        walk->total +=
            all ? add_findings(walk, ordinals, count) : add_admitted(walk, ordinals, count);
}

int walk_begin(struct walk *walk, const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint64_t codes, struct err *err)
{
    walk->index = index;
    walk->scope = scope;
    walk->total = 0;
    walk->rows = NULL;
    admitted_init(&walk->admitted, index, query, codes);
    for (size_t i = 0; i < scope->count; i++) {
        const struct part *part = &scope->parts[i];

        if (part->totals && !query->by_time) {
            for (size_t j = 0; j < walk->admitted.count; j++)
                walk->total += part->totals[walk->admitted.list[j]];
            continue;
        }
        if (!walk->rows && index->block_count <= STACK_BLOCKS) {
            walk->rows = walk->on_stack;
            memset(walk->rows, 0, index->block_count * sizeof(*walk->rows));
        } else if (!walk->rows) {
            walk->rows = calloc(index->block_count, sizeof(*walk->rows));
            if (!walk->rows)
                return err_nomem(err);
        }
        add_counted(walk, part->set);
    }
    return 0;
}

void walk_end(struct walk *walk)
{
    if (walk->rows != walk->on_stack)
        free(walk->rows);
}

static uint32_t rows_of_block(const struct walk *walk, size_t block)
{
    uint32_t rows = walk->rows ? walk->rows[block] : 0;

    for (size_t i = 0; i < walk->scope->count; i++) {
        const struct part *part = &walk->scope->parts[i];

        if (block < part->blocks && !walk->admitted.by_time)
            rows += rows_of_sums(part->sums[block], &walk->admitted);
    }
    return rows;
}

/* The ordinals of a block, ascending. */
static size_t members_of(const struct walk *walk, size_t block, uint32_t ret[BLOCK_ORDINALS])
{
    uint32_t first = (uint32_t)(block * BLOCK_ORDINALS), read[BLOCK_ORDINALS];
    uint64_t bits[BLOCK_ORDINALS / 64] = {0};
    size_t used = 0;

    for (size_t i = 0; i < walk->scope->count; i++) {
        size_t count = idset_read(walk->scope->parts[i].set, first, read, BLOCK_ORDINALS);

        for (size_t j = 0; j < count && read[j] - first < BLOCK_ORDINALS; j++)
            bits[(read[j] - first) / 64] |= (uint64_t)1 << (read[j] - first) % 64;
    }
    for (size_t i = 0; i < BLOCK_ORDINALS / 64; i++)
        for (uint64_t word = bits[i]; word; word &= word - 1)
            ret[used++] = first + (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(word);
    return used;
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

/* The start may be in this block, before which stand `before` rows. */
static void start_in_block(
    const struct walk *walk, size_t block, uint64_t before, struct start *start)
{
    uint32_t ordinals[BLOCK_ORDINALS];
    size_t count = members_of(walk, block, ordinals);

    for (size_t i = 0; i < count && !start->found; i++) {
        uint32_t rows = rows_at(walk->index, ordinals[i], &walk->admitted);

        if (starts_here(start, ordinals[i], before + rows)) {
            start->found = true;
            start->ordinal = ordinals[i];
            start->before = before;
            start->skip = start->by_ordinal ? 0 : start->offset - before;
        }
        before += rows;
    }
}

static void find_start(const struct walk *walk, struct start *start)
{
    uint64_t before = 0;

    if (!start->by_ordinal && start->offset >= walk->total)
        return;
    for (size_t block = 0; block < walk->index->block_count && !start->found; block++) {
        uint32_t rows = rows_of_block(walk, block);

        if (rows && starts_here(start, (uint32_t)((block + 1) * BLOCK_ORDINALS - 1), before + rows))
            start_in_block(walk, block, before, start);
        before += rows;
    }
}

uint64_t rows_up_to(const struct entry *entry, const struct admitted *admitted, uint32_t vuln)
{
    const uint32_t *vulns = entry_vulns(entry);
    uint64_t rows = 0;

    for (size_t i = 0; i < entry->count && vulns[i] <= vuln; i++)
        rows += is_admitted(entry, i, admitted);
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

void add_image(struct index_page *page, const struct entry *entry, const struct admitted *admitted,
    uint64_t *skip, size_t limit)
{
    for (size_t i = 0; i < entry->count && page->count < limit; i++) {
        if (!is_admitted(entry, i, admitted))
            continue;
        if (*skip)
            --*skip;
        else
            page_add(page, entry, i);
    }
}

static void fill(const struct walk *walk, const struct pass *pass, const struct start *start,
    struct index_page *page)
{
    size_t room = pass->query->limit - page->count;
    size_t wanted = page->count + (pass->left < room ? (size_t)pass->left : room);
    uint32_t ordinals[BLOCK_ORDINALS];
    uint64_t skip = start->skip;

    for (size_t block = start->ordinal / BLOCK_ORDINALS; page->count < wanted; block++) {
        size_t count = rows_of_block(walk, block) ? members_of(walk, block, ordinals) : 0;

        for (size_t i = 0; i < count && page->count < wanted; i++)
            if (ordinals[i] >= start->ordinal)
                add_image(page, entry_at(walk->index, ordinals[i]), &walk->admitted, &skip, wanted);
    }
}

int query_images(const struct index *index, const struct ordinals *scope, struct pass *pass,
    struct index_page *page, struct err *err)
{
    const struct index_query *query = pass->query;
    struct start start = {.by_ordinal = pass->by_cursor, .offset = pass->offset};
    struct walk walk;

    if (walk_begin(&walk, index, scope, query, pass->codes, err) < 0)
        return -1;
    if (pass->by_cursor)
        start.ordinal = ordinal_from(index, query->after_image);
    find_start(&walk, &start);
    pass->total = walk.total;
    pass->left = 0;
    if (start.found) {
        if (pass->by_cursor && number_at(index, start.ordinal) == query->after_image)
            start.skip =
                rows_up_to(entry_at(index, start.ordinal), &walk.admitted, query->after_vuln);
        pass->left = walk.total - start.before - start.skip;
        fill(&walk, pass, &start, page);
    }
    walk_end(&walk);
    return 0;
}

/* --- Sorted by severity ----------------------------------------------------------------------- */

static uint64_t codes_of_necessity(enum necessity necessity)
{
    uint64_t codes = 0;

    for (uint8_t code = 0; code < INDEX_CODES; code++)
        if (index_code_necessity(code) == necessity)
            codes |= (uint64_t)1 << code;
    return codes;
}

static int run_pass(const struct index *index, const struct ordinals *scope, struct pass *pass,
    struct index_page *page, struct err *err)
{
    return names_vulns(pass->query) ? query_vulns(index, scope, pass, page, err)
                                    : query_images(index, scope, pass, page, err);
}

/* A pass for each necessity. One that stands wholly before the cursor is only counted. */
static int query_by_severity(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, struct index_page *page, uint64_t *left, struct err *err)
{
    uint64_t offset = query->by_cursor ? 0 : query->offset;

    for (int i = 0; i < NECESSITY_COUNT; i++) {
        int necessity = query->descending ? NECESSITY_COUNT - 1 - i : i;
        bool passed = query->by_cursor && (query->descending ? necessity > query->after_value
                                                             : necessity < query->after_value);
        struct pass pass = {.query = query,
            .codes = query->codes & codes_of_necessity((enum necessity)necessity),
            .by_cursor = query->by_cursor && necessity == query->after_value,
            .offset = passed ? UINT64_MAX : offset};

        if (run_pass(index, scope, &pass, page, err) < 0)
            return -1;
        page->total += pass.total;
        *left += pass.left;
        offset -= offset < pass.total ? offset : pass.total;
    }
    return 0;
}

/* --- Public ----------------------------------------------------------------------------------- */

static int run(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, struct index_page *page, struct err *err)
{
    struct pass pass = {.query = query,
        .codes = query->codes,
        .by_cursor = query->by_cursor,
        .offset = query->offset};
    int failed;

    switch (query->sort) {
    case INDEX_SORT_IMAGE:
        failed = run_pass(index, scope, &pass, page, err);
        page->total = pass.total;
        break;
    case INDEX_SORT_SEVERITY:
        failed = query_by_severity(index, scope, query, page, &pass.left, err);
        break;
    case INDEX_SORT_IMAGE_NAME:
    case INDEX_SORT_LATEST_SCAN:
    case INDEX_SORT_CONTAINERS:
        return query_sorted(index, scope, query, page, err);
    default:
        return err_set(err, ERR_INVALID, "sort %d is not known", (int)query->sort);
    }
    page->more = pass.left > page->count;
    return failed;
}

static bool is_empty(const struct ordinals *scope)
{
    for (size_t i = 0; i < scope->count; i++)
        if (scope->parts[i].set->count)
            return false;
    return true;
}

int index_query(const struct index *index, const struct index_query *query, struct index_page *ret,
    struct err *err)
{
    struct ordinals scope;
    int failed;

    if (query->limit < 1 || query->limit > LIMIT_PAGE_MAX)
        return err_set(err, ERR_INVALID, "a page of %zu rows was asked for: 1 to %d are possible",
            query->limit, LIMIT_PAGE_MAX);
    if ((names_vulns(query) ? ordinals_of_scope(index, &query->scope, &scope, err)
                            : parts_of_scope(index, &query->scope, &scope, err)) < 0)
        return -1;
    ret->total = 0;
    ret->count = 0;
    ret->more = false;
    if (is_empty(&scope)) {
        ordinals_release(&scope);
        return 0;
    }
    failed = run(index, &scope, query, ret, err);
    ordinals_release(&scope);
    return failed;
}

int64_t index_row_value(const struct index_row *row, enum index_sort sort)
{
    switch (sort) {
    case INDEX_SORT_SEVERITY:
        return index_code_necessity(row->code);
    case INDEX_SORT_LATEST_SCAN:
        return row->image->latest_scan_ms;
    case INDEX_SORT_CONTAINERS:
        return row->image->place.containers;
    case INDEX_SORT_IMAGE:
    case INDEX_SORT_IMAGE_NAME:
    default:
        return 0;
    }
}
