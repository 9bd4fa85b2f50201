/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distinct image names, one behind the other in one piece of memory: a search for a part runs
 * over it as over one text (values lie all over the heap: a cache miss for each name). There are no
 * separators; a hit that reaches across the end of its name is none.
 *
 *     text   nginxredisteam/appbusybox
 *     lines  ^    ^    ^       ^          start and place in the table; NAMES_DEAD when it is gone
 *
 * Names that are gone are squeezed out when they hold more than half of the text.
 */
#include "index/internal.h"

#include "base/array.h"

/* Less than this is not worth squeezing. */
enum { SQUEEZE_BYTES = 4096 };

void names_release(struct names *names)
{
    free(names->text);
    free(names->lines);
    *names = (struct names){0};
}

int names_prepare(struct names *names, size_t len, struct err *err)
{
    /* One byte more, so that there is a text when all names are empty. */
    if (array_reserve(&names->text, &names->cap, names->len + len + 1, 1, err) < 0)
        return -1;
    return array_reserve(
        &names->lines, &names->line_cap, names->count + 1, sizeof(*names->lines), err);
}

uint32_t names_add(struct names *names, struct slice name, uint32_t place)
{
    names->lines[names->count] = (struct name_line){names->len, place};
    if (name.len)
        memcpy(names->text + names->len, name.ptr, name.len);
    names->len += name.len;
    return (uint32_t)names->count++;
}

static size_t end_of(const struct names *names, size_t line)
{
    return line + 1 < names->count ? names->lines[line + 1].start : names->len;
}

/* Names keep their order, so text and lines are moved down in place. */
static void squeeze(struct names *names, struct table *table)
{
    size_t kept = 0, len = 0;

    for (size_t line = 0; line < names->count; line++) {
        struct name_line at = names->lines[line];
        size_t bytes = end_of(names, line) - at.start;

        if (at.place == NAMES_DEAD)
            continue;
        memmove(names->text + len, names->text + at.start, bytes);
        names->lines[kept] = (struct name_line){len, at.place};
        table->places[at.place].value->as.line = (uint32_t)kept++;
        len += bytes;
    }
    names->count = kept;
    names->len = len;
    names->dead_bytes = names->dead_lines = 0;
}

void names_remove(struct names *names, uint32_t line, struct table *table)
{
    names->dead_bytes += end_of(names, line) - names->lines[line].start;
    names->dead_lines++;
    names->lines[line].place = NAMES_DEAD;
    if (names->dead_bytes + names->dead_lines * sizeof(*names->lines) > SQUEEZE_BYTES &&
        names->dead_lines * 2 > names->count)
        squeeze(names, table);
}

/* --- Searching -------------------------------------------------------------------------------- */

enum { LANES = 16 };
typedef unsigned char lanes __attribute__((vector_size(LANES)));

/* The positions, of the sixteen from here on, with these two bytes at this distance. */
static lanes pairs(const char *text, size_t distance, lanes first, lanes last)
{
    lanes here, there;

    memcpy(&here, text, LANES);
    memcpy(&there, text + distance, LANES);
    return (lanes)((here == first) & (there == last));
}

static bool is_any(lanes at)
{
    uint64_t halves[2];

    memcpy(halves, &at, sizeof(halves));
    return (halves[0] | halves[1]) != 0;
}

/* memmem(), several times as fast where first and last byte of the part rarely stand at this
 * distance. */
static const char *find_part(const char *text, size_t len, struct slice part)
{
    size_t at = 0, distance = part.len - 1;
    lanes first, last;

    if (part.len < 2 || len < part.len)
        return memmem(text, len, part.ptr, part.len);
    memset(&first, part.ptr[0], sizeof(first));
    memset(&last, part.ptr[distance], sizeof(last));
    for (; at + distance + 2 * LANES <= len; at += 2 * LANES) {
        lanes low = pairs(text + at, distance, first, last);
        lanes high = pairs(text + at + LANES, distance, first, last);

        if (!is_any(low | high))
            continue;
        for (size_t i = 0; i < 2 * LANES; i++)
            if ((i < LANES ? low[i] : high[i - LANES]) &&
                memcmp(text + at + i, part.ptr, part.len) == 0)
                return text + at + i;
    }
    return memmem(text + at, len - at, part.ptr, part.len);
}

bool names_next(const struct names *names, struct slice part, size_t *line, uint32_t *ret_place)
{
    size_t at = *line;

    while (at < names->count) {
        size_t start = names->lines[at].start, hit;
        const char *found;

        if (names->len - start < part.len)
            break;
        found = find_part(names->text + start, names->len - start, part);
        if (!found)
            break;
        hit = (size_t)(found - names->text);
        while (end_of(names, at) <= hit)
            at++;
        /* A later hit in this name would reach across its end too: on to the next one. */
        at++;
        if (hit + part.len <= end_of(names, at - 1) && names->lines[at - 1].place != NAMES_DEAD) {
            *ret_place = names->lines[at - 1].place;
            *line = at;
            return true;
        }
    }
    return false;
}

const char *names_validate(const struct names *names, const struct table *table)
{
    size_t dead_bytes = 0, dead = 0, alive = 0;

    for (size_t line = 0; line < names->count; line++) {
        struct name_line at = names->lines[line];
        struct slice text = {names->text + at.start, end_of(names, line) - at.start};

        if (at.start > end_of(names, line) || end_of(names, line) > names->len)
            return "the text of names is cut wrongly";
        if (at.place == NAMES_DEAD) {
            dead_bytes += text.len;
            dead++;
            continue;
        }
        alive++;
        if (at.place >= table->count || !table->places[at.place].value ||
            table->places[at.place].value->as.line != line ||
            !slice_eq(value_text(table->places[at.place].value), text))
            return "a name in the text of names is not in the table";
    }
    if (dead != names->dead_lines || dead_bytes != names->dead_bytes || alive != table->ids.count)
        return "the text of names has lost a name";
    return NULL;
}
