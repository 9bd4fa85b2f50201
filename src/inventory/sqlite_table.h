/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of an SQLite database, row by row (https://www.sqlite.org/fileformat2.html, sections 1.6
 * and 2): no SQL, no indexes, no tables WITHOUT ROWID.
 */
#ifndef CAREEN_INVENTORY_SQLITE_TABLE_H
#define CAREEN_INVENTORY_SQLITE_TABLE_H

#include "inventory/sqlite_pages.h"

enum { SQLITE_SCHEMA_ROOT = 1 };

/* -1 ends the walk with *err; the record is good during the call only. */
typedef int sqlite_row(void *ctx, int64_t rowid, struct slice record, struct err *err);

/* Every row of the table with this root page, in the order of their ids. Rows may have max_bytes
 * (ERR_LIMIT). A page that is met more often than the database could have it, pages of another
 * kind, and cells that lie over each other are ERR_FORMAT; memory is that of one row and of a page
 * for each level. */
int sqlite_table_walk(const struct sqlite_pages *pages, uint32_t root, size_t max_bytes,
    sqlite_row *row, void *ctx, struct err *err);

enum sqlite_kind { SQLITE_NULL, SQLITE_INTEGER, SQLITE_REAL, SQLITE_BLOB, SQLITE_TEXT };

struct sqlite_value {
    enum sqlite_kind kind;
    int64_t integer;
    struct slice bytes; /* of a blob or text: in the record */
};

/* The columns of a record, first to last. */
struct sqlite_columns {
    struct slice types, values; /* what is left of either */
};
int sqlite_columns_begin(struct sqlite_columns *ret, struct slice record, struct err *err);
/* *ret_more is false when there is no further column. */
int sqlite_columns_next(
    struct sqlite_columns *columns, bool *ret_more, struct sqlite_value *ret, struct err *err);

#endif
