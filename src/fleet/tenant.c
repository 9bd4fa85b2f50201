/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One project in memory, kept equal to its facts. Applying an image is idempotent: it always starts
 * from what the store holds now, and takes back exactly what was counted for that image before, so
 * a cause that is met twice, or late, does no harm.
 *
 * Disk and derivation stay outside the fleet's lock: readers wait only for what changes memory. A
 * change of alias groups therefore reaches the rows image by image; until the last one is done, a
 * few rows still stand under their group's old number.
 */
#include "fleet/internal.h"

#include "base/cleanup.h"
#include "base/limits.h"

void tenant_free(struct tenant *tenant)
{
    if (!tenant)
        return;
    holdings_release(&tenant->holdings);
    aliases_release(&tenant->aliases);
    index_free(tenant->index);
    overlay_free(tenant->overlay);
    ids_release(&tenant->expired);
    free(tenant->id);
    free(tenant);
}

void tenant_begin_change(struct fleet *fleet, const struct tenant *tenant)
{
    if (tenant->shared)
        pthread_rwlock_wrlock(&fleet->lock);
}

void tenant_end_change(struct fleet *fleet, const struct tenant *tenant)
{
    if (tenant->shared)
        pthread_rwlock_unlock(&fleet->lock);
}

/* --- Applying --------------------------------------------------------------------------------- */

static int count_claims(struct tenant *tenant, const struct facts *facts, const struct ids *claims,
    int (*count)(struct aliases *, uint32_t, struct err *), struct err *err)
{
    for (size_t i = 0; i < claims->count; i++)
        if (count(&tenant->aliases, facts->claims[claims->at[i]].record, err) < 0)
            return -1;
    return 0;
}

/* Makes `claims` the image's claims: those that came are counted in, those that went are counted
 * out. */
int tenant_hold(struct fleet *fleet, struct tenant *tenant, uint32_t image,
    const struct ids *claims, struct err *err)
{
    struct ids come CLEANUP(ids_release) = {0}, go CLEANUP(ids_release) = {0};
    int failed;

    if (holdings_compare(&tenant->holdings, image, claims, &come, &go, err) < 0)
        return -1;
    tenant_begin_change(fleet, tenant);
    failed = count_claims(tenant, &fleet->facts, &come, aliases_use, err) < 0 ||
             count_claims(tenant, &fleet->facts, &go, aliases_unuse, err) < 0 ||
             holdings_set(&tenant->holdings, image, claims, err) < 0;
    tenant_end_change(fleet, tenant);
    return failed ? -1 : 0;
}

static int put_derived(struct fleet *fleet, struct tenant *tenant, const struct image *image,
    const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct derived derived CLEANUP(derived_release) = {0};
    int failed;

    if (derive_findings(
            &fleet->facts, &tenant->aliases, tenant->overlay, image, slots, &derived, err) < 0)
        return -1;
    tenant_begin_change(fleet, tenant);
    failed = index_put(tenant->index, image, derived.at, derived.count, err);
    tenant_end_change(fleet, tenant);
    return failed;
}

/* What the image holds may be newer than the facts in hand: a write may have been committed between
 * the reading of both. It may also be older: an image that was removed in between, and whose claims
 * were collected, cannot be understood any more. That is told like damage, and mended by loading.
 */
static int catch_up_to(struct fleet *fleet, const struct ids *claims, struct err *err)
{
    if (facts_have(&fleet->facts, claims))
        return 0;
    if (fleet_read_facts(fleet, err) < 0)
        return -1;
    if (facts_have(&fleet->facts, claims))
        return 0;
    return err_set(err, ERR_CORRUPT, "an image refers to a claim that is not stored");
}

/* One image with its slots, as the store has it, and with the facts that it refers to. */
struct reading {
    struct arena arena;
    struct image image;
    struct slot slots[SOURCE_COUNT];
    struct ids claims;
    bool found; /* it is there, and in this project */
};

static void reading_release(struct reading *reading)
{
    arena_release(&reading->arena);
    content_release(reading->slots);
    ids_release(&reading->claims);
}

static int read_image(struct fleet *fleet, const struct tenant *tenant, uint32_t number,
    struct reading *ret, struct err *err)
{
    struct err why = {0};

    arena_init(&ret->arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    if (store_get_image(fleet->store, number, &ret->arena, &ret->image, &why) < 0 ||
        store_get_slots(fleet->store, number, ret->slots, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return 0;
        *err = why;
        return -1;
    }
    ret->found = ret->image.project == tenant->number;
    if (content_claims(ret->slots, &ret->claims, err) < 0)
        return -1;
    return catch_up_to(fleet, &ret->claims, err);
}

static int derive_again(
    struct fleet *fleet, struct tenant *tenant, uint32_t number, struct err *err)
{
    struct reading reading CLEANUP(reading_release) = {0};

    if (read_image(fleet, tenant, number, &reading, err) < 0)
        return -1;
    return reading.found ? put_derived(fleet, tenant, &reading.image, reading.slots, err) : 0;
}

/* Recomputes alias groups; images whose rows change their vulnerability are derived again. */
int tenant_settle_aliases(struct fleet *fleet, struct tenant *tenant, struct err *err)
{
    struct alias_plan plan CLEANUP(alias_plan_release) = {0};
    struct ids images CLEANUP(ids_release) = {0};
    int failed;

    if (aliases_settled(&tenant->aliases))
        return 0;
    if (aliases_plan(&tenant->aliases, &plan, err) < 0)
        return -1;
    tenant_begin_change(fleet, tenant);
    failed = aliases_apply(&tenant->aliases, &plan, err);
    tenant_end_change(fleet, tenant);
    if (!failed)
        failed = tenant_regroup_decisions(fleet, tenant, &plan, err);
    for (size_t i = 0; i < plan.changed.count && !failed; i++)
        for (int type = 0; type < VUL_TYPE_COUNT && !failed; type++)
            failed = index_images_of(
                tenant->index, vuln_number(plan.changed.at[i], (enum vul_type)type), &images, err);
    ids_sort_unique(&images);
    for (size_t i = 0; i < images.count && !failed; i++)
        failed = derive_again(fleet, tenant, images.at[i], err);
    return failed;
}

static int apply_gone(struct fleet *fleet, struct tenant *tenant, uint32_t number, struct err *err)
{
    const struct ids none = {0};

    tenant_begin_change(fleet, tenant);
    index_remove(tenant->index, number);
    tenant_end_change(fleet, tenant);
    if (tenant_hold(fleet, tenant, number, &none, err) < 0)
        return -1;
    return tenant_settle_aliases(fleet, tenant, err);
}

int tenant_apply(struct fleet *fleet, struct tenant *tenant, uint32_t number, struct err *err)
{
    struct reading reading CLEANUP(reading_release) = {0};

    if (read_image(fleet, tenant, number, &reading, err) < 0)
        return -1;
    if (!reading.found)
        return apply_gone(fleet, tenant, number, err);
    if (tenant_hold(fleet, tenant, number, &reading.claims, err) < 0 ||
        tenant_settle_aliases(fleet, tenant, err) < 0)
        return -1;
    return put_derived(fleet, tenant, &reading.image, reading.slots, err);
}
