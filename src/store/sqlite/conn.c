/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections and prepared statements: the thin layer that every other file here speaks to SQLite
 * through, and the one place where SQLite's error codes become ours.
 */
#include "store/sqlite/sqlite_store.h"

#include <errno.h>

#include "base/bug.h"

/* Set on every connection. No mmap: with it a bad sector is a SIGBUS, without it an error. The
 * temporary store is memory because a read-only system may have nowhere else. The file may come
 * from outside, so nothing in its schema is trusted, and cells are checked before they are used. */
static const char connection_options[] = "PRAGMA foreign_keys = ON;"
                                         "PRAGMA synchronous = FULL;"
                                         "PRAGMA mmap_size = 0;"
                                         "PRAGMA cache_size = -32768;"
                                         "PRAGMA temp_store = MEMORY;"
                                         "PRAGMA trusted_schema = OFF;"
                                         "PRAGMA cell_size_check = ON;";

struct meaning {
    int sqlite; /* extended code where it has one here, else primary */
    enum err_code code;
    const char *remedy;
};

static const struct meaning meanings[] = {
    {SQLITE_CONSTRAINT_UNIQUE, ERR_CONFLICT, ""},
    {SQLITE_CONSTRAINT_PRIMARYKEY, ERR_CONFLICT, ""},
    {SQLITE_CONSTRAINT_FOREIGNKEY, ERR_INVALID, "; it refers to something that is not stored"},
    {SQLITE_CONSTRAINT_CHECK, ERR_LIMIT, "; there are no more ids of this kind"},
    {SQLITE_CONSTRAINT, ERR_INVALID, ""},
    {SQLITE_FULL, ERR_FULL, "; free space on its disk and try again"},
    /* Only a store that is being made has a journal to roll back: later it has a WAL. */
    {SQLITE_READONLY_ROLLBACK, ERR_NOT_FOUND,
        "; its making was cut short: run `careen import` or `careen serve` to complete it"},
    {SQLITE_READONLY, ERR_DENIED, "; check owner and mode of the data folder"},
    {SQLITE_CANTOPEN, ERR_DENIED, "; check owner and mode of the data folder"},
    {SQLITE_PERM, ERR_DENIED, "; check owner and mode of the data folder"},
    {SQLITE_AUTH, ERR_DENIED, "; check owner and mode of the data folder"},
    {SQLITE_CORRUPT, ERR_CORRUPT, "; restore a backup of the data folder"},
    {SQLITE_NOTADB, ERR_CORRUPT, "; restore a backup, or name another data folder"},
    {SQLITE_BUSY, ERR_BUSY, "; try again"},
    {SQLITE_LOCKED, ERR_BUSY, "; try again"},
    {SQLITE_NOMEM, ERR_NOMEM, ""},
    {SQLITE_TOOBIG, ERR_LIMIT, ""},
    {SQLITE_IOERR, ERR_IO, "; the system's log may say what its disk reports"},
};

static const struct meaning *meaning_of(int code)
{
    static const struct meaning unknown = {SQLITE_ERROR, ERR_IO, ""};

    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].sqlite == code)
            return &meanings[i];
    return code == (code & 0xff) ? &unknown : meaning_of(code & 0xff);
}

int conn_fail(struct conn *conn, int code, const char *doing, struct err *err)
{
    struct store *store = conn->store;
    const struct meaning *meaning;
    int number = conn->db ? sqlite3_system_errno(conn->db) : 0;

    if (conn->db && sqlite3_extended_errcode(conn->db) != SQLITE_OK)
        code = sqlite3_extended_errcode(conn->db);
    /* A failed sync or a shared-memory file that cannot grow is an I/O error to SQLite. */
    if ((code & 0xff) == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT))
        code = SQLITE_FULL;
    meaning = meaning_of(code);
    err_set(err, meaning->code, "%s: %s: %s%s", store->file, doing,
        conn->db ? sqlite3_errmsg(conn->db) : sqlite3_errstr(code), meaning->remedy);
    if (conn == &store->writing && conn->db && atomic_load(&store->owner) &&
        sqlite3_get_autocommit(conn->db))
        store->failed = *err;
    return -1;
}

int conn_open(struct conn *conn, struct store *store, const char *name, int flags, struct err *err)
{
    int code;

    *conn = (struct conn){.store = store};
    code = sqlite3_open_v2(name, &conn->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return conn_fail(conn, code, "opening the store", err);
    sqlite3_extended_result_codes(conn->db, 1);
    sqlite3_busy_timeout(conn->db, LIMIT_WRITER_WAIT_MS);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return conn_exec(conn, connection_options, "opening the store", err);
}

void conn_close(struct conn *conn)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(conn->statements[i]);
    sqlite3_close(conn->db);
    *conn = (struct conn){0};
}

int conn_exec(struct conn *conn, const char *sql, const char *doing, struct err *err)
{
    int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : conn_fail(conn, code, doing, err);
}

int conn_get_int(struct conn *conn, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(conn->db, sql, -1, &stmt, NULL);
    int64_t value = 0;

    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    if (code != SQLITE_ROW) {
        conn_fail(conn, code, "reading the store", err);
        sqlite3_finalize(stmt);
        return -1;
    }
    sqlite3_finalize(stmt);
    *ret = value;
    return 0;
}

int query_begin(struct query *q, struct conn *conn, enum statement which, const char *sql,
    const char *doing, struct err *err)
{
    sqlite3_stmt **slot = &conn->statements[which];
    int code;

    if (!*slot) {
        code = sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (code != SQLITE_OK)
            return conn_fail(conn, code, doing, err);
    }
    BUG_ON(sqlite3_stmt_busy(*slot));
    *q = (struct query){.conn = conn, .stmt = *slot, .doing = doing};
    return 0;
}

void query_end(struct query *q)
{
    if (!q->stmt)
        return;
    sqlite3_reset(q->stmt);
    sqlite3_clear_bindings(q->stmt);
    *q = (struct query){0};
}

static void bound(struct query *q, int code)
{
    if (q->bind_code == SQLITE_OK)
        q->bind_code = code;
}

void query_bind_int(struct query *q, int at, int64_t value)
{
    bound(q, sqlite3_bind_int64(q->stmt, at, value));
}

/* A null pointer would bind NULL: "" stands for it. */
void query_bind_text(struct query *q, int at, struct slice text)
{
    bound(q, sqlite3_bind_text64(
                 q->stmt, at, text.ptr ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void query_bind_blob(struct query *q, int at, struct slice bytes)
{
    bound(
        q, sqlite3_bind_blob64(q->stmt, at, bytes.ptr ? bytes.ptr : "", bytes.len, SQLITE_STATIC));
}

int query_step(struct query *q, struct err *err)
{
    int code = q->bind_code != SQLITE_OK ? q->bind_code : sqlite3_step(q->stmt);

    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : conn_fail(q->conn, code, q->doing, err);
}

int query_run(struct query *q, struct err *err)
{
    return query_step(q, err) < 0 ? -1 : 0;
}

int64_t query_int(struct query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

uint32_t query_id(struct query *q, int column)
{
    int64_t value = sqlite3_column_int64(q->stmt, column);

    if (value >= 0 && value < UINT32_MAX)
        return (uint32_t)value;
    q->damaged = true;
    return 0;
}

int query_enum(struct query *q, int column, int count)
{
    int64_t value = sqlite3_column_int64(q->stmt, column);

    if (value >= 0 && value < count)
        return (int)value;
    q->damaged = true;
    return 0;
}

struct slice query_text(struct query *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q->stmt, column);
    int len = sqlite3_column_bytes(q->stmt, column);

    return (struct slice){(const char *)text, len > 0 ? (size_t)len : 0};
}

struct slice query_blob(struct query *q, int column)
{
    const void *bytes = sqlite3_column_blob(q->stmt, column);
    int len = sqlite3_column_bytes(q->stmt, column);

    return (struct slice){bytes, len > 0 ? (size_t)len : 0};
}

int query_ids(struct query *q, int column, struct ids *ret, struct err *err)
{
    struct slice bytes = query_blob(q, column);

    if (idlist_decode(&bytes, STORED_IDS_MAX, ret, err) < 0)
        return err_prefix(err, "%s: %s", q->conn->store->file, q->doing);
    q->damaged |= bytes.len > 0;
    return query_check(q, err);
}

int query_check(const struct query *q, struct err *err)
{
    if (!q->damaged)
        return 0;
    return err_set(err, ERR_CORRUPT,
        "%s: %s: a stored value is outside what was ever written; restore a backup of the data "
        "folder",
        q->conn->store->file, q->doing);
}
