/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table is a b-tree: interior pages point at pages, leaves hold rows. What of a row does not fit
 * into its leaf stands in a chain of overflow pages.
 *
 * In a sound database no page is met twice, so the walk has as many pages to spend as there are:
 * a loop, or a page with many parents, ends it. Cells of a leaf that together are longer than the
 * page lie over each other. So the work is bounded by the size of the file, whatever it holds.
 */
#include "inventory/sqlite_table.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_INTERIOR = 5, PAGE_LEAF = 13 };
enum { FILE_HEADER_BYTES = 100 };

/* A page on the way from the root to the row. */
struct level {
    unsigned char *page; /* owned */
    uint32_t number;
    bool is_leaf;
    uint32_t cells, next; /* how many, and the one that comes next */
    size_t pointers;      /* where their offsets begin */
    size_t cell_bytes;    /* of the cells of a leaf so far */
};

struct walk {
    const struct sqlite_pages *pages;
    sqlite_row *row;
    void *ctx;
    struct buf record;
    uint64_t pages_left;
    unsigned char *overflow; /* a page; owned */
    struct level levels[LIMIT_SQLITE_DEPTH];
    size_t depth;
};

static void walk_release(struct walk *walk)
{
    for (size_t i = 0; i < LIMIT_SQLITE_DEPTH; i++)
        free(walk->levels[i].page);
    free(walk->overflow);
    buf_release(&walk->record);
}

/* ---- varints (section 1.6) ---- */

/* Big-endian, seven bits a byte, at most nine bytes, of which the last has eight. */
static bool pull_varint(struct slice *in, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 9 && i < in->len; i++) {
        unsigned char byte = (unsigned char)in->ptr[i];

        if (i == 8)
            value = value << 8 | byte;
        else
            value = value << 7 | (byte & 0x7f);
        if (i == 8 || !(byte & 0x80)) {
            *in = slice_skip(*in, i + 1);
            *ret = value;
            return true;
        }
    }
    return false;
}

/* ---- pages ---- */

static int read_page(struct walk *walk, uint32_t number, unsigned char **page, struct err *err)
{
    if (walk->pages_left == 0)
        return err_set(err, ERR_FORMAT,
            "a table of the database uses page %" PRIu32 " more than once", number);
    walk->pages_left--;
    if (!*page && !(*page = malloc(walk->pages->page_bytes)))
        return err_nomem(err);
    return sqlite_pages_read(walk->pages, number, *page, err);
}

static int enter(struct walk *walk, uint32_t number, struct err *err)
{
    struct level *level = &walk->levels[walk->depth];
    size_t start = number == 1 ? FILE_HEADER_BYTES : 0;
    const unsigned char *head;

    if (walk->depth == LIMIT_SQLITE_DEPTH)
        return err_set(err, ERR_FORMAT,
            "a table of the database is deeper than %d pages (LIMIT_SQLITE_DEPTH)",
            LIMIT_SQLITE_DEPTH);
    if (read_page(walk, number, &level->page, err) < 0)
        return -1;
    head = level->page + start;
    if (head[0] != PAGE_INTERIOR && head[0] != PAGE_LEAF)
        return err_set(err, ERR_FORMAT,
            "the database's page %" PRIu32 " is of kind %d, and should be part of a table", number,
            head[0]);
    level->number = number;
    level->is_leaf = head[0] == PAGE_LEAF;
    level->cells = bytes_be16(head + 3);
    level->next = 0;
    level->pointers = start + (level->is_leaf ? 8 : 12);
    level->cell_bytes = 0;
    if (level->pointers + 2 * (size_t)level->cells > walk->pages->usable_bytes)
        return err_set(err, ERR_FORMAT,
            "the database's page %" PRIu32 " says that it has %" PRIu32 " cells", number,
            level->cells);
    walk->depth++;
    return 0;
}

/* From the start of a cell to the end of the page. */
static int find_cell(
    const struct walk *walk, const struct level *level, struct slice *ret, struct err *err)
{
    size_t offset = bytes_be16(level->page + level->pointers + 2 * (size_t)level->next);

    if (offset < level->pointers + 2 * (size_t)level->cells || offset >= walk->pages->usable_bytes)
        return err_set(err, ERR_FORMAT,
            "the database's page %" PRIu32 " has cell %" PRIu32 " at byte %zu", level->number,
            level->next, offset);
    *ret = (struct slice){(const char *)level->page + offset, walk->pages->usable_bytes - offset};
    return 0;
}

/* ---- rows (section 1.6, "Cell Payload Overflow Pages") ---- */

/* How many bytes of a row of this size stand in the leaf. */
static size_t local_bytes(uint32_t usable, uint64_t size)
{
    uint64_t max = usable - 35, min = (usable - 12) * 32 / 255 - 23;
    uint64_t local = min + (size - min) % (usable - 4);

    if (size <= max)
        return (size_t)size;
    return (size_t)(local <= max ? local : min);
}

/* The rest of a row, from a chain of pages that each begin with the next one's number. */
static int read_overflow(struct walk *walk, uint32_t page, size_t left, struct err *err)
{
    while (left) {
        size_t here = walk->pages->usable_bytes - 4;

        if (here > left)
            here = left;
        if (read_page(walk, page, &walk->overflow, err) < 0)
            return -1;
        buf_put(&walk->record, walk->overflow + 4, here);
        page = bytes_be32(walk->overflow);
        left -= here;
    }
    return 0;
}

static int bad_cell(const struct level *level, struct err *err)
{
    return err_set(err, ERR_FORMAT,
        "cell %" PRIu32 " of the database's page %" PRIu32 " does not end in it", level->next,
        level->number);
}

static int read_row(struct walk *walk, struct level *level, struct err *err)
{
    struct slice cell, rest;
    uint64_t size, rowid;
    size_t local;

    if (find_cell(walk, level, &cell, err) < 0)
        return -1;
    rest = cell;
    if (!pull_varint(&rest, &size) || !pull_varint(&rest, &rowid))
        return bad_cell(level, err);
    if (size > walk->record.max)
        return err_set(err, ERR_LIMIT,
            "a row of the database has %" PRIu64 " bytes, and may have %zu", size,
            walk->record.max);
    local = local_bytes(walk->pages->usable_bytes, size);
    if (rest.len < local + (local < size ? 4 : 0))
        return bad_cell(level, err);
    level->cell_bytes += cell.len - rest.len + local;
    if (level->cell_bytes > walk->pages->usable_bytes)
        return err_set(err, ERR_FORMAT,
            "the cells of the database's page %" PRIu32 " lie over each other", level->number);
    buf_clear(&walk->record);
    buf_put(&walk->record, rest.ptr, local);
    if (local < size && read_overflow(walk, bytes_be32((const unsigned char *)rest.ptr + local),
                            (size_t)size - local, err) < 0)
        return -1;
    if (buf_check(&walk->record, "a row of the database", err) < 0)
        return -1;
    level->next++;
    return walk->row(walk->ctx, (int64_t)rowid, buf_slice(&walk->record), err);
}

/* ---- the walk ---- */

/* Into the next page below an interior one. */
static int descend(struct walk *walk, struct level *level, struct err *err)
{
    struct slice cell;

    if (level->next == level->cells)
        cell.ptr = (const char *)level->page + level->pointers - 4; /* the right-most one */
    else if (find_cell(walk, level, &cell, err) < 0)
        return -1;
    else if (cell.len < 4)
        return bad_cell(level, err);
    level->next++;
    return enter(walk, bytes_be32((const unsigned char *)cell.ptr), err);
}

int sqlite_table_walk(const struct sqlite_pages *pages, uint32_t root, size_t max_bytes,
    sqlite_row *row, void *ctx, struct err *err)
{
    struct walk walk CLEANUP(walk_release) = {.pages = pages,
        .row = row,
        .ctx = ctx,
        .record = BUF_INIT(max_bytes),
        .pages_left = pages->page_count};

    if (enter(&walk, root, err) < 0)
        return -1;
    while (walk.depth) {
        struct level *level = &walk.levels[walk.depth - 1];
        uint32_t ways = level->is_leaf ? level->cells : level->cells + 1;

        if (level->next == ways)
            walk.depth--;
        else if ((level->is_leaf ? read_row(&walk, level, err) : descend(&walk, level, err)) < 0)
            return -1;
    }
    return 0;
}

/* ---- records (section 2.1) ---- */

int sqlite_columns_begin(struct sqlite_columns *ret, struct slice record, struct err *err)
{
    struct slice rest = record;
    uint64_t head;

    if (!pull_varint(&rest, &head) || head > record.len || head < record.len - rest.len)
        return err_set(err, ERR_FORMAT, "a row of the database has no sound header");
    ret->types = slice_sub(rest, 0, (size_t)head - (record.len - rest.len));
    ret->values = slice_skip(record, (size_t)head);
    return 0;
}

/* Of the serial types below 12: their kinds and sizes; 10 and 11 are reserved. */
static const struct {
    enum sqlite_kind kind;
    unsigned char bytes;
} small_types[] = {
    {SQLITE_NULL, 0},
    {SQLITE_INTEGER, 1},
    {SQLITE_INTEGER, 2},
    {SQLITE_INTEGER, 3},
    {SQLITE_INTEGER, 4},
    {SQLITE_INTEGER, 6},
    {SQLITE_INTEGER, 8},
    {SQLITE_REAL, 8},
    {SQLITE_INTEGER, 0},
    {SQLITE_INTEGER, 0},
};
enum { SMALL_TYPES = sizeof(small_types) / sizeof(*small_types), TYPE_ONE = 9, TYPE_BLOB = 12 };

/* Big-endian, two's complement. */
static int64_t integer_of(struct slice bytes)
{
    uint64_t value = bytes.len && (unsigned char)bytes.ptr[0] & 0x80 ? UINT64_MAX : 0;

    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (unsigned char)bytes.ptr[i];
    return (int64_t)value;
}

int sqlite_columns_next(
    struct sqlite_columns *columns, bool *ret_more, struct sqlite_value *ret, struct err *err)
{
    struct sqlite_value value = {0};
    uint64_t type, bytes;

    if (columns->types.len == 0) {
        *ret_more = false;
        return 0;
    }
    if (!pull_varint(&columns->types, &type) || (type >= SMALL_TYPES && type < TYPE_BLOB))
        return err_set(err, ERR_FORMAT, "a column of the database is of no known type");
    if (type < SMALL_TYPES) {
        value.kind = small_types[type].kind;
        bytes = small_types[type].bytes;
    } else {
        value.kind = type % 2 ? SQLITE_TEXT : SQLITE_BLOB;
        bytes = (type - TYPE_BLOB) / 2;
    }
    if (bytes > columns->values.len)
        return err_set(err, ERR_FORMAT,
            "a column of the database has %" PRIu64 " bytes, and its row %zu", bytes,
            columns->values.len);
    value.bytes = slice_sub(columns->values, 0, (size_t)bytes);
    value.integer = type == TYPE_ONE ? 1 : integer_of(value.bytes);
    columns->values = slice_skip(columns->values, (size_t)bytes);
    *ret = value;
    *ret_more = true;
    return 0;
}
