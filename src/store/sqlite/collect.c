/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting: what is stored once (intern.c) and referred to by nobody is dropped.
 *
 *     slot --> claim --> package             kinds are dropped from left to right, so that what is
 *      |         '-----> record --> name     dropped last is referred to by what was kept
 *      '--> package     decision -----^
 *
 * Marking reads everything that refers to a kind, in short reads beside which others write. They
 * may put to use what no mark has been set for: so each dropping write first marks what they have
 * referred to meanwhile. Those references are found by what is new: images by the change log; and
 * claims, records and decisions by their ids, for rows of these never change. From then to its
 * commit nobody else can write, so what has no mark then is referred to by nobody. Ids above the
 * highest one at the beginning have no marks and are never dropped.
 *
 * The highest id of each kind stays, with all that it refers to, whether it is in use or not: else
 * its number would be given again. Ids in memory (cache.c) may be of rows that are gone: the number
 * `collecting_writes` of the state tells everybody who begins a write (write.c).
 *
 * Several may collect at once: what is dropped only ever takes references away.
 */
#include "store/sqlite/sqlite_store.h"

#include "base/clock.h"

enum kind { KIND_CLAIM, KIND_PACKAGE, KIND_RECORD, KIND_NAME, KIND_COUNT };

/* What has been marked, and must be kept marked: each stage adds to the one before. */
enum stage {
    STAGE_SLOTS,  /* what slots hold: claims may be dropped */
    STAGE_CLAIMS, /* and what claims refer to: packages and records */
    STAGE_NAMES,  /* and what records and decisions refer to: names */
};

/* COLLECT_TRIES: how often marking begins anew because the change log was trimmed meanwhile. */
enum { SLOT_ROWS = 256, CAUSE_ROWS = 1024, COLLECT_TRIES = 3 };

struct collecting {
    struct store *store;
    const char *who;
    struct conn conn; /* for reading, of its own: reads of others go on meanwhile */
    enum stage stage;
    uint64_t *marks[KIND_COUNT];  /* bits by id, 0 .. highest */
    uint32_t highest[KIND_COUNT]; /* when marking began */

    /* What these and all before them refer to is marked. */
    int64_t last_slot;
    uint64_t last_cause;
    uint32_t last_claim, last_record, last_decision;

    bool trimmed;         /* causes were dropped from the log before they were seen */
    struct slot slot;     /* scratch */
    struct ids ids, puts; /* scratch */
    struct store_collected dropped;
};

/* --- Marks ------------------------------------------------------------------------------------ */

static void mark(struct collecting *c, enum kind kind, uint32_t id)
{
    if (id <= c->highest[kind])
        c->marks[kind][id / 64] |= UINT64_C(1) << id % 64;
}

static bool is_marked(const struct collecting *c, enum kind kind, uint32_t id)
{
    return id > c->highest[kind] || (c->marks[kind][id / 64] >> id % 64 & 1) != 0;
}

static void mark_ids(struct collecting *c, enum kind kind, const struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        mark(c, kind, ids->at[i]);
}

static int mark_slot(struct collecting *c, struct query *q, int column, struct err *err)
{
    if (slot_read(q, column, &c->slot, err) < 0)
        return -1;
    for (size_t i = 0; i < c->slot.packages.count; i++)
        mark(c, KIND_PACKAGE, c->slot.packages.at[i].id);
    mark_ids(c, KIND_CLAIM, &c->slot.claims);
    return 0;
}

/* One read of a walk from a row on. The rows read, or -1. */
typedef int (*piece_fn)(struct collecting *c, struct conn *conn, struct err *err);

static int walk(struct collecting *c, struct conn *conn, piece_fn piece, int limit, struct err *err)
{
    int rows;

    do {
        rows = piece(c, conn, err);
    } while (rows == limit);
    return rows < 0 ? -1 : 0;
}

static int slots_piece(struct collecting *c, struct conn *conn, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step, rows = 0;

    if (query_begin(&q, conn, STATEMENT_MARK_SLOTS,
            "SELECT key, complete, scanned_ms, packages, claims FROM slot WHERE key > ?1"
            " ORDER BY key LIMIT ?2",
            "looking for what is in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, c->last_slot);
    query_bind_int(&q, 2, SLOT_ROWS);
    for (; (step = query_step(&q, err)) > 0; rows++) {
        if (mark_slot(c, &q, 1, err) < 0)
            return -1;
        c->last_slot = query_int(&q, 0);
    }
    return step < 0 ? -1 : rows;
}

static int claims_piece(struct collecting *c, struct conn *conn, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step, rows = 0;

    if (query_begin(&q, conn, STATEMENT_MARK_CLAIMS,
            "SELECT id, package, record, name FROM claim WHERE id > ?1 ORDER BY id LIMIT ?2",
            "looking for what is in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, c->last_claim);
    query_bind_int(&q, 2, WALK_ROWS);
    for (; (step = query_step(&q, err)) > 0; rows++) {
        c->last_claim = query_id(&q, 0);
        mark(c, KIND_PACKAGE, query_id(&q, 1));
        mark(c, KIND_RECORD, query_id(&q, 2));
        mark(c, KIND_NAME, query_id(&q, 3));
    }
    return step < 0 || query_check(&q, err) < 0 ? -1 : rows;
}

static int records_piece(struct collecting *c, struct conn *conn, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step, rows = 0;

    if (query_begin(&q, conn, STATEMENT_MARK_RECORDS,
            "SELECT id, name, aliases, covers FROM record WHERE id > ?1 ORDER BY id LIMIT ?2",
            "looking for what is in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, c->last_record);
    query_bind_int(&q, 2, WALK_ROWS);
    for (; (step = query_step(&q, err)) > 0; rows++) {
        c->last_record = query_id(&q, 0);
        mark(c, KIND_NAME, query_id(&q, 1));
        for (int column = 2; column <= 3; column++) {
            if (query_ids(&q, column, &c->ids, err) < 0)
                return -1;
            mark_ids(c, KIND_NAME, &c->ids);
        }
    }
    return step < 0 ? -1 : rows;
}

/* Ended ones, too: they are history, and history has names. */
static int decisions_piece(struct collecting *c, struct conn *conn, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step, rows = 0;

    if (query_begin(&q, conn, STATEMENT_MARK_DECISIONS,
            "SELECT number, vulns FROM decision WHERE number > ?1 ORDER BY number LIMIT ?2",
            "looking for what is in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, c->last_decision);
    query_bind_int(&q, 2, SLOT_ROWS);
    for (; (step = query_step(&q, err)) > 0; rows++) {
        c->last_decision = query_id(&q, 0);
        if (query_ids(&q, 1, &c->ids, err) < 0)
            return -1;
        mark_ids(c, KIND_NAME, &c->ids);
    }
    return step < 0 ? -1 : rows;
}

/* --- What was put to use meanwhile ------------------------------------------------------------ */

static int mark_image(struct collecting *c, struct conn *conn, uint32_t image, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (query_begin(&q, conn, STATEMENT_MARK_IMAGE,
            "SELECT complete, scanned_ms, packages, claims FROM slot WHERE key BETWEEN ?1 AND ?2",
            "looking for what is in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, (int64_t)image * SLOT_KEYS);
    query_bind_int(&q, 2, (int64_t)image * SLOT_KEYS + SLOT_KEYS - 1);
    while ((step = query_step(&q, err)) > 0)
        if (mark_slot(c, &q, 0, err) < 0)
            return -1;
    return step;
}

/* The images of a piece of the log into c->puts. */
static int causes_piece(struct collecting *c, struct conn *conn, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    uint64_t before = c->last_cause, trimmed, last;
    int step, rows = 0;

    if (query_begin(&q, conn, STATEMENT_MARK_CAUSES,
            "SELECT number, image FROM cause WHERE number > ?1 ORDER BY number LIMIT ?2",
            "looking for what is in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, (int64_t)c->last_cause);
    query_bind_int(&q, 2, CAUSE_ROWS);
    for (; (step = query_step(&q, err)) > 0; rows++) {
        c->last_cause = (uint64_t)query_int(&q, 0);
        if (query_int(&q, 1) && ids_push(&c->puts, query_id(&q, 1), err) < 0)
            return -1;
    }
    /* The bounds are read last: what was trimmed while the piece was being read is seen, too. */
    if (step < 0 || query_check(&q, err) < 0 ||
        store_log_bounds(c->store, &trimmed, &last, err) < 0)
        return -1;
    if (trimmed <= before)
        return rows;
    c->trimmed = true;
    return err_set(err, ERR_BUSY,
        "the change log was trimmed while unused facts were being looked for; try again");
}

static int mark_puts(struct collecting *c, struct conn *conn, struct err *err)
{
    c->puts.count = 0;
    if (walk(c, conn, causes_piece, CAUSE_ROWS, err) < 0)
        return -1;
    ids_sort_unique(&c->puts);
    for (size_t i = 0; i < c->puts.count; i++)
        if (mark_image(c, conn, c->puts.at[i], err) < 0)
            return -1;
    return 0;
}

/* Brings the marks of the stage up to what `conn` sees. */
static int mark_news(struct collecting *c, struct conn *conn, struct err *err)
{
    if (mark_puts(c, conn, err) < 0)
        return -1;
    if (c->stage >= STAGE_CLAIMS && walk(c, conn, claims_piece, WALK_ROWS, err) < 0)
        return -1;
    if (c->stage < STAGE_NAMES)
        return 0;
    if (walk(c, conn, records_piece, WALK_ROWS, err) < 0)
        return -1;
    return walk(c, conn, decisions_piece, SLOT_ROWS, err);
}

/* --- Dropping --------------------------------------------------------------------------------- */

/* slow_to_check: SQLite would look for what refers to a row in all of the table of claims, for each
 * row. The marks are the check. */
struct kind_of {
    const char *find, *drop;
    bool slow_to_check;
    size_t count; /* where in struct store_collected */
};

#define KIND(table, member, slow)                                                                 \
    {                                                                                             \
        "SELECT id FROM " table " WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3",                \
            "DELETE FROM " table " WHERE id = ?1", slow, offsetof(struct store_collected, member) \
    }

static const struct kind_of kinds[KIND_COUNT] = {
    [KIND_CLAIM] = KIND("claim", claims, false),
    [KIND_PACKAGE] = KIND("package", packages, false),
    [KIND_RECORD] = KIND("record", records, true),
    [KIND_NAME] = KIND("name", names, true),
};

/* The ids without a mark among the next rows behind *after, appended. */
static int find_piece(
    struct collecting *c, enum kind kind, uint32_t *after, struct ids *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step, rows = 0;

    if (query_begin(&q, &c->conn, STATEMENT_FIND_CLAIMS + (enum statement)kind, kinds[kind].find,
            "looking for what is not in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, *after);
    query_bind_int(&q, 2, c->highest[kind]);
    query_bind_int(&q, 3, WALK_ROWS);
    for (; (step = query_step(&q, err)) > 0; rows++) {
        *after = query_id(&q, 0);
        if (!is_marked(c, kind, *after) && ids_push(ret, *after, err) < 0)
            return -1;
    }
    return step < 0 || query_check(&q, err) < 0 ? -1 : rows;
}

static int find_unused(struct collecting *c, enum kind kind, struct ids *ret, struct err *err)
{
    uint32_t after = 0;
    int rows;

    do {
        rows = find_piece(c, kind, &after, ret, err);
    } while (rows == WALK_ROWS);
    return rows < 0 ? -1 : 0;
}

static int drop_one(
    struct conn *conn, enum kind kind, uint32_t id, uint64_t *dropped, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_DROP_CLAIM + (enum statement)kind, kinds[kind].drop,
            "dropping what is not in use", err) < 0)
        return -1;
    query_bind_int(&q, 1, id);
    if (query_run(&q, err) < 0)
        return -1;
    *dropped += (uint64_t)sqlite3_changes(conn->db);
    return 0;
}

/* Those of unused[*at..] that still have no mark, until the time of a transaction is over. */
static int drop_until(struct collecting *c, enum kind kind, const struct ids *unused, size_t *at,
    uint64_t *dropped, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LIMIT_TRANSACTION_MS * INT64_C(1000);
    struct conn *conn = store_write_conn(c->store, err);
    int failed = conn ? 0 : -1;

    if (!failed && kinds[kind].slow_to_check)
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    while (!failed && *at < unused->count && clock_monotonic_us() < until_us) {
        uint32_t id = unused->at[(*at)++];

        if (!is_marked(c, kind, id))
            failed = drop_one(conn, kind, id, dropped, err);
    }
    if (conn)
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    return failed;
}

static int raise_number(struct store *store, struct err *err)
{
    int64_t writes;

    if (store_get_state(store, COLLECTING_WRITES, &writes, err) < 0)
        return -1;
    return store_set_state(store, COLLECTING_WRITES, writes + 1, err);
}

static int drop_some(
    struct collecting *c, enum kind kind, const struct ids *unused, size_t *at, struct err *err)
{
    struct store *store = c->store;
    uint64_t dropped = 0, *sum = (uint64_t *)(void *)((char *)&c->dropped + kinds[kind].count);

    /* First without the turn: within the write only the last moments are left to be marked. */
    if (mark_news(c, &c->conn, err) < 0 || store_begin(store, c->who, err) < 0)
        return -1;
    if (mark_news(c, &store->writing, err) < 0 ||
        drop_until(c, kind, unused, at, &dropped, err) < 0 || raise_number(store, err) < 0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    *sum += dropped;
    return 0;
}

static int drop_kind(struct collecting *c, enum kind kind, struct err *err)
{
    struct ids unused CLEANUP(ids_release) = {0};

    if (find_unused(c, kind, &unused, err) < 0)
        return -1;
    for (size_t at = 0; at < unused.count;)
        if (drop_some(c, kind, &unused, &at, err) < 0)
            return -1;
    return 0;
}

/* --- The whole of it -------------------------------------------------------------------------- */

/* The bounds of everything, from one moment. */
static int read_bounds(struct collecting *c, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, &c->conn, STATEMENT_MARK_BOUNDS,
            "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'cause'), 0),"
            " (SELECT ifnull(max(id), 0) FROM claim), (SELECT ifnull(max(id), 0) FROM package),"
            " (SELECT ifnull(max(id), 0) FROM record), (SELECT ifnull(max(id), 0) FROM name)",
            "looking for what is in use", err) < 0 ||
        query_step(&q, err) < 0)
        return -1;
    c->last_cause = (uint64_t)query_int(&q, 0);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        c->highest[kind] = query_id(&q, kind + 1);
    return query_check(&q, err);
}

static int begin_marks(struct collecting *c, struct err *err)
{
    if (read_bounds(c, err) < 0)
        return -1;
    c->stage = STAGE_SLOTS;
    c->last_slot = -1;
    c->last_claim = c->last_record = c->last_decision = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        free(c->marks[kind]);
        c->marks[kind] = calloc((size_t)c->highest[kind] / 64 + 1, sizeof(uint64_t));
        if (!c->marks[kind])
            return err_nomem(err);
    }
    return walk(c, &c->conn, slots_piece, SLOT_ROWS, err);
}

static int collect(struct collecting *c, struct err *err)
{
    c->trimmed = false;
    if (begin_marks(c, err) < 0 || drop_kind(c, KIND_CLAIM, err) < 0)
        return -1;
    c->stage = STAGE_CLAIMS;
    if (mark_news(c, &c->conn, err) < 0 || drop_kind(c, KIND_PACKAGE, err) < 0 ||
        drop_kind(c, KIND_RECORD, err) < 0)
        return -1;
    c->stage = STAGE_NAMES;
    if (mark_news(c, &c->conn, err) < 0)
        return -1;
    return drop_kind(c, KIND_NAME, err);
}

static void collecting_release(struct collecting *c)
{
    conn_close(&c->conn);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        free(c->marks[kind]);
    slot_release(&c->slot);
    ids_release(&c->ids);
    ids_release(&c->puts);
}

int store_collect(
    struct store *store, const char *who, struct store_collected *ret, struct err *err)
{
    struct collecting c CLEANUP(collecting_release) = {.store = store, .who = who};
    int failed, tries = 0;

    if (store->mode == STORE_READ)
        return err_set(err, ERR_DENIED, "the store in %s is open for reading only", store->dir);
    if (conn_open(&c.conn, store, store->file, SQLITE_OPEN_READWRITE, err) < 0 ||
        conn_exec(&c.conn, "PRAGMA query_only = ON", "opening the store", err) < 0)
        return -1;
    do {
        failed = collect(&c, err);
    } while (failed && c.trimmed && ++tries < COLLECT_TRIES);
    if (!failed)
        *ret = c.dropped;
    return failed;
}
