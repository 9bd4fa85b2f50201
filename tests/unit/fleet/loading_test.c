/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A project of several batches, loaded by several threads: the same as what was kept up put by put,
 * in the same order; beside a writer, too. Failures of memory: nomem_test.c.
 */
#include "unit.h"

#include "bed.h"

#include <pthread.h>
#include <stdatomic.h>

enum { IMAGES = 300, LOADS = 6, AT_ONCE = 50 };

/* Image n has one vulnerability of its own and some of many. */
static void put_some(struct bed *bed, unsigned from, unsigned count, enum source source)
{
    struct report reports[AT_ONCE];
    struct put_request requests[AT_ONCE];
    struct put_outcome outcomes[AT_ONCE];
    struct placement place = placement_default();
    struct err err;

    for (unsigned i = 0; i < count; i++) {
        unsigned n = from + i;
        char *text = arena_alloc(&bed->arena, 96, &err);
        char *name = arena_alloc(&bed->arena, 32, &err);

        assert_true(text && name);
        (void)snprintf(text, 96, "CVE-%u CVE-%u CVE-%u", 1000 + n, n % 7, n % 13 + 100);
        (void)snprintf(name, 32, "app-%u", n);
        make_report(&reports[i], source, name, "1", "sha256:a", text);
        requests[i] = (struct put_request){.report = &reports[i], .place = &place};
    }
    assert_ok(fleet_put_images(bed->fleet, bed->project, requests, count, "test", outcomes, &err));
    for (unsigned i = 0; i < count; i++) {
        assert_false(outcomes[i].failed);
        report_release(&reports[i]);
    }
}

static void fill(struct bed *bed)
{
    for (unsigned n = 0; n < IMAGES; n += AT_ONCE)
        put_some(bed, n, AT_ONCE, SOURCE_TRIVY);
    for (unsigned n = 0; n < IMAGES; n += 3 * AT_ONCE)
        put_some(bed, n, AT_ONCE, SOURCE_GRYPE);
}

struct sum {
    uint64_t rows, hash;
};

static int add_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct sum *sum = ctx;

    (void)err;
    for (size_t i = 0; i < page->count; i++) {
        const struct affected_row *row = &page->rows[i];

        sum->rows++;
        sum->hash = sum->hash * 31 + slice_hash(row->vul_id) +
                    slice_hash(slice_of(row->image->id)) + row->code;
    }
    return 0;
}

static struct sum sum_of(struct fleet *fleet, uint32_t project)
{
    struct affected_query query = {
        .q = {.scope = {.type = -1}, .codes = INDEX_ALL_CODES, .limit = LIMIT_PAGE_MAX}};
    struct sum sum = {0};
    uint64_t before;
    struct err err;

    do {
        before = sum.rows;
        query.q.offset = sum.rows;
        assert_ok(fleet_affected(fleet, project, &query, add_page, &sum, &err));
    } while (sum.rows > before);
    return sum;
}

static void test_loaded_is_kept_up(void **state)
{
    struct bed bed;
    struct fleet *other;
    struct sum kept, loaded;
    struct err err;

    (void)state;
    bed_init(&bed);
    fill(&bed);
    bed_verify(&bed);
    other = fleet_open(bed.dir, STORE_READ, &err);
    assert_non_null(other);
    assert_ok(fleet_load(other, bed.project, &err));
    kept = sum_of(bed.fleet, bed.project);
    loaded = sum_of(other, bed.project);
    assert_true(kept.rows >= 3 * IMAGES);
    assert_int_equal(loaded.rows, kept.rows);
    assert_int_equal(loaded.hash, kept.hash);
    fleet_close(other);
    bed_release(&bed);
}

struct writing {
    struct bed *bed;
    atomic_bool done;
};

static void *write_until_done(void *ctx)
{
    struct writing *writing = ctx;

    for (unsigned n = 0; !writing->done; n++)
        put_some(writing->bed, n * 7 % (IMAGES + 50), 5, n % 2 ? SOURCE_GRYPE : SOURCE_TRIVY);
    return NULL;
}

/* Each load begins somewhere among the writes, and has all of them once it follows. */
static void test_beside_a_writer(void **state)
{
    struct bed bed;
    struct writing writing = {.bed = &bed};
    struct fleet *loaded[LOADS];
    struct sum kept;
    pthread_t writer;
    struct err err;

    (void)state;
    bed_init(&bed);
    fill(&bed);
    assert_int_equal(pthread_create(&writer, NULL, write_until_done, &writing), 0);
    for (int i = 0; i < LOADS; i++) {
        loaded[i] = fleet_open(bed.dir, STORE_READ, &err);
        assert_non_null(loaded[i]);
        assert_ok(fleet_load(loaded[i], bed.project, &err));
    }
    writing.done = true;
    assert_int_equal(pthread_join(writer, NULL), 0);
    kept = sum_of(bed.fleet, bed.project);
    for (int i = 0; i < LOADS; i++) {
        struct sum sum;

        assert_ok(fleet_follow(loaded[i], &err));
        sum = sum_of(loaded[i], bed.project);
        assert_int_equal(sum.rows, kept.rows);
        assert_int_equal(sum.hash, kept.hash);
        fleet_close(loaded[i]);
    }
    bed_verify(&bed);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded_is_kept_up),
        cmocka_unit_test(test_beside_a_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
