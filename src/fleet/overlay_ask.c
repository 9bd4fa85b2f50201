/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an overlay says of a claim. It is asked for in the few lists that can hold a decision that
 * matches; each is walked from its newest on, and no further than the newest match so far.
 */
#include "base/bug.h"
#include "fleet/overlay_lists.h"

struct search {
    const struct overlaid *claim;
    bool row; /* packages and times are not looked at */
    const struct lying *best;
};

static bool matches(const struct search *search, const struct lying *lying)
{
    const struct decision *decision = &lying->decision;
    const struct overlaid *claim = search->claim;

    if (decision->number == claim->except ||
        (decision->type >= 0 && decision->type != (int)claim->type))
        return false;
    if (!search->row &&
        ((decision->package.len && !slice_eq(decision->package, claim->package)) ||
            (decision->action == DECISION_REPAIR && claim->last_found_ms > decision->created_ms)))
        return false;
    return (decision->vuln_count == 0 || ids_contains(&lying->groups, claim->group)) &&
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
        walk(search, groups, group);
    walk(search, packages, key);
}

const struct decision *overlay_decision(const struct overlay *overlay, const struct overlaid *claim)
{
    const struct lists *packages = &overlay->lists[LIST_PACKAGE];
    struct search search = {.claim = claim};

    walk(&search, &overlay->lists[LIST_GROUP], claim->group);
    if (packages->used_count) {
        walk(&search, packages, 0); /* those of any package */
        walk(&search, packages, intern_find(&overlay->packages, claim->package));
    }
    walk_named(overlay, &search);
    return search.best ? &search.best->decision : NULL;
}

/* One that may hold for some of the claims and not for others leaves it open, and so does one that
 * is known only by its package, which is not asked for here. */
bool overlay_row_decision(
    const struct overlay *overlay, const struct overlaid *claim, const struct decision **ret)
{
    struct search search = {.claim = claim, .row = true};
    const struct decision *best;

    walk(&search, &overlay->lists[LIST_GROUP], claim->group);
    walk_named(overlay, &search);
    best = search.best ? &search.best->decision : NULL;
    if (overlay->newest_package > (best ? best->number : 0))
        return false;
    if (best && (best->package.len || (best->action == DECISION_REPAIR &&
                                          claim->image->latest_scan_ms > best->created_ms)))
        return false;
    *ret = best;
    return true;
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
