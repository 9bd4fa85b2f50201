/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of store/store.h, continued: images, their slots, and the change log. */
#include "store_fixture.h"

/* --- Images ------------------------------------------------------------------------------------
 */

static void assert_same_image(const struct image *a, const struct image *b)
{
    assert_int_equal(a->project, b->project);
    assert_string_equal(a->id, b->id);
    assert_true(slice_eq(a->place.enterprise_project, b->place.enterprise_project));
    assert_int_equal(a->place.type, b->place.type);
    assert_true(slice_eq(a->place.registry_type, b->place.registry_type));
    assert_true(slice_eq(a->place.registry_name, b->place.registry_name));
    assert_true(slice_eq(a->place.organization, b->place.organization));
    assert_true(slice_eq(a->place.cluster_id, b->place.cluster_id));
    assert_true(slice_eq(a->place.cluster_name, b->place.cluster_name));
    assert_true(slice_eq(a->place.agent_id, b->place.agent_id));
    assert_true(slice_eq(a->place.pipeline, b->place.pipeline));
    assert_int_equal(a->place.containers, b->place.containers);
    assert_int_equal(a->place.multi_arch, b->place.multi_arch);
    assert_true(slice_eq(a->name, b->name));
    assert_true(slice_eq(a->tag, b->tag));
    assert_true(slice_eq(a->digest, b->digest));
    assert_true(slice_eq(a->config_digest, b->config_digest));
    assert_true(slice_eq(a->os_release, b->os_release));
    assert_true(slice_eq(a->architecture, b->architecture));
    assert_int_equal(a->size_bytes, b->size_bytes);
    assert_int_equal(a->first_seen_ms, b->first_seen_ms);
    assert_int_equal(a->latest_scan_ms, b->latest_scan_ms);
    assert_int_equal(a->updated_ms, b->updated_ms);
    assert_int_equal(a->latest, b->latest);
    assert_int_equal(a->assessment, b->assessment);
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct image full = {
    .project = 1,
    .id = "0b5e6b3c-8c4e-5d6f-9a01-23456789abcd",
    .place = {SLICE_INIT("ep-7"), IMAGE_CLUSTER, SLICE_INIT("Harbor"), SLICE_INIT("reg"),
        SLICE_INIT("org"), SLICE_INIT("c-1"), SLICE_INIT("prod"), SLICE_INIT("agent"),
        SLICE_INIT("pipe"), 12, 1},
    .name = SLICE_INIT("registry.example/caf\xc3\xa9"),
    .tag = SLICE_INIT("v2"),
    .digest = SLICE_INIT("sha256:" HEX64),
    .config_digest = SLICE_INIT("sha512:" HEX64),
    .os_release = SLICE_INIT("debian-12"),
    .architecture = SLICE_INIT("arm64/v8"),
    .size_bytes = 5000000000,
    .first_seen_ms = 1,
    .latest_scan_ms = 1732432332123,
    .updated_ms = 3,
    .latest = true,
    .assessment = ASSESSMENT_PARTLY,
};

static void check_image_comes_back(struct fixture *f, struct arena *arena, const struct image *in)
{
    struct image out;
    uint32_t number = 0;
    struct err err;

    begin(f->store);
    assert_ok(store_add_image(f->store, in, line_a, &number, &err));
    commit(f->store);
    assert_ok(store_get_image(f->store, number, arena, &out, &err));
    assert_int_equal(out.number, number);
    assert_same_image(&out, in);
    assert_ok(store_find_image(f->store, in->project, slice_of(in->id), arena, &out, &err));
    assert_int_equal(out.number, number);
    assert_same_image(&out, in);
}

static void test_image_comes_back(void **state)
{
    /* Ids and digests of other forms: a backend may pack the usual ones. */
    static const char *const ids[] = {"0B5E6B3C-8C4E-5D6F-9A01-23456789ABCD", "plain", "",
        "0b5e6b3c-8c4e-5d6f-9a01-23456789abc", "0b5e6b3c08c4e-5d6f-9a01-23456789abce",
        "zb5e6b3c-8c4e-5d6f-9a01-23456789abcd"};
    static const char *const digests[] = {("sha256:" HEX64), "sha256:AA", "", HEX64,
        "sha256:00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
        "0b5e6b3c-8c4e-5d6f-9a01-23456789abcd"};
    struct fixture *f = *state;
    struct arena arena;
    struct image image = full;

    arena_init(&arena, "the test", 1 << 20);
    check_image_comes_back(f, &arena, &full);
    for (int i = 0; i < 6; i++) {
        snprintf(image.id, sizeof(image.id), "%s", ids[i]);
        image.digest = slice_of(digests[i]);
        image.config_digest = slice_of(digests[5 - i]);
        check_image_comes_back(f, &arena, &image);
    }
    arena_release(&arena);
}

static void test_image_errors(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct arena arena;
    struct image image = full, out;
    uint32_t first = 0, number = 0;
    struct err err;

    arena_init(&arena, "the test", 1 << 20);
    begin(store);
    assert_ok(store_add_image(store, &image, line_a, &first, &err));
    assert_fails(store_add_image(store, &image, line_a, &number, &err), ERR_CONFLICT, full.id);
    snprintf(image.id, sizeof(image.id), "other");
    assert_ok(store_add_image(store, &image, line_a, &number, &err));
    image.number = first;
    assert_fails(store_update_image(store, &image, line_a, &err), ERR_CONFLICT, "other");
    image.number = 99;
    snprintf(image.id, sizeof(image.id), "third");
    assert_fails(store_update_image(store, &image, line_a, &err), ERR_NOT_FOUND, "99");
    image.project = 5;
    assert_fails(store_add_image(store, &image, line_a, &number, &err), ERR_INVALID, "project 5");
    assert_fails(store_remove_image(store, 99, &err), ERR_NOT_FOUND, "99");
    commit(store);
    assert_fails(store_get_image(store, 99, &arena, &out, &err), ERR_NOT_FOUND, "99");
    assert_fails(
        store_find_image(store, 1, SLICE("none"), &arena, &out, &err), ERR_NOT_FOUND, "none");
    assert_fails(
        store_find_image(store, 2, slice_of(full.id), &arena, &out, &err), ERR_NOT_FOUND, full.id);
    arena_release(&arena);
}

static void test_image_update(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct arena arena;
    struct image image, out;
    struct err err;

    arena_init(&arena, "the test", 1 << 20);
    begin(store);
    image = full;
    snprintf(image.id, sizeof(image.id), "new-id");
    image.number = add_image(store, "old-id");
    image.latest = false;
    assert_ok(store_update_image(store, &image, line_b, &err));
    assert_ok(store_get_image(store, image.number, &arena, &out, &err));
    assert_same_image(&out, &image);
    assert_fails(
        store_find_image(store, 1, SLICE("old-id"), &arena, &out, &err), ERR_NOT_FOUND, "old-id");
    commit(store);
    arena_release(&arena);
}

static void test_numbers_are_never_used_again(void **state)
{
    struct fixture *f = *state;
    struct err err;

    begin(f->store);
    assert_int_equal(add_image(f->store, "a"), 1);
    assert_int_equal(add_image(f->store, "b"), 2);
    assert_ok(store_remove_image(f->store, 2, &err));
    commit(f->store);
    reopen(f);
    begin(f->store);
    assert_int_equal(add_image(f->store, "b"), 3);
    assert_ok(store_remove_image(f->store, 1, &err));
    assert_ok(store_remove_image(f->store, 3, &err));
    assert_int_equal(add_image(f->store, "c"), 4);
    commit(f->store);
}

static uint32_t latest_of(struct store *store, const unsigned char line[16], uint32_t except)
{
    struct err err;
    uint32_t number = 99;

    assert_ok(store_find_latest(store, 1, line, except, &number, &err));
    return number;
}

static uint32_t newest_of(struct store *store, const unsigned char line[16], uint32_t except)
{
    struct err err;
    uint32_t number = 99;

    assert_ok(store_find_newest(store, 1, line, except, &number, &err));
    return number;
}

static void test_latest_and_newest(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct image image = make_image("c", "nginx");
    uint32_t a, b, c = 0, other = 99;
    struct err err;

    begin(store);
    assert_int_equal(latest_of(store, line_a, 0), 0);
    assert_int_equal(newest_of(store, line_a, 0), 0);
    a = add_image(store, "a");
    b = add_image(store, "b");
    image.latest = false;
    assert_ok(store_add_image(store, &image, line_a, &c, &err));
    assert_int_equal(latest_of(store, line_a, b), a);
    assert_int_equal(latest_of(store, line_a, a), b);
    assert_int_equal(newest_of(store, line_a, 0), c); /* all at one time: the highest number */
    assert_int_equal(newest_of(store, line_a, c), b);
    image.number = c;
    image.latest_scan_ms--;
    assert_ok(store_update_image(store, &image, line_a, &err));
    assert_int_equal(newest_of(store, line_a, 0), b); /* reported later */
    image.latest_scan_ms++;
    assert_ok(store_update_image(store, &image, line_a, &err));
    assert_int_equal(latest_of(store, line_b, 0), 0);
    assert_ok(store_find_latest(store, 2, line_a, 0, &other, &err));
    assert_int_equal(other, 0); /* another project's */
    commit(store);

    begin(store);
    assert_ok(store_remove_image(store, b, &err));
    image.number = a;
    snprintf(image.id, sizeof(image.id), "a");
    assert_ok(store_update_image(store, &image, line_a, &err));
    assert_int_equal(latest_of(store, line_a, 0), 0);
    assert_int_equal(newest_of(store, line_a, c), a);
    commit(store);
    assert_int_equal(newest_of(store, line_a, c), a);
}

/* --- Slots -------------------------------------------------------------------------------------
 */

static void test_slots(void **state)
{
    struct fixture *f = *state;
    struct slot trivy, grype, got[SOURCE_COUNT], empty = {.source = SOURCE_SBOM, .scanned_ms = 9};
    uint32_t image;
    struct err err;

    fill_slot(&trivy, SOURCE_TRIVY, 300, 1732432332123);
    fill_slot(&grype, SOURCE_GRYPE, 7, 50);
    grype.complete = false;
    begin(f->store);
    image = add_image(f->store, "a");
    assert_ok(store_put_slot(f->store, image, &grype, &err));
    assert_ok(store_put_slot(f->store, image, &trivy, &err));
    assert_ok(store_put_slot(f->store, image, &empty, &err));
    assert_fails(store_put_slot(f->store, 99, &trivy, &err), ERR_NOT_FOUND, "99");
    commit(f->store);
    reopen(f);
    assert_ok(store_get_slots(f->store, image, got, &err));
    assert_same_slot(&got[SOURCE_TRIVY], &trivy);
    assert_same_slot(&got[SOURCE_GRYPE], &grype);
    assert_same_slot(&got[SOURCE_SBOM], &empty);
    assert_int_equal(got[SOURCE_CAREEN].scanned_ms, 0);
    assert_int_equal(got[SOURCE_CAREEN].packages.count, 0);
    release_slots(got);

    /* Replaced as a whole; others stay. */
    grype.source = SOURCE_TRIVY;
    begin(f->store);
    assert_ok(store_put_slot(f->store, image, &grype, &err));
    commit(f->store);
    assert_ok(store_get_slots(f->store, image, got, &err));
    assert_same_slot(&got[SOURCE_TRIVY], &grype);
    assert_int_equal(got[SOURCE_GRYPE].packages.count, 7);
    release_slots(got);

    begin(f->store);
    assert_ok(store_remove_image(f->store, image, &err));
    assert_ok(store_get_slots(f->store, image, got, &err));
    for (int i = 0; i < SOURCE_COUNT; i++)
        assert_int_equal(got[i].scanned_ms, 0);
    release_slots(got);
    commit(f->store);
    slot_release(&trivy);
    slot_release(&grype);
}

static void test_slot_limits(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct slot slot;
    uint32_t image;
    struct err err;

    fill_slot(&slot, SOURCE_TRIVY, LIMIT_IMAGE_PACKAGES + 1, 50);
    begin(store);
    image = add_image(store, "a");
    assert_fails(store_put_slot(store, image, &slot, &err), ERR_LIMIT, "packages; the limit is");
    slot.packages.count--;
    assert_ok(store_put_slot(store, image, &slot, &err));
    commit(store);
    slot_release(&slot);
}

struct images_seen {
    uint32_t numbers[8];
    size_t count;
    size_t packages; /* of the Trivy slots */
};

static int see_image(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct images_seen *seen = ctx;

    assert_true(seen->count < 8);
    seen->numbers[seen->count++] = image->number;
    seen->packages += slots[SOURCE_TRIVY].packages.count;
    assert_int_equal(slots[SOURCE_TRIVY].source, SOURCE_TRIVY);
    assert_true((slots[SOURCE_TRIVY].scanned_ms != 0) == (slots[SOURCE_TRIVY].claims.count > 0));
    assert_slice(image->name, "nginx");
    return image->number == 5 ? err_set(err, ERR_USAGE, "stop") : 0;
}

static int see_claims(
    void *ctx, uint32_t number, const struct ids claims[SOURCE_COUNT], struct err *err)
{
    struct images_seen *seen = ctx;

    (void)err;
    assert_true(seen->count < 8);
    seen->numbers[seen->count++] = number;
    seen->packages += claims[SOURCE_TRIVY].count;
    assert_int_equal(claims[SOURCE_GRYPE].count, 0);
    return number == 2 && seen->packages == 0 ? 1 : 0;
}

static int see_two(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    see_image(ctx, image, slots, err);
    return image->number == 2;
}

static void test_each_image(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct images_seen seen = {0};
    struct image other = make_image("other", "nginx");
    struct slot slot;
    size_t slot_claims;
    uint32_t number = 0;
    struct err err;

    fill_slot(&slot, SOURCE_TRIVY, 10, 50);
    slot_claims = slot.claims.count;
    begin(store);
    assert_ok(store_add_project(store, SLICE("p2"), 1, &other.project, &err));
    assert_int_equal(add_image(store, "a"), 1);
    assert_int_equal(add_image(store, "b"), 2);
    assert_ok(store_add_image(store, &other, line_b, &number, &err));
    assert_int_equal(add_image(store, "c"), 4);
    assert_ok(store_put_slot(store, 1, &slot, &err));
    assert_ok(store_put_slot(store, 3, &slot, &err));
    slot.packages.count = slot.claims.count = 4;
    assert_ok(store_put_slot(store, 4, &slot, &err));
    commit(store);

    assert_ok(store_each_image(store, 1, 0, 100, see_image, &seen, &err));
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.numbers[0], 1);
    assert_int_equal(seen.numbers[1], 2);
    assert_int_equal(seen.numbers[2], 4);
    assert_int_equal(seen.packages, 14);
    seen = (struct images_seen){0};
    assert_ok(store_each_image(store, 1, 1, 1, see_image, &seen, &err));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.numbers[0], 2);
    seen = (struct images_seen){0};
    assert_ok(store_each_image(store, other.project, 0, 100, see_image, &seen, &err));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.numbers[0], 3);
    seen = (struct images_seen){0};
    assert_ok(store_each_image(store, 1, 0, 100, see_two, &seen, &err));
    assert_int_equal(seen.count, 2); /* it had enough */

    seen = (struct images_seen){0};
    assert_ok(store_each_image_claims(store, 1, 0, 100, see_claims, &seen, &err));
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.numbers[2], 4);
    assert_int_equal(seen.packages, slot_claims + 4);
    seen = (struct images_seen){0};
    assert_ok(store_each_image_claims(store, 1, 1, 100, see_claims, &seen, &err));
    assert_int_equal(seen.count, 1); /* it had enough */
    seen = (struct images_seen){0};
    assert_ok(store_each_image_claims(store, other.project, 0, 1, see_claims, &seen, &err));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.numbers[0], 3);

    begin(store);
    assert_int_equal(add_image(store, "d"), 5);
    add_image(store, "e");
    commit(store);
    seen = (struct images_seen){0};
    assert_fails(store_each_image(store, 1, 0, 100, see_image, &seen, &err), ERR_USAGE, "stop");
    assert_int_equal(seen.count, 4);
    slot_release(&slot);
}

/* --- The change log ----------------------------------------------------------------------------
 */

struct causes_seen {
    struct cause last; /* its lists' counts only */
    size_t count;
    uint64_t numbers[16];
};

static int see_cause(void *ctx, const struct cause *cause, struct err *err)
{
    struct causes_seen *seen = ctx;

    (void)err;
    assert_true(seen->count < 16);
    assert_true(seen->count == 0 || cause->number > seen->last.number);
    seen->numbers[seen->count++] = cause->number;
    seen->last = *cause;
    return 0;
}

static struct causes_seen causes_after(struct store *store, uint64_t after, size_t limit)
{
    struct causes_seen seen = {0};
    struct err err;

    assert_ok(store_each_cause(store, after, limit, see_cause, &seen, &err));
    return seen;
}

static void test_log(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct cause cause = {.kind = CAUSE_IMAGE_PUT, .at_ms = 77, .project = 1, .image = 4};
    struct causes_seen seen;
    struct err err;

    assert_bounds(store, 0, 0);
    assert_ok(ids_push(&cause.added, 5, &err));
    assert_ok(ids_push(&cause.added, 9, &err));
    assert_ok(ids_push(&cause.removed, 7, &err));
    begin(store);
    add_cause(store, CAUSE_IMAGE_SET, 3, 70);
    assert_ok(store_add_cause(store, &cause, &err));
    commit(store);
    seen = causes_after(store, 0, 100);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.last.number, 2);
    assert_int_equal(seen.last.kind, CAUSE_IMAGE_PUT);
    assert_int_equal(seen.last.at_ms, 77);
    assert_int_equal(seen.last.project, 1);
    assert_int_equal(seen.last.image, 4);
    assert_int_equal(seen.last.added.count, 2);
    assert_int_equal(seen.last.removed.count, 1);
    assert_int_equal(causes_after(store, 1, 100).count, 1);
    assert_int_equal(causes_after(store, 2, 100).count, 0);
    assert_int_equal(causes_after(store, 0, 1).last.number, 1);
    assert_bounds(store, 0, 2);
    ids_release(&cause.added);
    ids_release(&cause.removed);
}

static void test_log_coalesces_scans(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct causes_seen seen;

    begin(store);
    add_cause(store, CAUSE_IMAGE_SCANNED, 1, 10);
    add_cause(store, CAUSE_IMAGE_SCANNED, 2, 20);
    add_cause(store, CAUSE_IMAGE_SET, 1, 25);
    commit(store);
    begin(store);
    add_cause(store, CAUSE_IMAGE_SCANNED, 1, 30);
    commit(store);
    seen = causes_after(store, 0, 100);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.numbers[0], 2);
    assert_int_equal(seen.numbers[1], 3);
    assert_int_equal(seen.numbers[2], 4);
    assert_int_equal(seen.last.at_ms, 30);
    assert_bounds(store, 0, 4);
}

static void test_log_trimming(void **state)
{
    struct fixture *f = *state;
    size_t dropped = 99;
    struct err err;

    begin(f->store);
    for (uint32_t i = 1; i <= 5; i++)
        add_cause(f->store, CAUSE_IMAGE_SET, i, i * 10);
    commit(f->store);
    begin(f->store);
    assert_ok(store_trim_log(f->store, 30, 1, &dropped, &err));
    assert_int_equal(dropped, 1); /* the oldest */
    assert_ok(store_trim_log(f->store, 30, 100, &dropped, &err));
    assert_int_equal(dropped, 1);
    commit(f->store);
    assert_int_equal(causes_after(f->store, 0, 100).numbers[0], 3);
    assert_bounds(f->store, 2, 5);
    begin(f->store);
    assert_ok(store_trim_log(f->store, 30, 100, &dropped, &err)); /* nothing left to do */
    assert_int_equal(dropped, 0);
    assert_ok(store_trim_log(f->store, 1000, 100, &dropped, &err));
    commit(f->store);
    assert_int_equal(causes_after(f->store, 0, 100).count, 0);
    assert_bounds(f->store, 5, 5);
    reopen(f);
    begin(f->store);
    add_cause(f->store, CAUSE_IMAGE_SET, 1, 60);
    commit(f->store);
    assert_bounds(f->store, 5, 6);
    assert_int_equal(causes_after(f->store, 5, 100).last.number, 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_image_comes_back),
        TEST(test_image_errors),
        TEST(test_image_update),
        TEST(test_numbers_are_never_used_again),
        TEST(test_latest_and_newest),
        TEST(test_slots),
        TEST(test_slot_limits),
        TEST(test_each_image),
        TEST(test_log),
        TEST(test_log_coalesces_scans),
        TEST(test_log_trimming),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
