/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading on demand: what is held is loaded, once, beside a writer too; what is held least lately
 * is dropped, and comes back as it was.
 */
#include "unit.h"

#include "bed.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PUTS = 150, LOADS = 25 };

/* A fleet on the same folder with nothing loaded. */
static struct fleet *open_other(struct bed *bed, bool all)
{
    struct err err;
    struct fleet *other = fleet_open(bed->dir, STORE_WRITE, &err);

    assert_non_null(other);
    fleet_load_on_demand(other, all);
    return other;
}

static int load_next(struct fleet *fleet, uint32_t *ret_project)
{
    int64_t start_us;
    struct err err;

    return fleet_load_next(fleet, 0, ret_project, &start_us, &err);
}

static uint64_t images_in(struct fleet *fleet, uint32_t project)
{
    const struct index_scope all = {.type = -1};
    struct index_counts counts;
    struct err err;

    assert_ok(fleet_count(fleet, project, &all, &counts, &err));
    return counts.images;
}

static void put_numbered(struct bed *bed, unsigned n)
{
    char name[32], vulns[64];

    (void)snprintf(name, sizeof(name), "app-%u", n % 40);
    (void)snprintf(vulns, sizeof(vulns), "CVE-%u CVE-%u", n % 7, n % 11 + 20);
    put_plain(bed, n % 2 ? SOURCE_TRIVY : SOURCE_GRYPE, name, "1", "sha256:a", vulns);
}

static void test_what_is_held_is_loaded(void **state)
{
    struct bed bed;
    struct fleet *other;
    struct fleet_hold *hold, *second;
    uint32_t project = 0;
    bool loaded = true;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_numbered(&bed, 1);
    other = open_other(&bed, false);
    assert_int_equal(load_next(other, &project), 0);
    assert_null(fleet_hold(other, 99, &loaded));
    assert_false(fleet_is_loaded(other, bed.project));
    hold = fleet_hold(other, bed.project, &loaded);
    assert_false(loaded);
    assert_false(fleet_is_settled(other, hold));
    second = fleet_hold(other, bed.project, &loaded);
    assert_ptr_equal(hold, second);
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(project, bed.project);
    assert_true(fleet_is_settled(other, hold));
    fleet_await(other, hold, 10000); /* there is nothing to wait for */
    assert_int_equal(load_next(other, &project), 0);
    fleet_release(second);
    second = fleet_hold(other, bed.project, &loaded);
    assert_true(loaded);
    assert_int_equal(images_in(other, bed.project), 1);
    put_numbered(&bed, 2);
    assert_ok(fleet_follow(other, &err));
    assert_int_equal(images_in(other, bed.project), 2);
    assert_ok(fleet_verify(other, bed.project, &err));
    fleet_release(hold);
    fleet_release(second);
    fleet_close(other);
    bed_release(&bed);
}

static void test_all_from_the_start(void **state)
{
    struct bed bed;
    struct fleet *other;
    uint32_t second, project = 0, made;
    struct err err;

    (void)state;
    bed_init(&bed);
    assert_ok(fleet_add_project(bed.fleet, SLICE("second"), &second, &err));
    other = open_other(&bed, true);
    assert_false(fleet_all_loaded(other));
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(project, bed.project);
    assert_false(fleet_all_loaded(other));
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(project, second);
    assert_true(fleet_all_loaded(other));
    assert_ok(fleet_follow(other, &err));
    assert_int_equal(load_next(other, &project), 0);
    assert_ok(fleet_add_project(bed.fleet, SLICE("third"), &made, &err)); /* one that comes later */
    assert_ok(fleet_follow(other, &err));
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(project, made);
    fleet_close(other);
    bed_release(&bed);
}

static void test_budget(void **state)
{
    struct bed bed;
    struct fleet *other;
    struct fleet_hold *hold;
    struct fleet_memory memory;
    uint32_t second, project = 0;
    bool loaded;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_numbered(&bed, 1);
    assert_ok(fleet_add_project(bed.fleet, SLICE("second"), &second, &err));
    other = open_other(&bed, true);
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(fleet_keep_budget(other, &project, &err), 0); /* there is none */
    fleet_set_budget(other, 1);
    hold = fleet_hold(other, bed.project, &loaded);
    assert_int_equal(fleet_keep_budget(other, &project, &err), 1);
    assert_int_equal(project, second);
    assert_int_equal(fleet_keep_budget(other, &project, &err), 2);
    fleet_release(hold);
    assert_int_equal(fleet_keep_budget(other, &project, &err), 2); /* it was held last */
    assert_int_equal(images_in(other, bed.project), 1);
    assert_ok(fleet_follow(other, &err));
    assert_int_equal(load_next(other, &project), 0); /* what was dropped is not wanted again */

    hold = fleet_hold(other, second, &loaded);
    assert_false(loaded);
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(fleet_keep_budget(other, &project, &err), 1);
    assert_int_equal(project, bed.project);
    assert_false(fleet_is_loaded(other, bed.project));
    assert_true(fleet_is_loaded(other, second));
    fleet_release(hold);
    put_numbered(&bed, 2); /* while it is not there */
    assert_ok(fleet_follow(other, &err));
    hold = fleet_hold(other, bed.project, &loaded);
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(images_in(other, bed.project), 2);
    assert_ok(fleet_verify(other, bed.project, &err));
    fleet_release(hold);
    fleet_memory(other, &memory);
    assert_int_equal(memory.budget, 1);
    assert_int_equal(memory.drops, 2);
    assert_int_equal(memory.loads, 4);
    fleet_close(other);
    bed_release(&bed);
}

/* Causes that were never seen are gone: what is in memory is no longer what is stored, and is
 * loaded anew although there is no room, and nobody waits for it. */
static void test_stale_and_over_budget(void **state)
{
    struct bed bed;
    struct fleet *other;
    struct store *store;
    uint32_t project = 0;
    size_t dropped;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_numbered(&bed, 1);
    other = open_other(&bed, true);
    assert_int_equal(load_next(other, &project), 1);
    fleet_set_budget(other, 1);
    assert_int_equal(fleet_keep_budget(other, &project, &err), 2);
    put_numbered(&bed, 2);
    store = fleet_store(bed.fleet);
    assert_ok(store_begin(store, "test", &err));
    assert_ok(store_trim_log(store, clock_now_ms() + 1000, SIZE_MAX, &dropped, &err));
    assert_ok(store_commit(store, &err));
    assert_ok(fleet_follow(other, &err));
    assert_int_equal(load_next(other, &project), 1);
    assert_int_equal(images_in(other, bed.project), 2);
    assert_ok(fleet_verify(other, bed.project, &err));
    fleet_close(other);
    bed_release(&bed);
}

/* --- Beside others ---------------------------------------------------------------------------- */

struct beside {
    struct bed *bed;
    struct fleet *fleet;
    atomic_bool done;
};

static void *follow(void *ctx)
{
    struct beside *beside = ctx;
    struct err err;

    while (!beside->done)
        assert_ok(fleet_follow(beside->fleet, &err));
    return NULL;
}

static void *read_all(void *ctx)
{
    struct beside *beside = ctx;
    const struct index_scope all = {.type = -1};
    struct index_counts counts;
    bool loaded;

    while (!beside->done) {
        struct fleet_hold *hold = fleet_hold(beside->fleet, beside->bed->project, &loaded);
        struct err err = {0};

        if (fleet_count(beside->fleet, beside->bed->project, &all, &counts, &err) < 0)
            assert_int_equal(err.code, ERR_LOADING);
        fleet_release(hold);
    }
    return NULL;
}

static void *write_all(void *ctx)
{
    struct beside *beside = ctx;

    for (unsigned n = 0; n < PUTS; n++)
        put_numbered(beside->bed, n);
    return NULL;
}

/* Loaded and dropped again and again while another fleet writes, this one follows, and somebody
 * reads. */
static void test_beside_a_writer(void **state)
{
    struct bed bed;
    struct beside beside = {.bed = &bed};
    pthread_t threads[3];
    uint32_t second, project = 0;
    bool loaded;
    struct err err;

    (void)state;
    bed_init(&bed);
    for (unsigned n = 0; n < 10; n++)
        put_numbered(&bed, n);
    assert_ok(fleet_add_project(bed.fleet, SLICE("second"), &second, &err));
    beside.fleet = open_other(&bed, false);
    fleet_set_budget(beside.fleet, 1);
    assert_int_equal(pthread_create(&threads[0], NULL, follow, &beside), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, read_all, &beside), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, write_all, &beside), 0);
    for (int i = 0; i < LOADS; i++) {
        struct fleet_hold *hold = fleet_hold(beside.fleet, i % 2 ? second : bed.project, &loaded);

        while (!fleet_is_settled(beside.fleet, hold))
            assert_true(load_next(beside.fleet, &project) >= 0);
        assert_true(fleet_keep_budget(beside.fleet, &project, &err) >= 0);
        fleet_release(hold);
    }
    assert_int_equal(pthread_join(threads[2], NULL), 0);
    beside.done = true;
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    fleet_release(fleet_hold(beside.fleet, bed.project, &loaded));
    (void)load_next(beside.fleet, &project);
    assert_ok(fleet_follow(beside.fleet, &err));
    assert_int_equal(images_in(beside.fleet, bed.project), images_in(bed.fleet, bed.project));
    assert_ok(fleet_verify(beside.fleet, bed.project, &err));
    fleet_close(beside.fleet);
    bed_release(&bed);
}

static void test_stopping(void **state)
{
    struct bed bed;
    struct fleet *other;
    struct fleet_hold *hold;
    uint32_t project = 0;
    bool loaded;
    struct err err;

    (void)state;
    bed_init(&bed);
    other = open_other(&bed, false);
    hold = fleet_hold(other, bed.project, &loaded);
    fleet_stop_loading(other);
    assert_int_equal(load_next(other, &project), 0);
    assert_true(fleet_is_settled(other, hold));
    fleet_await(other, hold, 10000);
    assert_fails(fleet_load(other, bed.project, &err), ERR_BUSY, "stopping");
    fleet_release(hold);
    fleet_close(other);
    bed_release(&bed);
}

/* Retention does not load what it looks through. */
static void test_retention_without_loading(void **state)
{
    const struct retention rule = {.superseded_ms = 0, .unseen_ms = -1};
    struct bed bed;
    struct fleet *other;
    struct retained loaded = {0}, stored = {0};
    struct err err;

    (void)state;
    bed_init(&bed);
    for (unsigned n = 0; n < 4; n++)
        put_numbered(&bed, n);
    put_plain(&bed, SOURCE_TRIVY, "app-1", "1", "sha256:b", "CVE-1"); /* its tag has moved on */
    other = open_other(&bed, false);
    assert_ok(fleet_retain(bed.fleet, 0, &rule, true, "test", NULL, NULL, &loaded, &err));
    assert_int_equal(loaded.superseded, 1);
    assert_ok(fleet_retain(other, 0, &rule, true, "test", NULL, NULL, &stored, &err));
    assert_int_equal(stored.superseded, 1);
    assert_ok(fleet_retain(other, 0, &rule, false, "test", NULL, NULL, &stored, &err));
    assert_false(fleet_is_loaded(other, bed.project));
    assert_ok(fleet_follow(bed.fleet, &err));
    assert_int_equal(images_in(bed.fleet, bed.project), 4);
    fleet_close(other);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_held_is_loaded),
        cmocka_unit_test(test_all_from_the_start),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_stale_and_over_budget),
        cmocka_unit_test(test_beside_a_writer),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_retention_without_loading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
