/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting: what is in use stays, what is not goes, whoever else writes meanwhile. Two handles of
 * one store stand for two processes: each has a cache of ids of its own.
 */
#include "../rng.h"
#include "store_fixture.h"

#include <pthread.h>

enum { THINGS = 24, IMAGES = 12, BITS = 4096 };

/* What is there, and what is referred to, by id. */
struct world {
    bool claims[BITS], packages[BITS], records[BITS], names[BITS]; /* referred to */
    bool claim_there[BITS], record_there[BITS], name_there[BITS];
    uint32_t claim_package[BITS], claim_record[BITS];
    uint32_t last_claim, last_record, last_name;
    struct store *store;
};

static bool *at(bool *set, uint32_t id)
{
    assert_true(id > 0 && id < BITS);
    return &set[id];
}

static int see_claim(void *ctx, uint32_t id, const struct claim *claim,
    const struct claim_names *names, struct err *err)
{
    struct world *w = ctx;

    (void)names;
    (void)err;
    *at(w->claim_there, id) = true;
    w->claim_package[id] = claim->package;
    w->claim_record[id] = claim->record;
    *at(w->packages, claim->package) = true;
    *at(w->records, claim->record) = true;
    w->last_claim = id;
    return 0;
}

static int see_record(void *ctx, uint32_t id, const struct record *record, struct err *err)
{
    struct world *w = ctx;

    (void)err;
    *at(w->record_there, id) = true;
    *at(w->names, record->name) = true;
    for (size_t i = 0; i < record->alias_count; i++)
        *at(w->names, record->aliases[i]) = true;
    for (size_t i = 0; i < record->cover_count; i++)
        *at(w->names, record->covers[i]) = true;
    w->last_record = id;
    return 0;
}

static int see_name(void *ctx, uint32_t id, struct slice name, struct err *err)
{
    struct world *w = ctx;

    (void)name;
    (void)err;
    *at(w->name_there, id) = true;
    w->last_name = id;
    return 0;
}

static int see_image(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct world *w = ctx;

    (void)image;
    (void)err;
    for (int source = 0; source < SOURCE_COUNT; source++) {
        for (size_t i = 0; i < slots[source].claims.count; i++)
            *at(w->claims, slots[source].claims.at[i]) = true;
        for (size_t i = 0; i < slots[source].packages.count; i++)
            *at(w->packages, slots[source].packages.at[i].id) = true;
    }
    return 0;
}

static int see_decision(void *ctx, const struct decision *decision, struct err *err)
{
    struct world *w = ctx;

    (void)err;
    for (size_t i = 0; i < decision->vuln_count; i++)
        *at(w->names, decision->vulns[i]) = true;
    return 0;
}

static int see_package(void *ctx, uint32_t id, const struct package *package, struct err *err)
{
    (void)id;
    (void)err;
    assert_true(package->name.len > 0);
    ++*(uint64_t *)ctx;
    return 0;
}

static void look(struct store *store, struct world *w)
{
    struct err err;

    *w = (struct world){.store = store};
    assert_ok(store_each_claim(store, 0, see_claim, w, &err));
    assert_ok(store_each_record(store, 0, see_record, w, &err));
    assert_ok(store_each_name(store, 0, see_name, w, &err));
    assert_ok(store_each_image(store, 1, 0, 1000, see_image, w, &err));
    assert_ok(store_each_decision(store, 1, false, 0, 100000, see_decision, w, &err));
}

/* Every id that is referred to is there. */
static void check_nothing_missing(struct store *store, const struct world *w)
{
    struct ids packages = {0};
    uint64_t found = 0;
    struct err err;

    assert_ok(store_check(store, &err));
    for (uint32_t id = 1; id < BITS; id++) {
        if ((w->claims[id] && !w->claim_there[id]) || (w->records[id] && !w->record_there[id]) ||
            (w->names[id] && !w->name_there[id]))
            fail_msg("something refers to id %u, which is not there", id);
        if (w->packages[id])
            assert_ok(ids_push(&packages, id, &err));
    }
    assert_ok(store_each_package(store, &packages, see_package, &found, &err));
    assert_int_equal(found, packages.count);
    ids_release(&packages);
}

/* What nothing refers to is not there, but for the highest ids (and what those refer to). */
static void check_nothing_left(const struct world *w, uint64_t packages)
{
    uint64_t used = 0;

    for (uint32_t id = 1; id < BITS; id++) {
        if ((w->claim_there[id] && !w->claims[id] && id != w->last_claim) ||
            (w->record_there[id] && !w->records[id] && id != w->last_record) ||
            (w->name_there[id] && !w->names[id] && id != w->last_name))
            fail_msg("id %u is of no use, and there", id);
        used += w->packages[id];
    }
    assert_true(packages == used || packages == used + 1);
}

/* --- Things to put ---------------------------------------------------------------------------- */

static uint32_t put_some_name(struct store *store, uint64_t which)
{
    char name[32];

    snprintf(name, sizeof(name), "CVE-2024-%u", (unsigned)which);
    return put_name(store, name);
}

static uint32_t put_some_record(struct store *store, uint64_t which)
{
    struct record record = {.source = SOURCE_TRIVY, .name = put_some_name(store, which)};
    uint32_t alias = put_some_name(store, which + 100), cover = put_some_name(store, which + 200);
    struct err err;
    uint32_t id = 0;

    record.aliases = &alias;
    record.alias_count = which % 2;
    record.covers = &cover;
    record.cover_count = which % 3 == 0;
    assert_ok(store_put_record(store, &record, &id, &err));
    return id;
}

static uint32_t put_some_package(struct store *store, uint64_t which)
{
    char name[32];

    snprintf(name, sizeof(name), "lib%u", (unsigned)which);
    return put_package(store, name, "1.0");
}

/* Packages and claims of a set of numbers: the same numbers are the same content. */
static void fill_some_slot(struct store *store, uint32_t numbers, struct slot *ret)
{
    struct err err;

    *ret = (struct slot){.source = SOURCE_TRIVY, .complete = true, .scanned_ms = 1000};
    for (uint32_t n = 0; n < THINGS; n++) {
        struct claim claim = {.severity = SEVERITY_LOW};
        uint32_t id = 0;

        if (!(numbers >> n & 1))
            continue;
        claim.package = put_some_package(store, n);
        assert_ok(timed_ids_push(&ret->packages, claim.package, 1000, &err));
        if (n % 4 == 0)
            continue; /* a package without a vulnerability */
        claim.record = put_some_record(store, n / 2);
        assert_ok(store_put_claim(store, &claim, 1000, &id, &err));
        assert_ok(ids_push(&ret->claims, id, &err));
    }
    timed_ids_sort(&ret->packages);
    ids_sort_unique(&ret->claims);
}

static void image_id(uint64_t which, char ret[UUID_TEXT_BYTES])
{
    snprintf(ret, UUID_TEXT_BYTES, "%08x-1111-5111-8111-111111111111", (unsigned)which);
}

/* The number of an image, or 0. */
static uint32_t find(struct store *store, const char *id)
{
    struct arena arena;
    struct image image;
    struct err err = {0};
    uint32_t number = 0;

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    if (store_find_image(store, 1, slice_of(id), &arena, &image, &err) == 0)
        number = image.number;
    else
        assert_int_equal(err.code, ERR_NOT_FOUND);
    arena_release(&arena);
    return number;
}

static void put_image(struct store *store, uint64_t which, uint32_t numbers)
{
    char id[UUID_TEXT_BYTES];
    struct slot slot;
    uint32_t number;
    struct err err;

    image_id(which, id);
    begin(store);
    number = find(store, id);
    if (!number)
        number = add_image(store, id);
    fill_some_slot(store, numbers, &slot);
    assert_ok(store_put_slot(store, number, &slot, &err));
    add_cause(store, CAUSE_IMAGE_PUT, number, 1000);
    commit(store);
    slot_release(&slot);
}

static void remove_image(struct store *store, uint64_t which)
{
    char id[UUID_TEXT_BYTES];
    uint32_t number;
    struct err err;

    image_id(which, id);
    begin(store);
    number = find(store, id);
    if (number) {
        add_cause(store, CAUSE_IMAGE_REMOVED, number, 1000);
        assert_ok(store_remove_image(store, number, &err));
    }
    commit(store);
}

/* What a refused report leaves: things, and nothing that holds them. */
static void put_refused(struct store *store, uint32_t numbers)
{
    struct slot slot;

    begin(store);
    fill_some_slot(store, numbers, &slot);
    commit(store);
    slot_release(&slot);
}

static void decide(struct store *store, uint64_t which)
{
    uint32_t vuln, number;
    struct decision decision = {.project = 1,
        .vulns = &vuln,
        .vuln_count = 1,
        .type = -1,
        .image_type = -1,
        .author = SLICE("a"),
        .created_ms = 1000};
    struct cause cause = {.kind = CAUSE_DECISION_PUT, .at_ms = 1000, .project = 1};
    struct err err;

    begin(store);
    vuln = put_some_name(store, which);
    assert_ok(store_add_decision(store, &decision, &number, &err));
    cause.decision = number;
    assert_ok(store_add_cause(store, &cause, &err));
    commit(store);
}

/* --- Cases ------------------------------------------------------------------------------------ */

static struct store_collected collect(struct store *store)
{
    struct store_collected collected = {99, 99, 99, 99};
    struct err err;

    assert_ok(store_collect(store, "test", &collected, &err));
    return collected;
}

static void test_what_goes(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_collected collected = collect(store);
    struct store_stats stats;
    struct err err;

    assert_int_equal(collected.claims + collected.packages + collected.names, 0);
    put_image(store, 1, 0x0e); /* claims 1, 2, 3: records 0 and 1 */
    put_image(store, 2, 0xe0);
    collected = collect(store); /* of the names only those that a record has are in use */
    assert_int_equal(collected.claims + collected.packages + collected.records, 0);
    remove_image(store, 1);
    collected = collect(store);
    assert_int_equal(collected.claims, 3);
    assert_int_equal(collected.packages, 3);
    assert_int_equal(collected.records, 2);
    assert_true(collected.names > 0);
    assert_ok(store_stats(store, &stats, &err));
    assert_int_equal(stats.claims, 3);

    /* The highest of each kind stays, whatever it is: its number is not given again. */
    remove_image(store, 2);
    collected = collect(store);
    assert_int_equal(collected.claims, 2);
    assert_ok(store_stats(store, &stats, &err));
    assert_int_equal(stats.claims, 1);
    assert_int_equal(collect(store).claims, 0);
    begin(store);
    assert_true(put_name(store, "a new one") > 8);
    commit(store);
}

/* The other handle has the ids of dropped things in its cache. */
static void test_other_caches(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct store *other = store_open(f->dir, STORE_WRITE, &err);
    struct world w;

    assert_non_null(other);
    put_image(other, 1, 0xfffff);
    put_image(f->store, 2, 0x800000);
    remove_image(f->store, 1);
    assert_true(collect(f->store).claims > 10);
    put_image(other, 1, 0xfffff);
    look(other, &w);
    check_nothing_missing(other, &w);
    store_close(other);
}

static void test_names_of_decisions(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct world w;

    decide(store, 300);
    put_refused(store, 0xffff);
    begin(store);
    put_name(store, "the highest");
    commit(store);
    assert_true(collect(store).names > 3);
    look(store, &w);
    check_nothing_missing(store, &w);
    assert_true(w.names[1] && w.name_there[1]);
}

static void test_read_only(void **state)
{
    struct fixture *f = *state;
    struct store_collected collected;
    struct err err;
    struct store *store = store_open(f->dir, STORE_READ, &err);

    assert_non_null(store);
    assert_fails(store_collect(store, "test", &collected, &err), ERR_DENIED, "reading only");
    store_close(store);
}

static void trim(struct store *store)
{
    size_t dropped;
    struct err err;

    begin(store);
    assert_ok(store_trim_log(store, 2000, 1000, &dropped, &err));
    commit(store);
}

static void random_step(struct rng *rng, struct store *store)
{
    uint64_t image = rng_below(rng, IMAGES);
    uint32_t numbers = (uint32_t)(rng_next(rng) & rng_next(rng) & rng_next(rng));

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
        put_image(store, image, numbers);
        break;
    case 3:
    case 4:
        remove_image(store, image);
        break;
    case 5:
        put_refused(store, numbers);
        break;
    case 6:
        if (rng_below(rng, 8) == 0)
            decide(store, rng_below(rng, 400));
        break;
    default:
        trim(store);
        break;
    }
}

static void test_random(void **state)
{
    struct fixture *f = *state;
    struct rng rng = {20261124};
    struct err err;
    struct store *stores[2] = {f->store, store_open(f->dir, STORE_WRITE, &err)};
    struct world *w = malloc(sizeof(*w));
    uint64_t dropped = 0;

    assert_true(w && stores[1]);
    for (int round = 0; round < 60; round++) {
        struct store_stats stats;
        struct store_collected collected;

        for (uint64_t steps = rng_below(&rng, 12); steps > 0; steps--)
            random_step(&rng, stores[rng_below(&rng, 2)]);
        collected = collect(stores[rng_below(&rng, 2)]);
        dropped += collected.claims + collected.packages + collected.records + collected.names;
        look(f->store, w);
        check_nothing_missing(f->store, w);
        assert_ok(store_stats(f->store, &stats, &err));
        check_nothing_left(w, stats.packages);
    }
    assert_true(dropped > 300);
    free(w);
    store_close(stores[1]);
}

/* --- Beside writers --------------------------------------------------------------------------- */

struct writer {
    struct store *store;
    int steps;
    uint64_t seed;
};

static void *write_much(void *ctx)
{
    struct writer *writer = ctx;
    struct rng rng = {writer->seed};

    for (int i = 0; i < writer->steps; i++)
        random_step(&rng, writer->store);
    return NULL;
}

static void test_beside_writers(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct writer writers[2] = {{f->store, 300, 1}, {NULL, 300, 2}};
    struct world *w = malloc(sizeof(*w));
    struct store *third = store_open(f->dir, STORE_WRITE, &err);
    struct store_collected collected;
    uint64_t dropped = 0;
    pthread_t threads[2];

    writers[1].store = store_open(f->dir, STORE_WRITE, &err);
    assert_true(w && third && writers[1].store);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_much, &writers[i]), 0);
    for (int i = 0; i < 60; i++) {
        err = (struct err){0};
        if (store_collect(third, "collecting", &collected, &err) == 0)
            dropped += collected.claims + collected.names;
        else if (err.code != ERR_BUSY) /* the log was trimmed each time */
            fail_msg("%s", err.message);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_true(dropped > 20);
    look(third, w);
    check_nothing_missing(third, w);
    collect(third);
    look(third, w);
    check_nothing_missing(third, w);
    free(w);
    store_close(third);
    store_close(writers[1].store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_goes, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_other_caches, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_names_of_decisions, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_read_only, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_random, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_beside_writers, setup_store, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
