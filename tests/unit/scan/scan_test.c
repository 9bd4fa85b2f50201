/* SPDX-License-Identifier: Apache-2.0 */
/* Whole scans, of folders: children are started, answer, and are gone. */
#include "scan/tree.h"

#include "scan/scan.h"

#include <errno.h>
#include <sys/wait.h>

static int setup(void **state)
{
    static struct tree tree;

    tree_begin(&tree);
    setenv("TMPDIR", tree.root, 1);
    *state = &tree;
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    tree_end(*state);
    return 0;
}

static void test_a_folder(void **state)
{
    const struct tree *tree = *state;
    struct scanned scanned;
    struct err err = {0};

    tree_file(tree, "var/lib/dpkg/status", DPKG_BASH);
    tree_file(tree, "etc/os-release", "ID=debian\nVERSION_ID=12\n");
    assert_ok(scan_target(tree->root, &(struct scan_options){0}, &scanned, &err));
    assert_int_equal(scanned.count, 1);
    assert_int_equal(scanned.images[0].report.package_count, 1);
    assert_slice(scanned.images[0].report.packages[0].name, "bash");
    assert_slice(scanned.images[0].report.os_release, "debian-12");
    assert_slice(scanned.images[0].packages[0].path, "var/lib/dpkg/status");
    assert_false(scanned.images[0].report.is_image);
    scanned_release(&scanned);
}

static void test_a_database_behind_links(void **state)
{
    const struct tree *tree = *state;
    struct scanned scanned;
    struct err err = {0};

    tree_file(tree, "srv/real/dpkg/status", DPKG_BASH);
    tree_link(tree, "srv/db", "real");
    tree_link(tree, "opt", "srv");
    tree_link(tree, "var/lib/dpkg", "../../opt/db/dpkg");
    assert_ok(scan_target(tree->root, &(struct scan_options){0}, &scanned, &err));
    assert_int_equal(scanned.images[0].report.package_count, 1);
    assert_slice(scanned.images[0].packages[0].path, "srv/real/dpkg/status");
    scanned_release(&scanned);
}

static void test_nothing_known(void **state)
{
    struct scanned scanned;
    struct err err = {0};

    assert_ok(scan_target(
        ((const struct tree *)*state)->root, &(struct scan_options){0}, &scanned, &err));
    assert_int_equal(scanned.images[0].databases, 0);
    assert_false(scanned.images[0].report.complete);
    scanned_release(&scanned);
}

static void test_an_empty_database(void **state)
{
    const struct tree *tree = *state;
    struct scanned scanned;
    struct err err = {0};

    tree_file(tree, "var/lib/dpkg/status", "");
    assert_int_equal(scan_target(tree->root, &(struct scan_options){0}, &scanned, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.message, "var/lib/dpkg/status"));
}

static void test_no_such_file(void **state)
{
    struct scanned scanned;
    struct err err = {0};

    (void)state;
    assert_int_equal(scan_target("/nowhere/x", &(struct scan_options){0}, &scanned, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/x"));
}

struct told {
    size_t targets[8], count;
    bool good[8];
};

static int note(
    void *ctx, size_t target, struct scanned *scanned, const struct err *why, struct err *err)
{
    struct told *told = ctx;

    (void)err;
    assert_true((scanned == NULL) == (why != NULL));
    told->targets[told->count] = target;
    told->good[told->count++] = scanned != NULL;
    if (scanned)
        scanned_release(scanned);
    return 0;
}

static void test_several_in_their_order(void **state)
{
    const struct tree *tree = *state;
    const char *const targets[] = {tree->root, "/nowhere", tree->root, tree->root};
    struct told told = {0};
    const struct scan_visitor visitor = {.done = note, .ctx = &told};
    struct err err = {0};

    tree_file(tree, "var/lib/dpkg/status", DPKG_BASH);
    assert_ok(scan_targets(targets, 4, &(struct scan_options){.threads = 3}, &visitor, &err));
    assert_int_equal(told.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(told.targets[i], i);
        assert_int_equal(told.good[i], i != 1);
    }
}

static void test_stopped(void **state)
{
    const struct tree *tree = *state;
    const char *const targets[] = {tree->root};
    volatile sig_atomic_t stop = 1;
    struct told told = {0};
    const struct scan_visitor visitor = {.done = note, .ctx = &told};
    struct err err = {0};

    assert_int_equal(
        scan_targets(targets, 1, &(struct scan_options){.stop = &stop}, &visitor, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(told.count, 0);
}

static int refuse(
    void *ctx, size_t target, struct scanned *scanned, const struct err *why, struct err *err)
{
    (void)ctx;
    (void)target;
    (void)why;
    if (scanned)
        scanned_release(scanned);
    return err_set(err, ERR_IO, "enough");
}

static void test_the_visitor_ends_it(void **state)
{
    const struct tree *tree = *state;
    const char *const targets[] = {tree->root, tree->root, tree->root};
    const struct scan_visitor visitor = {.done = refuse};
    struct err err = {0};

    assert_int_equal(
        scan_targets(targets, 3, &(struct scan_options){.threads = 2}, &visitor, &err), -1);
    assert_string_equal(err.message, "enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_a_folder),
        TEST(test_a_database_behind_links),
        TEST(test_nothing_known),
        TEST(test_an_empty_database),
        TEST(test_no_such_file),
        TEST(test_several_in_their_order),
        TEST(test_stopped),
        TEST(test_the_visitor_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
