/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics_process.h; the files are those of proc(5). */
#include "api/metrics_process.h"

#include "api/prometheus.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILE_BYTES = 4096 };

/* Of /proc/self/stat, counted behind the name of the program, which may hold blanks. */
enum stat_field {
    STAT_UTIME = 11,
    STAT_STIME = 12,
    STAT_START = 19,
    STAT_VSIZE = 20,
    STAT_RSS = 21
};

/* The file's first bytes; empty when it cannot be read. */
static struct slice read_start(const char *path, char dst[FILE_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, dst, FILE_BYTES);

    if (fd >= 0)
        close(fd);
    return (struct slice){dst, got > 0 ? (size_t)got : 0};
}

static uint64_t field(struct slice fields, enum stat_field at)
{
    uint64_t value = 0;

    for (int i = 0; i < (int)at; i++)
        slice_pull_until(&fields, ' ');
    (void)slice_to_u64(slice_pull_until(&fields, ' '), &value);
    return value;
}

/* When the machine was started, in seconds since the epoch; 0 when it does not say. */
static uint64_t boot_time_s(void)
{
    char text[FILE_BYTES];
    struct slice rest;
    uint64_t value = 0;
    FILE *file = fopen("/proc/stat", "re");

    while (file && value == 0 && fgets(text, sizeof(text), file)) {
        rest = slice_of(text);
        if (slice_is(slice_pull_until(&rest, ' '), "btime"))
            (void)slice_to_u64(slice_trim(rest), &value);
    }
    if (file)
        fclose(file);
    return value;
}

static void write_stat(struct buf *out)
{
    char text[FILE_BYTES];
    struct slice fields = read_start("/proc/self/stat", text);
    size_t name_end = slice_rfind_char(fields, ')');
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK), boot_s = boot_time_s(), start;

    if (name_end == fields.len)
        return;
    fields = slice_skip(fields, name_end + 2);
    start = field(fields, STAT_START);
    prom_counter(out, "process_cpu_seconds_total", "CPU time spent, in user and system mode.");
    prom_sample_micro(out, "process_cpu_seconds_total", NULL,
        (int64_t)((field(fields, STAT_UTIME) + field(fields, STAT_STIME)) * 1000000 / ticks));
    prom_gauge_of(out, "process_virtual_memory_bytes", "Address space.", field(fields, STAT_VSIZE));
    prom_gauge_of(out, "process_resident_memory_bytes", "Memory in use.",
        field(fields, STAT_RSS) * (uint64_t)sysconf(_SC_PAGESIZE));
    if (boot_s == 0)
        return;
    prom_gauge(out, "process_start_time_seconds", "When it was started, since the epoch.");
    prom_sample_micro(out, "process_start_time_seconds", NULL,
        (int64_t)(boot_s * 1000000 + start * 1000000 / ticks));
}

/* Without the one that is open for the counting. */
static uint64_t count_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    uint64_t count = 0;

    while (folder && (entry = readdir(folder)))
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count ? count - 1 : 0;
}

static void write_files(struct buf *out)
{
    struct rlimit limit;

    prom_gauge_of(out, "process_open_fds", "Open files and sockets.", count_open_files());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        prom_gauge_of(out, "process_max_fds", "How many may be open.", limit.rlim_cur);
}

void metrics_write_process(struct buf *out)
{
    write_stat(out);
    write_files(out);
}
