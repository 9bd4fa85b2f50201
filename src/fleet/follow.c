/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following the change log. The log is read in commit order; what it names is read from the facts
 * as they are then, so several changes of one image cost one reading.
 */
#include "base/cleanup.h"
#include "fleet/internal.h"

enum { FOLLOW_CHUNK = 4096, CATCH_UP_CHUNK = 256 };

/* --- What a chunk of the log names ------------------------------------------------------------ */

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

/* --- Taking it in ----------------------------------------------------------------------------- */

/* The tenant, unless it is not kept up. */
static struct tenant *kept_tenant(const struct fleet *fleet, uint32_t project)
{
    struct tenant *tenant = fleet_tenant(fleet, project);

    return tenant && tenant->index && !tenant->broken ? tenant : NULL;
}

/* What fails leaves the tenant half done: it is closed to readers until fleet_load_tenants() has
 * mended it. Loading anew may do what changing could not. */
static void note_half_done(struct fleet *fleet, struct tenant *tenant, const struct err *why)
{
    fleet_note_failure(fleet, tenant, why, 0);
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

/* --- Following -------------------------------------------------------------------------------- */

/* Causes that we never saw have been dropped: the facts themselves are all there is. */
static int load_anew(struct fleet *fleet, uint64_t last, struct err *err)
{
    if (fleet_read_facts(fleet, err) < 0)
        return -1;
    fleet->seen = last;
    fleet_load_tenants(fleet, true);
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

static void release_batch(struct batch *batch)
{
    free(batch->images.at);
    free(batch->decisions.at);
}

int fleet_follow_log(struct fleet *fleet, struct err *err)
{
    struct batch batch = {0};
    int more = 1;

    while (more > 0)
        more = follow_chunk(fleet, &batch, err);
    release_batch(&batch);
    return more;
}

static int catch_up_decisions(struct fleet *fleet, struct tenant *tenant,
    const struct touched_list *decisions, struct err *err)
{
    struct ids numbers CLEANUP(ids_release) = {0};

    for (size_t i = 0; i < decisions->count; i++)
        if (decisions->at[i].project == tenant->number &&
            ids_push(&numbers, decisions->at[i].number, err) < 0)
            return -1;
    return numbers.count ? tenant_apply_decisions(fleet, tenant, &numbers, err) : 0;
}

/* Decisions first, as in apply_batch(). */
static int catch_up_batch(
    struct fleet *fleet, struct tenant *tenant, struct batch *batch, struct err *err)
{
    sort_touched(&batch->images);
    sort_touched(&batch->decisions);
    if (catch_up_decisions(fleet, tenant, &batch->decisions, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->images.count; i++)
        if (batch->images.at[i].project == tenant->number &&
            tenant_apply(fleet, tenant, batch->images.at[i].number, err) < 0)
            return -1;
    return 0;
}

int fleet_catch_up(struct fleet *fleet, struct tenant *tenant, uint64_t *from, struct err *err)
{
    struct batch batch CLEANUP(release_batch) = {.last = *from};
    uint64_t trimmed, last;

    if (store_each_cause(fleet->store, *from, CATCH_UP_CHUNK, note_cause, &batch, err) < 0 ||
        store_log_bounds(fleet->store, &trimmed, &last, err) < 0)
        return -1;
    if (trimmed > *from)
        return 2;
    /* What was committed since the fleet followed may refer to facts that it has not read. */
    if (batch.last > fleet->seen && fleet_read_facts(fleet, err) < 0)
        return -1;
    if (catch_up_batch(fleet, tenant, &batch, err) < 0)
        return -1;
    *from = batch.last;
    return *from < fleet->seen;
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

static bool any_broken(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->tenant_count; i++)
        if (fleet->tenants[i]->broken)
            return true;
    return false;
}

int fleet_follow_locked(struct fleet *fleet, struct err *err)
{
    uint64_t version;

    fleet_look_at_clock(fleet);
    if (store_data_version(fleet->store, &version, err) < 0)
        return -1;
    expire_decisions(fleet);
    if (version == fleet->data_version && !any_broken(fleet))
        return 0;
    if (fleet_read_projects(fleet, err) < 0)
        return -1;
    /* With nothing loaded there is nothing to keep up: loading starts from the facts. */
    if ((fleet_any_loaded(fleet) || fleet->loads) && fleet_follow_log(fleet, err) < 0)
        return -1;
    fleet->data_version = version;
    fleet_load_tenants(fleet, false);
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
