/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions over time: expiry by the clock, in one process and in two, lists, and the history. */
#include "unit.h"

#include "decision_bed.h"

static uint32_t decide_until(struct bed *bed, const char *vul, int64_t expires_ms)
{
    const struct slice name = slice_of(vul);
    const struct decision_request request = request_of(DECISION_IGNORE, &name);
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    uint32_t number;

    by.expires_ms = expires_ms;
    outcome = decide_as(bed, &request, &by);
    assert_int_equal(outcome.numbers.count, 1);
    number = outcome.numbers.at[0];
    ids_release(&outcome.numbers);
    return number;
}

struct ended {
    size_t count;
    uint32_t number;
};

static void take_ended(void *ctx, struct slice project_id, const struct decision *decision)
{
    struct ended *ended = ctx;

    assert_slice(project_id, "default");
    assert_int_equal(decision->end, DECISION_EXPIRED);
    assert_int_equal(decision->ended_ms, decision->expires_ms);
    ended->count++;
    ended->number = decision->number;
}

static struct decision get_decision(struct bed *bed, uint32_t number)
{
    struct decision decision;
    struct err err;

    assert_ok(store_get_decision(fleet_store(bed->fleet), number, &bed->arena, &decision, &err));
    return decision;
}

/* It ends in memory by itself; its end is written down once, whoever comes first. */
static void test_expiry(void **state)
{
    struct bed bed;
    struct fleet *other, *unloaded;
    struct ended ended = {.count = 0};
    struct put_outcome put;
    uint32_t number;
    int64_t expires_ms;
    struct deciding by = deciding_by("bob");
    uint64_t rows;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    other = fleet_open(bed.dir, STORE_WRITE, &err);
    unloaded = fleet_open(bed.dir, STORE_WRITE, &err);
    assert_true(other && unloaded);
    assert_ok(fleet_load(other, 0, &err));
    expires_ms = clock_now_ms() + 400;
    number = decide_until(&bed, "CVE-1", expires_ms);
    assert_ok(fleet_follow(other, &err));
    assert_int_equal(state_in(other, bed.project, put.image_id, "CVE-1"), IGNORED);
    assert_ok(fleet_expire_decisions(other, "test", take_ended, &ended, &err));
    assert_int_equal(ended.count, 0);
    wait_ms((unsigned)(expires_ms - clock_now_ms()) + 1);
    assert_ok(fleet_follow(bed.fleet, &err));
    assert_int_equal(state_of(&bed, put.image_id, "CVE-1"), OPEN);
    bed_verify(&bed);
    assert_int_equal(get_decision(&bed, number).end, DECISION_IN_FORCE); /* nobody wrote it */
    assert_fails(fleet_withdraw_decision(bed.fleet, bed.project, number, &by, "test", &rows, &err),
        ERR_CONFLICT, "expired");
    assert_ok(fleet_expire_decisions(unloaded, "test", take_ended, &ended, &err));
    assert_true(ended.count == 1 && ended.number == number);
    assert_ok(fleet_expire_decisions(unloaded, "test", take_ended, &ended, &err));
    assert_ok(fleet_expire_decisions(other, "test", take_ended, &ended, &err));
    assert_ok(fleet_expire_decisions(bed.fleet, "test", take_ended, &ended, &err));
    assert_int_equal(ended.count, 1);
    assert_int_equal(get_decision(&bed, number).end, DECISION_EXPIRED);
    assert_int_equal(state_in(other, bed.project, put.image_id, "CVE-1"), OPEN);
    assert_ok(fleet_verify(other, bed.project, &err));
    bed_verify(&bed);
    fleet_close(other);
    fleet_close(unloaded);
    bed_release(&bed);
}

/* One that loads after the end, written down or not, does not know it any more; a loaded one tells
 * of those that ended before. */
static void test_loaded_late(void **state)
{
    struct bed bed;
    struct fleet *other;
    struct ended ended = {.count = 0};
    struct put_outcome put;
    struct err err;

    (void)state;
    bed_init(&bed);
    put = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    decide_until(&bed, "CVE-1", clock_now_ms() + 60);
    wait_ms(80);
    other = fleet_open(bed.dir, STORE_WRITE, &err);
    assert_non_null(other);
    assert_ok(fleet_load(other, 0, &err));
    assert_int_equal(state_in(other, bed.project, put.image_id, "CVE-1"), OPEN);
    assert_ok(fleet_verify(other, bed.project, &err));
    assert_ok(fleet_expire_decisions(other, "test", take_ended, &ended, &err));
    assert_int_equal(ended.count, 1);
    fleet_close(other);
    bed_verify(&bed);
    bed_release(&bed);
}

/* --- Lists ------------------------------------------------------------------------------------ */

struct listed {
    size_t count;
    uint32_t numbers[16];
    uint64_t rows[16];
    enum decision_end ends[16];
    char vul[16][32]; /* the first */
};

static int take_view(void *ctx, const struct decision_view *view, struct err *err)
{
    struct listed *l = ctx;

    (void)err;
    assert_true(l->count < 16);
    l->numbers[l->count] = view->decision->number;
    l->rows[l->count] = view->rows;
    l->ends[l->count] = view->decision->end;
    l->vul[l->count][0] = '\0';
    if (view->decision->vuln_count)
        assert_true(slice_to_cstr(view->vul_ids[0], l->vul[l->count], 32));
    l->count++;
    return 0;
}

static struct listed list(struct bed *bed, const struct decision_query *query)
{
    struct listed listed = {.count = 0};
    struct err err;

    assert_ok(fleet_each_decision(bed->fleet, bed->project, query, take_view, &listed, &err));
    return listed;
}

static void put_linking(struct bed *bed)
{
    struct report report;
    struct report_record record = {.name = SLICE("GHSA-1")};
    struct report_claim claim = {.severity = SEVERITY_LOW};
    struct err err;

    make_report(&report, SOURCE_GRYPE, "linking", "1", "sha256:link", "CVE-9");
    assert_ok(names_push(&report.arena, &record.aliases, SLICE("CVE-1"), &err));
    assert_ok(report_add_record(&report, &record, &claim.record, &err));
    assert_ok(report_add_claim(&report, &claim, &err));
    put_at(bed, &report, NULL);
    report_release(&report);
}

static void test_lists(void **state)
{
    const struct slice team = SLICE("team-1"), vul = SLICE("CVE-1");
    const struct decision_request request = request_of(DECISION_IGNORE, &vul);
    struct decision_query query = {.limit = 10};
    struct deciding by = deciding_by("ann");
    struct decision_outcome outcome;
    struct listed l;
    struct bed bed;
    uint32_t expiring, withdrawn;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1 CVE-2");
    put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "GHSA-1");
    decide_everywhere(&bed, DECISION_IGNORE, "GHSA-1", NULL);
    withdrawn = decide_everywhere(&bed, DECISION_REPAIR, "CVE-2", NULL);
    withdraw(&bed, withdrawn);
    expiring = decide_until(&bed, "CVE-2", clock_now_ms() + 50);
    by.enterprise_projects = &team;
    by.enterprise_project_count = 1;
    outcome = decide_as(&bed, &request, &by);
    ids_release(&outcome.numbers);
    put_linking(&bed);
    wait_ms(60);
    l = list(&bed, &query);
    assert_int_equal(l.count, 4);
    assert_true(l.numbers[0] == 1 && l.ends[0] == DECISION_IN_FORCE && l.rows[0] == 3);
    assert_string_equal(l.vul[0], "CVE-1"); /* as rows show it now */
    assert_true(l.numbers[1] == withdrawn && l.ends[1] == DECISION_WITHDRAWN && l.rows[1] == 0);
    assert_true(l.numbers[2] == expiring && l.ends[2] == DECISION_EXPIRED && l.rows[2] == 0);
    assert_true(l.rows[3] == 0); /* nothing stands there */
    query.in_force = true;
    assert_int_equal(list(&bed, &query).count, 2);
    query.vul_id = SLICE("GHSA-1");
    assert_int_equal(list(&bed, &query).count, 2);
    query.vul_id = SLICE("CVE-2");
    assert_int_equal(list(&bed, &query).count, 0);
    query.in_force = false;
    assert_int_equal(list(&bed, &query).count, 2);
    query.vul_id = SLICE("CVE-404");
    assert_int_equal(list(&bed, &query).count, 0);
    query = (struct decision_query){.limit = 2, .after = 1};
    l = list(&bed, &query);
    assert_true(l.count == 2 && l.numbers[0] == 2 && l.numbers[1] == 3);
    query = (struct decision_query){
        .limit = 9, .enterprise_projects = &SLICE("0"), .enterprise_project_count = 1};
    l = list(&bed, &query);
    assert_true(l.count == 3 && l.rows[0] == 3);
    bed_release(&bed);
}

static int take_one(void *ctx, const struct decision_view *view, struct err *err)
{
    (void)take_view(ctx, view, err);
    return 1;
}

/* Who has had enough is not told of more. */
static void test_enough(void **state)
{
    const struct decision_query query = {.limit = 10};
    struct listed listed = {.count = 0};
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    decide_everywhere(&bed, DECISION_IGNORE, "CVE-1", NULL);
    decide_everywhere(&bed, DECISION_REOPEN, "CVE-1", NULL);
    assert_ok(fleet_each_decision(bed.fleet, bed.project, &query, take_one, &listed, &err));
    assert_int_equal(listed.count, 1);
    bed_release(&bed);
}

/* --- History ---------------------------------------------------------------------------------- */

struct told {
    size_t count;
    uint32_t decisions[16];
    char images[16][UUID_TEXT_BYTES];
    bool gone[16];
};

static int take_entry(void *ctx, const struct history_entry *entry, struct err *err)
{
    struct told *told = ctx;

    (void)err;
    assert_true(told->count < 16);
    told->decisions[told->count] = entry->decision->number;
    memcpy(told->images[told->count], entry->image_id, UUID_TEXT_BYTES);
    assert_true(!entry->image || strcmp(entry->image->id, entry->image_id) == 0);
    told->gone[told->count++] = !entry->image;
    return 0;
}

static struct told tell(struct bed *bed, const struct history_query *query, uint64_t *ret_total)
{
    struct told told = {.count = 0};
    struct err err;

    assert_ok(fleet_decision_history(
        bed->fleet, bed->project, query, take_entry, &told, ret_total, &err));
    return told;
}

static void test_history(void **state)
{
    struct history_query query = {
        .vul_id = SLICE("CVE-1"), .scope = {.type = -1}, .action = -1, .status = -1, .limit = 10};
    struct put_outcome a, b, c;
    struct told told;
    uint64_t total;
    struct bed bed;
    struct err err;

    (void)state;
    bed_init(&bed);
    a = put_plain(&bed, SOURCE_TRIVY, "a", "1", "sha256:a", "CVE-1");
    b = put_plain(&bed, SOURCE_TRIVY, "b", "1", "sha256:b", "CVE-1 CVE-2");
    c = put_plain(&bed, SOURCE_TRIVY, "c", "1", "sha256:c", "CVE-2");
    decide_named(&bed, DECISION_REPAIR, "CVE-1", a.image_id);    /* 1 */
    decide_everywhere(&bed, DECISION_IGNORE, "CVE-1", NULL);     /* 2 */
    decide_everywhere(&bed, DECISION_IGNORE, "CVE-2", NULL);     /* 3: another one */
    decide_named(&bed, DECISION_REOPEN, "CVE-1", b.image_id);    /* 4 */
    decide_named(&bed, DECISION_WHITELIST, "CVE-1", c.image_id); /* 5: has it not */
    withdraw(&bed, 2);
    assert_ok(fleet_remove_image(bed.fleet, bed.project, slice_of(a.image_id), "test", &err));
    told = tell(&bed, &query, &total);
    assert_true(total == 4 && told.count == 4);
    assert_true(told.decisions[0] == 5 && strcmp(told.images[0], c.image_id) == 0);
    assert_true(told.decisions[1] == 4 && strcmp(told.images[1], b.image_id) == 0);
    assert_true(told.decisions[2] == 2 && strcmp(told.images[2], b.image_id) == 0);
    assert_true(told.decisions[3] == 1 && told.gone[3]);
    assert_string_equal(told.images[3], a.image_id);
    query.offset = 1;
    query.limit = 2;
    told = tell(&bed, &query, &total);
    assert_true(total == 4 && told.count == 2 && told.decisions[0] == 4);
    query.offset = 0;
    query.limit = 10;
    query.action = DECISION_IGNORE;
    assert_int_equal(tell(&bed, &query, &total).decisions[0], 2);
    assert_int_equal(total, 1);
    query.action = -1;
    query.status = STATUS_UNFIX;
    tell(&bed, &query, &total);
    assert_int_equal(total, 2);
    query.status = -1;
    query.scope.name_part = SLICE("b");
    tell(&bed, &query, &total);
    assert_int_equal(total, 2);
    query.scope.name_part = SLICE("");
    query.author = SLICE("bob");
    tell(&bed, &query, &total);
    assert_int_equal(total, 0);
    query.author = SLICE("ann");
    query.reason_part = SLICE("test");
    tell(&bed, &query, &total);
    assert_int_equal(total, 4);
    query.vul_id = SLICE("CVE-404");
    tell(&bed, &query, &total);
    assert_int_equal(total, 0);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_loaded_late),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_enough),
        cmocka_unit_test(test_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
