/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of a fleet to random questions, compared with those of the model. */
#ifndef CAREEN_TESTS_FLEET_ANSWERS_H
#define CAREEN_TESTS_FLEET_ANSWERS_H

#include "base/limits.h"
#include "fleet_model.h"

static inline void assert_within(int64_t ms, struct span span)
{
    if (ms < span.low || ms > span.high)
        fail_msg("%lld is not within %lld..%lld", (long long)ms, (long long)span.low,
            (long long)span.high);
}

static inline void check_image(const struct image *image, const struct model_image *expected)
{
    const struct placement *a = &image->place, *b = &expected->place;

    assert_int_equal(image->number, expected->number);
    assert_string_equal(image->id, expected->id);
    assert_slice(image->name, expected->name);
    assert_slice(image->tag, expected->tag);
    assert_slice(image->digest, expected->digest);
    assert_slice(image->config_digest, expected->config);
    assert_slice(image->architecture, expected->architecture);
    assert_int_equal(image->size_bytes, expected->size_bytes);
    assert_int_equal(image->latest, expected->latest);
    assert_int_equal(image->assessment, model_assessment(expected));
    assert_within(image->first_seen_ms, expected->first_seen);
    assert_within(image->latest_scan_ms, expected->latest_scan);
    assert_within(image->updated_ms, expected->updated);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->containers, b->containers);
    assert_int_equal(a->multi_arch, b->multi_arch);
    assert_true(slice_eq(a->enterprise_project, b->enterprise_project));
    assert_true(slice_eq(a->registry_type, b->registry_type));
    assert_true(slice_eq(a->registry_name, b->registry_name));
    assert_true(slice_eq(a->organization, b->organization));
    assert_true(slice_eq(a->cluster_id, b->cluster_id));
    assert_true(slice_eq(a->cluster_name, b->cluster_name));
    assert_true(slice_eq(a->agent_id, b->agent_id));
}

static inline uint8_t row_code(const struct model_row *row)
{
    return index_code(
        necessity_of(row->severity), vuln_type(row->vuln), row->fixable, false, false);
}

/* --- Questions -------------------------------------------------------------------------------- */

struct question {
    struct slice projects[2];
    struct index_scope scope;
    uint64_t codes;
    struct slice package_name; /* empty: any */
    const char *vul_id;        /* NULL: any */
    uint32_t groups;           /* that it means, as a bit mask of numbers */
};

static inline void draw_scope(struct model *model, size_t project, struct question *ret)
{
    static const char *const parts[] = {"nginx", "lib", "x", "team/app", "Nginx"};
    static const char *const registries[] = {"harbor", "quay", "nowhere"};
    struct fleet_world *world = &model->world;
    const struct model_image *some =
        model->image_count ? &model->images[world_below(world, (unsigned)model->image_count)]
                           : NULL;

    ret->projects[0] = world_below(world, 2) ? SLICE("0") : SLICE("team-1");
    ret->projects[1] = SLICE("team-1");
    ret->scope = (struct index_scope){.type = -1};
    ret->scope.enterprise_project_count = world_below(world, 3);
    if (ret->scope.enterprise_project_count == 2)
        ret->projects[0] = SLICE("0");
    if (ret->scope.enterprise_project_count)
        ret->scope.enterprise_projects = ret->projects;
    if (world_below(world, 3) == 0)
        ret->scope.type = (int)world_below(world, IMAGE_TYPE_COUNT);
    if (world_below(world, 4) == 0)
        ret->scope.name_part = slice_of(WORLD_PICK(world, parts));
    if (world_below(world, 6) == 0)
        ret->scope.registry_name = slice_of(WORLD_PICK(world, registries));
    if (world_below(world, 6) == 0)
        ret->scope.registry_type = SLICE("Harbor");
    if (world_below(world, 6) == 0)
        ret->scope.cluster_id = SLICE("c1");
    if (world_below(world, 12) == 0 && some && some->project == project)
        ret->scope.image_id = slice_of(some->id);
}

static inline void draw_question(
    struct model *model, size_t project, const struct model_names *names, struct question *ret)
{
    static const char *const names_of[] = {
        "openssl", "zlib", "zlib1g", "lodash", "Openssl", "none"};
    struct fleet_world *world = &model->world;
    uint32_t name = 1 + world_below(world, WORLD_NAMES);

    *ret = (struct question){.codes = INDEX_ALL_CODES};
    draw_scope(model, project, ret);
    if (world_below(world, 3) == 0)
        ret->codes = rng_next(&world->rng);
    if (world_below(world, 4) == 0)
        ret->package_name = slice_of(names_of[world_below(world, 6)]);
    if (world_below(world, 2) == 0)
        return;
    if (world_below(world, 10) == 0) {
        ret->vul_id = "CVE-1999-0001"; /* nobody has it */
        return;
    }
    ret->vul_id = world->texts[name];
    ret->groups = alias_found(&names->world, &names->picture, name);
}

static inline bool name_contains(const char *name, struct slice part)
{
    return slice_contains(slice_of(name), part);
}

static inline bool scope_admits(
    const struct index_scope *scope, size_t project, const struct model_image *image)
{
    bool granted = scope->enterprise_project_count == 0;

    for (size_t i = 0; i < scope->enterprise_project_count; i++)
        granted |= slice_eq(scope->enterprise_projects[i], image->place.enterprise_project);
    return granted && image->alive && image->project == project &&
           (scope->type < 0 || scope->type == (int)image->place.type) &&
           (!scope->image_id.len || slice_is(scope->image_id, image->id)) &&
           name_contains(image->name, scope->name_part) &&
           (!scope->registry_name.len ||
               slice_eq(scope->registry_name, image->place.registry_name)) &&
           (!scope->registry_type.len ||
               slice_eq(scope->registry_type, image->place.registry_type)) &&
           (!scope->cluster_id.len || slice_eq(scope->cluster_id, image->place.cluster_id));
}

static inline bool row_has_name(const struct model_row *row, struct slice name)
{
    for (unsigned i = 0; i < WORLD_PACKAGES; i++)
        if (row->packages >> i & 1 && (slice_eq(world_packages[i].name, name) ||
                                          slice_eq(world_packages[i].source_name, name)))
            return true;
    return false;
}

static inline bool question_admits(const struct question *question, const struct model_row *row)
{
    if (question->vul_id && !(question->groups & alias_bit(vuln_name_id(row->vuln))))
        return false;
    if (question->package_name.len && !row_has_name(row, question->package_name))
        return false;
    return (question->codes >> row_code(row) & 1) != 0;
}

/* All rows that answer it, in order; to be freed. */
static inline struct model_row *answer_rows(const struct model *model, size_t project,
    const struct model_names *names, const struct question *question, size_t *ret_count)
{
    struct model_row *rows = calloc(model->image_count * MODEL_ROWS + 1, sizeof(*rows));
    size_t count = 0;

    assert_non_null(rows);
    for (size_t i = 0; i < model->image_count; i++) {
        struct model_row of_image[MODEL_ROWS];
        size_t found;

        if (!scope_admits(&question->scope, project, &model->images[i]))
            continue;
        found = model_rows(model, names, &model->images[i], of_image);
        for (size_t j = 0; j < found; j++)
            if (question_admits(question, &of_image[j]))
                rows[count++] = of_image[j];
    }
    *ret_count = count;
    return rows;
}

/* --- Pages ------------------------------------------------------------------------------------ */

struct page_check {
    const struct model *model;
    const struct model_names *names;
    const struct model_row *rows; /* from where the page must begin */
    size_t left, total, limit;
};

static inline int check_page(void *ctx, const struct affected_page *page, struct err *err)
{
    const struct page_check *check = ctx;
    size_t count = check->left < check->limit ? check->left : check->limit;

    (void)err;
    assert_int_equal(page->total, check->total);
    assert_int_equal(page->count, count);
    assert_int_equal(page->more, check->left > count);
    for (size_t i = 0; i < count; i++) {
        const struct affected_row *row = &page->rows[i];
        const struct model_row *expected = &check->rows[i];
        uint32_t title = check->names->picture.title[vuln_name_id(expected->vuln)];

        check_image(row->image, expected->image);
        assert_int_equal(row->vuln, expected->vuln);
        assert_slice(row->vul_id, check->model->world.texts[title]);
        assert_int_equal(row->type, vuln_type(expected->vuln));
        assert_int_equal(row->code, row_code(expected));
        assert_within(row->first_scan_ms, expected->first_scan);
    }
    return 0;
}

/* A page at a random place, by offset or by cursor. */
static inline void ask_page(struct model *model, struct fleet *fleet, size_t project,
    const struct model_names *names, const struct question *question)
{
    struct page_check check = {.model = model, .names = names};
    struct model_row *rows = answer_rows(model, project, names, question, &check.total);
    size_t from = world_below(&model->world, (unsigned)check.total + 2);
    struct affected_query query = {.q = {.scope = question->scope, .codes = question->codes},
        .vul_id = slice_of(question->vul_id),
        .package_name = question->package_name};
    struct err err;

    check.limit = 1 + world_below(&model->world, LIMIT_PAGE_MAX);
    query.q.limit = check.limit;
    query.q.offset = from;
    if (from && from <= check.total && world_below(&model->world, 2)) {
        query.q.by_cursor = true;
        query.q.after_image = rows[from - 1].image->number;
        query.q.after_vuln = rows[from - 1].vuln;
        query.q.offset = 3; /* is passed over */
    }
    from = from < check.total ? from : check.total;
    check.rows = rows + from;
    check.left = check.total - from;
    assert_ok(
        fleet_affected(fleet, model->project_numbers[project], &query, check_page, &check, &err));
    free(rows);
}

/* --- Counts, images, vulnerabilities ---------------------------------------------------------- */

static inline void ask_counts(struct model *model, struct fleet *fleet, size_t project,
    const struct model_names *names, const struct question *question)
{
    struct question all = {.scope = question->scope, .codes = INDEX_ALL_CODES};
    struct index_counts counts, expected = {0};
    struct model_row *rows;
    size_t count;
    struct err err;

    for (size_t i = 0; i < model->image_count; i++) {
        if (!scope_admits(&all.scope, project, &model->images[i]))
            continue;
        expected.images++;
        expected.by_assessment[model_assessment(&model->images[i])]++;
    }
    rows = answer_rows(model, project, names, &all, &count);
    for (size_t i = 0; i < count; i++)
        expected.by_code[row_code(&rows[i])]++;
    free(rows);
    assert_ok(fleet_count(fleet, model->project_numbers[project], &question->scope, &counts, &err));
    assert_memory_equal(&counts, &expected, sizeof(counts));
}

struct image_walk {
    const struct model *model;
    const struct index_scope *scope;
    size_t project, at;
};

static inline const struct model_image *next_expected(struct image_walk *walk)
{
    while (walk->at < walk->model->image_count &&
           !scope_admits(walk->scope, walk->project, &walk->model->images[walk->at]))
        walk->at++;
    return walk->at < walk->model->image_count ? &walk->model->images[walk->at++] : NULL;
}

static inline bool walk_image(
    void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    const struct model_image *expected = next_expected(ctx);

    (void)counts;
    assert_non_null(expected);
    check_image(image, expected);
    return true;
}

static inline void ask_images(
    struct model *model, struct fleet *fleet, size_t project, const struct question *question)
{
    struct image_walk walk = {.model = model, .scope = &question->scope, .project = project};
    struct err err;

    assert_ok(fleet_each_image(
        fleet, model->project_numbers[project], &question->scope, 0, walk_image, &walk, &err));
    assert_null(next_expected(&walk));
}

struct vuln_walk {
    const struct model *model;
    const struct model_names *names;
    const struct model_row *rows;
    size_t count;
    uint32_t last;
    size_t seen;
};

/* The number that a summary stands for, from its title: titles are unique in a picture. */
static inline uint32_t summary_vuln(const struct vuln_walk *walk, const struct vuln_summary *vuln)
{
    for (uint32_t name = 1; name <= WORLD_NAMES; name++)
        if (slice_is(vuln->vul_id, walk->model->world.texts[name]))
            return vuln_number(walk->names->picture.number[name], vuln->type);
    fail_msg("%.*s is no name of this world", SLICE_FMT(vuln->vul_id));
    return 0;
}

static inline bool walk_vuln(void *ctx, const struct vuln_summary *vuln)
{
    struct vuln_walk *walk = ctx;
    uint32_t number = summary_vuln(walk, vuln);
    uint64_t images = 0, containers = 0;
    enum necessity worst = NECESSITY_LOW;

    assert_true(number > walk->last);
    walk->last = number;
    for (size_t i = 0; i < walk->count; i++) {
        const struct model_row *row = &walk->rows[i];

        if (row->vuln != number)
            continue;
        images++;
        containers += row->image->place.containers > 0 ? (uint64_t)row->image->place.containers : 0;
        if (necessity_of(row->severity) > worst)
            worst = necessity_of(row->severity);
    }
    assert_int_equal(vuln->images, images);
    assert_int_equal(vuln->containers, containers);
    assert_int_equal(vuln->worst, worst);
    walk->seen += images;
    return true;
}

static inline void ask_vulns(struct model *model, struct fleet *fleet, size_t project,
    const struct model_names *names, const struct question *question)
{
    struct question asked = {.scope = question->scope, .codes = question->codes};
    struct vuln_walk walk = {.model = model, .names = names};
    struct model_row *rows = answer_rows(model, project, names, &asked, &walk.count);
    struct err err;

    walk.rows = rows;
    assert_ok(fleet_each_vuln(
        fleet, model->project_numbers[project], &asked.scope, asked.codes, walk_vuln, &walk, &err));
    assert_int_equal(walk.seen, walk.count);
    free(rows);
}

/* --- One image in full ------------------------------------------------------------------------ */

static inline void check_claims(const struct model *model, const struct model_names *names,
    const struct model_image *image, const struct image_detail *detail)
{
    size_t count = 0;

    for (int s = 0; s < SOURCE_COUNT; s++)
        count += image->slots[s].claim_count;
    assert_int_equal(detail->claim_count, count);
    for (size_t i = 0; i < detail->claim_count; i++) {
        const struct image_claim *claim = &detail->claims[i];
        uint32_t name = 1;

        while (!slice_is(claim->reported, model->world.texts[name]))
            name++;
        assert_true(name <= WORLD_NAMES);
        assert_slice(claim->vul_id, model->world.texts[names->picture.title[name]]);
        assert_true(claim->package < detail->package_count);
    }
}

static inline void ask_image(struct model *model, struct fleet *fleet,
    const struct model_names *names, const struct model_image *image)
{
    struct arena arena;
    struct image_detail detail;
    size_t packages = 0;
    struct err err;

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    assert_ok(fleet_show_image(
        fleet, model->project_numbers[image->project], slice_of(image->id), &arena, &detail, &err));
    check_image(&detail.image, image);
    for (int s = 0; s < SOURCE_COUNT; s++) {
        assert_int_equal(detail.sources[s].present, image->slots[s].present);
        assert_int_equal(detail.sources[s].complete, image->slots[s].complete);
        assert_int_equal(detail.sources[s].claims, image->slots[s].claim_count);
        assert_int_equal(detail.sources[s].packages, __builtin_popcount(image->slots[s].packages));
    }
    for (unsigned i = 0; i < WORLD_PACKAGES; i++)
        packages += model_seen(image, i).low != 0;
    assert_int_equal(detail.package_count, packages);
    check_claims(model, names, image, &detail);
    arena_release(&arena);
}

/* --- All of it -------------------------------------------------------------------------------- */

static inline void ask_everything(struct model *model, struct fleet *fleet, size_t project)
{
    struct model_names names;

    model_draw(model, project, &names);
    for (int i = 0; i < 6; i++) {
        struct question question;

        draw_question(model, project, &names, &question);
        ask_page(model, fleet, project, &names, &question);
        if (i == 0) {
            ask_counts(model, fleet, project, &names, &question);
            ask_images(model, fleet, project, &question);
            ask_vulns(model, fleet, project, &names, &question);
        }
    }
    if (model->image_count) {
        const struct model_image *image =
            &model->images[world_below(&model->world, (unsigned)model->image_count)];

        if (image->alive && image->project == project)
            ask_image(model, fleet, &names, image);
    }
}

#endif
