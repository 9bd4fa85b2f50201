/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file's syntax: lines NAME = VALUE, and comments on lines of their own that
 * begin with # or ;, or behind a value and " ;". No sections, no quotes, no continued lines.
 */
#ifndef CAREEN_CLI_SETTINGS_FILE_H
#define CAREEN_CLI_SETTINGS_FILE_H

#include "base/err.h"

#include <stdio.h>

/* One line of it; 0 or -1, which ends the reading. Both texts live as long as the call. */
typedef int (*settings_line_fn)(
    void *ctx, const char *name, const char *value, unsigned line, struct err *err);

/* Calls fn for each setting of the file, in order. Messages of its own begin with the file's name
 * and the line: ERR_USAGE (what is no setting, a line that is too long), ERR_LIMIT, ERR_NOT_FOUND,
 * ERR_DENIED, ERR_IO. */
int settings_file_read(const char *path, settings_line_fn fn, void *ctx, struct err *err);
/* The same from an open file, of which messages speak as `path`. */
int settings_file_parse(
    FILE *file, const char *path, settings_line_fn fn, void *ctx, struct err *err);

#endif
