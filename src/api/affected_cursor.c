/* SPDX-License-Identifier: Apache-2.0 */
/* See affected_cursor.h. */
#include "api/affected_cursor.h"

#include "base/bug.h"
#include "base/limits.h"
#include "codec/base64url.h"

static const char *const ascending[] = {
    "severity", "image_name", "latest_scan_time", "container_num"};
static const char *const descending[] = {
    "-severity", "-image_name", "-latest_scan_time", "-container_num"};
enum { SORTS = sizeof(ascending) / sizeof(ascending[0]) };
_Static_assert(
    INDEX_SORT_SEVERITY == 1 && (int)INDEX_SORT_CONTAINERS == (int)SORTS, "in their order");

const struct words affected_sorts = {"sort", ascending, SORTS};
const struct words affected_sorts_descending = {"sort", descending, SORTS};

const char affected_cursor_pattern[] =
    "^([1-4]?[0-9]{1,9}\\.[1-4]?[0-9]{1,9}|"
    "[slcSLC]\\.[1-4]?[0-9]{1,9}\\.[1-4]?[0-9]{1,9}\\.(-1|[0-9]{1,18})|"
    "[iI]\\.[1-4]?[0-9]{1,9}\\.[1-4]?[0-9]{1,9}\\.[A-Za-z0-9_-]*)$";

const char *affected_sort_name(enum index_sort sort, bool is_descending)
{
    if (sort == INDEX_SORT_IMAGE)
        return NULL;
    return is_descending ? descending[sort - 1] : ascending[sort - 1];
}

/* --- Text ------------------------------------------------------------------------------------- */

static char letter_of(enum index_sort sort, bool is_descending)
{
    return (char)(ascending[sort - 1][0] - (is_descending ? 'a' - 'A' : 0));
}

void affected_cursor_write(struct buf *out, const struct affected_cursor *cursor)
{
    if (cursor->sort != INDEX_SORT_IMAGE) {
        buf_put_char(out, letter_of(cursor->sort, cursor->descending));
        buf_put_char(out, '.');
    }
    buf_put_u64(out, cursor->image);
    buf_put_char(out, '.');
    buf_put_u64(out, cursor->vuln);
    if (cursor->sort == INDEX_SORT_IMAGE)
        return;
    buf_put_char(out, '.');
    if (cursor->sort == INDEX_SORT_IMAGE_NAME)
        base64url_encode(out, cursor->name);
    else
        buf_put_i64(out, cursor->value);
}

enum { PIECES = 4 };

/* What stands between the dots; PIECES + 1 for more than there may be. */
static size_t split(struct slice text, struct slice ret[PIECES])
{
    for (size_t count = 0; count < PIECES; count++) {
        size_t dot = slice_find_char(text, '.');

        ret[count] = slice_sub(text, 0, dot);
        if (dot == text.len)
            return count + 1;
        text = slice_skip(text, dot + 1);
    }
    return PIECES + 1;
}

static bool read_letter(struct slice piece, struct affected_cursor *ret)
{
    for (int i = 0; i < SORTS; i++)
        for (int down = 0; down < 2; down++)
            if (piece.len == 1 && *piece.ptr == letter_of((enum index_sort)(i + 1), down)) {
                ret->sort = (enum index_sort)(i + 1);
                ret->descending = down;
                return true;
            }
    return false;
}

static bool read_number(struct slice piece, uint32_t *ret)
{
    uint64_t number;

    if (!slice_to_u64(piece, &number) || number > UINT32_MAX)
        return false;
    *ret = (uint32_t)number;
    return true;
}

/* A severity, a time, or a number of containers, which may not be known. */
static bool read_value(struct slice piece, struct affected_cursor *ret)
{
    int64_t high = ret->sort == INDEX_SORT_SEVERITY ? NECESSITY_COUNT - 1 : INT64_MAX;
    int64_t low = ret->sort == INDEX_SORT_CONTAINERS ? -1 : 0;

    return slice_to_i64(piece, &ret->value) && ret->value >= low && ret->value <= high;
}

int affected_cursor_read(
    struct slice text, struct arena *arena, struct affected_cursor *ret, struct err *err)
{
    struct affected_cursor cursor = {.sort = INDEX_SORT_IMAGE};
    struct slice pieces[PIECES];
    size_t count = split(text, pieces);
    bool sorted = count == PIECES, right = sorted || count == 2;
    struct err inner = {0};

    right = right && (!sorted || read_letter(pieces[0], &cursor)) &&
            read_number(pieces[sorted], &cursor.image) &&
            read_number(pieces[sorted + 1], &cursor.vuln);
    if (right && cursor.sort == INDEX_SORT_IMAGE_NAME)
        right = base64url_decode(pieces[3], arena, &cursor.name, &inner) == 0;
    else if (right && sorted)
        right = read_value(pieces[3], &cursor);
    if (inner.code != ERR_NONE && inner.code != ERR_INVALID) {
        *err = inner;
        return -1;
    }
    if (!right)
        return err_set(err, ERR_INVALID, "must be the `next` of a page before");
    *ret = cursor;
    return 0;
}

/* --- Queries ---------------------------------------------------------------------------------- */

struct affected_cursor affected_cursor_at(
    const struct affected_row *row, const struct index_query *query)
{
    const struct index_row of_index = {row->image, row->vuln, row->code, row->first_scan_ms};

    return (struct affected_cursor){.sort = query->sort,
        .descending = query->descending,
        .image = row->image->number,
        .vuln = row->vuln,
        .value = index_row_value(&of_index, query->sort),
        .name = query->sort == INDEX_SORT_IMAGE_NAME ? row->image->name : SLICE_NONE};
}

void affected_cursor_apply(const struct affected_cursor *cursor, struct index_query *query)
{
    BUG_ON(cursor->sort != query->sort || cursor->descending != query->descending);
    query->by_cursor = true;
    query->after_image = cursor->image;
    query->after_vuln = cursor->vuln;
    query->after_value = cursor->value;
    query->after_name = cursor->name;
}

int affected_go_on(
    struct index_query *query, const struct affected_row *row, struct buf *name, struct err *err)
{
    struct affected_cursor cursor = affected_cursor_at(row, query);

    buf_clear(name);
    buf_put_slice(name, cursor.name);
    if (buf_check(name, "a name", err) < 0)
        return -1;
    cursor.name = buf_slice(name);
    affected_cursor_apply(&cursor, query);
    return 0;
}
