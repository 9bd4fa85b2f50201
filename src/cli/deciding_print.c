/* SPDX-License-Identifier: Apache-2.0 */
/* See deciding.h: what a decision did, or would do, in words. */
#include "api/affected_render.h"
#include "api/decision_render.h"
#include "base/bug.h"
#include "base/clock.h"
#include "cli/decision_text.h"
#include "cli/deciding.h"
#include "cli/table.h"

enum { PREVIEW_ROWS = 20 };

/* --- Rows that would change ------------------------------------------------------------------- */

struct preview {
    enum cli_format format;
    struct table table;
    struct buf rows; /* JSON objects, a comma before each but the first */
    uint64_t count;
};

int preview_new(const struct deciding_line *line, struct preview **ret, struct err *err)
{
    static const char *const headings[] = {"SEVERITY", "VULNERABILITY", "IMAGE", "STATUS NOW"};
    struct preview *preview = calloc(1, sizeof(*preview));

    if (!preview)
        return err_nomem(err);
    *preview = (struct preview){.format = line->format, .rows = BUF_INIT(1UL << 30)};
    table_init(&preview->table, headings, 4);
    *ret = preview;
    return 0;
}

void preview_free(struct preview *preview)
{
    if (!preview)
        return;
    table_release(&preview->table);
    buf_release(&preview->rows);
    free(preview);
}

static void row_to_table(struct table *table, const struct affected_row *row)
{
    const struct image *image = row->image;
    enum necessity necessity = index_code_necessity(row->code);
    struct buf name = BUF_INIT(64UL << 10);

    table_cell(table, slice_of(words_name(&necessity_words, (int)necessity)),
        colour_of_necessity(necessity));
    table_cell(table, row->vul_id, COLOUR_NONE);
    buf_put_slice(&name, image->name);
    if (image->tag.len)
        buf_printf(&name, ":%.*s", SLICE_FMT(image->tag));
    table_cell(table, buf_slice(&name), COLOUR_NONE);
    table_cell(table, slice_of(status_text(row->code)), COLOUR_NONE);
    buf_release(&name);
}

int preview_take(void *ctx, const struct affected_row *row, struct err *err)
{
    struct preview *preview = ctx;
    struct json_writer w;

    preview->count++;
    if (preview->format == FORMAT_TABLE) {
        if (preview->count <= PREVIEW_ROWS)
            row_to_table(&preview->table, row);
        return 0;
    }
    if (preview->rows.len)
        buf_put_char(&preview->rows, ',');
    json_writer_init(&w, &preview->rows);
    affected_write_row(&w, row);
    return buf_check(&preview->rows, "the list of rows", err);
}

/* --- Scope and undo --------------------------------------------------------------------------- */

static void write_enterprise_projects(const struct deciding *deciding, struct buf *out)
{
    buf_put_cstr(out, "enterprise projects ");
    for (size_t i = 0; i < deciding->enterprise_project_count; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "", SLICE_FMT(deciding->enterprise_projects[i]));
}

void deciding_write_scope(const struct deciding_line *line, struct buf *out)
{
    const struct decision_request *request = &line->request;
    bool parts = line->deciding.enterprise_project_count > 0;

    switch (request->scope) {
    case DECISION_PROJECT:
        if (parts)
            write_enterprise_projects(&line->deciding, out);
        else
            buf_put_cstr(out, "the whole project");
        break;
    case DECISION_IMAGES:
        if (request->image_count == 1)
            buf_printf(out, "image %.*s", SLICE_FMT(request->image_ids[0]));
        else
            buf_printf(out, "%zu images", request->image_count);
        break;
    case DECISION_REGISTRY:
    case DECISION_REPOSITORY:
    case DECISION_CLUSTER:
        buf_printf(out, "%s %.*s", words_name(&decision_scope_words, (int)request->scope),
            SLICE_FMT(request->place));
        break;
    case DECISION_SCOPE_COUNT:
    default:
        BUG_ON(true);
    }
    if (request->image_type >= 0)
        buf_printf(out, " (%s images)", words_name(&image_type_words, request->image_type));
    if (parts && request->scope != DECISION_PROJECT) {
        buf_put_cstr(out, ", ");
        write_enterprise_projects(&line->deciding, out);
    }
}

/* As one word of a POSIX shell. */
static void put_word(struct buf *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,";

    if (*word && word[strspn(word, plain)] == '\0') {
        buf_put_cstr(out, word);
        return;
    }
    buf_put_char(out, '\'');
    for (; *word; word++)
        if (*word == '\'')
            buf_put_cstr(out, "'\\''");
        else
            buf_put_char(out, *word);
    buf_put_char(out, '\'');
}

void deciding_write_undo(const struct cli_args *args, const struct ids *numbers, struct buf *out)
{
    const char *project = cli_value(args, "project");

    buf_put_cstr(out, "careen unignore");
    for (size_t i = 0; i < numbers->count; i++)
        buf_printf(out, " %u", numbers->at[i]);
    if (project) {
        buf_put_cstr(out, " --project ");
        put_word(out, project);
    }
    if (args->data_given) {
        buf_put_cstr(out, " --data ");
        put_word(out, args->data_dir);
    }
}

/* --- What came of it -------------------------------------------------------------------------- */

static const char *done_word(enum decision_action action)
{
    static const char *const words[] = {
        "ignored", "ignored (whitelisted)", "handled", "open again"};

    return words[action];
}

static void write_subject(const struct decision_request *request, struct buf *out)
{
    if (request->vul_count == 0)
        buf_put_cstr(out, "any vulnerability");
    for (size_t i = 0; i < request->vul_count; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "", SLICE_FMT(request->vuls[i]));
    if (request->type >= 0)
        buf_printf(out, " (%s)", words_name(&vul_type_words, request->type));
    if (request->package.len)
        buf_printf(out, " in package %.*s", SLICE_FMT(request->package));
}

/* "CVE-2024-0001 is ignored in repository nginx, until 2027-01-31T00:00:00.000Z" */
static void write_sentence(const struct deciding_line *line, bool would, struct buf *out)
{
    const struct decision_request *request = &line->request;
    const struct deciding *deciding = &line->deciding;
    char until[CLOCK_TEXT_BYTES];

    write_subject(request, out);
    buf_printf(out, " %s %s in ",
        would                    ? "would be"
        : request->vul_count > 1 ? "are"
                                 : "is",
        done_word(request->action));
    deciding_write_scope(line, out);
    if (request->scope != DECISION_IMAGES && request->action != DECISION_REPAIR)
        buf_put_cstr(out, ", images to come included");
    if (request->action == DECISION_REPAIR)
        buf_put_cstr(out, ", until a later report still finds it");
    if (deciding->expires_ms)
        buf_printf(out, ", until %s", clock_format(deciding->expires_ms, until));
    buf_put_char(out, '\n');
}

static void write_count(const struct decision_outcome *outcome, const char *verb, struct buf *out)
{
    buf_printf(out, "%s %llu row%s", verb, (unsigned long long)outcome->rows,
        outcome->rows == 1 ? "" : "s");
    if (outcome->reached != outcome->rows)
        buf_printf(out, " of the %llu that it lies over", (unsigned long long)outcome->reached);
    buf_put_char(out, '\n');
}

static void write_preview(const struct deciding_line *line, struct preview *preview,
    const struct decision_outcome *outcome, struct buf *out)
{
    buf_put_cstr(out, "dry run: ");
    write_sentence(line, true, out);
    write_count(outcome, "dry run: would change", out);
    if (preview->count)
        table_write(&preview->table, cli_colours(), out);
    if (preview->count > PREVIEW_ROWS)
        buf_printf(out, "... and %llu more\n", (unsigned long long)preview->count - PREVIEW_ROWS);
}

static void write_done(
    const struct deciding_line *line, const struct decision_outcome *outcome, struct buf *out)
{
    const struct ids *numbers = &outcome->numbers;

    buf_printf(out, "decision%s", numbers->count == 1 ? "" : "s");
    for (size_t i = 0; i < numbers->count; i++)
        buf_printf(out, "%s %u", i ? "," : "", numbers->at[i]);
    buf_put_cstr(out, ": ");
    write_sentence(line, false, out);
    write_count(outcome, "changed", out);
    if (numbers->count == 0)
        return;
    buf_put_cstr(out, "undo with: ");
    deciding_write_undo(line->args, numbers, out);
    buf_put_char(out, '\n');
}

static void write_json(const struct deciding_line *line, const struct preview *preview,
    const struct decision_outcome *outcome, struct buf *out)
{
    struct buf undo = BUF_INIT(1UL << 20);
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, "dry_run");
    json_write_bool(&w, preview != NULL);
    decision_write_outcome(&w, outcome);
    if (preview) {
        json_write_key(&w, "changes");
        json_write_begin_array(&w);
        buf_put_slice(out, buf_slice(&preview->rows));
        json_write_end_array(&w);
    } else if (outcome->numbers.count) {
        deciding_write_undo(line->args, &outcome->numbers, &undo);
        json_write_member(&w, "undo", buf_slice(&undo));
    }
    json_write_end_object(&w);
    buf_put_char(out, '\n');
    buf_release(&undo);
}

void deciding_write(const struct deciding_line *line, struct preview *preview,
    const struct decision_outcome *outcome, struct buf *out)
{
    if (line->format == FORMAT_JSON)
        write_json(line, preview, outcome, out);
    else if (preview)
        write_preview(line, preview, outcome, out);
    else
        write_done(line, outcome, out);
}
