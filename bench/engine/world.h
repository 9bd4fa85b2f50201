/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made-up fleet with the skew of real ones: a few hundred base images that most images are built
 * on, packages that nearly all have and packages that one has, vulnerabilities that follow from the
 * packages. Everything follows from a seed and the image's position, so image 5,000 is the same
 * whatever was made before it.
 */
#ifndef CAREEN_BENCH_WORLD_H
#define CAREEN_BENCH_WORLD_H

#include "fleet/fleet.h"

/* On average 200 packages and 100 findings an image; 20,000 vulnerabilities. */
enum {
    WORLD_VULNERABILITIES = 20000,
    WORLD_REGISTRIES = 30,
    WORLD_CLUSTERS = 40,
    WORLD_ENTERPRISE_PROJECTS = 30,
};

struct world_image {
    struct report report;
    struct placement place;
    char texts[6][64]; /* what place and report point at */
};

/* Image number `at` into *ret; to be released with report_release(&ret->report). */
int world_make(uint32_t at, struct world_image *ret, struct err *err);
/* "CVE-2019-10023": vulnerability number `at`. */
void world_vulnerability(uint32_t at, char ret[32]);
/* The names of registry, cluster and enterprise project number `at`. */
void world_registry(uint32_t at, char ret[64]);
void world_cluster(uint32_t at, char ret[64]);
void world_enterprise_project(uint32_t at, char ret[64]);

#endif
