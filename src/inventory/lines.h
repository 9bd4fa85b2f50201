/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text file of an image, line by line, and messages that say which line they are about. Lines may
 * be of any bytes but '\n'; ceilings are LIMIT_INVENTORY_LINE_BYTES and LIMIT_INVENTORY_TEXT_BYTES.
 *
 * The error is sticky: a loop over lines_next() is followed by one lines_end().
 */
#ifndef CAREEN_INVENTORY_LINES_H
#define CAREEN_INVENTORY_LINES_H

#include "inventory/inventory.h"

struct lines {
    const struct inventory_file *file; /* not owned */
    struct stream *in;
    char *data; /* heap: data[start..end) is read and not yet handed out */
    size_t start, end, cap;
    size_t number; /* of the line handed out last, from 1 */
    struct err failed;
};

/* *lines is zeroed before: `struct lines lines CLEANUP(lines_release) = {0};`. */
int lines_open(struct lines *lines, const struct inventory_file *file, struct err *err);
void lines_release(struct lines *lines);
/* The next line without its '\n'; good until the next call. False at the end of the file, after
 * which a last line without '\n' has been handed out, and when reading fails. */
bool lines_next(struct lines *lines, struct slice *ret);
/* Was everything read? */
int lines_end(const struct lines *lines, struct err *err);

/* ERR_FORMAT with "PATH:LINE: " in front. Returns -1. */
int lines_fail(const struct lines *lines, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "PATH:LINE: " before an error that is set. Returns -1. */
int lines_prefix(const struct lines *lines, size_t number, struct err *err);

#endif
