/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores of older versions. version_1.sql is a whole one, written by the careen of that time, not
 * by the scripts of today: changing a script that was released shows here.
 */
#include "store_fixture.h"

#include <sqlite3.h>
#include <sys/stat.h>

/* What version_1.sql holds. */
enum { IMAGES = 2, CAUSES = 5, CLAIMS = 9, GONE = 2, GONE_CLAIMS = 4 };

static void path_in(const struct fixture *f, const char *name, char dst[512])
{
    snprintf(dst, 512, "%s/%s", f->dir, name);
}

static char *read_script(const char *name)
{
    char path[512];
    char *text = calloc(1, 1 << 16);
    FILE *file;
    size_t len;

    snprintf(path, sizeof(path), "%s/unit/store/%s", CAREEN_TEST_SOURCE_DIR, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(text);
    len = fread(text, 1, 1 << 16, file);
    assert_true(len > 0 && len < 1 << 16);
    fclose(file);
    return text;
}

static void run_sql(const char *path, const char *sql)
{
    char *why = NULL;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", path, why);
    sqlite3_close(db);
}

static void make_version_1(const struct fixture *f, const char *name, char path[512])
{
    char *script = read_script("version_1.sql");

    path_in(f, name, path);
    run_sql(path, script);
    free(script);
}

static int see_cause(void *ctx, const struct cause *cause, struct err *err)
{
    size_t *count = ctx;

    (void)err;
    ++*count;
    assert_int_equal(cause->number, *count);
    assert_int_equal(cause->decision, 0);
    assert_int_equal(cause->removal, REMOVAL_ASKED);
    if (*count == CAUSES) {
        assert_int_equal(cause->kind, CAUSE_IMAGE_REMOVED);
        assert_int_equal(cause->image, GONE);
        assert_int_equal(cause->removed.count, GONE_CLAIMS);
    }
    return 0;
}

static int see_decision(void *ctx, const struct decision *decision, struct err *err)
{
    size_t *count = ctx;

    (void)err;
    ++*count;
    assert_int_equal(decision->number, 1);
    assert_slice(decision->author, "anna");
    return 0;
}

static void add_decision(struct store *store)
{
    uint32_t vuln = put_name(store, "CVE-2024-1000") * 2, number = 0;
    struct decision decision = {.project = 1,
        .action = DECISION_IGNORE,
        .vulns = &vuln,
        .vuln_count = 1,
        .type = -1,
        .scope = DECISION_PROJECT,
        .image_type = -1,
        .author = SLICE("anna"),
        .created_ms = 1000};
    struct cause cause = {.kind = CAUSE_DECISION_PUT, .at_ms = 1000, .project = 1};
    struct err err;

    assert_ok(store_add_decision(store, &decision, &number, &err));
    cause.decision = number;
    assert_ok(store_add_cause(store, &cause, &err));
}

static int keep(void *ctx, struct slice key, struct err *err)
{
    (void)ctx;
    (void)key;
    (void)err;
    return 0;
}

/* Everything that a store of today can do. */
static void check_works(struct fixture *f)
{
    struct store_collected collected;
    struct store_stats stats;
    struct store *copy;
    size_t causes = 0, decisions = 0;
    char file[512], dir[512];
    struct err err;

    assert_ok(store_check(f->store, &err));
    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.schema_version, 2);
    assert_int_equal(stats.images, IMAGES);
    assert_int_equal(stats.claims, CLAIMS);
    assert_ok(store_each_cause(f->store, 0, 100, see_cause, &causes, &err));
    assert_int_equal(causes, CAUSES);

    begin(f->store);
    add_decision(f->store);
    commit(f->store);
    assert_bounds(f->store, 0, CAUSES + 1);
    assert_ok(store_each_decision(f->store, 1, true, 0, 10, see_decision, &decisions, &err));
    assert_int_equal(decisions, 1);

    /* What the removed image alone had. */
    assert_ok(store_collect(f->store, "test", &collected, &err));
    assert_int_equal(collected.claims, GONE_CLAIMS);
    assert_ok(store_check(f->store, &err));

    path_in(f, "backup", file);
    path_in(f, "restored", dir);
    assert_ok(store_backup(f->store, file, SLICE_NONE, &err));
    assert_ok(store_restore(file, dir, keep, NULL, &err));
    copy = store_open(dir, STORE_READ, &err);
    assert_non_null(copy);
    decisions = 0;
    assert_ok(store_each_decision(copy, 1, true, 0, 10, see_decision, &decisions, &err));
    assert_int_equal(decisions, 1);
    store_close(copy);
}

static void test_version_1(void **state)
{
    struct fixture *f = *state;
    char path[512];
    struct err err;

    make_version_1(f, "careen.db", path);
    assert_fails((f->store = store_open(f->dir, STORE_READ, &err)) ? 0 : -1, ERR_VERSION,
        "careen.db has schema version 1, and this careen");
    f->store = store_open(f->dir, STORE_WRITE, &err);
    if (!f->store)
        fail_msg("%s", err.message);
    check_works(f);
    store_close(f->store);
    f->store = store_open(f->dir, STORE_READ, &err); /* once is enough */
    assert_non_null(f->store);
}

/* A file of that time is restored as it is, and migrated like any other when it is first written.
 */
static void test_restored_version_1(void **state)
{
    struct fixture *f = *state;
    char file[512], dir[512];
    struct err err;

    make_version_1(f, "old", file);
    assert_ok(store_restore(file, f->dir, keep, NULL, &err));
    assert_fails((f->store = store_open(f->dir, STORE_READ, &err)) ? 0 : -1, ERR_VERSION,
        "schema version 1");
    f->store = store_open(f->dir, STORE_WRITE, &err);
    assert_non_null(f->store);
    check_works(f);

    run_sql(file, "CREATE TABLE decision (number INTEGER)"); /* version 1 had none */
    path_in(f, "new", dir);
    assert_fails(store_restore(file, dir, keep, NULL, &err), ERR_CORRUPT,
        "the table \"decision\" is none of Careen's");
    assert_int_equal(access(dir, F_OK), -1);
}

/* A migration that fails leaves the old version, whole. */
static void test_failed_migration(void **state)
{
    struct fixture *f = *state;
    char path[512];
    struct err err;

    make_version_1(f, "careen.db", path);
    run_sql(path, "ALTER TABLE cause ADD COLUMN removal INTEGER"); /* the last thing it adds */
    assert_fails((f->store = store_open(f->dir, STORE_WRITE, &err)) ? 0 : -1, ERR_IO,
        "making the tables: duplicate column name: removal");
    run_sql(path, "ALTER TABLE cause DROP COLUMN removal");
    f->store = store_open(f->dir, STORE_WRITE, &err);
    assert_non_null(f->store);
    check_works(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_version_1, setup_folder, teardown),
        cmocka_unit_test_setup_teardown(test_restored_version_1, setup_folder, teardown),
        cmocka_unit_test_setup_teardown(test_failed_migration, setup_folder, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
