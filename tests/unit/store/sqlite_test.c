/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is SQLite's own: the files and their modes, whose database and of which version it is,
 * damage, folders that cannot be written, a full disk, a writer that is killed.
 *
 * Mounts are made in a child with a mount namespace of its own, so that they go with it; where that
 * is not allowed those tests are skipped.
 */
#include "store_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *path_in(const struct fixture *f, const char *name, char dst[512])
{
    snprintf(dst, 512, "%s/%s", f->dir, name);
    return dst;
}

static void run_sql(const struct fixture *f, const char *sql)
{
    char path[512];
    char *why = NULL;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path_in(f, "careen.db", path), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

static void close_store(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

#define assert_open_fails(f, mode, code, text) \
    assert_fails((f->store = store_open((f)->dir, mode, &err)) ? 0 : -1, code, text)

static void fill(struct store *store, const char *prefix, int count)
{
    char name[64];

    begin(store);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s-%d", prefix, i);
        put_name(store, name);
    }
    commit(store);
}

static uint64_t count_names(struct store *store)
{
    struct store_stats stats;
    struct err err;

    assert_ok(store_stats(store, &stats, &err));
    return stats.names;
}

/* --- Files ---------------------------------------------------------------------------------------
 */

static void test_missing(void **state)
{
    struct fixture *f = *state;
    char path[512];
    int fd;
    struct err err;

    assert_open_fails(f, STORE_READ, ERR_NOT_FOUND, "careen import");
    assert_open_fails(f, STORE_WRITE, ERR_NOT_FOUND, f->dir);
    assert_int_equal(access(path_in(f, "careen.db", path), F_OK), -1);

    /* A creation that was cut short leaves an empty file. */
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_open_fails(f, STORE_READ, ERR_NOT_FOUND, "careen import");
    assert_open_fails(f, STORE_WRITE, ERR_NOT_FOUND, "careen import");
    f->store = store_open(f->dir, STORE_CREATE, &err);
    assert_non_null(f->store);
    reopen(f);
}

static mode_t mode_of(const struct fixture *f, const char *name)
{
    struct stat st;
    char path[512];

    assert_int_equal(stat(path_in(f, name, path), &st), 0);
    return st.st_mode & 07777;
}

static void test_modes(void **state)
{
    struct fixture *f = *state;
    mode_t mask = umask(0);
    struct err err;

    assert_int_equal(rmdir(f->dir), 0);
    f->store = store_open(f->dir, STORE_CREATE, &err);
    assert_non_null(f->store);
    fill(f->store, "a", 1);
    umask(mask);
    assert_int_equal(mode_of(f, ""), 0700);
    assert_int_equal(mode_of(f, "careen.db"), 0600);
    assert_int_equal(mode_of(f, "careen.db-wal"), 0600);
    assert_int_equal(mode_of(f, "writer"), 0600);
}

static void test_place_is_taken(void **state)
{
    struct fixture *f = *state;
    char path[512], below[600];
    struct err err;

    assert_int_equal(mkdir(path_in(f, "careen.db", path), 0700), 0);
    assert_open_fails(f, STORE_CREATE, ERR_CORRUPT, "not a file");
    snprintf(below, sizeof(below), "%s/a/b/c", f->dir);
    assert_fails(store_open(below, STORE_CREATE, &err) ? 0 : -1, ERR_NOT_FOUND, "a/b/c");
}

/* What is written to a file that has gone is lost: it must not be taken for stored. */
static void test_file_replaced(void **state)
{
    struct fixture *f = *state;
    char path[512], aside[512];
    uint64_t version;
    struct err err;

    path_in(f, "careen.db", path);
    path_in(f, "aside.db", aside);
    assert_int_equal(rename(path, aside), 0);
    assert_fails(store_begin(f->store, "test", &err), ERR_CORRUPT, "removed or replaced");
    assert_fails(store_data_version(f->store, &version, &err), ERR_CORRUPT, "careen.db");
    assert_int_equal(rename(aside, path), 0);
    assert_ok(store_begin(f->store, "test", &err));
    store_rollback(f->store);
}

/* --- Whose, and which version
 * ---------------------------------------------------------------------- */

static void test_newer_version(void **state)
{
    struct fixture *f = *state;
    struct err err;

    close_store(f);
    run_sql(f, "PRAGMA user_version = 99");
    assert_open_fails(f, STORE_WRITE, ERR_VERSION, "version 99");
    assert_open_fails(f, STORE_READ, ERR_VERSION, "versions up to 2");
    assert_open_fails(f, STORE_CREATE, ERR_VERSION, "newer careen");
}

static void test_foreign_database(void **state)
{
    struct fixture *f = *state;
    struct err err;

    close_store(f);
    run_sql(f, "PRAGMA application_id = 4711");
    assert_open_fails(f, STORE_WRITE, ERR_CORRUPT, "application id 4711");
    assert_open_fails(f, STORE_READ, ERR_CORRUPT, "careen.db");
    run_sql(f, "PRAGMA application_id = 0"); /* tables of somebody else's, without an id */
    assert_open_fails(f, STORE_CREATE, ERR_CORRUPT, "not a store of Careen");
}

static void test_not_a_database(void **state)
{
    struct fixture *f = *state;
    char path[512], garbage[8192];
    int fd = open(path_in(f, "careen.db", path), O_CREAT | O_WRONLY, 0600);
    struct err err;

    memset(garbage, 'x', sizeof(garbage));
    assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
    close(fd);
    assert_open_fails(f, STORE_CREATE, ERR_CORRUPT, "careen.db");
    assert_open_fails(f, STORE_READ, ERR_CORRUPT, "restore a backup");
}

/* --- Damage
 * ---------------------------------------------------------------------------------------- */

static int ignore_name(void *ctx, uint32_t id, struct slice name, struct err *err)
{
    (void)ctx;
    (void)id;
    (void)name;
    (void)err;
    return 0;
}

static void test_damaged_pages(void **state)
{
    struct fixture *f = *state;
    char path[512], noise[8192];
    struct stat st;
    int fd;
    struct err err;

    fill(f->store, "some-longer-name-to-fill-pages", 5000);
    close_store(f);
    assert_int_equal(stat(path_in(f, "careen.db", path), &st), 0);
    memset(noise, 0xa5, sizeof(noise));
    fd = open(path, O_WRONLY);
    for (off_t at = st.st_size / 2; at < st.st_size; at += (off_t)sizeof(noise))
        assert_int_equal(pwrite(fd, noise, sizeof(noise), at / 8192 * 8192), sizeof(noise));
    close(fd);
    f->store = store_open(f->dir, STORE_WRITE, &err);
    assert_non_null(f->store);
    assert_fails(store_check(f->store, &err), ERR_CORRUPT, "careen.db");
    assert_fails(store_each_name(f->store, 0, ignore_name, NULL, &err), ERR_CORRUPT, "backup");
}

static int ignore_image(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    (void)ctx;
    (void)image;
    (void)slots;
    (void)err;
    return 0;
}

/* Values that pages hold soundly, but that we never wrote. */
static void test_damaged_values(void **state)
{
    static const char *const damages[] = {
        "UPDATE image SET type = 9",
        "UPDATE image SET latest = 2",
        "UPDATE image SET digest = x'0102'",
        "UPDATE slot SET packages = x'ff'",
        "UPDATE slot SET claims = x'0203'",
        "UPDATE slot SET claims = x'0000'",
        "UPDATE slot SET complete = -1",
    };
    struct fixture *f = *state;
    struct slot slot = {.source = SOURCE_TRIVY, .scanned_ms = 1};
    struct image image;
    uint32_t number = 0;
    struct err err;

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        image = make_image("a", "nginx");
        begin(f->store);
        assert_ok(store_add_image(f->store, &image, line_a, &number, &err));
        assert_ok(store_put_slot(f->store, number, &slot, &err));
        commit(f->store);
        assert_ok(store_each_image(f->store, 1, 0, 10, ignore_image, NULL, &err));
        run_sql(f, damages[i]);
        assert_fails(store_each_image(f->store, 1, 0, 10, ignore_image, NULL, &err), ERR_CORRUPT,
            "careen.db");
        begin(f->store);
        assert_ok(store_remove_image(f->store, number, &err));
        commit(f->store);
    }
}

/* --- Ceilings
 * ---------------------------------------------------------------------------------------- */

static void test_ids_end(void **state)
{
    struct fixture *f = *state;
    struct package package = {.name = SLICE("b")};
    struct image image = make_image("b", "nginx");
    uint32_t id = 0;
    struct err err;

    begin(f->store);
    add_image(f->store, "a");
    commit(f->store);
    close_store(f);
    run_sql(f,
        "INSERT INTO name VALUES (2147483645, 'last');"
        "UPDATE sqlite_sequence SET seq = 4294967292 WHERE name = 'image';"
        "INSERT INTO package VALUES (4294967293, x'00', '', '', '', '', '', '', '', '', '')");
    f->store = store_open(f->dir, STORE_WRITE, &err);
    assert_non_null(f->store);
    begin(f->store);
    assert_int_equal(put_name(f->store, "last"), 2147483645);
    assert_fails(store_put_name(f->store, SLICE("one too many"), &id, &err), ERR_LIMIT, "name");
    assert_fails(store_put_package(f->store, &package, &id, &err), ERR_LIMIT, "package");
    assert_ok(store_add_image(f->store, &image, line_a, &id, &err));
    assert_true(id == 4294967293);
    snprintf(image.id, sizeof(image.id), "c");
    assert_fails(store_add_image(f->store, &image, line_a, &id, &err), ERR_LIMIT, "image");
    commit(f->store);
}

/* --- Mounts: each body runs in a child that has them to itself
 * --------------------------------------- */

static int run_alone(void (*body)(struct fixture *f), struct fixture *f)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
            _exit(77);
        body(f);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* For the children, where cmocka's assertions would run on in the parent's place. */
#define must(condition)                                                                   \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            print_error("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, err.message); \
            _exit(1);                                                                     \
        }                                                                                 \
    } while (0)

static bool failed_with(const struct err *err, enum err_code code, const char *text)
{
    return err->code == code && strstr(err->message, text);
}

static void make_read_only(const struct fixture *f)
{
    if (mount(f->dir, f->dir, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, f->dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
        _exit(77);
}

static void read_only_folder(struct fixture *f)
{
    struct err err = {0};
    struct store_stats stats = {0};
    uint64_t version;

    make_read_only(f);
    must(!store_open(f->dir, STORE_WRITE, &err) && failed_with(&err, ERR_DENIED, f->dir));
    must(!store_open(f->dir, STORE_CREATE, &err) && failed_with(&err, ERR_DENIED, f->dir));
    f->store = store_open(f->dir, STORE_READ, &err);
    must(f->store);
    must(store_stats(f->store, &stats, &err) == 0 && stats.names == 10);
    must(store_data_version(f->store, &version, &err) == 0);
    must(store_check(f->store, &err) == 0);
    store_close(f->store);
}

static void test_read_only_folder(void **state)
{
    struct fixture *f = *state;
    int result;

    fill(f->store, "a", 10);
    close_store(f); /* the journal is gone with it */
    result = run_alone(read_only_folder, f);
    if (result == 77)
        skip();
    assert_int_equal(result, 0);
}

/* The folder is alive elsewhere, and read-only here. */
static void read_only_and_alive(struct fixture *f)
{
    struct err err = {0};
    struct store_stats stats = {0};

    make_read_only(f);
    f->store = store_open(f->dir, STORE_READ, &err);
    must(f->store);
    must(store_stats(f->store, &stats, &err) == 0 && stats.names == 10);
    store_close(f->store);
}

static void test_read_only_and_alive(void **state)
{
    struct fixture *f = *state;
    int result;

    fill(f->store, "a", 10);
    result = run_alone(read_only_and_alive, f);
    if (result == 77)
        skip();
    assert_int_equal(result, 0);
    assert_int_equal(count_names(f->store), 10);
}

/* A child that commits, and is killed without closing: its journal stays. */
static void leave_journal(struct fixture *f)
{
    pid_t pid = fork();
    struct err err = {0};

    if (pid == 0) {
        f->store = store_open(f->dir, STORE_CREATE, &err);
        must(f->store);
        fill(f->store, "a", 10);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
}

static void read_only_with_journal(struct fixture *f)
{
    struct err err = {0};
    struct store_stats stats = {0};
    char path[512];

    make_read_only(f);
    f->store = store_open(f->dir, STORE_READ, &err);
    must(f->store);
    must(store_stats(f->store, &stats, &err) == 0 && stats.names == 10);
    store_close(f->store);
    must(umount(f->dir) == 0 && unlink(path_in(f, "careen.db-shm", path)) == 0);
    make_read_only(f);
    must(!store_open(f->dir, STORE_READ, &err));
    must(failed_with(&err, ERR_DENIED, "careen.db-wal holds facts"));
}

static void test_read_only_with_journal(void **state)
{
    struct fixture *f = *state;
    int result;

    leave_journal(f);
    result = run_alone(read_only_with_journal, f);
    if (result == 77)
        skip();
    assert_int_equal(result, 0);
}

/* Opened without locks while nobody wrote; then somebody does. */
static void read_only_wakes(struct fixture *f)
{
    struct err err = {0};
    struct store_stats stats = {0};
    char other[300];

    snprintf(other, sizeof(other), "%s-ro", f->dir);
    if (mkdir(other, 0700) < 0 || mount(f->dir, other, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, other, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
        _exit(77);
    f->store = store_open(other, STORE_READ, &err);
    must(f->store && store_stats(f->store, &stats, &err) == 0);
    leave_journal(f);
    must(store_stats(f->store, &stats, &err) < 0 && failed_with(&err, ERR_BUSY, "open it again"));
    store_close(f->store);
    umount(other);
    rmdir(other);
}

static void test_read_only_wakes(void **state)
{
    struct fixture *f = *state;
    int result;

    close_store(f);
    result = run_alone(read_only_wakes, f);
    if (result == 77)
        skip();
    assert_int_equal(result, 0);
}

/* Writes more than the disk takes. With few names the commit finds that out; with many SQLite's
 * cache spills and a put does, after which the rest of the write must not slip in. */
static void overfill(struct fixture *f, int names, bool put_fails)
{
    struct err err = {0};
    struct store_stats stats = {0};
    char name[256] = {0};
    uint32_t id;
    int result = 0;

    memset(name, 'x', 200);
    must(store_begin(f->store, "test", &err) == 0);
    for (int i = 0; result == 0 && i < names; i++) {
        snprintf(name + 200, 32, "%d", i);
        result = store_put_name(f->store, slice_of(name), &id, &err);
    }
    must((result < 0) == put_fails);
    must(!put_fails || failed_with(&err, ERR_FULL, "careen.db"));
    must(store_commit(f->store, &err) < 0 && failed_with(&err, ERR_FULL, "careen.db"));
    must(store_stats(f->store, &stats, &err) == 0 && stats.names == 10);
    must(store_check(f->store, &err) == 0);
}

static void full_disk(struct fixture *f)
{
    struct err err = {0};
    struct store_stats stats = {0};

    if (mount("tmpfs", f->dir, "tmpfs", 0, "size=2m,mode=700") < 0)
        _exit(77);
    f->store = store_open(f->dir, STORE_CREATE, &err);
    must(f->store);
    fill(f->store, "a", 10);
    overfill(f, 15000, false);
    overfill(f, 200000, true);
    must(mount("tmpfs", f->dir, "tmpfs", MS_REMOUNT, "size=32m,mode=700") == 0);
    fill(f->store, "b", 10000);
    store_close(f->store);
    f->store = store_open(f->dir, STORE_WRITE, &err);
    must(f->store && store_stats(f->store, &stats, &err) == 0 && stats.names == 10010);
    must(store_check(f->store, &err) == 0);
    store_close(f->store);
}

static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    int result = run_alone(full_disk, f);

    if (result == 77)
        skip();
    assert_int_equal(result, 0);
}

/* --- kill -9
 * ------------------------------------------------------------------------------------------ */

/* Commits names in pairs until it is killed. */
static void write_until_killed(const char *dir)
{
    struct err err;
    struct store *store = store_open(dir, STORE_CREATE, &err);
    char name[64];
    uint32_t id;

    for (int i = 0; store && store_begin(store, "victim", &err) == 0; i++) {
        for (int half = 0; half < 2; half++) {
            snprintf(name, sizeof(name), "name-%d-%d", i, half);
            if (store_put_name(store, slice_of(name), &id, &err) < 0)
                _exit(1);
        }
        if (store_commit(store, &err) < 0)
            _exit(1);
    }
    _exit(1);
}

static void test_killed_anywhere(void **state)
{
    struct fixture *f = *state;
    uint64_t before = 0, after;
    struct err err;

    for (int round = 0; round < 8; round++) {
        pid_t pid = fork();

        if (pid == 0)
            write_until_killed(f->dir);
        usleep(5000u + (unsigned)round * 17000u);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        f->store = store_open(f->dir, STORE_CREATE, &err);
        if (!f->store)
            fail_msg("round %d: %s", round, err.message);
        after = count_names(f->store);
        assert_int_equal(after % 2, 0);
        assert_true(after >= before);
        assert_ok(store_check(f->store, &err));
        before = after;
        close_store(f);
    }
    assert_true(before > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)
#define TEST_FOLDER(f) cmocka_unit_test_setup_teardown(f, setup_folder, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FOLDER(test_missing),
        TEST_FOLDER(test_modes),
        TEST_FOLDER(test_place_is_taken),
        TEST(test_file_replaced),
        TEST(test_newer_version),
        TEST(test_foreign_database),
        TEST_FOLDER(test_not_a_database),
        TEST(test_damaged_pages),
        TEST(test_damaged_values),
        TEST(test_ids_end),
        TEST(test_read_only_folder),
        TEST(test_read_only_and_alive),
        TEST_FOLDER(test_read_only_with_journal),
        TEST(test_read_only_wakes),
        TEST_FOLDER(test_full_disk),
        TEST_FOLDER(test_killed_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
