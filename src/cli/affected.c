/* SPDX-License-Identifier: Apache-2.0 */
/* careen affected VUL_ID: the call, on the command line. */
#include "api/affected_cursor.h"
#include "api/findings_write.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/decision_text.h"
#include "cli/facets.h"
#include "cli/table.h"

static const struct cli_option options[] = {
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"all", NULL, "all rows, not one page (not with -o json)", NULL},
    {"o", "FORMAT", "table, json (the call's body), jsonl, csv or sarif", NULL},
};

static const char *const headings[] = {"SEVERITY", "VULNERABILITY", "IMAGE", "VERSION", "TYPE",
    "WHERE", ">CONTAINERS", "STATUS", "ASSESSMENT", "LAST SCAN"};

enum { HEADING_COUNT = sizeof(headings) / sizeof(headings[0]), PIECE_BYTES = 256 * 1024 };

struct answer {
    enum cli_format format;
    struct buf out;
    struct table table;            /* with FORMAT_TABLE */
    struct findings_writer writer; /* with FORMAT_JSONL, _CSV, _SARIF */
    struct affected_request request;
    struct arena arena; /* what the request points at */
    struct buf name;    /* likewise, of the image behind which the next page begins */
    struct buf beside;  /* with FORMAT_TABLE: what the request includes */
    uint64_t total, shown;
    bool more;
};

/* --- Rows ------------------------------------------------------------------------------------- */

static struct slice where_of(const struct placement *place)
{
    if (place->type == IMAGE_CLUSTER && place->cluster_name.len)
        return place->cluster_name;
    return image_where(place);
}

static void row_to_table(struct table *table, const struct affected_row *row)
{
    const struct image *image = row->image;
    enum necessity necessity = index_code_necessity(row->code);
    char when[CLOCK_TEXT_BYTES];

    table_cell(table, slice_of(words_name(&necessity_words, (int)necessity)),
        colour_of_necessity(necessity));
    table_cell(table, row->vul_id, COLOUR_NONE);
    table_cell(table, image->name, COLOUR_NONE);
    table_cell(table, image->tag, COLOUR_NONE);
    table_cell(table, slice_of(words_name(&image_type_words, (int)image->place.type)), COLOUR_NONE);
    table_cell(table, where_of(&image->place), COLOUR_NONE);
    table_number(table, image->place.containers < 0 ? 0 : (uint64_t)image->place.containers);
    table_cell(table, slice_of(status_text(row->code)),
        index_code_handled(row->code) ? COLOUR_DIM : COLOUR_NONE);
    table_cell(table, slice_of(words_name(&assessment_words, (int)image->assessment)),
        image->assessment == ASSESSMENT_FULL ? COLOUR_NONE : COLOUR_YELLOW);
    table_cell(
        table, slice_sub(slice_of(clock_format(image->latest_scan_ms, when)), 0, 19), COLOUR_DIM);
}

static bool is_stream(const struct answer *answer)
{
    return answer->format != FORMAT_TABLE && answer->format != FORMAT_JSON;
}

static enum findings_format stream_format(enum cli_format format)
{
    if (format == FORMAT_CSV)
        return FINDINGS_CSV;
    return format == FORMAT_SARIF ? FINDINGS_SARIF : FINDINGS_JSONL;
}

static int take_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct answer *answer = ctx;

    answer->total = page->total;
    answer->more = page->more;
    answer->shown += page->count;
    if (answer->format == FORMAT_JSON)
        affected_write_page(&answer->out, page, &answer->request);
    for (size_t i = 0; i < page->count && answer->format == FORMAT_TABLE; i++)
        row_to_table(&answer->table, &page->rows[i]);
    if (page->facets && answer->format == FORMAT_TABLE)
        facets_print(page->facets, answer->request.include, &answer->beside);
    answer->request.query.facets = false; /* they are the same for all pages */
    if (page->count && affected_go_on(&answer->request.query.q, &page->rows[page->count - 1],
                           &answer->name, err) < 0)
        return -1;
    return is_stream(answer) ? findings_write_page(&answer->writer, page, &answer->out, err) : 0;
}

/* --- Asking ----------------------------------------------------------------------------------- */

/* Writes what there is, and forgets it. */
static int flush(struct answer *answer, struct err *err)
{
    if (buf_check(&answer->out, "the answer", err) < 0)
        return -1;
    if (!cli_write(buf_slice(&answer->out)))
        return err_set_errno(err, "cannot write the answer to standard output");
    buf_clear(&answer->out);
    return 0;
}

/* One page, or with --all page after page; what is complete is written as it comes. */
static int ask(
    struct fleet *fleet, uint32_t project, bool all, struct answer *answer, struct err *err)
{
    if (all)
        answer->request.query.q.limit = LIMIT_PAGE_MAX;
    do {
        if (fleet_affected(fleet, project, &answer->request.query, take_page, answer, err) < 0 ||
            flush(answer, err) < 0)
            return -1;
    } while (all && answer->more);
    return 0;
}

static int ask_for_stream(
    struct fleet *fleet, uint32_t project, bool all, struct answer *answer, struct err *err)
{
    bool ended = false;

    if (findings_writer_init(&answer->writer, stream_format(answer->format), err) < 0)
        return -1;
    findings_write_begin(&answer->writer, &answer->out);
    if (ask(fleet, project, all, answer, err) < 0)
        return -1;
    while (!ended) {
        ended = findings_write_end(&answer->writer, PIECE_BYTES, &answer->out);
        if (flush(answer, err) < 0)
            return -1;
    }
    return 0;
}

static int finish_table(struct answer *answer, struct err *err)
{
    bool colours = cli_colours();

    if (answer->shown)
        table_write(&answer->table, colours, &answer->out);
    if (answer->shown < answer->total)
        buf_printf(&answer->out,
            "%llu of %llu rows; --limit and --offset choose others, --all shows all\n",
            (unsigned long long)answer->shown, (unsigned long long)answer->total);
    else
        buf_printf(&answer->out, "%llu row%s\n", (unsigned long long)answer->total,
            answer->total == 1 ? "" : "s");
    buf_put_slice(&answer->out, buf_slice(&answer->beside));
    if (buf_check(&answer->beside, "the table", err) < 0 ||
        buf_check(&answer->out, "the table", err) < 0)
        return -1;
    return cli_write(buf_slice(&answer->out)) ? 0 : err_set_errno(err, "cannot write the table");
}

/* Images that were looked at in part, or not at all, may be affected without showing it. And where
 * no image was asked about, as when --project was forgotten, "0 rows" says nothing good. */
static int tell_assessment(const struct cli_args *args, struct fleet *fleet, uint32_t project,
    const struct answer *answer, int *ret_status, struct err *err)
{
    const char *name = cli_value(args, "project");
    struct index_counts counts;
    uint64_t unsure;

    if (fleet_count(fleet, project, &answer->request.query.q.scope, &counts, err) < 0)
        return -1;
    unsure = counts.images - counts.by_assessment[ASSESSMENT_FULL];
    if (counts.images == 0)
        fprintf(stderr,
            "careen affected: no image was asked about: project \"%s\" has none, or none that the "
            "filters choose\n",
            name ? name : "default");
    if (unsure)
        fprintf(stderr,
            "careen affected: %llu of the %llu images asked about are not fully assessed "
            "(%llu partly, %llu not at all): they may be affected without being listed\n",
            (unsigned long long)unsure, (unsigned long long)counts.images,
            (unsigned long long)counts.by_assessment[ASSESSMENT_PARTLY],
            (unsigned long long)counts.by_assessment[ASSESSMENT_NOT]);
    *ret_status = answer->total == 0 && (unsure || counts.images == 0) ? EXIT_UNSURE : EXIT_DONE;
    return 0;
}

static int run_opened(
    const struct cli_args *args, struct answer *answer, int *ret_status, struct err *err)
{
    uint32_t project;
    struct fleet *fleet = cli_open(args, STORE_READ, true, &project, err);
    int failed;

    if (!fleet)
        return -1;
    failed = (is_stream(answer) ? ask_for_stream : ask)(
                 fleet, project, cli_given(args, "all"), answer, err) < 0 ||
             (answer->format == FORMAT_TABLE && finish_table(answer, err) < 0) ||
             tell_assessment(args, fleet, project, answer, ret_status, err) < 0;
    fleet_close(fleet);
    return failed ? -1 : 0;
}

static int parse(const struct cli_args *args, struct answer *answer, struct err *err)
{
    if (cli_format(args,
            1u << FORMAT_TABLE | 1u << FORMAT_JSON | 1u << FORMAT_JSONL | 1u << FORMAT_CSV |
                1u << FORMAT_SARIF,
            &answer->format, err) < 0)
        return -1;
    if (answer->format == FORMAT_JSON && cli_given(args, "all"))
        return err_set(err, ERR_USAGE, "-o json is one page of the call; take -o jsonl with --all");
    if (is_stream(answer) && cli_given(args, "include"))
        return err_set(err, ERR_USAGE, "--include goes with -o table and -o json");
    return cli_affected_request(
        args, args->word_count ? args->words[0] : NULL, &answer->arena, &answer->request, err);
}

static int run(const struct cli_args *args)
{
    struct answer answer = {
        .out = BUF_INIT(1UL << 30), .name = BUF_INIT(1UL << 30), .beside = BUF_INIT(1UL << 30)};
    struct err err = {0};
    int status = EXIT_DONE, failed;

    if (args->word_count > 1)
        return cli_usage("affected", "give one vulnerability, not %d", args->word_count);
    table_init(&answer.table, headings, HEADING_COUNT);
    arena_init(&answer.arena, "the filters", 1UL << 30);
    failed = parse(args, &answer, &err) < 0 || run_opened(args, &answer, &status, &err) < 0;
    table_release(&answer.table);
    findings_writer_release(&answer.writer);
    arena_release(&answer.arena);
    buf_release(&answer.name);
    buf_release(&answer.beside);
    buf_release(&answer.out);
    return failed ? cli_fail("affected", &err) : status;
}

const struct command command_affected = {.name = "affected",
    .summary = "which images does this vulnerability affect?",
    .arguments = "[VUL_ID]",
    .details =
        "VUL_ID is any name of the vulnerability: CVE-..., GHSA-..., a distributor's "
        "advisory, or a\n"
        "CVE that such an advisory covers. Without one, all rows are listed. The answer is "
        "that of\n"
        "GET /v5/{project_id}/vulnerability/images with the same filters. STATUS is open, "
        "ignored or\n"
        "handled (repaired by hand): --is-handled false lists what is still to be done.\n"
        "All filters that are given must hold. A list (ID...) is given with commas, or again and\n"
        "again, and any of its values will do. --include counts,facets tells how many images,\n"
        "vulnerabilities and containers the rows are about, and the rows by value of each filter.\n"
        "Exit status 4: nothing was found, but no image was looked at, or not all of them fully.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_AFFECTED,
    .run = run};
