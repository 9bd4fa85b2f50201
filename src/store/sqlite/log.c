/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change log. There is one writer at a time, so numbers from AUTOINCREMENT are in commit order,
 * and sqlite_sequence remembers the highest one given even when its row is gone.
 *
 * Trimming goes by the time of each cause, not by its number: a clock that once stood in the future
 * must not keep the log from being trimmed. So `log_trimmed` is the highest number removed, and
 * lower ones may still be there.
 */
#include "store/sqlite/sqlite_store.h"

#include "base/bug.h"

/* The union of all slots of one image, at most. */
enum { CAUSE_CLAIMS_MAX = LIMIT_IMAGE_CLAIMS * SOURCE_COUNT };

static int drop_scanned(struct conn *conn, uint32_t image, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_DROP_SCANNED,
            "DELETE FROM cause WHERE kind = 2 AND image = ?1", "writing the change log", err) < 0)
        return -1;
    query_bind_int(&q, 1, image);
    return query_run(&q, err);
}
_Static_assert(CAUSE_IMAGE_SCANNED == 2, "the index cause_scanned and drop_scanned say 2");

static int add_encoded(struct conn *conn, const struct cause *cause, struct slice added,
    struct slice removed, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_ADD_CAUSE,
            "INSERT INTO cause (kind, at_ms, project, image, decision, removal, added, removed)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            "writing the change log", err) < 0)
        return -1;
    query_bind_int(&q, 1, cause->kind);
    query_bind_int(&q, 2, cause->at_ms);
    query_bind_int(&q, 3, cause->project);
    query_bind_int(&q, 4, cause->image);
    query_bind_int(&q, 5, cause->decision);
    query_bind_int(&q, 6, cause->removal);
    query_bind_blob(&q, 7, added);
    query_bind_blob(&q, 8, removed);
    return query_run(&q, err);
}

/* An image or a decision, as its kind says; a reason only where something was removed. */
static bool is_consistent(const struct cause *cause)
{
    bool decided = cause->kind == CAUSE_DECISION_PUT || cause->kind == CAUSE_DECISION_ENDED;

    if (cause->kind < CAUSE_IMAGE_PUT || cause->kind > CAUSE_DECISION_ENDED ||
        (unsigned)cause->removal >= REMOVAL_COUNT)
        return false;
    if (decided)
        return cause->decision != 0 && cause->image == 0 && cause->removal == REMOVAL_ASKED &&
               cause->added.count == 0 && cause->removed.count == 0;
    return cause->decision == 0 && cause->image != 0 &&
           (cause->removal == REMOVAL_ASKED || cause->kind == CAUSE_IMAGE_REMOVED);
}

int store_add_cause(struct store *store, const struct cause *cause, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct slice content;
    size_t removed_at;

    if (!conn)
        return -1;
    BUG_ON(!is_consistent(cause));
    if (cause->added.count > CAUSE_CLAIMS_MAX || cause->removed.count > CAUSE_CLAIMS_MAX)
        return err_set(err, ERR_LIMIT,
            "a change of image %u adds %zu and removes %zu claims; the limit is %d each",
            cause->image, cause->added.count, cause->removed.count, CAUSE_CLAIMS_MAX);
    if (cause->kind == CAUSE_IMAGE_SCANNED && drop_scanned(conn, cause->image, err) < 0)
        return -1;
    buf_clear(&store->scratch);
    idlist_encode(&store->scratch, &cause->added);
    removed_at = store->scratch.len;
    idlist_encode(&store->scratch, &cause->removed);
    if (buf_check(&store->scratch, "an entry of the change log", err) < 0)
        return -1;
    content = buf_slice(&store->scratch);
    return add_encoded(
        conn, cause, slice_sub(content, 0, removed_at), slice_skip(content, removed_at), err);
}

static int read_cause(struct query *q, struct cause *cause, struct err *err)
{
    cause->number = (uint64_t)query_int(q, 0);
    cause->kind = (enum cause_kind)query_enum(q, 1, CAUSE_DECISION_ENDED + 1);
    cause->at_ms = query_int(q, 2);
    cause->project = query_id(q, 3);
    cause->image = query_id(q, 4);
    cause->decision = query_id(q, 5);
    cause->removal = (enum removal)query_enum(q, 6, REMOVAL_COUNT);
    if (query_ids(q, 7, &cause->added, err) < 0 || query_ids(q, 8, &cause->removed, err) < 0)
        return -1;
    q->damaged |= !is_consistent(cause);
    return query_check(q, err);
}

int store_each_cause(struct store *store, uint64_t after, size_t limit, store_cause_fn fn,
    void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct cause cause = {0};
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn || query_begin(&q, conn, STATEMENT_EACH_CAUSE,
                     "SELECT number, kind, at_ms, project, image, decision, removal, added,"
                     " removed FROM cause WHERE number > ?1 ORDER BY number LIMIT ?2",
                     "reading the change log", err) < 0)
        return -1;
    query_bind_int(&q, 1, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    query_bind_int(&q, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while ((step = query_step(&q, err)) > 0)
        if (read_cause(&q, &cause, err) < 0 || fn(ctx, &cause, err) < 0) {
            step = -1;
            break;
        }
    ids_release(&cause.added);
    ids_release(&cause.removed);
    return step;
}

int store_log_bounds(
    struct store *store, uint64_t *ret_trimmed, uint64_t *ret_last, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_LOG_BOUNDS,
            "SELECT (SELECT value FROM state WHERE name = 'log_trimmed'),"
            " (SELECT seq FROM sqlite_sequence WHERE name = 'cause')",
            "reading the change log", err) < 0 ||
        query_step(&q, err) < 0)
        return -1;
    *ret_trimmed = (uint64_t)query_int(&q, 0);
    *ret_last = (uint64_t)query_int(&q, 1); /* no row yet: NULL, which reads as 0 */
    q.damaged = *ret_trimmed > *ret_last;   /* nobody could ever have followed */
    return query_check(&q, err);
}

static int drop_older(struct conn *conn, int64_t before_ms, size_t limit, int64_t *ret_highest,
    size_t *ret_dropped, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int64_t highest = 0;
    size_t dropped = 0;
    int step;

    if (query_begin(&q, conn, STATEMENT_TRIM_LOG,
            "DELETE FROM cause WHERE number IN (SELECT number FROM cause WHERE at_ms < ?1"
            " ORDER BY number LIMIT ?2) RETURNING number",
            "trimming the change log", err) < 0)
        return -1;
    query_bind_int(&q, 1, before_ms);
    query_bind_int(&q, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    for (; (step = query_step(&q, err)) > 0; dropped++)
        if (query_int(&q, 0) > highest)
            highest = query_int(&q, 0);
    *ret_highest = highest;
    *ret_dropped = dropped;
    return step;
}

int store_trim_log(
    struct store *store, int64_t before_ms, size_t limit, size_t *ret_dropped, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int64_t highest;
    size_t dropped;

    if (!conn || drop_older(conn, before_ms, limit, &highest, &dropped, err) < 0 ||
        query_begin(&q, conn, STATEMENT_SET_TRIMMED,
            "UPDATE state SET value = max(value, ?1) WHERE name = 'log_trimmed'",
            "trimming the change log", err) < 0)
        return -1;
    query_bind_int(&q, 1, highest);
    if (query_run(&q, err) < 0)
        return -1;
    *ret_dropped = dropped;
    return 0;
}

/* PRAGMA data_version of the reading connection changes when any other connection commits, and our
 * own writing one is another connection too. */
int store_data_version(struct store *store, uint64_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int result = -1;

    if (store_check_file(store, err) < 0)
        return -1;
    if (store->immutable) {
        *ret = 0;
        return 0;
    }
    BUG_ON(pthread_mutex_lock(&store->reading_lock) != 0);
    if (query_begin(&q, &store->reading, STATEMENT_DATA_VERSION, "PRAGMA data_version",
            "asking for changes", err) == 0 &&
        query_step(&q, err) >= 0) {
        *ret = (uint64_t)query_int(&q, 0);
        result = 0;
    }
    query_end(&q);
    pthread_mutex_unlock(&store->reading_lock);
    return result;
}
