/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs on images. An image is one row; its slots are rows of their own (slot.c), so that a
 * change of placement does not rewrite its packages.
 */
#include "store/sqlite/sqlite_store.h"

static int image_missing(uint32_t number, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no image with number %u", number);
}

static int image_failed(const struct image *image, struct err *err)
{
    if (err->code == ERR_CONFLICT)
        err_set(err, ERR_CONFLICT, "another image has the id %s already", image->id);
    else if (err->code == ERR_INVALID)
        err_set(err, ERR_INVALID, "image %s is of project %u, which is not stored", image->id,
            image->project);
    return -1;
}

int store_add_image(struct store *store, const struct image *image, const unsigned char line[16],
    uint32_t *ret_number, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct image_binding binding;
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_ADD_IMAGE,
            "INSERT INTO image (line, project, id, latest, assessment, type, enterprise_project,"
            " registry_type, registry_name, organization, cluster_id, cluster_name, agent_id,"
            " pipeline, containers, multi_arch, name, tag, digest, config_digest, os_release,"
            " architecture, size_bytes, first_seen_ms, latest_scan_ms, updated_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
            " ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
            "adding an image", err) < 0)
        return -1;
    image_row_bind(&q, &binding, image, line);
    if (query_run(&q, err) < 0)
        return image_failed(image, err);
    *ret_number = (uint32_t)sqlite3_last_insert_rowid(conn->db);
    return 0;
}

int store_update_image(
    struct store *store, const struct image *image, const unsigned char line[16], struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct image_binding binding;
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_UPDATE_IMAGE,
            "UPDATE image SET line = ?1, project = ?2, id = ?3, latest = ?4, assessment = ?5,"
            " type = ?6, enterprise_project = ?7, registry_type = ?8, registry_name = ?9,"
            " organization = ?10, cluster_id = ?11, cluster_name = ?12, agent_id = ?13,"
            " pipeline = ?14, containers = ?15, multi_arch = ?16, name = ?17, tag = ?18,"
            " digest = ?19, config_digest = ?20, os_release = ?21, architecture = ?22,"
            " size_bytes = ?23, first_seen_ms = ?24, latest_scan_ms = ?25, updated_ms = ?26"
            " WHERE number = ?27",
            "changing an image", err) < 0)
        return -1;
    image_row_bind(&q, &binding, image, line);
    query_bind_int(&q, IMAGE_BINDINGS + 1, image->number);
    if (query_run(&q, err) < 0)
        return image_failed(image, err);
    return sqlite3_changes(conn->db) ? 0 : image_missing(image->number, err);
}

int store_remove_image(struct store *store, uint32_t number, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_REMOVE_IMAGE,
                     "DELETE FROM image WHERE number = ?1", "removing an image", err) < 0)
        return -1;
    query_bind_int(&q, 1, number);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return image_missing(number, err);
    return remove_slots(conn, number, err);
}

/* --- Lines ------------------------------------------------------------------------------------ */

/* The first image that the query gives, or 0. */
static int one_of_line(struct conn *conn, enum statement statement, const char *sql,
    uint32_t project, const unsigned char line[16], uint32_t except, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    uint32_t number = 0;
    int found;

    if (query_begin(&q, conn, statement, sql, "looking up the images of a line", err) < 0)
        return -1;
    query_bind_blob(&q, 1, (struct slice){(const char *)line, 16});
    query_bind_int(&q, 2, except);
    query_bind_int(&q, 3, project);
    found = query_step(&q, err);
    if (found > 0)
        number = query_id(&q, 0);
    if (found < 0 || query_check(&q, err) < 0)
        return -1;
    *ret = number;
    return 0;
}

int store_find_latest(struct store *store, uint32_t project, const unsigned char line[16],
    uint32_t except, uint32_t *ret_number, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);

    return conn ? one_of_line(conn, STATEMENT_LATEST_OF_LINE,
                      "SELECT number FROM image WHERE line = ?1 AND latest = 1 AND number <> ?2"
                      " AND project = ?3 ORDER BY number DESC LIMIT 1",
                      project, line, except, ret_number, err)
                : -1;
}

int store_find_newest(struct store *store, uint32_t project, const unsigned char line[16],
    uint32_t except, uint32_t *ret_number, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);

    /* The plus keeps SQLite from going through all images of the project instead of the line's. */
    return conn ? one_of_line(conn, STATEMENT_NEWEST_OF_LINE,
                      "SELECT number FROM image WHERE line = ?1 AND number <> ?2 AND +project = ?3"
                      " ORDER BY latest_scan_ms DESC, number DESC LIMIT 1",
                      project, line, except, ret_number, err)
                : -1;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The one image of a bound query: 1, 0 when there is none, -1. */
static int read_one(struct query *q, struct arena *arena, struct image *ret, struct err *err)
{
    struct image_row row;
    struct image image;
    int found = query_step(q, err);

    if (found <= 0)
        return found;
    if (image_row_read(q, &row, &image, err) < 0 || image_copy_strings(arena, &image, err) < 0)
        return -1;
    *ret = image;
    return 1;
}

int store_get_image(
    struct store *store, uint32_t number, struct arena *arena, struct image *ret, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int found;

    if (!conn || query_begin(&q, conn, STATEMENT_GET_IMAGE,
                     "SELECT " IMAGE_COLUMNS " FROM image i WHERE i.number = ?1",
                     "reading an image", err) < 0)
        return -1;
    query_bind_int(&q, 1, number);
    found = read_one(&q, arena, ret, err);
    if (found == 0)
        return image_missing(number, err);
    return found < 0 ? -1 : 0;
}

int store_find_image(struct store *store, uint32_t project, struct slice image_id,
    struct arena *arena, struct image *ret, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    unsigned char packed[PACKED_BYTES];
    struct query q CLEANUP(query_end) = {0};
    int found;

    if (!conn || query_begin(&q, conn, STATEMENT_FIND_IMAGE,
                     "SELECT " IMAGE_COLUMNS " FROM image i WHERE i.id = ?1 AND i.project = ?2",
                     "looking up an image", err) < 0)
        return -1;
    bind_packed(&q, 1, image_id, packed);
    query_bind_int(&q, 2, project);
    found = read_one(&q, arena, ret, err);
    if (found == 0)
        return err_set(
            err, ERR_NOT_FOUND, "there is no image with the id \"%.*s\"", SLICE_FMT(image_id));
    return found < 0 ? -1 : 0;
}

/* One row an image, its slots joined by their keys: one statement, so image and slots are of one
 * moment. */
static const char each_image_sql[] =
    "SELECT " IMAGE_COLUMNS ","
    " a.complete, a.scanned_ms, a.packages, a.claims, b.complete, b.scanned_ms, b.packages, "
    "b.claims,"
    " c.complete, c.scanned_ms, c.packages, c.claims, d.complete, d.scanned_ms, d.packages, "
    "d.claims"
    " FROM image i LEFT JOIN slot a ON a.key = i.number * 16 + 0"
    " LEFT JOIN slot b ON b.key = i.number * 16 + 1 LEFT JOIN slot c ON c.key = i.number * 16 + 2"
    " LEFT JOIN slot d ON d.key = i.number * 16 + 3"
    " WHERE i.project = ?1 AND i.number > ?2 ORDER BY i.number LIMIT ?3";
_Static_assert(SOURCE_COUNT == 4 && SLOT_KEYS == 16, "each_image_sql joins one slot a source");

enum { SLOT_COLUMN_COUNT = 4 };

static int read_image_and_slots(
    struct query *q, struct slot slots[SOURCE_COUNT], store_image_fn fn, void *ctx, struct err *err)
{
    struct image_row row;
    struct image image;

    if (image_row_read(q, &row, &image, err) < 0)
        return -1;
    for (int source = 0; source < SOURCE_COUNT; source++)
        if (slot_read(q, IMAGE_COLUMN_COUNT + source * SLOT_COLUMN_COUNT, &slots[source], err) < 0)
            return -1;
    return fn(ctx, &image, slots, err);
}

int store_each_image(struct store *store, uint32_t project, uint32_t after, size_t limit,
    store_image_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct slot slots[SOURCE_COUNT] = {0};
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn ||
        query_begin(&q, conn, STATEMENT_EACH_IMAGE, each_image_sql, "reading images", err) < 0)
        return -1;
    for (int source = 0; source < SOURCE_COUNT; source++)
        slots[source].source = (enum source)source;
    query_bind_int(&q, 1, project);
    query_bind_int(&q, 2, after);
    query_bind_int(&q, 3, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while ((step = query_step(&q, err)) > 0) {
        int enough = read_image_and_slots(&q, slots, fn, ctx, err);

        if (enough) {
            step = enough < 0 ? -1 : 0;
            break;
        }
    }
    for (int source = 0; source < SOURCE_COUNT; source++)
        slot_release(&slots[source]);
    return step;
}

static const char each_claims_sql[] =
    "SELECT i.number, a.claims, b.claims, c.claims, d.claims"
    " FROM image i LEFT JOIN slot a ON a.key = i.number * 16 + 0"
    " LEFT JOIN slot b ON b.key = i.number * 16 + 1 LEFT JOIN slot c ON c.key = i.number * 16 + 2"
    " LEFT JOIN slot d ON d.key = i.number * 16 + 3"
    " WHERE i.project = ?1 AND i.number > ?2 ORDER BY i.number LIMIT ?3";

static int read_claims(struct query *q, struct ids claims[SOURCE_COUNT], store_image_claims_fn fn,
    void *ctx, struct err *err)
{
    uint32_t number = query_id(q, 0);

    if (query_check(q, err) < 0)
        return -1;
    for (int source = 0; source < SOURCE_COUNT; source++) {
        claims[source].count = 0;
        if (sqlite3_column_type(q->stmt, 1 + source) != SQLITE_NULL &&
            query_ids(q, 1 + source, &claims[source], err) < 0)
            return -1;
    }
    return fn(ctx, number, claims, err);
}

int store_each_image_claims(struct store *store, uint32_t project, uint32_t after, size_t limit,
    store_image_claims_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct ids claims[SOURCE_COUNT] = {0};
    struct query q CLEANUP(query_end) = {0};
    int step, enough = 0;

    if (!conn || query_begin(&q, conn, STATEMENT_EACH_IMAGE_CLAIMS, each_claims_sql,
                     "reading images", err) < 0)
        return -1;
    query_bind_int(&q, 1, project);
    query_bind_int(&q, 2, after);
    query_bind_int(&q, 3, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (!enough && (step = query_step(&q, err)) > 0)
        enough = read_claims(&q, claims, fn, ctx, err);
    for (int source = 0; source < SOURCE_COUNT; source++)
        ids_release(&claims[source]);
    return enough < 0 ? -1 : enough ? 0 : step;
}
