/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backup and restore. A backup is the database as one reading transaction sees it, written anew
 * without its free pages (VACUUM INTO), with one more table:
 *
 *     backup (name TEXT, value BLOB)     "secret.key": what the key file holds
 *
 * so a backup is one file, which SQLite's own tools can check. Restoring takes the table out again.
 *
 * Both make their file under another name beside the final one, sync it, and only then give it the
 * name, which never replaces a file: whoever sees the name sees all of it, and an interrupted run
 * leaves nothing but the other name.
 */
#include "store/sqlite/sqlite_store.h"

#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20, KEY_MAX_BYTES = 4096, MAGIC_BYTES = 16 };

static const char key_name[] = "secret.key";
static const char backup_table[] =
    "CREATE TABLE backup (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID";

/* --- Files that appear whole ------------------------------------------------------------------ */

/* Makes an empty file of mode 0600 beside `file`; its name into *ret, on the heap. The descriptor,
 * or -1. */
static int make_beside(const char *file, char **ret, struct err *err)
{
    char *path = NULL;
    int fd;

    if (asprintf(&path, "%s.XXXXXX", file) < 0)
        return err_nomem(err);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, "cannot make a file beside %s", file);
        free(path);
        return -1;
    }
    *ret = path;
    return fd;
}

static int sync_path(const char *path, int flags, struct err *err)
{
    int fd CLEANUP(cleanup_fd) = open(path, flags | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return err_set_errno(err, "cannot sync %s", path);
    return 0;
}

static int sync_folder_of(const char *file, struct err *err)
{
    const char *slash = strrchr(file, '/');
    char *dir CLEANUP(cleanup_free) = NULL;

    dir = !slash          ? strdup(".")
          : slash == file ? strdup("/")
                          : strndup(file, (size_t)(slash - file));
    return dir ? sync_path(dir, O_RDONLY | O_DIRECTORY, err) : err_nomem(err);
}

static int exists(const char *file, struct err *err)
{
    return err_set(
        err, ERR_CONFLICT, "%s exists already, and nothing is replaced: name another", file);
}

/* Gives the synced file its final name. A file system that cannot rename without replacing can
 * link. */
static int appear(const char *fresh, const char *file, struct err *err)
{
    int result = renameat2(AT_FDCWD, fresh, AT_FDCWD, file, RENAME_NOREPLACE);

    if (result < 0 && (errno == EINVAL || errno == ENOSYS)) {
        result = link(fresh, file);
        if (result == 0)
            unlink(fresh);
    }
    if (result < 0)
        return errno == EEXIST ? exists(file, err) : err_set_errno(err, "cannot make %s", file);
    return sync_folder_of(file, err);
}

/* A connection to a file that is not the store's; `shown` is its name in messages. */
struct other {
    struct store store;
    struct conn conn;
};

static int other_open(struct other *other, const char *path, char *shown, struct err *err)
{
    *other = (struct other){.store = {.file = shown}};
    if (conn_open(&other->conn, &other->store, path, SQLITE_OPEN_READWRITE, err) < 0)
        return -1;
    /* No journal of its own in the folder: if this fails, the file is thrown away. A file that was
     * copied from a live store is in WAL mode, which must be left first. */
    return conn_exec(&other->conn, "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = MEMORY",
        "preparing the copy", err);
}

static void other_close(struct other *other)
{
    conn_close(&other->conn);
}

/* --- Backup ----------------------------------------------------------------------------------- */

static int vacuum_into(struct conn *conn, const char *path, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(conn->db, "VACUUM INTO ?1", -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code != SQLITE_DONE)
        conn_fail(conn, code, "copying the store", err);
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : -1;
}

/* On a connection of its own: reads of others go on meanwhile. */
static int copy_store(struct store *store, const char *path, struct err *err)
{
    struct conn conn = {0};
    int result;

    if (store->immutable) {
        struct conn *shared CLEANUP(store_read_end) = store_read_conn(store, err);

        return shared ? vacuum_into(shared, path, err) : -1;
    }
    result = conn_open(&conn, store, store->file,
        store->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err);
    if (result == 0)
        result = vacuum_into(&conn, path, err);
    conn_close(&conn);
    return result;
}

static int insert_key(struct conn *conn, struct slice key, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(conn->db, "INSERT INTO backup VALUES (?1, ?2)", -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, key_name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob64(stmt, 2, key.ptr, key.len, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code != SQLITE_DONE)
        conn_fail(conn, code, "adding the key", err);
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : -1;
}

static int add_key(char *path, struct slice key, struct err *err)
{
    struct other other CLEANUP(other_close);

    if (other_open(&other, path, path, err) < 0 ||
        conn_exec(&other.conn, backup_table, "adding the key", err) < 0)
        return -1;
    return key.len ? insert_key(&other.conn, key, err) : 0;
}

int store_backup(struct store *store, const char *file, struct slice key, struct err *err)
{
    char *fresh CLEANUP(cleanup_free) = NULL;
    struct stat there;
    int fd, failed;

    if (key.len > KEY_MAX_BYTES)
        return err_set(
            err, ERR_LIMIT, "the key file has %zu bytes; the limit is %d", key.len, KEY_MAX_BYTES);
    if (lstat(file, &there) == 0)
        return exists(file, err);
    fd = make_beside(file, &fresh, err);
    if (fd < 0)
        return -1;
    close(fd);
    failed = copy_store(store, fresh, err) < 0 || add_key(fresh, key, err) < 0 ||
             sync_path(fresh, O_RDONLY, err) < 0;
    if (failed)
        err_prefix(err, "cannot write the backup %s", file);
    else
        failed = appear(fresh, file, err) < 0;
    if (failed)
        unlink(fresh);
    return failed ? -1 : 0;
}

/* --- Restore: what the file is ---------------------------------------------------------------- */

static int not_a_backup(const char *file, const char *why, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "%s is not a backup of Careen: %s", file, why);
}

/* Before anything is copied. The descriptor, or -1. */
static int open_backup(const char *file, struct err *err)
{
    static const char magic[MAGIC_BYTES] = "SQLite format 3";
    char *wal CLEANUP(cleanup_free) = NULL;
    char head[MAGIC_BYTES];
    struct stat status;
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* of a FIFO nobody may write into */

    if (fd < 0)
        return err_set_errno(err, "cannot read the backup %s", file);
    if (asprintf(&wal, "%s-wal", file) < 0) {
        wal = NULL;
        err_nomem(err);
    } else if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        not_a_backup(file, "it is not a file", err);
    } else if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
               memcmp(head, magic, sizeof(magic)) != 0) {
        not_a_backup(file, "it is not a database", err);
    } else if (file_bytes(wal) > 0) {
        err_set(err, ERR_CONFLICT,
            "%s is in use, or was: %s holds a part of it; make a backup with: careen backup FILE",
            file, wal);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

/* Is the copy a store, of a version that is known here, laid out as that version says, and sound?
 * Its tables are looked at before anything in them. */
static int check_copy(struct conn *conn, bool *ret_has_key_table, struct err *err)
{
    int64_t version, key_tables;
    struct err why = {0};

    if (conn_get_int(conn, "PRAGMA user_version", &version, err) < 0)
        return -1;
    if (version == 0)
        return not_a_backup(conn->store->file, "it is a database of something else", err);
    if (schema_refuse_foreign(conn, err) < 0 ||
        conn_get_int(conn, "SELECT count(*) FROM sqlite_schema WHERE name = 'backup'", &key_tables,
            err) < 0 ||
        schema_check(conn, key_tables ? backup_table : NULL, err) < 0)
        return -1;
    *ret_has_key_table = key_tables > 0;
    if (conn_check(conn, &why) == 0)
        return 0;
    return err_set(err, why.code == ERR_NONE ? ERR_CORRUPT : why.code,
        "the backup is not sound, and nothing was restored from it: %s", why.message);
}

/* What the table `backup` says into *ret; then the table goes, and the bytes of the key with it:
 * the pages that it leaves are written over. */
static int take_key(struct conn *conn, struct buf *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code =
        sqlite3_prepare_v2(conn->db, "SELECT value FROM backup WHERE name = ?1", -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, key_name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        buf_put(ret, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        conn_fail(conn, code, "reading the key", err);
    sqlite3_finalize(stmt);
    if ((code != SQLITE_ROW && code != SQLITE_DONE) || buf_check(ret, "the key", err) < 0)
        return -1;
    return conn_exec(
        conn, "PRAGMA secure_delete = ON; DROP TABLE backup", "taking the key out", err);
}

/* --- Restore: the folder ---------------------------------------------------------------------- */

/* A journal without its database is as bad as a store: SQLite would replay it into the new one. */
static int refuse_occupied(const char *data_dir, struct err *err)
{
    static const char *const names[] = {"careen.db", "careen.db-wal", "careen.db-journal"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char *path CLEANUP(cleanup_free) = NULL;
        struct stat there;

        if (asprintf(&path, "%s/%s", data_dir, names[i]) < 0) {
            path = NULL;
            return err_nomem(err);
        }
        if (lstat(path, &there) == 0)
            return err_set(err, ERR_CONFLICT,
                "%s holds a store already (%s); restore into another folder, or move it away",
                data_dir, names[i]);
    }
    return 0;
}

/* One that is there already must be nobody else's to write: others could put a database of theirs
 * in the place of the restored one, and `careen doctor` says so. */
static int make_folder(const char *data_dir, bool *ret_made, struct err *err)
{
    bool made = mkdir(data_dir, 0700) == 0;
    struct stat status;

    if (!made && errno != EEXIST)
        return err_set_errno(err, "cannot make the data folder %s", data_dir);
    if (stat(data_dir, &status) < 0)
        return err_set_errno(err, "cannot look at the data folder %s", data_dir);
    if (!made && status.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_CONFLICT,
            "%s: others may write to it (mode %04o), and nothing was restored: chmod 700 %s",
            data_dir, status.st_mode & 07777u, data_dir);
    *ret_made = made;
    return 0;
}

static int copy_bytes(int from, int to, const char *file, const char *path, struct err *err)
{
    char *piece CLEANUP(cleanup_free) = malloc(COPY_BYTES);

    if (!piece)
        return err_nomem(err);
    for (;;) {
        ssize_t got = read(from, piece, COPY_BYTES);

        if (got < 0)
            return err_set_errno(err, "cannot read the backup %s", file);
        if (got == 0)
            return 0;
        if (!write_all(to, (struct slice){piece, (size_t)got}))
            return err_set_errno(err, "cannot write %s", path);
    }
}

struct restoring {
    char *shown; /* the backup's name */
    char *path;  /* where the store is to be */
    char *fresh; /* where it is until then */
    struct buf key;
    store_backup_key_fn keep;
    void *ctx;
};

static int prepare_copy(struct restoring *r, struct err *err)
{
    struct other other CLEANUP(other_close);
    bool has_key_table = false;

    if (other_open(&other, r->fresh, r->shown, err) < 0 ||
        check_copy(&other.conn, &has_key_table, err) < 0)
        return -1;
    return has_key_table ? take_key(&other.conn, &r->key, err) : 0;
}

static int restore_from(struct restoring *r, int from, struct err *err)
{
    int to = make_beside(r->path, &r->fresh, err), failed;

    if (to < 0)
        return -1;
    failed = copy_bytes(from, to, r->shown, r->fresh, err);
    close(to);
    if (failed || prepare_copy(r, err) < 0 || sync_path(r->fresh, O_RDONLY, err) < 0 ||
        r->keep(r->ctx, buf_slice(&r->key), err) < 0)
        return -1;
    return appear(r->fresh, r->path, err);
}

static void restoring_release(struct restoring *r)
{
    if (r->key.data)
        explicit_bzero(r->key.data, r->key.cap);
    buf_release(&r->key);
    free(r->shown);
    free(r->path);
    free(r->fresh);
}

int store_restore(
    const char *file, const char *data_dir, store_backup_key_fn keep, void *ctx, struct err *err)
{
    struct restoring r CLEANUP(restoring_release) = {
        .shown = strdup(file), .key = BUF_INIT(KEY_MAX_BYTES), .keep = keep, .ctx = ctx};
    int fd CLEANUP(cleanup_fd) = -1;
    bool made = false;

    if (!r.shown || asprintf(&r.path, "%s/careen.db", data_dir) < 0) {
        r.path = NULL;
        return err_nomem(err);
    }
    fd = open_backup(file, err);
    if (fd < 0 || refuse_occupied(data_dir, err) < 0 || make_folder(data_dir, &made, err) < 0)
        return -1;
    if (restore_from(&r, fd, err) == 0)
        return 0;
    if (r.fresh)
        unlink(r.fresh);
    if (made)
        rmdir(data_dir);
    return -1;
}
