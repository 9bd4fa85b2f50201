/* SPDX-License-Identifier: Apache-2.0 */
/* careen import FILE...: reports into the inventory. */
#include "api/image_render.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/reading.h"

static const struct cli_option options[] = {
    {.name = "project", .value = "ID", .help = "the project; \"default\" if not given"},
    {.name = "o",
        .value = "FORMAT",
        .help = "jsonl: one JSON object for each report that was taken in"},
};

/* One image of this import, as it is after its last report. */
struct imported {
    uint32_t number;
    uint64_t packages, findings;
    enum assessment assessment;
};

struct import {
    const struct cli_args *args;
    struct placement_request given;
    enum cli_format format;
    struct inputs inputs;
    struct fleet *fleet;
    uint32_t project;
    struct reading *reading;
    struct progress progress;
    struct imported *images;
    size_t image_count, image_cap;
    struct map positions; /* in images, by number */
    uint64_t appeared, retracted;
    size_t done, failed;
};

/* --- Telling what happened -------------------------------------------------------------------- */

static void tell_failure(struct import *import, size_t input, const struct err *err)
{
    const char *path = import->inputs.at[input].ptr;

    import->failed++;
    progress_clear(&import->progress);
    cli_complain("import", strcmp(path, "-") == 0 ? "standard input" : path, err);
}

static int tell_jsonl(
    const struct report *report, const struct put_outcome *outcome, struct err *err)
{
    struct buf line CLEANUP(buf_release) = BUF_INIT(65536);

    image_write_outcome(&line, report, outcome);
    buf_put_char(&line, '\n');
    if (buf_check(&line, "a line", err) < 0)
        return -1;
    return cli_write(buf_slice(&line)) ? 0 : err_set_errno(err, "cannot write the answer");
}

static bool is_number(const void *owner, uint32_t position, const void *key)
{
    const struct import *import = owner;
    const uint32_t *number = key;

    return import->images[position].number == *number;
}

/* Of several reports of one image the last one counts. */
static int note_image(struct import *import, const struct put_outcome *outcome, struct err *err)
{
    uint64_t hash = slice_hash((struct slice){(const char *)&outcome->number, sizeof(uint32_t)});
    uint32_t at = map_find(&import->positions, hash, is_number, import, &outcome->number);

    import->appeared += outcome->appeared;
    import->retracted += outcome->retracted;
    if (at == MAP_NONE) {
        at = (uint32_t)import->image_count;
        if (array_reserve(
                &import->images, &import->image_cap, at + 1, sizeof(struct imported), err) < 0 ||
            map_add(&import->positions, hash, at, err) < 0)
            return -1;
        import->image_count++;
    }
    import->images[at] = (struct imported){
        outcome->number, outcome->packages, outcome->findings, outcome->assessment};
    return 0;
}

static void print_summary(const struct import *import)
{
    uint64_t packages = 0, findings = 0, unsure = 0;

    for (size_t i = 0; i < import->image_count; i++) {
        packages += import->images[i].packages;
        findings += import->images[i].findings;
        unsure += import->images[i].assessment != ASSESSMENT_FULL;
    }
    printf("%zu images, %llu packages, %llu findings, %llu appeared, %llu retracted\n",
        import->image_count, (unsigned long long)packages, (unsigned long long)findings,
        (unsigned long long)import->appeared, (unsigned long long)import->retracted);
    fflush(stdout);
    if (unsure)
        fprintf(stderr,
            "careen import: not fully assessed: %llu of %zu images, for want of a report with the "
            "complete package list (Trivy makes it with --list-all-pkgs)\n",
            (unsigned long long)unsure, import->image_count);
    if (import->failed)
        fprintf(stderr, "careen import: %zu of %zu inputs were refused\n", import->failed,
            import->inputs.count);
}

/* --- Importing -------------------------------------------------------------------------------- */

struct window {
    struct read_report *reports[READING_WINDOW];
    struct put_request requests[READING_WINDOW];
    struct put_outcome outcomes[READING_WINDOW];
    size_t positions[READING_WINDOW]; /* of requests: which report */
    size_t count, good;
};

/* Takes the next report, and those behind it that are read already. */
static void take_reports(struct import *import, struct window *window)
{
    *window = (struct window){0};
    do {
        struct read_report *read = reading_next(import->reading);

        if (!read->failed) {
            window->positions[window->good] = window->count;
            window->requests[window->good++] = (struct put_request){
                &read->report, &import->given.place, import->given.name, import->given.version};
        }
        window->reports[window->count++] = read;
    } while (reading_has_next(import->reading));
}

static int tell_outcomes(struct import *import, const struct window *window, struct err *err)
{
    for (size_t i = 0; i < window->count; i++)
        if (window->reports[i]->failed)
            tell_failure(import, import->done + i, &window->reports[i]->err);
    for (size_t i = 0; i < window->good; i++) {
        const struct put_outcome *outcome = &window->outcomes[i];

        if (outcome->failed)
            tell_failure(import, import->done + window->positions[i], &outcome->err);
        else if (outcome->number == 0)
            continue; /* not reached before the store failed */
        else if (note_image(import, outcome, err) < 0 ||
                 (import->format == FORMAT_JSONL &&
                     tell_jsonl(window->requests[i].report, outcome, err) < 0))
            return -1;
    }
    return 0;
}

static int import_window(struct import *import, struct err *err)
{
    struct window window;
    struct err why;
    int failed;

    take_reports(import, &window);
    failed = fleet_put_images(import->fleet, import->project, window.requests, window.good,
        "careen import", window.outcomes, err);
    /* Even then some may be in. */
    if (tell_outcomes(import, &window, failed ? &why : err) < 0)
        failed = -1;
    import->done += window.count;
    reading_done(import->reading, window.count);
    progress_step(&import->progress, import->done);
    return failed;
}

static int import_all(struct import *import, struct err *err)
{
    int failed = 0;

    import->fleet = cli_open(import->args, STORE_CREATE, true, &import->project, err);
    if (!import->fleet)
        return -1;
    import->reading = reading_start(&import->inputs, err);
    if (!import->reading)
        return -1;
    progress_start(&import->progress, "reports", import->inputs.count);
    while (!failed && import->done < import->inputs.count)
        failed = import_window(import, err);
    progress_clear(&import->progress);
    return failed;
}

static int prepare(struct import *import, struct err *err)
{
    if (cli_format(import->args, 1u << FORMAT_TABLE | 1u << FORMAT_JSONL, &import->format, err) < 0)
        return -1;
    if (cli_placement(import->args, &import->given, err) < 0)
        return -1;
    for (int i = 0; i < import->args->word_count; i++)
        if (inputs_add(&import->inputs, import->args->words[i], err) < 0)
            return -1;
    return 0;
}

static int run(const struct cli_args *args)
{
    struct import import = {.args = args};
    struct err err = {0};
    bool failed;
    int status;

    if (args->word_count == 0)
        return cli_usage("import", "name the reports to import");
    inputs_init(&import.inputs);
    failed = prepare(&import, &err) < 0 || import_all(&import, &err) < 0;
    if (import.format == FORMAT_TABLE && (!failed || import.image_count))
        print_summary(&import);
    status = failed                                 ? cli_fail("import", &err)
             : import.failed == 0                   ? EXIT_DONE
             : import.failed == import.inputs.count ? EXIT_FAILED
                                                    : EXIT_SOME_FAILED;
    reading_stop(import.reading);
    fleet_close(import.fleet);
    inputs_release(&import.inputs);
    free(import.images);
    map_release(&import.positions);
    return status;
}

const struct command command_import = {.name = "import",
    .summary = "take in reports of scanners, and SBOMs",
    .arguments = "FILE...",
    .details =
        "FILE is JSON, plain or gzip: a report of Trivy (schema version 2) or Grype, or an SBOM\n"
        "in CycloneDX (1.2 to 1.7) or SPDX (2.2, 2.3); the format is found out. \"-\" is standard\n"
        "input. Of a folder, every file below it whose name ends in .json or .json.gz is taken.\n"
        "Each report replaces what the same scanner said of the same image before; importing it\n"
        "again changes nothing but the scan time.\n"
        "One that is not about an image (file system, repository, application) needs --name.\n"
        "Without --image-type it is a local image.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_PLACEMENT,
    .run = run};
