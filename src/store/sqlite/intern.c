/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Things stored once, by content: names, packages, records, claims. Each put looks in the cache,
 * then in the table, and then adds a row; the cache answers nearly all of them once the first
 * reports of a fleet are in.
 *
 * The content key is the first half of the SHA-256 over a kind byte and the fields, each behind its
 * length (schema.c says why it is enough). The tables of packages and records store it; for names
 * and claims it only serves the cache. Its form is part of the database: to change it is a
 * migration.
 */
#include "store/sqlite/sqlite_store.h"

#include "codec/hash.h"

/* --- Content keys: built in store->scratch ---------------------------------------------------- */

static void key_begin(struct store *store, char kind)
{
    buf_clear(&store->scratch);
    buf_put_char(&store->scratch, kind);
}

static void key_u32(struct store *store, uint32_t value)
{
    const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8),
        (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

    buf_put(&store->scratch, bytes, sizeof(bytes));
}

static void key_text(struct store *store, struct slice text)
{
    key_u32(store, (uint32_t)text.len);
    buf_put_slice(&store->scratch, text);
}

static int key_end(struct store *store, unsigned char ret[CONTENT_KEY_BYTES], struct err *err)
{
    unsigned char digest[SHA256_BYTES];

    if (buf_check(&store->scratch, "the content to be stored", err) < 0)
        return -1;
    sha256(buf_slice(&store->scratch), digest);
    memcpy(ret, digest, CONTENT_KEY_BYTES);
    return 0;
}

static struct slice key_slice(const unsigned char *key)
{
    return (struct slice){(const char *)key, CONTENT_KEY_BYTES};
}

/* The id that a bound SELECT finds: 1 found, 0 none, -1. */
static int find_id(struct query *q, uint32_t *ret, struct err *err)
{
    int found = query_step(q, err);
    uint32_t id;

    if (found <= 0)
        return found;
    id = query_id(q, 0);
    if (query_check(q, err) < 0)
        return -1;
    *ret = id;
    return 1;
}

/* Runs a bound INSERT and gives the new id. */
static int add_row(struct query *q, uint32_t *ret, struct err *err)
{
    if (query_run(q, err) < 0)
        return -1;
    *ret = (uint32_t)sqlite3_last_insert_rowid(q->conn->db);
    return 0;
}

/* --- Names ------------------------------------------------------------------------------------ */

static int find_name(struct conn *conn, struct slice name, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_FIND_NAME, "SELECT id FROM name WHERE text = ?1",
            "looking up a name", err) < 0)
        return -1;
    query_bind_text(&q, 1, name);
    return find_id(&q, ret, err);
}

static int add_name(struct conn *conn, struct slice name, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_ADD_NAME, "INSERT INTO name (text) VALUES (?1)",
            "storing a name", err) < 0)
        return -1;
    query_bind_text(&q, 1, name);
    return add_row(&q, ret, err);
}

int store_put_name(struct store *store, struct slice name, uint32_t *ret, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    unsigned char key[CONTENT_KEY_BYTES];
    uint32_t id;
    int found;

    if (!conn)
        return -1;
    key_begin(store, 'n');
    key_text(store, name);
    if (key_end(store, key, err) < 0)
        return -1;
    id = id_cache_find(&store->cache, key);
    if (id == MAP_NONE) {
        found = find_name(conn, name, &id, err);
        if (found < 0 || (found == 0 && add_name(conn, name, &id, err) < 0))
            return -1;
        id_cache_add(&store->cache, key, id);
    }
    *ret = id;
    return 0;
}

/* --- Packages --------------------------------------------------------------------------------- */

enum { PACKAGE_FIELDS = 9 };

static void package_fields(const struct package *package, struct slice ret[PACKAGE_FIELDS])
{
    const struct slice fields[PACKAGE_FIELDS] = {package->ecosystem, package->release,
        package->channel, package->name, package->version, package->arch, package->module,
        package->source_name, package->source_version};

    memcpy(ret, fields, sizeof(fields));
}

static int find_package(struct conn *conn, const unsigned char *key, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_FIND_PACKAGE, "SELECT id FROM package WHERE key = ?1",
            "looking up a package", err) < 0)
        return -1;
    query_bind_blob(&q, 1, key_slice(key));
    return find_id(&q, ret, err);
}

static int add_package(struct conn *conn, const unsigned char *key,
    const struct slice fields[PACKAGE_FIELDS], uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_ADD_PACKAGE,
            "INSERT INTO package (key, ecosystem, release, channel, name, version, arch, module,"
            " source_name, source_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            "storing a package", err) < 0)
        return -1;
    query_bind_blob(&q, 1, key_slice(key));
    for (int i = 0; i < PACKAGE_FIELDS; i++)
        query_bind_text(&q, i + 2, fields[i]);
    return add_row(&q, ret, err);
}

int store_put_package(
    struct store *store, const struct package *package, uint32_t *ret, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct slice fields[PACKAGE_FIELDS];
    unsigned char key[CONTENT_KEY_BYTES];
    uint32_t id;
    int found;

    if (!conn)
        return -1;
    package_fields(package, fields);
    key_begin(store, 'p');
    for (size_t i = 0; i < PACKAGE_FIELDS; i++)
        key_text(store, fields[i]);
    if (key_end(store, key, err) < 0)
        return -1;
    id = id_cache_find(&store->cache, key);
    if (id == MAP_NONE) {
        found = find_package(conn, key, &id, err);
        if (found < 0 || (found == 0 && add_package(conn, key, fields, &id, err) < 0))
            return -1;
        id_cache_add(&store->cache, key, id);
    }
    *ret = id;
    return 0;
}

/* --- Records ---------------------------------------------------------------------------------- */

/* Appends a list to the scratch and returns its place there. */
static int encode_names(
    struct store *store, const uint32_t *at, size_t count, size_t *ret_from, struct err *err)
{
    if (count > LIMIT_RECORD_NAMES)
        return err_set(err, ERR_LIMIT,
            "a vulnerability record has %zu aliases or covered ids; the limit is %d", count,
            LIMIT_RECORD_NAMES);
    *ret_from = store->scratch.len;
    store->scratch_ids.count = 0;
    if (ids_append(&store->scratch_ids, at, count, err) < 0)
        return -1;
    idlist_encode(&store->scratch, &store->scratch_ids);
    return 0;
}

/* A record as its row has it. */
struct record_row {
    uint32_t name;
    enum source source;
    struct slice aliases, covers;
};

static void bind_record(struct query *q, const struct record_row *row)
{
    query_bind_int(q, 1, row->name);
    query_bind_int(q, 2, row->source);
    query_bind_blob(q, 3, row->aliases);
    query_bind_blob(q, 4, row->covers);
}

static int find_record(
    struct conn *conn, const struct record_row *row, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_FIND_RECORD,
            "SELECT id FROM record WHERE name = ?1 AND source = ?2 AND aliases = ?3 AND covers = "
            "?4",
            "looking up a vulnerability record", err) < 0)
        return -1;
    bind_record(&q, row);
    return find_id(&q, ret, err);
}

static int add_record(
    struct conn *conn, const struct record_row *row, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_ADD_RECORD,
            "INSERT INTO record (name, source, aliases, covers) VALUES (?1, ?2, ?3, ?4)",
            "storing a vulnerability record", err) < 0)
        return -1;
    bind_record(&q, row);
    return add_row(&q, ret, err);
}

int store_put_record(
    struct store *store, const struct record *record, uint32_t *ret, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct record_row row = {.name = record->name, .source = record->source};
    unsigned char key[CONTENT_KEY_BYTES];
    size_t aliases_at, covers_at;
    uint32_t id;
    int found;

    if (!conn)
        return -1;
    key_begin(store, 'r');
    key_u32(store, record->source);
    key_u32(store, record->name);
    if (encode_names(store, record->aliases, record->alias_count, &aliases_at, err) < 0 ||
        encode_names(store, record->covers, record->cover_count, &covers_at, err) < 0 ||
        key_end(store, key, err) < 0)
        return -1;
    id = id_cache_find(&store->cache, key);
    if (id == MAP_NONE) {
        row.aliases = slice_sub(buf_slice(&store->scratch), aliases_at, covers_at - aliases_at);
        row.covers = slice_skip(buf_slice(&store->scratch), covers_at);
        found = find_record(conn, &row, &id, err);
        if (found < 0 || (found == 0 && add_record(conn, &row, &id, err) < 0))
            return -1;
        id_cache_add(&store->cache, key, id);
    }
    *ret = id;
    return 0;
}

/* --- Claims ----------------------------------------------------------------------------------- */

/* The record's name into *ret_name, its aliases into the scratch ids. */
static int read_record_names(
    struct store *store, uint32_t record, uint32_t *ret_name, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    uint32_t name;
    int found;

    if (query_begin(&q, &store->writing, STATEMENT_GET_RECORD,
            "SELECT name, aliases FROM record WHERE id = ?1", "reading a vulnerability record",
            err) < 0)
        return -1;
    query_bind_int(&q, 1, record);
    found = query_step(&q, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(err, ERR_INVALID, "a claim names record %u, which is not stored", record);
    name = query_id(&q, 0);
    if (query_ids(&q, 1, &store->scratch_ids, err) < 0)
        return -1;
    *ret_name = name;
    return 0;
}

static int find_claim(
    struct conn *conn, const struct claim *claim, uint32_t name, uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_FIND_CLAIM,
            "SELECT id FROM claim WHERE package = ?1 AND name = ?2 AND record = ?3"
            " AND severity = ?4 AND type = ?5 AND fixed_version = ?6",
            "looking up a claim", err) < 0)
        return -1;
    query_bind_int(&q, 1, claim->package);
    query_bind_int(&q, 2, name);
    query_bind_int(&q, 3, claim->record);
    query_bind_int(&q, 4, claim->severity);
    query_bind_int(&q, 5, claim->type);
    query_bind_text(&q, 6, claim->fixed_version);
    return find_id(&q, ret, err);
}

/* Lowers *known_ms to the earliest time that a claim of this package was known under this name: a
 * range of the unique index, so it costs the claims of that pair, not those of the package. */
static int lower_known(
    struct conn *conn, uint32_t package, uint32_t name, int64_t *known_ms, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int64_t earliest;

    if (query_begin(&q, conn, STATEMENT_CLAIM_KNOWN,
            "SELECT ifnull(min(known_ms), 9223372036854775807) FROM claim"
            " WHERE package = ?1 AND name = ?2",
            "looking up when a claim was first made", err) < 0)
        return -1;
    query_bind_int(&q, 1, package);
    query_bind_int(&q, 2, name);
    if (query_step(&q, err) < 0)
        return -1;
    earliest = query_int(&q, 0);
    if (earliest < *known_ms)
        *known_ms = earliest;
    return 0;
}

static int add_claim(struct store *store, const struct claim *claim, uint32_t name, int64_t now_ms,
    uint32_t *ret, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    struct conn *conn = &store->writing;
    int64_t known_ms = now_ms;

    if (lower_known(conn, claim->package, name, &known_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < store->scratch_ids.count; i++)
        if (lower_known(conn, claim->package, store->scratch_ids.at[i], &known_ms, err) < 0)
            return -1;
    if (query_begin(&q, conn, STATEMENT_ADD_CLAIM,
            "INSERT INTO claim (package, name, record, severity, type, fixed_version, known_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            "storing a claim", err) < 0)
        return -1;
    query_bind_int(&q, 1, claim->package);
    query_bind_int(&q, 2, name);
    query_bind_int(&q, 3, claim->record);
    query_bind_int(&q, 4, claim->severity);
    query_bind_int(&q, 5, claim->type);
    query_bind_text(&q, 6, claim->fixed_version);
    query_bind_int(&q, 7, known_ms);
    return add_row(&q, ret, err);
}

int store_put_claim(
    struct store *store, const struct claim *claim, int64_t now_ms, uint32_t *ret, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    unsigned char key[CONTENT_KEY_BYTES];
    uint32_t id, name = 0;
    int found;

    if (!conn)
        return -1;
    key_begin(store, 'c');
    key_u32(store, claim->package);
    key_u32(store, claim->record);
    key_u32(store, claim->type);
    key_u32(store, claim->severity);
    key_text(store, claim->fixed_version);
    if (key_end(store, key, err) < 0)
        return -1;
    id = id_cache_find(&store->cache, key);
    if (id == MAP_NONE) {
        if (read_record_names(store, claim->record, &name, err) < 0)
            return -1;
        found = find_claim(conn, claim, name, &id, err);
        if (found < 0 || (found == 0 && add_claim(store, claim, name, now_ms, &id, err) < 0))
            return -1;
        id_cache_add(&store->cache, key, id);
    }
    *ret = id;
    return 0;
}
