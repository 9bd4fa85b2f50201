/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to write. Threads of this process wait for the turn on a condition, other
 * processes for SQLite's write lock in BEGIN IMMEDIATE; both together at most LIMIT_WRITER_WAIT_MS.
 *
 * The holder's name is kept in memory for threads, and in DATA/writer for processes, as three lines
 * (who, pid, since) padded to a fixed size, so that one pwrite replaces it whole. The note is only
 * for the message of those who gave up: it is not synced, and a crash leaves it stale, which is
 * harmless because it is read only while somebody holds the lock, and checked against the processes
 * that live.
 */
#include "store/sqlite/sqlite_store.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/clock.h"

enum { NOTE_BYTES = 256, BUSY_SLEEP_US = 2000 };

static uintptr_t this_thread(void)
{
    return (uintptr_t)pthread_self();
}

static bool holds_write(struct store *store)
{
    return atomic_load(&store->owner) == this_thread();
}

int busy_handler(void *context, int calls)
{
    struct store *store = context;

    (void)calls;
    if (clock_monotonic_us() >= store->busy_until_us)
        return 0;
    usleep(BUSY_SLEEP_US);
    return 1;
}

/* --- The holder ------------------------------------------------------------------------------- */

static void holder_set(struct holder *holder, const char *who)
{
    snprintf(holder->who, sizeof(holder->who), "%s", who);
    for (char *c = holder->who; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    holder->pid = getpid();
    holder->since_ms = clock_now_ms();
}

/* holder NULL: nobody. A note that cannot be written costs a name in a message, no more. */
static void note_write(const struct store *store, const struct holder *holder)
{
    char note[NOTE_BYTES];
    int len = holder ? snprintf(note, sizeof(note), "%s\n%lld\n%lld\n", holder->who,
                           (long long)holder->pid, (long long)holder->since_ms)
                     : 0;

    memset(note + len, '\n', sizeof(note) - (size_t)len);
    if (pwrite(store->note_fd, note, sizeof(note), 0) < 0)
        return;
}

static bool note_read(const struct store *store, struct holder *ret)
{
    char note[NOTE_BYTES];
    ssize_t len = pread(store->note_fd, note, sizeof(note), 0);
    struct slice rest = {note, len > 0 ? (size_t)len : 0}, who = slice_pull_until(&rest, '\n');

    return slice_to_cstr(who, ret->who, sizeof(ret->who)) && who.len > 0 &&
           slice_to_i64(slice_pull_until(&rest, '\n'), &ret->pid) &&
           slice_to_i64(slice_pull_until(&rest, '\n'), &ret->since_ms) && ret->pid > 0 &&
           (kill((pid_t)ret->pid, 0) == 0 || errno != ESRCH);
}

static int fail_busy(const struct holder *holder, struct err *err)
{
    char since[CLOCK_TEXT_BYTES];

    return err_set(err, ERR_BUSY, "the store is being written by %s (pid %lld) since %s; try again",
        holder->who, (long long)holder->pid, clock_format(holder->since_ms, since));
}

static int fail_busy_elsewhere(const struct store *store, struct err *err)
{
    struct holder holder;

    if (note_read(store, &holder))
        return fail_busy(&holder, err);
    return err_set(err, ERR_BUSY, "the store in %s is being written by another program; try again",
        store->dir);
}

/* --- The turn --------------------------------------------------------------------------------- */

static int take_turn(struct store *store, const char *who, int64_t until_us, struct err *err)
{
    struct timespec until = {
        .tv_sec = until_us / 1000000, .tv_nsec = (long)(until_us % 1000000) * 1000};
    int waited = 0, result = 0;

    BUG_ON(pthread_mutex_lock(&store->turn_lock) != 0);
    while (store->taken && waited == 0)
        waited = pthread_cond_timedwait(&store->turn_over, &store->turn_lock, &until);
    if (store->taken) {
        result = fail_busy(&store->holder, err);
    } else {
        store->taken = true;
        holder_set(&store->holder, who);
    }
    pthread_mutex_unlock(&store->turn_lock);
    return result;
}

static void give_turn(struct store *store)
{
    pthread_mutex_lock(&store->turn_lock);
    store->taken = false;
    pthread_cond_signal(&store->turn_over);
    pthread_mutex_unlock(&store->turn_lock);
}

static int run_plain(
    struct store *store, enum statement which, const char *sql, const char *doing, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, &store->writing, which, sql, doing, err) < 0)
        return -1;
    return query_run(&q, err);
}

/* Whoever has collected since, here or in another process: the cache may hold ids of theirs. */
static int check_cache(struct store *store, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int64_t collected;

    if (query_begin(&q, &store->writing, STATEMENT_COLLECTED,
            "SELECT ifnull((SELECT value FROM state WHERE name = '" COLLECTING_WRITES "'), 0)",
            "beginning a write", err) < 0 ||
        query_step(&q, err) < 0)
        return -1;
    collected = query_int(&q, 0);
    if (collected != store->collected)
        id_cache_release(&store->cache);
    store->collected = collected;
    return 0;
}

static int begin(struct store *store, struct err *err)
{
    if (run_plain(store, STATEMENT_BEGIN, "BEGIN IMMEDIATE", "beginning a write", err) < 0)
        return -1;
    if (check_cache(store, err) == 0)
        return 0;
    sqlite3_exec(store->writing.db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

int store_begin(struct store *store, const char *who, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LIMIT_WRITER_WAIT_MS * 1000L;
    struct err why;

    BUG_ON(holds_write(store));
    if (store->mode == STORE_READ)
        return err_set(err, ERR_DENIED, "the store in %s is open for reading only", store->dir);
    if (store_check_file(store, err) < 0 || take_turn(store, who, until_us, err) < 0)
        return -1;
    store->busy_until_us = until_us;
    if (begin(store, &why) < 0) {
        if (why.code == ERR_BUSY)
            fail_busy_elsewhere(store, err);
        else
            *err = why;
        give_turn(store);
        return -1;
    }
    store->failed = (struct err){0};
    note_write(store, &store->holder);
    atomic_store(&store->owner, this_thread());
    return 0;
}

static void end_write(struct store *store)
{
    atomic_store(&store->owner, 0);
    note_write(store, NULL);
    give_turn(store);
}

void store_rollback(struct store *store)
{
    struct err
        ignored; /* a rollback that fails has happened: SQLite drops what was not committed */

    if (!holds_write(store))
        return;
    if (!sqlite3_get_autocommit(store->writing.db))
        run_plain(store, STATEMENT_ROLLBACK, "ROLLBACK", "undoing a write", &ignored);
    id_cache_forget(&store->cache);
    end_write(store);
}

int store_commit(struct store *store, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);

    if (!conn || run_plain(store, STATEMENT_COMMIT, "COMMIT", "committing a write", err) < 0) {
        store_rollback(store);
        return -1;
    }
    id_cache_keep(&store->cache);
    end_write(store);
    return 0;
}

struct conn *store_write_conn(struct store *store, struct err *err)
{
    BUG_ON(!holds_write(store));
    if (store->failed.code == ERR_NONE)
        return &store->writing;
    *err = store->failed;
    return NULL;
}

/* --- Reading ---------------------------------------------------------------------------------- */

struct conn *store_read_conn(struct store *store, struct err *err)
{
    if (holds_write(store))
        return store_write_conn(store, err);
    if (store->immutable && file_bytes(store->wal) > 0) {
        err_set(err, ERR_BUSY,
            "the store in %s was opened as read-only and is being written now; open it again",
            store->dir);
        return NULL;
    }
    BUG_ON(pthread_mutex_lock(&store->reading_lock) != 0);
    return &store->reading;
}

void store_read_end(struct conn **conn)
{
    if (*conn && *conn == &(*conn)->store->reading)
        pthread_mutex_unlock(&(*conn)->store->reading_lock);
}

void store_release_cache(struct store *store)
{
    struct err no_matter;
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, &no_matter);

    if (conn)
        (void)sqlite3_db_release_memory(conn->db);
}
