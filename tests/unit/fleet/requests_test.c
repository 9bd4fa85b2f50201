/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: what is refused and how, what they are expanded to, and what a preview tells. */
#include "unit.h"

#include "decision_bed.h"

static int try_decide(struct bed *bed, const struct decision_request *request,
    const struct deciding *deciding, struct err *err)
{
    struct decision_outcome outcome = {.rows = 0};
    int failed =
        fleet_decide(bed->fleet, bed->project, request, 1, deciding, "test", &outcome, err);

    ids_release(&outcome.numbers);
    return failed;
}

static void test_refused(void **state)
{
    const struct slice vul = SLICE("CVE-1"), line = SLICE("two\nlines"), none = SLICE("");
    const struct slice no_id = SLICE("not-an-id");
    struct deciding by = deciding_by("ann");
    struct decision_request good = request_of(DECISION_IGNORE, &vul), request = good;
    char remark[LIMIT_REMARK_CHARS + 2];
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    request.vul_count = 0;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "or a package");
    request = good;
    request.all_vuls = true;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "exclude");
    request = good;
    request.vuls = &line;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "control");
    request.vuls = &none;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "empty");
    request = good;
    request.vul_count = LIMIT_DECISION_VULNS + 1;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "100000");
    request = good;
    request.scope = DECISION_REGISTRY;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "registry");
    request.scope = DECISION_REPOSITORY;
    request.place = SLICE("nginx:1");
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "without tag");
    request.scope = DECISION_PROJECT;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "no place");
    request = good;
    request.scope = DECISION_IMAGES;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "at least one");
    request.image_ids = &no_id;
    request.image_count = 1;
    assert_fails(try_decide(&bed, &request, &by, &err), ERR_INVALID, "not-an-id");
    by.expires_ms = 1;
    assert_fails(try_decide(&bed, &good, &by, &err), ERR_INVALID, "1970");
    by.expires_ms = 0;
    memset(remark, 'x', sizeof(remark));
    by.reason = (struct slice){remark, sizeof(remark) - 1};
    assert_fails(try_decide(&bed, &good, &by, &err), ERR_INVALID, "512");
    by.reason = (struct slice){remark, LIMIT_REMARK_CHARS};
    assert_ok(try_decide(&bed, &good, &by, &err));
    bed_verify(&bed);
    bed_release(&bed);
}

static void put_covered(struct bed *bed)
{
    struct report report;
    struct report_record record = {.name = SLICE("DSA-1")};
    struct report_claim claim = {.severity = SEVERITY_LOW};
    struct err err;

    make_report(&report, SOURCE_GRYPE, "covered", "1", "sha256:cov", "CVE-2");
    assert_ok(names_push(&report.arena, &record.covers, SLICE("CVE-50"), &err));
    assert_ok(report_add_record(&report, &record, &claim.record, &err));
    assert_ok(report_add_claim(&report, &claim, &err));
    put_at(bed, &report, NULL);
    report_release(&report);
}

/* All or nothing: several requests, one of which names what is not there. */
static void test_known_only(void **state)
{
    const struct slice known = SLICE("CVE-1"), unknown = SLICE("CVE-404"),
                       covered = SLICE("CVE-50");
    const struct slice team = SLICE("team-1"), gone = SLICE("00000000-0000-0000-0000-000000000000");
    struct decision_request requests[2] = {
        request_of(DECISION_IGNORE, &known), request_of(DECISION_IGNORE, &unknown)};
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    struct put_outcome put;
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    put_covered(&bed);
    by.known_only = true;
    assert_fails(fleet_decide(bed.fleet, bed.project, requests, 2, &by, "test", &outcome, &err),
        ERR_NOT_FOUND, "CVE-404");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
    requests[1].vuls = &covered;
    assert_fails(fleet_decide(bed.fleet, bed.project, requests, 2, &by, "test", &outcome, &err),
        ERR_NOT_FOUND, "DSA-1");
    requests[1] = requests[0];
    requests[1].scope = DECISION_IMAGES;
    requests[1].image_ids = &gone;
    requests[1].image_count = 1;
    assert_fails(fleet_decide(bed.fleet, bed.project, requests, 2, &by, "test", &outcome, &err),
        ERR_NOT_FOUND, "00000000");
    /* What stands elsewhere is not known to who may not see it. */
    by.enterprise_projects = &team;
    by.enterprise_project_count = 1;
    assert_fails(fleet_decide(bed.fleet, bed.project, requests, 1, &by, "test", &outcome, &err),
        ERR_NOT_FOUND, "CVE-1");
    by.enterprise_project_count = 0;
    assert_ok(fleet_decide(bed.fleet, bed.project, requests, 1, &by, "test", &outcome, &err));
    assert_int_equal(outcome.rows, 1);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    bed_verify(&bed);
    bed_release(&bed);
}

struct told {
    size_t count;
    char vuls[16][16];
    uint32_t images[16];
};

static int take_row(void *ctx, const struct affected_row *row, struct err *err)
{
    struct told *told = ctx;

    (void)err;
    assert_true(told->count < 16);
    assert_true(slice_to_cstr(row->vul_id, told->vuls[told->count], 16));
    told->images[told->count++] = row->image->number;
    return 0;
}

/* Every vulnerability of named images, each its own; images with the same ones share a decision. */
static void test_all_of_images(void **state)
{
    struct deciding by = deciding_by("ann");
    struct decision_request request = request_of(DECISION_IGNORE, NULL);
    struct decision_outcome outcome;
    struct put_outcome a, b, c;
    struct slice ids[3];
    struct told told = {.count = 0};
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    a = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1 CVE-2");
    b = put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-2 CVE-3");
    c = put_plain(&bed, SOURCE_TRIVY, "c", "1", "sha256:c", "CVE-1 CVE-2");
    ids[0] = slice_of(c.image_id);
    ids[1] = slice_of(a.image_id);
    ids[2] = slice_of(b.image_id);
    decide_named(&bed, DECISION_WHITELIST, "CVE-2", a.image_id);
    request.scope = DECISION_IMAGES;
    request.all_vuls = true;
    request.image_ids = ids;
    request.image_count = 3;
    assert_ok(fleet_preview_decision(
        bed.fleet, bed.project, &request, 1, &by, take_row, &told, &outcome, &err));
    assert_true(outcome.rows == 5 && outcome.reached == 6 && told.count == 5);
    assert_true(told.images[0] == a.number && strcmp(told.vuls[0], "CVE-1") == 0);
    assert_true(told.images[1] == b.number && told.images[4] == c.number);
    outcome = decide_as(&bed, &request, &by);
    assert_int_equal(outcome.numbers.count, 2);
    ids_release(&outcome.numbers);
    /* What comes later is not meant. */
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1 CVE-2 CVE-3");
    assert_int_equal(state_of(&bed, a.image_id, "CVE-1"), IGNORED);
    assert_int_equal(state_of(&bed, a.image_id, "CVE-3"), OPEN);
    assert_int_equal(state_of(&bed, b.image_id, "CVE-3"), IGNORED);
    /* Only what is handled, only what is not. */
    request.action = DECISION_REPAIR;
    request.handled = 0;
    outcome = decide_as(&bed, &request, &by);
    assert_true(outcome.rows == 1 && outcome.numbers.count == 1);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, a.image_id, "CVE-3"), HANDLED);
    assert_int_equal(state_of(&bed, a.image_id, "CVE-1"), IGNORED);
    request.action = DECISION_REOPEN;
    request.handled = 1;
    outcome = decide_as(&bed, &request, &by);
    assert_int_equal(outcome.rows, 7);
    ids_release(&outcome.numbers);
    request.handled = 1; /* none is left */
    outcome = decide_as(&bed, &request, &by);
    assert_true(outcome.rows == 0 && outcome.numbers.count == 0);
    bed_release(&bed);
}

/* Pairs of named vulnerabilities and images, of which only some rows are meant. */
static void test_named_pairs(void **state)
{
    const struct slice vuls[] = {SLICE("CVE-1"), SLICE("CVE-2")};
    struct deciding by = deciding_by("ann");
    struct decision_request request = request_of(DECISION_REPAIR, NULL);
    struct decision_outcome outcome;
    struct put_outcome a, b;
    struct slice ids[2];
    struct bed bed;

    (void)state;
    bed_init(&bed);
    a = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1 CVE-2 CVE-3");
    b = put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-1 CVE-2 CVE-3");
    ids[0] = slice_of(a.image_id);
    ids[1] = slice_of(b.image_id);
    decide_named(&bed, DECISION_IGNORE, "CVE-1", a.image_id);
    request.vuls = vuls;
    request.vul_count = 2;
    request.scope = DECISION_IMAGES;
    request.image_ids = ids;
    request.image_count = 2;
    request.handled = 0;
    outcome = decide_as(&bed, &request, &by);
    assert_int_equal(outcome.rows, 3);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, a.image_id, "CVE-1"), IGNORED);
    assert_int_equal(state_of(&bed, a.image_id, "CVE-2"), HANDLED);
    assert_int_equal(state_of(&bed, b.image_id, "CVE-1"), HANDLED);
    assert_int_equal(state_of(&bed, b.image_id, "CVE-3"), OPEN);
    bed_release(&bed);
}

/* Every vulnerability of a place: those that it has now, and for images to come. */
static void test_all_of_a_place(void **state)
{
    struct deciding by = deciding_by("ann");
    struct decision_request request = request_of(DECISION_IGNORE, NULL);
    struct decision_outcome outcome;
    struct put_outcome a, b;
    struct bed bed;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_TRIVY, "nginx", "1", "sha256:a", "CVE-1 CVE-2");
    a = put_plain(&bed, SOURCE_TRIVY, "other", "1", "sha256:b", "CVE-1");
    request.scope = DECISION_REPOSITORY;
    request.place = SLICE("docker.io/nginx");
    request.all_vuls = true;
    outcome = decide_as(&bed, &request, &by);
    assert_true(outcome.rows == 2 && outcome.numbers.count == 1);
    ids_release(&outcome.numbers);
    b = put_plain(&bed, SOURCE_TRIVY, "nginx", "2", "sha256:c", "CVE-2 CVE-3");
    assert_int_equal(state_of(&bed, a.image_id, "CVE-1"), OPEN);
    assert_int_equal(state_of(&bed, b.image_id, "CVE-2"), IGNORED);
    assert_int_equal(state_of(&bed, b.image_id, "CVE-3"), OPEN);
    /* A repair of a place is of the images that have such rows now. */
    request.action = DECISION_REPAIR;
    request.handled = 0;
    outcome = decide_as(&bed, &request, &by);
    assert_true(outcome.rows == 1 && outcome.numbers.count == 1);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, b.image_id, "CVE-3"), HANDLED);
    bed_release(&bed);
}

/* --- Many ------------------------------------------------------------------------------------- */

enum { MANY_PLACES = 40, MANY_VULNS = 70, MANY_IMAGES = 5000 };

/* More decisions than are looked up one by one. */
static void test_many_places(void **state)
{
    const struct slice vul = SLICE("CVE-1");
    static struct decision_request requests[MANY_PLACES];
    static char names[MANY_PLACES][16];
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    struct put_outcome puts[3];
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    puts[0] = put_plain(&bed, SOURCE_TRIVY, "app-7", "1", "sha256:a", "CVE-1 CVE-2");
    puts[1] = put_plain(&bed, SOURCE_TRIVY, "app-39", "1", "sha256:b", "CVE-1 CVE-2");
    puts[2] = put_plain(&bed, SOURCE_TRIVY, "app-40", "1", "sha256:c", "CVE-1 CVE-2");
    for (int i = 0; i < MANY_PLACES; i++) {
        snprintf(names[i], sizeof(names[i]), "app-%d", i);
        requests[i] = request_of(DECISION_IGNORE, &vul);
        requests[i].scope = DECISION_REPOSITORY;
        requests[i].place = slice_of(names[i]);
    }
    assert_ok(
        fleet_decide(bed.fleet, bed.project, requests, MANY_PLACES, &by, "test", &outcome, &err));
    assert_true(outcome.rows == 2 && outcome.reached == 2);
    assert_int_equal(outcome.numbers.count, MANY_PLACES);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, puts[0].image_id, "CVE-1"), IGNORED);
    assert_int_equal(state_of(&bed, puts[1].image_id, "CVE-1"), IGNORED);
    assert_int_equal(state_of(&bed, puts[1].image_id, "CVE-2"), OPEN);
    assert_int_equal(state_of(&bed, puts[2].image_id, "CVE-1"), OPEN);
    bed_verify(&bed);
    bed_release(&bed);
}

/* More vulnerabilities than postings are read for. */
static void test_many_vulns(void **state)
{
    static struct slice vulns[MANY_VULNS];
    static char names[MANY_VULNS][16];
    struct decision_request request = request_of(DECISION_IGNORE, NULL);
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    struct put_outcome put;
    struct bed bed;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-9 CVE-13 CVE-999");
    put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-999");
    for (int i = 0; i < MANY_VULNS; i++) {
        snprintf(names[i], sizeof(names[i]), "CVE-%d", i);
        vulns[i] = slice_of(names[i]);
    }
    request.vuls = vulns;
    request.vul_count = MANY_VULNS;
    outcome = decide_as(&bed, &request, &by);
    assert_true(outcome.rows == 2 && outcome.numbers.count == 1);
    withdraw(&bed, outcome.numbers.at[0]);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-9"), OPEN);
    bed_release(&bed);
}

/* More images than are looked up by id, most of which are not there. */
static void test_many_images(void **state)
{
    static struct slice images[MANY_IMAGES];
    static char ids[MANY_IMAGES][UUID_TEXT_BYTES];
    const struct slice vul = SLICE("CVE-1");
    struct decision_request request = request_of(DECISION_IGNORE, &vul);
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    struct put_outcome in, out;
    struct bed bed;

    (void)state;
    bed_init(&bed);
    in = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    out = put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-1");
    for (int i = 0; i < MANY_IMAGES; i++) {
        snprintf(ids[i], sizeof(ids[i]), "%08x-0000-5000-8000-000000000000", (unsigned)i);
        images[i] = slice_of(i == 1234 ? in.image_id : ids[i]);
    }
    request.scope = DECISION_IMAGES;
    request.image_ids = images;
    request.image_count = MANY_IMAGES;
    outcome = decide_as(&bed, &request, &by);
    assert_true(outcome.rows == 1 && outcome.reached == 1 && outcome.numbers.count == 1);
    assert_int_equal(state_of(&bed, in.image_id, "CVE-1"), IGNORED);
    assert_int_equal(state_of(&bed, out.image_id, "CVE-1"), OPEN);
    assert_int_equal(withdraw(&bed, outcome.numbers.at[0]), 1);
    ids_release(&outcome.numbers);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_known_only),
        cmocka_unit_test(test_all_of_images),
        cmocka_unit_test(test_named_pairs),
        cmocka_unit_test(test_all_of_a_place),
        cmocka_unit_test(test_many_places),
        cmocka_unit_test(test_many_vulns),
        cmocka_unit_test(test_many_images),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
