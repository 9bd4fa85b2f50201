/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name. */
#include "unit.h"

#include "image/scratch.h"

#include <fcntl.h>
#include <unistd.h>

static void test_files(void **state)
{
    char folder[] = "/tmp/scratch-test-XXXXXX", read_back[8];
    struct err err;
    int folder_fd, fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = scratch_open(folder_fd, &err);
    assert_true(fd >= 0);
    assert_ok(scratch_write(fd, "world", 5, 3, &err));
    assert_ok(scratch_write(fd, "wor", 3, 0, &err));
    assert_int_equal(pread(fd, read_back, 8, 0), 8);
    assert_memory_equal(read_back, "worworld", 8);
    /* Nothing is in the folder, so that it can be removed. */
    assert_int_equal(rmdir(folder), 0);
    close(fd);
    /* What the folder was is gone. */
    assert_int_equal(scratch_open(folder_fd, &err), -1);
    close(folder_fd);
}

static void test_failures(void **state)
{
    struct err err;
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    (void)state;
    assert_int_equal(scratch_open(-1, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(scratch_write(fd, "x", 1, 0, &err), -1);
    assert_int_equal(err.code, ERR_FULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
