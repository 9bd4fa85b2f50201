/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over the rows that decisions concern, without holding anybody up. */
#include "base/bug.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "fleet/concern.h"
#include "fleet/deciding.h"

enum { HOLD_US = 1000, IMAGES_BETWEEN_LOOKS = 8 };

int fleet_begin_overlays(
    struct fleet *fleet, uint32_t project, struct tenant **ret, struct err *err)
{
    pthread_rwlock_rdlock(&fleet->overlays);
    if (fleet_begin_read(fleet, project, ret, err) == 0)
        return 0;
    pthread_rwlock_unlock(&fleet->overlays);
    return -1;
}

void fleet_end_overlays(struct fleet *fleet)
{
    fleet_end_read(fleet);
    pthread_rwlock_unlock(&fleet->overlays);
}

struct overlay *overlay_of_one(
    struct fleet *fleet, uint32_t project, const struct decision *decision, struct err *err)
{
    struct overlay *overlay = overlay_new(err);
    struct tenant *tenant;
    int failed = !overlay || fleet_begin_read(fleet, project, &tenant, err) < 0;

    if (!failed) {
        failed = overlay_put(overlay, &tenant->aliases, decision, err);
        fleet_end_read(fleet);
    }
    if (!failed)
        return overlay;
    overlay_free(overlay);
    return NULL;
}

/* --- Walking ---------------------------------------------------------------------------------- */

struct walking {
    const struct row_walk *walk;
    walked_row_fn fn;
    void *ctx;
    struct concern concern;
    struct ids only;    /* the one group */
    struct ids without; /* walk->gone and walk->except */
    size_t next;        /* image of the concern */
    struct laid_rows rows, before;
    struct slot slots[SOURCE_COUNT];
};

static void walking_release(struct walking *w)
{
    concern_release(&w->concern);
    ids_release(&w->only);
    ids_release(&w->without);
    laid_rows_release(&w->rows);
    laid_rows_release(&w->before);
    content_release(w->slots);
}

static int find_concern(struct walking *w, const struct tenant *tenant, struct err *err)
{
    const struct overlay *above = w->walk->above;

    for (size_t i = 0; above && i < overlay_count(above); i++)
        if (concern_add(
                &w->concern, tenant->index, above, overlay_at(above, i)->number, false, err) < 0)
            return -1;
    if (w->walk->except && overlay_find(tenant->overlay, w->walk->except) &&
        concern_add(&w->concern, tenant->index, tenant->overlay, w->walk->except, false, err) < 0)
        return -1;
    return concern_settle(&w->concern, tenant->index, err);
}

/* Where there is one decision, most images that it does not reach need not be looked into. */
static bool is_reached(const struct walking *w, const struct image *image)
{
    const struct overlay *above = w->walk->above;

    return !above || overlay_count(above) != 1 || decision_reaches(overlay_at(above, 0), image);
}

/* The rows as they are when walk->gone are. */
static int lay_before(struct walking *w, const struct tenant *tenant, struct laying *laying,
    const struct ids *groups, struct err *err)
{
    laying->except = w->walk->gone;
    if (lay_image(laying, tenant->index, &tenant->holdings, groups, &w->before, err) < 0)
        return -1;
    for (size_t i = 0; i < w->rows.count; i++)
        w->rows.at[i].code = laid_code(&w->before.at[i]);
    return 0;
}

static int walk_image(
    struct walking *w, const struct tenant *tenant, uint32_t number, struct err *err)
{
    const struct ids *groups = w->walk->group ? &w->only : concern_groups(&w->concern);
    struct laying laying = {.facts = &w->walk->fleet->facts,
        .aliases = &tenant->aliases,
        .above = w->walk->above,
        .overlay = tenant->overlay,
        .except = &w->without,
        .image = index_find(tenant->index, number)};

    if (!laying.image || !is_reached(w, laying.image))
        return 0;
    if (laying_needs_slots(&laying)) {
        content_release(w->slots);
        if (store_get_slots(w->walk->fleet->store, number, w->slots, err) < 0)
            return -1;
        laying.slots = w->slots;
    }
    if (lay_image(&laying, tenant->index, &tenant->holdings, groups, &w->rows, err) < 0 ||
        (w->walk->gone && lay_before(w, tenant, &laying, groups, err) < 0))
        return -1;
    for (size_t i = 0; i < w->rows.count; i++)
        if (w->fn(w->ctx, tenant, laying.image, &w->rows.at[i], err) < 0)
            return -1;
    return 0;
}

static int walk_some(struct walking *w, const struct tenant *tenant, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + HOLD_US;
    int failed = 0;

    while (!failed && w->next < w->concern.images.count &&
           (w->next % IMAGES_BETWEEN_LOOKS || clock_monotonic_us() < until_us))
        failed = walk_image(w, tenant, w->concern.images.at[w->next++], err);
    return failed;
}

static int start(struct walking *w, struct err *err)
{
    const struct row_walk *walk = w->walk;

    if ((walk->group && ids_push(&w->only, walk->group, err) < 0) ||
        (walk->gone && ids_append(&w->without, walk->gone->at, walk->gone->count, err) < 0) ||
        (walk->except && ids_push(&w->without, walk->except, err) < 0))
        return -1;
    ids_sort_unique(&w->without);
    return 0;
}

int walk_rows(const struct row_walk *walk, walked_row_fn fn, void *ctx, struct err *err)
{
    struct walking w CLEANUP(walking_release) = {.walk = walk, .fn = fn, .ctx = ctx};
    struct tenant *tenant;
    int failed;

    if (start(&w, err) < 0 || fleet_begin_overlays(walk->fleet, walk->project, &tenant, err) < 0)
        return -1;
    failed = find_concern(&w, tenant, err);
    fleet_end_overlays(walk->fleet);
    while (!failed && w.next < w.concern.images.count) {
        if (fleet_begin_overlays(walk->fleet, walk->project, &tenant, err) < 0)
            return -1;
        failed = walk_some(&w, tenant, err);
        fleet_end_overlays(walk->fleet);
    }
    return failed;
}
