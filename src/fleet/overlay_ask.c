/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an overlay says of a claim. It is asked for in the few lists that can hold a decision that
 * matches; each is walked from its newest on, and no further than the newest match so far.
 */
#include "base/bug.h"
#include "fleet/overlay_lists.h"

/* Decisions on packages that are looked at before a row is said to be undecided. */
enum { BY_PACKAGE_MAX = 16 };

struct search {
    const struct overlaid *claim;
    bool row;     /* packages and times are not looked at */
    bool grouped; /* the list at hand is of decisions about the group */
    const struct lying *best;
};

static bool matches(const struct search *search, const struct lying *lying)
{
    const struct decision *decision = &lying->decision;
    const struct overlaid *claim = search->claim;

    if ((claim->except && ids_contains(claim->except, decision->number)) ||
        (decision->type >= 0 && decision->type != (int)claim->type))
        return false;
    if (!search->row &&
        ((decision->package.len && !slice_eq(decision->package, claim->package)) ||
            (decision->action == DECISION_REPAIR && claim->last_found_ms > decision->created_ms)))
        return false;
    return (search->grouped || decision->vuln_count == 0 ||
               ids_contains(&lying->groups, claim->group)) &&
           decision_reaches(decision, claim->image);
}

static void walk(struct search *search, const struct lists *lists, uint32_t key)
{
    for (uint32_t at = lists_first(lists, key); at; at = lists->links[at].next) {
        const struct lying *lying = lists->links[at].of;

        if (search->best && lying->decision.number < search->best->decision.number)
            return;
        if (matches(search, lying)) {
            search->best = lying;
            return;
        }
    }
}

/* The same in a list of decisions about a group. */
static void walk_group(struct search *search, const struct lists *lists)
{
    search->grouped = true;
    walk(search, lists, search->claim->group);
    search->grouped = false;
}

/* Those that name the image. */
static void walk_named(const struct overlay *overlay, struct search *search)
{
    const struct lists *images = &overlay->lists[LIST_IMAGE];
    const struct lists *groups = &overlay->lists[LIST_IMAGE_GROUP];
    const struct lists *packages = &overlay->lists[LIST_IMAGE_PACKAGE];
    unsigned char id[IMAGE_ID_BYTES];
    uint32_t group = search->claim->group, key;

    if ((images->used_count == 0 && packages->used_count == 0) ||
        !image_id_bytes(slice_of(search->claim->image->id), id))
        return;
    key = intern_find(&overlay->images, (struct slice){(const char *)id, IMAGE_ID_BYTES});
    if (key == MAP_NONE)
        return;
    if (lists_length(images, key) <= lists_length(groups, group))
        walk(search, images, key);
    else
        walk_group(search, groups);
    walk(search, packages, key);
}

const struct decision *overlay_decision(const struct overlay *overlay, const struct overlaid *claim)
{
    const struct lists *packages = &overlay->lists[LIST_PACKAGE];
    struct search search = {.claim = claim};

    walk_group(&search, &overlay->lists[LIST_GROUP]);
    if (packages->used_count) {
        walk(&search, packages, 0); /* those of any package */
        walk(&search, packages, intern_find(&overlay->packages, claim->package));
    }
    walk_named(overlay, &search);
    return search.best ? &search.best->decision : NULL;
}

/* Can one that is known only by its package, newer than `best`, hold in this row? The packages are
 * not asked for here. */
static bool may_be_by_package(
    const struct overlay *overlay, const struct search *search, const struct lying *best)
{
    uint32_t than = best ? best->decision.number : 0;
    size_t looked_at = 0;

    for (size_t i = overlay->by_package_count; i > 0; i--) {
        const struct lying *lying = overlay->by_package[i - 1];

        if (lying->decision.number < than)
            return false;
        if (lying->decision.package.len == 0)
            continue; /* it is among those that were looked up */
        if (looked_at++ == BY_PACKAGE_MAX || matches(search, lying))
            return true;
    }
    return false;
}

/* A repair that does not hold for the latest report may hold for what an older one has found. */
static bool is_doubtful(const struct decision *repair, const struct image *image)
{
    return repair->action == DECISION_REPAIR && image->latest_scan_ms > repair->created_ms;
}

bool overlay_row_decision(
    const struct overlay *overlay, const struct overlaid *claim, const struct decision **ret)
{
    struct search search = {.claim = claim, .row = true};
    const struct decision *best;

    walk_group(&search, &overlay->lists[LIST_GROUP]);
    walk(&search, &overlay->lists[LIST_PACKAGE], 0);
    walk_named(overlay, &search);
    if (may_be_by_package(overlay, &search, search.best))
        return false;
    best = search.best ? &search.best->decision : NULL;
    if (best && (best->package.len || is_doubtful(best, claim->image)))
        return false;
    *ret = best;
    return true;
}

bool overlay_needs_times(const struct overlay *overlay, const struct image *image)
{
    static const enum list_kind kinds[] = {LIST_IMAGE, LIST_IMAGE_PACKAGE};
    unsigned char id[IMAGE_ID_BYTES];
    uint32_t key;

    if (overlay->images.count <= 1 || !image_id_bytes(slice_of(image->id), id))
        return false;
    key = intern_find(&overlay->images, (struct slice){(const char *)id, IMAGE_ID_BYTES});
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct lists *lists = &overlay->lists[kinds[i]];

        for (uint32_t at = lists_first(lists, key); at; at = lists->links[at].next)
            if (is_doubtful(&lists->links[at].of->decision, image))
                return true;
    }
    return false;
}

enum verdict verdict_of(const struct decision *decision)
{
    if (!decision)
        return VERDICT_OPEN;
    switch (decision->action) {
    case DECISION_IGNORE:
    case DECISION_WHITELIST:
        return VERDICT_IGNORED;
    case DECISION_REPAIR:
        return VERDICT_REPAIRED;
    case DECISION_REOPEN:
        return VERDICT_OPEN;
    case DECISION_ACTION_COUNT:
    default:
        BUG_ON(true);
    }
}

enum verdict overlay_verdict(const struct overlay *overlay, const struct overlaid *claim)
{
    return verdict_of(overlay_decision(overlay, claim));
}
