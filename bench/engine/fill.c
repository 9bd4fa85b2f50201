/* SPDX-License-Identifier: Apache-2.0 */
/* bench-fill DATA IMAGES: makes a data folder with so many images of world.h, through
 * fleet_put_images(), and prints what that took as JSON. */
#include "world.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64 };

static struct world_image made[BATCH];

static int put_batch(struct fleet *fleet, uint32_t project, uint32_t from, uint32_t count,
    uint64_t totals[3], struct err *err)
{
    struct put_request requests[BATCH];
    struct put_outcome outcomes[BATCH];
    uint32_t ready = 0;
    int failed = 0;

    for (; ready < count && !failed; ready += !failed) {
        failed = world_make(from + ready, &made[ready], err);
        requests[ready] =
            (struct put_request){.report = &made[ready].report, .place = &made[ready].place};
    }
    if (!failed)
        failed = fleet_put_images(fleet, project, requests, count, "bench-fill", outcomes, err);
    for (uint32_t i = 0; i < count && !failed; i++) {
        if (outcomes[i].failed) {
            *err = outcomes[i].err;
            failed = -1;
        }
        totals[0] += outcomes[i].packages;
        totals[1] += outcomes[i].claims;
        totals[2] += outcomes[i].findings;
    }
    for (uint32_t i = 0; i < ready; i++)
        report_release(&made[i].report);
    return failed;
}

static int fill(struct fleet *fleet, uint32_t project, uint32_t images, struct err *err)
{
    uint64_t totals[3] = {0};
    int64_t began_us = clock_monotonic_us();

    for (uint32_t at = 0; at < images; at += BATCH) {
        uint32_t count = images - at < BATCH ? images - at : BATCH;

        if (put_batch(fleet, project, at, count, totals, err) < 0)
            return -1;
        if (at / BATCH % 64 == 0)
            fprintf(stderr, "\r%u of %u images, %.1f million findings", at + count, images,
                (double)totals[2] / 1e6);
    }
    fprintf(stderr, "\n");
    printf("{\"images\":%u,\"pairs\":%llu,\"claims\":%llu,\"findings\":%llu,\"fill_s\":%.1f}\n",
        images, (unsigned long long)totals[0], (unsigned long long)totals[1],
        (unsigned long long)totals[2], (double)(clock_monotonic_us() - began_us) / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct fleet *fleet;
    uint32_t project;
    uint64_t images = 0;
    int failed;

    if (argc != 3 || !slice_to_u64(slice_of(argv[2]), &images) || images > UINT32_MAX) {
        fprintf(stderr, "usage: bench-fill DATA IMAGES\n");
        return 2;
    }
    fleet = fleet_open(argv[1], STORE_CREATE, &err);
    failed = !fleet || fleet_find_project(fleet, SLICE("default"), &project, &err) < 0 ||
             fleet_load(fleet, project, &err) < 0 ||
             fill(fleet, project, (uint32_t)images, &err) < 0;
    fleet_close(fleet);
    if (failed)
        fprintf(stderr, "bench-fill: %s\n", err.message);
    return failed;
}
