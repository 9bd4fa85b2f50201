/* SPDX-License-Identifier: Apache-2.0 */
/* Putting images in, case by case: what is refused and what that leaves alone, batches, platforms
 * that share a digest, names and tags. */
#include "unit.h"

#include "bed.h"

/* A put of `count` reports at the default place; -1 fails the test. */
static void put_all(
    struct bed *bed, const struct report *reports, size_t count, struct put_outcome *outcomes)
{
    const struct placement place = placement_default();
    struct put_request requests[8];
    struct err err;

    for (size_t i = 0; i < count; i++)
        requests[i] = (struct put_request){.report = &reports[i], .place = &place};
    assert_ok(fleet_put_images(bed->fleet, bed->project, requests, count, "test", outcomes, &err));
}

/* --- Refusals --------------------------------------------------------------------------------- */

static void test_not_loaded(void **state)
{
    struct bed bed;
    struct report report;
    struct placement place = placement_default();
    struct put_request request = {.report = &report, .place = &place};
    struct put_outcome outcome;
    struct fleet *other;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_GRYPE, "nginx", "1", "sha256:a", "CVE-1 CVE-2");
    make_report(&report, SOURCE_TRIVY, "nginx", "1", "sha256:a", "CVE-3");
    other = fleet_open(bed.dir, STORE_WRITE, &err);
    assert_non_null(other);
    assert_fails(fleet_put_images(other, bed.project, &request, 1, "test", &outcome, &err),
        ERR_LOADING, "loaded");
    assert_fails(
        fleet_put_images(other, 99, &request, 1, "test", &outcome, &err), ERR_NOT_FOUND, "99");
    assert_fails(
        fleet_put_images(bed.fleet, 99, &request, 1, "test", &outcome, &err), ERR_NOT_FOUND, "99");
    assert_ok(fleet_load(other, bed.project, &err));
    assert_ok(fleet_put_images(other, bed.project, &request, 1, "test", &outcome, &err));
    assert_int_equal(outcome.findings, 3);
    fleet_close(other);
    report_release(&report);
    bed_verify(&bed);
    assert_int_equal(count_rows(&bed, "CVE-3"), 1);
    bed_release(&bed);
}

/* One claim for each of `count` vulnerabilities with these numbers. */
static void make_large(struct report *report, enum source source, uint32_t from, uint32_t count)
{
    struct report_claim claim = {0};
    struct err err;

    make_report(report, source, "large", "1", "sha256:large", "");
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        struct report_record record;

        snprintf(name, sizeof(name), "CVE-2030-%u", from + i);
        assert_ok(report_text(report, slice_of(name), &record.name, &err));
        record = (struct report_record){.name = record.name};
        assert_ok(report_add_record(report, &record, &claim.record, &err));
        assert_ok(report_add_claim(report, &claim, &err));
    }
}

/* One refused for its name, one for its size: the others of the batch are in. */
static void test_refused_among_others(void **state)
{
    struct bed bed;
    struct report reports[4];
    struct put_outcome outcomes[4];

    (void)state;
    bed_init(&bed);
    make_report(&reports[0], SOURCE_TRIVY, "first", "1", "sha256:a", "CVE-1");
    make_large(&reports[1], SOURCE_TRIVY, 0, LIMIT_IMAGE_FINDINGS + 1);
    make_report(&reports[2], SOURCE_TRIVY, "", "1", "sha256:b", "CVE-1");
    make_report(&reports[3], SOURCE_TRIVY, "last", "1", "sha256:c", "CVE-1 CVE-2");
    put_all(&bed, reports, 4, outcomes);
    assert_false(outcomes[0].failed || outcomes[3].failed);
    assert_true(outcomes[1].failed && outcomes[2].failed);
    assert_int_equal(outcomes[1].err.code, ERR_LIMIT);
    assert_int_equal(outcomes[1].number, 0);
    assert_int_equal(outcomes[2].err.code, ERR_INVALID);
    assert_int_equal(outcomes[3].appeared, 2);
    assert_int_equal(count_rows(&bed, NULL), 3);
    assert_int_equal(count_rows(&bed, "CVE-1"), 2);
    bed_verify(&bed);
    for (int i = 0; i < 4; i++)
        report_release(&reports[i]);
    bed_release(&bed);
}

/* The ceiling is for all slots together, and is reached exactly. */
static void test_findings_ceiling(void **state)
{
    struct bed bed;
    struct report reports[2];
    struct put_outcome outcome;

    (void)state;
    bed_init(&bed);
    make_large(&reports[0], SOURCE_TRIVY, 0, LIMIT_IMAGE_FINDINGS);
    put_all(&bed, reports, 1, &outcome);
    assert_false(outcome.failed);
    assert_int_equal(outcome.findings, LIMIT_IMAGE_FINDINGS);
    make_large(&reports[1], SOURCE_GRYPE, LIMIT_IMAGE_FINDINGS, 1); /* one more */
    put_all(&bed, &reports[1], 1, &outcome);
    assert_true(outcome.failed);
    assert_int_equal(outcome.err.code, ERR_LIMIT);
    report_release(&reports[1]);
    make_large(&reports[1], SOURCE_GRYPE, LIMIT_IMAGE_FINDINGS - 1, 1); /* one of those */
    put_all(&bed, &reports[1], 1, &outcome);
    assert_false(outcome.failed);
    assert_int_equal(outcome.findings, LIMIT_IMAGE_FINDINGS);
    for (int i = 0; i < 2; i++)
        report_release(&reports[i]);
    bed_release(&bed);
}

static void test_names(void **state)
{
    static const struct {
        const char *report_name, *report_tag, *name, *tag;
        bool is_image;
        const char *expected, *expected_tag; /* NULL: refused, and why */
    } cases[] = {
        {"nginx", "1", "", "", true, "nginx", "1"},
        {"nginx", "1", "", "2", true, "nginx", "2"},
        {"nginx", "1", "repo/app", "", true, "repo/app", "1"},
        {"nginx", "1", "repo/app:3", "", true, "repo/app", "3"},
        {"nginx", "1", "repo/app:3", "3", true, "repo/app", "3"},
        {"nginx", "1", "repo/app:3", "4", true, NULL, "name: it has the tag \"3\""},
        {"nginx", "1", "no such", "", true, NULL, "name: "},
        {"", "", "", "", true, NULL, "does not name its image"},
        {"/srv", "", "", "", false, NULL, "something else than an image"},
        {"/srv", "", "repo/app", "", false, "repo/app", ""},
        {"ngi\nnx", "1", "", "", true, NULL, "name: must be UTF-8"},
    };
    struct bed bed;

    (void)state;
    bed_init(&bed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct placement place = placement_default();
        struct report report;
        struct put_request request = {.report = &report,
            .place = &place,
            .name = slice_of(cases[i].name),
            .tag = slice_of(cases[i].tag)};
        struct put_outcome outcome;
        struct err err;

        make_report(
            &report, SOURCE_TRIVY, cases[i].report_name, cases[i].report_tag, "sha256:a", "CVE-1");
        report.is_image = cases[i].is_image;
        assert_ok(fleet_put_images(bed.fleet, bed.project, &request, 1, "test", &outcome, &err));
        report_release(&report);
        assert_int_equal(outcome.failed, cases[i].expected == NULL);
        if (outcome.failed) {
            assert_int_equal(outcome.err.code, ERR_INVALID);
            assert_non_null(strstr(outcome.err.message, cases[i].expected_tag));
            continue;
        }
        assert_slice(show(&bed, outcome.image_id).image.name, cases[i].expected);
        assert_slice(show(&bed, outcome.image_id).image.tag, cases[i].expected_tag);
    }
    bed_release(&bed);
}

/* --- Batches ---------------------------------------------------------------------------------- */

/* The same image twice: the second report is compared with the first, not with what was before. */
static void test_same_image_twice(void **state)
{
    struct bed bed;
    struct report reports[3];
    struct put_outcome outcomes[3];

    (void)state;
    bed_init(&bed);
    make_report(&reports[0], SOURCE_TRIVY, "nginx", "1", "sha256:a", "CVE-1 CVE-2");
    make_report(&reports[1], SOURCE_GRYPE, "nginx", "1", "sha256:a", "CVE-2 CVE-3");
    make_report(&reports[2], SOURCE_TRIVY, "docker.io/library/nginx", "1", "sha256:a", "CVE-2");
    put_all(&bed, reports, 3, outcomes);
    assert_true(outcomes[0].created && !outcomes[1].created && !outcomes[2].created);
    for (int i = 1; i < 3; i++)
        assert_string_equal(outcomes[i].image_id, outcomes[0].image_id);
    assert_int_equal(outcomes[0].appeared, 2);
    assert_int_equal(outcomes[1].appeared, 1);
    assert_int_equal(outcomes[1].findings, 3);
    assert_int_equal(outcomes[2].retracted, 1);
    assert_int_equal(outcomes[2].findings, 2);
    bed_verify(&bed);
    for (int i = 0; i < 3; i++)
        report_release(&reports[i]);
    bed_release(&bed);
}

static void set_config(struct report *report, const char *config)
{
    report->config_digest = slice_of(config);
}

/* Two platforms under the digest of their index; each is seen by two scanners, in one batch. */
static void test_shared_digest(void **state)
{
    struct bed bed;
    struct report reports[5];
    struct put_outcome outcomes[5];
    struct image_detail detail;

    (void)state;
    bed_init(&bed);
    make_report(&reports[0], SOURCE_TRIVY, "nginx", "1", "sha256:index", "CVE-1");
    set_config(&reports[0], "sha256:amd64");
    put_all(&bed, reports, 1, outcomes);
    for (int i = 1; i < 5; i++) {
        make_report(&reports[i], i % 2 ? SOURCE_GRYPE : SOURCE_TRIVY, "nginx", "1", "sha256:index",
            i < 3 ? "CVE-2 CVE-3" : "CVE-4");
        set_config(&reports[i], "sha256:arm64");
    }
    put_all(&bed, reports + 1, 4, outcomes + 1);
    assert_string_not_equal(outcomes[1].image_id, outcomes[0].image_id);
    for (int i = 2; i < 5; i++) {
        assert_false(outcomes[i].failed);
        assert_string_equal(outcomes[i].image_id, outcomes[1].image_id);
    }
    assert_int_equal(outcomes[2].appeared, 0); /* the rows of the report before */
    assert_int_equal(outcomes[3].appeared, 1);
    assert_int_equal(outcomes[4].retracted, 2);
    assert_int_equal(outcomes[4].findings, 1);
    detail = show(&bed, outcomes[1].image_id);
    assert_slice(detail.image.digest, "sha256:arm64");
    assert_slice(show(&bed, outcomes[0].image_id).image.digest, "sha256:index");
    bed_verify(&bed);
    for (int i = 0; i < 5; i++)
        report_release(&reports[i]);
    bed_release(&bed);
}

static void test_nothing(void **state)
{
    struct bed bed;
    struct report none;
    struct put_outcome outcome;

    (void)state;
    bed_init(&bed);
    put_all(&bed, &none, 0, &outcome);
    assert_int_equal(count_rows(&bed, NULL), 0);
    bed_release(&bed);
}

/* Two images become one vulnerability's when a report says that the names are the same. */
static void test_alias_learned(void **state)
{
    struct bed bed;
    struct report report;
    struct report_record record = {.name = SLICE("GHSA-1")};
    struct report_claim claim = {0};
    struct put_outcome outcome;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_TRIVY, "one", "1", "sha256:a", "CVE-1 GHSA-1");
    put_plain(&bed, SOURCE_TRIVY, "two", "1", "sha256:b", "GHSA-1");
    assert_int_equal(count_rows(&bed, NULL), 3);
    assert_int_equal(count_rows(&bed, "CVE-1"), 1);
    make_report(&report, SOURCE_GRYPE, "three", "1", "sha256:c", "");
    assert_ok(names_push(&report.arena, &record.aliases, SLICE("CVE-1"), &err));
    assert_ok(report_add_record(&report, &record, &claim.record, &err));
    assert_ok(report_add_claim(&report, &claim, &err));
    outcome = put_at(&bed, &report, NULL);
    assert_int_equal(count_rows(&bed, NULL), 3);
    assert_int_equal(count_rows(&bed, "CVE-1"), 3);
    assert_int_equal(count_rows(&bed, "GHSA-1"), 3);
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(outcome.image_id), "test", &err));
    assert_int_equal(count_rows(&bed, NULL), 3);
    assert_int_equal(count_rows(&bed, "CVE-1"), 1);
    bed_verify(&bed);
    report_release(&report);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_loaded),
        cmocka_unit_test(test_refused_among_others),
        cmocka_unit_test(test_findings_ceiling),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_same_image_twice),
        cmocka_unit_test(test_shared_digest),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_alias_learned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
