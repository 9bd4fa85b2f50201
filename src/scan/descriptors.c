/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See descriptors.h. close_range() came with Linux 5.9, and filters of older container runtimes do
 * not know it: there /proc lists what is open; where that is missing, too, every number is tried.
 */
#include "scan/descriptors.h"

#include "base/slice.h"

#include <dirent.h>
#include <limits.h>
#include <unistd.h>

static void close_listed(DIR *listed, unsigned from, unsigned to)
{
    uint64_t fd;

    for (struct dirent *entry; (entry = readdir(listed));)
        if (slice_to_u64(slice_of(entry->d_name), &fd) && fd >= from && fd <= to &&
            fd != (uint64_t)dirfd(listed))
            close((int)fd);
}

static void close_between(unsigned from, unsigned to)
{
    long limit = sysconf(_SC_OPEN_MAX);
    DIR *listed;

    if (close_range(from, to, 0) == 0)
        return;
    listed = opendir("/proc/self/fd");
    if (listed) {
        close_listed(listed, from, to);
        closedir(listed);
        return;
    }
    for (unsigned fd = from; fd <= to && (long)fd < limit; fd++)
        close((int)fd);
}

void descriptors_keep(const int *kept, size_t count)
{
    unsigned from = 3;

    for (;;) {
        unsigned next = UINT_MAX;

        for (size_t i = 0; i < count; i++)
            if (kept[i] >= 0 && (unsigned)kept[i] >= from && (unsigned)kept[i] < next)
                next = (unsigned)kept[i];
        if (next > from)
            close_between(from, next == UINT_MAX ? next : next - 1);
        if (next == UINT_MAX)
            return;
        from = next + 1;
    }
}
