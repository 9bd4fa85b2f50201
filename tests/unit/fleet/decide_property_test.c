/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions in two fleets on one data folder, while images come, change, move and go and the clock
 * goes on. After each operation every row must be what the listed decisions and the shown claims
 * say, worked out the plain way, and memory must equal the stored facts; whoever decides must be
 * told how many rows change, and a preview must name them.
 */
#include "unit.h"

#include "decision_world.h"
#include "fleet/deciding.h"

enum { ROUNDS = 220, NAMES_MAX = 6, DECISIONS_MAX = 4096, ROWS_MAX = 512 };

/* --- What rows must be ------------------------------------------------------------------------ */

struct listed {
    struct arena arena;
    struct decision *at;
    struct slice (*vul_ids)[NAMES_MAX];
    uint64_t *rows; /* that each lies over, as told */
    size_t count;
};

static int take_view(void *ctx, const struct decision_view *view, struct err *err)
{
    struct listed *l = ctx;

    assert_true(l->count < DECISIONS_MAX && view->decision->vuln_count <= NAMES_MAX);
    for (size_t i = 0; i < view->decision->vuln_count; i++)
        if (arena_dup(&l->arena, view->vul_ids[i], &l->vul_ids[l->count][i], err) < 0)
            return -1;
    l->rows[l->count] = view->rows;
    return decision_dup(&l->arena, view->decision, &l->at[l->count++], err);
}

static void list_decisions(struct test *t, bool in_force, struct listed *ret)
{
    const struct decision_query query = {.in_force = in_force, .limit = SIZE_MAX};
    struct err err;

    arena_init(&ret->arena, "decisions", 64 << 20);
    ret->at = arena_alloc_array(&ret->arena, DECISIONS_MAX, sizeof(*ret->at), &err);
    ret->vul_ids = arena_alloc_array(&ret->arena, DECISIONS_MAX, sizeof(*ret->vul_ids), &err);
    ret->rows = arena_alloc_array(&ret->arena, DECISIONS_MAX, sizeof(*ret->rows), &err);
    ret->count = 0;
    assert_true(ret->at && ret->vul_ids && ret->rows);
    assert_ok(fleet_each_decision(t->bed.fleet, t->bed.project, &query, take_view, ret, &err));
}

static bool is_about(const struct listed *l, size_t at, const struct image_detail *image,
    const struct image_claim *claim)
{
    const struct decision *d = &l->at[at];
    bool named = d->vuln_count == 0;

    for (size_t i = 0; i < d->vuln_count; i++)
        named |= slice_eq(l->vul_ids[at][i], claim->vul_id);
    return named && (d->type < 0 || d->type == (int)claim->type) &&
           (d->package.len == 0 ||
               slice_eq(d->package, image->packages[claim->package].package.name)) &&
           (d->action != DECISION_REPAIR ||
               image->sources[claim->source].scanned_ms <= d->created_ms) &&
           decision_reaches(d, &image->image);
}

/* The newest that matches: decisions are listed in their order. */
static int state_of_claim(
    const struct listed *l, const struct image_detail *image, const struct image_claim *claim)
{
    static const int after[DECISION_ACTION_COUNT] = {IGNORED, IGNORED, HANDLED, OPEN};

    for (size_t i = l->count; i > 0; i--)
        if (is_about(l, i - 1, image, claim))
            return after[l->at[i - 1].action];
    return OPEN;
}

struct row {
    char image[UUID_TEXT_BYTES];
    uint32_t vuln;
    uint8_t code;
    char vul_id[16];
};

struct rows {
    size_t count;
    struct row at[ROWS_MAX];
};

static void note_row(struct rows *rows, const struct affected_row *row)
{
    struct row *to = &rows->at[rows->count++];

    assert_true(rows->count <= ROWS_MAX);
    *to = (struct row){.vuln = row->vuln, .code = row->code};
    memcpy(to->image, row->image->id, UUID_TEXT_BYTES);
    assert_true(slice_to_cstr(row->vul_id, to->vul_id, sizeof(to->vul_id)));
}

struct pages {
    struct rows *rows;
    uint32_t image, vuln; /* the last row's */
    bool more;
};

static int take_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct pages *pages = ctx;

    (void)err;
    for (size_t i = 0; i < page->count; i++) {
        note_row(pages->rows, &page->rows[i]);
        pages->image = page->rows[i].image->number;
        pages->vuln = page->rows[i].vuln;
    }
    pages->more = page->more;
    return 0;
}

static void list_rows(struct test *t, struct rows *ret)
{
    struct pages pages = {.rows = ret, .more = true};
    struct err err;

    ret->count = 0;
    while (pages.more) {
        const struct affected_query query = {.q = {.scope = {.type = -1},
                                                 .codes = INDEX_ALL_CODES,
                                                 .by_cursor = true,
                                                 .after_image = pages.image,
                                                 .after_vuln = pages.vuln,
                                                 .limit = LIMIT_PAGE_MAX}};

        assert_ok(fleet_affected(t->bed.fleet, t->bed.project, &query, take_page, &pages, &err));
    }
}

/* One row against the claims of its image. Also counts what each decision lies over. */
static void check_row(
    const struct listed *l, const struct row *row, const struct image_detail *image, uint64_t *over)
{
    int state = IGNORED;
    bool met = false;

    for (size_t i = 0; i < image->claim_count; i++) {
        const struct image_claim *claim = &image->claims[i];

        if (slice_is(claim->vul_id, row->vul_id) && claim->type == vuln_type(row->vuln)) {
            state &= state_of_claim(l, image, claim);
            met = true;
        }
    }
    assert_true(met);
    assert_int_equal(index_code_handled(row->code) + 2 * index_code_ignored(row->code), state);
    for (size_t d = 0; d < l->count; d++) {
        bool lies = false;

        for (size_t i = 0; i < image->claim_count; i++)
            lies |= slice_is(image->claims[i].vul_id, row->vul_id) &&
                    image->claims[i].type == vuln_type(row->vuln) &&
                    is_about(l, d, image, &image->claims[i]);
        over[d] += lies;
    }
}

static bool expired_since(struct test *t, int64_t from_ms)
{
    struct listed listed;
    bool found = false;

    list_decisions(t, false, &listed);
    for (size_t i = 0; i < listed.count; i++)
        found |= listed.at[i].expires_ms >= from_ms && listed.at[i].expires_ms <= clock_now_ms();
    arena_release(&listed.arena);
    return found;
}

/* What is told of each is what a walk over the rows finds, in any enterprise projects. */
static void check_counts(struct test *t, const struct listed *l)
{
    const struct slice granted[] = {SLICE("team-1"), SLICE("team-2"), SLICE("0")};
    uint64_t told, walked;
    struct err err;

    for (size_t i = 0; i < l->count; i++) {
        const struct slice *from = &granted[below(t, 3)];
        size_t count = below(t, (unsigned)(granted + 3 - from) + 1);

        assert_ok(count_reached(t->bed.fleet, t->bed.project, &l->at[i], from, count, &told, &err));
        assert_ok(count_reached_by_walk(
            t->bed.fleet, t->bed.project, &l->at[i], from, count, &walked, &err));
        assert_int_equal(told, walked);
    }
}

static void check_rows(struct test *t)
{
    static struct rows rows;
    static uint64_t over[DECISIONS_MAX];
    struct listed listed;
    struct image_detail image = {0};
    int64_t from_ms;
    bool again;
    struct err err;

    do { /* again, when one expires while we look */
        from_ms = clock_now_ms();
        assert_ok(fleet_follow(t->bed.fleet, &err));
        list_decisions(t, true, &listed);
        list_rows(t, &rows);
        bed_verify(&t->bed);
        again = expired_since(t, from_ms);
        if (again)
            arena_release(&listed.arena);
    } while (again);
    memset(over, 0, sizeof(over));
    for (size_t i = 0; i < rows.count; i++) {
        if (i == 0 || strcmp(rows.at[i].image, rows.at[i - 1].image) != 0) {
            arena_reset(&t->bed.arena);
            image = show(&t->bed, rows.at[i].image);
        }
        check_row(&listed, &rows.at[i], &image, over);
    }
    for (size_t i = 0; i < listed.count; i++)
        assert_int_equal(listed.rows[i], over[i]);
    check_counts(t, &listed);
    arena_release(&listed.arena);
}

/* --- Deciding --------------------------------------------------------------------------------- */

struct drawn {
    struct decision_request request;
    struct slice vuls[2], images[3];
    struct ids_of ids;
};

static void draw_request(struct test *t, struct drawn *ret)
{
    struct decision_request *request = &ret->request;

    *request = request_of((enum decision_action)below(t, DECISION_ACTION_COUNT), NULL);
    list_images(t, &ret->ids);
    request->scope = (enum decision_scope)below(t, DECISION_SCOPE_COUNT);
    if (request->scope == DECISION_IMAGES && ret->ids.count == 0)
        request->scope = DECISION_PROJECT;
    for (unsigned i = 0; request->scope == DECISION_IMAGES && i < 1 + below(t, 3); i++)
        ret->images[request->image_count++] =
            slice_of(ret->ids.at[below(t, (unsigned)ret->ids.count)]);
    request->image_ids = ret->images;
    if (request->scope == DECISION_REPOSITORY)
        request->place = slice_of(PICK(t, names));
    if (request->scope == DECISION_REGISTRY)
        request->place = SLICE("hub");
    if (request->scope == DECISION_CLUSTER)
        request->place = SLICE("c-1");
    if (below(t, 3) == 0)
        request->package = slice_of(PICK(t, packages));
    request->all_vuls = below(t, 4) == 0;
    if (!request->all_vuls && (request->package.len == 0 || below(t, 2)))
        for (unsigned i = 0; i < 1 + below(t, 2); i++)
            ret->vuls[request->vul_count++] = slice_of(PICK(t, vulns));
    request->vuls = ret->vuls;
    request->handled = (int)below(t, 3) - 1;
    request->type = (int)below(t, 3) - 1;
    if (below(t, 4) == 0)
        request->image_type = below(t, 2) ? IMAGE_REGISTRY : IMAGE_CLUSTER;
}

static int take_row(void *ctx, const struct affected_row *row, struct err *err)
{
    (void)err;
    assert_true(row->first_scan_ms > 0);
    note_row(ctx, row);
    return 0;
}

static void check_changes(
    const struct rows *before, const struct rows *after, const struct rows *told, uint64_t rows)
{
    size_t at = 0;

    assert_int_equal(before->count, after->count);
    assert_int_equal(told->count, rows);
    for (size_t i = 0; i < before->count; i++) {
        assert_int_equal(before->at[i].vuln, after->at[i].vuln);
        if (before->at[i].code == after->at[i].code)
            continue;
        assert_true(at < told->count);
        assert_string_equal(told->at[at].image, before->at[i].image);
        assert_int_equal(told->at[at].vuln, before->at[i].vuln);
        assert_int_equal(told->at[at++].code, before->at[i].code);
    }
    assert_int_equal(at, told->count);
}

static void decide_some(struct test *t)
{
    static struct rows before, after, told;
    static struct drawn drawn[2];
    struct slice project = SLICE("team-1");
    struct deciding deciding = deciding_by("ann");
    struct decision_request requests[2];
    struct decision_outcome preview, outcome;
    size_t count = 1 + (below(t, 3) == 0);
    int64_t from_ms = clock_now_ms();
    struct err err;

    for (size_t i = 0; i < count; i++) {
        drawn[i] = (struct drawn){0};
        draw_request(t, &drawn[i]);
        requests[i] = drawn[i].request;
    }
    if (below(t, 4) == 0)
        deciding.expires_ms = clock_now_ms() + 5 + below(t, 60);
    if (below(t, 4) == 0) {
        deciding.enterprise_projects = &project;
        deciding.enterprise_project_count = 1;
    }
    assert_ok(fleet_follow(t->bed.fleet, &err));
    list_rows(t, &before);
    told.count = 0;
    if (fleet_preview_decision(t->bed.fleet, t->bed.project, requests, count, &deciding, take_row,
            &told, &preview, &err) < 0 ||
        fleet_decide(
            t->bed.fleet, t->bed.project, requests, count, &deciding, "test", &outcome, &err) < 0) {
        assert_int_equal(err.code, ERR_INVALID); /* it expired before it was made */
        assert_true(deciding.expires_ms && deciding.expires_ms <= clock_now_ms());
        return;
    }
    list_rows(t, &after);
    /* Unless the clock may have ended one meanwhile. */
    if (!expired_since(t, from_ms)) {
        assert_int_equal(preview.rows, outcome.rows);
        assert_int_equal(preview.reached, outcome.reached);
        check_changes(&before, &after, &told, outcome.rows);
    }
    ids_release(&outcome.numbers);
}

/* Withdraws two, one after the other, as foretold. */
static void withdraw_two(struct test *t)
{
    const struct deciding by = deciding_by("bob");
    struct fleet *fleet = t->bed.fleet;
    int64_t from_ms = clock_now_ms();
    struct listed listed;
    struct err err;

    assert_ok(fleet_follow(t->bed.fleet, &err)); /* what expired before from_ms has ended */
    list_decisions(t, true, &listed);
    if (listed.count > 1) {
        size_t from = below(t, (unsigned)listed.count - 1);
        uint32_t numbers[] = {listed.at[from].number, listed.at[from + 1].number};
        const struct ids gone = {numbers, 1, 0};
        uint64_t told[2], rows[2];
        int failed = 0;

        failed |=
            fleet_preview_withdrawal(fleet, t->bed.project, numbers[0], NULL, &by, &told[0], &err);
        failed |=
            fleet_preview_withdrawal(fleet, t->bed.project, numbers[1], &gone, &by, &told[1], &err);
        for (int i = 0; i < 2; i++)
            failed |= fleet_withdraw_decision(
                fleet, t->bed.project, numbers[i], &by, "test", &rows[i], &err);
        if (!expired_since(t, from_ms)) {
            assert_int_equal(failed, 0);
            assert_int_equal(told[0], rows[0]);
            assert_int_equal(told[1], rows[1]);
        }
    }
    arena_release(&listed.arena);
}

static void withdraw_some(struct test *t)
{
    static struct rows before, after;
    const struct deciding by = deciding_by("bob");
    struct listed listed;
    uint64_t rows, changed = 0;
    int64_t from_ms = clock_now_ms();
    struct err err;

    assert_ok(fleet_follow(t->bed.fleet, &err)); /* what expired before from_ms has ended */
    list_decisions(t, true, &listed);
    if (listed.count) {
        uint32_t number = listed.at[below(t, (unsigned)listed.count)].number;

        list_rows(t, &before);
        if (fleet_withdraw_decision(
                t->bed.fleet, t->bed.project, number, &by, "test", &rows, &err) < 0) {
            assert_int_equal(err.code, ERR_CONFLICT); /* expired a moment ago */
            assert_true(expired_since(t, from_ms));
            rows = UINT64_MAX;
        }
        list_rows(t, &after);
        if (rows != UINT64_MAX && !expired_since(t, from_ms)) {
            for (size_t i = 0; i < before.count; i++)
                changed += before.at[i].code != after.at[i].code;
            assert_int_equal(changed, rows);
        }
    }
    arena_release(&listed.arena);
}

/* --- Rounds ----------------------------------------------------------------------------------- */

static struct fleet *open_fleet(const char *dir)
{
    struct err err;
    struct fleet *fleet = fleet_open(dir, STORE_CREATE, &err);

    assert_non_null(fleet);
    assert_ok(fleet_load(fleet, 0, &err));
    return fleet;
}

static void run_round(struct test *t)
{
    struct err err;

    t->bed.fleet = t->fleets[below(t, 4) == 0];
    assert_ok(fleet_follow(t->bed.fleet, &err));
    switch (below(t, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        put_some(t);
        break;
    case 4:
        change_some(t);
        break;
    case 5:
    case 6:
        if (below(t, 2))
            withdraw_some(t);
        else
            withdraw_two(t);
        break;
    case 7:
        wait_ms(1 + below(t, 20));
        break;
    case 8:
        assert_ok(fleet_expire_decisions(t->bed.fleet, "test", NULL, NULL, &err));
        break;
    default:
        decide_some(t);
    }
    check_rows(t);
    if (below(t, 3) == 0) {
        t->bed.fleet = t->fleets[t->bed.fleet == t->fleets[0]];
        check_rows(t);
    }
    if (below(t, 40) == 0) {
        fleet_close(t->fleets[1]);
        t->fleets[1] = open_fleet(t->bed.dir);
    }
}

static void run_seed(uint64_t seed)
{
    static struct test t;

    t = (struct test){.rng = {seed}};
    print_message("seed %llu\n", (unsigned long long)seed);
    bed_init(&t.bed);
    t.fleets[0] = t.bed.fleet;
    t.fleets[1] = open_fleet(t.bed.dir);
    for (int round = 0; round < ROUNDS; round++)
        run_round(&t);
    fleet_close(t.fleets[1]);
    t.bed.fleet = t.fleets[0];
    bed_release(&t.bed);
}

static void test_random(void **state)
{
    const char *seed = getenv("CAREEN_TEST_SEED");
    uint64_t from = 1, to = 3;

    (void)state;
    if (seed && slice_to_u64(slice_of(seed), &from))
        to = from;
    for (; from <= to; from++)
        run_seed(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
