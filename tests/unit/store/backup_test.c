/* SPDX-License-Identifier: Apache-2.0 */
/* Backup and restore: what is copied, and what is refused, with nothing left behind. */
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <signal.h>

/* What keep was given. */
struct kept {
    char key[128];
    int calls;
    bool refuse;
};

static int keep(void *ctx, struct slice key, struct err *err)
{
    struct kept *kept = ctx;

    kept->calls++;
    assert_true(slice_to_cstr(key, kept->key, sizeof(kept->key)));
    return kept->refuse ? err_set(err, ERR_CONFLICT, "another key is there") : 0;
}

/* A path in the fixture's folder; lives as long as the process. */
static const char *beside(const struct fixture *f, const char *name)
{
    static char paths[64][300];
    static size_t count;
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    assert_true(count < sizeof(paths) / sizeof(paths[0]));
    memcpy(paths[count], path, sizeof(path));
    return paths[count++];
}

static size_t entries(const char *dir)
{
    DIR *at = opendir(dir);
    size_t count = 0;

    assert_non_null(at);
    while (readdir(at))
        count++;
    closedir(at);
    return count - 2;
}

/* Does the file hold these bytes anywhere? */
static bool holds(const char *path, const char *text)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    struct slice all;
    char *bytes;
    bool found;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    all = (struct slice){bytes, (size_t)st.st_size};
    found = slice_contains(all, slice_of(text));
    free(bytes);
    return found;
}

static void fill(struct store *store)
{
    begin(store);
    for (int i = 0; i < 300; i++) {
        char name[32];

        snprintf(name, sizeof(name), "CVE-2024-%04d", i);
        put_name(store, name);
    }
    add_image(store, "11111111-1111-5111-8111-111111111111");
    commit(store);
}

static void test_there_and_back(void **state)
{
    struct fixture *f = *state;
    struct kept kept = {0};
    struct store_stats before, after;
    struct store *copy;
    struct stat st;
    struct err err;
    const char *file = beside(f, "backup"), *dir = beside(f, "new");

    fill(f->store);
    assert_ok(store_backup(f->store, file, SLICE("this is the key"), &err));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(holds(file, "this is the key"));
    assert_ok(store_restore(file, dir, keep, &kept, &err));
    assert_int_equal(kept.calls, 1);
    assert_string_equal(kept.key, "this is the key");
    assert_int_equal(entries(dir), 1);
    assert_false(holds(beside(f, "new/careen.db"), "this is the key"));
    assert_int_equal(stat(beside(f, "new/careen.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    copy = store_open(dir, STORE_READ, &err);
    assert_non_null(copy);
    assert_ok(store_stats(f->store, &before, &err));
    assert_ok(store_stats(copy, &after, &err));
    assert_int_equal(after.names, 300);
    assert_int_equal(after.images, before.images);
    assert_int_equal(after.schema_version, before.schema_version);
    store_close(copy);
    copy = store_open(dir, STORE_WRITE, &err);
    assert_non_null(copy);
    assert_ok(store_check(copy, &err));
    begin(copy); /* numbers go on where they stood */
    assert_int_equal(put_name(copy, "CVE-2024-9999"), 301);
    assert_int_equal(add_image(copy, "22222222-2222-5222-8222-222222222222"), 2);
    commit(copy);
    store_close(copy);
}

/* A backup is the state of one moment: what is being written is not in it, and goes on. */
static void test_beside_a_write(void **state)
{
    struct fixture *f = *state;
    struct store *other, *copy;
    struct kept kept = {0};
    struct store_stats stats;
    struct err err;

    fill(f->store);
    begin(f->store);
    put_name(f->store, "not committed");
    other = store_open(f->dir, STORE_READ, &err);
    assert_non_null(other);
    assert_ok(store_backup(other, beside(f, "backup"), SLICE_NONE, &err));
    store_close(other);
    commit(f->store);
    assert_ok(store_restore(beside(f, "backup"), beside(f, "new"), keep, &kept, &err));
    assert_string_equal(kept.key, "");
    copy = store_open(beside(f, "new"), STORE_READ, &err);
    assert_non_null(copy);
    assert_ok(store_stats(copy, &stats, &err));
    assert_int_equal(stats.names, 300);
    store_close(copy);
}

static void test_nothing_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct kept kept = {0};
    struct err err;
    size_t before;

    assert_ok(store_backup(f->store, beside(f, "backup"), SLICE_NONE, &err));
    before = entries(f->dir);
    assert_fails(store_backup(f->store, beside(f, "backup"), SLICE_NONE, &err), ERR_CONFLICT,
        "exists already");
    assert_fails(store_restore(beside(f, "backup"), f->dir, keep, &kept, &err), ERR_CONFLICT,
        "holds a store already (careen.db)");
    assert_int_equal(entries(f->dir), before);
    assert_int_equal(kept.calls, 0);

    /* A journal would be replayed into what is restored. */
    assert_int_equal(mkdir(beside(f, "new"), 0700), 0);
    close(open(beside(f, "new/careen.db-wal"), O_CREAT | O_WRONLY, 0600));
    assert_fails(store_restore(beside(f, "backup"), beside(f, "new"), keep, &kept, &err),
        ERR_CONFLICT, "careen.db-wal");
    unlink(beside(f, "new/careen.db-wal"));

    kept.refuse = true;
    assert_fails(store_restore(beside(f, "backup"), beside(f, "new"), keep, &kept, &err),
        ERR_CONFLICT, "another key");
    assert_int_equal(entries(beside(f, "new")), 0);
    assert_fails(store_restore(beside(f, "backup"), beside(f, "new2"), keep, &kept, &err),
        ERR_CONFLICT, "another key");
    assert_int_equal(access(beside(f, "new2"), F_OK), -1);
    kept.refuse = false;
    assert_ok(store_restore(beside(f, "backup"), beside(f, "new"), keep, &kept, &err));
}

static void write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static void refused(struct fixture *f, const char *file, enum err_code code, const char *text)
{
    struct kept kept = {0};
    struct err err;

    assert_fails(store_restore(file, beside(f, "new"), keep, &kept, &err), code, text);
    assert_non_null(strstr(err.message, file));
    assert_int_equal(kept.calls, 0);
    assert_int_equal(access(beside(f, "new"), F_OK), -1);
}

static void test_strange_files(void **state)
{
    struct fixture *f = *state;
    const char *file = beside(f, "strange");
    char text[4096];

    refused(f, file, ERR_NOT_FOUND, "cannot read");
    write_file(file, "", 0);
    refused(f, file, ERR_CORRUPT, "not a database");
    memset(text, 'x', sizeof(text));
    write_file(file, text, sizeof(text));
    refused(f, file, ERR_CORRUPT, "not a database");
    memcpy(text, "SQLite format 3", 16);
    write_file(file, text, sizeof(text));
    refused(f, file, ERR_CORRUPT, file);
    refused(f, f->dir, ERR_CORRUPT, "not a file");
}

static void run_sql(const char *path, const char *sql)
{
    char *why = NULL;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* Sound databases whose tables are not ours: whoever opens them runs what somebody else wrote. */
static void test_altered_tables(void **state)
{
    static const char *const changes[][2] = {
        {"CREATE TABLE more (x)", "the table \"more\" is none of Careen's"},
        {"CREATE VIEW v AS SELECT 1", "the view \"v\" is none of Careen's"},
        {"CREATE TRIGGER t AFTER INSERT ON image BEGIN DELETE FROM slot; END",
            "the trigger \"t\" is none of Careen's"},
        {"CREATE INDEX i ON image (abs(number))", "the index \"i\" is none of Careen's"},
        {"CREATE INDEX i ON backup (length(value))", "the index \"i\" is none of Careen's"},
        {"DROP TABLE slot", "the table \"slot\" is missing"},
        {"DROP INDEX decision_in_force", "the index \"decision_in_force\" is missing"},
        {"ALTER TABLE slot RENAME TO slots", "the table \"slot\" is missing"},
        {"ALTER TABLE slot RENAME COLUMN claims TO c", "the table \"slot\" is not as Careen"},
        {"ALTER TABLE slot ADD COLUMN more INTEGER", "the table \"slot\" is not as Careen"},
        {"DROP TABLE backup; CREATE VIEW backup AS SELECT 'secret.key' AS name, x'00' AS value",
            "the table \"backup\" is missing"},
        {"PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0,"
         " 'CREATE VIRTUAL TABLE v USING what(ever)')",
            "the table \"v\" is none of Careen's"},
        {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE slot"
         " USING what(ever)', rootpage = 0 WHERE name = 'slot'",
            "the table \"slot\" is not as Careen"},
        {"PRAGMA user_version = 1", "is not laid out as its version says"},
    };
    struct fixture *f = *state;
    const char *file = beside(f, "backup");
    struct err err;

    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        assert_ok(store_backup(f->store, file, SLICE("key"), &err));
        run_sql(file, changes[i][0]);
        refused(f, file, ERR_CORRUPT, changes[i][1]);
        unlink(file);
    }
}

static void test_open_folder(void **state)
{
    struct fixture *f = *state;
    const char *file = beside(f, "backup"), *dir = beside(f, "new");
    struct kept kept = {0};
    struct err err;

    assert_ok(store_backup(f->store, file, SLICE_NONE, &err));
    assert_int_equal(mkdir(dir, 0700), 0);
    for (mode_t open_to = 020; open_to; open_to = open_to == 020 ? 02 : 0) {
        assert_int_equal(chmod(dir, 0700 | open_to), 0);
        assert_fails(
            store_restore(file, dir, keep, &kept, &err), ERR_CONFLICT, "others may write to it");
        assert_non_null(strstr(err.message, "chmod 700 "));
        assert_int_equal(entries(dir), 0);
    }
    assert_int_equal(kept.calls, 0);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_ok(store_restore(file, dir, keep, &kept, &err));
}

/* A good backup cut off anywhere, or with the head of any page changed. */
static void test_damaged_backups(void **state)
{
    struct fixture *f = *state;
    const char *file = beside(f, "backup"), *bad = beside(f, "bad");
    struct stat st;
    struct err err;
    char *bytes;
    int fd, tries = 0;

    fill(f->store);
    assert_ok(store_backup(f->store, file, SLICE("key"), &err));
    fd = open(file, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    bytes = malloc((size_t)st.st_size);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    for (off_t cut = 17; cut < st.st_size; cut += 4096) {
        write_file(bad, bytes, (size_t)cut);
        refused(f, bad, ERR_CORRUPT, bad);
    }
    for (off_t page = 0; page < st.st_size; page += 4096, tries++) {
        off_t at = page ? page : 100; /* the first page begins with the file's head */
        char good[16];

        memcpy(good, bytes + at, sizeof(good));
        memset(bytes + at, 0x5a, sizeof(good));
        write_file(bad, bytes, (size_t)st.st_size);
        memcpy(bytes + at, good, sizeof(good));
        refused(f, bad, ERR_CORRUPT, bad);
    }
    assert_true(tries > 20);
    free(bytes);
}

/* The limit of a file's size stands for a full disk (tests/e2e has one). */
static void test_no_room(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, small = {.rlim_cur = 64 << 10, .rlim_max = RLIM_INFINITY};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    size_t there;
    struct kept kept = {0};
    struct err err;

    fill(f->store);
    assert_ok(store_backup(f->store, beside(f, "good"), SLICE_NONE, &err));
    there = entries(f->dir);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_fails(store_backup(f->store, beside(f, "backup"), SLICE_NONE, &err), ERR_IO,
        "cannot write the backup");
    assert_fails(store_restore(beside(f, "good"), beside(f, "new"), keep, &kept, &err), ERR_IO,
        "cannot write");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(entries(f->dir), there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_beside_a_write, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_replaced, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_strange_files, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_altered_tables, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_open_folder, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_backups, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_no_room, setup_store, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
