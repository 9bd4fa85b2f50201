/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was done about one vulnerability, decision by decision and image by image. Decisions are
 * read from the disk, all that there ever were; for each that asks for it the images are looked up
 * in memory: those that it names (whether or not they are still there), else those in its scope
 * that have the vulnerability now. The newest decision comes first; within one, images in the order
 * of the index, then those that are gone.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "fleet/deciding.h"

enum { READ_CHUNK = 64 };

struct entry {
    uint32_t decision; /* position in `decisions` */
    uint32_t image;    /* its number; 0: gone */
    unsigned char id[IMAGE_ID_BYTES];
};

struct telling {
    struct fleet *fleet;
    uint32_t project;
    const struct history_query *query;
    uint32_t group;
    struct arena arena;

    struct decision *decisions; /* that are wanted, ascending; in the arena */
    size_t decision_count, decision_cap;

    /* Those read last that may be wanted. */
    struct arena chunk_arena;
    struct decision chunk[READ_CHUNK];
    size_t chunk_count, read;
    uint32_t last;

    uint64_t total;
    struct entry *page; /* those of the page */
    size_t page_count, page_cap;
    uint32_t at;    /* decision at hand */
    uint32_t image; /* the last one that was added for it */
};

/* --- Which decisions -------------------------------------------------------------------------- */

static int status_after(const struct decision *decision)
{
    return verdict_of(decision) == VERDICT_IGNORED ? STATUS_IGNORED : STATUS_UNFIX;
}

static bool is_asked_for(const struct history_query *query, const struct decision *decision)
{
    return (query->action < 0 || query->action == (int)decision->action) &&
           (query->status < 0 || query->status == status_after(decision)) &&
           (query->author.len == 0 || slice_eq(query->author, decision->author)) &&
           (query->package.len == 0 || slice_eq(query->package, decision->package)) &&
           slice_contains(decision->reason, query->reason_part);
}

static int read_decision(void *ctx, const struct decision *decision, struct err *err)
{
    struct telling *t = ctx;

    t->last = decision->number;
    t->read++;
    if (!is_asked_for(t->query, decision))
        return 0;
    return decision_dup(&t->chunk_arena, decision, &t->chunk[t->chunk_count++], err);
}

/* Of its names only those that are about the vulnerability are kept: it may have many. */
static int keep_decision(
    struct telling *t, const struct tenant *tenant, struct decision decision, struct err *err)
{
    struct ids names CLEANUP(ids_release) = {0};
    void *grown;

    for (size_t i = 0; i < decision.vuln_count; i++)
        if (aliases_group(&tenant->aliases, decision.vulns[i]) == t->group &&
            ids_push(&names, decision.vulns[i], err) < 0)
            return -1;
    if (decision.vuln_count && names.count == 0)
        return 0;
    decision.vulns = names.at;
    decision.vuln_count = names.count;
    grown = arena_grow(
        &t->arena, t->decisions, t->decision_count, &t->decision_cap, sizeof(*t->decisions), err);
    if (!grown)
        return -1;
    t->decisions = grown;
    if (decision_dup(&t->arena, &decision, &t->decisions[t->decision_count], err) < 0)
        return -1;
    t->decision_count++;
    return 0;
}

static int keep_chunk(struct telling *t, struct err *err)
{
    struct tenant *tenant;
    int failed = 0;

    if (fleet_begin_read(t->fleet, t->project, &tenant, err) < 0)
        return -1;
    for (size_t i = 0; i < t->chunk_count && !failed; i++)
        failed = keep_decision(t, tenant, t->chunk[i], err);
    fleet_end_read(t->fleet);
    return failed;
}

static int read_decisions(struct telling *t, struct err *err)
{
    int failed = 0;

    do {
        t->chunk_count = t->read = 0;
        arena_reset(&t->chunk_arena);
        failed = store_each_decision(t->fleet->store, t->project, false, t->last, READ_CHUNK,
                     read_decision, t, err) < 0 ||
                 keep_chunk(t, err) < 0;
    } while (!failed && t->read == READ_CHUNK);
    arena_release(&t->chunk_arena);
    return failed ? -1 : 0;
}

/* --- Which images ----------------------------------------------------------------------------- */

static bool in_scope(const struct index_scope *scope, const struct image *image)
{
    const struct placement *place = &image->place;

    return (scope->enterprise_project_count == 0 ||
               slices_contain(scope->enterprise_projects, scope->enterprise_project_count,
                   place->enterprise_project)) &&
           (scope->type < 0 || scope->type == (int)place->type) &&
           (scope->image_id.len == 0 || slice_is(scope->image_id, image->id)) &&
           slice_contains(image->name, scope->name_part) &&
           (scope->registry_name.len == 0 ||
               slice_eq(scope->registry_name, place->registry_name)) &&
           (scope->registry_type.len == 0 ||
               slice_eq(scope->registry_type, place->registry_type)) &&
           (scope->cluster_id.len == 0 || slice_eq(scope->cluster_id, place->cluster_id));
}

/* An image that is gone: where it was is known only as far as the decision says it. */
static bool was_in_scope(
    const struct index_scope *scope, const struct decision *decision, const char *id)
{
    for (size_t i = 0; scope->enterprise_project_count && i < decision->enterprise_project_count;
         i++)
        if (!slices_contain(scope->enterprise_projects, scope->enterprise_project_count,
                decision->enterprise_projects[i]))
            return false;
    return (scope->enterprise_project_count == 0 || decision->enterprise_project_count > 0) &&
           (scope->type < 0 || scope->type == decision->image_type) &&
           (scope->image_id.len == 0 || slice_is(scope->image_id, id)) &&
           scope->name_part.len == 0 && scope->registry_name.len == 0 &&
           scope->registry_type.len == 0 && scope->cluster_id.len == 0;
}

static int add_entry(
    struct telling *t, uint32_t image, const unsigned char id[IMAGE_ID_BYTES], struct err *err)
{
    struct entry *entry;

    if (t->total++ < t->query->offset || t->page_count == t->query->limit)
        return 0;
    if (array_reserve(&t->page, &t->page_cap, t->page_count + 1, sizeof(*t->page), err) < 0)
        return -1;
    entry = &t->page[t->page_count++];
    *entry = (struct entry){.decision = t->at, .image = image};
    memcpy(entry->id, id, IMAGE_ID_BYTES);
    return 0;
}

static int add_row(void *ctx, const struct tenant *tenant, const struct image *image,
    const struct laid *row, struct err *err)
{
    struct telling *t = ctx;
    unsigned char id[IMAGE_ID_BYTES];

    (void)tenant;
    /* Both types of a vulnerability are one entry. */
    if (!row->reached || t->image == image->number || !in_scope(&t->query->scope, image) ||
        !image_id_bytes(slice_of(image->id), id))
        return 0;
    t->image = image->number;
    return add_entry(t, image->number, id, err);
}

/* Images of a decision that names none, or no vulnerability: those with a row that it reaches. What
 * has become of a repair since does not matter. */
static int add_reached(struct telling *t, struct err *err)
{
    struct decision trial = t->decisions[t->at];
    struct overlay *above;
    struct row_walk walk = {.fleet = t->fleet, .project = t->project, .group = t->group};
    int failed;

    trial.action = DECISION_IGNORE;
    above = overlay_of_one(t->fleet, t->project, &trial, err);
    walk.above = above;
    t->image = 0;
    failed = !above || walk_rows(&walk, add_row, t, err) < 0;
    overlay_free(above);
    return failed ? -1 : 0;
}

static bool take_number(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    (void)counts;
    *(const struct image **)ctx = image;
    return false;
}

static int find_image(const struct tenant *tenant, const unsigned char id[IMAGE_ID_BYTES],
    char text[UUID_TEXT_BYTES], const struct image **ret, struct err *err)
{
    struct index_scope scope = {.type = -1};

    image_id_format(id, text);
    scope.image_id = slice_of(text);
    *ret = NULL;
    return index_each_image(tenant->index, &scope, 0, take_number, ret, err);
}

struct named {
    uint32_t image; /* UINT32_MAX: gone */
    size_t position;
};

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;

    if (a->image != b->image)
        return (a->image > b->image) - (a->image < b->image);
    return (a->position > b->position) - (a->position < b->position);
}

/* Some of the images that a decision names, as they are in memory. */
static int find_named(struct telling *t, const struct tenant *tenant, size_t from, size_t until,
    struct named *ret, size_t *count, struct err *err)
{
    const struct decision *decision = &t->decisions[t->at];
    const struct image *image;
    char text[UUID_TEXT_BYTES];

    for (size_t i = from; i < until; i++) {
        if (find_image(tenant, decision->images[i], text, &image, err) < 0)
            return -1;
        if (image ? in_scope(&t->query->scope, image)
                  : was_in_scope(&t->query->scope, decision, text))
            ret[(*count)++] = (struct named){image ? image->number : UINT32_MAX, i};
    }
    return 0;
}

static int add_named(struct telling *t, struct err *err)
{
    enum { IMAGES_A_HOLD = 512 };
    const struct decision *decision = &t->decisions[t->at];
    struct named *named CLEANUP(cleanup_free) = calloc(decision->image_count + 1, sizeof(*named));
    size_t count = 0;
    struct tenant *tenant;

    if (!named)
        return err_nomem(err);
    for (size_t from = 0, until; from < decision->image_count; from = until) {
        int failed;

        until = from + IMAGES_A_HOLD < decision->image_count ? from + IMAGES_A_HOLD
                                                             : decision->image_count;
        if (fleet_begin_read(t->fleet, t->project, &tenant, err) < 0)
            return -1;
        failed = find_named(t, tenant, from, until, named, &count, err);
        fleet_end_read(t->fleet);
        if (failed)
            return -1;
    }
    qsort(named, count, sizeof(*named), compare_named);
    for (size_t i = 0; i < count; i++)
        if (add_entry(t, named[i].image == UINT32_MAX ? 0 : named[i].image,
                decision->images[named[i].position], err) < 0)
            return -1;
    return 0;
}

/* --- Telling ---------------------------------------------------------------------------------- */

static int collect(struct telling *t, struct err *err)
{
    for (size_t i = t->decision_count; i > 0; i--) {
        const struct decision *decision = &t->decisions[i - 1];
        bool named = decision->scope == DECISION_IMAGES && decision->vuln_count > 0;

        t->at = (uint32_t)(i - 1);
        if ((named ? add_named(t, err) : add_reached(t, err)) < 0)
            return -1;
    }
    return 0;
}

static int tell_page(struct telling *t, history_fn fn, void *ctx, struct err *err)
{
    struct tenant *tenant;
    int failed = 0;

    if (t->page_count == 0)
        return 0;
    if (fleet_begin_read(t->fleet, t->project, &tenant, err) < 0)
        return -1;
    for (size_t i = 0; i < t->page_count && !failed; i++) {
        const struct entry *entry = &t->page[i];
        struct history_entry told = {.decision = &t->decisions[entry->decision]};

        image_id_format(entry->id, told.image_id);
        told.image = entry->image ? index_find(tenant->index, entry->image) : NULL;
        failed = fn(ctx, &told, err);
    }
    fleet_end_read(t->fleet);
    return failed;
}

int fleet_decision_history(struct fleet *fleet, uint32_t project, const struct history_query *query,
    history_fn fn, void *ctx, uint64_t *ret_total, struct err *err)
{
    struct telling t = {.fleet = fleet, .project = project, .query = query};
    int failed;

    if (decision_find_group(fleet, project, query->vul_id, &t.group, err) < 0)
        return -1;
    arena_init(&t.arena, "the history of a vulnerability", DECISIONS_MEMORY_BYTES);
    arena_init(&t.chunk_arena, "the history of a vulnerability", DECISIONS_MEMORY_BYTES);
    failed = (t.group && (read_decisions(&t, err) < 0 || collect(&t, err) < 0)) ||
             tell_page(&t, fn, ctx, err) < 0;
    arena_release(&t.arena);
    free(t.page);
    if (failed)
        return -1;
    *ret_total = t.total;
    return 0;
}
