/* SPDX-License-Identifier: Apache-2.0 */
/* See write_all.h. A write(2) of nothing, which no file should answer with, counts as a failure: it
 * would be repeated for ever. */
#include "base/write_all.h"

#include <errno.h>
#include <unistd.h>

bool write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote == 0)
            errno = EIO;
        if (wrote <= 0)
            return false;
        bytes = slice_skip(bytes, (size_t)wrote);
    }
    return true;
}
