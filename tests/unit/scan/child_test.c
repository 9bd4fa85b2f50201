/* SPDX-License-Identifier: Apache-2.0 */
/* What a child says on its pipe, frame by frame. */
#include "scan/tree.h"

#include "base/cleanup.h"
#include "scan/child.h"
#include "scan/wire.h"

#include <sys/wait.h>

struct answer {
    unsigned frames[FRAME_TYPES];
    struct err err;
    struct scanned_image image;
    bool has_image;
};

static void take(struct answer *answer, enum frame_type type, struct slice body)
{
    struct err err = {0};

    answer->frames[type]++;
    if (type == FRAME_ERROR)
        error_decode(body, &answer->err);
    if (type != FRAME_IMAGE || answer->has_image)
        return;
    assert_ok(image_decode(body, &answer->image, &err));
    answer->has_image = true;
}

/* Its exit status. */
static int run(const char *target, struct answer *ret)
{
    struct buf said CLEANUP(buf_release) = BUF_INIT(1024 * 1024);
    struct child_plan plan = {.target = target, .threads = 2, .cache_fd = -1, .input_fd = -1};
    struct slice rest, body;
    enum frame_type type;
    struct err err = {0};
    int ends[2], status;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    plan.target_fd = open(target, O_PATH);
    plan.scratch_fd = open("/tmp", O_RDONLY | O_DIRECTORY);
    plan.out_fd = ends[1];
    pid = fork();
    if (pid == 0)
        _exit(child_main(&plan));
    close(ends[1]);
    while ((got = read(ends[0], buf_reserve(&said, 4096), 4096)) > 0)
        said.len += (size_t)got;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *ret = (struct answer){0};
    rest = buf_slice(&said);
    while (frame_next(&rest, &type, &body, &err) == 1)
        take(ret, type, body);
    assert_int_equal(rest.len, 0);
    close(ends[0]);
    close(plan.scratch_fd);
    if (plan.target_fd >= 0)
        close(plan.target_fd);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_an_image(void **state)
{
    struct answer answer;
    struct tree tree;

    (void)state;
    tree_begin(&tree);
    tree_file(&tree, "var/lib/dpkg/status", DPKG_BASH);
    assert_int_equal(run(tree.root, &answer), 0);
    assert_int_equal(answer.frames[FRAME_WALLS], 1);
    assert_true(answer.frames[FRAME_PROGRESS] >= 2);
    assert_int_equal(answer.frames[FRAME_FACTS], 0); /* a folder is not kept */
    assert_int_equal(answer.frames[FRAME_IMAGE], 1);
    assert_int_equal(answer.frames[FRAME_DONE], 1);
    assert_int_equal(answer.frames[FRAME_ERROR], 0);
    assert_int_equal(answer.image.report.package_count, 1);
    scanned_image_release(&answer.image);
    tree_end(&tree);
}

static void test_an_error(void **state)
{
    struct answer answer;

    (void)state;
    assert_int_equal(run("/nowhere/x", &answer), 1);
    assert_int_equal(answer.frames[FRAME_ERROR], 1);
    assert_int_equal(answer.frames[FRAME_DONE], 0);
    assert_int_equal(answer.err.code, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image),
        cmocka_unit_test(test_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
