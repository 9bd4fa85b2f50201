/* SPDX-License-Identifier: Apache-2.0 */
/* How much is stored, and whether it is sound. */
#include "store/sqlite/sqlite_store.h"

/* Rows of name, package, record and claim are never deleted, so their highest id is their count;
 * the others are counted along their smallest index. */
static const char stats_sql[] =
    "SELECT (SELECT count(*) FROM project), (SELECT count(*) FROM image),"
    " (SELECT ifnull(max(id), 0) FROM package), (SELECT ifnull(max(id), 0) FROM name),"
    " (SELECT ifnull(max(id), 0) FROM record), (SELECT ifnull(max(id), 0) FROM claim),"
    " (SELECT count(*) FROM cause)";

int store_stats(struct store *store, struct store_stats *ret, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_STATS, stats_sql, "counting what is stored", err) < 0 ||
        query_step(&q, err) < 0)
        return -1;
    *ret = (struct store_stats){
        .schema_version = schema_version(),
        .bytes = file_bytes(store->file) + file_bytes(store->wal),
        .projects = (uint64_t)query_int(&q, 0),
        .images = (uint64_t)query_int(&q, 1),
        .packages = (uint64_t)query_int(&q, 2),
        .names = (uint64_t)query_int(&q, 3),
        .records = (uint64_t)query_int(&q, 4),
        .claims = (uint64_t)query_int(&q, 5),
        .causes = (uint64_t)query_int(&q, 6),
    };
    return 0;
}

/* The first row of a check that is not `good`. */
static int check_with(struct conn *conn, const char *sql, const char *good, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(conn->db, sql, -1, &stmt, NULL);
    const char *found;

    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    found = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        conn_fail(conn, code, "checking the store", err);
    else if (found && (!good || strcmp(found, good) != 0))
        code = err_set(err, ERR_CORRUPT, "%s is damaged: %s; restore a backup of the data folder",
            conn->store->file, found);
    sqlite3_finalize(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* On a connection of its own: reads of others go on meanwhile. */
int store_check(struct store *store, struct err *err)
{
    struct conn conn = {0};
    int result;

    if (store->immutable) {
        struct conn *shared CLEANUP(store_read_end) = store_read_conn(store, err);

        return shared ? check_with(shared, "PRAGMA integrity_check(1)", "ok", err) : -1;
    }
    result = conn_open(&conn, store, store->file,
        store->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err);
    if (result == 0)
        result = check_with(&conn, "PRAGMA integrity_check(1)", "ok", err);
    if (result == 0)
        result = check_with(&conn, "PRAGMA foreign_key_check", NULL, err);
    conn_close(&conn);
    return result;
}
