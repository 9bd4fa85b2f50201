/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpm's database in SQLite (rpm 4.16 and later, lib/backend/sqlite.c): the table
 *
 *     Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)
 *
 * has the headers; the others are indexes of it. Images are often made without a checkpoint at the
 * end, and then the packages stand in the write-ahead log.
 */
#include "inventory/readers.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/rpm.h"
#include "inventory/sqlite_table.h"

#include <inttypes.h>

/* A row of the schema: type, name, table, root page, SQL. */
enum { SCHEMA_COLUMNS = 4, LIMIT_SCHEMA_ROW_BYTES = 1024 * 1024 };

/* Columns that the record is too short for are NULL: a table may have got them later. */
static int read_columns(
    struct slice record, struct sqlite_value *ret, size_t count, struct err *err)
{
    struct sqlite_columns columns;
    bool more = true;

    if (sqlite_columns_begin(&columns, record, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct sqlite_value){0};
        if (more && sqlite_columns_next(&columns, &more, &ret[i], err) < 0)
            return -1;
    }
    return 0;
}

/* ctx: the root page of the table of packages, when this is its row. */
static int find_packages(void *ctx, int64_t rowid, struct slice record, struct err *err)
{
    struct sqlite_value columns[SCHEMA_COLUMNS];
    uint32_t *root = ctx;

    (void)rowid;
    if (read_columns(record, columns, SCHEMA_COLUMNS, err) < 0)
        return -1;
    if (slice_is(columns[0].bytes, "table") && slice_is(columns[1].bytes, "Packages")) {
        int64_t page = columns[3].integer;

        if (columns[3].kind != SQLITE_INTEGER || page <= 0 || page > UINT32_MAX)
            return err_set(err, ERR_FORMAT, "the table Packages has no root page");
        *root = (uint32_t)page;
    }
    return 0;
}

/* The first column stands for the row's id, and is NULL. */
static int add_package(void *ctx, int64_t rowid, struct slice record, struct err *err)
{
    struct sqlite_value columns[2];

    if (read_columns(record, columns, 2, err) < 0)
        return -1;
    if (columns[1].kind != SQLITE_BLOB)
        return err_set(
            err, ERR_FORMAT, "row %" PRId64 " of the table Packages has no header", rowid);
    if (rpm_header_add(columns[1].bytes, ctx, err) < 0)
        return err_prefix(err, "row %" PRId64 " of the table Packages", rowid);
    return 0;
}

static int read_packages(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct sqlite_pages pages CLEANUP(sqlite_pages_release) = {0};
    uint32_t root = 0;

    if (sqlite_pages_open(&pages, file->content, file->beside, err) < 0 ||
        sqlite_table_walk(
            &pages, SQLITE_SCHEMA_ROOT, LIMIT_SCHEMA_ROW_BYTES, find_packages, &root, err) < 0)
        return -1;
    if (!root)
        return err_set(err, ERR_FORMAT, "the database has no table Packages");
    return sqlite_table_walk(&pages, root, LIMIT_RPM_HEADER_BYTES, add_package, inventory, err);
}

static int read_sqlite(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    if (read_packages(file, inventory, err) < 0)
        return rpm_prefix(file, err);
    return 0;
}

static bool matches(struct slice path)
{
    return rpm_is_database(path, "rpmdb.sqlite");
}

const struct inventory_reader inventory_rpm_sqlite = {
    .name = "rpm-sqlite", .matches = matches, .beside = "-wal", .read = read_sqlite};
