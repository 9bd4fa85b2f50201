/* SPDX-License-Identifier: Apache-2.0 */
/* The child process of a scan: what happens behind the walls. */
#ifndef CAREEN_SCAN_CHILD_H
#define CAREEN_SCAN_CHILD_H

#include "scan/sandbox.h"
#include "scan/scan.h"

struct child_plan {
    const char *target;
    struct slice platform;
    unsigned threads;
    int target_fd;  /* for the walls; -1: it could not be opened, and image_open() will say why */
    int input_fd;   /* for the target "-"; -1: none */
    int cache_fd;   /* -1: none */
    int scratch_fd; /* -1: none */
    int out_fd;     /* the pipe */
};

/* Puts up the walls, scans, and sends what it finds; the exit status. Owns none of the descriptors.
 */
int child_main(const struct child_plan *plan);

#endif
