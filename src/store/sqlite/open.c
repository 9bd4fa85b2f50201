/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing a store: the folder, its files, and the two connections.
 *
 * Reading from a folder that cannot be written. SQLite in WAL mode wants to write even to read: it
 * keeps its locks in careen.db-shm. Where the folder cannot be written and no journal has content,
 * nobody changes the file, and it is opened as immutable, without locks; should a journal appear
 * later (a read-only mount of a folder that is alive elsewhere), reads fail with ERR_BUSY rather
 * than see torn pages. Where a journal has content, its facts are part of the store: SQLite reads
 * them if careen.db-shm is there too, and else the store is refused, for it would lack its newest
 * facts.
 */
#include "store/sqlite/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/query_string.h"

/* 4 kB a page: new packages land all over the index of their keys, and each dirties a page that is
 * written whole, twice. A row of slot with 200 packages and 100 claims takes some 700 bytes, so
 * even small pages waste under a tenth. */
static const char creation_options[] = "PRAGMA page_size = 4096;";
/* 16 MB of journal before it is copied back: pages that many writes touch are copied once. It may
 * grow beyond while a reader is slow, and is cut back at the next checkpoint. */
static const char writing_options[] = "PRAGMA wal_autocheckpoint = 4096;"
                                      "PRAGMA journal_size_limit = 67108864;";

enum { SCRATCH_BYTES = 16 << 20, URI_BYTES = 16 << 10 };

uint64_t file_bytes(const char *path)
{
    struct stat file;

    return stat(path, &file) < 0 ? 0 : (uint64_t)file.st_size;
}

static char *join(const char *dir, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static void init_locks(struct store *store)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;

    /* Error-checking, so that a callback that calls the store is a BUG and not a deadlock. */
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_settype(&mutex, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&store->reading_lock, &mutex);
    pthread_mutex_init(&store->turn_lock, &mutex);
    pthread_mutexattr_destroy(&mutex);
    pthread_condattr_init(&cond);
    pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
    pthread_cond_init(&store->turn_over, &cond);
    pthread_condattr_destroy(&cond);
}

static struct store *store_new(const char *data_dir, enum store_mode mode, struct err *err)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store) {
        err_nomem(err);
        return NULL;
    }
    init_locks(store);
    store->mode = mode;
    store->note_fd = -1;
    store->scratch = (struct buf)BUF_INIT(SCRATCH_BYTES);
    store->dir = strdup(data_dir);
    store->file = join(data_dir, "careen.db");
    store->wal = join(data_dir, "careen.db-wal");
    if (!store->dir || !store->file || !store->wal) {
        store_close(store);
        err_nomem(err);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    conn_close(&store->writing); /* undoes an open write */
    conn_close(&store->reading);
    if (store->note_fd >= 0)
        close(store->note_fd);
    id_cache_release(&store->cache);
    buf_release(&store->scratch);
    ids_release(&store->scratch_ids);
    pthread_mutex_destroy(&store->reading_lock);
    pthread_mutex_destroy(&store->turn_lock);
    pthread_cond_destroy(&store->turn_over);
    free(store->dir);
    free(store->file);
    free(store->wal);
    free(store);
}

/* Makes the folder and an empty file, for their modes: SQLite would make the file readable by all,
 * and gives its journals the mode of the file. O_EXCL: closing another descriptor of a file that a
 * connection of this process has open would drop that connection's locks. */
static int make_files(struct store *store, struct err *err)
{
    int fd;

    if (mkdir(store->dir, 0700) < 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make the data folder %s", store->dir);
    fd = open(store->file, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return err_set_errno(err, "cannot make %s", store->file);
    return 0;
}

static int check_files(const struct store *store, struct err *err)
{
    struct stat file;

    if (stat(store->file, &file) < 0) {
        if (errno == ENOENT)
            return store_missing(store->dir, err);
        return err_set_errno(err, "cannot open %s", store->file);
    }
    if (!S_ISREG(file.st_mode))
        return err_set(err, ERR_CORRUPT, "%s is not a file: name another data folder", store->file);
    return 0;
}

/* Changing the journal takes an exclusive lock, which SQLite does not wait for. */
static int set_wal(struct conn *conn, int64_t until_us, struct err *err)
{
    for (;;) {
        sqlite3_stmt *stmt = NULL;
        int code = sqlite3_prepare_v2(conn->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
        bool is_wal = false;

        if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
            is_wal = strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
        sqlite3_finalize(stmt);
        if (code == SQLITE_ROW && is_wal)
            return 0;
        if (code == SQLITE_ROW)
            return err_set(err, ERR_UNSUPPORTED,
                "%s: the file system cannot share memory between processes; "
                "put the data folder on a local disk",
                conn->store->file);
        if ((code & 0xff) != SQLITE_BUSY || clock_monotonic_us() > until_us)
            return conn_fail(conn, code, "opening the store", err);
        usleep(5000);
    }
}

static int open_note(struct store *store, struct err *err)
{
    char *path CLEANUP(cleanup_free) = join(store->dir, "writer");

    if (!path)
        return err_nomem(err);
    store->note_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    return store->note_fd >= 0 ? 0 : err_set_errno(err, "cannot open %s", path);
}

static int refuse_read_only(const struct store *store, struct err *err)
{
    if (eaccess(store->dir, W_OK | X_OK) < 0)
        return err_set_errno(err, "cannot write in the data folder %s", store->dir);
    if (eaccess(store->file, R_OK | W_OK) < 0)
        return err_set_errno(err, "cannot write %s", store->file);
    return 0;
}

static int open_writable(struct store *store, struct err *err)
{
    struct conn *writing = &store->writing;

    store->busy_until_us = clock_monotonic_us() + LIMIT_WRITER_WAIT_MS * 1000L;
    if (refuse_read_only(store, err) < 0 ||
        conn_open(writing, store, store->file, SQLITE_OPEN_READWRITE, err) < 0)
        return -1;
    sqlite3_busy_handler(writing->db, busy_handler, store);
    /* The journal's mode is in the file: whose file it is must be known before that is set. */
    if (conn_exec(writing, creation_options, "opening the store", err) < 0 ||
        schema_refuse_foreign(writing, err) < 0 ||
        set_wal(writing, store->busy_until_us, err) < 0 ||
        conn_exec(writing, writing_options, "opening the store", err) < 0 ||
        schema_prepare(writing, store->mode, err) < 0 || open_note(store, err) < 0)
        return -1;
    if (conn_open(&store->reading, store, store->file, SQLITE_OPEN_READWRITE, err) < 0)
        return -1;
    return conn_exec(&store->reading, "PRAGMA query_only = ON", "opening the store", err);
}

static bool has_shm(const struct store *store)
{
    char *path CLEANUP(cleanup_free) = join(store->dir, "careen.db-shm");

    return path && access(path, R_OK) == 0;
}

static int open_immutable(struct store *store, struct err *err)
{
    struct buf uri CLEANUP(buf_release) = BUF_INIT(URI_BYTES);

    buf_put_cstr(&uri, "file:");
    percent_encode(&uri, slice_of(store->file));
    buf_put_cstr(&uri, "?immutable=1");
    if (buf_check(&uri, "the path of the store", err) < 0)
        return -1;
    store->immutable = true;
    return conn_open(&store->reading, store, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

static int open_readable(struct store *store, struct err *err)
{
    bool writable = eaccess(store->dir, W_OK | X_OK) == 0;
    int result;

    if (!writable && file_bytes(store->wal) == 0)
        result = open_immutable(store, err);
    else if (!writable && !has_shm(store))
        return err_set(err, ERR_DENIED,
            "%s cannot be written, and %s holds facts that are not in careen.db yet; "
            "open the store once where it can be written, or copy the folder",
            store->dir, store->wal);
    else
        result = conn_open(&store->reading, store, store->file, SQLITE_OPEN_READONLY, err);
    return result < 0 ? -1 : schema_prepare(&store->reading, STORE_READ, err);
}

static int note_file(struct store *store, struct err *err)
{
    struct stat status;

    if (stat(store->file, &status) < 0)
        return err_set_errno(err, "cannot look at %s", store->file);
    store->device = status.st_dev;
    store->inode = status.st_ino;
    return 0;
}

int store_check_file(const struct store *store, struct err *err)
{
    struct stat status;

    if (stat(store->file, &status) == 0 && status.st_dev == store->device &&
        status.st_ino == store->inode)
        return 0;
    return err_set(err, ERR_CORRUPT,
        "%s has been removed or replaced while it was open; nothing is written any more: put it "
        "back, or start again",
        store->file);
}

struct store *store_open(const char *data_dir, enum store_mode mode, struct err *err)
{
    struct store *store = store_new(data_dir, mode, err);
    int result;

    if (!store)
        return NULL;
    result = mode == STORE_CREATE ? make_files(store, err) : 0;
    if (result == 0)
        result = check_files(store, err);
    if (result == 0)
        result = mode == STORE_READ ? open_readable(store, err) : open_writable(store, err);
    if (result == 0)
        result = note_file(store, err);
    if (result == 0)
        return store;
    store_close(store);
    return NULL;
}
