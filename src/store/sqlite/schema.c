/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, and how a database gets from one version to the next: a table of scripts, the n-th of
 * which leads from version n to n + 1 (0 is the empty file). A script that was released is never
 * changed; a change of the tables is a new script behind it. All that are due run in one
 * transaction, so a crash leaves the old version or the new one.
 *
 * Sizes matter here: a fleet of 100,000 images is 100,000 rows of image and slot, so those carry no
 * index that a verb does not need, and sets are blobs (codec/idlist.h).
 */
#include "store/sqlite/sqlite_store.h"

#include "base/bug.h"
#include "base/clock.h"

enum { APPLICATION_ID = 0x4361726e }; /* "Carn" */

/*
 * Ids. AUTOINCREMENT where rows are deleted, so that a number is never used twice. Numbers stay
 * below 2^32 - 2; those of names below 2^31 - 2, because vuln_number() doubles them.
 *
 * Keys. package.key is the first 16 bytes of the SHA-256 over the length-prefixed fields: a unique
 * index over nine texts would store every package twice. 128 bits of it are enough: by chance two
 * of 2^32 rows collide once in 2^64 stores, and on purpose at the cost of 2^64 hashes. Hashes
 * scatter over the whole index, though, so each new row dirties a page of its own; records and
 * claims are short enough to be their own keys, and theirs begin with ids, which keeps what came
 * together together. The claims' begins with (package, name): that is also what the search for the
 * earliest known_ms goes by.
 *
 * granted.project is NULL where it is every project, so that all others are checked to be stored.
 *
 * claim.name repeats record.name (which never changes) for that search. slot.key is image * 16 +
 * source: one integer instead of an index of its own. image.id and the digests are packed
 * (image_row.c), hence ANY. The sets of a decision are blobs (decision.c); outcome is its enum
 * decision_end.
 */
static const char schema_1[] =
    "CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO state VALUES ('log_trimmed', 0);"

    "CREATE TABLE project (number INTEGER PRIMARY KEY CHECK (number < 4294967294),"
    " id TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER NOT NULL DEFAULT 0) STRICT;"

    "CREATE TABLE token (number INTEGER PRIMARY KEY CHECK (number < 4294967294),"
    " project INTEGER NOT NULL REFERENCES project, role INTEGER NOT NULL,"
    " hash BLOB NOT NULL UNIQUE,"
    " label TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER NOT NULL) STRICT;"

    "CREATE TABLE user (number INTEGER PRIMARY KEY CHECK (number < 4294967294),"
    " name TEXT NOT NULL UNIQUE, password TEXT NOT NULL, generation INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL) STRICT;"

    "CREATE TABLE access_key (number INTEGER PRIMARY KEY CHECK (number < 4294967294),"
    " user INTEGER NOT NULL REFERENCES user, ak TEXT NOT NULL UNIQUE, sealed_sk BLOB NOT NULL,"
    " label TEXT NOT NULL, created_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL) STRICT;"

    "CREATE TABLE granted (user INTEGER NOT NULL REFERENCES user,"
    " project INTEGER REFERENCES project, enterprise_project TEXT NOT NULL,"
    " role INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX granted_once ON granted (user, ifnull(project, 0), enterprise_project);"

    "CREATE TABLE name (id INTEGER PRIMARY KEY CHECK (id < 2147483646),"
    " text TEXT NOT NULL UNIQUE) STRICT;"

    "CREATE TABLE package (id INTEGER PRIMARY KEY CHECK (id < 4294967294),"
    " key BLOB NOT NULL UNIQUE, ecosystem TEXT NOT NULL, release TEXT NOT NULL,"
    " channel TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, arch TEXT NOT NULL,"
    " module TEXT NOT NULL, source_name TEXT NOT NULL, source_version TEXT NOT NULL) STRICT;"

    "CREATE TABLE record (id INTEGER PRIMARY KEY CHECK (id < 4294967294),"
    " name INTEGER NOT NULL REFERENCES name, source INTEGER NOT NULL, aliases BLOB NOT NULL,"
    " covers BLOB NOT NULL, UNIQUE (name, source, aliases, covers)) STRICT;"

    "CREATE TABLE claim (id INTEGER PRIMARY KEY CHECK (id < 4294967294),"
    " package INTEGER NOT NULL REFERENCES package, name INTEGER NOT NULL REFERENCES name,"
    " record INTEGER NOT NULL REFERENCES record, severity INTEGER NOT NULL,"
    " type INTEGER NOT NULL, fixed_version TEXT NOT NULL, known_ms INTEGER NOT NULL,"
    " UNIQUE (package, name, record, severity, type, fixed_version)) STRICT;"

    "CREATE TABLE image (number INTEGER PRIMARY KEY AUTOINCREMENT CHECK (number < 4294967294),"
    " project INTEGER NOT NULL REFERENCES project, id ANY NOT NULL, line BLOB NOT NULL,"
    " latest INTEGER NOT NULL, assessment INTEGER NOT NULL, type INTEGER NOT NULL,"
    " enterprise_project TEXT NOT NULL, registry_type TEXT NOT NULL,"
    " registry_name TEXT NOT NULL, organization TEXT NOT NULL, cluster_id TEXT NOT NULL,"
    " cluster_name TEXT NOT NULL, agent_id TEXT NOT NULL, pipeline TEXT NOT NULL,"
    " containers INTEGER NOT NULL, multi_arch INTEGER NOT NULL, name TEXT NOT NULL,"
    " tag TEXT NOT NULL, digest ANY NOT NULL, config_digest ANY NOT NULL,"
    " os_release TEXT NOT NULL, architecture TEXT NOT NULL, size_bytes INTEGER NOT NULL,"
    " first_seen_ms INTEGER NOT NULL, latest_scan_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX image_id ON image (id);"
    "CREATE INDEX image_line ON image (line, latest);"
    "CREATE INDEX image_project ON image (project);"

    "CREATE TABLE slot (key INTEGER PRIMARY KEY, complete INTEGER NOT NULL,"
    " scanned_ms INTEGER NOT NULL, packages BLOB NOT NULL, claims BLOB NOT NULL) STRICT;"

    "CREATE TABLE cause (number INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, project INTEGER NOT NULL, image INTEGER NOT NULL,"
    " added BLOB NOT NULL, removed BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX cause_scanned ON cause (image) WHERE kind = 2;";

/* Decisions. A cause of before was of an image, and whatever it removed was asked for. */
static const char schema_2[] =
    "CREATE TABLE decision (number INTEGER PRIMARY KEY AUTOINCREMENT"
    " CHECK (number < 4294967294), project INTEGER NOT NULL REFERENCES project,"
    " action INTEGER NOT NULL, vulns BLOB NOT NULL, type INTEGER NOT NULL, package TEXT NOT NULL,"
    " scope INTEGER NOT NULL, place TEXT NOT NULL, images BLOB NOT NULL,"
    " image_type INTEGER NOT NULL, enterprise_projects BLOB NOT NULL, author TEXT NOT NULL,"
    " reason TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL, outcome INTEGER NOT NULL, ended_by TEXT NOT NULL) STRICT;"
    "CREATE INDEX decision_project ON decision (project);"
    "CREATE INDEX decision_in_force ON decision (project) WHERE outcome = 0;"

    "ALTER TABLE cause ADD COLUMN decision INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cause ADD COLUMN removal INTEGER NOT NULL DEFAULT 0;";

static const char *const scripts[] = {schema_1, schema_2};

uint32_t schema_version(void)
{
    return (uint32_t)(sizeof(scripts) / sizeof(*scripts));
}

int store_missing(const char *dir, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND,
        "there is no store in %s: run `careen import` or `careen serve` to make one", dir);
}

/* Whose database, and of which version. A file that has no tables yet is nobody's: a creation that
 * was cut short leaves one. */
struct identity {
    int64_t application, version, tables;
};

static int identify(struct conn *conn, struct identity *ret, struct err *err)
{
    struct identity found;

    if (conn_get_int(conn, "PRAGMA application_id", &found.application, err) < 0 ||
        conn_get_int(conn, "PRAGMA user_version", &found.version, err) < 0 ||
        conn_get_int(conn, "SELECT count(*) FROM sqlite_schema", &found.tables, err) < 0)
        return -1;
    *ret = found;
    return 0;
}

/* All three from one moment: another process may be making the tables just now. */
static int identify_once(struct conn *conn, struct identity *ret, struct err *err)
{
    int result;

    if (conn_exec(conn, "BEGIN", "opening the store", err) < 0)
        return -1;
    result = identify(conn, ret, err);
    sqlite3_exec(conn->db, "COMMIT", NULL, NULL, NULL);
    return result;
}

static bool is_empty(const struct identity *found)
{
    return found->application == 0 && found->version == 0 && found->tables == 0;
}

static int refuse_foreign(struct conn *conn, const struct identity *found, struct err *err)
{
    const char *file = conn->store->file;

    if (is_empty(found))
        return 0;
    if (found->application != APPLICATION_ID)
        return err_set(err, ERR_CORRUPT,
            "%s is not a store of Careen (application id %lld, not %d); "
            "restore a backup, or name another data folder",
            file, (long long)found->application, APPLICATION_ID);
    if (found->version < 1)
        return err_set(err, ERR_CORRUPT,
            "%s has the impossible schema version %lld; "
            "restore a backup of the data folder",
            file, (long long)found->version);
    if (found->version > schema_version())
        return err_set(err, ERR_VERSION,
            "%s has schema version %lld, and this careen (%s) knows versions up to %u; "
            "run the newer careen that wrote it, or restore a backup made before the upgrade",
            file, (long long)found->version, CAREEN_VERSION, schema_version());
    return 0;
}

int schema_make(struct conn *conn, int64_t from, int64_t to, struct err *err)
{
    BUG_ON(from < 0 || to > schema_version());
    for (int64_t version = from; version < to; version++)
        if (conn_exec(conn, scripts[version], "making the tables", err) < 0)
            return -1;
    return 0;
}

static int migrate(struct conn *conn, int64_t from, struct err *err)
{
    char sql[192];

    if (schema_make(conn, from, schema_version(), err) < 0)
        return -1;
    if (from == 0) {
        snprintf(sql, sizeof(sql),
            "PRAGMA application_id = %d; INSERT INTO project (id, created_ms) VALUES ('default', "
            "%lld)",
            APPLICATION_ID, (long long)clock_now_ms());
        if (conn_exec(conn, sql, "making the tables", err) < 0)
            return -1;
    }
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %u", schema_version());
    return conn_exec(conn, sql, "making the tables", err);
}

/* Looks again once it holds the write lock: another process may have done the work meanwhile. */
static int migrate_locked(struct conn *conn, enum store_mode mode, struct err *err)
{
    struct identity found;

    if (identify(conn, &found, err) < 0 || refuse_foreign(conn, &found, err) < 0)
        return -1;
    if (is_empty(&found) && mode != STORE_CREATE)
        return store_missing(conn->store->dir, err);
    if (found.version < schema_version() && migrate(conn, found.version, err) < 0)
        return -1;
    return conn_exec(conn, "COMMIT", "making the tables", err);
}

static int refuse_older(struct conn *conn, const struct identity *found, struct err *err)
{
    if (is_empty(found))
        return store_missing(conn->store->dir, err);
    return err_set(err, ERR_VERSION,
        "%s has schema version %lld, and this careen (%s) reads version %u; "
        "run `careen serve` or `careen import` once to bring it up to date",
        conn->store->file, (long long)found->version, CAREEN_VERSION, schema_version());
}

int schema_refuse_foreign(struct conn *conn, struct err *err)
{
    struct identity found;

    return identify_once(conn, &found, err) < 0 ? -1 : refuse_foreign(conn, &found, err);
}

int schema_prepare(struct conn *conn, enum store_mode mode, struct err *err)
{
    struct identity found;
    int result;

    if (identify_once(conn, &found, err) < 0 || refuse_foreign(conn, &found, err) < 0)
        return -1;
    if (found.version == schema_version())
        return 0;
    if (mode == STORE_READ)
        return refuse_older(conn, &found, err);
    if (conn_exec(conn, "BEGIN IMMEDIATE", "making the tables", err) < 0)
        return -1;
    result = migrate_locked(conn, mode, err);
    if (result < 0 && !sqlite3_get_autocommit(conn->db))
        sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL);
    return result;
}
