/* SPDX-License-Identifier: Apache-2.0 */
/* See images.h. */
#include "cli/images.h"

#include "base/clock.h"
#include "cli/table.h"

void choice_init(struct choice *choice)
{
    *choice = (struct choice){0};
    arena_init(&choice->arena, "the list of images", 1UL << 30);
}

void choice_release(struct choice *choice)
{
    arena_release(&choice->arena);
}

static struct slice copy(struct choice *choice, struct slice text)
{
    struct slice ret = SLICE_NONE;

    choice->failed |= arena_dup(&choice->arena, text, &ret, &choice->err) < 0;
    return ret;
}

static bool take_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct choice *choice = ctx;
    struct chosen *grown = arena_grow(
        &choice->arena, choice->at, choice->count, &choice->cap, sizeof(*grown), &choice->err);
    struct chosen *to;

    if (!grown) {
        choice->failed = true;
        return false;
    }
    choice->at = grown;
    to = &choice->at[choice->count++];
    *to = (struct chosen){.type = image->place.type,
        .containers = image->place.containers,
        .latest_scan_ms = image->latest_scan_ms,
        .latest = image->latest,
        .assessment = image->assessment};
    memcpy(to->id, image->id, sizeof(to->id));
    to->name = copy(choice, image->name);
    to->tag = copy(choice, image->tag);
    to->where = copy(choice, image_where(&image->place));
    for (unsigned code = 0; code < INDEX_CODES; code++)
        to->by_necessity[index_code_necessity((uint8_t)code)] += counts[code];
    return !choice->failed;
}

int choice_by_filter(struct choice *choice, const struct cli_args *args, struct fleet *fleet,
    uint32_t project, struct err *err)
{
    struct affected_request request;

    if (cli_affected_request(args, NULL, &choice->arena, &request, err) < 0 ||
        fleet_each_image(fleet, project, &request.query.q.scope, 0, take_image, choice, err) < 0)
        return -1;
    if (choice->failed)
        *err = choice->err;
    return choice->failed ? -1 : 0;
}

bool choice_filtered(const struct cli_args *args)
{
    for (size_t i = 0; i < args->option_count; i++)
        if (args->options[i].param && args->values[i])
            return true;
    return false;
}

static void write_row(struct table *table, const struct chosen *image)
{
    char when[CLOCK_TEXT_BYTES];

    table_cell(table, slice_of(image->id), COLOUR_NONE);
    table_cell(table, image->name, COLOUR_NONE);
    table_cell(table, image->tag, COLOUR_NONE);
    table_cell(table, slice_of(words_name(&image_type_words, (int)image->type)), COLOUR_NONE);
    table_cell(table, image->where, COLOUR_NONE);
    for (int i = NECESSITY_COUNT - 1; i >= 0; i--)
        table_number(table, image->by_necessity[i]);
    table_number(table, image->containers < 0 ? 0 : (uint64_t)image->containers);
    table_cell(table, slice_of(words_name(&assessment_words, (int)image->assessment)),
        image->assessment == ASSESSMENT_FULL ? COLOUR_NONE : COLOUR_YELLOW);
    table_cell(
        table, slice_sub(slice_of(clock_format(image->latest_scan_ms, when)), 0, 19), COLOUR_DIM);
}

void choice_write_table(const struct choice *choice, struct buf *out)
{
    static const char *const headings[] = {"IMAGE ID", "NAME", "VERSION", "TYPE", "WHERE",
        ">CRITICAL", ">HIGH", ">MEDIUM", ">LOW", ">CONTAINERS", "ASSESSMENT", "LAST SCAN"};
    struct table table;

    table_init(&table, headings, 12);
    for (size_t i = 0; i < choice->count; i++)
        write_row(&table, &choice->at[i]);
    if (choice->count)
        table_write(&table, cli_colours(), out);
    buf_printf(out, "%zu images\n", choice->count);
    table_release(&table);
}
