/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan: from a target to one report for each image in it. The walk: image/ opens the target and
 * reads layers, inventory/ makes facts of the files that it knows, facts.h keeps them by layer (and
 * cache.h by diff_id), overlay.h says what of them is visible in the image, and which layer a
 * package came with.
 *
 * All parsing happens in a child process that has given up everything but reading the target and
 * writing to its scratch folder (sandbox.h); what it finds comes back through a pipe.
 */
#ifndef CAREEN_SCAN_SCAN_H
#define CAREEN_SCAN_SCAN_H

#include "image/image.h"
#include "sbom/report.h"

struct scan_options {
    struct slice platform;
    const char *cache_dir; /* of layer facts; NULL: none */
    unsigned threads;      /* layers read at once; 0: one for each processor */
};

/* Beside report->packages[i]: what is not part of a package's identity. */
struct scanned_package {
    struct slice licence;
    struct slice layer; /* diff_id of the layer that brought it; empty for a folder */
    struct slice path;  /* of the database that lists it */
};

struct scanned_image {
    struct report report;             /* source SOURCE_CAREEN, complete; no claims */
    struct scanned_package *packages; /* report.package_count of them, in report.arena */
    struct slice os;                  /* "linux" */
    size_t layers, cached_layers;
    bool
        sandboxed; /* all that the kernel can do was in force; else why_not says what was missing */
    const char *why_not;
};

struct scanned {
    struct scanned_image *images; /* heap */
    size_t count;
};

/* Scans every image of a target. An image in which no package database was found is scanned, too
 * (no packages; the caller says so); a database that is there but yields no package is ERR_FORMAT.
 */
int scan_target(
    const char *target, const struct scan_options *options, struct scanned *ret, struct err *err);
void scanned_release(struct scanned *scanned);

#endif
