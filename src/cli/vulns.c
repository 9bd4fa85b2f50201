/* SPDX-License-Identifier: Apache-2.0 */
/* careen vulns: the vulnerabilities that images of the project have, worst and widest first. */
#include "base/array.h"
#include "base/bug.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "codec/csv.h"
#include "codec/json_writer.h"

static const struct cli_option options[] = {
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"o", "FORMAT", "table, jsonl or csv", NULL},
};

/* A vulnerability, its name copied into the arena. */
struct listed {
    struct vuln_summary all;
    uint64_t open; /* images where it is not handled */
};

struct listing {
    struct arena arena;
    struct listed *at;
    size_t count, cap;
    size_t passed; /* of them, by the second walk */
    bool failed;
    struct err err;
};

static bool take_vuln(void *ctx, const struct vuln_summary *vuln)
{
    struct listing *listing = ctx;
    struct listed entry = {.all = *vuln};

    if (array_reserve(
            &listing->at, &listing->cap, listing->count + 1, sizeof(entry), &listing->err) < 0 ||
        arena_dup(&listing->arena, vuln->vul_id, &entry.all.vul_id, &listing->err) < 0) {
        listing->failed = true;
        return false;
    }
    listing->at[listing->count++] = entry;
    return true;
}

/* The second walk, over rows that are not handled, meets some of the first one's, in its order. */
static bool take_open(void *ctx, const struct vuln_summary *vuln)
{
    struct listing *listing = ctx;
    struct listed *entry;

    do {
        BUG_ON(listing->passed == listing->count);
        entry = &listing->at[listing->passed++];
    } while (entry->all.type != vuln->type || !slice_eq(entry->all.vul_id, vuln->vul_id));
    entry->open = vuln->images;
    return true;
}

static uint64_t open_codes(void)
{
    uint64_t mask = 0;

    for (unsigned code = 0; code < INDEX_CODES; code++)
        if (!index_code_handled((uint8_t)code))
            mask |= UINT64_C(1) << code;
    return mask;
}

static int compare_entries(const void *left, const void *right)
{
    const struct vuln_summary *a = &((const struct listed *)left)->all;
    const struct vuln_summary *b = &((const struct listed *)right)->all;

    if (a->worst != b->worst)
        return a->worst > b->worst ? -1 : 1;
    if (a->images != b->images)
        return a->images > b->images ? -1 : 1;
    return slice_cmp(a->vul_id, b->vul_id);
}

static void write_table(const struct listing *listing, struct buf *out)
{
    static const char *const headings[] = {
        "SEVERITY", "VULNERABILITY", "TYPE", ">IMAGES", ">OPEN", ">CONTAINERS"};
    struct table table;

    table_init(&table, headings, 6);
    for (size_t i = 0; i < listing->count; i++) {
        const struct vuln_summary *vuln = &listing->at[i].all;

        table_cell(&table, slice_of(words_name(&necessity_words, (int)vuln->worst)),
            colour_of_necessity(vuln->worst));
        table_cell(&table, vuln->vul_id, COLOUR_NONE);
        table_cell(&table, slice_of(words_name(&vul_type_words, (int)vuln->type)), COLOUR_NONE);
        table_number(&table, vuln->images);
        table_number(&table, listing->at[i].open);
        table_number(&table, vuln->containers);
    }
    if (listing->count)
        table_write(&table, cli_colours(), out);
    buf_printf(out, "%zu vulnerabilities\n", listing->count);
    table_release(&table);
}

static void write_csv(const struct listing *listing, struct buf *out)
{
    buf_put_cstr(out, "vul_id,type,repair_necessity,images,containers,open_images\n");
    for (size_t i = 0; i < listing->count; i++) {
        const struct vuln_summary *vuln = &listing->at[i].all;

        csv_field(out, vuln->vul_id, true);
        csv_field(out, slice_of(words_name(&vul_type_words, (int)vuln->type)), false);
        csv_field(out, slice_of(words_name(&necessity_words, (int)vuln->worst)), false);
        csv_number(out, (int64_t)vuln->images);
        csv_number(out, (int64_t)vuln->containers);
        csv_number(out, (int64_t)listing->at[i].open);
        csv_end(out);
    }
}

static void write_jsonl(const struct listing *listing, struct buf *out)
{
    struct json_writer w;

    for (size_t i = 0; i < listing->count; i++) {
        const struct vuln_summary *vuln = &listing->at[i].all;

        json_writer_init(&w, out);
        json_write_begin_object(&w);
        json_write_member(&w, "vul_id", vuln->vul_id);
        json_write_member(&w, "type", slice_of(words_name(&vul_type_words, (int)vuln->type)));
        json_write_member(
            &w, "repair_necessity", slice_of(words_name(&necessity_words, (int)vuln->worst)));
        json_write_member_u64(&w, "images", vuln->images);
        json_write_member_u64(&w, "containers", vuln->containers);
        json_write_member_u64(&w, "open_images", listing->at[i].open);
        json_write_end_object(&w);
        buf_put_char(out, '\n');
    }
}

static int gather(const struct cli_args *args, struct affected_request *request,
    struct listing *listing, struct err *err)
{
    uint32_t project;
    struct fleet *fleet = cli_open(args, STORE_READ, true, &project, err);
    int failed;

    if (!fleet)
        return -1;
    failed = fleet_each_vuln(fleet, project, &request->query.q.scope, request->query.q.codes,
                 take_vuln, listing, err) < 0 ||
             (!listing->failed &&
                 fleet_each_vuln(fleet, project, &request->query.q.scope,
                     request->query.q.codes & open_codes(), take_open, listing, err) < 0);
    fleet_close(fleet);
    if (!failed && listing->failed) {
        *err = listing->err;
        return -1;
    }
    if (!failed && listing->count)
        qsort(listing->at, listing->count, sizeof(*listing->at), compare_entries);
    return failed ? -1 : 0;
}

static int run(const struct cli_args *args)
{
    struct affected_request request;
    struct listing listing = {0};
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 30);
    enum cli_format format = FORMAT_TABLE;
    struct err err = {0};
    int failed;

    if (args->word_count)
        return cli_usage("vulns", "there is no argument %s", args->words[0]);
    arena_init(&listing.arena, "the list of vulnerabilities", 1UL << 30);
    failed = cli_format(args, 1u << FORMAT_TABLE | 1u << FORMAT_JSONL | 1u << FORMAT_CSV, &format,
                 &err) < 0 ||
             cli_affected_request(args, NULL, &listing.arena, &request, &err) < 0 ||
             gather(args, &request, &listing, &err) < 0;
    if (!failed && format == FORMAT_TABLE)
        write_table(&listing, &out);
    else if (!failed && format == FORMAT_CSV)
        write_csv(&listing, &out);
    else if (!failed)
        write_jsonl(&listing, &out);
    free(listing.at);
    arena_release(&listing.arena);
    return failed ? cli_fail("vulns", &err) : cli_print("vulns", &out);
}

const struct command command_vulns = {.name = "vulns",
    .summary = "the vulnerabilities that images have, worst first",
    .arguments = "",
    .details = "OPEN counts the images where it is neither ignored nor handled.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_SCOPE,
    .run = run};
