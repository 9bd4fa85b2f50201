/* SPDX-License-Identifier: Apache-2.0 */
/*
 * careen doctor: is this data folder as it should be, and will it stay so? Each check is a function
 * that adds one or more findings; one that cannot be made is a failure, and the others go on. It
 * only reads, so it may run beside a server.
 */
#include "auth/principals.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "codec/json_writer.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

enum grade { GRADE_OK, GRADE_WARNING, GRADE_FAILED, GRADE_COUNT };
static const char *const grade_names[] = {"ok", "warning", "failed"};

struct finding {
    enum grade grade;
    const char *check;
    struct slice text;
};

enum { FINDINGS_MAX = 256, TEXT_BYTES = 1200 };
enum { CLOCK_TOLERANCE_MS = 5 * 60 * 1000 };
#define SPACE_FAILED_BYTES (64ULL << 20)
#define SPACE_WARNING_BYTES (1ULL << 30)
#define JOURNAL_WARNING_BYTES (256ULL << 20)

struct doctor {
    const char *data_dir;
    struct arena arena;
    struct fleet *fleet; /* NULL: the store cannot be opened */
    struct store_stats stats;
    struct finding findings[FINDINGS_MAX];
    size_t count;
};

static const struct cli_option options[] = {
    {"o", "FORMAT", "table or json", NULL},
};

static void found(struct doctor *doctor, enum grade grade, const char *check, const char *format,
    ...) __attribute__((format(printf, 4, 5)));

static void found(
    struct doctor *doctor, enum grade grade, const char *check, const char *format, ...)
{
    struct finding *to = &doctor->findings[doctor->count];
    char text[TEXT_BYTES];
    struct err err;
    va_list args;

    if (doctor->count == FINDINGS_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *to = (struct finding){grade, check, SLICE("out of memory")};
    if (arena_dup(&doctor->arena, slice_of(text), &to->text, &err) < 0)
        to->grade = GRADE_FAILED;
    doctor->count++;
}

/* --- The checks ------------------------------------------------------------------------------- */

/* SQLite's write-ahead log needs memory shared by all processes, and locks that work (sqlite.org,
 * "Write-Ahead Logging", section 1). Numbers: statfs(2). */
static bool is_network_file_system(const char *dir)
{
    static const unsigned long magics[] = {0x6969 /* NFS */, 0x517b /* SMB */,
        0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, 0x01021997 /* 9P */, 0x65735546 /* FUSE */};
    struct statfs fs;

    if (statfs(dir, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if ((unsigned long)fs.f_type == magics[i])
            return true;
    return false;
}

static void check_folder(struct doctor *doctor)
{
    const char *dir = doctor->data_dir;
    struct stat info;

    if (stat(dir, &info) != 0) {
        found(doctor, GRADE_FAILED, "folder", "%s: %s", dir, strerror(errno));
        return;
    }
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        found(doctor, GRADE_FAILED, "folder",
            "%s: others may write to it (mode %04o): chmod 700 %s", dir, info.st_mode & 07777u,
            dir);
    else if (access(dir, W_OK) != 0)
        found(doctor, GRADE_WARNING, "folder", "%s: this user may not write to it", dir);
    else
        found(doctor, GRADE_OK, "folder", "%s", dir);
    if (is_network_file_system(dir))
        found(doctor, GRADE_WARNING, "folder",
            "%s is on a network file system: use a local disk, unless one machine alone uses it",
            dir);
}

static void check_database(struct doctor *doctor)
{
    struct store *store = fleet_store(doctor->fleet);
    struct err err = {0};

    if (store_check(store, &err) < 0 || store_stats(store, &doctor->stats, &err) < 0) {
        found(doctor, GRADE_FAILED, "database", "%s", err.message);
        return;
    }
    found(doctor, GRADE_OK, "database", "%.1f MiB, schema %u, every page read",
        (double)doctor->stats.bytes / 1048576.0, doctor->stats.schema_version);
}

/* A journal that keeps growing has a reader that never lets go of it. */
static void check_journal(struct doctor *doctor)
{
    if (doctor->stats.journal_bytes > JOURNAL_WARNING_BYTES)
        found(doctor, GRADE_WARNING, "journal",
            "the database's journal has grown to %llu MiB: some process keeps an old reading "
            "open; restart it",
            (unsigned long long)(doctor->stats.journal_bytes >> 20));
}

static void check_key(struct doctor *doctor)
{
    struct principals *principals;
    struct seal seal;
    struct err err = {0};
    int missing = seal_read(doctor->data_dir, &seal, &err);

    seal_forget(&seal);
    if (missing && err.code != ERR_NOT_FOUND) {
        found(doctor, GRADE_FAILED, "key", "%s", err.message);
        return;
    }
    principals = principals_open(fleet_store(doctor->fleet), doctor->data_dir, &err);
    if (!principals)
        found(doctor, GRADE_FAILED, "key", "%s", err.message);
    else if (missing)
        found(doctor, GRADE_OK, "key", "no %s yet, and nothing that needs one", SEAL_FILE);
    else
        found(doctor, GRADE_OK, "key", "%s opens every access key", SEAL_FILE);
    principals_close(principals);
}

static void check_project(struct doctor *doctor, uint32_t number)
{
    struct slice id = SLICE_NONE;
    struct index_counts counts;
    const struct index_scope all = {.type = -1};
    uint64_t findings = 0;
    struct err err = {0};

    if (fleet_project_id(doctor->fleet, number, &doctor->arena, &id, &err) < 0 ||
        fleet_load(doctor->fleet, number, &err) < 0 ||
        fleet_verify(doctor->fleet, number, &err) < 0 ||
        fleet_count(doctor->fleet, number, &all, &counts, &err) < 0) {
        found(doctor, GRADE_FAILED, "index", "project %.*s: %s", SLICE_FMT(id), err.message);
        return;
    }
    for (unsigned code = 0; code < INDEX_CODES; code++)
        findings += counts.by_code[code];
    found(doctor, GRADE_OK, "index", "project %.*s: %llu images, %llu findings, as the facts say",
        SLICE_FMT(id), (unsigned long long)counts.images, (unsigned long long)findings);
}

static void check_index(struct doctor *doctor)
{
    struct ids projects CLEANUP(ids_release) = {0};
    struct err err = {0};

    if (fleet_projects(doctor->fleet, &projects, &err) < 0)
        found(doctor, GRADE_FAILED, "index", "%s", err.message);
    for (size_t i = 0; i < projects.count; i++)
        check_project(doctor, projects.at[i]);
}

static void check_space(struct doctor *doctor)
{
    struct statvfs fs;
    unsigned long long free_bytes, wanted = 2 * doctor->stats.bytes;
    double mib;

    if (statvfs(doctor->data_dir, &fs) != 0) {
        found(doctor, GRADE_FAILED, "space", "%s: %s", doctor->data_dir, strerror(errno));
        return;
    }
    free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
    mib = (double)free_bytes / 1048576.0;
    if (wanted < SPACE_WARNING_BYTES)
        wanted = SPACE_WARNING_BYTES;
    if (free_bytes < SPACE_FAILED_BYTES || (fs.f_files && fs.f_favail == 0))
        found(doctor, GRADE_FAILED, "space",
            "%.0f MiB and %llu files are free: nothing more can be stored soon", mib,
            (unsigned long long)fs.f_favail);
    else if (free_bytes < wanted)
        found(doctor, GRADE_WARNING, "space",
            "%.0f MiB are free; %.0f MiB should be: a backup, or a larger fleet, needs them", mib,
            (double)wanted / 1048576.0);
    else
        found(doctor, GRADE_OK, "space", "%.0f MiB are free", mib);
}

static bool note_newest(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    int64_t *newest_ms = ctx;

    (void)counts;
    if (image->updated_ms > *newest_ms)
        *newest_ms = image->updated_ms;
    if (image->latest_scan_ms > *newest_ms)
        *newest_ms = image->latest_scan_ms;
    return true;
}

/* The newest time of anything stored: what happened cannot lie in the future. */
static int64_t newest_time(struct doctor *doctor)
{
    struct ids projects CLEANUP(ids_release) = {0};
    const struct index_scope all = {.type = -1};
    int64_t newest_ms = 0;
    struct err err;

    if (fleet_projects(doctor->fleet, &projects, &err) < 0)
        return 0;
    for (size_t i = 0; i < projects.count; i++) /* one that is not loaded is said elsewhere */
        (void)fleet_each_image(
            doctor->fleet, projects.at[i], &all, 0, note_newest, &newest_ms, &err);
    return newest_ms;
}

static void check_clock(struct doctor *doctor)
{
    struct timex state = {0};
    int64_t now_ms = clock_now_ms(), newest_ms = newest_time(doctor);
    char now[CLOCK_TEXT_BYTES], newest[CLOCK_TEXT_BYTES];

    clock_format(now_ms, now);
    clock_format(newest_ms, newest);
    if (newest_ms > now_ms + CLOCK_TOLERANCE_MS)
        found(doctor, GRADE_WARNING, "clock",
            "it is %s here, and something was stored at %s: the clock was or is wrong", now,
            newest);
    else
        found(doctor, GRADE_OK, "clock", "%s", now);
    if (adjtimex(&state) == TIME_ERROR)
        found(doctor, GRADE_WARNING, "clock",
            "the kernel's clock is not kept by a time server: signatures are refused when it is "
            "off by 15 minutes");
}

/* Connections, spooled bodies, the database, and some. */
static void check_descriptors(struct doctor *doctor)
{
    struct rlimit limit;
    const unsigned long wanted = LIMIT_HTTP_CONNECTIONS + 2 * LIMIT_HTTP_WAITING + 64;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < wanted)
        found(doctor, GRADE_WARNING, "descriptors",
            "a process may open %llu files, and a server with all its connections needs %lu "
            "(ulimit -n, LimitNOFILE)",
            (unsigned long long)limit.rlim_max, wanted);
    else
        found(doctor, GRADE_OK, "descriptors", "a process may open %llu files",
            (unsigned long long)limit.rlim_max);
}

static void examine(struct doctor *doctor)
{
    struct err err = {0};

    check_folder(doctor);
    doctor->fleet = fleet_open(doctor->data_dir, STORE_READ, &err);
    if (doctor->fleet) {
        check_database(doctor);
        check_journal(doctor);
        check_key(doctor);
        check_index(doctor);
        check_clock(doctor);
    } else {
        found(doctor, GRADE_FAILED, "database", "%s", err.message);
    }
    check_space(doctor);
    check_descriptors(doctor);
    fleet_close(doctor->fleet);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static enum grade worst_of(const struct doctor *doctor)
{
    enum grade worst = GRADE_OK;

    for (size_t i = 0; i < doctor->count; i++)
        if (doctor->findings[i].grade > worst)
            worst = doctor->findings[i].grade;
    return worst;
}

static void write_table(const struct doctor *doctor, struct buf *out)
{
    static const char *const headings[] = {"CHECK", "RESULT", "DETAIL"};
    static const enum table_colour colours[] = {COLOUR_GREEN, COLOUR_YELLOW, COLOUR_BOLD_RED};
    struct table table;

    table_init(&table, headings, 3);
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *at = &doctor->findings[i];

        table_cell(&table, slice_of(at->check), COLOUR_NONE);
        table_cell(&table, slice_of(grade_names[at->grade]), colours[at->grade]);
        table_cell(&table, at->text, COLOUR_NONE);
    }
    table_write(&table, cli_colours(), out);
    table_release(&table);
}

static void write_json(const struct doctor *doctor, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "data_dir", slice_of(doctor->data_dir));
    json_write_member(&w, "result", slice_of(grade_names[worst_of(doctor)]));
    json_write_key(&w, "checks");
    json_write_begin_array(&w);
    for (size_t i = 0; i < doctor->count; i++) {
        json_write_begin_object(&w);
        json_write_member(&w, "check", slice_of(doctor->findings[i].check));
        json_write_member(&w, "result", slice_of(grade_names[doctor->findings[i].grade]));
        json_write_member(&w, "detail", doctor->findings[i].text);
        json_write_end_object(&w);
    }
    json_write_end_array(&w);
    json_write_end_object(&w);
    buf_put_char(out, '\n');
}

static int run(const struct cli_args *args)
{
    struct doctor doctor = {.data_dir = args->data_dir};
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 20);
    enum cli_format format;
    struct err err = {0};
    int status;

    if (args->word_count)
        return cli_usage("doctor", "there is no argument %s", args->words[0]);
    if (cli_format(args, 1u << FORMAT_TABLE | 1u << FORMAT_JSON, &format, &err) < 0)
        return cli_fail("doctor", &err);
    arena_init(&doctor.arena, "the findings", 1UL << 20);
    examine(&doctor);
    (format == FORMAT_TABLE ? write_table : write_json)(&doctor, &out);
    status = cli_print("doctor", &out);
    arena_release(&doctor.arena);
    return status == EXIT_DONE && worst_of(&doctor) == GRADE_FAILED ? EXIT_FAILED : status;
}

const struct command command_doctor = {.name = "doctor",
    .summary = "check database, key file, index, free space and clock",
    .arguments = "",
    .details = "Reads everything and changes nothing; may run beside a server. Exit status 1 when "
               "a check\n"
               "failed; warnings leave it at 0.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
