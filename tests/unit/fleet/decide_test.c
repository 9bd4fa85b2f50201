/* SPDX-License-Identifier: Apache-2.0 */
/* Deciding: what each action makes of rows, in each scope, now and for images that come later. */
#include "unit.h"

#include "decision_bed.h"

/* An image at a place of its own, with one vulnerability. */
static struct put_outcome put_placed(struct bed *bed, const char *name, const char *digest,
    enum image_type type, const char *registry, const char *cluster)
{
    struct placement place = placement_default();
    struct put_outcome outcome;
    struct report report;

    place.type = type;
    place.registry_name = slice_of(registry);
    place.cluster_id = slice_of(cluster);
    make_report(&report, SOURCE_TRIVY, name, "1", digest, "CVE-1 CVE-2");
    outcome = put_at(bed, &report, &place);
    report_release(&report);
    return outcome;
}

struct scope_case {
    enum decision_scope scope;
    const char *place;
};

static void test_actions_and_scopes(void **state)
{
    static const struct scope_case cases[] = {{DECISION_PROJECT, ""}, {DECISION_REGISTRY, "one"},
        {DECISION_REPOSITORY, "docker.io/library/nginx"}, {DECISION_CLUSTER, "c-1"},
        {DECISION_IMAGES, ""}};
    static const int after[DECISION_ACTION_COUNT] = {IGNORED, IGNORED, HANDLED, OPEN};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int action = 0; action < DECISION_ACTION_COUNT; action++) {
            const struct slice vul = SLICE("CVE-1");
            struct decision_request request = request_of((enum decision_action)action, &vul);
            struct put_outcome in, out, later;
            struct slice id;
            uint64_t rows;
            bool kept = action != DECISION_REPAIR;
            struct bed bed;

            bed_init(&bed);
            in = put_placed(&bed, "nginx", "sha256:a", IMAGE_CLUSTER, "one", "c-1");
            out = put_placed(&bed, "team/app", "sha256:b", IMAGE_CLUSTER, "two", "c-2");
            id = slice_of(in.image_id);
            request.scope = cases[i].scope;
            request.place = slice_of(cases[i].place);
            if (request.scope == DECISION_IMAGES) {
                request.image_ids = &id;
                request.image_count = 1;
            }
            decide(&bed, &request, &rows);
            assert_int_equal(state_of(&bed, in.image_id, "CVE-1"), after[action]);
            assert_int_equal(state_of(&bed, in.image_id, "CVE-2"), OPEN);
            assert_int_equal(state_of(&bed, out.image_id, "CVE-1"),
                request.scope == DECISION_PROJECT ? after[action] : OPEN);
            assert_int_equal(rows, action == DECISION_REOPEN           ? 0
                                   : request.scope == DECISION_PROJECT ? 2
                                                                       : 1);
            /* Of those that come later, all within the scope. */
            later = put_placed(&bed, "nginx", "sha256:c", IMAGE_CLUSTER, "one", "c-1");
            assert_int_equal(state_of(&bed, later.image_id, "CVE-1"),
                kept && request.scope != DECISION_IMAGES ? after[action] : OPEN);
            bed_verify(&bed);
            bed_release(&bed);
        }
}

/* Types, image types and enterprise projects narrow it. */
static void test_narrowed(void **state)
{
    const struct slice vul = SLICE("CVE-1"), team = SLICE("team-1");
    struct decision_request request = request_of(DECISION_IGNORE, &vul);
    struct deciding deciding = deciding_by("ann");
    struct decision_outcome outcome;
    struct put_outcome local, cluster;
    struct bed bed;

    (void)state;
    bed_init(&bed);
    local = put_placed(&bed, "a", "sha256:a", IMAGE_LOCAL, "", "");
    cluster = put_placed(&bed, "b", "sha256:b", IMAGE_CLUSTER, "", "c-1");
    request.type = VUL_APP; /* they are of packages of the system */
    outcome = decide_as(&bed, &request, &deciding);
    assert_true(outcome.rows == 0 && outcome.reached == 0 && outcome.numbers.count == 1);
    ids_release(&outcome.numbers);
    request.type = VUL_LINUX;
    request.image_type = IMAGE_CLUSTER;
    decide(&bed, &request, NULL);
    assert_int_equal(state_of(&bed, local.image_id, "CVE-1"), OPEN);
    assert_int_equal(state_of(&bed, cluster.image_id, "CVE-1"), IGNORED);
    request.image_type = -1;
    deciding.enterprise_projects = &team;
    deciding.enterprise_project_count = 1;
    outcome = decide_as(&bed, &request, &deciding);
    assert_true(outcome.rows == 0 && outcome.reached == 0);
    ids_release(&outcome.numbers);
    bed_release(&bed);
}

/* One image's vulnerability in two packages. */
static struct put_outcome put_two_packages(struct bed *bed)
{
    const struct package package = {
        .ecosystem = SLICE("deb"), .name = SLICE("zlib"), .version = SLICE("1")};
    struct report_claim claim = {.severity = SEVERITY_LOW};
    struct put_outcome outcome;
    struct report report;
    struct err err;

    make_report(&report, SOURCE_TRIVY, "two", "1", "sha256:two", "CVE-1");
    assert_ok(report_add_package(&report, &package, &claim.package, &err));
    assert_ok(report_add_claim(&report, &claim, &err));
    outcome = put_at(bed, &report, NULL);
    report_release(&report);
    return outcome;
}

static uint32_t decide_package(struct bed *bed, enum decision_action action, const char *package,
    const char *vul, bool named, struct slice image)
{
    const struct slice name = slice_of(vul);
    struct decision_request request = request_of(action, *vul ? &name : NULL);

    request.package = slice_of(package);
    if (named) {
        request.scope = DECISION_IMAGES;
        request.image_ids = &image;
        request.image_count = 1;
    }
    return decide(bed, &request, NULL);
}

/* A row is what all of its claims are. */
static void test_packages(void **state)
{
    struct bed bed;
    struct slice id;
    struct put_outcome put;
    uint32_t all;

    (void)state;
    for (int named = 0; named < 2; named++)
        for (int by_vul = 0; by_vul < 2; by_vul++) {
            const char *vul = by_vul ? "CVE-1" : "";

            bed_init(&bed);
            put = put_two_packages(&bed);
            id = slice_of(put.image_id);
            decide_package(&bed, DECISION_IGNORE, "openssl", vul, named != 0, id);
            assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
            decide_package(&bed, DECISION_REPAIR, "zlib", vul, named != 0, id);
            assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
            decide_package(&bed, DECISION_WHITELIST, "zlib", vul, named != 0, id);
            assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
            all = decide_everywhere(&bed, DECISION_REOPEN, "CVE-1", NULL);
            assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
            decide_package(&bed, DECISION_IGNORE, "zlib", vul, named != 0, id);
            assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
            assert_int_equal(withdraw(&bed, all), 1);
            assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
            bed_release(&bed);
        }
}

/* A repair ends when a later report still has it, of whichever source; one without it does not
 * end it. Then the older decision speaks. */
static void test_repair_ends(void **state)
{
    struct bed bed;
    struct put_outcome put;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    put_plain(&bed, SOURCE_GRYPE, "a", "1", "sha256:a", "CVE-2");
    wait_ms(3);
    decide_named(&bed, DECISION_REPAIR, "CVE-1", put.image_id);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
    wait_ms(3);
    put_plain(&bed, SOURCE_GRYPE, "a", "1", "sha256:a", "CVE-2");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
    bed_verify(&bed);
    /* A decision over it now has to look when each claim was found. */
    decide_named(&bed, DECISION_REOPEN, "CVE-2", put.image_id);
    decide_everywhere(&bed, DECISION_IGNORE, "CVE-3", NULL);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
    wait_ms(3);
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
    bed_verify(&bed);
    wait_ms(3);
    decide_everywhere(&bed, DECISION_IGNORE, "CVE-1", NULL);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    decide_named(&bed, DECISION_REPAIR, "CVE-1", put.image_id);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
    wait_ms(3);
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    bed_verify(&bed);
    bed_release(&bed);
}

/* Both sources have the claim: only what each found last counts, the later of both. */
static void test_repair_two_sources(void **state)
{
    struct bed bed;
    struct put_outcome put;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    put_plain(&bed, SOURCE_GRYPE, "a", "1", "sha256:a", "CVE-1");
    wait_ms(3);
    decide_named(&bed, DECISION_REPAIR, "CVE-1", put.image_id);
    wait_ms(3);
    put_plain(&bed, SOURCE_GRYPE, "a", "1", "sha256:a", "CVE-2"); /* gone, says one */
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
    bed_verify(&bed);
    wait_ms(3);
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1"); /* still there, the other */
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
    bed_verify(&bed);
    bed_release(&bed);
}

static void put_alias(struct bed *bed, const char *name, const char *alias)
{
    struct report report;
    struct report_record record = {.name = slice_of(name)};
    struct report_claim claim = {.severity = SEVERITY_LOW};
    struct err err;

    make_report(&report, SOURCE_GRYPE, "linking", "1", "sha256:link", "CVE-9");
    assert_ok(names_push(&report.arena, &record.aliases, slice_of(alias), &err));
    assert_ok(report_add_record(&report, &record, &claim.record, &err));
    assert_ok(report_add_claim(&report, &claim, &err));
    put_at(bed, &report, NULL);
    report_release(&report);
}

/* A group that gets a better name keeps its decisions, whichever of its names they are about; when
 * it parts, they stay with that name. */
static void group_and_part(bool by_cve)
{
    const char *by = by_cve ? "CVE-1" : "GHSA-1";
    struct bed bed;
    struct put_outcome put, other;

    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "GHSA-1");
    other = put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-1");
    decide_everywhere(&bed, DECISION_IGNORE, by, NULL);
    assert_int_equal(state_of(&bed, put.image_id, "GHSA-1"), by_cve ? OPEN : IGNORED);
    assert_int_equal(state_of(&bed, other.image_id, "CVE-1"), by_cve ? IGNORED : OPEN);
    put_alias(&bed, "GHSA-1", "CVE-1");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    assert_int_equal(state_of(&bed, other.image_id, "CVE-1"), IGNORED);
    bed_verify(&bed);
    put_plain(&bed, SOURCE_GRYPE, "linking", "1", "sha256:link", "CVE-9"); /* no longer */
    assert_int_equal(state_of(&bed, put.image_id, "GHSA-1"), by_cve ? OPEN : IGNORED);
    assert_int_equal(state_of(&bed, other.image_id, "CVE-1"), by_cve ? IGNORED : OPEN);
    bed_verify(&bed);
    bed_release(&bed);
}

static void test_aliases(void **state)
{
    (void)state;
    group_and_part(false);
    group_and_part(true);
}

/* Names that nobody has reported yet may be decided about. */
static void test_unheard_of(void **state)
{
    struct bed bed;
    struct put_outcome put;
    uint64_t rows;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    decide_everywhere(&bed, DECISION_IGNORE, "CVE-77", &rows);
    assert_int_equal(rows, 0);
    put = put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-77");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-77"), IGNORED);
    bed_verify(&bed);
    bed_release(&bed);
}

/* Decisions on named images go with an image that gets another id, and wait for one that is put
 * again. */
static void test_image_moves(void **state)
{
    struct image_change change = {FIELD_ENTERPRISE_PROJECT, placement_default()};
    char id[UUID_TEXT_BYTES];
    struct bed bed;
    struct put_outcome put;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    decide_named(&bed, DECISION_IGNORE, "CVE-1", put.image_id);
    change.to.enterprise_project = SLICE("team-1");
    assert_ok(
        fleet_set_image(bed.fleet, bed.project, slice_of(put.image_id), &change, "test", id, &err));
    assert_string_not_equal(id, put.image_id);
    assert_int_equal(state_of(&bed, id, "CVE-1"), IGNORED);
    bed_verify(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1"); /* where it was */
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
    decide_named(&bed, DECISION_WHITELIST, "CVE-1", put.image_id);
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(put.image_id), "test", &err));
    bed_verify(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    bed_verify(&bed);
    bed_release(&bed);
}

/* The same by a process that has no project in memory. */
static void test_image_moves_unloaded(void **state)
{
    struct image_change change = {FIELD_ENTERPRISE_PROJECT, placement_default()};
    char id[UUID_TEXT_BYTES];
    struct bed bed;
    struct fleet *other;
    struct put_outcome put;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    decide_named(&bed, DECISION_IGNORE, "CVE-1", put.image_id);
    other = fleet_open(bed.dir, STORE_WRITE, &err);
    assert_non_null(other);
    change.to.enterprise_project = SLICE("team-1");
    assert_ok(
        fleet_set_image(other, bed.project, slice_of(put.image_id), &change, "test", id, &err));
    fleet_close(other);
    bed_verify(&bed);
    assert_int_equal(state_of(&bed, id, "CVE-1"), IGNORED);
    bed_release(&bed);
}

/* Of several requests the later ones are newer. */
static void test_several(void **state)
{
    const struct slice vul = SLICE("CVE-1");
    const struct decision_request requests[2] = {
        request_of(DECISION_IGNORE, &vul), request_of(DECISION_REPAIR, &vul)};
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    struct put_outcome put;
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    decide_named(&bed, DECISION_IGNORE, "CVE-1", put.image_id);
    assert_ok(fleet_decide(bed.fleet, bed.project, requests, 2, &by, "test", &outcome, &err));
    assert_int_equal(outcome.numbers.count, 2);
    assert_int_equal(outcome.rows, 1);
    ids_release(&outcome.numbers);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), HANDLED);
    bed_verify(&bed);
    bed_release(&bed);
}

static void test_withdraw(void **state)
{
    const struct slice team = SLICE("team-1");
    struct deciding by = deciding_by("bob");
    struct bed bed;
    struct put_outcome put;
    uint32_t first, second;
    uint64_t rows;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    first = decide_everywhere(&bed, DECISION_IGNORE, "CVE-1", NULL);
    second = decide_everywhere(&bed, DECISION_REOPEN, "CVE-1", NULL);
    assert_int_equal(withdraw(&bed, second), 1);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    assert_fails(fleet_withdraw_decision(bed.fleet, bed.project, second, &by, "test", &rows, &err),
        ERR_CONFLICT, "withdrawn");
    assert_fails(fleet_withdraw_decision(bed.fleet, bed.project, 999, &by, "test", &rows, &err),
        ERR_NOT_FOUND, "999");
    by.enterprise_projects = &team;
    by.enterprise_project_count = 1;
    assert_fails(fleet_withdraw_decision(bed.fleet, bed.project, first, &by, "test", &rows, &err),
        ERR_FORBIDDEN, "granted");
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), IGNORED);
    assert_int_equal(withdraw(&bed, first), 1);
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
    bed_release(&bed);
}

/* One that names no vulnerability is about all of them. */
static void test_withdraw_above_a_package(void **state)
{
    struct decision_request by_package = request_of(DECISION_IGNORE, NULL);
    const struct deciding by = deciding_by("bob");
    struct bed bed;
    uint32_t older, newer;
    struct ids gone = {&older, 1, 0};
    uint64_t rows;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_TRIVY, "one", "1", "sha256:a", "CVE-1 CVE-2");
    by_package.package = SLICE("openssl");
    older = decide(&bed, &by_package, NULL);
    newer = decide_everywhere(&bed, DECISION_IGNORE, "CVE-1", NULL);
    assert_ok(fleet_preview_withdrawal(bed.fleet, bed.project, newer, &gone, &by, &rows, &err));
    assert_int_equal(rows, 1);
    assert_int_equal(withdraw(&bed, newer), 0);
    assert_int_equal(withdraw(&bed, older), 2);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions_and_scopes),
        cmocka_unit_test(test_narrowed),
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_repair_ends),
        cmocka_unit_test(test_repair_two_sources),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_unheard_of),
        cmocka_unit_test(test_image_moves),
        cmocka_unit_test(test_image_moves_unloaded),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_withdraw),
        cmocka_unit_test(test_withdraw_above_a_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
