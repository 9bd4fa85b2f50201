/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "scan/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct interest plain;
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
    char root[64], dir[128];
    int fd;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct err err = {0};

    snprintf(world->root, sizeof(world->root), "/tmp/careen-cache-test.XXXXXX");
    assert_non_null(mkdtemp(world->root));
    snprintf(world->dir, sizeof(world->dir), "%s/a/b/careen", world->root);
    assert_ok(cache_open(world->dir, &world->fd, &err));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    char command[128];

    close(world->fd);
    snprintf(command, sizeof(command), "rm -rf %s", world->root);
    assert_int_equal(system(command), 0);
    free(world);
    return 0;
}

static void name_of(char first, char dst[CACHE_NAME_BYTES])
{
    char diff_id[] = "sha256:" HEX;

    diff_id[7] = first;
    assert_true(cache_name(slice_of(diff_id), &plain, dst));
}

static bool holds(const struct world *world, const char *name, const char *text)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1024);

    return cache_get(world->fd, name, &out) && slice_is(buf_slice(&out), text);
}

static void test_names(void **state)
{
    const struct alias alias = {SLICE("opt/x"), SLICE("var/lib/dpkg")};
    char name[CACHE_NAME_BYTES], other[CACHE_NAME_BYTES];

    (void)state;
    assert_true(cache_name(SLICE("sha256:" HEX), &plain, name));
    assert_int_equal(strncmp(name, "layers/sha256/01/" HEX ".", 17 + 65), 0);
    assert_true(cache_is_name(name));
    assert_true(cache_name(SLICE("sha256:" HEX), &(struct interest){&alias, 1}, other));
    assert_string_not_equal(name, other);
    assert_true(cache_is_name(other));
    assert_false(cache_name(SLICE(""), &plain, name));
    assert_false(cache_name(SLICE("sha512:" HEX), &plain, name));
    assert_false(cache_name(SLICE("sha256:../../../etc/passwd"), &plain, name));
    assert_false(cache_name(SLICE("sha256:" HEX "0"), &plain, name));
}

/* Names that a child process might make up. */
static void test_what_is_no_name(void **state)
{
    static const char *const names[] = {"", "/etc/passwd", "layers/sha256/01/" HEX,
        "layers/sha256/02/" HEX ".1-1", "layers/sha256/01/" HEX ".1/../x",
        "layers/sha256/../" HEX ".1-1", "layers/sha256/new.0123456789abcdef", "layers/sha256/01/",
        "layers/sha256/01/" HEX "x1-1"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (cache_is_name(names[i]))
            fail_msg("%s is taken for a name", names[i]);
}

static void test_put_and_get(void **state)
{
    struct world *world = *state;
    char name[CACHE_NAME_BYTES];
    struct err err = {0};
    struct stat st;

    name_of('1', name);
    assert_false(holds(world, name, ""));
    assert_ok(cache_put(world->fd, name, SLICE("first"), &err));
    assert_true(holds(world, name, "first"));
    assert_ok(cache_put(world->fd, name, SLICE("second"), &err));
    assert_true(holds(world, name, "second"));
    assert_int_equal(fstatat(world->fd, name, &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(fstat(world->fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_what_is_no_file(void **state)
{
    struct world *world = *state;
    char name[CACHE_NAME_BYTES];
    struct err err = {0};

    name_of('2', name);
    assert_ok(cache_put(world->fd, name, SLICE("x"), &err));
    assert_int_equal(unlinkat(world->fd, name, 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", world->fd, name), 0);
    assert_false(holds(world, name, "x"));
    assert_int_equal(unlinkat(world->fd, name, 0), 0);
    assert_int_equal(mkfifoat(world->fd, name, 0600), 0);
    assert_false(holds(world, name, "x"));
}

static void put_aged(struct world *world, char first, time_t age_s)
{
    char name[CACHE_NAME_BYTES];
    struct timespec times[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
    struct err err = {0};

    name_of(first, name);
    assert_ok(cache_put(world->fd, name, SLICE("0123456789"), &err));
    assert_int_equal(utimensat(world->fd, name, times, 0), 0);
}

static bool is_there(struct world *world, char first)
{
    char name[CACHE_NAME_BYTES];

    name_of(first, name);
    return faccessat(world->fd, name, F_OK, 0) == 0;
}

static void test_what_was_of_use_stays(void **state)
{
    struct world *world = *state;
    char name[CACHE_NAME_BYTES];
    struct err err = {0};
    uint64_t left = 0;

    put_aged(world, 'a', 30);
    put_aged(world, 'b', 20);
    name_of('a', name);
    cache_touch(world->fd, name);
    assert_ok(cache_trim(world->fd, 15, &left, &err));
    assert_true(is_there(world, 'a'));
    assert_false(is_there(world, 'b'));
    name_of('c', name);
    cache_touch(world->fd, name);
    assert_false(is_there(world, 'c'));
}

static void test_the_oldest_go_first(void **state)
{
    struct world *world = *state;
    struct err err = {0};
    uint64_t left = 0;

    put_aged(world, 'a', 10);
    put_aged(world, 'b', 30);
    put_aged(world, 'c', 20);
    assert_ok(cache_trim(world->fd, 30, &left, &err));
    assert_int_equal(left, 30);
    assert_ok(cache_trim(world->fd, 15, &left, &err));
    assert_int_equal(left, 10);
    assert_true(is_there(world, 'a'));
    assert_false(is_there(world, 'b'));
    assert_false(is_there(world, 'c'));
}

static void test_what_was_left_behind_goes(void **state)
{
    struct world *world = *state;
    const char *const names[] = {"layers/sha256/new.old", "layers/sha256/new.young"};
    struct err err = {0};
    uint64_t left;

    put_aged(world, 'a', 10);
    for (size_t i = 0; i < 2; i++) {
        struct timespec times[2] = {{.tv_sec = time(NULL) - (i ? 10 : 7200)}, {.tv_sec = 0}};
        int fd = openat(world->fd, names[i], O_CREAT | O_WRONLY, 0600);

        times[1] = times[0];
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(utimensat(world->fd, names[i], times, 0), 0);
    }
    assert_ok(cache_trim(world->fd, 1000, &left, &err));
    assert_int_equal(left, 10);
    assert_int_not_equal(faccessat(world->fd, names[0], F_OK, 0), 0);
    assert_int_equal(faccessat(world->fd, names[1], F_OK, 0), 0);
}

static void test_default_places(void **state)
{
    char dir[128], small[8];

    (void)state;
    setenv("XDG_CACHE_HOME", "/xdg", 1);
    setenv("HOME", "/home/u", 1);
    assert_true(cache_default_dir(dir, sizeof(dir)));
    assert_string_equal(dir, "/xdg/careen");
    setenv("XDG_CACHE_HOME", "relative", 1);
    assert_true(cache_default_dir(dir, sizeof(dir)));
    assert_string_equal(dir, "/home/u/.cache/careen");
    assert_false(cache_default_dir(small, sizeof(small)));
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_int_equal(cache_default_dir(dir, sizeof(dir)), geteuid() == 0);
}

static void test_no_folder(void **state)
{
    struct err err = {0};
    int fd;

    (void)state;
    assert_int_equal(cache_open("/dev/null/x", &fd, &err), -1);
    assert_non_null(strstr(err.message, "/dev/null"));
}

static void test_a_folder_of_everybody(void **state)
{
    const struct world *world = *state;
    struct err err = {0};
    int fd = -1;

    assert_int_equal(chmod(world->dir, 01777), 0);
    assert_int_equal(cache_open(world->dir, &fd, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_name),
        TEST(test_put_and_get),
        TEST(test_what_is_no_file),
        TEST(test_what_was_of_use_stays),
        TEST(test_the_oldest_go_first),
        TEST(test_what_was_left_behind_goes),
        cmocka_unit_test(test_default_places),
        cmocka_unit_test(test_no_folder),
        TEST(test_a_folder_of_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
