/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that a decision names are looked up by id. For others the postings of its vulnerabilities
 * say where they are, or, when there are many, its scope does.
 */
#include "fleet/concern.h"

/* Decisions on places that are looked up one by one; names whose postings are read for each; more
 * named images than that are found in the postings, too: a lookup by id costs microseconds. */
enum { PLACES_MAX = 32, POSTINGS_MAX = 64, NAMED_MAX = 4096 };

void concern_release(struct concern *concern)
{
    ids_release(&concern->images);
    ids_release(&concern->groups);
    *concern = (struct concern){0};
}

struct gathering {
    const struct index *index;
    const struct decision *decision; /* only images that it reaches; NULL: all */
    struct ids *to;
    struct err *err;
    bool failed;
};

static bool gather_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct gathering *g = ctx;

    (void)counts;
    if (!g->decision || decision_reaches(g->decision, image))
        g->failed = ids_push(g->to, image->number, g->err) < 0;
    return !g->failed;
}

static int gather_scope(struct gathering *g, const struct index_scope *scope, struct err *err)
{
    g->err = err;
    return index_each_image(g->index, scope, 0, gather_image, g, err) < 0 || g->failed ? -1 : 0;
}

static int gather_named(struct gathering *g, const struct decision *decision, struct err *err)
{
    struct index_scope scope = {.type = -1};
    char id[UUID_TEXT_BYTES];

    for (size_t i = 0; i < decision->image_count; i++) {
        image_id_format(decision->images[i], id);
        scope.image_id = slice_of(id);
        if (gather_scope(g, &scope, err) < 0)
            return -1;
    }
    return 0;
}

static int gather_postings(
    struct gathering *g, const struct ids *groups, int only_type, struct err *err)
{
    size_t from = g->to->count, kept = from;

    for (size_t i = 0; i < groups->count; i++)
        for (int type = 0; type < VUL_TYPE_COUNT; type++)
            if ((only_type < 0 || only_type == type) &&
                index_images_of(
                    g->index, vuln_number(groups->at[i], (enum vul_type)type), g->to, err) < 0)
                return -1;
    if (!g->decision)
        return 0;
    for (size_t i = from; i < g->to->count; i++)
        if (decision_reaches(g->decision, index_find(g->index, g->to->at[i])))
            g->to->at[kept++] = g->to->at[i];
    g->to->count = kept;
    return 0;
}

static bool has_few_groups(const struct ids *groups)
{
    return groups->count && groups->count <= POSTINGS_MAX;
}

/* As far as a scope can say it: of a repository, everything. */
static struct index_scope scope_of(const struct decision *decision)
{
    struct index_scope scope = {.enterprise_projects = decision->enterprise_projects,
        .enterprise_project_count = decision->enterprise_project_count,
        .type = decision->image_type};

    if (decision->scope == DECISION_REGISTRY)
        scope.registry_name = decision->place;
    if (decision->scope == DECISION_CLUSTER)
        scope.cluster_id = decision->place;
    return scope;
}

static int gather_place(
    struct gathering *g, const struct decision *decision, const struct ids *groups, struct err *err)
{
    struct index_scope scope = scope_of(decision);

    if (has_few_groups(groups))
        return gather_postings(g, groups, decision->type, err);
    return gather_scope(g, &scope, err);
}

int concern_add(struct concern *concern, const struct index *index, const struct overlay *overlay,
    uint32_t number, bool filter, struct err *err)
{
    const struct decision *decision = overlay_find(overlay, number);
    const struct ids *groups = overlay_groups(overlay, number);
    struct gathering g = {index, filter ? decision : NULL, &concern->images, err, false};

    concern->all_groups |= groups->count == 0;
    if (ids_append(&concern->groups, groups->at, groups->count, err) < 0)
        return -1;
    if (decision->scope == DECISION_IMAGES)
        return decision->image_count > NAMED_MAX && has_few_groups(groups)
                   ? gather_postings(&g, groups, decision->type, err)
                   : gather_named(&g, decision, err);
    concern->everywhere |= ++concern->places > PLACES_MAX;
    return concern->everywhere ? 0 : gather_place(&g, decision, groups, err);
}

int concern_settle(struct concern *concern, const struct index *index, struct err *err)
{
    const struct index_scope all = {.type = -1};
    struct gathering g = {index, NULL, &concern->images, err, false};

    ids_sort_unique(&concern->groups);
    if (!concern->everywhere) {
        ids_sort_unique(&concern->images);
        return 0;
    }
    concern->images.count = 0;
    return gather_scope(&g, &all, err);
}

const struct ids *concern_groups(const struct concern *concern)
{
    return concern->all_groups ? NULL : &concern->groups;
}
