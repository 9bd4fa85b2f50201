/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening, projects, loading, and following the change log. The log is read in commit order; what
 * it names is read from the facts as they are then, so several changes of one image cost one
 * reading.
 */
#include "fleet/fleet.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fleet/internal.h"

enum { FOLLOW_CHUNK = 4096, RETRY_US = 10 * 1000 * 1000 };

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
    const struct fleet *fleet;
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

/* Takes in projects made since; the caller holds `follow`. */
static int read_projects(struct fleet *fleet, struct err *err)
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
    failed = read_projects(fleet, err);
    pthread_mutex_unlock(&fleet->follow);
    return failed;
}

/* --- Opening and loading ---------------------------------------------------------------------- */

static void init_locks(struct fleet *fleet)
{
    pthread_rwlockattr_t attributes;

    /* Readers come without end; a change must not wait for a moment without any. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&fleet->lock, &attributes);
    pthread_rwlock_init(&fleet->overlays, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_mutex_init(&fleet->follow, NULL);
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
    if (facts_init(&fleet->facts, err) < 0 || read_projects(fleet, err) < 0) {
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
    facts_release(&fleet->facts);
    pthread_rwlock_destroy(&fleet->lock);
    pthread_rwlock_destroy(&fleet->overlays);
    pthread_mutex_destroy(&fleet->follow);
    store_close(fleet->store);
    free(fleet);
}

struct store *fleet_store(struct fleet *fleet)
{
    return fleet->store;
}

static bool any_broken(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->tenant_count; i++)
        if (fleet->tenants[i]->broken)
            return true;
    return false;
}

static bool any_loaded(const struct fleet *fleet)
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

/* Damage does not mend itself: what has it is tried again after a while only, for others must not
 * wait for it. */
static void note_failure(struct fleet *fleet, struct tenant *tenant, const struct err *why)
{
    int64_t wait_us = why->code == ERR_CORRUPT || why->code == ERR_LIMIT ? RETRY_US : 0;

    pthread_rwlock_wrlock(&fleet->lock);
    tenant->broken = true;
    tenant->why = *why;
    tenant->retry_us = clock_monotonic_us() + wait_us;
    pthread_rwlock_unlock(&fleet->lock);
}

/* Builds the tenant at this position anew and puts it in the old one's place. */
static int load_tenant(struct fleet *fleet, size_t position, struct err *err)
{
    struct tenant *old = fleet->tenants[position];
    struct err why = {0};
    struct tenant *fresh = tenant_load(fleet, old->number, slice_of(old->id), &why);

    if (!fresh) {
        note_failure(fleet, old, &why);
        *err = why;
        return err_prefix(err, "project %s", old->id);
    }
    fresh->shared = true;
    pthread_rwlock_wrlock(&fleet->lock);
    fleet->tenants[position] = fresh;
    pthread_rwlock_unlock(&fleet->lock);
    tenant_free(old);
    return 0;
}

/* Loads the projects that are wanted and not loaded, or broken; again says: all that are wanted.
 * One that cannot be loaded does not keep the others from it: the first failure is returned in the
 * end. */
static int load_tenants(struct fleet *fleet, uint32_t only, bool again, struct err *err)
{
    struct err first = {0}, why;
    int64_t now_us = clock_monotonic_us();

    for (size_t i = 0; i < fleet->tenant_count; i++) {
        const struct tenant *tenant = fleet->tenants[i];
        bool wanted = only ? tenant->number == only : fleet->load_all || tenant->index;
        bool due = again || !tenant->index || (tenant->broken && tenant->retry_us <= now_us);

        if (tenant->why.code && tenant->retry_us > now_us && !only)
            continue;
        if (wanted && due && load_tenant(fleet, i, &why) < 0 && first.code == ERR_NONE)
            first = why;
    }
    if (first.code != ERR_NONE)
        *err = first;
    return first.code == ERR_NONE ? 0 : -1;
}

static void look_at_clock(struct fleet *fleet)
{
    int64_t now_ms = clock_now_ms();

    if (now_ms > fleet->now_ms)
        fleet->now_ms = now_ms;
}

static int load_locked(struct fleet *fleet, uint32_t project, struct err *err)
{
    uint64_t trimmed, last;

    if (any_loaded(fleet)) {
        if (fleet_follow_locked(fleet, err) < 0)
            return -1;
    } else {
        if (store_log_bounds(fleet->store, &trimmed, &last, err) < 0)
            return -1;
        fleet->seen = last;
        look_at_clock(fleet);
    }
    fleet->load_all |= project == 0;
    return fleet_read_facts(fleet, err) < 0 ? -1 : load_tenants(fleet, project, false, err);
}

int fleet_load(struct fleet *fleet, uint32_t project, struct err *err)
{
    int failed;

    pthread_mutex_lock(&fleet->follow);
    failed = load_locked(fleet, project, err);
    pthread_mutex_unlock(&fleet->follow);
    return failed;
}

/* --- Following -------------------------------------------------------------------------------- */

struct touched {
    uint32_t project, number; /* of an image, or of a decision */
};

struct touched_list {
    struct touched *at;
    size_t count, cap;
};

struct batch {
    struct touched_list images, decisions;
    size_t causes;
    uint64_t last;
};

static int note_cause(void *ctx, const struct cause *cause, struct err *err)
{
    struct batch *batch = ctx;
    struct touched_list *list = cause->decision ? &batch->decisions : &batch->images;
    uint32_t number = cause->decision ? cause->decision : cause->image;

    if (array_reserve(&list->at, &list->cap, list->count + 1, sizeof(*list->at), err) < 0)
        return -1;
    list->at[list->count++] = (struct touched){cause->project, number};
    batch->causes++;
    batch->last = cause->number;
    return 0;
}

static int compare_touched(const void *left, const void *right)
{
    const struct touched *a = left, *b = right;

    if (a->project != b->project)
        return (a->project > b->project) - (a->project < b->project);
    return (a->number > b->number) - (a->number < b->number);
}

/* Sorts, and drops duplicates. */
static void sort_touched(struct touched_list *list)
{
    size_t kept = 0;

    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof(*list->at), compare_touched);
    for (size_t i = 1; i < list->count; i++)
        if (compare_touched(&list->at[kept], &list->at[i]) != 0)
            list->at[++kept] = list->at[i];
    list->count = kept + 1;
}

/* The tenant, unless it is not kept up. */
static struct tenant *kept_tenant(const struct fleet *fleet, uint32_t project)
{
    struct tenant *tenant = fleet_tenant(fleet, project);

    return tenant && tenant->index && !tenant->broken ? tenant : NULL;
}

/* What fails leaves the tenant half done: it is closed to readers until load_tenants() has mended
 * it. Loading anew may do what changing could not. */
static void note_half_done(struct fleet *fleet, struct tenant *tenant, const struct err *why)
{
    note_failure(fleet, tenant, why);
    tenant->retry_us = 0;
}

static void apply_image(struct fleet *fleet, const struct touched *touched)
{
    struct tenant *tenant = kept_tenant(fleet, touched->project);
    struct err why = {0};

    if (tenant && tenant_apply(fleet, tenant, touched->number, &why) < 0)
        note_half_done(fleet, tenant, &why);
}

/* All decisions of one project at once: rows that several of them concern are laid once. */
static void apply_decisions(struct fleet *fleet, const struct touched *touched, size_t count)
{
    struct tenant *tenant = kept_tenant(fleet, touched->project);
    struct ids numbers CLEANUP(ids_release) = {0};
    struct err why = {0};
    int failed = 0;

    if (!tenant)
        return;
    for (size_t i = 0; i < count && !failed; i++)
        failed = ids_push(&numbers, touched[i].number, &why);
    if (failed || tenant_apply_decisions(fleet, tenant, &numbers, &why) < 0)
        note_half_done(fleet, tenant, &why);
}

/* Decisions first: images are derived under them then. */
static void apply_batch(struct fleet *fleet, struct batch *batch)
{
    struct touched_list *decisions = &batch->decisions;

    sort_touched(&batch->images);
    sort_touched(decisions);
    for (size_t i = 0, first = 0; i < decisions->count; i = first) {
        while (first < decisions->count && decisions->at[first].project == decisions->at[i].project)
            first++;
        apply_decisions(fleet, &decisions->at[i], first - i);
    }
    for (size_t i = 0; i < batch->images.count; i++)
        apply_image(fleet, &batch->images.at[i]);
}

/* A failure is that project's own: it is told to those who ask for the project. */
static void reload_tenants(struct fleet *fleet, bool again)
{
    struct err why;

    load_tenants(fleet, 0, again, &why);
}

/* Causes that we never saw have been dropped: the facts themselves are all there is. */
static int load_anew(struct fleet *fleet, uint64_t last, struct err *err)
{
    if (fleet_read_facts(fleet, err) < 0)
        return -1;
    fleet->seen = last;
    reload_tenants(fleet, true);
    return 1;
}

/* One chunk of the log. 1 when there may be more. */
static int follow_chunk(struct fleet *fleet, struct batch *batch, struct err *err)
{
    uint64_t trimmed, last;

    batch->images.count = batch->decisions.count = batch->causes = 0;
    /* The bounds are read last: what was trimmed while the chunk was being read is seen, too. */
    if (store_each_cause(fleet->store, fleet->seen, FOLLOW_CHUNK, note_cause, batch, err) < 0 ||
        store_log_bounds(fleet->store, &trimmed, &last, err) < 0)
        return -1;
    if (trimmed > fleet->seen)
        return load_anew(fleet, last, err);
    if (batch->causes == 0)
        return 0;
    if (fleet_read_facts(fleet, err) < 0)
        return -1;
    apply_batch(fleet, batch);
    fleet->seen = batch->last;
    return batch->causes == FOLLOW_CHUNK;
}

static int follow_log(struct fleet *fleet, struct err *err)
{
    struct batch batch = {0};
    int more = 1;

    while (more > 0)
        more = follow_chunk(fleet, &batch, err);
    free(batch.images.at);
    free(batch.decisions.at);
    return more;
}

/* Decisions end by the clock, whether or not somebody writes it down. */
static void expire_decisions(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->tenant_count; i++) {
        struct tenant *tenant = kept_tenant(fleet, fleet->tenants[i]->number);
        struct err why = {0};

        if (tenant && tenant->next_expiry_ms <= fleet->now_ms &&
            tenant_expire(fleet, tenant, &why) < 0)
            note_half_done(fleet, tenant, &why);
    }
}

int fleet_follow_locked(struct fleet *fleet, struct err *err)
{
    uint64_t version;

    look_at_clock(fleet);
    if (store_data_version(fleet->store, &version, err) < 0)
        return -1;
    expire_decisions(fleet);
    if (version == fleet->data_version && !any_broken(fleet))
        return 0;
    if (read_projects(fleet, err) < 0)
        return -1;
    /* With nothing loaded there is nothing to keep up: loading starts from the facts. */
    if (any_loaded(fleet) && follow_log(fleet, err) < 0)
        return -1;
    fleet->data_version = version;
    reload_tenants(fleet, false);
    return 0;
}

int fleet_follow(struct fleet *fleet, struct err *err)
{
    int failed;

    pthread_mutex_lock(&fleet->follow);
    failed = fleet_follow_locked(fleet, err);
    pthread_mutex_unlock(&fleet->follow);
    return failed;
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
        err_set(err, ERR_BUSY, "the project's index is being loaded; try again");
    pthread_rwlock_unlock(&fleet->lock);
    return -1;
}

void fleet_end_read(struct fleet *fleet)
{
    pthread_rwlock_unlock(&fleet->lock);
}
