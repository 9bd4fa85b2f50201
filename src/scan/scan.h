/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan: from a target to one report for each image in it. The walk: image/ opens the target and
 * reads layers, inventory/ makes facts of the files that it knows, facts.h keeps them by layer (and
 * cache.h by diff_id), layering.h says what of them is visible in the image, and which layer a
 * package came with.
 *
 * All parsing happens in a child process for each target, which has given up everything but reading
 * the target and the cache, and writing to a scratch folder (sandbox.h); what it finds comes back
 * through a pipe (wire.h), and is not believed. The parent alone writes to the cache.
 */
#ifndef CAREEN_SCAN_SCAN_H
#define CAREEN_SCAN_SCAN_H

#include "image/image.h"
#include "sbom/report.h"

#include <signal.h>

struct scan_options {
    struct slice platform;
    const char *cache_dir; /* of layer facts; NULL: none */
    uint64_t cache_bytes;  /* what it may hold; 0: LIMIT_CACHE_BYTES */
    unsigned threads;      /* in all: targets, and layers of a target, read at once; 0: one for each
                              processor */
    const volatile sig_atomic_t *stop; /* not 0: end everything; may be NULL */
};

/* Beside report->packages[i]: what is not part of a package's identity. */
struct scanned_package {
    struct slice licence;
    struct slice layer; /* diff_id of the layer that brought it; empty for a folder */
    struct slice path;  /* of the database that lists it */
};

struct scanned_image {
    struct report report;             /* source SOURCE_CAREEN; complete unless there is no database,
                                         or no release is known; no claims */
    struct scanned_package *packages; /* report.package_count of them, in report.arena */
    struct slice os;                  /* "linux"; may be empty */
    size_t databases;                 /* package databases in it: 0 is no clean image */
    size_t layers, cached_layers;
};

struct scanned {
    struct scanned_image *images; /* heap */
    size_t count;
    size_t left_out; /* of the target's images, as their layers are of a type that is not read */
    char first_left_out[256]; /* which the first is, and what type; cut */
    char why_not[160]; /* the walls that the kernel could not put up around the scan ("Landlock
                          (...)"); empty when all stood */
};

struct scan_visitor {
    /* Of every target, in the order given: *scanned (the visitor's from then on, to be released),
     * or *why it could not be scanned. -1 with *err ends the scan. */
    int (*done)(
        void *ctx, size_t target, struct scanned *scanned, const struct err *why, struct err *err);
    /* Layers done, of those that are known by now, over all targets. May be NULL. */
    void (*progress)(void *ctx, size_t done, size_t total);
    /* Something that does not keep the scan from going on: the cache cannot be written. May be
     * NULL.
     */
    void (*warn)(void *ctx, const struct err *why);
    void *ctx;
};

/* Scans every image of every target, several at once. An image in which no package database was
 * found is scanned, too (no packages, not complete); databases that are there but yield no package
 * at all are ERR_FORMAT. Call it before the process has threads: it forks. Errors: of the visitor;
 * ERR_BUSY when it was stopped; what keeps it from starting at all. */
int scan_targets(const char *const *targets, size_t count, const struct scan_options *options,
    const struct scan_visitor *visitor, struct err *err);
/* The same of one target, with its error as the error. */
int scan_target(
    const char *target, const struct scan_options *options, struct scanned *ret, struct err *err);
void scanned_release(struct scanned *scanned);

#endif
