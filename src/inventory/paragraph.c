/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields stand in memory until their paragraph ends: only then is it known whether the package is
 * installed, and what its source is. A field that is there twice is damage: whichever is believed,
 * the other one might have been the truth.
 */
#include "inventory/paragraph.h"

#include "base/limits.h"

void paragraph_init(struct paragraph *paragraph)
{
    *paragraph = (struct paragraph){0};
    arena_init(&paragraph->texts, "a package's paragraph", LIMIT_INVENTORY_MEMORY_BYTES);
}

void paragraph_release(struct paragraph *paragraph)
{
    arena_release(&paragraph->texts);
    paragraph_clear(paragraph);
}

void paragraph_clear(struct paragraph *paragraph)
{
    arena_reset(&paragraph->texts);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        paragraph->fields[i] = SLICE_NONE;
    paragraph->first_line = 0;
}

void paragraph_begin(struct paragraph *paragraph, const struct lines *lines)
{
    if (paragraph->first_line == 0)
        paragraph->first_line = lines->number;
}

int paragraph_put(struct paragraph *paragraph, const struct lines *lines, enum field field,
    const char *name, struct slice value, struct err *err)
{
    if (paragraph->fields[field].ptr)
        return lines_fail(lines, err, "a second %s of the package that starts in line %zu", name,
            paragraph->first_line);
    if (arena_dup(&paragraph->texts, value, &paragraph->fields[field], err) < 0)
        return lines_prefix(lines, lines->number, err);
    return 0;
}

/* "glibc (2.36-9)" -> "2.36-9", and the name is left. */
static struct slice pull_source_version(struct slice *source)
{
    struct slice text = *source;
    struct slice version;

    *source = slice_trim(slice_pull_until(&text, '('));
    version = slice_sub(text, 0, slice_find_char(text, ')'));
    return slice_trim(version);
}

int paragraph_end(struct paragraph *paragraph, const struct lines *lines,
    struct inventory *inventory, const char *ecosystem, struct err *err)
{
    const struct slice *fields = paragraph->fields;
    struct package package = {.ecosystem = slice_of(ecosystem),
        .name = fields[FIELD_NAME],
        .version = fields[FIELD_VERSION],
        .arch = fields[FIELD_ARCH],
        .source_name = fields[FIELD_SOURCE]};

    if (paragraph->first_line == 0)
        return 0;
    package.source_version = pull_source_version(&package.source_name);
    if (inventory_add(inventory, &package, fields[FIELD_LICENCE], err) < 0)
        return lines_prefix(lines, paragraph->first_line, err);
    paragraph_clear(paragraph);
    return 0;
}
