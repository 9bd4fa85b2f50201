/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, projects, and loading. (Following the change log: follow.c.) */
#include "fleet/fleet.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fleet/internal.h"

enum { RETRY_US = 10 * 1000 * 1000, AGAIN_US = 1000 * 1000 };

/* --- Projects --------------------------------------------------------------------------------- */

struct tenant *fleet_tenant(const struct fleet *fleet, uint32_t project)
{
    for (size_t i = 0; i < fleet->tenant_count; i++)
        if (fleet->tenants[i]->number == project)
            return fleet->tenants[i];
    return NULL;
}

/* Projects made since, not visible yet. */
struct new_tenants {
    struct fleet *fleet;
    struct tenant **at;
    size_t count, cap;
};

static int note_project(void *ctx, const struct project *project, struct err *err)
{
    struct new_tenants *fresh = ctx;
    struct tenant *tenant;

    if (fleet_tenant(fresh->fleet, project->number))
        return 0;
    if (array_reserve(&fresh->at, &fresh->cap, fresh->count + 1, sizeof(struct tenant *), err) < 0)
        return -1;
    tenant = calloc(1, sizeof(*tenant));
    if (!tenant || !(tenant->id = strndup(project->id.ptr, project->id.len))) {
        tenant_free(tenant);
        return err_nomem(err);
    }
    tenant->number = project->number;
    tenant->demand = demand_new(fresh->fleet, project->number, err);
    if (!tenant->demand) {
        tenant_free(tenant);
        return -1;
    }
    fresh->at[fresh->count++] = tenant;
    return 0;
}

/* The fresh tenants become visible, in their order. */
static int add_tenants(struct fleet *fleet, struct new_tenants *fresh, struct err *err)
{
    int failed;

    pthread_rwlock_wrlock(&fleet->lock);
    failed = array_reserve(&fleet->tenants, &fleet->tenant_cap, fleet->tenant_count + fresh->count,
        sizeof(struct tenant *), err);
    for (size_t i = 0; i < fresh->count && !failed; i++)
        fleet->tenants[fleet->tenant_count++] = fresh->at[i];
    if (!failed)
        fresh->count = 0; /* they have moved */
    pthread_rwlock_unlock(&fleet->lock);
    return failed;
}

int fleet_read_projects(struct fleet *fleet, struct err *err)
{
    struct new_tenants fresh = {.fleet = fleet};
    int failed = store_each_project(fleet->store, note_project, &fresh, err);

    if (!failed && fresh.count)
        failed = add_tenants(fleet, &fresh, err);
    for (size_t i = 0; i < fresh.count; i++)
        tenant_free(fresh.at[i]);
    free(fresh.at);
    return failed;
}

int fleet_find_project(struct fleet *fleet, struct slice id, uint32_t *ret, struct err *err)
{
    uint32_t number = 0;

    pthread_rwlock_rdlock(&fleet->lock);
    for (size_t i = 0; i < fleet->tenant_count; i++)
        if (slice_is(id, fleet->tenants[i]->id))
            number = fleet->tenants[i]->number;
    pthread_rwlock_unlock(&fleet->lock);
    if (number == 0)
        return err_set(err, ERR_NOT_FOUND,
            "there is no project \"%.*s\"; make it with: careen project create %.*s", SLICE_FMT(id),
            SLICE_FMT(id));
    *ret = number;
    return 0;
}

int fleet_project_id(
    struct fleet *fleet, uint32_t project, struct arena *arena, struct slice *ret, struct err *err)
{
    const struct tenant *tenant;
    int failed;

    pthread_rwlock_rdlock(&fleet->lock);
    tenant = fleet_tenant(fleet, project);
    failed = arena_dup(arena, slice_of(tenant ? tenant->id : ""), ret, err);
    pthread_rwlock_unlock(&fleet->lock);
    return failed;
}

int fleet_projects(struct fleet *fleet, struct ids *ret, struct err *err)
{
    int failed = 0;

    pthread_rwlock_rdlock(&fleet->lock);
    for (size_t i = 0; i < fleet->tenant_count && !failed; i++)
        failed = ids_push(ret, fleet->tenants[i]->number, err);
    pthread_rwlock_unlock(&fleet->lock);
    return failed;
}

static int write_project(struct fleet *fleet, struct slice id, uint32_t *ret, struct err *err)
{
    uint32_t number;

    if (store_begin(fleet->store, "careen project create", err) < 0)
        return -1;
    if (store_add_project(fleet->store, id, clock_now_ms(), &number, err) < 0 ||
        store_commit(fleet->store, err) < 0) {
        store_rollback(fleet->store);
        return -1;
    }
    *ret = number;
    return 0;
}

int fleet_add_project(struct fleet *fleet, struct slice id, uint32_t *ret, struct err *err)
{
    int failed;

    if (id.len == 0 || !utf8_is_line(id) || utf8_count(id) > LIMIT_ID_CHARS ||
        slice_contains(id, SLICE("/")) || slice_contains(id, SLICE("?")))
        return err_set(err, ERR_INVALID,
            "a project id must be 1 to %d characters, without '/', '?' and control characters",
            LIMIT_ID_CHARS);
    if (write_project(fleet, id, ret, err) < 0)
        return -1;
    pthread_mutex_lock(&fleet->follow);
    failed = fleet_read_projects(fleet, err);
    pthread_mutex_unlock(&fleet->follow);
    return failed;
}

/* --- Opening and loading ---------------------------------------------------------------------- */

static void init_locks(struct fleet *fleet)
{
    pthread_rwlockattr_t attributes;
    pthread_condattr_t timed;

    /* Readers come without end; a change must not wait for a moment without any. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&fleet->lock, &attributes);
    pthread_rwlock_init(&fleet->overlays, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_mutex_init(&fleet->follow, NULL);
    pthread_mutex_init(&fleet->demand_lock, NULL);
    pthread_condattr_init(&timed);
    pthread_condattr_setclock(&timed, CLOCK_MONOTONIC);
    pthread_cond_init(&fleet->demanded, &timed);
    pthread_condattr_destroy(&timed);
}

struct fleet *fleet_open(const char *data_dir, enum store_mode mode, struct err *err)
{
    struct store *store = store_open(data_dir, mode, err);
    struct fleet *fleet = store ? calloc(1, sizeof(*fleet)) : NULL;

    if (!fleet) {
        if (store)
            err_nomem(err);
        store_close(store);
        return NULL;
    }
    fleet->store = store;
    init_locks(fleet);
    if (facts_init(&fleet->facts, err) < 0 || fleet_read_projects(fleet, err) < 0) {
        fleet_close(fleet);
        return NULL;
    }
    return fleet;
}

void fleet_close(struct fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; i < fleet->tenant_count; i++)
        tenant_free(fleet->tenants[i]);
    free(fleet->tenants);
    while (fleet->demands) {
        struct fleet_hold *next = fleet->demands->next;

        free(fleet->demands);
        fleet->demands = next;
    }
    facts_release(&fleet->facts);
    pthread_rwlock_destroy(&fleet->lock);
    pthread_rwlock_destroy(&fleet->overlays);
    pthread_mutex_destroy(&fleet->follow);
    pthread_mutex_destroy(&fleet->demand_lock);
    pthread_cond_destroy(&fleet->demanded);
    store_close(fleet->store);
    free(fleet);
}

struct store *fleet_store(struct fleet *fleet)
{
    return fleet->store;
}

bool fleet_any_loaded(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->tenant_count; i++)
        if (fleet->tenants[i]->index)
            return true;
    return false;
}

int fleet_read_facts(struct fleet *fleet, struct err *err)
{
    struct facts_news news;
    int failed;

    if (facts_read(&fleet->facts, fleet->store, &news, err) < 0)
        return -1;
    pthread_rwlock_wrlock(&fleet->lock);
    failed = facts_take(&fleet->facts, &news, err);
    pthread_rwlock_unlock(&fleet->lock);
    facts_news_release(&news);
    return failed;
}

void fleet_note_failure(
    struct fleet *fleet, struct tenant *tenant, const struct err *why, int64_t wait_us)
{
    pthread_rwlock_wrlock(&fleet->lock);
    tenant->broken = true;
    tenant->why = *why;
    tenant->failed_us = clock_monotonic_us();
    tenant->retry_us = tenant->failed_us + wait_us;
    pthread_rwlock_unlock(&fleet->lock);
}

/* Damage does not mend itself: what has it is tried again after a while only, for others must not
 * wait for it. */
void fleet_note_load_failure(struct fleet *fleet, struct tenant *tenant, const struct err *why)
{
    bool damaged = why->code == ERR_CORRUPT || why->code == ERR_LIMIT;

    fleet_note_failure(fleet, tenant, why, damaged ? RETRY_US : 0);
}

/* Builds the tenant at this position anew and puts it in the old one's place. */
static void load_tenant(struct fleet *fleet, size_t position)
{
    struct tenant *old = fleet->tenants[position];
    struct err why = {0};
    struct tenant *fresh = tenant_load(fleet, old->number, slice_of(old->id), &why);

    if (!fresh) {
        fleet_note_load_failure(fleet, old, &why);
        return;
    }
    fresh->shared = true;
    fresh->demand = old->demand;
    pthread_rwlock_wrlock(&fleet->lock);
    fleet->tenants[position] = fresh;
    pthread_rwlock_unlock(&fleet->lock);
    tenant_free(old);
}

/* Is it to be loaded, now? */
static bool is_due(const struct fleet *fleet, const struct tenant *tenant, bool again)
{
    int64_t now_us = clock_monotonic_us();

    if (!fleet->load_all && !tenant->index)
        return false;
    if (tenant->why.code && tenant->retry_us > now_us)
        return false;
    if (tenant->why.code && fleet->on_demand && tenant->failed_us + AGAIN_US > now_us)
        return false;
    /* On demand, what is not there any more was dropped, and comes back when it is held. */
    if (fleet->on_demand && !tenant->index && !tenant->why.code)
        return !tenant->demand->known;
    return again || !tenant->index || tenant->broken;
}

void fleet_load_tenants(struct fleet *fleet, bool again)
{
    for (size_t i = 0; i < fleet->tenant_count; i++) {
        struct tenant *tenant = fleet->tenants[i];

        if (!is_due(fleet, tenant, again))
            continue;
        tenant->demand->known = true;
        if (fleet->on_demand)
            demand_want(fleet, tenant->demand, tenant->index != NULL);
        else
            load_tenant(fleet, i);
    }
}

void fleet_look_at_clock(struct fleet *fleet)
{
    int64_t now_ms = clock_now_ms();

    if (now_ms > fleet->now_ms)
        __atomic_store_n(&fleet->now_ms, now_ms, __ATOMIC_RELAXED);
}

/* The projects that fleet_load() is asked for, and that are not loaded. */
static int find_unloaded(struct fleet *fleet, uint32_t project, struct ids *ret, struct err *err)
{
    int64_t now_us = clock_monotonic_us();

    if (fleet_any_loaded(fleet) && fleet_follow_locked(fleet, err) < 0)
        return -1;
    for (size_t i = 0; i < fleet->tenant_count; i++) {
        const struct tenant *tenant = fleet->tenants[i];
        bool due = tenant->retry_us <= now_us;

        if (project ? tenant->number != project : !due)
            continue;
        if ((!tenant->index || (tenant->broken && due)) && ids_push(ret, tenant->number, err) < 0)
            return -1;
    }
    return 0;
}

/* One that cannot be loaded does not keep the others from it: the first failure is told. */
int fleet_load(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct ids numbers CLEANUP(ids_release) = {0};
    struct err first = {0}, why;
    int failed;

    pthread_mutex_lock(&fleet->follow);
    failed = find_unloaded(fleet, project, &numbers, err);
    pthread_mutex_unlock(&fleet->follow);
    if (failed)
        return -1;
    for (size_t i = 0; i < numbers.count; i++)
        if (fleet_load_one(fleet, numbers.at[i], &why) < 0 && first.code == ERR_NONE)
            first = why;
    pthread_mutex_lock(&fleet->follow);
    fleet->load_all |= project == 0;
    pthread_mutex_unlock(&fleet->follow);
    if (first.code != ERR_NONE)
        *err = first;
    return first.code == ERR_NONE ? 0 : -1;
}

int fleet_prepare_write(
    struct fleet *fleet, uint32_t project, struct arena *arena, struct slice *ret, struct err *err)
{
    struct slice id;

    if (fleet_follow(fleet, err) < 0 || fleet_project_id(fleet, project, arena, &id, err) < 0)
        return -1;
    if (id.len == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no project number %u", project);
    *ret = id;
    return 0;
}

/* --- Reading ---------------------------------------------------------------------------------- */

int fleet_begin_read(struct fleet *fleet, uint32_t project, struct tenant **ret, struct err *err)
{
    struct tenant *tenant;

    pthread_rwlock_rdlock(&fleet->lock);
    tenant = fleet_tenant(fleet, project);
    if (tenant && tenant->index && !tenant->broken) {
        *ret = tenant;
        return 0;
    }
    if (!tenant)
        err_set(err, ERR_NOT_FOUND, "there is no project number %u", project);
    else if (tenant->why.code)
        err_set(err, tenant->why.code, "project %s cannot be loaded: %s", tenant->id,
            tenant->why.message);
    else
        err_set(err, ERR_LOADING, "project %s is being loaded into memory; try again", tenant->id);
    pthread_rwlock_unlock(&fleet->lock);
    return -1;
}

void fleet_end_read(struct fleet *fleet)
{
    pthread_rwlock_unlock(&fleet->lock);
}
