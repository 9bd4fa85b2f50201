/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody may know of a decision who may look into some enterprise projects only. One that
 * reaches beyond them may name images, vulnerabilities and places that exist elsewhere alone: what
 * is not granted does not exist, so it is told without those, and not at all when nothing is left.
 */
#include "base/cleanup.h"
#include "fleet/deciding.h"

enum { NAMES_A_HOLD = 64 };

struct confining {
    struct fleet *fleet;
    uint32_t project;
    const struct slice *granted;
    size_t granted_count;
    struct arena *arena;
    struct decision *decision;
};

static bool is_within(const struct confining *c)
{
    const struct decision *decision = c->decision;

    for (size_t i = 0; i < decision->enterprise_project_count; i++)
        if (!slices_contain(c->granted, c->granted_count, decision->enterprise_projects[i]))
            return false;
    return decision->enterprise_project_count > 0;
}

static int keep_projects(const struct confining *c, struct err *err)
{
    struct decision *decision = c->decision;
    struct slice *kept =
        arena_alloc_array(c->arena, decision->enterprise_project_count + 1, sizeof(*kept), err);
    size_t count = 0;

    if (!kept)
        return -1;
    for (size_t i = 0; i < decision->enterprise_project_count; i++)
        if (slices_contain(c->granted, c->granted_count, decision->enterprise_projects[i]))
            kept[count++] = decision->enterprise_projects[i];
    decision->enterprise_projects = kept;
    decision->enterprise_project_count = count;
    return 0;
}

/* --- Images and places ------------------------------------------------------------------------ */

struct sought {
    const struct decision *decision;
    bool found;
};

static bool note_reached(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct sought *sought = ctx;

    (void)counts;
    sought->found = decision_reaches(sought->decision, image);
    return !sought->found;
}

/* Does it reach an image (this one, or any) that may be looked at? */
static int find_reached(const struct confining *c, const struct tenant *tenant,
    struct slice image_id, bool *ret, struct err *err)
{
    const struct index_scope scope = {.enterprise_projects = c->granted,
        .enterprise_project_count = c->granted_count,
        .type = -1,
        .image_id = image_id};
    struct sought sought = {.decision = c->decision};

    if (index_each_image(tenant->index, &scope, 0, note_reached, &sought, err) < 0)
        return -1;
    *ret = sought.found;
    return 0;
}

static int keep_some_images(const struct confining *c, size_t from, size_t until,
    unsigned char (*kept)[IMAGE_ID_BYTES], size_t *count, struct err *err)
{
    const struct decision *decision = c->decision;
    char id[UUID_TEXT_BYTES];
    struct tenant *tenant;
    bool found = false;
    int failed = 0;

    if (fleet_begin_read(c->fleet, c->project, &tenant, err) < 0)
        return -1;
    for (size_t i = from; i < until && !failed; i++) {
        image_id_format(decision->images[i], id);
        failed = find_reached(c, tenant, slice_of(id), &found, err);
        if (!failed && found)
            memcpy(kept[(*count)++], decision->images[i], IMAGE_ID_BYTES);
    }
    fleet_end_read(c->fleet);
    return failed;
}

/* 1 when images are left, else 0. */
static int keep_images(const struct confining *c, struct err *err)
{
    struct decision *decision = c->decision;
    unsigned char(*kept)[IMAGE_ID_BYTES] =
        arena_alloc_array(c->arena, decision->image_count + 1, IMAGE_ID_BYTES, err);
    size_t count = 0;

    if (!kept)
        return -1;
    for (size_t from = 0, until; from < decision->image_count; from = until) {
        until = from + NAMES_A_HOLD < decision->image_count ? from + NAMES_A_HOLD
                                                            : decision->image_count;
        if (keep_some_images(c, from, until, kept, &count, err) < 0)
            return -1;
    }
    decision->images = (const unsigned char(*)[IMAGE_ID_BYTES])kept;
    decision->image_count = count;
    return count > 0;
}

/* 1 when the place is one that may be known, else 0. */
static int check_place(const struct confining *c, struct err *err)
{
    struct tenant *tenant;
    bool found = false;
    int failed;

    if (fleet_begin_read(c->fleet, c->project, &tenant, err) < 0)
        return -1;
    failed = find_reached(c, tenant, SLICE_NONE, &found, err);
    fleet_end_read(c->fleet);
    return failed ? -1 : found;
}

/* --- Vulnerabilities -------------------------------------------------------------------------- */

static int keep_some_vulns(const struct confining *c, size_t from, size_t until, uint32_t *kept,
    size_t *count, struct err *err)
{
    struct tenant *tenant;
    int found = 0;

    if (fleet_begin_read(c->fleet, c->project, &tenant, err) < 0)
        return -1;
    for (size_t i = from; i < until && found >= 0; i++) {
        uint32_t name = c->decision->vulns[i];

        found = group_has_row(
            tenant, aliases_group(&tenant->aliases, name), c->granted, c->granted_count, err);
        if (found > 0)
            kept[(*count)++] = name;
    }
    fleet_end_read(c->fleet);
    return found < 0 ? -1 : 0;
}

/* 1 when vulnerabilities are left, or it is about any; else 0. */
static int keep_vulns(const struct confining *c, struct err *err)
{
    struct decision *decision = c->decision;
    uint32_t *kept;
    size_t count = 0;

    if (decision->vuln_count == 0)
        return 1;
    kept = arena_alloc_array(c->arena, decision->vuln_count, sizeof(*kept), err);
    if (!kept)
        return -1;
    for (size_t from = 0, until; from < decision->vuln_count; from = until) {
        until =
            from + NAMES_A_HOLD < decision->vuln_count ? from + NAMES_A_HOLD : decision->vuln_count;
        if (keep_some_vulns(c, from, until, kept, &count, err) < 0)
            return -1;
    }
    decision->vulns = kept;
    decision->vuln_count = count;
    return count > 0;
}

int decision_confine(struct fleet *fleet, uint32_t project, const struct slice *granted,
    size_t granted_count, struct arena *arena, struct decision *decision, struct err *err)
{
    const struct confining c = {fleet, project, granted, granted_count, arena, decision};
    int left;

    if (is_within(&c))
        return 1;
    left = decision->scope == DECISION_IMAGES ? keep_images(&c, err) : check_place(&c, err);
    if (left > 0)
        left = keep_vulns(&c, err);
    if (left > 0 && keep_projects(&c, err) < 0)
        left = -1;
    return left;
}
