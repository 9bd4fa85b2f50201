/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which projects are in memory: loading beside everything else, and letting go.
 *
 * A load reads the log's position, builds the project from the store while others read, write and
 * follow (loading.c), and then takes in what the log says of it since that position: a piece at a
 * time, each with `follow` held, so that writers wait for a piece and not for the load. With the
 * last piece it takes its place among the tenants.
 *
 * On demand (fleet_load_on_demand) who is about to read a project holds it: then it is not dropped,
 * and if it is not loaded, it is wanted. Threads of the caller's load what is wanted, first what
 * somebody waits for. What is held least lately goes when all together exceed the memory budget.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/internal.h"

#include <errno.h>
#include <malloc.h>

enum { LATER_CHUNK = 64, CATCH_UP_ROUNDS = 1000, BUILD_TRIES = 3 };

/* --- One load --------------------------------------------------------------------------------- */

struct load {
    struct fleet *fleet;
    uint32_t number;
    char *id; /* owned */
    struct tenant *fresh, *old;
    struct ids later;
    uint64_t from; /* causes behind this one are to be taken in */
    int rounds;
};

/* Causes are to be followed from before the first image is read. */
static int begin_load(struct load *load, struct err *err)
{
    struct fleet *fleet = load->fleet;
    const struct tenant *tenant = fleet_tenant(fleet, load->number);
    uint64_t trimmed, last;

    if (!tenant)
        return err_set(err, ERR_NOT_FOUND, "there is no project number %u", load->number);
    load->id = strdup(tenant->id);
    if (!load->id)
        return err_nomem(err);
    fleet_look_at_clock(fleet);
    if (fleet->loads == 0 && !fleet_any_loaded(fleet)) {
        if (store_log_bounds(fleet->store, &trimmed, &last, err) < 0)
            return -1;
        fleet->seen = last;
    }
    if (fleet_read_facts(fleet, err) < 0)
        return -1;
    load->from = fleet->seen;
    return 0;
}

/* The fresh tenant takes the place of the one there. */
static void publish(struct load *load)
{
    struct fleet *fleet = load->fleet;
    size_t at = 0;

    while (fleet->tenants[at]->number != load->number)
        at++;
    load->fresh->shared = true;
    pthread_rwlock_wrlock(&fleet->lock);
    load->old = fleet->tenants[at];
    load->fresh->demand = load->old->demand;
    load->fresh->demand->used_us = clock_monotonic_us();
    fleet->tenants[at] = load->fresh;
    pthread_rwlock_unlock(&fleet->lock);
    load->fresh = NULL;
}

static int apply_some_later(struct load *load, struct err *err)
{
    size_t count = load->later.count < LATER_CHUNK ? load->later.count : LATER_CHUNK;

    for (size_t i = 0; i < count; i++)
        if (tenant_apply(load->fleet, load->fresh, load->later.at[load->later.count - 1 - i], err) <
            0)
            return -1;
    load->later.count -= count;
    return 0;
}

/* A piece of what came since; 0 when that was all, and it is published; 1: go on; 2: the log was
 * trimmed meanwhile, build it anew; -1. The caller holds `follow`. */
static int finish_some(struct load *load, struct err *err)
{
    int more;

    if (fleet_follow_log(load->fleet, err) < 0)
        return -1;
    if (load->later.count)
        return apply_some_later(load, err) < 0 ? -1 : 1;
    more = fleet_catch_up(load->fleet, load->fresh, &load->from, err);
    if (more == 0)
        publish(load);
    return more;
}

/* Others have their turn between the pieces, but not for ever. */
static int finish(struct load *load, struct err *err)
{
    struct fleet *fleet = load->fleet;
    int more = 1;

    ids_sort_unique(&load->later);
    while (more == 1) {
        pthread_mutex_lock(&fleet->follow);
        do {
            more = finish_some(load, err);
        } while (more == 1 && ++load->rounds > CATCH_UP_ROUNDS);
        pthread_mutex_unlock(&fleet->follow);
    }
    return more;
}

static int build(struct load *load, struct err *err)
{
    int more = 2;

    for (int i = 0; more == 2 && i < BUILD_TRIES; i++) {
        tenant_free(load->fresh);
        load->later.count = 0;
        load->rounds = 0;
        load->fresh =
            tenant_build(load->fleet, load->number, slice_of(load->id), false, &load->later, err);
        more = load->fresh ? finish(load, err) : -1;
        if (more == 2 && i + 1 < BUILD_TRIES) {
            pthread_mutex_lock(&load->fleet->follow);
            load->from = load->fleet->seen;
            pthread_mutex_unlock(&load->fleet->follow);
        }
    }
    if (more == 2)
        return err_set(err, ERR_BUSY,
            "changes are dropped from the log faster than the project is loaded; try again");
    return more;
}

/* Notes the failure with the project, and puts its name before it. */
static int fail_load(struct load *load, const struct err *why, struct err *err)
{
    struct tenant *tenant = fleet_tenant(load->fleet, load->number);

    *err = *why;
    if (!tenant)
        return -1;
    fleet_note_load_failure(load->fleet, tenant, why);
    return err_prefix(err, "project %s", tenant->id);
}

int fleet_load_one(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct load load = {.fleet = fleet, .number = project};
    struct err why = {0};
    int failed;

    pthread_mutex_lock(&fleet->follow);
    failed = begin_load(&load, &why);
    fleet->loads++;
    pthread_mutex_unlock(&fleet->follow);
    if (!failed)
        failed = build(&load, &why);
    pthread_mutex_lock(&fleet->follow);
    fleet->loads--;
    if (failed)
        fail_load(&load, &why, err);
    pthread_mutex_unlock(&fleet->follow);
    tenant_free(load.fresh);
    tenant_free(load.old);
    ids_release(&load.later);
    free(load.id);
    return failed ? -1 : 0;
}

/* --- Demand ----------------------------------------------------------------------------------- */

static bool is_usable(const struct tenant *tenant)
{
    return tenant->index && !tenant->broken;
}

struct fleet_hold *demand_new(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct fleet_hold *demand = calloc(1, sizeof(*demand));

    if (!demand) {
        err_nomem(err);
        return NULL;
    }
    demand->project = project;
    pthread_mutex_lock(&fleet->demand_lock);
    demand->next = fleet->demands;
    fleet->demands = demand;
    pthread_mutex_unlock(&fleet->demand_lock);
    return demand;
}

void demand_want(struct fleet *fleet, struct fleet_hold *demand, bool anew)
{
    pthread_mutex_lock(&fleet->demand_lock);
    demand->anew |= anew;
    if (!demand->wanted && (anew || !demand->loading)) {
        demand->wanted = true;
        pthread_cond_broadcast(&fleet->demanded);
    }
    pthread_mutex_unlock(&fleet->demand_lock);
}

void fleet_load_on_demand(struct fleet *fleet, bool all)
{
    pthread_mutex_lock(&fleet->follow);
    fleet->on_demand = true;
    fleet->load_all = all;
    fleet_load_tenants(fleet, false);
    pthread_mutex_unlock(&fleet->follow);
}

struct fleet_hold *fleet_hold(struct fleet *fleet, uint32_t project, bool *ret_loaded)
{
    const struct tenant *tenant;
    struct fleet_hold *demand = NULL;
    bool due = false;

    *ret_loaded = false;
    pthread_rwlock_rdlock(&fleet->lock);
    tenant = fleet_tenant(fleet, project);
    if (tenant) {
        int64_t now_us = clock_monotonic_us();

        demand = tenant->demand;
        demand->holds++;
        demand->used_us = now_us;
        *ret_loaded = is_usable(tenant);
        due = !*ret_loaded && (!tenant->why.code || tenant->retry_us <= now_us);
    }
    pthread_rwlock_unlock(&fleet->lock);
    if (due && fleet->on_demand)
        demand_want(fleet, demand, false);
    return demand;
}

void fleet_release(struct fleet_hold *hold)
{
    if (hold)
        hold->holds--;
}

bool fleet_is_settled(struct fleet *fleet, const struct fleet_hold *hold)
{
    bool settled;

    pthread_mutex_lock(&fleet->demand_lock);
    settled = fleet->ended || (!hold->wanted && !hold->loading);
    pthread_mutex_unlock(&fleet->demand_lock);
    return settled;
}

void fleet_await(struct fleet *fleet, const struct fleet_hold *hold, int64_t wait_ms)
{
    struct timespec until = clock_monotonic_in(wait_ms);

    pthread_mutex_lock(&fleet->demand_lock);
    while ((hold->wanted || hold->loading) && !fleet->ended &&
           pthread_cond_timedwait(&fleet->demanded, &fleet->demand_lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&fleet->demand_lock);
}

/* Where somebody waits first, then in the order of the projects. What nobody waits for is not
 * loaded where it has no room, unless it is in memory already and no longer what is stored. The
 * caller holds demand_lock. */
static struct fleet_hold *choose(struct fleet *fleet)
{
    struct fleet_hold *best = NULL;

    for (struct fleet_hold *demand = fleet->demands; demand; demand = demand->next) {
        if (!demand->wanted || demand->loading)
            continue;
        if (!demand->holds && !demand->anew && fleet->budget && fleet->bytes >= fleet->budget)
            demand->wanted = false;
        else if (!best || (demand->holds > 0) > (best->holds > 0) ||
                 ((demand->holds > 0) == (best->holds > 0) && demand->project < best->project))
            best = demand;
    }
    return best;
}

static struct fleet_hold *wait_for_demand(struct fleet *fleet, int64_t wait_ms, bool *ret_anew)
{
    struct timespec until = clock_monotonic_in(wait_ms);
    struct fleet_hold *demand = NULL;

    pthread_mutex_lock(&fleet->demand_lock);
    while (!fleet->ended && !(demand = choose(fleet)) &&
           pthread_cond_timedwait(&fleet->demanded, &fleet->demand_lock, &until) != ETIMEDOUT)
        ;
    if (demand) {
        *ret_anew = demand->anew;
        demand->wanted = demand->anew = false;
        demand->loading = true;
    }
    pthread_mutex_unlock(&fleet->demand_lock);
    return demand;
}

static void end_demand(struct fleet *fleet, struct fleet_hold *demand)
{
    pthread_mutex_lock(&fleet->demand_lock);
    demand->loading = false;
    pthread_cond_broadcast(&fleet->demanded);
    pthread_mutex_unlock(&fleet->demand_lock);
}

bool fleet_is_loaded(struct fleet *fleet, uint32_t project)
{
    const struct tenant *tenant;
    bool usable;

    pthread_rwlock_rdlock(&fleet->lock);
    tenant = fleet_tenant(fleet, project);
    usable = tenant && is_usable(tenant);
    pthread_rwlock_unlock(&fleet->lock);
    return usable;
}

void fleet_stop_loading(struct fleet *fleet)
{
    pthread_mutex_lock(&fleet->demand_lock);
    fleet->ended = true;
    pthread_cond_broadcast(&fleet->demanded);
    pthread_mutex_unlock(&fleet->demand_lock);
}

/* Who wanted it may have looked just before another thread was done. */
int fleet_load_next(struct fleet *fleet, int64_t wait_ms, uint32_t *ret_project,
    int64_t *ret_start_us, struct err *err)
{
    bool anew = false;
    struct fleet_hold *demand = wait_for_demand(fleet, wait_ms, &anew);
    int result = 0;

    if (!demand)
        return 0;
    *ret_project = demand->project;
    *ret_start_us = clock_monotonic_us();
    if (anew || !fleet_is_loaded(fleet, demand->project))
        result = fleet_load_one(fleet, demand->project, err) < 0 ? -1 : 1;
    fleet->loaded_ever += result == 1;
    end_demand(fleet, demand);
    return result;
}

bool fleet_all_loaded(struct fleet *fleet)
{
    bool all = true;

    pthread_mutex_lock(&fleet->demand_lock);
    for (const struct fleet_hold *demand = fleet->demands; demand; demand = demand->next)
        all &= !demand->wanted && !demand->loading;
    pthread_mutex_unlock(&fleet->demand_lock);
    pthread_rwlock_rdlock(&fleet->lock);
    for (size_t i = 0; i < fleet->tenant_count; i++)
        all &= fleet->tenants[i]->why.code == ERR_NONE;
    pthread_rwlock_unlock(&fleet->lock);
    return all;
}

/* --- Budget ----------------------------------------------------------------------------------- */

void fleet_set_budget(struct fleet *fleet, uint64_t bytes)
{
    fleet->budget = bytes;
}

void fleet_memory(struct fleet *fleet, struct fleet_memory *ret)
{
    *ret = (struct fleet_memory){
        .budget = fleet->budget, .loads = fleet->loaded_ever, .drops = fleet->dropped_ever};
    pthread_rwlock_rdlock(&fleet->lock);
    for (size_t i = 0; i < fleet->tenant_count; i++)
        if (fleet->tenants[i]->index) {
            struct index_size size;

            index_size(fleet->tenants[i]->index, &size);
            ret->bytes += size.bytes;
            ret->loaded++;
        }
    pthread_rwlock_unlock(&fleet->lock);
    fleet->bytes = ret->bytes;
}

/* The one held least lately, unless it is the one held last. The caller holds `follow`. */
static size_t least_used(const struct fleet *fleet)
{
    size_t least = SIZE_MAX, last = SIZE_MAX;

    for (size_t i = 0; i < fleet->tenant_count; i++) {
        const struct fleet_hold *demand = fleet->tenants[i]->demand;

        if (!fleet->tenants[i]->index)
            continue;
        if (last == SIZE_MAX || demand->used_us > fleet->tenants[last]->demand->used_us)
            last = i;
        if (!demand->holds &&
            (least == SIZE_MAX || demand->used_us < fleet->tenants[least]->demand->used_us))
            least = i;
    }
    return least == last ? SIZE_MAX : least;
}

/* What was wanted of a project before it went is not wanted any more, unless somebody waits. */
static void demand_forget(struct fleet *fleet, struct fleet_hold *demand)
{
    pthread_mutex_lock(&fleet->demand_lock);
    if (!demand->holds)
        demand->wanted = demand->anew = false;
    pthread_mutex_unlock(&fleet->demand_lock);
}

/* Its place is taken by a tenant that is not loaded, unless it is held again. */
static struct tenant *drop_at(struct fleet *fleet, size_t at, struct err *err)
{
    struct tenant *old = fleet->tenants[at], *empty = calloc(1, sizeof(*empty));
    bool held;

    if (!empty || !(empty->id = strdup(old->id))) {
        tenant_free(empty);
        err_nomem(err);
        return NULL;
    }
    empty->number = old->number;
    empty->demand = old->demand;
    pthread_rwlock_wrlock(&fleet->lock);
    held = old->demand->holds > 0;
    if (!held)
        fleet->tenants[at] = empty;
    pthread_rwlock_unlock(&fleet->lock);
    if (!held)
        demand_forget(fleet, empty->demand);
    fleet->dropped_ever += !held;
    return held ? empty : old;
}

/* Within `follow`, so that two threads do not both drop for the same reason. */
static int drop_one(
    struct fleet *fleet, uint32_t *ret_project, struct tenant **ret_gone, struct err *err)
{
    struct fleet_memory memory;
    size_t at;

    fleet_memory(fleet, &memory);
    if (memory.budget == 0 || memory.bytes <= memory.budget)
        return 0;
    at = least_used(fleet);
    if (at == SIZE_MAX)
        return 2;
    *ret_project = fleet->tenants[at]->number;
    *ret_gone = drop_at(fleet, at, err);
    if (!*ret_gone)
        return -1;
    return (*ret_gone)->index ? 1 : 2;
}

int fleet_keep_budget(struct fleet *fleet, uint32_t *ret_project, struct err *err)
{
    struct tenant *gone = NULL;
    int result;

    pthread_mutex_lock(&fleet->follow);
    result = drop_one(fleet, ret_project, &gone, err);
    pthread_mutex_unlock(&fleet->follow);
    tenant_free(gone);
    if (result == 1)
        malloc_trim(0);
    return result;
}
