/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports read ahead by threads, handed out in the order of the inputs: arrival order, and with it
 * the order of rows, does not depend on how fast each was read. At most a handful are in memory.
 */
#ifndef CAREEN_CLI_READING_H
#define CAREEN_CLI_READING_H

#include "cli/inputs.h"
#include "sbom/report.h"

struct reading;

/* Starts reading; `inputs` must outlive it. */
struct reading *reading_start(const struct inputs *inputs, struct err *err);
void reading_stop(struct reading *reading);

struct read_report {
    struct report report; /* valid unless failed */
    struct err err;
    bool failed;
};

/* Waits for the next report. *ret stays valid until reading_done() has counted past it. At most
 * READING_WINDOW may be out. */
enum { READING_WINDOW = 4 };
struct read_report *reading_next(struct reading *reading);
/* Is the next one there already (so that reading_next() would not wait)? */
bool reading_has_next(struct reading *reading);
/* Gives back the `count` oldest reports that are out. */
void reading_done(struct reading *reading, size_t count);

#endif
