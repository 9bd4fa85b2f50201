/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index against a plain model: an array of images with their findings, which is filtered row by
 * row. Random changes (arrivals, replacements, removals, other codes, numbers out of order) and
 * random questions over small domains, so that filters hit and combine.
 *
 * CAREEN_TEST_SEED and CAREEN_TEST_ROUNDS choose other worlds, and more of them.
 */
#include "unit.h"

#include "questions.h"

enum { DEFAULT_ROUNDS = 12 };

#define DEFAULT_SEED 20261124

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
