/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pacman's local database (pacman, lib/libalpm/be_local.c): a folder for each package, in it a file
 * "desc" of sections, each a name between per cent signs, the lines of its value, and an empty
 * line.
 *
 *     %NAME%
 *     gcc-libs
 *
 *     %VERSION%
 *     13.2.1-5       "epoch:version-release"
 *
 *     %BASE%         what it is built from, as a source package
 *     gcc
 */
#include "inventory/readers.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/paragraph.h"

#include <string.h>

static bool alpm_matches(struct slice path)
{
    static const char folder[] = "var/lib/pacman/local/";
    struct slice name;

    if (!slice_starts_with(path, folder))
        return false;
    path = slice_skip(path, strlen(folder));
    name = slice_pull_until(&path, '/');
    return name.len > 0 && slice_is(path, "desc");
}

static const struct {
    const char *name;
    enum field field;
} sections[] = {
    {"%NAME%", FIELD_NAME},
    {"%VERSION%", FIELD_VERSION},
    {"%ARCH%", FIELD_ARCH},
    {"%BASE%", FIELD_SOURCE},
    {"%LICENSE%", FIELD_LICENCE},
};

/* Behind the positions in sections: one that is not kept, and none. */
enum { SECTION_OTHER = sizeof(sections) / sizeof(sections[0]), SECTION_NONE };

struct desc {
    struct lines lines;
    struct paragraph paragraph;
    unsigned section;
    struct buf licences; /* the only value of several lines that is kept */
};

static void desc_release(struct desc *desc)
{
    lines_release(&desc->lines);
    paragraph_release(&desc->paragraph);
    buf_release(&desc->licences);
}

static int begin_section(struct desc *desc, struct slice line, struct err *err)
{
    if (line.len < 3 || line.ptr[0] != '%' || line.ptr[line.len - 1] != '%')
        return lines_fail(&desc->lines, err, "a value without a %%SECTION%% before it");
    paragraph_begin(&desc->paragraph, &desc->lines);
    desc->section = 0;
    while (desc->section < SECTION_OTHER && !slice_is(line, sections[desc->section].name))
        desc->section++;
    return 0;
}

static void add_licence(struct desc *desc, struct slice licence)
{
    buf_put_cstr(&desc->licences, desc->licences.len ? " AND " : "");
    buf_put_slice(&desc->licences, licence);
}

static int read_line(struct desc *desc, struct slice line, struct err *err)
{
    line = slice_trim(line);
    if (line.len == 0) {
        desc->section = SECTION_NONE;
        return 0;
    }
    if (desc->section == SECTION_NONE)
        return begin_section(desc, line, err);
    if (desc->section == SECTION_OTHER)
        return 0;
    if (sections[desc->section].field == FIELD_LICENCE) {
        add_licence(desc, line);
        return 0;
    }
    return paragraph_put(&desc->paragraph, &desc->lines, sections[desc->section].field,
        sections[desc->section].name, line, err);
}

/* The file is one package's: an empty one is damage. */
static int end_desc(struct desc *desc, struct inventory *inventory, struct err *err)
{
    if (desc->paragraph.first_line == 0)
        return lines_fail(&desc->lines, err, "the file ends, and has named no package");
    if (buf_check(&desc->licences, "a list of licences", err) < 0)
        return lines_prefix(&desc->lines, desc->lines.number, err);
    if (desc->licences.len && paragraph_put(&desc->paragraph, &desc->lines, FIELD_LICENCE,
                                  "%LICENSE%", buf_slice(&desc->licences), err) < 0)
        return -1;
    return paragraph_end(&desc->paragraph, &desc->lines, inventory, "alpm", err);
}

static int alpm_read(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct desc desc CLEANUP(desc_release) = {
        .section = SECTION_NONE, .licences = BUF_INIT(LIMIT_INVENTORY_LINE_BYTES)};
    struct slice line;

    paragraph_init(&desc.paragraph);
    if (lines_open(&desc.lines, file, err) < 0)
        return -1;
    while (lines_next(&desc.lines, &line))
        if (read_line(&desc, line, err) < 0)
            return -1;
    if (lines_end(&desc.lines, err) < 0)
        return -1;
    return end_desc(&desc, inventory, err);
}

const struct inventory_reader inventory_alpm = {
    .name = "alpm", .matches = alpm_matches, .read = alpm_read};
