/* SPDX-License-Identifier: Apache-2.0 */
/* A child that is killed, one that is not wanted any more, and what either leaves behind. */
#include "scan/tree.h"

#include "scan/parent.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int setup(void **state)
{
    static struct tree tree;

    tree_begin(&tree);
    tree_file(&tree, "root/var/lib/dpkg/status", DPKG_BASH);
    tree_file(&tree, "scratch/x", "");
    *state = &tree;
    return 0;
}

static int teardown(void **state)
{
    tree_end(*state);
    return 0;
}

static void start(const struct tree *tree, struct parent *parent)
{
    char root[256], scratch[256];
    struct err err = {0};

    snprintf(root, sizeof(root), "%s/root", tree->root);
    snprintf(scratch, sizeof(scratch), "%s/scratch", tree->root);
    setenv("TMPDIR", scratch, 1);
    assert_ok(parent_start(parent, root, &(struct scan_options){0}, 1, -1, &err));
    assert_int_equal(access(parent->scratch, F_OK), 0);
}

static void read_all(struct parent *parent)
{
    struct pollfd fd = {.fd = parent->pipe_fd, .events = POLLIN};

    while (poll(&fd, 1, 10000) == 1 && parent_read(parent))
        ;
}

/* rmdir() works when nothing is in it any more. */
static void assert_nothing_left(const struct tree *tree)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/scratch/x", tree->root);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/scratch", tree->root);
    assert_int_equal(rmdir(path), 0);
}

static void test_done(void **state)
{
    struct parent parent;

    start(*state, &parent);
    read_all(&parent);
    assert_false(parent.failed);
    assert_int_equal(parent.scanned.count, 1);
    parent_release(&parent);
    assert_nothing_left(*state);
}

static void test_killed(void **state)
{
    struct parent parent;

    start(*state, &parent);
    kill(parent.pid, SIGSTOP); /* before it has said all, most likely */
    kill(parent.pid, SIGKILL);
    read_all(&parent);
    if (parent.failed) {
        assert_int_equal(parent.err.code, ERR_IO);
        assert_non_null(strstr(parent.err.message, "signal 9"));
    }
    assert_int_equal(parent.pid, 0);
    parent_release(&parent);
    assert_nothing_left(*state);
}

static void test_ended(void **state)
{
    struct parent parent;
    struct err why;

    start(*state, &parent);
    err_set(&why, ERR_LIMIT, "too slow");
    parent_end(&parent, &why);
    assert_true(parent.failed);
    assert_string_equal(parent.err.message, "too slow");
    parent_end(&parent, NULL);
    parent_release(&parent);
    assert_nothing_left(*state);
}

/* Bytes as if the child had sent them. */
static void say(struct parent *parent, const void *bytes, size_t len)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, len), (ssize_t)len);
    close(ends[1]);
    close(parent->pipe_fd);
    parent->pipe_fd = ends[0];
    while (parent_read(parent))
        ;
}

/* It closes its pipe, and goes on. */
static void test_without_end(void **state)
{
    struct parent parent;

    start(*state, &parent);
    kill(parent.pid, SIGSTOP);
    say(&parent, "", 0);
    assert_true(parent.failed);
    assert_int_equal(parent.err.code, ERR_IO);
    assert_int_equal(parent.pid, 0);
    parent_release(&parent);
    assert_nothing_left(*state);
}

static void test_nonsense(void **state)
{
    struct parent parent;

    start(*state, &parent);
    say(&parent, "\x63\xff\xff\xff\xff", 5);
    assert_true(parent.failed);
    assert_int_equal(parent.err.code, ERR_FORMAT);
    parent_release(&parent);
}

static void test_facts_under_a_name_of_their_own(void **state)
{
    static const char frame[] = "\x02\x11\x00\x00\x00"
                                "\x0b/etc/passwdfacts";
    struct parent parent;

    start(*state, &parent);
    parent.cache_fd = 0;
    say(&parent, frame, sizeof(frame) - 1);
    assert_false(parent.cache_written);
    assert_false(parent.cache_failed);
    parent_release(&parent);
}

static void test_no_scratch_folder(void **state)
{
    const struct tree *tree = *state;
    struct parent parent;
    struct err err = {0};
    char place[256];

    snprintf(place, sizeof(place), "%s/missing", tree->root);
    setenv("TMPDIR", place, 1);
    assert_int_equal(parent_start(&parent, tree->root, &(struct scan_options){0}, 1, -1, &err), -1);
    assert_non_null(strstr(err.message, "missing"));
    assert_non_null(strstr(err.message, "TMPDIR"));
}

static void test_scratch_folder_of_custom(void **state)
{
    const struct tree *tree = *state;
    struct parent parent;
    struct err err = {0};

    unsetenv("TMPDIR");
    assert_ok(parent_start(&parent, tree->root, &(struct scan_options){0}, 1, -1, &err));
    assert_non_null(strstr(parent.scratch, "/tmp/careen-scan."));
    parent_release(&parent);
}

/* ---- what it does not inherit ---- */

/* As on a kernel before 5.9. */
static void forget_close_range(void)
{
    struct sock_filter lines[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(lines) / sizeof(lines[0]), lines};

    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* More than a pipe holds: the child waits to tell it. */
static void make_long_list(const struct tree *tree)
{
    struct buf status = BUF_INIT(1024 * 1024);

    for (int i = 0; i < 5000; i++)
        buf_printf(&status,
            "Package: package-%d\nStatus: install ok installed\nVersion: 1\n"
            "Architecture: amd64\n\n",
            i);
    tree_file(tree, "root/var/lib/dpkg/status", status.data);
    buf_release(&status);
}

/* When the child says its first word it has closed what it is not to have. */
static void test_descriptors(void **state)
{
    struct parent parent;
    int ends[2];

    make_long_list(*state);
    assert_int_equal(pipe(ends), 0);
    start(*state, &parent);
    close(ends[1]);
    assert_int_equal(poll(&(struct pollfd){.fd = parent.pipe_fd, .events = POLLIN}, 1, 10000), 1);
    assert_int_equal(poll(&(struct pollfd){.fd = ends[0]}, 1, 0), 1); /* nobody else has it */
    close(ends[0]);
    parent_release(&parent);
}

static void test_descriptors_on_older_kernels(void **state)
{
    forget_close_range(); /* the last test: this stays */
    test_descriptors(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_done),
        TEST(test_killed),
        TEST(test_ended),
        TEST(test_without_end),
        TEST(test_nonsense),
        TEST(test_facts_under_a_name_of_their_own),
        TEST(test_no_scratch_folder),
        TEST(test_scratch_folder_of_custom),
        TEST(test_descriptors),
        TEST(test_descriptors_on_older_kernels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
