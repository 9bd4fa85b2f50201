/* SPDX-License-Identifier: Apache-2.0 */
/*
 * careen prune: retention now, and then what nothing uses any more is collected. What has gone is
 * shown even when the command fails half way.
 */
#include "api/image_render.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/when.h"
#include "cli/cli.h"
#include "cli/retention_text.h"
#include "cli/table.h"

static const struct cli_option options[] = {
    {"superseded", "DURATION",
        "remove superseded images that run nowhere, last reported so long ago", NULL},
    {"unseen", "DURATION", "remove images that were last reported so long ago, whatever they are",
        NULL},
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"all-projects", NULL, "every project", NULL},
    {"whole", NULL, "also when it is more than half of a project's images", NULL},
    {"dry-run", NULL, "only show what would go", NULL},
    {"o", "FORMAT", "table or json", NULL},
};

enum { OUTPUT_MAX_BYTES = 1 << 30, COLUMNS = 6 };

struct pruning {
    const struct cli_args *args;
    enum cli_format format;
    struct retention rule;
    bool dry_run;
    struct retained retained;
    struct store_collected collected;
    struct store_stats stats; /* afterwards */
    struct table table;
    struct buf out;
    struct json_writer w;
};

/* --- What has gone ---------------------------------------------------------------------------- */

static void add_row(
    struct table *table, struct slice project_id, const struct image *image, enum removal why)
{
    char when[CLOCK_TEXT_BYTES];

    table_cell(table, project_id, COLOUR_NONE);
    table_cell(table, slice_of(image->id), COLOUR_NONE);
    table_cell(table, image->name, COLOUR_NONE);
    table_cell(table, image->tag, COLOUR_NONE);
    table_cell(
        table, slice_sub(slice_of(clock_format(image->latest_scan_ms, when)), 0, 19), COLOUR_DIM);
    table_cell(table, slice_of(words_name(&removal_words, (int)why)), COLOUR_NONE);
}

static int note_removed(void *ctx, struct slice project_id, const struct image *image,
    enum removal why, struct err *err)
{
    struct pruning *p = ctx;

    (void)err; /* what is too long to be shown is removed all the same */
    if (p->format == FORMAT_TABLE) {
        add_row(&p->table, project_id, image, why);
        return 0;
    }
    json_write_begin_object(&p->w);
    json_write_member(&p->w, "project_id", project_id);
    json_write_member(&p->w, "reason", slice_of(words_name(&removal_words, (int)why)));
    image_write_members(&p->w, image);
    json_write_end_object(&p->w);
    return 0;
}

static void begin_output(struct pruning *p)
{
    static const char *const headings[COLUMNS] = {
        "PROJECT", "IMAGE ID", "NAME", "VERSION", "LAST SCAN", "REASON"};

    if (p->format == FORMAT_TABLE) {
        table_init(&p->table, headings, COLUMNS);
        return;
    }
    json_writer_init(&p->w, &p->out);
    json_write_begin_object(&p->w);
    json_write_key(&p->w, "images");
    json_write_begin_array(&p->w);
}

static void end_table(struct pruning *p, bool failed)
{
    const struct retained *r = &p->retained;
    const struct store_collected *c = &p->collected;

    if (p->table.count > COLUMNS)
        table_write(&p->table, cli_colours(), &p->out);
    table_release(&p->table);
    if (failed)
        return;
    buf_printf(&p->out, "%llu images %s: %llu superseded, %llu unseen\n",
        (unsigned long long)(r->superseded + r->unseen),
        p->dry_run ? "would be removed" : "removed", (unsigned long long)r->superseded,
        (unsigned long long)r->unseen);
    if (r->spared)
        buf_printf(&p->out,
            "%llu images were left alone: they are more than half of their project; --whole "
            "removes them, too\n",
            (unsigned long long)r->spared);
    if (p->dry_run)
        return;
    buf_printf(&p->out,
        "of no use any more: %llu claims, %llu packages, %llu records, %llu names dropped\n",
        (unsigned long long)c->claims, (unsigned long long)c->packages,
        (unsigned long long)c->records, (unsigned long long)c->names);
    buf_printf(&p->out, "database %.1f MiB, %.1f MiB of it free to be used again\n",
        (double)p->stats.bytes / 1048576.0, (double)p->stats.free_bytes / 1048576.0);
}

static void end_json(struct pruning *p, bool failed)
{
    struct json_writer *w = &p->w;

    json_write_end_array(w);
    json_write_key(w, "dry_run");
    json_write_bool(w, p->dry_run);
    json_write_key(w, "complete");
    json_write_bool(w, !failed);
    json_write_member_u64(w, "superseded", p->retained.superseded);
    json_write_member_u64(w, "unseen", p->retained.unseen);
    json_write_member_u64(w, "spared", p->retained.spared);
    if (!p->dry_run && !failed) {
        json_write_key(w, "dropped");
        json_write_begin_object(w);
        json_write_member_u64(w, "claims", p->collected.claims);
        json_write_member_u64(w, "packages", p->collected.packages);
        json_write_member_u64(w, "records", p->collected.records);
        json_write_member_u64(w, "names", p->collected.names);
        json_write_end_object(w);
        json_write_member_u64(w, "database_bytes", p->stats.bytes);
        json_write_member_u64(w, "free_bytes", p->stats.free_bytes);
    }
    json_write_end_object(w);
    buf_put_char(&p->out, '\n');
}

/* --- Doing it --------------------------------------------------------------------------------- */

static int read_age(const struct cli_args *args, const char *name, int64_t *ret, struct err *err)
{
    *ret = -1; /* 0: at once: all that are not of the newest report */
    if (cli_given(args, name) && when_age(cli_slice(args, name), ret, err) < 0)
        return err_prefix(err, "--%s", name);
    return 0;
}

static int prune(struct pruning *p, struct fleet *fleet, uint32_t project, struct err *err)
{
    static const char who[] = "careen prune";
    bool any = p->rule.superseded_ms >= 0 || p->rule.unseen_ms >= 0;

    if (any && fleet_load(fleet, project, err) < 0)
        return -1;
    if (any && fleet_retain(fleet, project, &p->rule, p->dry_run, who, note_removed, p,
                   &p->retained, err) < 0)
        return -1;
    if (p->dry_run)
        return 0;
    if (store_collect(fleet_store(fleet), who, &p->collected, err) < 0)
        return -1;
    return store_stats(fleet_store(fleet), &p->stats, err);
}

static int open_and_prune(struct pruning *p, struct err *err)
{
    uint32_t project;
    struct fleet *fleet =
        cli_open(p->args, p->dry_run ? STORE_READ : STORE_WRITE, false, &project, err);
    int failed = -1;

    if (fleet)
        failed = prune(p, fleet, cli_given(p->args, "all-projects") ? 0 : project, err);
    fleet_close(fleet);
    return failed;
}

static int run(const struct cli_args *args)
{
    struct pruning p = {.args = args,
        .rule.whole = cli_given(args, "whole"),
        .dry_run = cli_given(args, "dry-run"),
        .out = BUF_INIT(OUTPUT_MAX_BYTES)};
    struct err err = {0};
    bool failed;
    int status;

    if (args->word_count)
        return cli_usage("prune", "there is no argument %s", args->words[0]);
    if (cli_given(args, "project") && cli_given(args, "all-projects"))
        return cli_usage("prune", "give --project or --all-projects, not both");
    if (cli_format(args, 1u << FORMAT_TABLE | 1u << FORMAT_JSON, &p.format, &err) < 0 ||
        read_age(args, "superseded", &p.rule.superseded_ms, &err) < 0 ||
        read_age(args, "unseen", &p.rule.unseen_ms, &err) < 0)
        return cli_fail("prune", &err);
    begin_output(&p);
    failed = open_and_prune(&p, &err) < 0;
    (p.format == FORMAT_TABLE ? end_table : end_json)(&p, failed);
    status = p.out.len ? cli_print("prune", &p.out) : EXIT_DONE;
    buf_release(&p.out);
    return failed ? cli_fail("prune", &err) : status;
}

const struct command command_prune = {.name = "prune",
    .summary = "remove images that have had their time, and what only they used",
    .arguments = "",
    .details = "Ages are counted from the project's newest report. Without --superseded and "
               "--unseen no image goes:\nonly what no image uses any more is dropped.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
