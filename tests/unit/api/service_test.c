/* SPDX-License-Identifier: Apache-2.0 */
/* What may be changed while the service runs, read by others meanwhile. */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/service.h"

enum { READERS = 3, CHANGES = 200 };

struct world {
    char path[64];
    struct fleet *fleet;
    struct service *service;
};

static const struct service_options first = {.domain = "careen",
    .max_report_bytes = 1,
    .log_keep_ms = 1000,
    .retention = {.superseded_ms = -1, .unseen_ms = -1}};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct service_options options = first;
    struct err err = {0};

    snprintf(world->path, sizeof(world->path), "/tmp/careen-service-XXXXXX");
    if (!mkdtemp(world->path))
        return -1;
    options.data_dir = world->path;
    world->fleet = fleet_open(world->path, STORE_CREATE, &err);
    if (world->fleet)
        world->service = service_start(world->fleet, &options, &err);
    *state = world;
    return world->service ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *world = *state;
    DIR *dir = opendir(world->path);
    struct dirent *entry;
    char path[400];

    service_stop(world->service);
    fleet_close(world->fleet);
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof(path), "%s/%s", world->path, entry->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(world->path);
    free(world);
    return 0;
}

static void test_what_changes_and_what_does_not(void **state)
{
    struct world *world = *state;
    const struct service_options *before = service_options(world->service);
    struct service_options options = {.data_dir = "elsewhere",
        .domain = "other",
        .strict_parameters = true,
        .max_report_bytes = 2,
        .log_keep_ms = 3,
        .retention = {.superseded_ms = 4, .unseen_ms = 5, .whole = true},
        .rate_limit_per_user = 6,
        .refusals_per_address = 7,
        .metrics_open = true};
    const struct service_options *now;

    service_reconfigure(world->service, &options);
    now = service_options(world->service);
    assert_string_equal(now->data_dir, world->path);
    assert_string_equal(now->domain, "careen");
    assert_true(now->strict_parameters && now->metrics_open && now->retention.whole);
    assert_int_equal(now->max_report_bytes, 2);
    assert_int_equal(now->log_keep_ms, 3);
    assert_int_equal(now->retention.superseded_ms, 4);
    assert_int_equal(now->retention.unseen_ms, 5);
    assert_int_equal(now->rate_limit_per_user, 6);
    assert_int_equal(now->refusals_per_address, 7);
    assert_int_equal(before->max_report_bytes, 1); /* whoever reads it still may */
    service_reconfigure(world->service, &options);
    assert_ptr_equal(service_options(world->service), now); /* nothing new, nothing kept */
}

/* Each alone makes a new state. */
static void test_each_option_counts(void **state)
{
    struct world *world = *state;
    struct service_options changes[9];

    for (size_t i = 0; i < 9; i++)
        changes[i] = first;
    changes[0].strict_parameters = true;
    changes[1].max_report_bytes++;
    changes[2].log_keep_ms++;
    changes[3].retention.superseded_ms++;
    changes[4].retention.unseen_ms++;
    changes[5].retention.whole = true;
    changes[6].rate_limit_per_user++;
    changes[7].refusals_per_address++;
    changes[8].metrics_open = true;
    for (size_t i = 0; i < 9; i++) {
        const struct service_options *before = service_options(world->service);

        service_reconfigure(world->service, &changes[i]);
        assert_ptr_not_equal(service_options(world->service), before);
        service_reconfigure(world->service, &first);
    }
}

/* Every state that is written has the same number everywhere. */
static void *read_all(void *ctx)
{
    struct world *world = ctx;
    uint64_t last = 0;

    while (last < CHANGES) {
        const struct service_options *now = service_options(world->service);

        if (now->max_report_bytes == 1)
            continue;
        if (now->max_report_bytes < last || now->rate_limit_per_user != now->max_report_bytes ||
            now->retention.unseen_ms != (int64_t)now->max_report_bytes ||
            now->log_keep_ms != (int64_t)now->max_report_bytes)
            return ctx;
        last = now->max_report_bytes;
    }
    return NULL;
}

static void test_readers_see_whole_states(void **state)
{
    struct world *world = *state;
    pthread_t readers[READERS];
    void *torn;

    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all, world), 0);
    for (unsigned n = 2; n <= CHANGES; n++) {
        struct service_options options = first;

        options.max_report_bytes = n;
        options.rate_limit_per_user = n;
        options.log_keep_ms = n;
        options.retention.unseen_ms = n;
        service_reconfigure(world->service, &options);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], &torn);
        assert_null(torn);
    }
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_what_changes_and_what_does_not),
        IN_WORLD(test_each_option_counts),
        IN_WORLD(test_readers_see_whole_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
