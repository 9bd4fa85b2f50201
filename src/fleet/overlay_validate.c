/* SPDX-License-Identifier: Apache-2.0 */
/* Is an overlay in order, and are two the same? For tests, and for fleet_verify(). */
#include "base/cleanup.h"
#include "fleet/overlay_lists.h"

static bool ascends(const struct ids *ids)
{
    for (size_t i = 1; i < ids->count; i++)
        if (ids->at[i - 1] >= ids->at[i])
            return false;
    return true;
}

/* Does the list of this kind belong to a decision of this kind, and this key to it? */
static bool belongs(
    const struct overlay *overlay, enum list_kind kind, uint32_t key, const struct lying *lying)
{
    const struct decision *decision = &lying->decision;
    bool named = decision->scope == DECISION_IMAGES, any = decision->vuln_count == 0;
    struct slice id;

    switch (kind) {
    case LIST_GROUP:
        return !named && ids_contains(&lying->groups, key);
    case LIST_IMAGE_GROUP:
        return named && ids_contains(&lying->groups, key);
    case LIST_PACKAGE:
        return !named && any && slice_eq(decision->package, intern_get(&overlay->packages, key));
    case LIST_IMAGE:
    case LIST_IMAGE_PACKAGE:
        if (!named || any != (kind == LIST_IMAGE_PACKAGE))
            return false;
        id = intern_get(&overlay->images, key);
        for (size_t i = 0; i < decision->image_count; i++)
            if (memcmp(decision->images[i], id.ptr, IMAGE_ID_BYTES) == 0)
                return true;
        return false;
    case LIST_COUNT:
    default:
        return false;
    }
}

static const char *check_list(
    const struct overlay *overlay, enum list_kind kind, uint32_t key, size_t *links)
{
    const struct lists *lists = &overlay->lists[kind];
    uint32_t before = UINT32_MAX, length = 0;

    for (uint32_t at = lists_first(lists, key); at; at = lists->links[at].next) {
        const struct lying *of = lists->links[at].of;

        if (!of || (length && of->decision.number >= before))
            return "a list is not in order";
        if (!belongs(overlay, kind, key, of))
            return "a decision is in a list where it does not belong";
        before = of->decision.number;
        length++;
    }
    *links += length;
    return length == lists_length(lists, key) ? NULL : "a list's length is wrong";
}

/* Each decision once in each list where it belongs: none that does not, none twice, and as many as
 * there must be. */
static const char *check_lists(const struct overlay *overlay, const size_t expected[LIST_COUNT])
{
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        const struct lists *lists = &overlay->lists[kind];
        const char *broken = NULL;
        size_t links = 0;

        for (uint32_t key = 0; key < lists->cap && !broken; key++)
            broken = check_list(overlay, (enum list_kind)kind, key, &links);
        if (broken)
            return broken;
        if (links != expected[kind] || links != lists->used_count)
            return "a decision is missing in a list";
    }
    return NULL;
}

static const char *check_names(const struct overlay *overlay)
{
    struct ids counts CLEANUP(ids_release) = {0};
    struct err err;

    for (size_t i = 0; i < overlay->named_cap; i++)
        if (ids_push(&counts, 0, &err) < 0)
            return "out of memory";
    for (size_t i = 0; i < overlay->count; i++)
        for (size_t j = 0; j < overlay->at[i]->decision.vuln_count; j++) {
            if (overlay->at[i]->decision.vulns[j] >= counts.count)
                return "a name is not counted";
            counts.at[overlay->at[i]->decision.vulns[j]]++;
        }
    for (size_t i = 0; i < counts.count; i++)
        if (counts.at[i] != overlay->named[i])
            return "a name is counted wrongly";
    return NULL;
}

const char *overlay_validate(const struct overlay *overlay)
{
    size_t expected[LIST_COUNT] = {0};
    size_t by_package = 0;
    const char *broken;

    for (size_t i = 0; i < overlay->count; i++) {
        const struct lying *lying = overlay->at[i];
        const struct decision *decision = &lying->decision;
        bool named = decision->scope == DECISION_IMAGES, any = decision->vuln_count == 0;

        if (i && overlay->at[i - 1]->decision.number >= decision->number)
            return "decisions are not in order";
        if (!ascends(&lying->groups) || any != (lying->groups.count == 0))
            return "the groups of a decision are not in order";
        expected[named ? LIST_IMAGE_GROUP : LIST_GROUP] += lying->groups.count;
        expected[any ? LIST_IMAGE_PACKAGE : LIST_IMAGE] += decision->image_count;
        expected[LIST_PACKAGE] += any && !named;
        if (any && !named &&
            (by_package >= overlay->by_package_count || overlay->by_package[by_package++] != lying))
            return "a decision on a package is missing";
    }
    if (by_package != overlay->by_package_count)
        return "there are too many decisions on packages";
    broken = check_lists(overlay, expected);
    return broken ? broken : check_names(overlay);
}

/* --- Comparing -------------------------------------------------------------------------------- */

static bool same_bytes(const void *a, size_t a_count, const void *b, size_t b_count, size_t size)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * size) == 0);
}

static bool same_selector(const struct decision *a, const struct decision *b)
{
    return a->action == b->action && a->type == b->type && slice_eq(a->package, b->package) &&
           same_bytes(a->vulns, a->vuln_count, b->vulns, b->vuln_count, sizeof(*a->vulns));
}

static bool same_scope(const struct decision *a, const struct decision *b)
{
    bool same = a->scope == b->scope && slice_eq(a->place, b->place) &&
                a->image_type == b->image_type &&
                a->enterprise_project_count == b->enterprise_project_count &&
                same_bytes(a->images, a->image_count, b->images, b->image_count, IMAGE_ID_BYTES);

    for (size_t i = 0; same && i < a->enterprise_project_count; i++)
        same = slice_eq(a->enterprise_projects[i], b->enterprise_projects[i]);
    return same;
}

static bool same_story(const struct decision *a, const struct decision *b)
{
    return a->project == b->project && slice_eq(a->author, b->author) &&
           slice_eq(a->reason, b->reason) && a->created_ms == b->created_ms &&
           a->expires_ms == b->expires_ms && a->ended_ms == b->ended_ms && a->end == b->end &&
           slice_eq(a->ended_by, b->ended_by);
}

const char *overlay_compare(const struct overlay *a, const struct overlay *b)
{
    if (a->count != b->count)
        return "one has more decisions";
    for (size_t i = 0; i < a->count; i++) {
        const struct lying *left = a->at[i], *right = b->at[i];

        if (left->decision.number != right->decision.number)
            return "other decisions are in force";
        if (!same_selector(&left->decision, &right->decision) ||
            !same_scope(&left->decision, &right->decision) ||
            !same_story(&left->decision, &right->decision))
            return "a decision says something else";
        if (!ids_equal(&left->groups, &right->groups))
            return "the names of a decision are in other groups";
    }
    return NULL;
}
