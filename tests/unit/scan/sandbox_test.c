/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is possible behind the walls, and what is not: each try in a process of its own, which says
 * with its exit status how it went. Skipped where the kernel has no Landlock or seccomp.
 */
#include "unit.h"

#include "scan/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALLOWED = 0, REFUSED = 10, NO_WALLS = 11, BROKEN = 12 };

struct world {
    char root[64];
    int read_fd, write_fd, file_fd;
    pid_t tester; /* the process that tries are made from */
};

static void make_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0 && write(fd, "text", 4) == 4);
    close(fd);
}

static int open_folder(const struct world *world, const char *name)
{
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", world->root, name);
    assert_int_equal(mkdir(path, 0700), 0);
    fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    make_file(fd, "file");
    return fd;
}

static int setup(void **state)
{
    static struct world world;

    snprintf(world.root, sizeof(world.root), "/tmp/careen-sandbox-test.XXXXXX");
    assert_non_null(mkdtemp(world.root));
    world.tester = getpid();
    world.read_fd = open_folder(&world, "read");
    world.write_fd = open_folder(&world, "write");
    close(open_folder(&world, "other"));
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    char command[96];

    close(world->read_fd);
    close(world->write_fd);
    snprintf(command, sizeof(command), "rm -rf %s", world->root);
    return system(command);
}

typedef bool (*try_fn)(const struct world *world);

/* A kernel without Landlock: its first call is not known. */
static void forget_landlock(void)
{
    struct sock_filter lines[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(lines) / sizeof(lines[0]), lines};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(BROKEN);
}

static _Noreturn void try_behind_walls(const struct world *world, try_fn try)
{
    struct sandbox_plan plan = {
        .read = {world->read_fd}, .read_count = 1, .write = world->write_fd};
    char why_not[SANDBOX_WHY_BYTES];
    struct err err;

    if (sandbox_enter(&plan, why_not, &err) < 0)
        _exit(BROKEN);
    if (why_not[0])
        _exit(NO_WALLS);
    _exit(try(world) ? ALLOWED : REFUSED);
}

static int try_it(const struct world *world, try_fn try)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        try_behind_walls(world, try);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status))
        return 1000 + WTERMSIG(status);
    if (WEXITSTATUS(status) == NO_WALLS)
        skip();
    return WEXITSTATUS(status);
}

static bool opens(const struct world *world, const char *name, int flags)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", world->root, name);
    return openat(AT_FDCWD, path, flags, 0600) >= 0;
}

/* ---- allowed ---- */

static bool read_beneath(const struct world *world)
{
    int fd = openat(world->read_fd, "file", O_RDONLY);
    char text[4];

    return fd >= 0 && read(fd, text, 4) == 4 && opens(world, "read/file", O_RDONLY);
}

static bool write_scratch(const struct world *world)
{
    int fd = openat(world->write_fd, ".", O_TMPFILE | O_RDWR, 0600);
    char text[4];

    if (fd < 0) { /* a file system without nameless files */
        fd = openat(world->write_fd, "new", O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || unlinkat(world->write_fd, "new", 0) < 0)
            return false;
    }
    return pwrite(fd, "text", 4, 0) == 4 && pread(fd, text, 4, 0) == 4 && ftruncate(fd, 1) == 0;
}

static void *nothing(void *ctx)
{
    return ctx;
}

static bool start_thread(const struct world *world)
{
    pthread_t thread;

    (void)world;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool take_memory(const struct world *world)
{
    size_t size = 16 * 1024 * 1024;
    char *memory = malloc(size);
    bool done = memory && (memory[0] = 1) && (memory[size - 1] = 1);

    (void)world;
    free(memory);
    return done;
}

/* ---- refused ---- */

static bool read_elsewhere(const struct world *world)
{
    return opens(world, "other/file", O_RDONLY) || open("/etc/passwd", O_RDONLY) >= 0 ||
           open("/proc/self/environ", O_RDONLY) >= 0;
}

static bool go_up(const struct world *world)
{
    return openat(world->read_fd, "../other/file", O_RDONLY) >= 0;
}

static bool list_elsewhere(const struct world *world)
{
    return opens(world, "other", O_RDONLY | O_DIRECTORY);
}

static bool write_target(const struct world *world)
{
    return opens(world, "read/file", O_WRONLY) || opens(world, "read/new", O_WRONLY | O_CREAT) ||
           opens(world, "read/file", O_RDONLY | O_TRUNC) ||
           unlinkat(world->read_fd, "file", 0) == 0;
}

static bool write_elsewhere(const struct world *world)
{
    return opens(world, "other/new", O_WRONLY | O_CREAT) ||
           mkdirat(world->write_fd, "folder", 0700) == 0 ||
           symlinkat("/etc/passwd", world->write_fd, "link") == 0 ||
           renameat(world->write_fd, "file", world->write_fd, "moved") == 0 ||
           fchmodat(world->write_fd, "file", 04777, 0) == 0;
}

static bool open_socket(const struct world *world)
{
    int pair[2];

    (void)world;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ||
           socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}

static bool start_process(const struct world *world)
{
    pid_t pid = fork();

    (void)world;
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool run_program(const struct world *world)
{
    char *const arguments[] = {(char[]){"true"}, NULL};

    (void)world;
    execv("/bin/true", arguments); /* exit status 0 when it runs */
    return false;
}

static bool signal_others(const struct world *world)
{
    return kill(world->tester, 0) == 0 || kill(1, 0) == 0 ||
           syscall(SYS_tgkill, world->tester, world->tester, 0) == 0;
}

/* The owner of a descriptor gets a signal when there is something to read. */
static bool signal_by_a_file(const struct world *world)
{
    return fcntl(world->read_fd, F_SETOWN, world->tester) == 0;
}

static bool make_code(const struct world *world)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)world;
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ||
           mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0) != MAP_FAILED;
}

static const struct {
    const char *name;
    try_fn try;
    int expected;
} tries[] = {
    {"read beneath the target", read_beneath, ALLOWED},
    {"write a scratch file", write_scratch, ALLOWED},
    {"start a thread", start_thread, ALLOWED},
    {"take memory", take_memory, ALLOWED},
    {"read elsewhere", read_elsewhere, REFUSED},
    {"go up", go_up, REFUSED},
    {"list elsewhere", list_elsewhere, REFUSED},
    {"write to the target", write_target, REFUSED},
    {"write elsewhere", write_elsewhere, REFUSED},
    {"open a socket", open_socket, REFUSED},
    {"start a process", start_process, REFUSED},
    {"run a program", run_program, REFUSED},
    {"signal others", signal_others, REFUSED},
    {"signal others by a file", signal_by_a_file, REFUSED},
    {"make code", make_code, REFUSED},
};

static void test_walls(void **state)
{
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        int how = try_it(*state, tries[i].try);

        if (how != tries[i].expected)
            fail_msg("%s: %d, not %d", tries[i].name, how, tries[i].expected);
    }
}

/* seccomp alone: whatever may be read, but nothing written that has a name. */
static void test_without_landlock(void **state)
{
    const struct world *world = *state;
    int nameless = openat(world->write_fd, ".", O_TMPFILE | O_RDWR, 0600), status;
    pid_t pid;

    if (nameless < 0)
        skip(); /* scratch files need names there */
    close(nameless);
    pid = fork();
    if (pid == 0) {
        struct sandbox_plan plan = {.write = world->write_fd};
        char why_not[SANDBOX_WHY_BYTES];
        struct err err;

        forget_landlock();
        if (sandbox_enter(&plan, why_not, &err) < 0 || !strstr(why_not, "Landlock"))
            _exit(BROKEN);
        if (strstr(why_not, "seccomp"))
            _exit(NO_WALLS);
        if (open_socket(world) || start_process(world) || write_target(world) ||
            write_elsewhere(world) || signal_others(world) || signal_by_a_file(world))
            _exit(ALLOWED);
        _exit(read_beneath(world) && write_scratch(world) ? REFUSED : BROKEN);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_WALLS)
        skip();
    assert_int_equal(WEXITSTATUS(status), REFUSED);
}

/* The same tries succeed without walls, or they would prove nothing. */
static void test_without_walls(void **state)
{
    const try_fn harmless[] = {read_beneath, write_scratch, start_thread, read_elsewhere, go_up,
        list_elsewhere, open_socket, start_process, signal_others, signal_by_a_file, make_code};

    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
            _exit(harmless[i](*state) ? ALLOWED : REFUSED);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ALLOWED);
    }
}

static void test_dies_with_its_parent(void **state)
{
    int ends[2];
    pid_t parent;
    char byte;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    parent = fork();
    if (parent == 0) {
        pid_t self = getpid();

        if (fork() == 0) {
            sandbox_die_with(self);
            if (write(ends[1], "x", 1) != 1)
                _exit(1);
            for (;;)
                pause();
        }
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* its end is closed: it is gone */
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walls),
        cmocka_unit_test(test_without_landlock),
        cmocka_unit_test(test_without_walls),
        cmocka_unit_test(test_dies_with_its_parent),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
