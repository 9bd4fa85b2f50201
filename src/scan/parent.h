/* SPDX-License-Identifier: Apache-2.0 */
/* One child process of a scan, as its parent sees it. */
#ifndef CAREEN_SCAN_PARENT_H
#define CAREEN_SCAN_PARENT_H

#include "base/buf.h"
#include "scan/scan.h"

#include <limits.h>
#include <sys/types.h>

struct parent {
    pid_t pid;   /* 0: not started, or ended */
    int pipe_fd; /* -1 */
    int scratch_fd;
    char scratch[PATH_MAX]; /* the folder; empty: none */
    int64_t deadline_us;    /* monotonic */
    struct buf in;          /* frames that are not whole yet */
    struct scanned scanned;
    size_t image_cap;
    size_t found_bytes; /* of the frames of the images */
    size_t layers_done, layers_known;
    bool finished; /* by FRAME_DONE or FRAME_ERROR */
    bool failed;   /* err says why */
    struct err err;
    int cache_fd;      /* the scan's; -1 */
    bool cache_failed; /* cache_err says why: told once, and not tried again */
    bool cache_written;
    struct err cache_err;
};

/* Forks. On failure nothing is left to be ended. cache_fd stays the caller's. */
int parent_start(struct parent *parent, const char *target, const struct scan_options *options,
    unsigned threads, int cache_fd, struct err *err);
/* Takes what there is to read from pipe_fd, which does not block; false when the child has ended,
 * or had to be ended. Then scanned is good unless failed. */
bool parent_read(struct parent *parent);
/* Ends the child, whatever it does, and its scratch folder. With `why` that is the scan's error.
 * Harmless when all that is done. */
void parent_end(struct parent *parent, const struct err *why);
/* parent_end(), and frees what is found. */
void parent_release(struct parent *parent);

#endif
