/* SPDX-License-Identifier: Apache-2.0 */
/* See table.h. Blanks are written only before what follows them, so lines have none at their end.
 */
#include "cli/table.h"

#include "base/utf8.h"

enum { TABLE_MEMORY_BYTES = 256 * 1024 * 1024 };

static const char *const colour_codes[] = {
    "", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[1;31m"};

void table_init(struct table *table, const char *const *headings, size_t columns)
{
    *table = (struct table){.columns = columns};
    arena_init(&table->arena, "the table", TABLE_MEMORY_BYTES);
    for (size_t i = 0; i < columns; i++) {
        table->right[i] = headings[i][0] == '>';
        table_cell(table, slice_of(headings[i] + table->right[i]), COLOUR_DIM);
    }
}

void table_release(struct table *table)
{
    arena_release(&table->arena);
}

static void add_cell(struct table *table, struct slice text, enum table_colour colour)
{
    struct err err;
    struct slice copy;
    struct table_cell *cells =
        arena_grow(&table->arena, table->cells, table->count, &table->cap, sizeof(*cells), &err);

    if (!cells || arena_dup(&table->arena, text, &copy, &err) < 0) {
        table->failed = true;
        return;
    }
    table->cells = cells;
    table->cells[table->count++] = (struct table_cell){copy, colour};
}

void table_cell(struct table *table, struct slice text, enum table_colour colour)
{
    struct buf shown = BUF_INIT(TABLE_MEMORY_BYTES);

    if (utf8_is_line(text)) {
        add_cell(table, text, colour);
        return;
    }
    while (text.len)
        buf_put_slice(&shown, utf8_pull_shown(&text));
    table->failed |= shown.failed != ERR_NONE;
    add_cell(table, buf_slice(&shown), colour);
    buf_release(&shown);
}

void table_number(struct table *table, uint64_t value)
{
    struct buf text = BUF_INIT(32);

    buf_put_u64(&text, value);
    table_cell(table, buf_slice(&text), COLOUR_NONE);
    buf_release(&text);
}

static bool is_wide(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
        {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff},
        {0x20000, 0x3fffd}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

static uint32_t code_point(struct slice s, size_t len)
{
    static const unsigned char first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)s.ptr[0] & first_mask[len];

    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s.ptr[i] & 0x3f);
    return c;
}

static size_t width_of(struct slice s)
{
    size_t width = 0;

    while (s.len) {
        size_t len = utf8_sequence(s);

        width += len > 2 && is_wide(code_point(s, len)) ? 2 : 1;
        s = slice_skip(s, len ? len : 1);
    }
    return width;
}

static void put_blanks(struct buf *out, size_t count)
{
    while (count--)
        buf_put_char(out, ' ');
}

/* *owed: blanks that stand before the next text of the line. */
static void write_cell(const struct table_cell *cell, bool right, size_t width, bool colours,
    size_t *owed, struct buf *out)
{
    size_t blanks = width - width_of(cell->text);
    bool coloured = colours && cell->colour != COLOUR_NONE;

    if (cell->text.len == 0) {
        *owed += width;
        return;
    }
    put_blanks(out, *owed + (right ? blanks : 0));
    if (coloured)
        buf_put_cstr(out, colour_codes[cell->colour]);
    buf_put_slice(out, cell->text);
    if (coloured)
        buf_put_cstr(out, "\x1b[0m");
    *owed = right ? 0 : blanks;
}

void table_write(struct table *table, bool colours, struct buf *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0}, owed = 0;

    if (table->failed) {
        out->failed = ERR_NOMEM;
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t width = width_of(table->cells[i].text), column = i % table->columns;

        if (width > widths[column])
            widths[column] = width;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;

        write_cell(&table->cells[i], table->right[column], widths[column], colours, &owed, out);
        owed += 2;
        if (column + 1 == table->columns) {
            buf_put_char(out, '\n');
            owed = 0;
        }
    }
}

enum table_colour colour_of_necessity(enum necessity necessity)
{
    switch (necessity) {
    case NECESSITY_CRITICAL:
        return COLOUR_BOLD_RED;
    case NECESSITY_HIGH:
        return COLOUR_RED;
    case NECESSITY_MEDIUM:
        return COLOUR_YELLOW;
    case NECESSITY_LOW:
    case NECESSITY_COUNT:
    default:
        return COLOUR_NONE;
    }
}
