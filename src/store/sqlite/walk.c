/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over what is stored once. They may be long, so each reads WALK_ROWS rows, lets go of the
 * connection, and goes on behind the last id: no read lasts long, and since ids only grow and no
 * row is ever changed, the pieces fit together whatever is written in between.
 */
#include "store/sqlite/sqlite_store.h"

/* One row of a piece, whose column 0 is the id. */
typedef int (*row_fn)(struct query *q, void *ctx, struct err *err);

static int walk_piece(struct store *store, enum statement which, const char *sql, const char *doing,
    uint32_t *after, row_fn row, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int step, rows = 0;

    if (!conn || query_begin(&q, conn, which, sql, doing, err) < 0)
        return -1;
    query_bind_int(&q, 1, *after);
    query_bind_int(&q, 2, WALK_ROWS);
    while ((step = query_step(&q, err)) > 0) {
        uint32_t id = query_id(&q, 0);

        if (row(&q, ctx, err) < 0)
            return -1;
        *after = id;
        rows++;
    }
    return step < 0 ? -1 : rows;
}

static int walk(struct store *store, enum statement which, const char *sql, const char *doing,
    uint32_t after, row_fn row, void *ctx, struct err *err)
{
    int rows;

    do {
        rows = walk_piece(store, which, sql, doing, &after, row, ctx, err);
    } while (rows == WALK_ROWS);
    return rows < 0 ? -1 : 0;
}

/* --- Names ------------------------------------------------------------------------------------ */

struct name_walk {
    store_name_fn fn;
    void *ctx;
};

static int name_row(struct query *q, void *ctx, struct err *err)
{
    struct name_walk *walk_of = ctx;
    uint32_t id = query_id(q, 0);
    struct slice text = query_text(q, 1);

    if (query_check(q, err) < 0)
        return -1;
    return walk_of->fn(walk_of->ctx, id, text, err);
}

int store_each_name(
    struct store *store, uint32_t after, store_name_fn fn, void *ctx, struct err *err)
{
    struct name_walk walk_of = {fn, ctx};

    return walk(store, STATEMENT_EACH_NAME,
        "SELECT id, text FROM name WHERE id > ?1 ORDER BY id LIMIT ?2", "reading names", after,
        name_row, &walk_of, err);
}

/* --- Records ---------------------------------------------------------------------------------- */

struct record_walk {
    store_record_fn fn;
    void *ctx;
    struct ids aliases, covers;
};

static int record_row(struct query *q, void *ctx, struct err *err)
{
    struct record_walk *walk_of = ctx;
    uint32_t id = query_id(q, 0);
    struct record record = {
        .source = (enum source)query_enum(q, 1, SOURCE_COUNT), .name = query_id(q, 2)};

    if (query_ids(q, 3, &walk_of->aliases, err) < 0 || query_ids(q, 4, &walk_of->covers, err) < 0)
        return -1;
    record.aliases = walk_of->aliases.at;
    record.alias_count = walk_of->aliases.count;
    record.covers = walk_of->covers.at;
    record.cover_count = walk_of->covers.count;
    return walk_of->fn(walk_of->ctx, id, &record, err);
}

int store_each_record(
    struct store *store, uint32_t after, store_record_fn fn, void *ctx, struct err *err)
{
    struct record_walk walk_of = {.fn = fn, .ctx = ctx};
    int result = walk(store, STATEMENT_EACH_RECORD,
        "SELECT id, source, name, aliases, covers FROM record WHERE id > ?1 ORDER BY id LIMIT ?2",
        "reading vulnerability records", after, record_row, &walk_of, err);

    ids_release(&walk_of.aliases);
    ids_release(&walk_of.covers);
    return result;
}

/* --- Claims ----------------------------------------------------------------------------------- */

struct claim_walk {
    store_claim_fn fn;
    void *ctx;
};

static int claim_row(struct query *q, void *ctx, struct err *err)
{
    struct claim_walk *walk_of = ctx;
    uint32_t id = query_id(q, 0);
    struct claim claim = {
        .package = query_id(q, 1),
        .record = query_id(q, 2),
        .type = (enum vul_type)query_enum(q, 3, VUL_TYPE_COUNT),
        .severity = (enum severity)query_enum(q, 4, SEVERITY_COUNT),
        .fixed_version = query_text(q, 5),
        .known_ms = query_int(q, 6),
    };
    const struct claim_names names = {query_text(q, 7), query_text(q, 8)};

    if (query_check(q, err) < 0)
        return -1;
    return walk_of->fn(walk_of->ctx, id, &claim, &names, err);
}

int store_each_claim(
    struct store *store, uint32_t after, store_claim_fn fn, void *ctx, struct err *err)
{
    struct claim_walk walk_of = {fn, ctx};

    return walk(store, STATEMENT_EACH_CLAIM,
        "SELECT c.id, c.package, c.record, c.type, c.severity, c.fixed_version, c.known_ms, p.name,"
        " p.source_name FROM claim c JOIN package p ON p.id = c.package WHERE c.id > ?1 ORDER BY "
        "c.id LIMIT ?2",
        "reading claims", after, claim_row, &walk_of, err);
}

/* --- Packages --------------------------------------------------------------------------------- */

static int each_package(
    struct conn *conn, uint32_t id, store_package_fn fn, void *ctx, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    struct package package;
    int found;

    if (query_begin(&q, conn, STATEMENT_GET_PACKAGE,
            "SELECT ecosystem, release, channel, name, version, arch, module, source_name,"
            " source_version FROM package WHERE id = ?1",
            "reading a package", err) < 0)
        return -1;
    query_bind_int(&q, 1, id);
    found = query_step(&q, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(err, ERR_CORRUPT,
            "%s: package %u is missing; restore a backup of the data folder", conn->store->file,
            id);
    package = (struct package){query_text(&q, 0), query_text(&q, 1), query_text(&q, 2),
        query_text(&q, 3), query_text(&q, 4), query_text(&q, 5), query_text(&q, 6),
        query_text(&q, 7), query_text(&q, 8)};
    return fn(ctx, id, &package, err);
}

int store_each_package(
    struct store *store, const struct ids *ids, store_package_fn fn, void *ctx, struct err *err)
{
    for (size_t from = 0; from < ids->count; from += WALK_ROWS) {
        struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);

        if (!conn)
            return -1;
        for (size_t i = from; i < ids->count && i < from + WALK_ROWS; i++)
            if (each_package(conn, ids->at[i], fn, ctx, err) < 0)
                return -1;
    }
    return 0;
}
