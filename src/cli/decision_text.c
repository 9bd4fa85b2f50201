/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See decision_text.h. Texts in decisions come from people and programs near and far: control
 * characters never reach a terminal.
 */
#include "cli/decision_text.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "codec/csv.h"

const char *status_text(uint8_t code)
{
    if (index_code_ignored(code))
        return "ignored";
    return index_code_handled(code) ? "handled" : "open";
}

static struct slice word(const struct words *words, int value)
{
    return value < 0 ? SLICE_NONE : slice_of(words_name(words, value));
}

/* --- CSV -------------------------------------------------------------------------------------- */

void decision_csv_heading(struct buf *out)
{
    buf_put_cstr(out,
        "number,action,vul_ids,package,type,scope,place,image_ids,image_type,"
        "enterprise_project_ids,author,reason,created_time,expires_time,state,ended_time,ended_by,"
        "rows\n");
}

/* Several values in one field, with blanks between. */
static void csv_list(struct buf *out, const struct slice *at, size_t count)
{
    struct buf joined = BUF_INIT(64UL << 20);

    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(&joined, ' ');
        buf_put_slice(&joined, at[i]);
    }
    csv_field(out, buf_slice(&joined), false);
    buf_release(&joined);
}

static void csv_images(struct buf *out, const struct decision *decision)
{
    struct buf joined = BUF_INIT(64UL << 20);
    char id[UUID_TEXT_BYTES];

    for (size_t i = 0; i < decision->image_count; i++) {
        image_id_format(decision->images[i], id);
        buf_printf(&joined, "%s%s", i ? " " : "", id);
    }
    csv_field(out, buf_slice(&joined), false);
    buf_release(&joined);
}

/* An empty field where there is no such time. */
static void csv_time(struct buf *out, int64_t ms)
{
    if (ms)
        csv_number(out, ms);
    else
        csv_field(out, SLICE_NONE, false);
}

void decision_write_csv(struct buf *out, const struct decision_view *view)
{
    const struct decision *decision = view->decision;
    char number[16];

    snprintf(number, sizeof(number), "%u", decision->number);
    csv_field(out, slice_of(number), true);
    csv_field(out, word(&decision_action_words, (int)decision->action), false);
    csv_list(out, view->vul_ids, decision->vuln_count);
    csv_field(out, decision->package, false);
    csv_field(out, word(&vul_type_words, decision->type), false);
    csv_field(out, word(&decision_scope_words, (int)decision->scope), false);
    csv_field(out, decision->place, false);
    csv_images(out, decision);
    csv_field(out, word(&image_type_words, decision->image_type), false);
    csv_list(out, decision->enterprise_projects, decision->enterprise_project_count);
    csv_field(out, decision->author, false);
    csv_field(out, decision->reason, false);
    csv_number(out, decision->created_ms);
    csv_time(out, decision->expires_ms);
    csv_field(out, word(&decision_end_words, (int)decision->end), false);
    csv_time(out, decision->ended_ms);
    csv_field(out, decision->ended_by, false);
    csv_number(out, (int64_t)view->rows);
    csv_end(out);
}

/* --- For people ------------------------------------------------------------------------------- */

const char *const decision_headings[DECISION_COLUMNS] = {
    ">NUMBER", "ACTION", "WHAT", "WHERE", "UNTIL", ">ROWS"};

static const char ALL_OF[] = "all of ";

enum { WHAT_CHARS = 26, WHERE_CHARS = 32, NOTE_NAMES = 4 };

/* The text, with U+FFFD for what is no character of a line. */
static void put_line_text(struct buf *out, struct slice text)
{
    while (text.len)
        buf_put_slice(out, utf8_pull_shown(&text));
}

/* The first `chars` characters; "…" for what is cut off. */
static void put_cut(struct buf *out, struct slice text, size_t chars)
{
    struct slice rest = text;

    if (utf8_count(text) <= chars) {
        put_line_text(out, text);
        return;
    }
    for (size_t i = 1; i < chars; i++)
        rest = slice_skip(rest, utf8_sequence(rest));
    put_line_text(out, slice_sub(text, 0, text.len - rest.len));
    buf_put_cstr(out, "\xe2\x80\xa6");
}

static void cell_cut(struct table *table, const struct buf *text, size_t chars)
{
    struct buf cut = BUF_INIT(4096);

    put_cut(&cut, buf_slice(text), chars);
    table_cell(table, buf_slice(&cut), COLOUR_NONE);
    buf_release(&cut);
}

static void what_cell(struct table *table, const struct decision_view *view)
{
    const struct decision *decision = view->decision;
    struct buf text = BUF_INIT(64UL << 10);

    if (decision->vuln_count)
        put_line_text(&text, view->vul_ids[0]);
    else if (decision->package.len)
        buf_put_cstr(&text, ALL_OF);
    if (decision->vuln_count > 1)
        buf_printf(&text, " +%zu", decision->vuln_count - 1);
    else if (decision->vuln_count == 0)
        put_line_text(&text, decision->package);
    cell_cut(table, &text, WHAT_CHARS);
    buf_release(&text);
}

static void where_cell(struct table *table, const struct decision *decision)
{
    struct buf text = BUF_INIT(64UL << 10);

    if (decision->scope == DECISION_PROJECT) {
        buf_put_cstr(&text,
            decision->enterprise_project_count ? "enterprise projects" : "the whole project");
    } else if (decision->scope == DECISION_IMAGES) {
        buf_printf(
            &text, "%zu image%s", decision->image_count, decision->image_count == 1 ? "" : "s");
    } else {
        buf_printf(&text, "%s ", words_name(&decision_scope_words, (int)decision->scope));
        put_line_text(&text, decision->place);
    }
    cell_cut(table, &text, WHERE_CHARS);
    buf_release(&text);
}

/* "withdrawn", "expired", the day, or "" for ever. */
static void until_cell(struct table *table, const struct decision *decision)
{
    char text[CLOCK_TEXT_BYTES];

    if (decision->end != DECISION_IN_FORCE)
        table_cell(table, word(&decision_end_words, (int)decision->end), COLOUR_DIM);
    else if (decision->expires_ms)
        table_cell(table, slice_sub(slice_of(clock_format(decision->expires_ms, text)), 0, 10),
            COLOUR_NONE);
    else
        table_cell(table, SLICE_NONE, COLOUR_NONE);
}

void decision_table_row(struct table *table, const struct decision_view *view)
{
    static const char *const actions[] = {"ignore", "whitelist", "repair", "reopen"};

    table_number(table, view->decision->number);
    table_cell(table, slice_of(actions[view->decision->action]), COLOUR_NONE);
    what_cell(table, view);
    where_cell(table, view->decision);
    until_cell(table, view->decision);
    table_number(table, view->rows);
}

static void start_note(struct buf *out, const char *label)
{
    buf_printf(out, "        %s", label);
}

/* Names, as many as a person reads. */
static void names_note(struct buf *out, const char *label, const struct slice *at, size_t count)
{
    start_note(out, label);
    for (size_t i = 0; i < count && i < NOTE_NAMES; i++) {
        buf_put_cstr(out, i ? ", " : " ");
        put_line_text(out, at[i]);
    }
    if (count > NOTE_NAMES)
        buf_printf(out, " and %zu more", count - NOTE_NAMES);
    buf_put_char(out, '\n');
}

static void images_note(struct buf *out, const struct decision *decision)
{
    char id[UUID_TEXT_BYTES];

    if (decision->scope != DECISION_IMAGES)
        return;
    start_note(out, "images:");
    for (size_t i = 0; i < decision->image_count && i < NOTE_NAMES; i++) {
        image_id_format(decision->images[i], id);
        buf_printf(out, "%s%s", i % 2 == 0 ? i ? "\n          " : " " : " ", id);
    }
    if (decision->image_count > NOTE_NAMES)
        buf_printf(out, " and %zu more", decision->image_count - NOTE_NAMES);
    buf_put_char(out, '\n');
}

/* What the cells show cut, whole. */
static void whole_notes(struct buf *out, const struct decision_view *view)
{
    const struct decision *decision = view->decision;

    if (decision->vuln_count > 1 ||
        (decision->vuln_count == 1 && utf8_count(view->vul_ids[0]) > WHAT_CHARS))
        names_note(out, "vulnerabilities:", view->vul_ids, decision->vuln_count);
    if (decision->vuln_count == 0 && utf8_count(decision->package) > WHAT_CHARS - strlen(ALL_OF))
        names_note(out, "package:", &decision->package, 1);
    if (utf8_count(decision->place) > WHERE_CHARS - strlen("repository "))
        names_note(
            out, words_name(&decision_scope_words, (int)decision->scope), &decision->place, 1);
}

static void conditions_note(struct buf *out, const struct decision *decision)
{
    if (decision->type < 0 && decision->image_type < 0 &&
        !(decision->package.len && decision->vuln_count))
        return;
    start_note(out, "only:");
    if (decision->package.len && decision->vuln_count) {
        buf_put_cstr(out, " package ");
        put_line_text(out, decision->package);
    }
    if (decision->type >= 0)
        buf_printf(out, " %s", words_name(&vul_type_words, decision->type));
    if (decision->image_type >= 0)
        buf_printf(out, " %s images", words_name(&image_type_words, decision->image_type));
    buf_put_char(out, '\n');
}

static void ended_note(struct buf *out, const struct decision *decision)
{
    char text[CLOCK_TEXT_BYTES];

    if (decision->end == DECISION_IN_FORCE)
        return;
    start_note(out, words_name(&decision_end_words, (int)decision->end));
    buf_printf(out, " %.19sZ", clock_format(decision->ended_ms, text));
    if (decision->ended_by.len) {
        buf_put_cstr(out, " by ");
        put_line_text(out, decision->ended_by);
    }
    buf_put_char(out, '\n');
}

void decision_write_notes(struct buf *out, const struct decision_view *view)
{
    const struct decision *decision = view->decision;
    char text[CLOCK_TEXT_BYTES];

    start_note(out, "");
    put_line_text(out, decision->author);
    buf_printf(out, ", %.10s", clock_format(decision->created_ms, text));
    if (decision->reason.len) {
        buf_put_cstr(out, ": ");
        put_line_text(out, decision->reason);
    }
    buf_put_char(out, '\n');
    whole_notes(out, view);
    images_note(out, decision);
    conditions_note(out, decision);
    if (decision->enterprise_project_count)
        names_note(out, "enterprise projects:", decision->enterprise_projects,
            decision->enterprise_project_count);
    ended_note(out, decision);
}
