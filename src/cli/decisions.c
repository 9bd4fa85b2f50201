/* SPDX-License-Identifier: Apache-2.0 */
/* careen decisions: those in force, or all there ever were. */
#include "api/decision_render.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/decision_text.h"

static const struct cli_option options[] = {
    {"all", NULL, "those that have ended, too", NULL},
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"o", "FORMAT", "table, json, jsonl or csv", NULL},
};

enum { DECISIONS_AT_ONCE = 1000 };

struct listing {
    enum cli_format format;
    struct buf out;
    struct json_writer w; /* -o json: the array */
    struct table table;
    struct buf notes; /* the notes of all decisions, one after the other */
    struct arena arena;
    size_t *note_ends; /* in notes, by decision */
    size_t note_cap;
    uint64_t count;
    size_t on_page;
    uint32_t last;
};

static int take_row(struct listing *listing, const struct decision_view *view, struct err *err)
{
    size_t *ends = arena_grow(&listing->arena, listing->note_ends, listing->count,
        &listing->note_cap, sizeof(*ends), err);

    if (!ends)
        return -1;
    listing->note_ends = ends;
    decision_table_row(&listing->table, view);
    decision_write_notes(&listing->notes, view);
    ends[listing->count] = listing->notes.len;
    return buf_check(&listing->notes, "the list", err);
}

static int take(void *ctx, const struct decision_view *view, struct err *err)
{
    struct listing *listing = ctx;
    struct json_writer line;

    if (listing->format == FORMAT_TABLE && take_row(listing, view, err) < 0)
        return -1;
    if (listing->format == FORMAT_CSV)
        decision_write_csv(&listing->out, view);
    if (listing->format == FORMAT_JSON)
        decision_write(&listing->w, view);
    if (listing->format == FORMAT_JSONL) {
        json_writer_init(&line, &listing->out);
        decision_write(&line, view);
        buf_put_char(&listing->out, '\n');
    }
    listing->count++;
    listing->on_page++;
    listing->last = view->decision->number;
    return buf_check(&listing->out, "the list", err);
}

/* The rows of the table, each with its notes below it. */
static void finish_table(struct listing *listing)
{
    struct buf rows CLEANUP(buf_release) = BUF_INIT(1UL << 30);
    struct slice rest, notes = buf_slice(&listing->notes);
    size_t from = 0;

    if (listing->count)
        table_write(&listing->table, cli_colours(), &rows);
    listing->out.failed |= rows.failed;
    rest = buf_slice(&rows);
    for (uint64_t i = 0; rest.len; i++) {
        struct slice row = slice_pull_until(&rest, '\n');

        buf_put_slice(&listing->out, row);
        buf_put_char(&listing->out, '\n');
        if (i == 0) /* the heading */
            continue;
        buf_put_slice(&listing->out, slice_sub(notes, from, listing->note_ends[i - 1] - from));
        from = listing->note_ends[i - 1];
    }
    buf_printf(&listing->out, "%llu decision%s\n", (unsigned long long)listing->count,
        listing->count == 1 ? "" : "s");
}

static int gather(const struct cli_args *args, struct listing *listing, struct err *err)
{
    struct decision_query query = {.in_force = !cli_given(args, "all"),
        .vul_id = slice_of(args->word_count ? args->words[0] : NULL),
        .limit = DECISIONS_AT_ONCE};
    uint32_t project;
    struct fleet *fleet = cli_open(args, STORE_READ, true, &project, err);
    int failed;

    if (!fleet)
        return -1;
    do {
        listing->on_page = 0;
        query.after = listing->last;
        failed = fleet_each_decision(fleet, project, &query, take, listing, err);
    } while (!failed && listing->on_page);
    fleet_close(fleet);
    return failed;
}

static void begin(struct listing *listing)
{
    if (listing->format == FORMAT_CSV)
        decision_csv_heading(&listing->out);
    if (listing->format != FORMAT_JSON)
        return;
    json_writer_init(&listing->w, &listing->out);
    json_write_begin_object(&listing->w);
    json_write_key(&listing->w, "decisions");
    json_write_begin_array(&listing->w);
}

static void finish(struct listing *listing)
{
    if (listing->format == FORMAT_TABLE)
        finish_table(listing);
    if (listing->format != FORMAT_JSON)
        return;
    json_write_end_array(&listing->w);
    json_write_end_object(&listing->w);
    buf_put_char(&listing->out, '\n');
}

static int run(const struct cli_args *args)
{
    struct listing listing = {.out = BUF_INIT(1UL << 30), .notes = BUF_INIT(1UL << 30)};
    struct err err = {0};
    int status;

    if (args->word_count > 1)
        return cli_usage("decisions", "give one vulnerability, not %d", args->word_count);
    if (args->word_count && *args->words[0] == '\0')
        return cli_usage("decisions", "the VUL_ID is empty");
    if (cli_format(args,
            1u << FORMAT_TABLE | 1u << FORMAT_JSON | 1u << FORMAT_JSONL | 1u << FORMAT_CSV,
            &listing.format, &err) < 0)
        return cli_fail("decisions", &err);
    arena_init(&listing.arena, "the list of decisions", 1UL << 30);
    table_init(&listing.table, decision_headings, DECISION_COLUMNS);
    begin(&listing);
    if (gather(args, &listing, &err) < 0) {
        status = cli_fail("decisions", &err);
    } else {
        finish(&listing);
        status = cli_print("decisions", &listing.out);
    }
    table_release(&listing.table);
    arena_release(&listing.arena);
    buf_release(&listing.notes);
    buf_release(&listing.out);
    return status;
}

const struct command command_decisions = {.name = "decisions",
    .summary = "list decisions: who ignored what, where, why and until when",
    .arguments = "[VUL_ID]",
    .details =
        "Those in force; --all lists all there ever were, with how and when each ended. ROWS "
        "are those\n"
        "that a decision lies over now, whether or not a newer one says otherwise.\n\n"
        "  careen decisions CVE-2024-0001 --all\n"
        "  careen decisions -o csv > decisions.csv",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
