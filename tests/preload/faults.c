/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library for LD_PRELOAD that makes one kind of call fail, as a full disk, a broken one, or an
 * empty heap would (tests/e2e/test_torture.py):
 *
 *     CAREEN_FAULT=write:7:ENOSPC        the 7th write fails
 *     CAREEN_FAULT=write:7+:ENOSPC       the 7th and all that follow
 *     CAREEN_FAULT=write:7:short         the 7th writes half of its bytes
 *     CAREEN_FAULT_COUNTS=FILE           at exit: "write 12", "sync 3", ... one a line
 *     CAREEN_FAULT_ARMED=FILE            nothing fails, and nothing counts, while it is not there
 *
 * Kinds: write (write, pwrite, writev and their likes, to files), sync
 * (fsync, fdatasync), truncate (ftruncate), open (of a file to be made), alloc (malloc and its
 * likes).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { KIND_WRITE, KIND_SYNC, KIND_TRUNCATE, KIND_OPEN, KIND_ALLOC, KIND_COUNT };
static const char *const kind_names[] = {"write", "sync", "truncate", "open", "alloc"};

static struct {
    bool ready;
    int kind; /* -1: none */
    unsigned long nth;
    bool from_there_on, half;
    int error;
    const char *armed;
    _Atomic unsigned long counts[KIND_COUNT];
} faults = {.kind = -1};

static int error_of(const char *name)
{
    static const struct {
        const char *name;
        int value;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT},
        {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE}, {"EACCES", EACCES}};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(name, errors[i].name) == 0)
            return errors[i].value;
    fprintf(stderr, "CAREEN_FAULT: there is no error %s here\n", name);
    _exit(99);
}

__attribute__((constructor)) static void read_faults(void)
{
    const char *text = getenv("CAREEN_FAULT");
    char *end;

    faults.armed = getenv("CAREEN_FAULT_ARMED");
    for (int kind = 0; text && kind < KIND_COUNT; kind++) {
        size_t len = strlen(kind_names[kind]);

        if (strncmp(text, kind_names[kind], len) != 0 || text[len] != ':')
            continue;
        faults.kind = kind;
        faults.nth = strtoul(text + len + 1, &end, 10);
        faults.from_there_on = *end == '+';
        end += faults.from_there_on;
        faults.half = strcmp(end, ":short") == 0;
        faults.error = faults.half ? 0 : error_of(*end ? end + 1 : "");
    }
    faults.ready = true;
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("CAREEN_FAULT_COUNTS");
    FILE *to;

    faults.ready = false;
    to = path ? fopen(path, "w") : NULL;
    for (int kind = 0; to && kind < KIND_COUNT; kind++)
        fprintf(to, "%s %lu\n", kind_names[kind], atomic_load(&faults.counts[kind]));
    if (to)
        fclose(to);
}

/* Counts a call; true when it is one that is to fail, with errno set. */
static bool fails(enum kind kind)
{
    unsigned long n;

    if (!faults.ready || (faults.armed && access(faults.armed, F_OK) != 0))
        return false;
    n = atomic_fetch_add(&faults.counts[kind], 1) + 1;
    if ((int)kind != faults.kind || n < faults.nth || (n > faults.nth && !faults.from_there_on))
        return false;
    errno = faults.error;
    return true;
}

/* The next definition of the calling function. */
#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

/* --- Writing ---------------------------------------------------------------------------------- */

/* Disks fill and break; pipes, sockets and eventfds do not. */
static bool is_file(int fd)
{
    struct stat info;

    return fd != STDOUT_FILENO && fd != STDERR_FILENO && fstat(fd, &info) == 0 &&
           S_ISREG(info.st_mode);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    ssize_t (*real)(int, const void *, size_t) =
        REAL(ssize_t(*)(int, const void *, size_t), "write");

    if (!is_file(fd) || !fails(KIND_WRITE))
        return real(fd, bytes, len);
    return faults.half ? real(fd, bytes, (len + 1) / 2) : -1;
}

static ssize_t write_at(const char *name, int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t) =
        REAL(ssize_t(*)(int, const void *, size_t, off_t), name);

    if (!is_file(fd) || !fails(KIND_WRITE))
        return real(fd, bytes, len, at);
    return faults.half ? real(fd, bytes, (len + 1) / 2, at) : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return write_at("pwrite", fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    return write_at("pwrite64", fd, bytes, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t (*real)(int, const struct iovec *, int) =
        REAL(ssize_t(*)(int, const struct iovec *, int), "writev");

    if (!is_file(fd) || !fails(KIND_WRITE))
        return real(fd, parts, count);
    return faults.half ? real(fd, parts, (count + 1) / 2) : -1;
}

/* --- The file system -------------------------------------------------------------------------- */

static int sync_file(const char *name, int fd)
{
    return fails(KIND_SYNC) ? -1 : REAL(int (*)(int), name)(fd);
}

int fsync(int fd)
{
    return sync_file("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_file("fdatasync", fd);
}

int ftruncate(int fd, off_t len)
{
    return fails(KIND_TRUNCATE) ? -1 : REAL(int (*)(int, off_t), "ftruncate")(fd, len);
}

int ftruncate64(int fd, off_t len)
{
    return fails(KIND_TRUNCATE) ? -1 : REAL(int (*)(int, off_t), "ftruncate64")(fd, len);
}

static int open_file(const char *name, const char *path, int flags, va_list args)
{
    bool makes = (flags & (O_CREAT | O_TMPFILE)) != 0;
    mode_t mode = makes ? va_arg(args, mode_t) : 0;

    if ((flags & O_CREAT) && fails(KIND_OPEN))
        return -1;
    return REAL(int (*)(const char *, int, ...), name)(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    int fd;

    va_start(args, flags);
    fd = open_file("open", path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    int fd;

    va_start(args, flags);
    fd = open_file("open64", path, flags, args);
    va_end(args);
    return fd;
}

/* --- The heap: glibc's own names, since dlsym() allocates ------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return fails(KIND_ALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(KIND_ALLOC) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(KIND_ALLOC) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(KIND_ALLOC) ? NULL : __libc_memalign(alignment, size);
}
