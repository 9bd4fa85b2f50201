/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apk's list of installed packages (apk-tools, doc/apk-package.5 and src/database.c): one paragraph
 * a package, each line a letter, a colon and a value; an empty line ends the paragraph. apk 3 keeps
 * the same text, on merged systems below usr/.
 *
 *     P:musl
 *     V:1.2.5-r0
 *     A:x86_64
 *     L:MIT
 *     o:musl          the source package ("origin")
 */
#include "inventory/readers.h"

#include "base/cleanup.h"
#include "inventory/paragraph.h"

static bool apk_matches(struct slice path)
{
    return slice_is(path, "lib/apk/db/installed") || slice_is(path, "usr/lib/apk/db/installed");
}

static const struct {
    char letter;
    enum field field;
} kept[] = {
    {'P', FIELD_NAME},
    {'V', FIELD_VERSION},
    {'A', FIELD_ARCH},
    {'L', FIELD_LICENCE},
    {'o', FIELD_SOURCE},
};

static int read_field(
    struct lines *lines, struct paragraph *paragraph, struct slice line, struct err *err)
{
    const char name[] = {line.ptr[0], ':', '\0'};

    paragraph_begin(paragraph, lines);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (line.ptr[0] == kept[i].letter)
            return paragraph_put(paragraph, lines, kept[i].field, name, slice_skip(line, 2), err);
    return 0;
}

static int apk_read(const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct lines lines CLEANUP(lines_release) = {0};
    struct paragraph paragraph CLEANUP(paragraph_release);
    struct slice line;
    int status = 0;

    paragraph_init(&paragraph);
    if (lines_open(&lines, file, err) < 0)
        return -1;
    while (status == 0 && lines_next(&lines, &line)) {
        if (line.len == 0)
            status = paragraph_end(&paragraph, &lines, inventory, "apk", err);
        else if (line.len < 2 || line.ptr[1] != ':')
            status = lines_fail(&lines, err, "a line that is not a letter, a colon and a value");
        else
            status = read_field(&lines, &paragraph, line, err);
    }
    if (status < 0 || lines_end(&lines, err) < 0)
        return -1;
    return paragraph_end(&paragraph, &lines, inventory, "apk", err);
}

const struct inventory_reader inventory_apk = {
    .name = "apk", .matches = apk_matches, .read = apk_read};
