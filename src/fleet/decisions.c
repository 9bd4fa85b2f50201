/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of a project, as they are shown, and writing down the end of those that the clock
 * has ended.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/deciding.h"

enum { READ_CHUNK = 64 };

/* --- Listing ---------------------------------------------------------------------------------- */

struct listing {
    struct fleet *fleet;
    uint32_t project;
    const struct decision_query *query;
    uint32_t group; /* of query->vul_id; 0: any */
    struct arena arena;
    struct decision at[READ_CHUNK]; /* that were read, and are wanted */
    size_t count, read;
    uint32_t last;
    uint64_t told;
};

static bool reaches_granted(const struct decision_query *query, const struct decision *decision)
{
    if (query->enterprise_project_count == 0 || decision->enterprise_project_count == 0)
        return true;
    for (size_t i = 0; i < decision->enterprise_project_count; i++)
        if (slices_contain(query->enterprise_projects, query->enterprise_project_count,
                decision->enterprise_projects[i]))
            return true;
    return false;
}

/* Callbacks of the store must be short: what is looked up under the fleet's lock comes later. */
static int read_decision(void *ctx, const struct decision *decision, struct err *err)
{
    struct listing *l = ctx;

    l->last = decision->number;
    l->read++;
    if (!reaches_granted(l->query, decision))
        return 0;
    return decision_dup(&l->arena, decision, &l->at[l->count++], err);
}

void decision_end_by_clock(struct decision *decision, int64_t now_ms)
{
    if (decision->end != DECISION_IN_FORCE || decision->expires_ms == 0 ||
        decision->expires_ms > now_ms)
        return;
    decision->end = DECISION_EXPIRED;
    decision->ended_ms = decision->expires_ms;
}

bool decision_is_about(const struct tenant *tenant, const struct decision *decision, uint32_t group)
{
    for (size_t i = 0; i < decision->vuln_count; i++)
        if (aliases_group(&tenant->aliases, decision->vulns[i]) == group)
            return true;
    return false;
}

/* The names that rows show now, each once; texts of facts stay where they are. */
static int name_vulns(struct listing *l, const struct decision *decision, const struct slice **ret,
    bool *ret_wanted, struct err *err)
{
    const struct facts *facts = &l->fleet->facts;
    struct slice *names =
        arena_alloc_array(&l->arena, decision->vuln_count + 1, sizeof(*names), err);
    struct tenant *tenant;

    if (!names || fleet_begin_read(l->fleet, l->project, &tenant, err) < 0)
        return -1;
    for (size_t i = 0; i < decision->vuln_count; i++) {
        uint32_t title = aliases_title(&tenant->aliases, decision->vulns[i]);

        if (title <= facts->last_name) /* else made a moment ago, not followed yet */
            names[i] = facts->names[title].text;
    }
    *ret_wanted = l->group == 0 || decision_is_about(tenant, decision, l->group);
    fleet_end_read(l->fleet);
    *ret = names;
    return 0;
}

static int tell_decision(
    struct listing *l, struct decision *decision, decision_view_fn fn, void *ctx, struct err *err)
{
    struct decision_view view = {.decision = decision};
    bool wanted;
    int left = 1;

    decision_end_by_clock(decision, clock_now_ms());
    if ((l->query->in_force && decision->end != DECISION_IN_FORCE) || l->told == l->query->limit)
        return 0;
    if (l->query->confined)
        left = decision_confine(l->fleet, l->project, l->query->enterprise_projects,
            l->query->enterprise_project_count, &l->arena, decision, err);
    if (left <= 0)
        return left;
    if (name_vulns(l, decision, &view.vul_ids, &wanted, err) < 0)
        return -1;
    if (!wanted)
        return 0;
    if (decision->end == DECISION_IN_FORCE &&
        count_reached(l->fleet, l->project, decision, l->query->enterprise_projects,
            l->query->enterprise_project_count, &view.rows, err) < 0)
        return -1;
    l->told++;
    return fn(ctx, &view, err);
}

/* One chunk; 1 when there may be more. */
static int tell_chunk(struct listing *l, decision_view_fn fn, void *ctx, struct err *err)
{
    l->count = l->read = 0;
    arena_reset(&l->arena);
    if (store_each_decision(l->fleet->store, l->project, l->query->in_force, l->last, READ_CHUNK,
            read_decision, l, err) < 0)
        return -1;
    for (size_t i = 0; i < l->count; i++) {
        int enough = tell_decision(l, &l->at[i], fn, ctx, err);

        if (enough)
            return enough < 0 ? -1 : 0;
    }
    return l->read == READ_CHUNK && l->told < l->query->limit;
}

int decision_find_group(
    struct fleet *fleet, uint32_t project, struct slice vul_id, uint32_t *ret, struct err *err)
{
    struct tenant *tenant;
    uint32_t name;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    name = facts_find_name(&fleet->facts, vul_id);
    *ret = name ? aliases_group(&tenant->aliases, name) : 0;
    fleet_end_read(fleet);
    return 0;
}

int fleet_each_decision(struct fleet *fleet, uint32_t project, const struct decision_query *query,
    decision_view_fn fn, void *ctx, struct err *err)
{
    struct listing l = {.fleet = fleet, .project = project, .query = query, .last = query->after};
    int more = 1;

    if (query->vul_id.len) {
        if (decision_find_group(fleet, project, query->vul_id, &l.group, err) < 0)
            return -1;
        if (l.group == 0)
            return 0;
    }
    arena_init(&l.arena, "a list of decisions", DECISIONS_MEMORY_BYTES);
    while (more > 0)
        more = tell_chunk(&l, fn, ctx, err);
    arena_release(&l.arena);
    return more;
}

/* --- Expiry ----------------------------------------------------------------------------------- */

/* Decisions whose time is over, and that have not been ended as far as we know. */
struct expiring {
    struct fleet *fleet;
    int64_t now_ms;
    struct ids numbers;
    uint32_t last;
    size_t read;
};

static int note_expired(void *ctx, const struct decision *decision, struct err *err)
{
    struct expiring *e = ctx;

    e->last = decision->number;
    e->read++;
    if (decision->expires_ms == 0 || decision->expires_ms > e->now_ms)
        return 0;
    return ids_push(&e->numbers, decision->number, err);
}

/* Of a project that is not in memory. */
static int read_expired(struct expiring *e, uint32_t project, struct err *err)
{
    e->last = 0;
    do {
        e->read = 0;
        if (store_each_decision(
                e->fleet->store, project, true, e->last, READ_CHUNK, note_expired, e, err) < 0)
            return -1;
    } while (e->read == READ_CHUNK);
    return 0;
}

static int find_expired(struct expiring *e, struct err *err)
{
    int failed = 0;

    pthread_mutex_lock(&e->fleet->follow);
    failed = fleet_follow_locked(e->fleet, err);
    e->now_ms = e->fleet->now_ms;
    for (size_t i = 0; i < e->fleet->tenant_count && !failed; i++) {
        const struct tenant *tenant = e->fleet->tenants[i];

        if (tenant->index && !tenant->broken)
            failed = ids_append(&e->numbers, tenant->expired.at, tenant->expired.count, err);
        else
            failed = read_expired(e, tenant->number, err);
    }
    pthread_mutex_unlock(&e->fleet->follow);
    return failed;
}

/* Within a write. 1 when it was ended here, 0 when somebody was faster. */
static int end_one(struct expiring *e, uint32_t number, struct decision *decision,
    struct arena *arena, struct err *err)
{
    struct store *store = e->fleet->store;
    struct err why = {0};

    if (store_get_decision(store, number, arena, decision, &why) < 0 ||
        (decision->end == DECISION_IN_FORCE && store_end_decision(store, number, DECISION_EXPIRED,
                                                   SLICE_NONE, decision->expires_ms, &why) < 0)) {
        if (why.code == ERR_NOT_FOUND || why.code == ERR_CONFLICT)
            return 0;
        *err = why;
        return -1;
    }
    if (decision->end != DECISION_IN_FORCE)
        return 0;
    decision_end_by_clock(decision, e->now_ms);
    return decision_add_cause(
               store, CAUSE_DECISION_ENDED, decision->project, number, e->now_ms, err) < 0
               ? -1
               : 1;
}

static int end_some(struct expiring *e, const char *who, size_t *from, struct decision *ended,
    size_t *ret_count, struct arena *arena, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LIMIT_TRANSACTION_MS * INT64_C(1000);
    size_t i = *from, count = 0;
    int done = 0;

    if (store_begin(e->fleet->store, who, err) < 0)
        return -1;
    do {
        done = end_one(e, e->numbers.at[i++], &ended[count], arena, err);
        count += done == 1;
    } while (
        done >= 0 && i < e->numbers.count && count < READ_CHUNK && clock_monotonic_us() < until_us);
    if (done < 0 || store_commit(e->fleet->store, err) < 0) {
        store_rollback(e->fleet->store);
        return -1;
    }
    *from = i;
    *ret_count = count;
    return 0;
}

static int tell_ended(struct fleet *fleet, const struct decision *ended, size_t count,
    struct arena *arena, ended_fn fn, void *ctx, struct err *err)
{
    for (size_t i = 0; i < count && fn; i++) {
        struct slice id;

        if (fleet_project_id(fleet, ended[i].project, arena, &id, err) < 0)
            return -1;
        fn(ctx, id, &ended[i]);
    }
    return 0;
}

static int end_all(struct expiring *e, const char *who, ended_fn fn, void *ctx, struct err *err)
{
    struct arena arena CLEANUP(arena_release);

    arena_init(&arena, "decisions that have expired", DECISIONS_MEMORY_BYTES);
    for (size_t from = 0; from < e->numbers.count;) {
        struct decision ended[READ_CHUNK];
        size_t count;

        arena_reset(&arena);
        if (end_some(e, who, &from, ended, &count, &arena, err) < 0 ||
            tell_ended(e->fleet, ended, count, &arena, fn, ctx, err) < 0)
            return -1;
    }
    return e->numbers.count ? fleet_follow(e->fleet, err) : 0;
}

int fleet_expire_decisions(
    struct fleet *fleet, const char *who, ended_fn fn, void *ctx, struct err *err)
{
    struct expiring e = {.fleet = fleet};
    int failed = find_expired(&e, err) < 0 || end_all(&e, who, fn, ctx, err) < 0;

    ids_release(&e.numbers);
    return failed ? -1 : 0;
}
