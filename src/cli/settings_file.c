/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that knows inih. The library takes lines from read_line() below, which counts them
 * (the library does not tell its handler where it is) and refuses what the library would take
 * quietly: sections, "NAME: VALUE", the rest of a line that is too long, bytes that are no text. A
 * line's indentation is dropped, since the library would append an indented one to the value
 * before.
 */
#include "cli/settings_file.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <ini.h>

struct parse {
    FILE *file;
    const char *path;
    settings_line_fn fn;
    void *ctx;
    unsigned line;
    size_t bytes;
    bool failed; /* *err is set */
    struct err *err;
};

static void fail(struct parse *parse, const char *what)
{
    err_set(parse->err, ERR_USAGE, "%s, line %u: %s", parse->path, parse->line, what);
    parse->failed = true;
}

/* One line, without its end, into dst; -1 at the end of the file or on failure. */
static int take_line(struct parse *parse, char *dst, int cap)
{
    int len = 0, c = getc(parse->file);

    if (c == EOF)
        return -1;
    parse->line++;
    for (; c != EOF && c != '\n'; c = getc(parse->file)) {
        if (len == cap - 1) {
            err_set(parse->err, ERR_USAGE,
                "%s, line %u is longer than %d bytes: give the value in the environment or as a "
                "flag",
                parse->path, parse->line, cap - 1);
            parse->failed = true;
            return -1;
        }
        dst[len++] = c == '\t' ? ' ' : (char)c;
    }
    if (len && dst[len - 1] == '\r')
        len--;
    parse->bytes += (size_t)len + 1;
    if (parse->bytes > LIMIT_SETTINGS_FILE_BYTES) {
        err_set(parse->err, ERR_LIMIT, "%s is larger than the limit of %d bytes", parse->path,
            LIMIT_SETTINGS_FILE_BYTES);
        parse->failed = true;
    }
    return len;
}

static void check_line(struct parse *parse, struct slice line)
{
    bool comment = !line.len || line.ptr[0] == '#' || line.ptr[0] == ';';

    if (!utf8_is_line(line))
        fail(parse, "there are control characters in it, or it is not UTF-8");
    else if (line.len && line.ptr[0] == '[')
        fail(parse, "there are no sections in this file: remove [...]");
    else if (!comment && slice_find_char(line, '=') >= slice_find_char(line, ':'))
        fail(parse, "it is neither NAME = VALUE nor a comment");
}

/* In the manner of fgets(). */
static char *read_line(char *dst, int cap, void *stream)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct parse *parse = stream;
    struct slice line = {dst, 0};
    int len;

    if (parse->failed)
        return NULL;
    len = take_line(parse, dst, cap);
    if (len < 0 || parse->failed)
        return NULL;
    line.len = (size_t)len;
    if (parse->line == 1 && slice_starts_with(line, byte_order_mark))
        line = slice_skip(line, sizeof(byte_order_mark) - 1);
    line = slice_trim(line);
    check_line(parse, line);
    if (parse->failed)
        return NULL;
    memmove(dst, line.ptr, line.len);
    dst[line.len] = '\0';
    return dst;
}

static int on_setting(void *ctx, const char *section, const char *name, const char *value)
{
    struct parse *parse = ctx;

    (void)section;
    if (!parse->failed && parse->fn(parse->ctx, name, value, parse->line, parse->err) < 0)
        parse->failed = true;
    return !parse->failed;
}

int settings_file_parse(
    FILE *file, const char *path, settings_line_fn fn, void *ctx, struct err *err)
{
    struct parse parse = {.file = file, .path = path, .fn = fn, .ctx = ctx, .err = err};
    int wrong_line = ini_parse_stream(read_line, &parse, on_setting, &parse);

    if (parse.failed)
        return -1;
    if (ferror(file))
        return err_set_errno(err, "cannot read the configuration file %s", path);
    if (wrong_line)
        return err_set(err, ERR_USAGE, "%s, line %d: it is neither NAME = VALUE nor a comment",
            path, wrong_line);
    return 0;
}

int settings_file_read(const char *path, settings_line_fn fn, void *ctx, struct err *err)
{
    FILE *file = fopen(path, "re");
    int failed;

    if (!file)
        return err_set_errno(err, "cannot read the configuration file %s", path);
    failed = settings_file_parse(file, path, fn, ctx, err);
    fclose(file);
    return failed;
}
