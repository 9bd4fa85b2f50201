/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index against a plain model: an array of images with their findings, which is filtered row by
 * row. Random changes (arrivals, replacements, removals, other codes, numbers out of order) and
 * random questions over small domains, so that filters hit and combine.
 *
 * CAREEN_TEST_SEED and CAREEN_TEST_ROUNDS choose other worlds, and more of them.
 */
#include "unit.h"

#include "world.h"

enum { QUERY_VULNS = 8, DEFAULT_ROUNDS = 12 };

#define DEFAULT_SEED 20261124

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

/* --- Counts and walks ------------------------------------------------------------------------- */

static void ask_counts(struct world *world, const struct index_scope *scope)
{
    struct index_counts counts, wanted = {0};
    struct err err;

    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];

        if (!admits(scope, &fact->image))
            continue;
        wanted.images++;
        wanted.by_assessment[fact->image.assessment]++;
        for (size_t j = 0; j < fact->count; j++)
            wanted.by_code[fact->findings[j].code]++;
    }
    assert_ok(index_count(world->index, scope, &counts, &err));
    if (memcmp(&counts, &wanted, sizeof(counts)) != 0)
        WRONG("counts of a scope of %llu images are wrong", (unsigned long long)wanted.images);
}

struct image_walk {
    const struct world *world;
    const struct index_scope *scope;
    size_t at;
    uint32_t after;
    size_t left; /* the walk is stopped after so many */
};

static bool goes_on(struct image_walk *walk)
{
    while (walk->at < walk->world->count) {
        const struct image *image = &walk->world->facts[walk->at].image;

        if (image->number > walk->after && admits(walk->scope, image))
            return true;
        walk->at++;
    }
    return false;
}

static bool see_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct image_walk *walk = ctx;
    uint16_t wanted[INDEX_CODES] = {0};
    const struct fact *fact;

    if (walk->left == 0 || !goes_on(walk))
        WRONG("image %u was not expected", image->number);
    fact = &walk->world->facts[walk->at++];
    for (size_t i = 0; i < fact->count; i++)
        wanted[fact->findings[i].code]++;
    if (!same_image(image, &fact->image) || memcmp(counts, wanted, sizeof(wanted)) != 0)
        WRONG("image %u, wanted %u", image->number, fact->image.number);
    return --walk->left > 0;
}

static void ask_images(struct world *world, const struct index_scope *scope)
{
    struct image_walk walk = {.world = world,
        .scope = scope,
        .after = chance(3) ? 0 : chance(world->highest + 2),
        .left = chance(3) ? SIZE_MAX : 1 + chance(10)};
    struct err err;

    assert_ok(index_each_image(world->index, scope, walk.after, see_image, &walk, &err));
    if (walk.left && goes_on(&walk))
        WRONG("image %u was left out", world->facts[walk.at].image.number);
}

struct vuln_sums {
    struct index_vuln sums[VULNS];
    uint32_t at;
};

static bool see_vuln(void *ctx, const struct index_vuln *vuln)
{
    struct vuln_sums *wanted = ctx;
    const struct index_vuln *sum;

    while (wanted->at < VULNS && wanted->sums[wanted->at].images == 0)
        wanted->at++;
    if (wanted->at == VULNS)
        WRONG("vulnerability %u was not expected", vuln->vuln);
    sum = &wanted->sums[wanted->at++];
    if (vuln->vuln != sum->vuln || vuln->images != sum->images || vuln->worst != sum->worst ||
        vuln->containers != sum->containers)
        WRONG("vulnerability %u: %llu images, worst %d, %llu containers; wanted %u: %llu, %d, %llu",
            vuln->vuln, (unsigned long long)vuln->images, (int)vuln->worst,
            (unsigned long long)vuln->containers, sum->vuln, (unsigned long long)sum->images,
            (int)sum->worst, (unsigned long long)sum->containers);
    return true;
}

static void ask_vulns(struct world *world, const struct index_query *query)
{
    struct vuln_sums wanted = {.at = 0};
    struct err err;

    for (uint32_t v = 0; v < VULNS; v++) {
        struct index_vuln *sum = &wanted.sums[v];

        sum->vuln = vuln_of(v);
        for (size_t i = 0; i < world->count; i++) {
            const struct fact *fact = &world->facts[i];

            for (size_t j = 0; admits(&query->scope, &fact->image) && j < fact->count; j++) {
                const struct index_finding *finding = &fact->findings[j];

                if (finding->vuln != sum->vuln || !(query->codes >> finding->code & 1))
                    continue;
                sum->images++;
                sum->containers +=
                    fact->image.place.containers > 0 ? (uint64_t)fact->image.place.containers : 0;
                if (index_code_necessity(finding->code) > sum->worst)
                    sum->worst = index_code_necessity(finding->code);
            }
        }
    }
    assert_ok(index_each_vuln(world->index, &query->scope, query->codes, see_vuln, &wanted, &err));
    for (; wanted.at < VULNS; wanted.at++)
        if (wanted.sums[wanted.at].images)
            WRONG("vulnerability %u was left out", wanted.sums[wanted.at].vuln);
}

/* --- Facets ----------------------------------------------------------------------------------- */

static struct slice facet_text(const struct image *image, enum index_facet_id id)
{
    switch (id) {
    case INDEX_FACET_ENTERPRISE_PROJECT:
        return image->place.enterprise_project;
    case INDEX_FACET_REGISTRY_TYPE:
        return image->place.registry_type;
    case INDEX_FACET_REGISTRY_NAME:
        return image->place.registry_name;
    case INDEX_FACET_CLUSTER_ID:
    case INDEX_FACET_COUNT:
    default:
        return image->place.cluster_id;
    }
}

static void check_facet(const struct index_facet *facet, const struct index_row *rows, size_t count,
    enum index_facet_id id)
{
    uint64_t found = 0, wanted = 0;

    if (facet->values != facet->count)
        WRONG("facet %d has %llu values, %zu of them shown", (int)id,
            (unsigned long long)facet->values, facet->count);
    for (size_t i = 0; i < count; i++)
        wanted += facet_text(rows[i].image, id).len > 0;
    for (size_t i = 0; i < facet->count; i++) {
        const struct index_facet_value *at = &facet->at[i];
        uint64_t expected = 0;

        for (size_t j = 0; j < count; j++)
            expected += slice_eq(facet_text(rows[j].image, id), at->text);
        if (at->rows == 0 || at->rows != expected)
            WRONG("facet %d: %.*s has %llu rows, wanted %llu", (int)id, SLICE_FMT(at->text),
                (unsigned long long)at->rows, (unsigned long long)expected);
        if (i && (at[-1].rows < at->rows ||
                     (at[-1].rows == at->rows && slice_cmp(at[-1].text, at->text) >= 0)))
            WRONG("facet %d is not in order at %zu", (int)id, i);
        found += at->rows;
    }
    if (found != wanted)
        WRONG("facet %d has %llu rows, wanted %llu", (int)id, (unsigned long long)found,
            (unsigned long long)wanted);
}

static void ask_facets(const struct world *world, const struct index_query *query)
{
    static struct index_row rows[IMAGES * FINDINGS];
    struct index_query unsorted = *query;
    struct index_facets facets, wanted = {.rows = 0};
    bool seen[VULNS] = {false};
    struct err err;
    size_t count;

    unsorted.sort = INDEX_SORT_IMAGE;
    count = model_rows(world, &unsorted, rows);
    for (size_t i = 0; i < count; i++) {
        const struct index_row *row = &rows[i];
        bool first = i == 0 || row[-1].image != row->image;
        int64_t containers = row->image->place.containers;

        wanted.images += first;
        wanted.containers += first && containers > 0 ? (uint64_t)containers : 0;
        wanted.by_code[row->code]++;
        wanted.by_image_type[row->image->place.type]++;
        for (uint32_t v = 0; v < VULNS; v++)
            if (vuln_of(v) == row->vuln && !seen[v]) {
                seen[v] = true;
                wanted.vulns++;
            }
    }
    if (index_facets(world->index, query, &facets, &err) < 0)
        WRONG("facets: %s", err.message);
    if (facets.rows != count || facets.images != wanted.images ||
        facets.containers != wanted.containers || facets.vulns != wanted.vulns ||
        memcmp(facets.by_code, wanted.by_code, sizeof(wanted.by_code)) != 0 ||
        memcmp(facets.by_image_type, wanted.by_image_type, sizeof(wanted.by_image_type)) != 0)
        WRONG(
            "facets of %llu rows, %llu images, %llu vulnerabilities, %llu containers; wanted %zu, "
            "%llu, %llu, %llu",
            (unsigned long long)facets.rows, (unsigned long long)facets.images,
            (unsigned long long)facets.vulns, (unsigned long long)facets.containers, count,
            (unsigned long long)wanted.images, (unsigned long long)wanted.vulns,
            (unsigned long long)wanted.containers);
    for (int id = 0; id < INDEX_FACET_COUNT; id++)
        check_facet(&facets.by_value[id], rows, count, (enum index_facet_id)id);
}

static void ask_images_of(struct world *world)
{
    uint32_t vuln = vuln_of(chance(VULNS));
    struct ids ids = {0};
    struct err err;
    size_t at = 1;

    assert_ok(ids_push(&ids, 4711, &err));
    assert_ok(index_images_of(world->index, vuln, &ids, &err));
    for (size_t i = 0; i < world->count; i++)
        for (size_t j = 0; j < world->facts[i].count; j++)
            if (world->facts[i].findings[j].vuln == vuln &&
                (at == ids.count || ids.at[at++] != world->facts[i].image.number))
                WRONG(
                    "image %u of vulnerability %u is missing", world->facts[i].image.number, vuln);
    if (at != ids.count || ids.at[0] != 4711)
        WRONG("vulnerability %u has %zu images, wanted %zu", vuln, ids.count - 1, at - 1);
    ids_release(&ids);
}

static void ask_names(const struct world *world)
{
    const uint32_t *found;

    for (size_t i = 0; i < world->count; i++)
        for (size_t j = 0; j < world->facts[i].count; j++) {
            const struct index_finding *finding = &world->facts[i].findings[j];
            uint32_t number = world->facts[i].image.number;

            if (index_names(world->index, number, finding->vuln, &found) != finding->name_count ||
                memcmp(found, finding->names, finding->name_count * sizeof(*found)) != 0)
                WRONG("image %u vulnerability %u has other names", number, finding->vuln);
        }
    if (index_names(world->index, world->highest + 1, 0, &found) || found)
        WRONG("an image that is not there has names");
}

static void check_size(struct world *world)
{
    struct index_size size;
    uint64_t findings = 0;

    for (size_t i = 0; i < world->count; i++)
        findings += world->facts[i].count;
    index_size(world->index, &size);
    if (size.images != world->count || size.findings != findings)
        WRONG("%llu images, %llu findings; wanted %zu, %llu", (unsigned long long)size.images,
            (unsigned long long)size.findings, world->count, (unsigned long long)findings);
}

/* --- A walk through the pages while images arrive and go -------------------------------------- */

static bool was_seen(const struct index_row *rows, size_t count, uint32_t number, uint32_t vuln)
{
    for (size_t i = 0; i < count; i++)
        if ((uint32_t)rows[i].first_scan_ms == number && rows[i].vuln == vuln)
            return true;
    return false;
}

static void walk_pages(struct world *world)
{
    struct index_row *seen = calloc(IMAGES * FINDINGS * 8, sizeof(*seen));
    size_t count = 0;
    struct question q;
    struct index_page page;
    char name[64];

    assert_non_null(seen);
    for (size_t i = 0; i < world->count; i++)
        world->facts[i].touched = false;
    random_question(world, &q);
    q.query.by_cursor = false;
    q.query.offset = 0;
    q.query.limit = 40;
    ask_page(world, &q.query, &page);
    for (;;) {
        for (size_t i = 0; i < page.count; i++) {
            const struct index_row *row = &page.rows[i];
            uint32_t number = row->image->number;

            if (q.query.by_cursor && !is_behind(&q.query, row))
                WRONG("image %u vulnerability %u came again", number, row->vuln);
            seen[count++] = (struct index_row){.vuln = row->vuln, .first_scan_ms = number};
            q.query.by_cursor = true;
            q.query.after_image = number;
            q.query.after_vuln = row->vuln;
            q.query.after_value = index_row_value(row, q.query.sort);
            (void)snprintf(name, sizeof(name), "%.*s", SLICE_FMT(row->image->name));
            q.query.after_name = slice_of(name); /* the image may go */
        }
        if (!page.more)
            break;
        for (uint32_t i = chance(4); i; i--)
            change(world, 2);
        ask_page(world, &q.query, &page);
    }
    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];

        for (size_t j = 0;
             !fact->touched && admits(&q.query.scope, &fact->image) && j < fact->count; j++)
            if (admits_finding(&q.query, &fact->findings[j]) &&
                !was_seen(seen, count, fact->image.number, fact->findings[j].vuln))
                WRONG("image %u vulnerability %u was skipped", fact->image.number,
                    fact->findings[j].vuln);
    }
    free(seen);
}

/* --- Worlds ----------------------------------------------------------------------------------- */

static void run_world(int number)
{
    struct world *world = calloc(1, sizeof(*world));
    struct err err;

    assert_non_null(world);
    world_number = number;
    random_state = seed + (uint64_t)number * 1000003;
    world->index = index_new(&err);
    assert_non_null(world->index);
    for (batch_number = 0; batch_number < 16; batch_number++) {
        uint32_t growth = batch_number < 10 ? (number % 2 ? 9 : 4) : 1;

        for (uint32_t i = number % 2 ? 80 : 1 + chance(20); i; i--)
            change(world, growth);
        check_index(world);
        check_size(world);
        ask_names(world);
        for (int i = 0; i < 24; i++) {
            struct question q;
            struct index_page page;

            random_question(world, &q);
            ask_page(world, &q.query, &page);
            ask_facets(world, &q.query);
            ask_counts(world, &q.query.scope);
            ask_images(world, &q.query.scope);
            ask_images_of(world);
            if (i % 6 == 0)
                ask_vulns(world, &q.query);
        }
        walk_pages(world);
        check_index(world);
    }
    while (world->count)
        remove_one(world);
    check_index(world);
    index_free(world->index);
    free(world);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    uint64_t value;

    return slice_to_u64(slice_of(getenv(name)), &value) ? value : otherwise;
}

static void test_worlds(void **state)
{
    uint64_t rounds = setting("CAREEN_TEST_ROUNDS", DEFAULT_ROUNDS);

    (void)state;
    make_names();
    seed = setting("CAREEN_TEST_SEED", DEFAULT_SEED);
    for (uint64_t i = 0; i < rounds; i++)
        run_world((int)i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_worlds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
