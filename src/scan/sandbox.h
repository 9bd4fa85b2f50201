/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walls around the process that parses images. After sandbox_enter() it can read beneath the
 * places of the plan, write files in one, use the descriptors that it has, and compute: no sockets,
 * no other processes, no programs, no new rights, nothing of the network.
 *
 * Three walls, each for what the others lack: Landlock (paths; Linux 5.13 and later, the rights of
 * the version that runs), seccomp (a list of system calls; whatever is not in it does not exist),
 * and resource limits. A wall that the kernel does not have is left out, and named.
 */
#ifndef CAREEN_SCAN_SANDBOX_H
#define CAREEN_SCAN_SANDBOX_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { SANDBOX_READ_MAX = 4, SANDBOX_WHY_BYTES = 160 };

struct sandbox_plan {
    int read[SANDBOX_READ_MAX]; /* files or folders, open (O_PATH will do) */
    size_t read_count;
    int write; /* a folder; -1: none */
};

/* Ties the process to its parent, and gives up everything else: to be called once, before there are
 * threads, and not to be undone. *why_not: empty when every wall stands, else which does not, for a
 * sentence that begins "without". ERR_IO only for what must not fail. */
int sandbox_enter(
    const struct sandbox_plan *plan, char why_not[SANDBOX_WHY_BYTES], struct err *err);

/* To be called first of all in the child: it dies with the process `parent`, which started it. */
void sandbox_die_with(int parent);

#endif
