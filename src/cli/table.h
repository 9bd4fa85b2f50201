/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned columns for people. Cells are gathered, then written at once; widths are those of a
 * terminal (East Asian wide characters take two columns). */
#ifndef CAREEN_CLI_TABLE_H
#define CAREEN_CLI_TABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/words.h"

enum { TABLE_COLUMNS_MAX = 12 };

enum table_colour {
    COLOUR_NONE,
    COLOUR_DIM,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_RED,
    COLOUR_BOLD_RED
};

struct table_cell {
    struct slice text;
    enum table_colour colour;
};

struct table {
    size_t columns;
    bool right[TABLE_COLUMNS_MAX]; /* aligned to the right: numbers */
    struct arena arena;
    struct table_cell *cells; /* row by row, the first row is the heading */
    size_t count, cap;
    bool failed;
};

/* headings: one a column; a leading '>' aligns the column to the right. */
void table_init(struct table *table, const char *const *headings, size_t columns);
void table_release(struct table *table);
/* The text is copied, with U+FFFD for what utf8_is_line() does not allow: names come from anywhere,
 * and nothing in them may steer the terminal. */
void table_cell(struct table *table, struct slice text, enum table_colour colour);
void table_number(struct table *table, uint64_t value);
/* Writes the table; *out's error sticks when memory ran out. */
void table_write(struct table *table, bool colours, struct buf *out);

enum table_colour colour_of_necessity(enum necessity necessity);

#endif
