/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sandbox.h. Landlock has no library in Debian 12, and the headers of the machine that builds
 * may be older than the kernel that runs: its three calls and their numbers are written out here
 * (https://docs.kernel.org/userspace-api/landlock.html).
 *
 * A system call that is not in the list fails with ENOSYS, as on a kernel without it: libraries
 * then take another way where they have one (clone3() is refused so that clone(), whose flags can
 * be seen, is asked for instead).
 */
#include "scan/sandbox.h"

#include "base/cleanup.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- Landlock ---- */

enum {
    CREATE_RULESET = 444,
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    VERSION_FLAG = 1,
    RULE_PATH_BENEATH = 1,
};

#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define NET_ALL UINT64_C(3)   /* bind, connect: TCP */
#define SCOPE_ALL UINT64_C(3) /* abstract Unix sockets, signals */

struct ruleset {
    uint64_t fs, net, scoped;
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t parent;
};

/* All rights on files that this version knows. */
static uint64_t rights_of(long version)
{
    const unsigned bits = version < 2 ? 13 : version < 3 ? 14 : version < 5 ? 15 : 16;

    return (UINT64_C(1) << bits) - 1;
}

static int allow_beneath(int ruleset, int fd, uint64_t allowed, uint64_t known)
{
    struct path_rule rule = {.allowed = allowed & known, .parent = fd};
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= FS_READ_FILE;
    return (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

static int add_rules(int ruleset, const struct sandbox_plan *plan, uint64_t known)
{
    for (size_t i = 0; i < plan->read_count; i++)
        if (allow_beneath(ruleset, plan->read[i], FS_READ_FILE | FS_READ_DIR, known) < 0)
            return -1;
    if (plan->write < 0)
        return 0;
    return allow_beneath(ruleset, plan->write,
        FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_REMOVE_FILE,
        known);
}

/* 0, 1 when the kernel has none, -1 with errno. */
static int enter_landlock(const struct sandbox_plan *plan)
{
    long version = syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
    struct ruleset rules = {.net = NET_ALL, .scoped = SCOPE_ALL};
    size_t size = version < 4 ? 8 : version < 6 ? 16 : sizeof(rules);
    int fd CLEANUP(cleanup_fd) = -1;

    if (version < 1)
        return 1;
    rules.fs = rights_of(version);
    fd = (int)syscall(CREATE_RULESET, &rules, size, 0);
    if (fd < 0 || add_rules(fd, plan, rules.fs) < 0)
        return -1;
    return (int)syscall(RESTRICT_SELF, fd, 0);
}

/* ---- seccomp ---- */

/* What reading, inflating, hashing and threads need; some of it the C library's or a sanitizer's.
 */
static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(preadv),
    SCMP_SYS(write), SCMP_SYS(pwrite64), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(close),
    SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(getdents64),
    SCMP_SYS(readlinkat), SCMP_SYS(dup), SCMP_SYS(ftruncate), SCMP_SYS(fadvise64), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(sysinfo), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

/* Memory that is not to be run; threads but no processes; signals to itself alone (abort()), and no
 * descriptor that sends some; unless `names`, no file to be written that has a name. */
static int add_conditions(scmp_filter_ctx filter, bool names)
{
    const uint64_t exec = PROT_EXEC, thread = CLONE_THREAD | CLONE_VM;
    const uint64_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    const uint64_t nameless = O_TMPFILE & ~O_DIRECTORY;
    const struct {
        int call;
        struct scmp_arg_cmp argument;
    } conditions[] = {
        {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)},
        {SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)},
        {SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread)},
        {SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0)},
        {SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0)},
        {SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, nameless, nameless)},
    };
    int failed = 0;

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
        failed |= seccomp_rule_add_array(
            filter, SCMP_ACT_ALLOW, conditions[i].call, 1, &conditions[i].argument);
    if (names)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 0) |
                  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unlinkat), 0);
    return failed;
}

/* Not every file system knows them; where it does not, scratch files have names for a moment. */
static bool has_nameless_files(int folder)
{
    int fd CLEANUP(cleanup_fd) = -1;

    if (folder < 0)
        return true;
    fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0;
}

static int enter_seccomp(bool names)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int failed = filter ? 0 : -1;

    for (size_t i = 0; !failed && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    /* A sanitizer reads its own maps, and asks for more memory than there is. */
    if (!failed && SANITIZED)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(readlink), 0) |
                 seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 0) |
                 seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 0);
    failed = failed || add_conditions(filter, names) || seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return failed ? -1 : 0;
}

/* ---- resources ---- */

static int limit(int resource, rlim_t value)
{
    struct rlimit now;

    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return -1;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        value = now.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &(struct rlimit){value, value});
}

static int limit_resources(struct err *err)
{
    if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_NOFILE, LIMIT_SCAN_FILES) < 0 ||
        limit(RLIMIT_FSIZE, LIMIT_SCAN_SCRATCH_BYTES) < 0 ||
        (!SANITIZED && limit(RLIMIT_AS, LIMIT_SCAN_ADDRESS_BYTES) < 0))
        return err_set_errno(err, "cannot limit the process that reads images");
    return 0;
}

/* ---- all together ---- */

void sandbox_die_with(int parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* it ended before that could be said */
}

int sandbox_enter(const struct sandbox_plan *plan, char why_not[SANDBOX_WHY_BYTES], struct err *err)
{
    const char *landlock = NULL, *seccomp = NULL;

    if (limit_resources(err) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set_errno(err, "cannot give up rights");
    if (enter_landlock(plan) != 0)
        landlock = "Landlock (which files it may open)";
    if (enter_seccomp(!landlock || !has_nameless_files(plan->write)) < 0)
        seccomp = "seccomp (which system calls it may make)";
    snprintf(why_not, SANDBOX_WHY_BYTES, "%s%s%s", landlock ? landlock : "",
        landlock && seccomp ? " and " : "", seccomp ? seccomp : "");
    return 0;
}
