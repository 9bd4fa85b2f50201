/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a database laid out as its version says? What the scripts make is made once more, in memory,
 * and the two lists of objects are compared word by word: whoever sends a file may have put a
 * virtual table, an index on an expression or a view where a table of ours was, each of which makes
 * SQLite compute what somebody else wrote.
 */
#include "store/sqlite/sqlite_store.h"

struct object {
    struct slice type, name, table, sql;
};

/* Both lists in the order of (type, name). */
static int objects_begin(struct query *q, struct conn *conn, struct err *err)
{
    return query_begin(q, conn, STATEMENT_EACH_OBJECT,
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
        "reading the tables", err);
}

/* 1 an object, until the next call; 0 the end. */
static int objects_next(struct query *q, struct object *ret, struct err *err)
{
    int step = query_step(q, err);

    if (step > 0)
        *ret =
            (struct object){query_text(q, 0), query_text(q, 1), query_text(q, 2), query_text(q, 3)};
    return step;
}

static int compare(const struct object *a, const struct object *b)
{
    int order = slice_cmp(a->type, b->type);

    return order ? order : slice_cmp(a->name, b->name);
}

static int differs(const char *file, const struct object *object, const char *how, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "%s is not laid out as its version says: the %.*s \"%.*s\" %s",
        file, SLICE_FMT(object->type), SLICE_FMT(object->name), how);
}

static int compare_all(struct query *found, struct query *wanted, const char *file, struct err *err)
{
    struct object there, ours;

    for (;;) {
        int more = objects_next(found, &there, err), expected = objects_next(wanted, &ours, err);
        int order;

        if (more < 0 || expected < 0)
            return -1;
        if (!more && !expected)
            return 0;
        order = !more ? 1 : !expected ? -1 : compare(&there, &ours);
        if (order > 0)
            return differs(file, &ours, "is missing", err);
        if (order < 0)
            return differs(file, &there, "is none of Careen's", err);
        if (!slice_eq(there.table, ours.table) || !slice_eq(there.sql, ours.sql))
            return differs(file, &there, "is not as Careen makes it", err);
    }
}

static int make_model(struct conn *model, int64_t version, const char *more, struct err *err)
{
    if (conn_open(
            model, model->store, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err) < 0 ||
        schema_make(model, 0, version, err) < 0)
        return -1;
    return more ? conn_exec(model, more, "making the tables", err) : 0;
}

int schema_check(struct conn *conn, const char *more, struct err *err)
{
    struct store nowhere = {.file = conn->store->file};
    struct conn model CLEANUP(conn_close) = {.store = &nowhere};
    struct query found CLEANUP(query_end) = {0}, wanted CLEANUP(query_end) = {0};
    int64_t version;

    if (conn_get_int(conn, "PRAGMA user_version", &version, err) < 0 ||
        make_model(&model, version, more, err) < 0 || objects_begin(&found, conn, err) < 0 ||
        objects_begin(&wanted, &model, err) < 0)
        return -1;
    return compare_all(&found, &wanted, conn->store->file, err);
}
