/* SPDX-License-Identifier: Apache-2.0 */
/* In forked processes, whose own descriptors are to be closed; also as on a kernel that has no
 * close_range(), by a filter that says so. */
#include "unit.h"

#include "scan/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool refuse_close_range(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
           close_range(5000, 5001, 0) < 0 && errno == ENOSYS;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* What the forked process makes of it: 0 when the two kept are open, and no other. */
static int try(bool refused)
{
    int kept[] = {200, -1, 100}, open_now = 0;

    for (int fd = 100; fd <= 300; fd += 50)
        if (dup2(0, fd) < 0)
            return 2;
    if (refused && !refuse_close_range())
        return 3;
    descriptors_keep(kept, sizeof(kept) / sizeof(kept[0]));
    for (int fd = 3; fd < 400; fd++)
        open_now += is_open(fd);
    return open_now == 2 && is_open(100) && is_open(200) ? 0 : 4;
}

static void assert_kept(bool refused)
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(try(refused));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_kept(void **state)
{
    (void)state;
    assert_kept(false);
}

static void test_kept_on_an_older_kernel(void **state)
{
    (void)state;
    assert_kept(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_kept_on_an_older_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
