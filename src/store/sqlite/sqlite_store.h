/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the SQLite store, for the files of this folder only (they are the one wrapper of
 * <sqlite3.h>).
 *
 *     DATA/careen.db   the facts; beside it SQLite's own careen.db-wal and careen.db-shm
 *     DATA/writer      who is writing: an uncommitted transaction is invisible to others
 *
 * Two connections, so that reads run beside a write (WAL): `reading` is shared under its lock,
 * `writing` belongs to the thread that holds the turn, from begin to commit or rollback. A read by
 * that thread goes to `writing`, and so sees what it has written.
 *
 * Statements are prepared when first used and live as long as their connection. Each has a slot in
 * enum statement; its SQL stands where it is used.
 */
#ifndef CAREEN_STORE_SQLITE_STORE_H
#define CAREEN_STORE_SQLITE_STORE_H

#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/map.h"

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_ADD_PROJECT,
    STATEMENT_REVOKE_PROJECT,
    STATEMENT_EACH_PROJECT,
    STATEMENT_ADD_TOKEN,
    STATEMENT_REVOKE_TOKEN,
    STATEMENT_EACH_TOKEN,
    STATEMENT_ADD_USER,
    STATEMENT_UPDATE_USER,
    STATEMENT_EACH_USER,
    STATEMENT_ADD_KEY,
    STATEMENT_REVOKE_KEY,
    STATEMENT_EACH_KEY,
    STATEMENT_PUT_GRANT,
    STATEMENT_REMOVE_GRANT,
    STATEMENT_EACH_GRANT,
    STATEMENT_FIND_NAME,
    STATEMENT_ADD_NAME,
    STATEMENT_EACH_NAME,
    STATEMENT_FIND_PACKAGE,
    STATEMENT_ADD_PACKAGE,
    STATEMENT_GET_PACKAGE,
    STATEMENT_FIND_RECORD,
    STATEMENT_ADD_RECORD,
    STATEMENT_GET_RECORD,
    STATEMENT_EACH_RECORD,
    STATEMENT_FIND_CLAIM,
    STATEMENT_CLAIM_KNOWN,
    STATEMENT_ADD_CLAIM,
    STATEMENT_EACH_CLAIM,
    STATEMENT_ADD_IMAGE,
    STATEMENT_UPDATE_IMAGE,
    STATEMENT_REMOVE_IMAGE,
    STATEMENT_REMOVE_SLOTS,
    STATEMENT_LATEST_OF_LINE,
    STATEMENT_NEWEST_OF_LINE,
    STATEMENT_PUT_SLOT,
    STATEMENT_GET_IMAGE,
    STATEMENT_FIND_IMAGE,
    STATEMENT_GET_SLOTS,
    STATEMENT_EACH_IMAGE,
    STATEMENT_EACH_IMAGE_CLAIMS,
    STATEMENT_ADD_DECISION,
    STATEMENT_GET_DECISION,
    STATEMENT_EACH_DECISION,
    STATEMENT_EACH_DECISION_IN_FORCE,
    STATEMENT_END_DECISION,
    STATEMENT_DECISION_OUTCOME,
    STATEMENT_MOVE_DECISION,
    STATEMENT_DROP_SCANNED,
    STATEMENT_ADD_CAUSE,
    STATEMENT_EACH_CAUSE,
    STATEMENT_LOG_BOUNDS,
    STATEMENT_TRIM_LOG,
    STATEMENT_SET_TRIMMED,
    STATEMENT_GET_STATE,
    STATEMENT_SET_STATE,
    STATEMENT_COLLECTED,
    STATEMENT_MARK_BOUNDS,
    STATEMENT_MARK_SLOTS,
    STATEMENT_MARK_CLAIMS,
    STATEMENT_MARK_RECORDS,
    STATEMENT_MARK_DECISIONS,
    STATEMENT_MARK_CAUSES,
    STATEMENT_MARK_IMAGE,
    STATEMENT_FIND_CLAIMS, /* this and the next three, in the order of collect.c */
    STATEMENT_FIND_PACKAGES,
    STATEMENT_FIND_RECORDS,
    STATEMENT_FIND_NAMES,
    STATEMENT_DROP_CLAIM, /* likewise */
    STATEMENT_DROP_PACKAGE,
    STATEMENT_DROP_RECORD,
    STATEMENT_DROP_NAME,
    STATEMENT_DATA_VERSION,
    STATEMENT_EACH_OBJECT,
    STATEMENT_STATS,
    STATEMENT_COUNT
};

struct conn {
    struct store *store;
    sqlite3 *db; /* NULL: not open */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

enum { CONTENT_KEY_BYTES = 16, HOLDER_WHO_BYTES = 128 };

/* Content keys to ids, bounded (cache.c). */
struct id_cache {
    struct map map;
    struct cached_id *at;
    size_t count, cap;
    size_t kept; /* entries before this one were there before the open write began */
};

/* Who writes, for those who wait. */
struct holder {
    char who[HOLDER_WHO_BYTES];
    int64_t pid;
    int64_t since_ms;
};

struct store {
    char *dir, *file, *wal; /* owned */
    enum store_mode mode;
    bool immutable; /* read-only medium, no journal: SQLite takes no locks */
    dev_t device;   /* of the file that is open: another one may come to stand at its path */
    ino_t inode;

    pthread_mutex_t reading_lock;
    struct conn reading;

    pthread_mutex_t turn_lock; /* guards taken and holder */
    pthread_cond_t turn_over;
    bool taken;
    struct holder holder;
    int note_fd;             /* DATA/writer; -1 when not open */
    _Atomic uintptr_t owner; /* the thread whose write is open; 0: none */

    /* Only for the thread that has the turn: */
    struct conn writing;
    int64_t busy_until_us; /* monotonic: when waiting for other processes ends */
    struct err failed;     /* why SQLite undid the open write by itself; ERR_NONE: it did not */
    struct id_cache cache;
    int64_t collected;  /* the number COLLECTING_WRITES that the cache is of */
    struct buf scratch; /* content being keyed or encoded */
    struct ids scratch_ids;
};

/* --- open.c ----------------------------------------------------------------------------------- */

uint64_t file_bytes(const char *path); /* 0 when there is none */

/* --- conn.c: connections and statements ------------------------------------------------------- */

/* Opens `name` (path or URI) with `flags` and sets the options of every connection. */
int conn_open(struct conn *conn, struct store *store, const char *name, int flags, struct err *err);
void conn_close(struct conn *conn); /* accepts one that is not open */
/* Runs a script without parameters or rows. */
int conn_exec(struct conn *conn, const char *sql, const char *doing, struct err *err);
/* The one integer that a statement gives. */
int conn_get_int(struct conn *conn, const char *sql, int64_t *ret, struct err *err);
/* The one place where SQLite's codes become ours. `doing` completes "FILE: <doing>: ...". -1. */
int conn_fail(struct conn *conn, int code, const char *doing, struct err *err);

/* stats.c: ERR_CORRUPT with the first thing that is not sound. Reads every page. */
int conn_check(struct conn *conn, struct err *err);

/* A statement being run: bind by position (from 1), step, read columns (from 0). Bindings are not
 * copied: they must live until query_end. A failed binding surfaces in query_step; a column that
 * holds what we never write sets `damaged`, which query_check reports. */
struct query {
    struct conn *conn;
    sqlite3_stmt *stmt;
    const char *doing;
    int bind_code;
    bool damaged;
};

int query_begin(struct query *q, struct conn *conn, enum statement which, const char *sql,
    const char *doing, struct err *err);
void query_end(struct query *q); /* for CLEANUP; accepts a zeroed one */
void query_bind_int(struct query *q, int at, int64_t value);
void query_bind_text(struct query *q, int at, struct slice text);
void query_bind_blob(struct query *q, int at, struct slice bytes);
/* 1 a row, 0 the end, -1 with *err. */
int query_step(struct query *q, struct err *err);
/* For statements without rows. */
int query_run(struct query *q, struct err *err);

int64_t query_int(struct query *q, int column);
uint32_t query_id(struct query *q, int column);         /* 0 .. UINT32_MAX - 1 */
int query_enum(struct query *q, int column, int count); /* 0 .. count - 1 */
struct slice query_text(struct query *q, int column);   /* until the next step */
struct slice query_blob(struct query *q, int column);   /* likewise */
/* The most members a stored list may have when it is read. Not the limits of base/limits.h, which
 * hold for what is written: those may be lowered, and what was stored before must stay readable.
 * Memory is bounded by the blob: a member takes a byte at least. */
enum { STORED_IDS_MAX = 1 << 24 };

/* A column that is one list of ids (codec/idlist.h), replacing *ret. */
int query_ids(struct query *q, int column, struct ids *ret, struct err *err);
/* -1 with ERR_CORRUPT when a column read so far was damaged. */
int query_check(const struct query *q, struct err *err);

/* --- write.c: whose turn it is ---------------------------------------------------------------- */

/* The connection for a read: the writing one for the thread that holds the write, else the reading
 * one, locked. NULL with *err. */
struct conn *store_read_conn(struct store *store, struct err *err);
void store_read_end(struct conn **conn); /* for CLEANUP; accepts NULL */
/* The connection for a verb within a write: BUG when this thread has none open; NULL with *err when
 * SQLite has undone the write meanwhile. */
struct conn *store_write_conn(struct store *store, struct err *err);
int busy_handler(void *store, int calls);

/* --- schema.c --------------------------------------------------------------------------------- */

/* Refuses the file of another program, or of a newer careen, without changing anything. */
int schema_refuse_foreign(struct conn *conn, struct err *err);
/* Checks whose database it is and of which version; with STORE_CREATE and STORE_WRITE makes or
 * migrates it, in one transaction. */
int schema_prepare(struct conn *conn, enum store_mode mode, struct err *err);
uint32_t schema_version(void);
/* Runs the scripts that lead from version `from` to `to` (0: nothing is there; at most
 * schema_version()), in the transaction of the caller. */
int schema_make(struct conn *conn, int64_t from, int64_t to, struct err *err);
/* Is the open file still the one at its path? What is written to a file that was removed is lost,
 * so ERR_CORRUPT then. */
int store_check_file(const struct store *store, struct err *err);
/* "there is no store in DIR: ...". -1. */
int store_missing(const char *dir, struct err *err);

/* --- schema_check.c --------------------------------------------------------------------------- */

/* Does the database hold exactly the tables and indexes that the scripts up to its version, and
 * then `more` (NULL: nothing), make? ERR_CORRUPT names the first object that is too much, missing
 * or different. Its version must be known here: see schema_refuse_foreign. */
int schema_check(struct conn *conn, const char *more, struct err *err);

/* --- image_row.c: an image as a row ----------------------------------------------------------- */

/* The columns of an image in the order that image_row_read expects; the table goes by the name i.
 */
#define IMAGE_COLUMNS                                                                              \
    "i.number, i.project, i.id, i.latest, i.assessment, i.type, i.enterprise_project,"             \
    " i.registry_type, i.registry_name, i.organization, i.cluster_id, i.cluster_name, i.agent_id," \
    " i.pipeline, i.containers, i.multi_arch, i.name, i.tag, i.digest, i.config_digest,"           \
    " i.os_release, i.architecture, i.size_bytes, i.first_seen_ms, i.latest_scan_ms, i.updated_ms"
enum { IMAGE_COLUMN_COUNT = 26, PACKED_TEXT_BYTES = 80, PACKED_BYTES = 32 };

/* Where packed texts are unpacked to; the image's slices point into it. */
struct image_row {
    char digest[PACKED_TEXT_BYTES], config_digest[PACKED_TEXT_BYTES];
};
int image_row_read(struct query *q, struct image_row *row, struct image *ret, struct err *err);

/* Binds the line to 1 and every column but the number to 2 and up, in the order above. */
enum { IMAGE_BINDINGS = 26 };
struct image_binding {
    unsigned char id[PACKED_BYTES], digest[PACKED_BYTES], config_digest[PACKED_BYTES];
};
void image_row_bind(struct query *q, struct image_binding *binding, const struct image *image,
    const unsigned char line[16]);
/* Binds a UUID or digest: packed where it has the usual form, else as text. */
void bind_packed(struct query *q, int at, struct slice text, unsigned char packed[PACKED_BYTES]);

/* --- slot.c ----------------------------------------------------------------------------------- */

enum { SLOT_KEYS = 16 }; /* slot.key = image * SLOT_KEYS + source */
/* complete, scanned_ms, packages, claims, from `column`; all NULL: the slot is absent. */
int slot_read(struct query *q, int column, struct slot *ret, struct err *err);
int remove_slots(struct conn *conn, uint32_t image, struct err *err);

/* --- collect.c -------------------------------------------------------------------------------- */

/* The number of the state that every write raises that drops what is stored once. */
#define COLLECTING_WRITES "collecting_writes"

/* --- cache.c ---------------------------------------------------------------------------------- */

uint32_t id_cache_find(const struct id_cache *cache, const unsigned char key[CONTENT_KEY_BYTES]);
void id_cache_add(struct id_cache *cache, const unsigned char key[CONTENT_KEY_BYTES], uint32_t id);
void id_cache_keep(struct id_cache *cache);   /* the write was committed */
void id_cache_forget(struct id_cache *cache); /* it was undone */
void id_cache_release(struct id_cache *cache);

/* How many rows one statement of a long walk reads before it lets others pass. */
enum { WALK_ROWS = 8192 };

#endif
