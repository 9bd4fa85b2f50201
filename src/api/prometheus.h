/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the Prometheus text exposition format, version 0.0.4: a family (HELP and TYPE lines),
 * then its samples, one a line:
 *
 *     # HELP careen_images Images of a project.
 *     # TYPE careen_images gauge
 *     careen_images{project="default"} 12
 */
#ifndef CAREEN_API_PROMETHEUS_H
#define CAREEN_API_PROMETHEUS_H

#include "base/buf.h"

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* help: a sentence without line breaks and backslashes. */
void prom_counter(struct buf *out, const char *name, const char *help);
void prom_gauge(struct buf *out, const char *name, const char *help);
void prom_histogram(struct buf *out, const char *name, const char *help);

/* A label; those of a sample end with one without a name. Values are escaped; what is no UTF-8 is
 * left out. */
struct prom_label {
    const char *name;
    struct slice value;
};

/* One sample; labels may be NULL. */
void prom_sample(
    struct buf *out, const char *name, const struct prom_label *labels, uint64_t value);
/* Of a value in millionths of the unit: microseconds as seconds. */
void prom_sample_micro(
    struct buf *out, const char *name, const struct prom_label *labels, int64_t value);
/* Both: a family with one sample without labels. */
void prom_counter_of(struct buf *out, const char *name, const char *help, uint64_t value);
void prom_gauge_of(struct buf *out, const char *name, const char *help, uint64_t value);

/* A histogram's samples: for each bound (in microseconds, ascending) how many were at most that and
 * above the one before; one more count for all above. */
struct prom_buckets {
    const int64_t *bounds_us;
    const uint64_t *counts; /* count + 1 of them */
    size_t count;
    uint64_t sum_us;
};
void prom_sample_buckets(struct buf *out, const char *name, const struct prom_label *label,
    const struct prom_buckets *buckets);

#endif
