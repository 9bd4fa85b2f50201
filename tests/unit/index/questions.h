/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of property_test.c, and what a plain model answers: its rows are filtered one by
 * one, and sorted.
 */
#ifndef CAREEN_TESTS_INDEX_QUESTIONS_H
#define CAREEN_TESTS_INDEX_QUESTIONS_H

#include "world.h"

enum { QUERY_VULNS = 8 };

/* --- Questions -------------------------------------------------------------------------------- */

struct question {
    struct index_query query;
    struct slice projects[4];
    struct slice lists[4][8]; /* names, types of registries, clusters, ids */
    char ids[8][UUID_TEXT_BYTES];
    uint32_t vulns[QUERY_VULNS];
    char id[32];
};

#define PICK_SOME(list, of) pick_some(list, of, sizeof(of) / sizeof((of)[0]))

static struct index_values pick_some(struct slice list[8], const char *const *of, size_t count)
{
    struct index_values values = {list, chance(8) ? 1 + chance(3) : 8};

    for (size_t i = 0; i < values.count; i++)
        list[i] = slice_of(of[chance((uint32_t)count)]);
    return values;
}

/* Conditions with several values, and marks. */
static void random_lists(struct world *world, struct question *q)
{
    struct index_scope *scope = &q->query.scope;

    if (chance(6) == 0)
        scope->types = 1 + chance((1 << IMAGE_TYPE_COUNT) - 1);
    if (chance(6) == 0)
        scope->registry_names = PICK_SOME(q->lists[0], registries);
    if (chance(8) == 0)
        scope->registry_types = PICK_SOME(q->lists[1], registry_types);
    if (chance(8) == 0)
        scope->cluster_ids = PICK_SOME(q->lists[2], clusters);
    if (chance(8) == 0)
        scope->only_latest = true;
    if (chance(8) == 0)
        scope->running = true;
    if (chance(12) == 0 && world->count) {
        scope->image_ids = (struct index_values){q->lists[3], 1 + chance(8)};
        for (size_t i = 0; i < scope->image_ids.count; i++) {
            (void)snprintf(q->ids[i], sizeof(q->ids[i]), "%s",
                world->facts[chance((uint32_t)world->count)].image.id);
            q->lists[3][i] = slice_of(q->ids[i]);
        }
    }
}

static void random_scope(struct world *world, struct question *q)
{
    struct index_scope *scope = &q->query.scope;
    uint32_t number = world->count ? world->facts[chance((uint32_t)world->count)].image.number : 0;

    *scope = (struct index_scope){.type = -1};
    if (chance(4) == 0)
        return;
    if (chance(3) == 0) {
        random_lists(world, q);
        if (chance(2))
            return;
    }
    if (chance(4) == 0)
        scope->type = (int)chance(IMAGE_TYPE_COUNT);
    if (chance(4) == 0)
        scope->name_part = PICK(parts);
    if (chance(4) == 0)
        scope->registry_name = PICK(registries);
    if (chance(5) == 0)
        scope->registry_type = PICK(registry_types);
    if (chance(5) == 0)
        scope->cluster_id = PICK(clusters);
    if (chance(3) == 0) {
        scope->enterprise_project_count = 1 + chance(3);
        for (size_t i = 0; i < scope->enterprise_project_count; i++)
            q->projects[i] = PICK(projects);
        scope->enterprise_projects = q->projects;
    }
    if (chance(12) == 0) {
        (void)snprintf(q->id, sizeof(q->id), "id-%u", number);
        scope->image_id = slice_of(q->id);
    }
}

static void random_question(struct world *world, struct question *q)
{
    static const uint64_t masks[] = {
        UINT64_MAX, 0x00ff00ff00ff00ff, 0x1111111111111111, 0x8080, 0xff00ff00, 0};
    struct index_query *query = &q->query;

    random_scope(world, q);
    query->codes =
        chance(3) ? masks[chance(6)] : (uint64_t)chance(UINT32_MAX) << 32 | chance(UINT32_MAX);
    query->by_vuln = chance(2);
    query->vuln_count = 0;
    for (uint32_t i = chance(VULNS), n = chance(3) ? 1 : chance(QUERY_VULNS); n; n--) {
        q->vulns[query->vuln_count++] = vuln_of(i);
        i = (i + 7) % VULNS; /* any order, no duplicates */
    }
    query->vulns = q->vulns;
    query->by_package = chance(3) == 0;
    query->package = chance(6) ? chance(PACKAGES) : UINT32_MAX;
    query->by_time = chance(5) == 0;
    query->first_seen_since_ms = chance(4) ? (int64_t)chance(52) - 6 : (int64_t)chance(3) + 999;
    query->sort = chance(2) ? INDEX_SORT_IMAGE : (enum index_sort)chance(INDEX_SORT_CONTAINERS + 1);
    query->descending = chance(2);
    query->by_cursor = chance(3) == 0;
    query->after_image = chance(world->highest + 2);
    query->after_name = PICK(names);
    query->after_value =
        query->sort == INDEX_SORT_LATEST_SCAN ? (int64_t)chance(22) - 1 : (int64_t)chance(7) - 1;
    query->after_vuln = vuln_of(chance(VULNS)) + chance(2);
    query->offset = chance(3) ? chance(30) : chance(6000);
    query->limit = chance(3) ? 1 + chance(20) : 200;
}

static bool is_any_of(const struct index_values *values, struct slice text)
{
    bool found = values->count == 0;

    for (size_t i = 0; i < values->count; i++)
        found = found || slice_eq(values->at[i], text);
    return found;
}

static bool admits_lists(const struct index_scope *scope, const struct image *image)
{
    return (scope->types == 0 || scope->types >> image->place.type & 1) &&
           is_any_of(&scope->image_ids, slice_of(image->id)) &&
           is_any_of(&scope->registry_names, image->place.registry_name) &&
           is_any_of(&scope->registry_types, image->place.registry_type) &&
           is_any_of(&scope->cluster_ids, image->place.cluster_id) &&
           (!scope->only_latest || image->latest) &&
           (!scope->running || image->place.containers > 0);
}

static bool admits(const struct index_scope *scope, const struct image *image)
{
    bool project = scope->enterprise_project_count == 0;

    for (size_t i = 0; i < scope->enterprise_project_count; i++)
        project =
            project || slice_eq(scope->enterprise_projects[i], image->place.enterprise_project);
    return project && admits_lists(scope, image) &&
           (scope->type < 0 || scope->type == (int)image->place.type) &&
           (scope->image_id.len == 0 || slice_is(scope->image_id, image->id)) &&
           slice_contains(image->name, scope->name_part) &&
           (scope->registry_name.len == 0 ||
               slice_eq(scope->registry_name, image->place.registry_name)) &&
           (scope->registry_type.len == 0 ||
               slice_eq(scope->registry_type, image->place.registry_type)) &&
           (scope->cluster_id.len == 0 || slice_eq(scope->cluster_id, image->place.cluster_id));
}

static bool has_name(const struct index_finding *finding, uint32_t name)
{
    for (uint32_t i = 0; i < finding->name_count; i++)
        if (finding->names[i] == name)
            return true;
    return false;
}

static bool admits_finding(const struct index_query *query, const struct index_finding *finding)
{
    bool vuln = !query->by_vuln;

    for (size_t i = 0; query->by_vuln && i < query->vuln_count; i++)
        vuln = vuln || query->vulns[i] == finding->vuln;
    return vuln && (!query->by_package || has_name(finding, query->package)) &&
           (query->codes >> finding->code & 1) &&
           (!query->by_time || finding->first_scan_ms >= query->first_seen_since_ms);
}

/* Order of the values that rows are sorted by, as the query has it. */
static int compare_values(
    const struct index_query *query, int64_t a, struct slice a_name, int64_t b, struct slice b_name)
{
    int order = 0;

    if (query->sort == INDEX_SORT_IMAGE_NAME)
        order = slice_cmp(a_name, b_name);
    else if (query->sort != INDEX_SORT_IMAGE)
        order = (a > b) - (a < b);
    return query->descending ? -order : order;
}

static bool is_behind(const struct index_query *query, const struct index_row *row)
{
    int order = compare_values(query, index_row_value(row, query->sort), row->image->name,
        query->after_value, query->after_name);

    if (order)
        return order > 0;
    return row->image->number > query->after_image ||
           (row->image->number == query->after_image && row->vuln > query->after_vuln);
}

static int compare_rows(const void *left, const void *right, void *ctx)
{
    const struct index_row *a = left, *b = right;
    const struct index_query *query = ctx;
    int order = compare_values(query, index_row_value(a, query->sort), a->image->name,
        index_row_value(b, query->sort), b->image->name);

    if (order)
        return order;
    if (a->image->number != b->image->number)
        return a->image->number < b->image->number ? -1 : 1;
    return a->vuln < b->vuln ? -1 : a->vuln > b->vuln;
}

static size_t model_rows(
    const struct world *world, const struct index_query *query, struct index_row *rows)
{
    struct index_query sort = *query;
    size_t count = 0;

    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];

        for (size_t j = 0; admits(&query->scope, &fact->image) && j < fact->count; j++)
            if (admits_finding(query, &fact->findings[j]))
                rows[count++] = (struct index_row){&fact->image, fact->findings[j].vuln,
                    fact->findings[j].code, fact->findings[j].first_scan_ms};
    }
    if (query->sort != INDEX_SORT_IMAGE)
        qsort_r(rows, count, sizeof(*rows), compare_rows, &sort);
    return count;
}

static void model_query(
    const struct world *world, const struct index_query *query, struct index_page *ret)
{
    static struct index_row rows[IMAGES * FINDINGS];
    size_t first = 0;

    ret->total = model_rows(world, query, rows);
    if (query->by_cursor)
        while (first < ret->total && !is_behind(query, &rows[first]))
            first++;
    else
        first = query->offset < ret->total ? query->offset : ret->total;
    ret->count = ret->total - first < query->limit ? ret->total - first : query->limit;
    ret->more = first + ret->count < ret->total;
    for (size_t i = 0; i < ret->count; i++)
        ret->rows[i] = rows[first + i];
}

static bool same_image(const struct image *a, const struct image *b)
{
    return a->number == b->number && strcmp(a->id, b->id) == 0 && slice_eq(a->name, b->name) &&
           slice_eq(a->tag, b->tag) && slice_eq(a->digest, b->digest) &&
           slice_eq(a->config_digest, b->config_digest) && slice_eq(a->os_release, b->os_release) &&
           slice_eq(a->architecture, b->architecture) &&
           slice_eq(a->place.registry_name, b->place.registry_name) &&
           slice_eq(a->place.organization, b->place.organization) &&
           slice_eq(a->place.pipeline, b->place.pipeline) &&
           slice_eq(a->place.enterprise_project, b->place.enterprise_project) &&
           a->place.containers == b->place.containers && a->updated_ms == b->updated_ms &&
           a->assessment == b->assessment && a->place.type == b->place.type;
}

static void check_page(const struct index_page *page, const struct index_page *wanted)
{
    if (page->total != wanted->total || page->count != wanted->count || page->more != wanted->more)
        WRONG("total %llu, rows %zu, more %d; wanted %llu, %zu, %d",
            (unsigned long long)page->total, page->count, page->more,
            (unsigned long long)wanted->total, wanted->count, wanted->more);
    for (size_t i = 0; i < page->count; i++) {
        const struct index_row *a = &page->rows[i], *b = &wanted->rows[i];

        if (a->vuln != b->vuln || a->code != b->code || a->first_scan_ms != b->first_scan_ms ||
            !same_image(a->image, b->image))
            WRONG("row %zu is image %u vulnerability %u code %d, wanted %u %u %d", i,
                a->image->number, a->vuln, a->code, b->image->number, b->vuln, b->code);
    }
}

static void ask_page(
    const struct world *world, const struct index_query *query, struct index_page *page)
{
    struct index_page wanted;
    struct err err;

    if (index_query(world->index, query, page, &err) < 0)
        WRONG("query: %s", err.message);
    model_query(world, query, &wanted);
    check_page(page, &wanted);
}

#endif
