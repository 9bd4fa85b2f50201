/* SPDX-License-Identifier: Apache-2.0 */
/* careen images list | show */
#include "api/image_render.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/decision_text.h"
#include "cli/images.h"
#include "cli/table.h"

static const struct cli_option list_options[] = {
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"o", "FORMAT", "table or jsonl", NULL},
};

static const struct cli_option show_options[] = {
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"o", "FORMAT", "table, json, cyclonedx or spdx", NULL},
};

/* --- list ------------------------------------------------------------------------------------- */

static bool write_jsonl(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct buf *out = ctx;
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    image_write_members(&w, image);
    image_write_counts(&w, counts);
    json_write_end_object(&w);
    buf_put_char(out, '\n');
    return !out->failed;
}

static int list_jsonl(const struct cli_args *args, struct fleet *fleet, uint32_t project,
    struct buf *out, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct affected_request request;

    arena_init(&arena, "the filters", 1UL << 30);
    if (cli_affected_request(args, NULL, &arena, &request, err) < 0)
        return -1;
    return fleet_each_image(fleet, project, &request.query.q.scope, 0, write_jsonl, out, err);
}

static int list_table(const struct cli_args *args, struct fleet *fleet, uint32_t project,
    struct buf *out, struct err *err)
{
    struct choice choice CLEANUP(choice_release);

    choice_init(&choice);
    if (choice_by_filter(&choice, args, fleet, project, err) < 0)
        return -1;
    choice_write_table(&choice, out);
    return 0;
}

static int list(const struct cli_args *args, struct buf *out, struct err *err)
{
    enum cli_format format;
    uint32_t project;
    struct fleet *fleet;
    int failed;

    if (cli_format(args, 1u << FORMAT_TABLE | 1u << FORMAT_JSONL, &format, err) < 0)
        return -1;
    fleet = cli_open(args, STORE_READ, true, &project, err);
    if (!fleet)
        return -1;
    failed = (format == FORMAT_TABLE ? list_table : list_jsonl)(args, fleet, project, out, err);
    fleet_close(fleet);
    return failed;
}

static int run_list(const struct cli_args *args)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 30);
    struct err err = {0};

    if (args->word_count)
        return cli_usage("images list", "there is no argument %s", args->words[0]);
    return list(args, &out, &err) < 0 ? cli_fail("images list", &err)
                                      : cli_print("images list", &out);
}

/* --- show ------------------------------------------------------------------------------------- */

static void put_line(struct buf *out, const char *label, struct slice value)
{
    if (value.len)
        buf_printf(out, "%-14s %.*s\n", label, SLICE_FMT(value));
}

static void put_time(struct buf *out, const char *label, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];

    put_line(out, label, slice_of(clock_format(ms, text)));
}

static void write_head(const struct image_detail *detail, struct buf *out)
{
    const struct image *image = &detail->image;

    put_line(out, "image", slice_of(image->id));
    put_line(out, "name", image->name);
    put_line(out, "version", image->tag);
    put_line(out, "digest", image->digest);
    put_line(out, "type", slice_of(words_name(&image_type_words, (int)image->place.type)));
    put_line(out, "registry", image->place.registry_name);
    put_line(out, "organization", image->place.organization);
    put_line(out, "cluster", image->place.cluster_id);
    put_line(out, "os", image->os_release);
    put_line(out, "architecture", image->architecture);
    put_line(out, "assessment", slice_of(words_name(&assessment_words, (int)image->assessment)));
    put_line(out, "latest", image->latest ? SLICE("yes") : SLICE("no"));
    put_time(out, "first seen", image->first_seen_ms);
    put_time(out, "last scan", image->latest_scan_ms);
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (detail->sources[i].present)
            buf_printf(out, "%-14s %llu packages%s, %llu claims\n", words_name(&source_words, i),
                (unsigned long long)detail->sources[i].packages,
                detail->sources[i].complete ? "" : " (vulnerable ones only)",
                (unsigned long long)detail->sources[i].claims);
}

static enum table_colour colour_of_severity(enum severity severity)
{
    return severity == SEVERITY_UNKNOWN ? COLOUR_DIM : colour_of_necessity(necessity_of(severity));
}

/* The image's rows: what decisions make of them. */
struct rows {
    struct arena *arena;
    struct row {
        struct slice vul_id;
        enum vul_type type;
        uint8_t code;
    } * at;
    size_t count, cap;
    uint32_t last_image, last_vuln;
    bool more;
};

static int take_rows(void *ctx, const struct affected_page *page, struct err *err)
{
    struct rows *rows = ctx;

    for (size_t i = 0; i < page->count; i++) {
        const struct affected_row *from = &page->rows[i];
        struct row *grown =
            arena_grow(rows->arena, rows->at, rows->count, &rows->cap, sizeof(*grown), err);

        if (!grown)
            return -1;
        rows->at = grown;
        rows->at[rows->count] = (struct row){.type = from->type, .code = from->code};
        if (arena_dup(rows->arena, from->vul_id, &rows->at[rows->count++].vul_id, err) < 0)
            return -1;
        rows->last_image = from->image->number;
        rows->last_vuln = from->vuln;
    }
    rows->more = page->more;
    return 0;
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    return a->type != b->type ? (a->type < b->type ? -1 : 1) : slice_cmp(a->vul_id, b->vul_id);
}

static int gather_rows(struct fleet *fleet, uint32_t project, struct slice image_id,
    struct rows *rows, struct err *err)
{
    struct affected_query query = {.q = {.scope = {.type = -1, .image_id = image_id},
                                       .codes = INDEX_ALL_CODES,
                                       .limit = LIMIT_PAGE_MAX}};

    do {
        if (fleet_affected(fleet, project, &query, take_rows, rows, err) < 0)
            return -1;
        query.q.by_cursor = true;
        query.q.after_image = rows->last_image;
        query.q.after_vuln = rows->last_vuln;
    } while (rows->more);
    if (rows->count)
        qsort(rows->at, rows->count, sizeof(*rows->at), compare_rows);
    return 0;
}

static const char *status_of(const struct rows *rows, const struct image_claim *claim)
{
    const struct row key = {.vul_id = claim->vul_id, .type = claim->type};
    const struct row *found =
        rows->count ? bsearch(&key, rows->at, rows->count, sizeof(key), compare_rows) : NULL;

    return found ? status_text(found->code) : "";
}

static void write_claims(
    const struct image_detail *detail, const struct rows *rows, struct buf *out)
{
    static const char *const headings[] = {"SEVERITY", "VULNERABILITY", "STATUS", "REPORTED AS",
        "SOURCE", "PACKAGE", "VERSION", "FIXED IN"};
    struct table table;

    table_init(&table, headings, 8);
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        for (size_t i = 0; i < detail->claim_count; i++) {
            const struct image_claim *claim = &detail->claims[i];
            const struct package *package = &detail->packages[claim->package].package;

            if ((int)claim->severity != severity)
                continue;
            table_cell(&table, slice_of(words_name(&severity_words, severity)),
                colour_of_severity(claim->severity));
            table_cell(&table, claim->vul_id, COLOUR_NONE);
            table_cell(&table, slice_of(status_of(rows, claim)), COLOUR_NONE);
            table_cell(&table, claim->reported, COLOUR_NONE);
            table_cell(
                &table, slice_of(words_name(&source_words, (int)claim->source)), COLOUR_NONE);
            table_cell(&table, package->name, COLOUR_NONE);
            table_cell(&table, package->version, COLOUR_NONE);
            table_cell(&table, claim->fixed_version, COLOUR_NONE);
        }
    if (detail->claim_count)
        table_write(&table, cli_colours(), out);
    table_release(&table);
}

static int show(const struct cli_args *args, struct buf *out, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct rows rows = {.arena = &arena};
    struct image_detail detail;
    enum cli_format format;
    uint32_t project;
    struct fleet *fleet;
    int failed;

    arena_init(&arena, "the image", 1UL << 30);
    if (cli_format(args,
            1u << FORMAT_TABLE | 1u << FORMAT_JSON | 1u << FORMAT_CYCLONEDX | 1u << FORMAT_SPDX,
            &format, err) < 0)
        return -1;
    fleet = cli_open(args, STORE_READ, true, &project, err);
    if (!fleet)
        return -1;
    failed = fleet_show_image(fleet, project, slice_of(args->words[0]), &arena, &detail, err) < 0 ||
             gather_rows(fleet, project, slice_of(args->words[0]), &rows, err) < 0;
    fleet_close(fleet);
    if (failed)
        return -1;
    if (format == FORMAT_CYCLONEDX || format == FORMAT_SPDX)
        return images_write_sbom(&detail, format, &arena, out, err);
    if (format == FORMAT_JSON) {
        image_write_detail(out, &detail);
        return 0;
    }
    write_head(&detail, out);
    buf_put_char(out, '\n');
    write_claims(&detail, &rows, out);
    return 0;
}

static int run_show(const struct cli_args *args)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 30);
    struct err err = {0};

    if (args->word_count != 1)
        return cli_usage("images show", "give one image id");
    return show(args, &out, &err) < 0 ? cli_fail("images show", &err)
                                      : cli_print("images show", &out);
}

const struct command command_images_list = {.name = "images list",
    .summary = "list images with what they hold",
    .arguments = "",
    .options = list_options,
    .option_count = sizeof(list_options) / sizeof(list_options[0]),
    .tables = OPTIONS_SCOPE,
    .run = run_list};

const struct command command_images_show = {.name = "images show",
    .summary = "everything about one image",
    .arguments = "IMAGE_ID",
    .details =
        "-o json also lists its packages. -o cyclonedx (1.6) and -o spdx (2.3) write an SBOM,\n"
        "as JSON; importing that gives the same packages, and from CycloneDX the same claims.",
    .options = show_options,
    .option_count = sizeof(show_options) / sizeof(show_options[0]),
    .run = run_show};
