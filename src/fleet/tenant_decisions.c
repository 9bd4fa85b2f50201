/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of one project in memory: loading those in force, taking in what the log says of
 * them, and ending those whose time is over. Applying one is idempotent, as with images: it starts
 * from what the store holds now.
 *
 * The rows that it can change are laid anew beside readers; only codes that change are written
 * under the fleet's lock, for CHANGE_US at a time. The overlay itself has a lock of its own
 * (internal.h): putting a hundred thousand names into it may take a while, and readers of rows need
 * not wait for it.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/concern.h"
#include "fleet/laying.h"

enum { DECISIONS_CHUNK = 500, CHANGES_MAX = 4096, CHANGE_US = 500, CHANGES_BETWEEN_LOOKS = 8 };

/* --- The rows --------------------------------------------------------------------------------- */

struct recode {
    uint32_t image, vuln;
    uint8_t code;
};

struct relaying {
    struct fleet *fleet;
    struct tenant *tenant;
    struct recode *changes;
    size_t count, cap;
    struct laid_rows rows;
    struct slot slots[SOURCE_COUNT];
};

static void relaying_release(struct relaying *r)
{
    free(r->changes);
    laid_rows_release(&r->rows);
    content_release(r->slots);
}

/* Some of the changes, for CHANGE_US. Returns how many are done. */
static size_t write_some(struct relaying *r, size_t from, struct err *err, bool *failed)
{
    int64_t until_us = clock_monotonic_us() + CHANGE_US;
    size_t i = from;

    do {
        const struct recode *change = &r->changes[i++];

        *failed =
            index_recode(r->tenant->index, change->image, change->vuln, change->code, err) < 0;
    } while (
        !*failed && i < r->count && (i % CHANGES_BETWEEN_LOOKS || clock_monotonic_us() < until_us));
    return i;
}

static int write_changes(struct relaying *r, struct err *err)
{
    bool failed = false;

    for (size_t i = 0; i < r->count && !failed;) {
        tenant_begin_change(r->fleet, r->tenant);
        i = write_some(r, i, err, &failed);
        tenant_end_change(r->fleet, r->tenant);
    }
    r->count = 0;
    return failed ? -1 : 0;
}

static int note_changes(struct relaying *r, uint32_t image, struct err *err)
{
    if (array_reserve(&r->changes, &r->cap, r->count + r->rows.count, sizeof(*r->changes), err) < 0)
        return -1;
    for (size_t i = 0; i < r->rows.count; i++) {
        const struct laid *row = &r->rows.at[i];

        if (laid_code(row) != row->code)
            r->changes[r->count++] = (struct recode){image, row->vuln, laid_code(row)};
    }
    return r->count < CHANGES_MAX ? 0 : write_changes(r, err);
}

/* The image may be gone from the store already, or hold something else: then a cause says so, and
 * it is derived anew. */
static int relay_image(
    struct relaying *r, uint32_t number, const struct ids *groups, struct err *err)
{
    struct tenant *tenant = r->tenant;
    struct laying laying = {.facts = &r->fleet->facts,
        .aliases = &tenant->aliases,
        .overlay = tenant->overlay,
        .image = index_find(tenant->index, number)};

    if (!laying.image)
        return 0;
    if (laying_needs_slots(&laying)) {
        content_release(r->slots);
        if (store_get_slots(r->fleet->store, number, r->slots, err) < 0)
            return -1;
        laying.slots = r->slots;
    }
    if (lay_image(&laying, tenant->index, &tenant->holdings, groups, &r->rows, err) < 0)
        return -1;
    return note_changes(r, number, err);
}

/* Lays the decisions anew over what is concerned. */
static int relay(
    struct fleet *fleet, struct tenant *tenant, struct concern *concern, struct err *err)
{
    struct relaying r CLEANUP(relaying_release) = {.fleet = fleet, .tenant = tenant};

    if (concern_settle(concern, tenant->index, err) < 0)
        return -1;
    for (size_t i = 0; i < concern->images.count; i++)
        if (relay_image(&r, concern->images.at[i], concern_groups(concern), err) < 0)
            return -1;
    return write_changes(&r, err);
}

/* --- The overlay ------------------------------------------------------------------------------ */

/* Of a tenant that nobody can see yet no lock is needed; taken within a read of the store, it would
 * be taken in the wrong order, too. */
static void begin_decisions(struct fleet *fleet, const struct tenant *tenant)
{
    if (tenant->shared)
        pthread_rwlock_wrlock(&fleet->overlays);
}

static void end_decisions(struct fleet *fleet, const struct tenant *tenant)
{
    if (tenant->shared)
        pthread_rwlock_unlock(&fleet->overlays);
}

static bool is_over(const struct fleet *fleet, const struct decision *decision)
{
    int64_t now_ms = __atomic_load_n(&fleet->now_ms, __ATOMIC_RELAXED);

    return decision->expires_ms && decision->expires_ms <= now_ms;
}

static int note_concern(
    struct tenant *tenant, uint32_t number, struct concern *concern, struct err *err)
{
    if (!concern || !overlay_find(tenant->overlay, number))
        return 0;
    return concern_add(concern, tenant->index, tenant->overlay, number, true, err);
}

static void remove_number(struct ids *ids, uint32_t number)
{
    size_t kept = 0;

    for (size_t i = 0; i < ids->count; i++)
        if (ids->at[i] != number)
            ids->at[kept++] = ids->at[i];
    ids->count = kept;
}

/* Puts it in, or takes it out when it is not in force (or NULL). */
static int take_decision(struct fleet *fleet, struct tenant *tenant, uint32_t number,
    const struct decision *decision, struct concern *concern, struct err *err)
{
    bool stands = decision && decision->end == DECISION_IN_FORCE;
    bool over = stands && is_over(fleet, decision); /* it may be the overlay's own */
    int failed = 0;

    if (note_concern(tenant, number, concern, err) < 0)
        return -1;
    remove_number(&tenant->expired, number);
    begin_decisions(fleet, tenant);
    if (stands && !over)
        failed = overlay_put(tenant->overlay, &tenant->aliases, decision, err);
    else
        overlay_remove(tenant->overlay, number);
    end_decisions(fleet, tenant);
    if (!failed && over)
        failed = ids_push(&tenant->expired, number, err);
    return failed < 0 ? -1 : note_concern(tenant, number, concern, err);
}

struct loading_decisions {
    struct fleet *fleet;
    struct tenant *tenant;
    uint32_t last;
    size_t chunk;
};

static int load_decision(void *ctx, const struct decision *decision, struct err *err)
{
    struct loading_decisions *loading = ctx;

    loading->last = decision->number;
    loading->chunk++;
    return take_decision(loading->fleet, loading->tenant, decision->number, decision, NULL, err);
}

int tenant_load_decisions(struct fleet *fleet, struct tenant *tenant, struct err *err)
{
    struct loading_decisions loading = {.fleet = fleet, .tenant = tenant};

    do {
        loading.chunk = 0;
        if (store_each_decision(fleet->store, tenant->number, true, loading.last, DECISIONS_CHUNK,
                load_decision, &loading, err) < 0)
            return -1;
    } while (loading.chunk == DECISIONS_CHUNK);
    tenant->next_expiry_ms = overlay_next_expiry_ms(tenant->overlay);
    return 0;
}

int tenant_regroup_decisions(
    struct fleet *fleet, struct tenant *tenant, const struct alias_plan *plan, struct err *err)
{
    bool named = false;
    int failed;

    for (size_t i = 0; i < plan->count && !named; i++)
        named = overlay_concerns(tenant->overlay, plan->at[i].name);
    if (!named)
        return 0;
    begin_decisions(fleet, tenant);
    failed = overlay_regroup(tenant->overlay, &tenant->aliases, err);
    end_decisions(fleet, tenant);
    return failed;
}

/* --- Following -------------------------------------------------------------------------------- */

static int apply_decision(struct fleet *fleet, struct tenant *tenant, uint32_t number,
    struct concern *concern, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct decision decision;
    struct err why = {0};
    bool found;

    arena_init(&arena, "a decision", LIMIT_REPORT_MEMORY_BYTES);
    found = store_get_decision(fleet->store, number, &arena, &decision, &why) == 0;
    if (!found && why.code != ERR_NOT_FOUND) {
        *err = why;
        return -1;
    }
    return take_decision(fleet, tenant, number, found ? &decision : NULL, concern, err);
}

int tenant_apply_decisions(
    struct fleet *fleet, struct tenant *tenant, const struct ids *numbers, struct err *err)
{
    struct concern concern CLEANUP(concern_release) = {0};

    for (size_t i = 0; i < numbers->count; i++)
        if (apply_decision(fleet, tenant, numbers->at[i], &concern, err) < 0)
            return -1;
    tenant->next_expiry_ms = overlay_next_expiry_ms(tenant->overlay);
    return relay(fleet, tenant, &concern, err);
}

int tenant_expire(struct fleet *fleet, struct tenant *tenant, struct err *err)
{
    struct concern concern CLEANUP(concern_release) = {0};
    struct ids over CLEANUP(ids_release) = {0};

    if (overlay_expired(tenant->overlay, fleet->now_ms, &over, err) < 0)
        return -1;
    for (size_t i = 0; i < over.count; i++)
        if (take_decision(fleet, tenant, over.at[i], overlay_find(tenant->overlay, over.at[i]),
                &concern, err) < 0)
            return -1;
    tenant->next_expiry_ms = overlay_next_expiry_ms(tenant->overlay);
    return relay(fleet, tenant, &concern, err);
}
