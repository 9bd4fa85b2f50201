/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciding, and what a decision would change. Both lay the drafts over the rows in an overlay of
 * their own, above all that is in force: what a preview counts is what deciding changes.
 *
 * Deciding counts within its turn to write, after following: nobody else can commit then, so the
 * rows before are those that the decisions meet.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/deciding.h"

/* --- The trial -------------------------------------------------------------------------------- */

/* A draft of names that are not stored says nothing about any row yet. */
static bool is_idle(const struct draft *draft)
{
    return draft->unknown_count > 0 && draft->decision.vuln_count == 0;
}

/* The drafts as decisions newer than all, in their order. */
static int lay_drafts(const struct drafting *drafting, struct overlay *above, struct err *err)
{
    struct tenant *tenant;

    for (size_t i = 0; i < drafting->count; i++) {
        struct decision decision = drafting->at[i].decision;
        int failed;

        if (is_idle(&drafting->at[i]))
            continue;
        decision.number = (uint32_t)(UINT32_MAX - (drafting->count - 1 - i));
        if (fleet_begin_read(drafting->fleet, drafting->project, &tenant, err) < 0)
            return -1;
        failed = overlay_put(above, &tenant->aliases, &decision, err);
        fleet_end_read(drafting->fleet);
        if (failed)
            return -1;
    }
    return 0;
}

struct trial {
    const struct drafting *drafting;
    decided_row_fn fn;
    void *ctx;
    uint64_t rows, reached;
};

static int find_first_scan(const struct tenant *tenant, const struct image *image, uint32_t vuln,
    int64_t *ret, struct err *err)
{
    const struct index_query query = {.scope = {.type = -1, .image_id = slice_of(image->id)},
        .codes = INDEX_ALL_CODES,
        .by_vuln = true,
        .vulns = &vuln,
        .vuln_count = 1,
        .limit = 1};
    struct index_page page;

    if (index_query(tenant->index, &query, &page, err) < 0)
        return -1;
    *ret = page.count ? page.rows[0].first_scan_ms : 0;
    return 0;
}

static int tell_row(const struct trial *trial, const struct tenant *tenant,
    const struct image *image, const struct laid *row, struct err *err)
{
    const struct facts *facts = &trial->drafting->fleet->facts;
    struct affected_row told = {.image = image,
        .vul_id = facts->names[aliases_title(&tenant->aliases, vuln_name_id(row->vuln))].text,
        .type = vuln_type(row->vuln),
        .vuln = row->vuln,
        .code = row->code};

    if (find_first_scan(tenant, image, row->vuln, &told.first_scan_ms, err) < 0)
        return -1;
    return trial->fn(trial->ctx, &told, err);
}

static int try_row(void *ctx, const struct tenant *tenant, const struct image *image,
    const struct laid *row, struct err *err)
{
    struct trial *trial = ctx;

    trial->reached += row->reached;
    if (laid_code(row) == row->code)
        return 0;
    trial->rows++;
    return trial->fn ? tell_row(trial, tenant, image, row, err) : 0;
}

static int try_drafts(const struct drafting *drafting, decided_row_fn fn, void *ctx,
    struct decision_outcome *ret, struct err *err)
{
    struct trial trial = {.drafting = drafting, .fn = fn, .ctx = ctx};
    struct overlay *above = overlay_new(err);
    const struct row_walk walk = {
        .fleet = drafting->fleet, .project = drafting->project, .above = above};
    int failed = !above || lay_drafts(drafting, above, err) < 0 ||
                 walk_rows(&walk, try_row, &trial, err) < 0;

    overlay_free(above);
    if (failed)
        return -1;
    ret->rows = trial.rows;
    ret->reached = trial.reached;
    return 0;
}

/* --- Drafting --------------------------------------------------------------------------------- */

static int check_operation(const struct decision_request *requests, size_t count,
    const struct deciding *deciding, struct err *err)
{
    char text[CLOCK_TEXT_BYTES];

    if (deciding->expires_ms && deciding->expires_ms <= clock_now_ms())
        return err_set(
            err, ERR_INVALID, "expiry: %s is past", clock_format(deciding->expires_ms, text));
    for (size_t i = 0; i < count; i++)
        if (decision_request_check(&requests[i], deciding, err) < 0)
            return -1;
    return 0;
}

static int make_drafts(struct drafting *drafting, const struct decision_request *requests,
    size_t count, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LIMIT_DECIDING_MS * 1000;

    drafting->now_ms = clock_now_ms();
    for (size_t i = 0; i < count; i++) {
        if (clock_monotonic_us() > until_us)
            return err_set(err, ERR_LIMIT,
                "the operation takes longer than %d s: ask for fewer images or vulnerabilities at "
                "once",
                LIMIT_DECIDING_MS / 1000);
        if (decision_request_draft(drafting, &requests[i], err) < 0)
            return -1;
    }
    return 0;
}

static int check_room(const struct drafting *drafting, struct err *err)
{
    struct tenant *tenant;
    size_t in_force;

    if (fleet_begin_overlays(drafting->fleet, drafting->project, &tenant, err) < 0)
        return -1;
    in_force = overlay_count(tenant->overlay);
    fleet_end_overlays(drafting->fleet);
    if (drafting->count <= LIMIT_DECISIONS_IN_FORCE &&
        in_force <= LIMIT_DECISIONS_IN_FORCE - drafting->count)
        return 0;
    return err_set(err, ERR_LIMIT,
        "%zu decisions are in force in this project, and this would make %zu more; the limit is "
        "%d: withdraw some, or decide about more images at once",
        in_force, drafting->count, LIMIT_DECISIONS_IN_FORCE);
}

int fleet_preview_decision(struct fleet *fleet, uint32_t project,
    const struct decision_request *requests, size_t count, const struct deciding *deciding,
    decided_row_fn fn, void *ctx, struct decision_outcome *ret, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct drafting drafting CLEANUP(drafting_release) = {
        .fleet = fleet, .project = project, .deciding = deciding, .arena = &arena};
    struct decision_outcome outcome = {.rows = 0};

    arena_init(&arena, "an operation on decisions", DECISIONS_MEMORY_BYTES);
    if (check_operation(requests, count, deciding, err) < 0 ||
        make_drafts(&drafting, requests, count, err) < 0 ||
        try_drafts(&drafting, fn, ctx, &outcome, err) < 0)
        return -1;
    *ret = outcome;
    return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* Names that nobody has used yet are stored: images that come later may. So are those that are
 * known: the store may have dropped them since they were read, and give them a new id then. */
static int store_names(const struct drafting *drafting, struct draft *draft, struct err *err)
{
    const struct decision *decision = &draft->decision;
    size_t known = decision->vuln_count, count = known + draft->unknown_count;
    struct ids all = {.count = count};
    struct slice *texts = arena_alloc_array(drafting->arena, count + 1, sizeof(*texts), err);

    all.at = arena_alloc_array(drafting->arena, count + 1, sizeof(*all.at), err);
    if (!texts || !all.at)
        return -1;
    pthread_rwlock_rdlock(&drafting->fleet->lock);
    for (size_t i = 0; i < known; i++)
        texts[i] = drafting->fleet->facts.names[decision->vulns[i]].text;
    pthread_rwlock_unlock(&drafting->fleet->lock);
    for (size_t i = known; i < count; i++)
        texts[i] = draft->unknown[i - known];
    for (size_t i = 0; i < count; i++)
        if (store_put_name(drafting->fleet->store, texts[i], &all.at[i], err) < 0)
            return -1;
    ids_sort_unique(&all);
    draft->decision.vulns = all.at;
    draft->decision.vuln_count = all.count;
    return 0;
}

int decision_add_cause(struct store *store, enum cause_kind kind, uint32_t project, uint32_t number,
    int64_t now_ms, struct err *err)
{
    const struct cause cause = {
        .kind = kind, .at_ms = now_ms, .project = project, .decision = number};

    return store_add_cause(store, &cause, err);
}

static int write_drafts(struct drafting *drafting, struct ids *ret, struct err *err)
{
    struct store *store = drafting->fleet->store;

    for (size_t i = 0; i < drafting->count; i++) {
        struct draft *draft = &drafting->at[i];
        uint32_t number;

        if (store_names(drafting, draft, err) < 0 ||
            store_add_decision(store, &draft->decision, &number, err) < 0 ||
            decision_add_cause(
                store, CAUSE_DECISION_PUT, drafting->project, number, drafting->now_ms, err) < 0 ||
            ids_push(ret, number, err) < 0)
            return -1;
    }
    return 0;
}

static int decide(struct drafting *drafting, const struct decision_request *requests, size_t count,
    const char *who, struct decision_outcome *outcome, struct err *err)
{
    struct store *store = drafting->fleet->store;

    if (store_begin(store, who, err) < 0)
        return -1;
    if (fleet_follow(drafting->fleet, err) < 0 || make_drafts(drafting, requests, count, err) < 0 ||
        check_room(drafting, err) < 0 || try_drafts(drafting, NULL, NULL, outcome, err) < 0 ||
        write_drafts(drafting, &outcome->numbers, err) < 0 || store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

int fleet_decide(struct fleet *fleet, uint32_t project, const struct decision_request *requests,
    size_t count, const struct deciding *deciding, const char *who, struct decision_outcome *ret,
    struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct drafting drafting CLEANUP(drafting_release) = {
        .fleet = fleet, .project = project, .deciding = deciding, .arena = &arena};
    struct decision_outcome outcome = {.rows = 0};
    struct slice project_id;

    arena_init(&arena, "an operation on decisions", DECISIONS_MEMORY_BYTES);
    if (check_operation(requests, count, deciding, err) < 0 ||
        fleet_prepare_write(fleet, project, &arena, &project_id, err) < 0 ||
        decide(&drafting, requests, count, who, &outcome, err) < 0) {
        ids_release(&outcome.numbers);
        return -1;
    }
    *ret = outcome;
    return fleet_follow(fleet, err);
}

/* --- Withdrawing ------------------------------------------------------------------------------ */

/* Does it reach anything that the caller may decide about? */
static bool exists_for(const struct decision *decision, const struct deciding *by)
{
    bool found = by->enterprise_project_count == 0 || decision->enterprise_project_count == 0;

    for (size_t i = 0; i < decision->enterprise_project_count && !found; i++)
        found = slices_contain(by->enterprise_projects, by->enterprise_project_count,
            decision->enterprise_projects[i]);
    return found;
}

static bool may_decide(const struct decision *decision, const struct deciding *by)
{
    if (by->enterprise_project_count == 0)
        return true;
    for (size_t i = 0; i < decision->enterprise_project_count; i++)
        if (!slices_contain(by->enterprise_projects, by->enterprise_project_count,
                decision->enterprise_projects[i]))
            return false;
    return decision->enterprise_project_count > 0;
}

static int check_withdrawal(
    const struct decision *decision, uint32_t project, const struct deciding *by, struct err *err)
{
    char text[CLOCK_TEXT_BYTES];
    bool over = decision->expires_ms && decision->expires_ms <= clock_now_ms();

    if (decision->project != project || !exists_for(decision, by))
        return err_set(err, ERR_NOT_FOUND, "there is no decision %u", decision->number);
    if (!may_decide(decision, by))
        return err_set(err, ERR_FORBIDDEN,
            "decision %u reaches enterprise projects that have not been granted", decision->number);
    if (decision->end == DECISION_IN_FORCE && !over)
        return 0;
    return err_set(err, ERR_CONFLICT, "decision %u has ended already: %s at %s", decision->number,
        decision->end == DECISION_WITHDRAWN ? "withdrawn" : "expired",
        clock_format(
            decision->end == DECISION_IN_FORCE ? decision->expires_ms : decision->ended_ms, text));
}

int fleet_preview_withdrawal(struct fleet *fleet, uint32_t project, uint32_t number,
    const struct ids *gone, const struct deciding *by, uint64_t *ret_rows, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct decision decision;

    arena_init(&arena, "a decision", LIMIT_REPORT_MEMORY_BYTES);
    if (store_get_decision(fleet->store, number, &arena, &decision, err) < 0 ||
        check_withdrawal(&decision, project, by, err) < 0)
        return -1;
    return count_withdrawn(fleet, project, &decision, gone, ret_rows, err);
}

static int withdraw(struct fleet *fleet, uint32_t project, uint32_t number,
    const struct deciding *by, uint64_t *ret_rows, struct err *err)
{
    int64_t now_ms = clock_now_ms();

    if (fleet_follow(fleet, err) < 0 ||
        fleet_preview_withdrawal(fleet, project, number, NULL, by, ret_rows, err) < 0 ||
        store_end_decision(fleet->store, number, DECISION_WITHDRAWN, by->author, now_ms, err) < 0 ||
        decision_add_cause(fleet->store, CAUSE_DECISION_ENDED, project, number, now_ms, err) < 0)
        return -1;
    return store_commit(fleet->store, err);
}

int fleet_withdraw_decision(struct fleet *fleet, uint32_t project, uint32_t number,
    const struct deciding *by, const char *who, uint64_t *ret_rows, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct slice project_id;
    uint64_t rows;

    arena_init(&arena, "a project's id", LIMIT_REPORT_MEMORY_BYTES);
    if (fleet_prepare_write(fleet, project, &arena, &project_id, err) < 0 ||
        store_begin(fleet->store, who, err) < 0)
        return -1;
    if (withdraw(fleet, project, number, by, &rows, err) < 0) {
        store_rollback(fleet->store);
        return -1;
    }
    *ret_rows = rows;
    return fleet_follow(fleet, err);
}
