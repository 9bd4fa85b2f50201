/* SPDX-License-Identifier: Apache-2.0 */
/* The files that an import is given: names, "-", and folders, walked for .json and .json.gz. */
#ifndef CAREEN_CLI_INPUTS_H
#define CAREEN_CLI_INPUTS_H

#include "base/arena.h"

struct inputs {
    struct arena arena;
    struct slice *at; /* NUL-terminated paths; "-" is standard input */
    size_t count, cap;
};

void inputs_init(struct inputs *inputs);
void inputs_release(struct inputs *inputs);
/* Adds a path as given. Of a folder, everything below it whose name ends in .json or .json.gz, in
 * the order of the names; hidden ones and links to folders are passed over. ERR_NOT_FOUND when a
 * folder has none; a missing file is found out when it is read. */
int inputs_add(struct inputs *inputs, const char *path, struct err *err);

#endif
