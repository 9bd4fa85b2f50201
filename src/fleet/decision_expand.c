/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that speak of the rows as they are now: all vulnerabilities, rows that are not handled
 * yet, repairs of a place. A decision of the request's selector and scope is laid over the rows for
 * a trial, and what it reaches is collected:
 *
 *   - of named images, or when only some rows are meant, the vulnerabilities of each image; images
 *     with the same ones share a decision;
 *   - else the vulnerabilities of the whole scope, or, for a repair, its images, or both. A repair
 *     may name a vulnerability that an image does not have: what is found there later is found
 *     after it.
 */
#include "base/bug.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "fleet/deciding.h"

static bool names_a_place(const struct decision_request *request)
{
    return request->scope != DECISION_IMAGES;
}

static bool is_placed_repair(const struct decision_request *request)
{
    return request->action == DECISION_REPAIR && names_a_place(request);
}

bool draft_needs_rows(const struct decision_request *request)
{
    return request->all_vuls || is_placed_repair(request) ||
           (request->handled >= 0 && !names_a_place(request));
}

/* Each image with its own vulnerabilities? */
static bool wants_each(const struct decision_request *request)
{
    return !names_a_place(request) || (is_placed_repair(request) && request->handled >= 0);
}

/* Vulnerabilities, and the images that have them. */
struct set {
    struct ids vulns;
    unsigned char (*images)[IMAGE_ID_BYTES];
    size_t count, cap;
};

struct expanding {
    struct drafting *drafting;
    const struct decision_request *request;
    const struct draft *base;
    bool each;
    uint32_t image; /* at hand; 0: none yet */
    unsigned char image_id[IMAGE_ID_BYTES];
    struct ids vulns; /* of the image; of the whole scope when not each */
    size_t sorted;    /* so many of the vulnerabilities were left by the last sorting */
    struct set *sets;
    size_t count, cap;
    struct map by_vulns; /* sets, when each */
};

static void expanding_release(struct expanding *e)
{
    for (size_t i = 0; i < e->count; i++) {
        ids_release(&e->sets[i].vulns);
        free(e->sets[i].images);
    }
    free(e->sets);
    ids_release(&e->vulns);
    map_release(&e->by_vulns);
}

/* --- Sets ------------------------------------------------------------------------------------- */

static bool has_vulns(const void *owner, uint32_t id, const void *key)
{
    const struct expanding *e = owner;

    return ids_equal(&e->sets[id].vulns, key);
}

static int add_set(struct expanding *e, uint64_t hash, struct err *err)
{
    struct set *set;

    if (array_reserve(&e->sets, &e->cap, e->count + 1, sizeof(*e->sets), err) < 0)
        return -1;
    set = &e->sets[e->count++];
    *set = (struct set){.count = 0};
    if (ids_append(&set->vulns, e->vulns.at, e->vulns.count, err) < 0)
        return -1;
    return map_add(&e->by_vulns, hash, (uint32_t)e->count - 1, err);
}

static int find_set(struct expanding *e, struct set **ret, struct err *err)
{
    struct slice bytes = {(const char *)e->vulns.at, e->vulns.count * sizeof(*e->vulns.at)};
    uint64_t hash = slice_hash(bytes);
    uint32_t found = map_find(&e->by_vulns, hash, has_vulns, e, &e->vulns);

    if (found == MAP_NONE) {
        if (add_set(e, hash, err) < 0)
            return -1;
        found = (uint32_t)e->count - 1;
    }
    *ret = &e->sets[found];
    return 0;
}

static int add_image(struct set *set, const unsigned char id[IMAGE_ID_BYTES], struct err *err)
{
    if (array_reserve(&set->images, &set->cap, set->count + 1, IMAGE_ID_BYTES, err) < 0)
        return -1;
    memcpy(set->images[set->count++], id, IMAGE_ID_BYTES);
    return 0;
}

/* --- Collecting ------------------------------------------------------------------------------- */

/* The image at hand is complete. */
static int end_image(struct expanding *e, struct err *err)
{
    struct set *set;

    if (e->image == 0)
        return 0;
    if (e->each) {
        ids_sort_unique(&e->vulns);
        if (find_set(e, &set, err) < 0)
            return -1;
        e->vulns.count = 0;
    } else {
        set = &e->sets[0];
    }
    if ((e->each || is_placed_repair(e->request)) && add_image(set, e->image_id, err) < 0)
        return -1;
    return 0;
}

/* Many images have the same vulnerabilities: now and then duplicates are dropped. */
static int note_vuln(struct expanding *e, uint32_t name, struct err *err)
{
    if (!e->each && e->vulns.count > 4096 && e->vulns.count > 2 * e->sorted) {
        ids_sort_unique(&e->vulns);
        e->sorted = e->vulns.count;
    }
    return ids_push(&e->vulns, name, err);
}

static int collect_row(void *ctx, const struct tenant *tenant, const struct image *image,
    const struct laid *row, struct err *err)
{
    struct expanding *e = ctx;
    int handled = e->request->handled;

    if (!row->reached || (handled >= 0 && (int)index_code_handled(row->code) != handled))
        return 0;
    if (e->image != image->number) {
        if (end_image(e, err) < 0)
            return -1;
        e->image = image->number;
        BUG_ON(!image_id_bytes(slice_of(image->id), e->image_id));
    }
    return note_vuln(e, aliases_title(&tenant->aliases, vuln_name_id(row->vuln)), err);
}

static int collect(struct expanding *e, struct err *err)
{
    struct decision trial = e->base->decision;
    struct overlay *above;
    struct row_walk walk = {.fleet = e->drafting->fleet, .project = e->drafting->project};
    int failed;

    trial.number = UINT32_MAX;
    trial.action = DECISION_IGNORE;
    above = overlay_of_one(walk.fleet, walk.project, &trial, err);
    walk.above = above;
    failed = !above || walk_rows(&walk, collect_row, e, err) < 0 || end_image(e, err) < 0;
    overlay_free(above);
    return failed ? -1 : 0;
}

/* --- Drafts ----------------------------------------------------------------------------------- */

static int copy_vulns(
    struct arena *arena, const struct ids *from, struct decision *ret, struct err *err)
{
    uint32_t *vulns = arena_alloc_array(arena, from->count + 1, sizeof(*vulns), err);

    if (!vulns)
        return -1;
    if (from->count)
        memcpy(vulns, from->at, from->count * sizeof(*vulns));
    ret->vulns = vulns;
    ret->vuln_count = from->count;
    return 0;
}

/* A decision for so many of the set's images: it may have more than one can name. */
static int add_named(struct expanding *e, const struct draft *draft, const struct set *set,
    size_t from, struct err *err)
{
    struct arena *arena = e->drafting->arena;
    struct draft named = *draft;
    size_t count = set->count - from;
    unsigned char(*images)[IMAGE_ID_BYTES];

    if (count > LIMIT_DECISION_IMAGES)
        count = LIMIT_DECISION_IMAGES;
    images = arena_alloc_array(arena, count, IMAGE_ID_BYTES, err);
    if (!images)
        return -1;
    memcpy(images, set->images + from, count * IMAGE_ID_BYTES);
    qsort(images, count, IMAGE_ID_BYTES, image_id_compare);
    named.decision.scope = DECISION_IMAGES;
    named.decision.place = SLICE_NONE;
    named.decision.images = (const unsigned char(*)[IMAGE_ID_BYTES])images;
    named.decision.image_count = count;
    return drafting_add(e->drafting, &named, err);
}

static int add_drafts(struct expanding *e, const struct set *set, struct err *err)
{
    struct draft draft = *e->base;

    if ((e->each || e->request->all_vuls) &&
        copy_vulns(e->drafting->arena, &set->vulns, &draft.decision, err) < 0)
        return -1;
    if (!e->each && !is_placed_repair(e->request))
        return drafting_add(e->drafting, &draft, err);
    for (size_t from = 0; from < set->count; from += LIMIT_DECISION_IMAGES)
        if (add_named(e, &draft, set, from, err) < 0)
            return -1;
    return 0;
}

int draft_expand(struct drafting *drafting, const struct decision_request *request,
    const struct draft *base, struct err *err)
{
    struct expanding e CLEANUP(expanding_release) = {
        .drafting = drafting, .request = request, .base = base, .each = wants_each(request)};

    /* Names that nobody has stored have no rows. */
    if (request->vul_count && base->decision.vuln_count == 0)
        return 0;
    if (!e.each && add_set(&e, 0, err) < 0)
        return -1;
    if (collect(&e, err) < 0)
        return -1;
    if (e.image == 0)
        return 0;
    if (!e.each) {
        ids_sort_unique(&e.vulns);
        if (ids_append(&e.sets[0].vulns, e.vulns.at, e.vulns.count, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < e.count; i++)
        if (add_drafts(&e, &e.sets[i], err) < 0)
            return -1;
    return 0;
}
