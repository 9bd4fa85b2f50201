/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many rows a decision lies over. Nearly always the index knows it: a decision about
 * vulnerabilities, whatever the package, lies over each of their rows within its scope. Only for
 * packages, for repositories, and where a repair depends on when claims were last found, the rows
 * are walked over.
 *
 * The locks are held for one question to the index at a time.
 */
#include "base/cleanup.h"
#include "fleet/deciding.h"

/* Vulnerabilities, and named images, that the index is asked about at once; with more
 * vulnerabilities than that, named images are walked over. */
enum { VULNS_AT_ONCE = 64, IMAGES_AT_ONCE = 256 };
/* With more decisions than that it is not looked for others about the same vulnerabilities. */
enum { DECISIONS_MAX = 4096 };

bool slices_contain(const struct slice *list, size_t count, struct slice sought)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(list[i], sought))
            return true;
    return false;
}

/* --- By walking ------------------------------------------------------------------------------- */

struct walked {
    const struct slice *enterprise_projects;
    size_t enterprise_project_count;
    uint64_t rows;
};

static int count_row(void *ctx, const struct tenant *tenant, const struct image *image,
    const struct laid *row, struct err *err)
{
    struct walked *walked = ctx;

    (void)tenant;
    (void)err;
    walked->rows +=
        row->reached && (walked->enterprise_project_count == 0 ||
                            slices_contain(walked->enterprise_projects,
                                walked->enterprise_project_count, image->place.enterprise_project));
    return 0;
}

int count_reached_by_walk(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct slice *enterprise_projects, size_t enterprise_project_count, uint64_t *ret,
    struct err *err)
{
    struct overlay *above = overlay_of_one(fleet, project, decision, err);
    const struct row_walk walk = {.fleet = fleet, .project = project, .above = above};
    struct walked walked = {enterprise_projects, enterprise_project_count, 0};
    int failed = !above || walk_rows(&walk, count_row, &walked, err) < 0;

    overlay_free(above);
    if (!failed)
        *ret = walked.rows;
    return failed ? -1 : 0;
}

/* --- By asking the index ---------------------------------------------------------------------- */

struct counting {
    struct fleet *fleet;
    uint32_t project;
    const struct decision *decision;
    struct index_scope scope;
    struct slice *both; /* enterprise projects of the decision that are asked for */
    struct ids vulns;
    uint64_t rows;
};

static void counting_release(struct counting *c)
{
    free(c->both);
    ids_release(&c->vulns);
}

/* Does the index know all that matters? Of a repair not quite: when claims were last found, too. */
static bool index_knows(const struct decision *decision)
{
    if (decision->package.len || decision->vuln_count == 0)
        return false;
    switch (decision->scope) {
    case DECISION_PROJECT:
        return decision->action != DECISION_REPAIR;
    case DECISION_REGISTRY:
    case DECISION_CLUSTER: /* an empty place would be any to the index */
        return decision->action != DECISION_REPAIR && decision->place.len > 0;
    case DECISION_IMAGES:
        return decision->vuln_count <= VULNS_AT_ONCE / VUL_TYPE_COUNT;
    case DECISION_REPOSITORY:
    case DECISION_SCOPE_COUNT:
    default:
        return false;
    }
}

/* False when the decision reaches none of the enterprise projects asked for. */
static int find_scope(struct counting *c, const struct slice *enterprise_projects, size_t count,
    bool *ret_any, struct err *err)
{
    const struct decision *decision = c->decision;
    const struct slice *own = decision->enterprise_projects;
    size_t own_count = decision->enterprise_project_count, kept = 0;

    c->scope = (struct index_scope){.type = decision->image_type,
        .enterprise_projects = count ? enterprise_projects : own,
        .enterprise_project_count = count ? count : own_count};
    if (decision->scope == DECISION_REGISTRY)
        c->scope.registry_name = decision->place;
    if (decision->scope == DECISION_CLUSTER)
        c->scope.cluster_id = decision->place;
    *ret_any = true;
    if (count == 0 || own_count == 0)
        return 0;
    c->both = calloc(own_count, sizeof(*c->both));
    if (!c->both)
        return err_nomem(err);
    for (size_t i = 0; i < own_count; i++)
        if (slices_contain(enterprise_projects, count, own[i]))
            c->both[kept++] = own[i];
    c->scope.enterprise_projects = c->both;
    c->scope.enterprise_project_count = kept;
    *ret_any = kept > 0;
    return 0;
}

static int find_vulns(struct counting *c, struct err *err)
{
    const struct decision *decision = c->decision;
    struct tenant *tenant;
    int failed = 0;

    if (fleet_begin_read(c->fleet, c->project, &tenant, err) < 0)
        return -1;
    for (size_t i = 0; i < decision->vuln_count * VUL_TYPE_COUNT && !failed; i++) {
        enum vul_type type = (enum vul_type)(i % VUL_TYPE_COUNT);
        uint32_t group = aliases_group(&tenant->aliases, decision->vulns[i / VUL_TYPE_COUNT]);

        if (decision->type < 0 || decision->type == (int)type)
            failed = ids_push(&c->vulns, vuln_number(group, type), err);
    }
    fleet_end_read(c->fleet);
    ids_sort_unique(&c->vulns);
    return failed;
}

static int ask(
    struct counting *c, const struct tenant *tenant, size_t from, size_t count, struct err *err)
{
    const struct index_query query = {.scope = c->scope,
        .codes = INDEX_ALL_CODES,
        .by_vuln = true,
        .vulns = c->vulns.at + from,
        .vuln_count = count,
        .limit = 1};
    struct index_page page;

    if (index_query(tenant->index, &query, &page, err) < 0)
        return -1;
    c->rows += page.total;
    return 0;
}

static int count_in_place(struct counting *c, struct err *err)
{
    int failed = 0;

    for (size_t from = 0; from < c->vulns.count && !failed; from += VULNS_AT_ONCE) {
        size_t left = c->vulns.count - from;
        struct tenant *tenant;

        if (fleet_begin_read(c->fleet, c->project, &tenant, err) < 0)
            return -1;
        failed = ask(c, tenant, from, left < VULNS_AT_ONCE ? left : VULNS_AT_ONCE, err);
        fleet_end_read(c->fleet);
    }
    return failed;
}

struct reports {
    int64_t until_ms;
    bool later; /* an image was reported after that */
};

static bool note_report(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct reports *reports = ctx;

    (void)counts;
    reports->later |= image->latest_scan_ms > reports->until_ms;
    return !reports->later;
}

/* Asks about the images in the scope, unless a repair depends on when their claims were found. */
static int ask_named(struct counting *c, bool *ret_asked, struct err *err)
{
    struct reports reports = {c->decision->created_ms, false};
    struct tenant *tenant;
    int failed = 0;

    if (fleet_begin_read(c->fleet, c->project, &tenant, err) < 0)
        return -1;
    if (c->decision->action == DECISION_REPAIR)
        failed = index_each_image(tenant->index, &c->scope, 0, note_report, &reports, err);
    if (!failed && !reports.later)
        failed = ask(c, tenant, 0, c->vulns.count, err);
    fleet_end_read(c->fleet);
    *ret_asked = !reports.later;
    return failed;
}

/* Some of the decision's images. */
static int count_named(struct counting *c, size_t from, size_t count, struct err *err)
{
    char texts[IMAGES_AT_ONCE][UUID_TEXT_BYTES];
    struct slice ids[IMAGES_AT_ONCE];
    struct decision some = *c->decision;
    uint64_t rows;
    bool asked;

    some.images += from;
    some.image_count = count;
    for (size_t i = 0; i < count; i++) {
        image_id_format(some.images[i], texts[i]);
        ids[i] = slice_of(texts[i]);
    }
    c->scope.image_ids = (struct index_values){ids, count};
    if (ask_named(c, &asked, err) < 0)
        return -1;
    if (asked)
        return 0;
    if (count_reached_by_walk(c->fleet, c->project, &some, c->scope.enterprise_projects,
            c->scope.enterprise_project_count, &rows, err) < 0)
        return -1;
    c->rows += rows;
    return 0;
}

static int count_in_images(struct counting *c, struct err *err)
{
    size_t all = c->decision->image_count;

    for (size_t from = 0; from < all; from += IMAGES_AT_ONCE)
        if (count_named(c, from, all - from < IMAGES_AT_ONCE ? all - from : IMAGES_AT_ONCE, err) <
            0)
            return -1;
    return 0;
}

int count_reached(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct slice *enterprise_projects, size_t enterprise_project_count, uint64_t *ret,
    struct err *err)
{
    struct counting c CLEANUP(counting_release) = {
        .fleet = fleet, .project = project, .decision = decision};
    bool any;

    if (!index_knows(decision))
        return count_reached_by_walk(
            fleet, project, decision, enterprise_projects, enterprise_project_count, ret, err);
    if (find_scope(&c, enterprise_projects, enterprise_project_count, &any, err) < 0 ||
        find_vulns(&c, err) < 0)
        return -1;
    if (any && (decision->scope == DECISION_IMAGES ? count_in_images(&c, err)
                                                   : count_in_place(&c, err)) < 0)
        return -1;
    *ret = c.rows;
    return 0;
}

/* --- Withdrawing ------------------------------------------------------------------------------ */

static bool meet(const struct ids *a, const struct ids *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (ids_contains(b, a->at[i]))
            return true;
    return false;
}

/* Is it in force, and no other decision about its vulnerabilities? */
static bool is_alone(const struct overlay *overlay, uint32_t number, const struct ids *gone)
{
    const struct ids *groups;

    if (!overlay_find(overlay, number) || overlay_count(overlay) > DECISIONS_MAX)
        return false;
    groups = overlay_groups(overlay, number);
    if (groups->count > VULNS_AT_ONCE)
        return false;
    for (size_t i = 0; i < overlay_count(overlay); i++) {
        uint32_t other = overlay_at(overlay, i)->number;
        const struct ids *theirs = overlay_groups(overlay, other);

        if (other != number && !(gone && ids_contains(gone, other)) &&
            (theirs->count == 0 || meet(groups, theirs)))
            return false;
    }
    return true;
}

/* Then all rows that it lies over are as it says, and will be open. */
static int find_alone(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct ids *gone, bool *ret, struct err *err)
{
    struct tenant *tenant;

    *ret = false;
    if (!index_knows(decision) || decision->action == DECISION_REPAIR)
        return 0;
    if (fleet_begin_overlays(fleet, project, &tenant, err) < 0)
        return -1;
    *ret = is_alone(tenant->overlay, decision->number, gone);
    fleet_end_overlays(fleet);
    return 0;
}

static int count_change(void *ctx, const struct tenant *tenant, const struct image *image,
    const struct laid *row, struct err *err)
{
    uint64_t *rows = ctx;

    (void)tenant;
    (void)image;
    (void)err;
    *rows += laid_code(row) != row->code;
    return 0;
}

int count_withdrawn(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct ids *gone, uint64_t *ret, struct err *err)
{
    const struct row_walk walk = {
        .fleet = fleet, .project = project, .except = decision->number, .gone = gone};
    uint64_t rows = 0;
    bool alone;

    if (find_alone(fleet, project, decision, gone, &alone, err) < 0)
        return -1;
    if (!alone && walk_rows(&walk, count_change, &rows, err) < 0)
        return -1;
    if (alone && decision->action != DECISION_REOPEN &&
        count_reached(fleet, project, decision, NULL, 0, &rows, err) < 0)
        return -1;
    *ret = rows;
    return 0;
}
