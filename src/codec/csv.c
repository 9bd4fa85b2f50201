/* SPDX-License-Identifier: Apache-2.0 */
/* See csv.h. */
#include "codec/csv.h"

static bool needs_quotes(struct slice text)
{
    return slice_find_char(text, '"') < text.len || slice_find_char(text, ',') < text.len ||
           slice_find_char(text, '\n') < text.len || slice_find_char(text, '\r') < text.len;
}

/* What spreadsheets take for the beginning of a formula, blanks that some of them strip included.
 */
static bool is_formula(struct slice text)
{
    return text.len && memchr("=+-@\t\r\n", text.ptr[0], 7) != NULL;
}

void csv_field(struct buf *out, struct slice text, bool first)
{
    bool formula = is_formula(text), quoted = needs_quotes(text);

    if (!first)
        buf_put_char(out, ',');
    if (quoted)
        buf_put_char(out, '"');
    if (formula)
        buf_put_char(out, '\'');
    if (!quoted)
        buf_put_slice(out, text);
    for (size_t i = 0; i < text.len && quoted; i++) {
        if (text.ptr[i] == '"')
            buf_put_char(out, '"');
        buf_put_char(out, text.ptr[i]);
    }
    if (quoted)
        buf_put_char(out, '"');
}

void csv_number(struct buf *out, int64_t value)
{
    buf_put_char(out, ',');
    buf_put_i64(out, value);
}

void csv_end(struct buf *out)
{
    buf_put_char(out, '\n');
}
