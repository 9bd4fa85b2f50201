/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buffer over the blob's stream that grows only for a line that does not fit. Most files are read
 * in one piece.
 */
#include "inventory/lines.h"

#include "base/array.h"
#include "base/limits.h"
#include "model/name.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 * 1024 };

int lines_open(struct lines *lines, const struct inventory_file *file, struct err *err)
{
    struct stream *in, *limited;

    if (array_reserve(&lines->data, &lines->cap, FIRST_CAP, 1, err) < 0)
        return -1;
    in = stream_open_blob(file->content, err);
    if (!in)
        return -1;
    limited = stream_limit(in, LIMIT_INVENTORY_TEXT_BYTES, "a package database", err);
    if (!limited) {
        stream_close(in);
        return -1;
    }
    lines->file = file;
    lines->in = limited;
    return 0;
}

void lines_release(struct lines *lines)
{
    stream_close(lines->in);
    free(lines->data);
    *lines = (struct lines){0};
}

/* Moves what is left to the front and reads more behind it. False at the end and on failure. */
static bool refill(struct lines *lines)
{
    size_t got;

    memmove(lines->data, lines->data + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    if (lines->end == lines->cap) {
        if (lines->cap >= LIMIT_INVENTORY_LINE_BYTES) {
            err_set(&lines->failed, ERR_LIMIT,
                "a line is longer than %d bytes (LIMIT_INVENTORY_LINE_BYTES)",
                LIMIT_INVENTORY_LINE_BYTES);
            lines->number++;
            return false;
        }
        if (array_reserve(&lines->data, &lines->cap, lines->cap + 1, 1, &lines->failed) < 0)
            return false;
    }
    if (stream_read(
            lines->in, lines->data + lines->end, lines->cap - lines->end, &got, &lines->failed) < 0)
        return false;
    lines->end += got;
    return got > 0;
}

bool lines_next(struct lines *lines, struct slice *ret)
{
    size_t seen = 0, len;
    const char *end;

    if (lines->failed.code != ERR_NONE)
        return false;
    for (;;) {
        const char *start = lines->data + lines->start;

        len = lines->end - lines->start;
        end = len > seen ? memchr(start + seen, '\n', len - seen) : NULL;
        if (end)
            break;
        seen = len;
        if (!refill(lines))
            break;
    }
    if (lines->failed.code != ERR_NONE || (!end && seen == 0))
        return false;
    *ret = (struct slice){
        lines->data + lines->start, end ? (size_t)(end - lines->data) - lines->start : seen};
    lines->start += ret->len + (end ? 1 : 0);
    lines->number++;
    return true;
}

int lines_prefix(const struct lines *lines, size_t number, struct err *err)
{
    char path[NAME_SHOWN_BYTES];

    return err_prefix(err, "%s:%zu", name_shown(lines->file->path, path), number);
}

int lines_end(const struct lines *lines, struct err *err)
{
    if (lines->failed.code == ERR_NONE)
        return 0;
    *err = lines->failed;
    return lines_prefix(lines, lines->number, err);
}

int lines_fail(const struct lines *lines, struct err *err, const char *format, ...)
{
    char message[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    err_set(err, ERR_FORMAT, "%s", message);
    return lines_prefix(lines, lines->number, err);
}
