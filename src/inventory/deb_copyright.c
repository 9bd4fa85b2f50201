/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The licences of a Debian package, which its database does not tell: from
 * usr/share/doc/PACKAGE/copyright. Where that is machine-readable (DEP-5,
 * debian-policy/copyright-format), from its License fields:
 *
 *     License: GPL-2+ or Artistic
 *
 * else from the licences of usr/share/common-licenses that it refers to. Each is told once, in the
 * order of the file, joined by "AND"; an expression with a choice in it stands in parentheses. No
 * copyright file is damaged: what names no licence tells none.
 */
#include "inventory/readers.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "inventory/lines.h"

#include <string.h>
#include <strings.h>

static const char folder[] = "usr/share/doc/";

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Debian Policy, 5.6.1. Other folders are no package's. */
static bool is_package_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.ptr[i]) && !memchr("+-.", name.ptr[i], 3))
            return false;
    return name.len > 0 && name.len <= LIMIT_NAME_CHARS;
}

static bool copyright_matches(struct slice path)
{
    struct slice name;

    if (!slice_starts_with(path, folder))
        return false;
    path = slice_skip(path, strlen(folder));
    name = slice_pull_until(&path, '/');
    return is_package_name(name) && slice_is(path, "copyright");
}

/* ---- a list of distinct licences ---- */

struct licences {
    struct buf text;                   /* joined */
    struct slice seen[LIMIT_LICENCES]; /* copies in the inventory's arena */
    size_t count;
};

static bool is_choice(struct slice licence)
{
    return slice_contains(licence, SLICE(" or ")) || slice_contains(licence, SLICE(" OR ")) ||
           slice_contains(licence, SLICE("|"));
}

/* Beyond the ceilings no more are told. */
static int add(
    struct licences *licences, struct inventory *inventory, struct slice licence, struct err *err)
{
    bool choice = is_choice(licence);

    for (size_t i = 0; i < licences->count; i++)
        if (slice_eq(licences->seen[i], licence))
            return 0;
    if (licences->count == LIMIT_LICENCES ||
        licences->text.len + licence.len + strlen(" AND ()") > LIMIT_LICENCE_BYTES)
        return 0;
    if (arena_dup(&inventory->arena, licence, &licences->seen[licences->count], err) < 0)
        return -1;
    licences->count++;
    buf_put_cstr(&licences->text, licences->text.len ? " AND " : "");
    buf_put_cstr(&licences->text, choice ? "(" : "");
    buf_put_slice(&licences->text, licence);
    buf_put_cstr(&licences->text, choice ? ")" : "");
    return buf_check(&licences->text, "a list of licences", err);
}

/* ---- a file ---- */

struct copyright {
    struct inventory *inventory;
    struct licences fields, references;
};

static void copyright_release(struct copyright *copyright)
{
    buf_release(&copyright->fields.text);
    buf_release(&copyright->references.text);
}

static struct slice pull_word(struct slice *text)
{
    struct slice word;

    *text = slice_trim(*text);
    word = slice_pull_until(text, ' ');
    return word;
}

/* Short names without blanks, joined by "and" and "or", each perhaps "with" some words and
 * "exception" (copyright-format, License syntax)? Files that are no DEP-5 have prose there. */
static bool is_expression(struct slice text)
{
    struct slice word;

    for (;;) {
        word = pull_word(&text);
        if (word.len == 0 || !is_alnum(word.ptr[0]))
            return false;
        word = pull_word(&text);
        if (slice_is(word, "with")) {
            do
                word = pull_word(&text);
            while (word.len && !slice_starts_with(word, "exception"));
            if (word.len == 0)
                return false;
            word = pull_word(&text);
        }
        if (word.len == 0)
            return true;
        if (!slice_is(word, "and") && !slice_is(word, "or"))
            return false;
    }
}

/* "License: GPL-2+": the short name stands in the first line, the text in the next ones. */
static int read_field(struct copyright *copyright, struct slice line, struct err *err)
{
    static const char field[] = "License:";
    struct slice licence;

    if (line.len < strlen(field) || strncasecmp(line.ptr, field, strlen(field)) != 0)
        return 0;
    licence = slice_trim(slice_skip(line, strlen(field)));
    while (licence.len && (slice_ends_with(licence, ".") || slice_ends_with(licence, ",")))
        licence.len--;
    if (!utf8_is_line(licence) || !is_expression(licence) ||
        (licence.len == 4 && strncasecmp(licence.ptr, "none", 4) == 0))
        return 0;
    return add(&copyright->fields, copyright->inventory, licence, err);
}

/* The file name at the start of text: it may hold dots, but does not end with one. */
static struct slice file_name(struct slice text)
{
    size_t len = 0;

    while (len < text.len && (is_alnum(text.ptr[len]) || memchr("_.+-", text.ptr[len], 4)))
        len++;
    while (len && !is_alnum(text.ptr[len - 1]) && text.ptr[len - 1] != '+')
        len--;
    return slice_sub(text, 0, len);
}

static int read_references(struct copyright *copyright, struct slice line, struct err *err)
{
    static const char reference[] = "/usr/share/common-licenses/";
    const char *at;

    while ((at = memmem(line.ptr, line.len, reference, strlen(reference)))) {
        struct slice name;

        line = slice_skip(line, (size_t)(at - line.ptr) + strlen(reference));
        name = file_name(line);
        if (name.len && add(&copyright->references, copyright->inventory, name, err) < 0)
            return -1;
    }
    return 0;
}

static int read_all(struct copyright *copyright, const struct inventory_file *file, struct err *err)
{
    struct lines lines CLEANUP(lines_release) = {0};
    struct slice line;

    if (lines_open(&lines, file, err) < 0)
        return -1;
    while (lines_next(&lines, &line))
        if (line.len &&
            (read_field(copyright, line, err) < 0 || read_references(copyright, line, err) < 0))
            return -1;
    return lines_end(&lines, err);
}

/* Only the start of a very long one is read. */
static int copyright_read(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct copyright copyright CLEANUP(copyright_release) = {.inventory = inventory,
        .fields.text = BUF_INIT(LIMIT_LICENCE_BYTES),
        .references.text = BUF_INIT(LIMIT_LICENCE_BYTES)};
    uint64_t size = file->content->size;
    struct inventory_file start = *file;
    struct slice package = slice_skip(file->path, strlen(folder)), licence;
    struct blob blob;

    if (blob_part(file->content, 0, size < LIMIT_COPYRIGHT_BYTES ? size : LIMIT_COPYRIGHT_BYTES,
            &blob, err) < 0)
        return -1;
    start.content = &blob;
    if (read_all(&copyright, &start, err) < 0)
        return -1;
    licence =
        buf_slice(copyright.fields.count ? &copyright.fields.text : &copyright.references.text);
    return inventory_add_licence(inventory, slice_pull_until(&package, '/'), licence, err);
}

const struct inventory_reader inventory_deb_copyright = {
    .name = "deb-copyright", .matches = copyright_matches, .read = copyright_read};
