/* SPDX-License-Identifier: Apache-2.0 */
/* Removing and changing images, and who is the latest of a line then. */
#include "unit.h"

#include "bed.h"

static bool is_latest(struct bed *bed, const char *id)
{
    return show(bed, id).image.latest;
}

/* Times are in milliseconds, and the order of reports counts here. */
static void wait_a_moment(void)
{
    usleep(3000);
}

static struct put_outcome put_version(struct bed *bed, const char *digest)
{
    wait_a_moment();
    return put_plain(bed, SOURCE_TRIVY, "nginx", "1", digest, "CVE-1");
}

static void set(
    struct bed *bed, char id[UUID_TEXT_BYTES], unsigned fields, const struct placement *to)
{
    const struct image_change change = {fields, *to};
    char old[UUID_TEXT_BYTES];
    struct err err;

    memcpy(old, id, sizeof(old));
    assert_ok(fleet_set_image(bed->fleet, bed->project, slice_of(old), &change, "test", id, &err));
}

static void test_moved_tag(void **state)
{
    struct bed bed;
    struct put_outcome one, two, three;
    struct err err;

    (void)state;
    bed_init(&bed);
    one = put_version(&bed, "sha256:a");
    two = put_version(&bed, "sha256:b");
    three = put_version(&bed, "sha256:c");
    assert_true(!is_latest(&bed, one.image_id) && !is_latest(&bed, two.image_id));
    assert_true(is_latest(&bed, three.image_id));
    two = put_version(&bed, "sha256:b"); /* the tag was moved back */
    assert_false(two.changed);
    assert_true(is_latest(&bed, two.image_id) && !is_latest(&bed, three.image_id));
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(two.image_id), "test", &err));
    assert_true(is_latest(&bed, three.image_id) && !is_latest(&bed, one.image_id));
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(one.image_id), "test", &err));
    assert_true(is_latest(&bed, three.image_id));
    bed_verify(&bed);
    bed_release(&bed);
}

/* A platform is its own line; an image whose platform becomes known leaves the nameless one. */
static void test_architecture_learned(void **state)
{
    struct bed bed;
    struct report report;
    struct put_outcome one, two, arm;

    (void)state;
    bed_init(&bed);
    one = put_version(&bed, "sha256:a");
    two = put_version(&bed, "sha256:b");
    assert_false(is_latest(&bed, one.image_id));
    make_report(&report, SOURCE_GRYPE, "nginx", "1", "sha256:b", "CVE-1");
    report.architecture = SLICE("arm64");
    wait_a_moment();
    two = put_at(&bed, &report, NULL);
    assert_true(is_latest(&bed, two.image_id));
    assert_true(is_latest(&bed, one.image_id)); /* alone on its line again */
    report.digest = SLICE("sha256:arm");
    wait_a_moment();
    arm = put_at(&bed, &report, NULL);
    assert_true(is_latest(&bed, arm.image_id) && is_latest(&bed, one.image_id));
    assert_false(is_latest(&bed, two.image_id));
    bed_verify(&bed);
    report_release(&report);
    bed_release(&bed);
}

/* Moved one by one to another enterprise project, in either order, the newer one stays the latest.
 */
static void test_moved_place(void **state)
{
    struct placement to = placement_default();

    (void)state;
    to.enterprise_project = SLICE("team-1");
    for (int newer_first = 0; newer_first < 2; newer_first++) {
        struct bed bed;
        struct put_outcome one, two;

        bed_init(&bed);
        one = put_version(&bed, "sha256:a");
        two = put_version(&bed, "sha256:b");
        if (newer_first) {
            set(&bed, two.image_id, FIELD_ENTERPRISE_PROJECT, &to);
            assert_true(is_latest(&bed, one.image_id) && is_latest(&bed, two.image_id));
            set(&bed, one.image_id, FIELD_ENTERPRISE_PROJECT, &to);
        } else {
            set(&bed, one.image_id, FIELD_ENTERPRISE_PROJECT, &to);
            assert_true(is_latest(&bed, one.image_id) && is_latest(&bed, two.image_id));
            set(&bed, two.image_id, FIELD_ENTERPRISE_PROJECT, &to);
        }
        assert_true(!is_latest(&bed, one.image_id) && is_latest(&bed, two.image_id));
        assert_slice(show(&bed, one.image_id).image.place.enterprise_project, "team-1");
        bed_verify(&bed);
        bed_release(&bed);
    }
}

static void test_conflict(void **state)
{
    struct bed bed;
    struct placement to = placement_default();
    const struct image_change change = {FIELD_ENTERPRISE_PROJECT, to};
    struct put_outcome one, two;
    char id[UUID_TEXT_BYTES];
    struct report report;
    struct err err;

    (void)state;
    bed_init(&bed);
    one = put_version(&bed, "sha256:a");
    make_report(&report, SOURCE_TRIVY, "nginx", "1", "sha256:a", "CVE-1");
    to.enterprise_project = SLICE("team-1");
    two = put_at(&bed, &report, &to);
    assert_string_not_equal(one.image_id, two.image_id);
    assert_fails(
        fleet_set_image(bed.fleet, bed.project, slice_of(two.image_id), &change, "test", id, &err),
        ERR_CONFLICT, one.image_id);
    assert_slice(show(&bed, two.image_id).image.place.enterprise_project, "team-1");
    assert_true(is_latest(&bed, one.image_id) && is_latest(&bed, two.image_id));
    assert_fails(
        fleet_set_image(bed.fleet, bed.project, SLICE("nobody"), &change, "test", id, &err),
        ERR_NOT_FOUND, "nobody");
    bed_verify(&bed);
    report_release(&report);
    bed_release(&bed);
}

/* Only the named fields change; a value that its field does not allow is refused. */
static void test_fields(void **state)
{
    struct bed bed;
    struct placement to = placement_default();
    struct image_change change = {FIELD_CONTAINERS | FIELD_ORGANIZATION, to};
    struct put_outcome one;
    struct image image;
    char id[UUID_TEXT_BYTES];
    struct err err;

    (void)state;
    bed_init(&bed);
    one = put_version(&bed, "sha256:a");
    to.containers = 7;
    to.organization = SLICE("org");
    to.cluster_name = SLICE("not named");
    to.multi_arch = 1;
    set(&bed, one.image_id, FIELD_CONTAINERS | FIELD_ORGANIZATION, &to);
    image = show(&bed, one.image_id).image;
    assert_int_equal(image.place.containers, 7);
    assert_slice(image.place.organization, "org");
    assert_slice(image.place.cluster_name, "");
    assert_int_equal(image.place.multi_arch, -1);
    assert_true(image.updated_ms > image.latest_scan_ms - 1);

    change.fields = FIELD_ENTERPRISE_PROJECT;
    change.to.enterprise_project = SLICE_NONE;
    assert_fails(
        fleet_set_image(bed.fleet, bed.project, slice_of(one.image_id), &change, "test", id, &err),
        ERR_INVALID, "enterprise_project_id");
    change.fields = FIELD_REGISTRY_TYPE;
    change.to.registry_type = SLICE("harbor");
    assert_fails(
        fleet_set_image(bed.fleet, bed.project, slice_of(one.image_id), &change, "test", id, &err),
        ERR_INVALID, "registry_type");
    bed_verify(&bed);
    bed_release(&bed);
}

/* A rescan that finds the same changes the scan time alone; one that says more of the place, that.
 */
static void test_rescan(void **state)
{
    struct bed bed;
    struct report report;
    struct placement place = placement_default();
    struct put_outcome first, second;
    struct image before, after;

    (void)state;
    bed_init(&bed);
    first = put_version(&bed, "sha256:a");
    before = show(&bed, first.image_id).image;
    second = put_version(&bed, "sha256:a");
    after = show(&bed, first.image_id).image;
    assert_true(!second.created && !second.changed && second.appeared + second.retracted == 0);
    assert_true(after.latest_scan_ms > before.latest_scan_ms);
    assert_int_equal(after.updated_ms, before.updated_ms);
    assert_int_equal(after.first_seen_ms, before.first_seen_ms);

    make_report(&report, SOURCE_TRIVY, "nginx", "1", "sha256:a", "CVE-1");
    place.containers = 3;
    wait_a_moment();
    second = put_at(&bed, &report, &place);
    assert_false(second.changed);
    assert_true(show(&bed, first.image_id).image.updated_ms > before.updated_ms);
    place.containers = -1; /* not given: stays */
    put_at(&bed, &report, &place);
    assert_int_equal(show(&bed, first.image_id).image.place.containers, 3);
    bed_verify(&bed);
    report_release(&report);
    bed_release(&bed);
}

/* Other packages, or another completeness, are other content, though every claim is the same. */
static void test_rescan_packages(void **state)
{
    const struct package package = {
        .ecosystem = SLICE("deb"), .name = SLICE("zlib"), .version = SLICE("1.2")};
    struct bed bed;
    struct report report;
    struct put_outcome outcome;
    uint32_t position;
    struct err err;

    (void)state;
    bed_init(&bed);
    make_report(&report, SOURCE_TRIVY, "nginx", "1", "sha256:a", "CVE-1");
    put_at(&bed, &report, NULL);
    assert_ok(report_add_package(&report, &package, &position, &err));
    outcome = put_at(&bed, &report, NULL);
    assert_true(outcome.changed);
    assert_int_equal(outcome.packages, 2);
    assert_false(put_at(&bed, &report, NULL).changed);
    report.complete = false;
    outcome = put_at(&bed, &report, NULL);
    assert_true(outcome.changed);
    assert_int_equal(outcome.assessment, ASSESSMENT_PARTLY);
    bed_verify(&bed);
    report_release(&report);
    bed_release(&bed);
}

static void test_projects(void **state)
{
    static const char *const bad[] = {"", "a/b", "a?b", "a\nb", "\xff"};
    struct bed bed;
    uint32_t number = 0;
    char long_id[LIMIT_ID_CHARS + 2];
    struct slice id;
    struct err err;

    (void)state;
    bed_init(&bed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_fails(fleet_add_project(bed.fleet, slice_of(bad[i]), &number, &err), ERR_INVALID,
            "project id");
    memset(long_id, 'x', sizeof(long_id));
    id = (struct slice){long_id, LIMIT_ID_CHARS + 1};
    assert_fails(fleet_add_project(bed.fleet, id, &number, &err), ERR_INVALID, "256");
    assert_int_equal(number, 0);
    id.len = LIMIT_ID_CHARS;
    assert_ok(fleet_add_project(bed.fleet, id, &number, &err));
    assert_fails(fleet_add_project(bed.fleet, id, &number, &err), ERR_CONFLICT, "exists");
    assert_fails(
        fleet_find_project(bed.fleet, SLICE("nobody"), &number, &err), ERR_NOT_FOUND, "nobody");
    assert_ok(fleet_find_project(bed.fleet, id, &number, &err));
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moved_tag),
        cmocka_unit_test(test_architecture_learned),
        cmocka_unit_test(test_moved_place),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_rescan),
        cmocka_unit_test(test_rescan_packages),
        cmocka_unit_test(test_projects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
