/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error: only where that is a terminal, and only for many steps. */
#ifndef CAREEN_CLI_PROGRESS_H
#define CAREEN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *what; /* "reports" */
    size_t total;
    bool shown;
    int64_t drawn_us, started_us;
};

void progress_start(struct progress *progress, const char *what, size_t total);
void progress_step(struct progress *progress, size_t done);
/* Clears the line: before a message, and at the end. */
void progress_clear(const struct progress *progress);

#endif
