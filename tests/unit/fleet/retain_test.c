/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retention: which images go, why, and what stops it. Reports lie MINUTES apart on a clock that the
 * test sets by hand, in the stored rows: what counts is the distance from the newest one.
 */
#include "unit.h"

#include "bed.h"

enum { TOLD_MAX = 512 };

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* What fn was told. */
struct told {
    char ids[TOLD_MAX][UUID_TEXT_BYTES];
    enum removal why[TOLD_MAX];
    size_t count;
};

static int note(void *ctx, struct slice project_id, const struct image *image, enum removal why,
    struct err *err)
{
    struct told *told = ctx;

    (void)err;
    assert_slice(project_id, "default");
    assert_true(told->count < TOLD_MAX);
    memcpy(told->ids[told->count], image->id, UUID_TEXT_BYTES);
    told->why[told->count++] = why;
    return 0;
}

static int told_of(const struct told *told, const char *id)
{
    for (size_t i = 0; i < told->count; i++)
        if (strcmp(told->ids[i], id) == 0)
            return (int)told->why[i];
    return -1;
}

/* Sets when the image was last reported: so many days after the first of January 2024. */
static void report_on(struct bed *bed, const char *id, int day)
{
    struct store *store = fleet_store(bed->fleet);
    struct arena arena;
    struct image image;
    struct cause cause = {.kind = CAUSE_IMAGE_SET, .at_ms = 1000, .project = bed->project};
    unsigned char line[16];
    struct err err;

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    assert_ok(store_begin(store, "test", &err));
    assert_ok(store_find_image(store, bed->project, slice_of(id), &arena, &image, &err));
    image.latest_scan_ms = INT64_C(1704067200000) + day * DAY_MS;
    image_line_key(SLICE("default"), &image, line);
    assert_ok(store_update_image(store, &image, line, &err));
    cause.image = image.number;
    assert_ok(store_add_cause(store, &cause, &err));
    assert_ok(store_commit(store, &err));
    assert_ok(fleet_follow(bed->fleet, &err));
    arena_release(&arena);
}

static struct put_outcome put_on(
    struct bed *bed, const char *name, const char *digest, int64_t containers, int day)
{
    struct placement place = placement_default();
    struct report report;
    struct put_outcome outcome;

    place.containers = containers;
    make_report(&report, SOURCE_TRIVY, name, "1", digest, "CVE-1 CVE-2");
    outcome = put_at(bed, &report, &place);
    report_release(&report);
    report_on(bed, outcome.image_id, day);
    return outcome;
}

static struct retained retain(
    struct bed *bed, const struct retention *rule, bool dry_run, struct told *told)
{
    struct retained ret = {99, 99, 99};
    struct err err;

    *told = (struct told){0};
    assert_ok(
        fleet_retain(bed->fleet, bed->project, rule, dry_run, "test", note, told, &ret, &err));
    bed_verify(bed);
    return ret;
}

static int64_t state_of(struct bed *bed, const char *name)
{
    int64_t value = -77;
    struct err err;

    assert_ok(store_get_state(fleet_store(bed->fleet), name, &value, &err));
    return value;
}

static bool is_there(struct bed *bed, const char *id)
{
    struct image_detail detail;
    struct err err;

    return fleet_show_image(bed->fleet, bed->project, slice_of(id), &bed->arena, &detail, &err) ==
           0;
}

/* Superseded: not the latest, old enough, and not known to run. */
static void test_superseded(void **state)
{
    const struct retention rule = {.superseded_ms = 30 * DAY_MS, .unseen_ms = -1};
    struct bed bed;
    struct told told, dry;
    struct retained ret;
    struct put_outcome old, running, young, latest;

    (void)state;
    bed_init(&bed);
    old = put_on(&bed, "app", "sha256:1", 0, 0);
    running = put_on(&bed, "app", "sha256:2", 2, 0);
    young = put_on(&bed, "app", "sha256:3", -1, 71);
    latest = put_on(&bed, "app", "sha256:4", -1, 100);
    put_on(&bed, "other", "sha256:5", 0, 0); /* old, and the latest of its line */

    ret = retain(&bed, &rule, true, &dry);
    assert_int_equal(ret.superseded, 1);
    assert_int_equal(state_of(&bed, "retention_ran_ms"), 0);
    assert_true(is_there(&bed, old.image_id));
    ret = retain(&bed, &rule, false, &told);
    assert_memory_equal(&dry, &told, sizeof(told));
    assert_int_equal(ret.superseded, 1);
    assert_int_equal(ret.unseen + ret.spared, 0);
    assert_int_equal(told_of(&told, old.image_id), REMOVAL_SUPERSEDED);
    assert_false(is_there(&bed, old.image_id));
    assert_true(is_there(&bed, running.image_id) && is_there(&bed, young.image_id) &&
                is_there(&bed, latest.image_id));
    assert_true(state_of(&bed, "retention_ran_ms") > 0);
    assert_int_equal(state_of(&bed, "retention_removed"), 1);
    assert_int_equal(state_of(&bed, "retention_superseded_ms"), 30 * DAY_MS);
    assert_int_equal(state_of(&bed, "retention_unseen_ms"), -1);

    report_on(&bed, latest.image_id, 101); /* the young one is exactly 30 days old now */
    ret = retain(&bed, &rule, false, &told);
    assert_int_equal(told_of(&told, young.image_id), REMOVAL_SUPERSEDED);
    assert_int_equal(state_of(&bed, "retention_removed"), 2);
    bed_release(&bed);
}

static enum removal removal_found;

static int find_removal(void *ctx, const struct cause *cause, struct err *err)
{
    const uint32_t *image = ctx;

    (void)err;
    if (cause->kind == CAUSE_IMAGE_REMOVED && cause->image == *image) {
        removal_found = cause->removal;
        assert_int_equal(cause->removed.count, 2);
    }
    return 0;
}

/* Unseen: whatever it is. The log says why; the mark goes to who is left. */
static void test_unseen(void **state)
{
    const struct retention rule = {.superseded_ms = -1, .unseen_ms = 90 * DAY_MS};
    struct bed bed;
    struct told told;
    struct retained ret;
    struct put_outcome before, gone;
    struct err err;

    (void)state;
    bed_init(&bed);
    before = put_on(&bed, "app", "sha256:1", 0, 10);
    gone = put_on(&bed, "app", "sha256:2", 5, 10);
    report_on(&bed, gone.image_id, 9); /* the latest, and older than the one before */
    put_on(&bed, "other", "sha256:3", 0, 99);
    put_on(&bed, "another", "sha256:4", 0, 11);
    ret = retain(&bed, &rule, false, &told);
    assert_int_equal(ret.unseen, 1);
    assert_int_equal(told_of(&told, gone.image_id), REMOVAL_UNSEEN);
    assert_true(show(&bed, before.image_id).image.latest);
    removal_found = REMOVAL_ASKED;
    assert_ok(store_each_cause(fleet_store(bed.fleet), 0, 1000, find_removal, &gone.number, &err));
    assert_int_equal(removal_found, REMOVAL_UNSEEN);
    bed_release(&bed);
}

/* A line of which all is old: the older ones go as superseded, as the dry run says. */
static void test_both_rules(void **state)
{
    const struct retention rule = {
        .superseded_ms = 30 * DAY_MS, .unseen_ms = 60 * DAY_MS, .whole = true};
    struct bed bed;
    struct told told, dry;
    struct retained ret;

    (void)state;
    bed_init(&bed);
    for (int i = 0; i < 5; i++) {
        char digest[16];

        snprintf(digest, sizeof(digest), "sha256:%d", i);
        put_on(&bed, "app", digest, 0, i);
    }
    put_on(&bed, "new", "sha256:new", 0, 200);
    retain(&bed, &rule, true, &dry);
    ret = retain(&bed, &rule, false, &told);
    assert_int_equal(ret.superseded, 4);
    assert_int_equal(ret.unseen, 1);
    assert_memory_equal(&dry, &told, sizeof(told));
    bed_release(&bed);
}

/* More than half of a project is too much to be true. */
static void test_fuse(void **state)
{
    struct retention rule = {.superseded_ms = -1, .unseen_ms = 10 * DAY_MS};
    struct bed bed;
    struct told told;
    struct retained ret;

    (void)state;
    bed_init(&bed);
    put_on(&bed, "a", "sha256:1", 0, 0);
    put_on(&bed, "b", "sha256:2", 0, 0);
    put_on(&bed, "c", "sha256:3", 0, 100);
    ret = retain(&bed, &rule, false, &told);
    assert_int_equal(ret.spared, 2);
    assert_int_equal(ret.unseen + told.count, 0);
    assert_true(state_of(&bed, "retention_ran_ms") > 0);
    put_on(&bed, "d", "sha256:4", 0, 100); /* now it is just half */
    ret = retain(&bed, &rule, true, &told);
    assert_int_equal(ret.unseen, 2);
    put_on(&bed, "e", "sha256:5", 0, 0);
    ret = retain(&bed, &rule, true, &told);
    assert_int_equal(ret.spared, 3);
    rule.whole = true;
    ret = retain(&bed, &rule, false, &told);
    assert_int_equal(ret.unseen, 3);
    assert_int_equal(ret.spared, 0);
    bed_release(&bed);
}

/* While fn is told of the first ones, a later one is reported again by another process. */
struct reporter {
    struct fleet *other;
    uint32_t project;
    const char *again;
    size_t told;
};

static int report_again(void *ctx, struct slice project_id, const struct image *image,
    enum removal why, struct err *err)
{
    struct reporter *reporter = ctx;
    struct bed bed = {.fleet = reporter->other, .project = reporter->project};

    (void)project_id;
    (void)why;
    (void)err;
    assert_string_not_equal(image->id, reporter->again);
    if (reporter->told++ == 0)
        put_plain(&bed, SOURCE_TRIVY, "app399", "1", "sha256:399", "CVE-1 CVE-2");
    return 0;
}

static void test_reported_meanwhile(void **state)
{
    const struct retention rule = {.superseded_ms = -1, .unseen_ms = DAY_MS, .whole = true};
    struct bed bed;
    struct put_outcome last = {0};
    struct reporter reporter;
    struct retained ret;
    struct err err;

    (void)state;
    bed_init(&bed);
    for (int i = 0; i < 400; i++) {
        char name[16], digest[16];

        snprintf(name, sizeof(name), "app%d", i);
        snprintf(digest, sizeof(digest), "sha256:%d", i);
        last = put_plain(&bed, SOURCE_TRIVY, name, "1", digest, "CVE-1 CVE-2");
        report_on(&bed, last.image_id, 0);
    }
    put_on(&bed, "new", "sha256:new", 0, 200);
    reporter = (struct reporter){.again = last.image_id, .project = bed.project};
    reporter.other = fleet_open(bed.dir, STORE_WRITE, &err);
    assert_non_null(reporter.other);
    assert_ok(fleet_load(reporter.other, 0, &err));
    assert_ok(
        fleet_retain(bed.fleet, 0, &rule, false, "test", report_again, &reporter, &ret, &err));
    assert_int_equal(ret.unseen, 399);
    assert_true(is_there(&bed, last.image_id));
    bed_verify(&bed);
    fleet_close(reporter.other);
    bed_release(&bed);
}

/* --- With collecting -------------------------------------------------------------------------- */

static void collect(struct bed *bed)
{
    struct store_collected collected;
    struct err err;

    assert_ok(store_collect(fleet_store(bed->fleet), "test", &collected, &err));
}

/* How many rows of a vulnerability are not handled. */
static uint64_t count_open(struct bed *bed, const char *vul_id)
{
    struct affected_query query = {
        .q = {.scope = {.type = -1}, .limit = 10}, .vul_id = slice_of(vul_id)};
    uint64_t total = UINT64_MAX;
    struct err err;

    for (unsigned code = 0; code < INDEX_CODES; code++)
        if (!index_code_handled((uint8_t)code))
            query.q.codes |= UINT64_C(1) << code;
    assert_ok(fleet_affected(bed->fleet, bed->project, &query, take_total, &total, &err));
    return total;
}

/* What was dropped and comes again has new ids. A fleet that knew the old ones, one that joins
 * later, and one that was opened in between answer alike. */
static void test_come_again(void **state)
{
    struct bed bed;
    struct fleet *old, *fresh;
    struct put_outcome first;
    struct err err;

    (void)state;
    bed_init(&bed);
    old = fleet_open(bed.dir, STORE_READ, &err);
    assert_non_null(old);
    assert_ok(fleet_load(old, 0, &err));
    first = put_plain(&bed, SOURCE_TRIVY, "app", "1", "sha256:1", "CVE-1 CVE-2 CVE-3");
    put_plain(&bed, SOURCE_TRIVY, "other", "1", "sha256:2", "CVE-4");
    assert_ok(fleet_follow(old, &err));
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(first.image_id), "test", &err));
    collect(&bed);
    assert_int_equal(count_rows(&bed, "CVE-2"), 0);
    put_plain(&bed, SOURCE_TRIVY, "app", "1", "sha256:1", "CVE-2 CVE-3 CVE-5");
    assert_int_equal(count_rows(&bed, "CVE-2"), 1);
    bed_verify(&bed);

    fresh = fleet_open(bed.dir, STORE_READ, &err);
    assert_non_null(fresh);
    assert_ok(fleet_load(fresh, 0, &err));
    assert_ok(fleet_follow(old, &err));
    for (int i = 0; i < 2; i++) {
        struct bed other = {.fleet = i ? fresh : old, .project = bed.project};

        assert_int_equal(count_rows(&other, "CVE-1"), 0);
        assert_int_equal(count_rows(&other, "CVE-2"), 1);
        assert_int_equal(count_rows(&other, "CVE-4"), 1);
        assert_int_equal(count_rows(&other, "CVE-5"), 1);
        bed_verify(&other);
    }
    fleet_close(fresh);
    fleet_close(old);
    bed_release(&bed);
}

/* A decision about a name that memory still knows, and the store does not any more. */
static void test_decide_about_dropped(void **state)
{
    const struct slice vul = SLICE("CVE-2");
    const struct decision_request request = {.action = DECISION_IGNORE,
        .vuls = &vul,
        .vul_count = 1,
        .handled = -1,
        .type = -1,
        .image_type = -1};
    const struct deciding deciding = {.author = SLICE("a"), .reason = SLICE("b")};
    struct decision_outcome outcome = {0};
    struct bed bed;
    struct bed fresh = {0};
    struct put_outcome first;
    struct err err;

    (void)state;
    bed_init(&bed);
    first = put_plain(&bed, SOURCE_TRIVY, "app", "1", "sha256:1", "CVE-1 CVE-2 CVE-3");
    put_plain(&bed, SOURCE_TRIVY, "other", "1", "sha256:2", "CVE-4");
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(first.image_id), "test", &err));
    collect(&bed);
    assert_ok(fleet_decide(bed.fleet, bed.project, &request, 1, &deciding, "test", &outcome, &err));
    ids_release(&outcome.numbers);
    collect(&bed);
    put_plain(&bed, SOURCE_TRIVY, "app", "1", "sha256:1", "CVE-2 CVE-3");
    assert_int_equal(count_open(&bed, "CVE-2"), 0);
    assert_int_equal(count_open(&bed, "CVE-3"), 1);
    bed_verify(&bed);
    fresh.fleet = fleet_open(bed.dir, STORE_READ, &err);
    fresh.project = bed.project;
    assert_non_null(fresh.fleet);
    assert_ok(fleet_load(fresh.fleet, 0, &err));
    assert_int_equal(count_open(&fresh, "CVE-2"), 0);
    fleet_close(fresh.fleet);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_superseded),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_both_rules),
        cmocka_unit_test(test_fuse),
        cmocka_unit_test(test_reported_meanwhile),
        cmocka_unit_test(test_come_again),
        cmocka_unit_test(test_decide_about_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
