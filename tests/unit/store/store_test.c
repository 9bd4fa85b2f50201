/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of store/store.h: what every backend must pass. Everything here goes through that
 * header alone. Its other parts: user_test.c (users, keys, grants, tokens), images_test.c (images,
 * slots, the change log), turns_test.c (waiting, threads, processes).
 */
#include "store_fixture.h"

/* --- Projects -----------------------------------------------------------------------
 */

struct seen {
    size_t count;
    uint64_t last;
    char text[256];
    size_t stop_after; /* 0: never */
};

static int note(struct seen *seen, uint64_t number, struct slice text, struct err *err)
{
    assert_true(number > seen->last);
    seen->last = number;
    seen->count++;
    slice_to_cstr(text, seen->text, sizeof(seen->text));
    return seen->count == seen->stop_after ? err_set(err, ERR_USAGE, "stop") : 0;
}

static int see_project(void *ctx, const struct project *project, struct err *err)
{
    return note(ctx, project->number, project->id, err);
}

static void test_projects(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct seen seen = {0};
    uint32_t number = 0;
    struct err err;

    assert_ok(store_each_project(store, see_project, &seen, &err));
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.text, "default");
    assert_int_equal(seen.last, 1);

    begin(store);
    assert_ok(store_add_project(store, SLICE("team-a"), 77, &number, &err));
    assert_int_equal(number, 2);
    assert_fails(
        store_add_project(store, SLICE("team-a"), 78, &number, &err), ERR_CONFLICT, "team-a");
    commit(store);

    seen = (struct seen){0};
    assert_ok(store_each_project(store, see_project, &seen, &err));
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.text, "team-a");
    seen = (struct seen){.stop_after = 1};
    assert_fails(store_each_project(store, see_project, &seen, &err), ERR_USAGE, "stop");
}

/* --- Things stored once ------------------------------------------------------------------------
 */

static int see_name(void *ctx, uint32_t id, struct slice name, struct err *err)
{
    return note(ctx, id, name, err);
}

static void test_names(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    struct err err;

    begin(f->store);
    assert_int_equal(put_name(f->store, "CVE-2024-1"), 1);
    assert_int_equal(put_name(f->store, "CVE-2024-2"), 2);
    assert_int_equal(put_name(f->store, "CVE-2024-1"), 1);
    assert_int_equal(put_name(f->store, "cve-2024-1"), 3);
    commit(f->store);
    reopen(f);
    begin(f->store);
    assert_int_equal(put_name(f->store, "CVE-2024-2"), 2);
    assert_int_equal(put_name(f->store, "CVE-2024-4"), 4);
    commit(f->store);

    assert_ok(store_each_name(f->store, 0, see_name, &seen, &err));
    assert_int_equal(seen.count, 4);
    seen = (struct seen){.last = 2};
    assert_ok(store_each_name(f->store, 2, see_name, &seen, &err));
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.text, "CVE-2024-4");
    seen = (struct seen){.stop_after = 3};
    assert_fails(store_each_name(f->store, 0, see_name, &seen, &err), ERR_USAGE, "stop");
    assert_int_equal(seen.count, 3);
}

/* More than any backend reads in one go. */
static void test_many_names(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct seen seen = {0};
    char name[32];
    struct err err;

    begin(store);
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "CVE-2024-%d", i);
        assert_int_equal(put_name(store, name), i + 1);
    }
    commit(store);
    assert_ok(store_each_name(store, 0, see_name, &seen, &err));
    assert_int_equal(seen.count, 20000);
    assert_string_equal(seen.text, "CVE-2024-19999");
}

static int see_package(void *ctx, uint32_t id, const struct package *package, struct err *err)
{
    struct seen *seen = ctx;

    (void)err;
    seen->last = id;
    seen->count++;
    snprintf(seen->text, sizeof(seen->text), "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s",
        SLICE_FMT(package->ecosystem), SLICE_FMT(package->release), SLICE_FMT(package->channel),
        SLICE_FMT(package->name), SLICE_FMT(package->version), SLICE_FMT(package->arch),
        SLICE_FMT(package->module), SLICE_FMT(package->source_name),
        SLICE_FMT(package->source_version));
    return 0;
}

static void test_packages(void **state)
{
    struct fixture *f = *state;
    struct package package = {SLICE("rpm"), SLICE("euleros-2.0"), SLICE("base"), SLICE("openssl"),
        SLICE("1:1.1.1k-4"), SLICE("x86_64"), SLICE("m:1"), SLICE("openssl-src"), SLICE("1.1.1k")};
    struct slice *fields[] = {&package.ecosystem, &package.release, &package.channel, &package.name,
        &package.version, &package.arch, &package.module, &package.source_name,
        &package.source_version};
    struct seen seen = {0};
    struct ids ids = {0};
    uint32_t id = 0;
    struct err err;

    begin(f->store);
    assert_ok(store_put_package(f->store, &package, &id, &err));
    assert_int_equal(id, 1);
    for (uint32_t i = 0; i < 9; i++) {
        struct slice old = *fields[i];

        *fields[i] = SLICE("other");
        assert_ok(store_put_package(f->store, &package, &id, &err));
        assert_int_equal(id, i + 2);
        *fields[i] = old;
    }
    assert_ok(store_put_package(f->store, &package, &id, &err));
    assert_int_equal(id, 1);
    /* Where one field ends and the next begins is part of the identity. */
    assert_int_not_equal(put_package(f->store, "ab", "c"), put_package(f->store, "a", "bc"));
    commit(f->store);

    reopen(f);
    begin(f->store);
    assert_ok(store_put_package(f->store, &package, &id, &err));
    assert_int_equal(id, 1);
    commit(f->store);
    assert_ok(ids_push(&ids, 3, &err));
    assert_ok(ids_push(&ids, 1, &err));
    assert_ok(store_each_package(f->store, &ids, see_package, &seen, &err));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.last, 1);
    assert_string_equal(
        seen.text, "rpm|euleros-2.0|base|openssl|1:1.1.1k-4|x86_64|m:1|openssl-src|1.1.1k");
    assert_ok(ids_push(&ids, 4711, &err));
    assert_fails(store_each_package(f->store, &ids, see_package, &seen, &err), ERR_CORRUPT, "4711");
    ids_release(&ids);
}

static uint32_t put_record(
    struct store *store, uint32_t name, const uint32_t *aliases, size_t count)
{
    struct record record = {
        .source = SOURCE_TRIVY, .name = name, .aliases = aliases, .alias_count = count};
    struct err err;
    uint32_t id = 0;

    assert_ok(store_put_record(store, &record, &id, &err));
    return id;
}

static int check_record(void *ctx, uint32_t id, const struct record *record, struct err *err)
{
    struct seen *seen = ctx;

    seen->count++;
    if (id != 4)
        return 0;
    (void)err;
    assert_int_equal(record->source, SOURCE_GRYPE);
    assert_int_equal(record->name, 1);
    assert_int_equal(record->alias_count, 1);
    assert_int_equal(record->aliases[0], 2);
    assert_int_equal(record->cover_count, 2);
    assert_int_equal(record->covers[0], 2);
    assert_int_equal(record->covers[1], 3);
    return 0;
}

static void test_records(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const uint32_t two[] = {2}, two_three[] = {2, 3};
    struct record record = {.source = SOURCE_TRIVY, .name = 1};
    struct seen seen = {0};
    uint32_t id = 0;
    struct err err;

    begin(store);
    for (int i = 0; i < 3; i++)
        put_name(store, (const char *[]){"a", "b", "c"}[i]);
    assert_int_equal(put_record(store, 1, NULL, 0), 1);
    assert_int_equal(put_record(store, 1, two, 1), 2);
    assert_int_equal(put_record(store, 1, two, 1), 2);
    record.covers = two; /* the same names, but in the other list */
    record.cover_count = 1;
    assert_ok(store_put_record(store, &record, &id, &err));
    assert_int_equal(id, 3);
    record = (struct record){SOURCE_GRYPE, 1, two, 1, two_three, 2};
    assert_ok(store_put_record(store, &record, &id, &err));
    assert_int_equal(id, 4);
    record.name = 99;
    assert_fails(store_put_record(store, &record, &id, &err), ERR_INVALID, "not stored");
    record.alias_count = LIMIT_RECORD_NAMES + 1;
    record.aliases = calloc(record.alias_count, sizeof(uint32_t));
    assert_fails(
        store_put_record(store, &record, &id, &err), ERR_LIMIT, "covered ids; the limit is");
    free((void *)(uintptr_t)record.aliases);
    commit(store);
    assert_ok(store_each_record(store, 0, check_record, &seen, &err));
    assert_int_equal(seen.count, 4);
}

static uint32_t put_claim(
    struct store *store, uint32_t package, uint32_t record, const char *fixed, int64_t now_ms)
{
    struct claim claim = {.package = package,
        .record = record,
        .type = VUL_LINUX,
        .severity = SEVERITY_HIGH,
        .fixed_version = slice_of(fixed),
        .known_ms = 12345};
    struct err err;
    uint32_t id = 0;

    assert_ok(store_put_claim(store, &claim, now_ms, &id, &err));
    return id;
}

struct known {
    uint32_t id;
    struct claim claim;
};

static int find_claim(void *ctx, uint32_t id, const struct claim *claim,
    const struct claim_names *names, struct err *err)
{
    struct known *known = ctx;

    (void)names;
    (void)err;
    if (id == known->id)
        known->claim = *claim;
    return 0;
}

static int64_t known_ms(struct store *store, uint32_t claim)
{
    struct known known = {.id = claim, .claim.known_ms = -1};
    struct err err;

    assert_ok(store_each_claim(store, 0, find_claim, &known, &err));
    return known.claim.known_ms;
}

static void test_claims(void **state)
{
    struct fixture *f = *state;
    struct claim claim;
    struct known known = {.id = 1};
    uint32_t package, record, id = 0;
    struct err err;

    begin(f->store);
    package = put_package(f->store, "openssl", "1");
    record = put_record(f->store, put_name(f->store, "CVE-1"), NULL, 0);
    claim = (struct claim){.package = package,
        .record = record,
        .type = VUL_APP,
        .severity = SEVERITY_LOW,
        .fixed_version = SLICE("2")};
    assert_ok(store_put_claim(f->store, &claim, 100, &id, &err));
    assert_int_equal(id, 1);
    claim.type = VUL_LINUX;
    assert_ok(store_put_claim(f->store, &claim, 100, &id, &err));
    assert_int_equal(id, 2);
    claim.severity = SEVERITY_HIGH;
    assert_ok(store_put_claim(f->store, &claim, 100, &id, &err));
    assert_int_equal(id, 3);
    claim.fixed_version = SLICE_NONE;
    assert_ok(store_put_claim(f->store, &claim, 100, &id, &err));
    assert_int_equal(id, 4);
    assert_ok(store_put_claim(f->store, &claim, 50, &id, &err));
    assert_int_equal(id, 4);
    claim.record = 99;
    assert_fails(store_put_claim(f->store, &claim, 1, &id, &err), ERR_INVALID, "99");
    claim.record = record;
    claim.package = 98;
    assert_fails(store_put_claim(f->store, &claim, 1, &id, &err), ERR_INVALID, "not stored");
    commit(f->store);
    assert_int_equal(known_ms(f->store, 4), 100); /* a known claim keeps its time */

    reopen(f);
    assert_ok(store_each_claim(f->store, 0, find_claim, &known, &err));
    assert_int_equal(known.claim.package, package);
    assert_int_equal(known.claim.record, record);
    assert_int_equal(known.claim.type, VUL_APP);
    assert_int_equal(known.claim.severity, SEVERITY_LOW);
    begin(f->store);
    assert_int_equal(put_claim(f->store, package, record, "", 7), 4);
    store_rollback(f->store);
}

static void test_claim_known_since(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    uint32_t cve, ghsa, pysec, p1, p2, by_cve, by_ghsa, by_pysec, first;

    begin(store);
    cve = put_name(store, "CVE-1");
    ghsa = put_name(store, "GHSA-1");
    pysec = put_name(store, "PYSEC-1");
    p1 = put_package(store, "a", "1");
    p2 = put_package(store, "b", "1");
    by_cve = put_record(store, cve, NULL, 0);
    by_ghsa = put_record(store, ghsa, &cve, 1);
    by_pysec = put_record(store, pysec, NULL, 0);

    first = put_claim(store, p1, by_cve, "", 500);
    assert_int_equal(known_ms(store, first), 500);
    /* the same name: earlier ones count, later ones do not */
    assert_int_equal(known_ms(store, put_claim(store, p1, by_cve, "2", 900)), 500);
    assert_int_equal(known_ms(store, put_claim(store, p1, by_cve, "3", 400)), 400);
    /* an alias of the new claim's record is a stored one's name */
    assert_int_equal(known_ms(store, put_claim(store, p1, by_ghsa, "", 900)), 400);
    /* neither its name nor an alias */
    assert_int_equal(known_ms(store, put_claim(store, p1, by_pysec, "", 950)), 950);
    /* another package */
    assert_int_equal(known_ms(store, put_claim(store, p2, by_cve, "", 960)), 960);
    assert_int_equal(known_ms(store, first), 500);
    commit(store);
}

/* --- Writes as a whole -------------------------------------------------------------------------
 */

static void test_rollback(void **state)
{
    struct fixture *f = *state;
    struct arena arena;
    struct image image;
    struct store_stats stats;
    uint32_t number = 0;
    struct err err;

    arena_init(&arena, "the test", 1 << 20);
    begin(f->store);
    put_name(f->store, "kept");
    commit(f->store);
    begin(f->store);
    assert_int_equal(put_name(f->store, "undone"), 2);
    put_package(f->store, "undone", "1");
    add_image(f->store, "undone");
    add_cause(f->store, CAUSE_IMAGE_PUT, 1, 1);
    assert_ok(store_add_project(f->store, SLICE("undone"), 1, &number, &err));
    store_rollback(f->store);
    store_rollback(f->store); /* none is open */

    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.names, 1);
    assert_int_equal(stats.packages, 0);
    assert_int_equal(stats.images, 0);
    assert_int_equal(stats.causes, 0);
    assert_int_equal(stats.projects, 1);
    assert_bounds(f->store, 0, 0);
    assert_fails(store_get_image(f->store, 1, &arena, &image, &err), ERR_NOT_FOUND, "1");

    /* What the undone write had learnt is forgotten; what was known before is not. */
    begin(f->store);
    assert_int_equal(put_name(f->store, "other"), 2);
    assert_int_equal(put_name(f->store, "undone"), 3);
    assert_int_equal(put_name(f->store, "kept"), 1);
    assert_int_equal(put_package(f->store, "other", "1"), 1);
    assert_int_equal(put_package(f->store, "undone", "1"), 2);
    commit(f->store);
    arena_release(&arena);
}

static void test_write_sees_itself(void **state)
{
    struct fixture *f = *state;
    struct store *other;
    struct arena arena;
    struct image image;
    struct slot slot, got[SOURCE_COUNT];
    uint32_t number;
    struct seen seen = {0};
    struct err err;

    arena_init(&arena, "the test", 1 << 20);
    other = store_open(f->dir, STORE_READ, &err);
    assert_non_null(other);
    fill_slot(&slot, SOURCE_CAREEN, 5, 100);
    begin(f->store);
    number = add_image(f->store, "a");
    put_name(f->store, "n");
    assert_ok(store_put_slot(f->store, number, &slot, &err));
    assert_ok(store_get_image(f->store, number, &arena, &image, &err));
    assert_ok(store_find_image(f->store, 1, SLICE("a"), &arena, &image, &err));
    assert_ok(store_get_slots(f->store, number, got, &err));
    assert_same_slot(&got[SOURCE_CAREEN], &slot);
    release_slots(got);
    assert_ok(store_each_name(f->store, 0, see_name, &seen, &err));
    assert_int_equal(seen.count, 1);
    /* Others do not see it, and are not held up, until it is committed. */
    assert_fails(store_get_image(other, number, &arena, &image, &err), ERR_NOT_FOUND, "1");
    commit(f->store);
    assert_ok(store_get_image(other, number, &arena, &image, &err));
    store_close(other);
    slot_release(&slot);
    arena_release(&arena);
}

/* A failed put leaves the write as it was before that put. */
static void test_failure_within_a_write(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_stats stats;
    uint32_t number = 0;
    struct err err;

    begin(store);
    put_name(store, "kept");
    assert_fails(
        store_add_project(store, SLICE("default"), 1, &number, &err), ERR_CONFLICT, "default");
    put_name(store, "kept too");
    commit(store);
    assert_ok(store_stats(store, &stats, &err));
    assert_int_equal(stats.names, 2);
}

static void test_close_undoes(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    struct err err;

    begin(f->store);
    put_name(f->store, "lost");
    reopen(f);
    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.names, 0);
    begin(f->store);
    commit(f->store);
}

static uint64_t version_of(struct store *store)
{
    struct err err;
    uint64_t version = 0;

    assert_ok(store_data_version(store, &version, &err));
    return version;
}

static void test_two_handles(void **state)
{
    struct fixture *f = *state;
    struct store *other;
    uint64_t mine, others;
    struct err err;

    other = store_open(f->dir, STORE_WRITE, &err);
    assert_non_null(other);
    mine = version_of(f->store);
    others = version_of(other);
    assert_int_equal(version_of(f->store), mine);

    begin(f->store);
    assert_int_equal(put_name(f->store, "one"), 1);
    assert_int_equal(version_of(f->store), mine); /* nothing is committed yet */
    commit(f->store);
    assert_int_not_equal(version_of(f->store), mine);
    assert_int_not_equal(version_of(other), others);

    /* Each learns what the other stored. */
    begin(other);
    assert_int_equal(put_name(other, "two"), 2);
    assert_int_equal(put_name(other, "one"), 1);
    commit(other);
    begin(f->store);
    assert_int_equal(put_name(f->store, "two"), 2);
    assert_int_equal(put_name(f->store, "three"), 3);
    store_rollback(f->store);
    mine = version_of(f->store);
    begin(other);
    assert_int_equal(put_name(other, "drei"), 3);
    commit(other);
    assert_int_not_equal(version_of(f->store), mine);
    begin(f->store);
    assert_int_equal(put_name(f->store, "three"), 4);
    commit(f->store);
    store_close(other);
}

/* --- Health ------------------------------------------------------------------------------------
 */

static void test_stats_and_check(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_stats stats;
    uint32_t record;
    struct err err;

    begin(store);
    record = put_record(store, put_name(store, "CVE-1"), NULL, 0);
    put_claim(store, put_package(store, "a", "1"), record, "", 5);
    put_package(store, "b", "1");
    add_image(store, "a");
    add_cause(store, CAUSE_IMAGE_PUT, 1, 1);
    commit(store);
    assert_ok(store_stats(store, &stats, &err));
    assert_true(stats.schema_version >= 1);
    assert_true(stats.bytes > 4096);
    assert_int_equal(stats.projects, 1);
    assert_int_equal(stats.images, 1);
    assert_int_equal(stats.packages, 2);
    assert_int_equal(stats.names, 1);
    assert_int_equal(stats.records, 1);
    assert_int_equal(stats.claims, 1);
    assert_int_equal(stats.causes, 1);
    assert_ok(store_check(store, &err));
}

static void test_reader_does_not_write(void **state)
{
    struct fixture *f = *state;
    struct store *reader;
    struct err err;

    reader = store_open(f->dir, STORE_READ, &err);
    assert_non_null(reader);
    assert_fails(store_begin(reader, "test", &err), ERR_DENIED, "reading only");
    store_rollback(reader);
    store_close(reader);
    store_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_projects),
        TEST(test_names),
        TEST(test_many_names),
        TEST(test_packages),
        TEST(test_records),
        TEST(test_claims),
        TEST(test_claim_known_since),
        TEST(test_rollback),
        TEST(test_write_sees_itself),
        TEST(test_failure_within_a_write),
        TEST(test_close_undoes),
        TEST(test_two_handles),
        TEST(test_stats_and_check),
        TEST(test_reader_does_not_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
