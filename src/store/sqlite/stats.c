/* SPDX-License-Identifier: Apache-2.0 */
/* How much is stored, and whether it is sound; and the numbers that are kept by name. */
#include "store/sqlite/sqlite_store.h"

/* Each is counted along its smallest index: ids have gaps where something was collected. */
static const char stats_sql[] =
    "SELECT (SELECT count(*) FROM project), (SELECT count(*) FROM image),"
    " (SELECT count(*) FROM package), (SELECT count(*) FROM name),"
    " (SELECT count(*) FROM record), (SELECT count(*) FROM claim),"
    " (SELECT count(*) FROM cause), (SELECT count(*) FROM decision)";

int store_stats(struct store *store, struct store_stats *ret, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    uint64_t journal_bytes = file_bytes(store->wal);
    int64_t free_pages, page_bytes;

    if (!conn || conn_get_int(conn, "PRAGMA freelist_count", &free_pages, err) < 0 ||
        conn_get_int(conn, "PRAGMA page_size", &page_bytes, err) < 0 ||
        query_begin(&q, conn, STATEMENT_STATS, stats_sql, "counting what is stored", err) < 0 ||
        query_step(&q, err) < 0)
        return -1;
    *ret = (struct store_stats){
        .schema_version = schema_version(),
        .bytes = file_bytes(store->file) + journal_bytes,
        .journal_bytes = journal_bytes,
        .free_bytes = (uint64_t)(free_pages * page_bytes),
        .projects = (uint64_t)query_int(&q, 0),
        .images = (uint64_t)query_int(&q, 1),
        .packages = (uint64_t)query_int(&q, 2),
        .names = (uint64_t)query_int(&q, 3),
        .records = (uint64_t)query_int(&q, 4),
        .claims = (uint64_t)query_int(&q, 5),
        .causes = (uint64_t)query_int(&q, 6),
        .decisions = (uint64_t)query_int(&q, 7),
    };
    return 0;
}

int store_get_state(struct store *store, const char *name, int64_t *ret, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int found;

    if (!conn || query_begin(&q, conn, STATEMENT_GET_STATE,
                     "SELECT value FROM state WHERE name = ?1", "reading a number", err) < 0)
        return -1;
    query_bind_text(&q, 1, slice_of(name));
    found = query_step(&q, err);
    if (found < 0)
        return -1;
    *ret = found ? query_int(&q, 0) : 0;
    return 0;
}

int store_set_state(struct store *store, const char *name, int64_t value, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_SET_STATE,
                     "INSERT INTO state (name, value) VALUES (?1, ?2)"
                     " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     "keeping a number", err) < 0)
        return -1;
    query_bind_text(&q, 1, slice_of(name));
    query_bind_int(&q, 2, value);
    return query_run(&q, err);
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

int conn_check(struct conn *conn, struct err *err)
{
    if (check_with(conn, "PRAGMA integrity_check(1)", "ok", err) < 0)
        return -1;
    return check_with(conn, "PRAGMA foreign_key_check", NULL, err);
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
        result = conn_check(&conn, err);
    conn_close(&conn);
    return result;
}
