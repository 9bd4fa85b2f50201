/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs on decisions. A decision is one row with its sets in it, for it is only ever read
 * whole:
 *
 *     vulns                a list of ids (codec/idlist.h)
 *     images               16 bytes each, ascending
 *     enterprise_projects  of each the length (4 bytes, the lowest first) and its bytes, ascending
 *
 * so that no content can be taken for a border between two members. A set has one encoding, and
 * reading refuses any other.
 */
#include "store/sqlite/sqlite_store.h"

#include "base/bug.h"

enum { LENGTH_BYTES = 4, NAME_IDS_END = 2147483646 /* schema.c */ };

static int decision_missing(uint32_t number, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no decision %u", number);
}

/* --- Sets as bytes ---------------------------------------------------------------------------- */

static void put_length(struct buf *out, size_t len)
{
    const unsigned char bytes[LENGTH_BYTES] = {(unsigned char)len, (unsigned char)(len >> 8),
        (unsigned char)(len >> 16), (unsigned char)(len >> 24)};

    BUG_ON(len > UINT32_MAX);
    buf_put(out, bytes, sizeof(bytes));
}

static void put_texts(struct buf *out, const struct slice *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        BUG_ON(i > 0 && slice_cmp(texts[i - 1], texts[i]) >= 0);
        put_length(out, texts[i].len);
        buf_put_slice(out, texts[i]);
    }
}

/* The next text of a set; false at its end, and, with *damaged, when it is cut off. */
static bool pull_text(struct slice *bytes, struct slice *ret, bool *damaged)
{
    const unsigned char *at = (const unsigned char *)bytes->ptr;
    size_t len;

    if (bytes->len == 0)
        return false;
    *damaged = true;
    if (bytes->len < LENGTH_BYTES)
        return false;
    len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
    if (len > bytes->len - LENGTH_BYTES)
        return false;
    *ret = slice_sub(*bytes, LENGTH_BYTES, len);
    *bytes = slice_skip(*bytes, LENGTH_BYTES + len);
    *damaged = false;
    return true;
}

/* The three sets of a decision in store->scratch. */
struct encoded {
    struct slice vulns, images, projects;
};

static int encode_sets(
    struct store *store, const struct decision *decision, struct encoded *ret, struct err *err)
{
    struct buf *out = &store->scratch;
    size_t images_at, projects_at;
    struct slice all;

    store->scratch_ids.count = 0;
    if (ids_append(&store->scratch_ids, decision->vulns, decision->vuln_count, err) < 0)
        return -1;
    buf_clear(out);
    idlist_encode(out, &store->scratch_ids);
    images_at = out->len;
    for (size_t i = 0; i < decision->image_count; i++) {
        BUG_ON(i > 0 && image_id_compare(decision->images[i - 1], decision->images[i]) >= 0);
        buf_put(out, decision->images[i], IMAGE_ID_BYTES);
    }
    projects_at = out->len;
    put_texts(out, decision->enterprise_projects, decision->enterprise_project_count);
    if (buf_check(out, "a decision", err) < 0)
        return -1;
    all = buf_slice(out);
    *ret = (struct encoded){slice_sub(all, 0, images_at),
        slice_sub(all, images_at, projects_at - images_at), slice_skip(all, projects_at)};
    return 0;
}

/* --- Adding ----------------------------------------------------------------------------------- */

static int check_limits(const struct decision *decision, struct err *err)
{
    if (decision->vuln_count > LIMIT_DECISION_VULNS)
        return err_set(err, ERR_LIMIT,
            "a decision names %zu vulnerabilities; the limit is %d: make several of it",
            decision->vuln_count, LIMIT_DECISION_VULNS);
    if (decision->image_count > LIMIT_DECISION_IMAGES)
        return err_set(err, ERR_LIMIT,
            "a decision names %zu images; the limit is %d: make several of it",
            decision->image_count, LIMIT_DECISION_IMAGES);
    return 0;
}

static void check_words(const struct decision *decision)
{
    BUG_ON((unsigned)decision->action >= DECISION_ACTION_COUNT);
    BUG_ON((unsigned)decision->scope >= DECISION_SCOPE_COUNT);
    BUG_ON(decision->type < -1 || decision->type >= VUL_TYPE_COUNT);
    BUG_ON(decision->image_type < -1 || decision->image_type >= IMAGE_TYPE_COUNT);
    BUG_ON(decision->image_count > 0 && decision->scope != DECISION_IMAGES);
}

static void bind_decision(
    struct query *q, const struct decision *decision, const struct encoded *sets)
{
    query_bind_int(q, 1, decision->project);
    query_bind_int(q, 2, decision->action);
    query_bind_blob(q, 3, sets->vulns);
    query_bind_int(q, 4, decision->type);
    query_bind_text(q, 5, decision->package);
    query_bind_int(q, 6, decision->scope);
    query_bind_text(q, 7, decision->place);
    query_bind_blob(q, 8, sets->images);
    query_bind_int(q, 9, decision->image_type);
    query_bind_blob(q, 10, sets->projects);
    query_bind_text(q, 11, decision->author);
    query_bind_text(q, 12, decision->reason);
    query_bind_int(q, 13, decision->created_ms);
    query_bind_int(q, 14, decision->expires_ms);
}

int store_add_decision(
    struct store *store, const struct decision *decision, uint32_t *ret_number, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct encoded sets;
    struct query q CLEANUP(query_end) = {0};

    check_words(decision);
    if (!conn || check_limits(decision, err) < 0 || encode_sets(store, decision, &sets, err) < 0 ||
        query_begin(&q, conn, STATEMENT_ADD_DECISION,
            "INSERT INTO decision (project, action, vulns, type, package, scope, place, images,"
            " image_type, enterprise_projects, author, reason, created_ms, expires_ms, ended_ms,"
            " outcome, ended_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
            " ?14, 0, 0, '')",
            "adding a decision", err) < 0)
        return -1;
    bind_decision(&q, decision, &sets);
    if (query_run(&q, err) < 0) {
        if (err->code == ERR_INVALID)
            err_set(err, ERR_INVALID, "a decision is of project %u, which is not stored",
                decision->project);
        return -1;
    }
    *ret_number = (uint32_t)sqlite3_last_insert_rowid(conn->db);
    return 0;
}
_Static_assert(DECISION_IN_FORCE == 0, "store_add_decision and the index decision_in_force say 0");

/* --- Reading ---------------------------------------------------------------------------------- */

#define DECISION_COLUMNS                                                               \
    "number, project, action, vulns, type, package, scope, place, images, image_type," \
    " enterprise_projects, author, reason, created_ms, expires_ms, ended_ms, outcome, ended_by"

/* What the row's decision points to, beside the row itself; one serves all rows of a walk. */
struct decision_row {
    struct ids vulns;
    void *images;           /* owned */
    struct slice *projects; /* owned; the texts are the row's */
    size_t image_cap, project_cap;
};

static void decision_row_release(struct decision_row *row)
{
    ids_release(&row->vulns);
    free(row->images);
    free(row->projects);
}

/* -1 .. count - 1 */
static int read_choice(struct query *q, int column, int count)
{
    return query_int(q, column) == -1 ? -1 : query_enum(q, column, count);
}

static int read_images(struct query *q, int column, struct decision_row *row,
    struct decision *decision, struct err *err)
{
    struct slice bytes = query_blob(q, column);
    size_t count = bytes.len / IMAGE_ID_BYTES;

    if (array_reserve(&row->images, &row->image_cap, count, IMAGE_ID_BYTES, err) < 0)
        return -1;
    if (count)
        memcpy(row->images, bytes.ptr, count * IMAGE_ID_BYTES);
    decision->images = row->images;
    decision->image_count = count;
    q->damaged |= bytes.len % IMAGE_ID_BYTES != 0;
    q->damaged |= bytes.len > 0 && decision->scope != DECISION_IMAGES;
    for (size_t i = 1; i < count; i++)
        q->damaged |= image_id_compare(decision->images[i - 1], decision->images[i]) >= 0;
    return 0;
}

static int read_projects(struct query *q, int column, struct decision_row *row,
    struct decision *decision, struct err *err)
{
    struct slice bytes = query_blob(q, column), text;
    bool damaged = false;
    size_t count = 0;

    for (; pull_text(&bytes, &text, &damaged); count++) {
        if (array_reserve(&row->projects, &row->project_cap, count + 1, sizeof(text), err) < 0)
            return -1;
        damaged |= count > 0 && slice_cmp(row->projects[count - 1], text) >= 0;
        q->damaged |= damaged;
        row->projects[count] = text;
    }
    q->damaged |= damaged;
    decision->enterprise_projects = row->projects;
    decision->enterprise_project_count = count;
    return 0;
}

/* *ret points into the row and into *row, until the next step. */
static int read_row(
    struct query *q, struct decision_row *row, struct decision *ret, struct err *err)
{
    *ret = (struct decision){
        .number = query_id(q, 0),
        .project = query_id(q, 1),
        .action = (enum decision_action)query_enum(q, 2, DECISION_ACTION_COUNT),
        .type = read_choice(q, 4, VUL_TYPE_COUNT),
        .package = query_text(q, 5),
        .scope = (enum decision_scope)query_enum(q, 6, DECISION_SCOPE_COUNT),
        .place = query_text(q, 7),
        .image_type = read_choice(q, 9, IMAGE_TYPE_COUNT),
        .author = query_text(q, 11),
        .reason = query_text(q, 12),
        .created_ms = query_int(q, 13),
        .expires_ms = query_int(q, 14),
        .ended_ms = query_int(q, 15),
        .end = (enum decision_end)query_enum(q, 16, DECISION_END_COUNT),
        .ended_by = query_text(q, 17),
    };
    q->damaged |= ret->end == DECISION_IN_FORCE && (ret->ended_ms != 0 || ret->ended_by.len != 0);
    if (query_ids(q, 3, &row->vulns, err) < 0 || read_images(q, 8, row, ret, err) < 0 ||
        read_projects(q, 10, row, ret, err) < 0)
        return -1;
    ret->vulns = row->vulns.at;
    ret->vuln_count = row->vulns.count;
    if (ret->vuln_count)
        q->damaged |= ret->vulns[0] == 0 || ret->vulns[ret->vuln_count - 1] >= NAME_IDS_END;
    return query_check(q, err);
}

/* Begins *q; *ret lives as long as *q and *row do. */
static int read_one(struct query *q, struct conn *conn, uint32_t number, struct decision_row *row,
    struct decision *ret, struct err *err)
{
    int found;

    if (query_begin(q, conn, STATEMENT_GET_DECISION,
            "SELECT " DECISION_COLUMNS " FROM decision WHERE number = ?1", "reading a decision",
            err) < 0)
        return -1;
    query_bind_int(q, 1, number);
    found = query_step(q, err);
    if (found == 0)
        return decision_missing(number, err);
    return found < 0 ? -1 : read_row(q, row, ret, err);
}

int store_get_decision(struct store *store, uint32_t number, struct arena *arena,
    struct decision *ret, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct decision_row row CLEANUP(decision_row_release) = {0};
    struct decision decision;
    struct query q CLEANUP(query_end) = {0};

    if (!conn || read_one(&q, conn, number, &row, &decision, err) < 0)
        return -1;
    return decision_dup(arena, &decision, ret, err);
}

static int begin_walk(struct query *q, struct conn *conn, bool in_force, struct err *err)
{
    if (in_force)
        return query_begin(q, conn, STATEMENT_EACH_DECISION_IN_FORCE,
            "SELECT " DECISION_COLUMNS " FROM decision WHERE project = ?1 AND outcome = 0"
            " AND number > ?2 ORDER BY number LIMIT ?3",
            "reading decisions", err);
    return query_begin(q, conn, STATEMENT_EACH_DECISION,
        "SELECT " DECISION_COLUMNS " FROM decision WHERE project = ?1 AND number > ?2"
        " ORDER BY number LIMIT ?3",
        "reading decisions", err);
}

int store_each_decision(struct store *store, uint32_t project, bool in_force, uint32_t after,
    size_t limit, store_decision_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct decision_row row CLEANUP(decision_row_release) = {0};
    struct decision decision;
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn || begin_walk(&q, conn, in_force, err) < 0)
        return -1;
    query_bind_int(&q, 1, project);
    query_bind_int(&q, 2, after);
    query_bind_int(&q, 3, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while ((step = query_step(&q, err)) > 0)
        if (read_row(&q, &row, &decision, err) < 0 || fn(ctx, &decision, err) < 0)
            return -1;
    return step;
}

/* --- Changing --------------------------------------------------------------------------------- */

/* A decision that was to be ended and was not: it is not there, or it has ended already. */
static int explain_not_ended(struct conn *conn, uint32_t number, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int found, outcome;

    if (query_begin(&q, conn, STATEMENT_DECISION_OUTCOME,
            "SELECT outcome FROM decision WHERE number = ?1", "ending a decision", err) < 0)
        return -1;
    query_bind_int(&q, 1, number);
    found = query_step(&q, err);
    if (found == 0)
        return decision_missing(number, err);
    if (found < 0)
        return -1;
    outcome = query_enum(&q, 0, DECISION_END_COUNT);
    if (query_check(&q, err) < 0)
        return -1;
    return err_set(err, ERR_CONFLICT, "decision %u has ended already: it is %s", number,
        words_name(&decision_end_words, outcome));
}

int store_end_decision(struct store *store, uint32_t number, enum decision_end end, struct slice by,
    int64_t now_ms, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    BUG_ON(end != DECISION_WITHDRAWN && end != DECISION_EXPIRED);
    if (!conn || query_begin(&q, conn, STATEMENT_END_DECISION,
                     "UPDATE decision SET outcome = ?2, ended_by = ?3, ended_ms = ?4"
                     " WHERE number = ?1 AND outcome = 0",
                     "ending a decision", err) < 0)
        return -1;
    query_bind_int(&q, 1, number);
    query_bind_int(&q, 2, end);
    query_bind_text(&q, 3, by);
    query_bind_int(&q, 4, now_ms);
    if (query_run(&q, err) < 0)
        return -1;
    return sqlite3_changes(conn->db) ? 0 : explain_not_ended(conn, number, err);
}

/* The ids of `decision` with `to` for `from`, ascending, into `out`. */
static void put_moved(struct buf *out, const struct decision *decision,
    const unsigned char from[IMAGE_ID_BYTES], const unsigned char to[IMAGE_ID_BYTES])
{
    bool placed = false;

    for (size_t i = 0; i < decision->image_count; i++) {
        const unsigned char *id = decision->images[i];
        int order = image_id_compare(id, to);

        if (!placed && order >= 0) {
            buf_put(out, to, IMAGE_ID_BYTES);
            placed = true;
        }
        if (order != 0 && image_id_compare(id, from) != 0)
            buf_put(out, id, IMAGE_ID_BYTES);
    }
    if (!placed)
        buf_put(out, to, IMAGE_ID_BYTES);
}

/* The moved list of images into store->scratch. */
static int move_image(struct store *store, struct conn *conn, uint32_t number,
    const unsigned char from[IMAGE_ID_BYTES], const unsigned char to[IMAGE_ID_BYTES],
    struct err *err)
{
    struct decision_row row CLEANUP(decision_row_release) = {0};
    struct decision decision;
    char id[UUID_TEXT_BYTES];
    struct query q CLEANUP(query_end) = {0};

    if (read_one(&q, conn, number, &row, &decision, err) < 0)
        return -1;
    image_id_format(from, id);
    if (decision.image_count == 0 ||
        !bsearch(from, decision.images, decision.image_count, IMAGE_ID_BYTES, image_id_compare))
        return err_set(err, ERR_NOT_FOUND, "decision %u does not name image %s", number, id);
    buf_clear(&store->scratch);
    put_moved(&store->scratch, &decision, from, to);
    return buf_check(&store->scratch, "the images of a decision", err);
}

int store_move_decision(struct store *store, uint32_t number,
    const unsigned char from[IMAGE_ID_BYTES], const unsigned char to[IMAGE_ID_BYTES],
    struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || move_image(store, conn, number, from, to, err) < 0 ||
        query_begin(&q, conn, STATEMENT_MOVE_DECISION,
            "UPDATE decision SET images = ?2 WHERE number = ?1", "changing a decision", err) < 0)
        return -1;
    query_bind_int(&q, 1, number);
    query_bind_blob(&q, 2, buf_slice(&store->scratch));
    return query_run(&q, err);
}
