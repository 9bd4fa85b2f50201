/* SPDX-License-Identifier: Apache-2.0 */
/* See scratch.h. Not every file system knows files without a name (overlayfs before Linux 6.3 does
 * not): there one is given, and taken away at once. */
#include "image/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/random.h"

static int open_named(int folder_fd, struct err *err)
{
    char name[64];
    uint64_t number;
    int fd;

    random_bytes(&number, sizeof(number));
    snprintf(name, sizeof(name), ".careen-scratch-%016llx", (unsigned long long)number);
    fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && unlinkat(folder_fd, name, 0) == 0)
        return fd;
    err_set_errno(err, "cannot make a file in the scratch folder");
    if (fd >= 0)
        close(fd);
    return -1;
}

int scratch_open(int folder_fd, struct err *err)
{
    int fd;

    if (folder_fd < 0)
        return err_set(
            err, ERR_LIMIT, "it is too large for memory, and there is no scratch folder");
    fd = openat(folder_fd, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)
        return open_named(folder_fd, err);
    return err_set_errno(err, "cannot make a file in the scratch folder");
}

int scratch_write(int fd, const void *bytes, size_t len, uint64_t offset, struct err *err)
{
    const char *from = bytes;

    while (len) {
        ssize_t done = pwrite(fd, from, len, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set_errno(err, "cannot write to the scratch folder");
        from += done;
        len -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}
