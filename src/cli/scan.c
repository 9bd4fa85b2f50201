/* SPDX-License-Identifier: Apache-2.0 */
/* careen scan TARGET...: what is in images, shown or put into an inventory. */
#include "cli/scanning.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "cli/progress.h"
#include "scan/cache.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static const struct cli_option options[] = {
    {.name = "platform",
        .value = "P",
        .help = "of images for several: linux/arm64/v8, arm64; all of them if not given"},
    {.name = "o",
        .value = "FORMAT",
        .help = "table, json (an image a line), cyclonedx, spdx; into an inventory: table, jsonl"},
    {.name = "cache",
        .value = "DIR",
        .help = "where facts of layers are kept; else CAREEN_CACHE_DIR, else ~/.cache/careen"},
    {.name = "no-cache", .help = "keep none, and use none"},
    {.name = "cache-size", .value = "MIB", .help = "how much is kept there; 512"},
    {.name = "server", .value = "URL", .help = "put the images there; else CAREEN_SERVER"},
    {.name = "token", .value = "T", .help = "a token of the project; better: CAREEN_TOKEN"},
    {.name = "ca", .value = "FILE", .help = "certificates (PEM) that vouch for the server"},
    {.name = "project", .value = "ID", .help = "the project; \"default\" if not given"},
    {.name = "allow-empty", .help = "an image without any package database is empty, not unknown"},
};

struct command_scan {
    const struct cli_args *args;
    enum cli_format format;
    struct scan_options options;
    char cache_dir[PATH_MAX];
    struct scan_put *put; /* NULL: the images are shown */
    struct progress progress;
    bool progress_started;
    size_t failed, shown;
};

/* Ctrl-C and the like: the children and their scratch folders go first. */
static volatile sig_atomic_t stop_signal;

static void note_signal(int number)
{
    stop_signal = number;
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = note_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* ulimit -f is an error of one write, not the end */
}

/* ---- what a scan tells ---- */

static void tell_progress(void *ctx, size_t done, size_t total)
{
    struct command_scan *scan = ctx;

    if (total == 0)
        return;
    if (!scan->progress_started)
        progress_start(&scan->progress, "layers", total);
    scan->progress_started = true;
    scan->progress.total = total;
    progress_step(&scan->progress, done);
}

static void clear_progress(struct command_scan *scan)
{
    if (scan->progress_started)
        progress_clear(&scan->progress);
}

static void warn(void *ctx, const struct err *why)
{
    struct err warning = *why;

    clear_progress(ctx);
    err_prefix(&warning, "warning: the cache is not used");
    cli_complain("scan", NULL, &warning);
}

/* Most errors of opening a target name it already. */
static void complain_of(const char *target, const struct err *why)
{
    const char *path = image_target_path(target);

    if (image_target_is_input(target))
        path = target = "standard input";
    cli_complain("scan", strncmp(why->message, path, strlen(path)) == 0 ? NULL : target, why);
}

static void warn_of(const char *target, const char *text)
{
    struct err warning;

    err_set(&warning, ERR_NONE, "warning: %s", text);
    cli_complain("scan", target, &warning);
}

/* What makes an image look cleaner than it may be. */
static void warn_of_image(const char *target, const struct scanned_image *image)
{
    struct buf title CLEANUP(buf_release) = BUF_INIT(LIMIT_REPORT_MEMORY_BYTES);

    scan_title(target, image, &title);
    buf_put_char(&title, '\0');
    if (title.failed)
        return;
    if (image->databases == 0)
        warn_of(title.data, image->report.complete
                                ? "no package database found: taken as empty (--allow-empty)"
                                : "no package database found: nothing is known of what is in it");
    else if (image->report.os_release.len == 0)
        warn_of(
            title.data, "unknown distribution: its packages cannot be told from those of others");
}

static int take_image(
    struct command_scan *scan, const char *target, struct scanned_image *image, struct err *err)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(LIMIT_REPORT_BYTES);

    if (image->databases == 0 && cli_given(scan->args, "allow-empty"))
        image->report.complete = true;
    warn_of_image(target, image);
    if (scan->put) {
        if (scan_put_image(scan->put, target, image, scan->format, &out, err) < 0)
            return -1;
    } else {
        if (scan->shown++ && scan->format == FORMAT_TABLE)
            buf_put_char(&out, '\n');
        if (scan_show(target, image, scan->format, &out, err) < 0)
            return -1;
    }
    if (!cli_write(buf_slice(&out)))
        return err_set_errno(err, "cannot write the answer");
    return 0;
}

static void warn_of_walls(const char *target, const struct scanned *scanned)
{
    char text[sizeof(scanned->why_not) + 40];

    if (!scanned->why_not[0])
        return;
    snprintf(text, sizeof(text), "read without %s: see docs/scan.md", scanned->why_not);
    warn_of(target, text);
}

static void warn_of_left_out(const char *target, const struct scanned *scanned)
{
    char text[sizeof(scanned->first_left_out) + 120];

    if (scanned->left_out == 0)
        return;
    snprintf(text, sizeof(text),
        "left out, as their layers are of types that are not read: %zu; the first is %s",
        scanned->left_out, scanned->first_left_out);
    warn_of(target, text);
}

/* An image that cannot be put fails its target; what cannot be written ends everything. */
static int take_target(
    void *ctx, size_t number, struct scanned *scanned, const struct err *why, struct err *err)
{
    struct command_scan *scan = ctx;
    const char *target = scan->args->words[number];
    int failed = 0;

    clear_progress(scan);
    if (!scanned) {
        scan->failed++;
        complain_of(target, why);
        return 0;
    }
    warn_of_walls(target, scanned);
    warn_of_left_out(target, scanned);
    for (size_t i = 0; !failed && i < scanned->count; i++)
        failed = take_image(scan, target, &scanned->images[i], err);
    scanned_release(scanned);
    if (failed && scan->put && (err->code == ERR_INVALID || err->code == ERR_LIMIT)) {
        scan->failed++;
        complain_of(target, err);
        return 0;
    }
    return failed;
}

/* ---- the command ---- */

static int choose_cache(struct command_scan *scan, struct err *err)
{
    const char *given = cli_value(scan->args, "cache"), *size = cli_value(scan->args, "cache-size");
    const char *environment = getenv("CAREEN_CACHE_DIR");
    uint64_t mib;

    if (size && (!slice_to_u64(slice_of(size), &mib) || mib == 0 || mib > 1024 * 1024))
        return err_set(err, ERR_USAGE, "--cache-size must be 1-1048576, not \"%s\"", size);
    if (size)
        scan->options.cache_bytes = mib * 1024 * 1024;
    if (cli_given(scan->args, "no-cache")) {
        if (given || size)
            return err_set(err, ERR_USAGE, "--no-cache goes with no other option of the cache");
        return 0;
    }
    if (!given && environment && *environment)
        given = environment;
    if (given)
        scan->options.cache_dir = given;
    else if (cache_default_dir(scan->cache_dir, sizeof(scan->cache_dir)))
        scan->options.cache_dir = scan->cache_dir;
    return 0;
}

/* It can be read once. */
static int check_input(const struct cli_args *args, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < (size_t)args->word_count; i++)
        count += image_target_is_input(args->words[i]);
    if (count > 1)
        return err_set(err, ERR_USAGE, "standard input (-) can be read once");
    if (count && isatty(STDIN_FILENO))
        return err_set(err, ERR_USAGE, "standard input (-) is a terminal, and no image");
    return 0;
}

static int prepare(struct command_scan *scan, struct err *err)
{
    unsigned shown = 1u << FORMAT_TABLE | 1u << FORMAT_JSON | 1u << FORMAT_CYCLONEDX |
                     1u << FORMAT_SPDX,
             put = 1u << FORMAT_TABLE | 1u << FORMAT_JSONL;

    scan->options.platform = cli_slice(scan->args, "platform");
    scan->options.stop = &stop_signal;
    if (check_input(scan->args, err) < 0 || choose_cache(scan, err) < 0 ||
        scan_put_open(scan->args, &stop_signal, &scan->put, err) < 0)
        return -1;
    return cli_format(scan->args, scan->put ? put : shown, &scan->format, err);
}

static int scan_all(struct command_scan *scan, struct err *err)
{
    const struct scan_visitor visitor = {
        .done = take_target, .progress = tell_progress, .warn = warn, .ctx = scan};

    catch_signals();
    return scan_targets((const char *const *)scan->args->words, (size_t)scan->args->word_count,
        &scan->options, &visitor, err);
}

static int run(const struct cli_args *args)
{
    struct command_scan scan = {.args = args};
    struct err err = {0};
    int failed, status;

    if (args->word_count == 0)
        return cli_usage("scan", "name the images to scan");
    failed = prepare(&scan, &err) < 0 || scan_all(&scan, &err) < 0;
    clear_progress(&scan);
    scan_put_close(scan.put);
    if (stop_signal) {
        signal(stop_signal, SIG_DFL);
        raise(stop_signal);
    }
    status = failed                                         ? cli_fail("scan", &err)
             : scan.failed == 0                             ? EXIT_DONE
             : scan.failed == (size_t)scan.args->word_count ? EXIT_FAILED
                                                            : EXIT_SOME_FAILED;
    return status;
}

const struct command command_scan = {.name = "scan",
    .summary = "find the packages in images",
    .arguments = "TARGET...",
    .details =
        "TARGET is an image: an archive of docker save, an OCI layout (a folder or a tar), or a\n"
        "folder with the root of a file system; which it is, is found out, unless it begins with\n"
        "docker-archive:, oci: or dir:; - is an archive from standard input. Of an image for\n"
        "several platforms all are read.\n"
        "The packages are shown, and no data folder is needed. With --data (on the command line;\n"
        "the environment's does not count) or --server the images go into that inventory, with\n"
        "the options of import saying where they live; a folder, and an archive without a name,\n"
        "need --name. A token belongs into CAREEN_TOKEN rather than on the command line, where\n"
        "others can see it.\n"
        "What layers hold is kept in the cache, so that the next image with the same layers is\n"
        "done at once. An image without any package database is not taken for a clean one.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_PLACEMENT,
    .run = run};
