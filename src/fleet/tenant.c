/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One project in memory, kept equal to its facts. Applying an image is idempotent: it always starts
 * from what the store holds now, and takes back exactly what was counted for that image before, so
 * a cause that is met twice, or late, does no harm.
 */
#include "fleet/internal.h"

#include "base/cleanup.h"
#include "base/limits.h"

enum { LOAD_CHUNK = 500 };

void tenant_free(struct tenant *tenant)
{
    if (!tenant)
        return;
    for (size_t i = 0; i < tenant->held_count; i++)
        free(tenant->held[i].blob);
    free(tenant->held);
    aliases_release(&tenant->aliases);
    index_free(tenant->index);
    free(tenant->id);
    free(tenant);
}

/* --- Held claims ------------------------------------------------------------------------------ */

/* Position of the image in held, or where it belongs. */
static size_t held_position(const struct tenant *tenant, uint32_t image)
{
    size_t low = 0, high = tenant->held_count;

    if (high && tenant->held[high - 1].image < image)
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (tenant->held[middle].image < image)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct held *held_entry(struct tenant *tenant, uint32_t image, struct err *err)
{
    size_t at = held_position(tenant, image);

    if (at < tenant->held_count && tenant->held[at].image == image)
        return &tenant->held[at];
    if (array_reserve(&tenant->held, &tenant->held_cap, tenant->held_count + 1,
            sizeof(*tenant->held), err) < 0)
        return NULL;
    memmove(&tenant->held[at + 1], &tenant->held[at],
        (tenant->held_count - at) * sizeof(*tenant->held));
    tenant->held_count++;
    tenant->held[at] = (struct held){.image = image};
    return &tenant->held[at];
}

static int held_claims(const struct held *held, struct ids *ret, struct err *err)
{
    struct slice bytes = {held->blob, held->size};

    ret->count = 0;
    return held->blob ? idlist_decode(&bytes, SIZE_MAX, ret, err) : 0;
}

/* Makes `claims` the image's claims: those that came are counted in, those that went are counted
 * out. */
static int hold_claims(struct tenant *tenant, const struct facts *facts, uint32_t image,
    const struct ids *claims, struct err *err)
{
    struct held *held = held_entry(tenant, image, err);
    struct ids old CLEANUP(ids_release) = {0}, change CLEANUP(ids_release) = {0};
    struct buf blob CLEANUP(buf_release) = BUF_INIT(UINT32_MAX);

    if (!held || held_claims(held, &old, err) < 0)
        return -1;
    idlist_encode(&blob, claims);
    if (buf_check(&blob, "an image's list of claims", err) < 0 ||
        ids_subtract(claims, &old, &change, err) < 0)
        return -1;
    for (size_t i = 0; i < change.count; i++)
        if (aliases_use(&tenant->aliases, facts->claims[change.at[i]].record, err) < 0)
            return -1;
    if (ids_subtract(&old, claims, &change, err) < 0)
        return -1;
    for (size_t i = 0; i < change.count; i++)
        if (aliases_unuse(&tenant->aliases, facts->claims[change.at[i]].record, err) < 0)
            return -1;
    free(held->blob);
    held->blob = realloc(blob.data, blob.len);
    held->size = (uint32_t)blob.len;
    blob.data = NULL;
    return 0;
}

/* --- Applying --------------------------------------------------------------------------------- */

static int put_derived(struct fleet *fleet, struct tenant *tenant, const struct image *image,
    const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct derived derived CLEANUP(derived_release) = {0};

    if (derive_findings(&fleet->facts, &tenant->aliases, image, slots, &derived, err) < 0)
        return -1;
    return index_put(tenant->index, image, derived.at, derived.count, err);
}

/* Reads an image with its slots. 1 when it is there, 0 when it has gone, -1 on failure. */
static int read_image(struct fleet *fleet, uint32_t number, struct arena *arena,
    struct image *image, struct slot slots[SOURCE_COUNT], struct err *err)
{
    if (store_get_image(fleet->store, number, arena, image, err) == 0 &&
        store_get_slots(fleet->store, number, slots, err) == 0)
        return 1;
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

/* A write may have been committed between the reading of facts and that of this image. */
static int catch_up_to(struct fleet *fleet, const struct ids *claims, struct err *err)
{
    if (claims->count == 0 || claims->at[claims->count - 1] <= fleet->facts.last_claim)
        return 0;
    if (facts_catch_up(&fleet->facts, fleet->store, err) < 0)
        return -1;
    if (claims->at[claims->count - 1] > fleet->facts.last_claim)
        return err_set(err, ERR_CORRUPT, "an image refers to claim %u, which is not stored",
            claims->at[claims->count - 1]);
    return 0;
}

static int derive_again(
    struct fleet *fleet, struct tenant *tenant, uint32_t number, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct slot slots[SOURCE_COUNT] = {0};
    struct image image;
    int found;

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    found = read_image(fleet, number, &arena, &image, slots, err);
    if (found == 1)
        found = put_derived(fleet, tenant, &image, slots, err);
    content_release(slots);
    return found < 0 ? -1 : 0;
}

/* Recomputes alias groups; images whose rows change their vulnerability are derived again. */
static int settle_aliases(struct fleet *fleet, struct tenant *tenant, struct err *err)
{
    struct ids groups CLEANUP(ids_release) = {0}, images CLEANUP(ids_release) = {0};

    if (aliases_settled(&tenant->aliases))
        return 0;
    if (aliases_settle(&tenant->aliases, &groups, err) < 0)
        return -1;
    for (size_t i = 0; i < groups.count; i++)
        for (int type = 0; type < VUL_TYPE_COUNT; type++)
            if (index_images_of(tenant->index, vuln_number(groups.at[i], (enum vul_type)type),
                    &images, err) < 0)
                return -1;
    ids_sort_unique(&images);
    for (size_t i = 0; i < images.count; i++)
        if (derive_again(fleet, tenant, images.at[i], err) < 0)
            return -1;
    return 0;
}

static int apply_found(struct fleet *fleet, struct tenant *tenant, const struct image *image,
    const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct ids claims CLEANUP(ids_release) = {0};

    if (content_claims(slots, &claims, err) < 0 || catch_up_to(fleet, &claims, err) < 0 ||
        hold_claims(tenant, &fleet->facts, image->number, &claims, err) < 0 ||
        settle_aliases(fleet, tenant, err) < 0)
        return -1;
    return put_derived(fleet, tenant, image, slots, err);
}

static int apply_gone(struct fleet *fleet, struct tenant *tenant, uint32_t number, struct err *err)
{
    const struct ids none = {0};

    index_remove(tenant->index, number);
    return hold_claims(tenant, &fleet->facts, number, &none, err) < 0
               ? -1
               : settle_aliases(fleet, tenant, err);
}

int tenant_apply(struct fleet *fleet, struct tenant *tenant, uint32_t number, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct slot slots[SOURCE_COUNT] = {0};
    struct image image;
    struct err why = {0};
    int found, failed;

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    found = read_image(fleet, number, &arena, &image, slots, &why);
    if (found < 0) {
        *err = why;
        failed = -1;
    } else if (found == 0 || image.project != tenant->number) {
        failed = apply_gone(fleet, tenant, number, err);
    } else {
        failed = apply_found(fleet, tenant, &image, slots, err);
    }
    content_release(slots);
    return failed;
}

/* --- Loading ---------------------------------------------------------------------------------- */

struct loading {
    struct fleet *fleet;
    struct tenant *tenant;
    uint32_t last;    /* image number reached */
    size_t chunk;     /* images of this chunk */
    struct ids later; /* images with claims newer than the facts in hand */
};

static int load_image(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct loading *loading = ctx;
    const struct facts *facts = &loading->fleet->facts;
    struct ids claims CLEANUP(ids_release) = {0};

    loading->last = image->number;
    loading->chunk++;
    if (content_claims(slots, &claims, err) < 0)
        return -1;
    if (claims.count && claims.at[claims.count - 1] > facts->last_claim)
        return ids_push(&loading->later, image->number, err);
    if (hold_claims(loading->tenant, facts, image->number, &claims, err) < 0)
        return -1;
    return put_derived(loading->fleet, loading->tenant, image, slots, err);
}

/* While images are being read, every record counts as in use, so that nearly all rows come out
 * right at once; what is not in use in the end is taken back, and the rows it touched are derived
 * again. */
static int for_linking_records(struct tenant *tenant, const struct facts *facts, uint32_t last,
    int (*change)(struct aliases *, uint32_t, struct err *), struct err *err)
{
    for (uint32_t id = 1; id <= last; id++)
        if (facts->records[id].alias_count && change(&tenant->aliases, id, err) < 0)
            return -1;
    return 0;
}

/* Images that were committed while the others were being read. */
static int load_late_images(struct loading *loading, struct err *err)
{
    struct fleet *fleet = loading->fleet;
    int failed = 0;

    pthread_rwlock_wrlock(&fleet->lock); /* facts grow, and readers of other projects use them */
    for (size_t i = 0; i < loading->later.count && !failed; i++)
        failed = tenant_apply(fleet, loading->tenant, loading->later.at[i], err);
    pthread_rwlock_unlock(&fleet->lock);
    return failed;
}

static int load_images(struct loading *loading, struct err *err)
{
    struct tenant *tenant = loading->tenant;

    do {
        loading->chunk = 0;
        if (store_each_image(loading->fleet->store, tenant->number, loading->last, LOAD_CHUNK,
                load_image, loading, err) < 0)
            return -1;
    } while (loading->chunk == LOAD_CHUNK);
    return load_late_images(loading, err);
}

static int fill_tenant(struct fleet *fleet, struct tenant *tenant, struct err *err)
{
    struct loading loading = {.fleet = fleet, .tenant = tenant};
    struct ids groups CLEANUP(ids_release) = {0};
    uint32_t records = fleet->facts.last_record;
    int failed;

    if (for_linking_records(tenant, &fleet->facts, records, aliases_use, err) < 0 ||
        aliases_settle(&tenant->aliases, &groups, err) < 0)
        return -1;
    failed = load_images(&loading, err);
    ids_release(&loading.later);
    if (failed || for_linking_records(tenant, &fleet->facts, records, aliases_unuse, err) < 0)
        return -1;
    return settle_aliases(fleet, tenant, err);
}

struct tenant *tenant_load(struct fleet *fleet, uint32_t number, struct slice id, struct err *err)
{
    struct tenant *tenant = calloc(1, sizeof(*tenant));

    if (!tenant) {
        err_nomem(err);
        return NULL;
    }
    tenant->number = number;
    tenant->id = strndup(id.ptr, id.len);
    aliases_init(&tenant->aliases, &fleet->facts);
    tenant->index = index_new(err);
    if (tenant->index && !tenant->id)
        err_nomem(err);
    if (!tenant->index || !tenant->id || fill_tenant(fleet, tenant, err) < 0) {
        tenant_free(tenant);
        return NULL;
    }
    return tenant;
}
