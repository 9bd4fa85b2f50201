/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two fleets on one data folder, as two processes would have them, against a model: random puts,
 * removals and changes through either, the other one following at once or much later, with the log
 * trimmed under it, projects that come meanwhile, and both closed and opened again. After each
 * round both must answer as the model does, and equal the stored facts (fleet_verify).
 */
#include "unit.h"

#include "base/clock.h"
#include "fleet_answers.h"
#include "folder.h"

enum { ROUNDS = 90, BATCH = 5 };

struct test {
    struct model model;
    char dir[256];
    struct fleet *fleets[2];
};

static struct fleet *open_fleet(const char *dir)
{
    struct err err;
    struct fleet *fleet = fleet_open(dir, STORE_CREATE, &err);

    if (!fleet)
        fail_msg("opening: %s", err.message);
    assert_ok(fleet_load(fleet, 0, &err));
    return fleet;
}

/* --- Putting ---------------------------------------------------------------------------------- */

struct batch {
    struct made_report made[BATCH];
    struct report reports[BATCH];
    struct put_request requests[BATCH];
    struct put_outcome outcomes[BATCH];
    bool refused[BATCH];
    size_t count;
};

static void batch_add(struct test *t, struct batch *batch, const struct made_report *made)
{
    size_t at = batch->count++;

    batch->made[at] = *made;
    world_build(&t->model.world, made, &batch->reports[at]);
    batch->requests[at] =
        (struct put_request){.report = &batch->reports[at], .place = &batch->made[at].place};
    batch->refused[at] = false;
}

static bool is_exact(struct span span)
{
    return span.low == span.high;
}

/* What the fleet says of an image it has just written pins the model's times. */
static void pin_times(struct test *t, struct fleet *fleet, struct model_image *image)
{
    struct arena arena;
    struct image_detail detail;
    struct err err;

    if (!image->alive || (is_exact(image->latest_scan) && is_exact(image->updated)))
        return;
    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    assert_ok(fleet_show_image(fleet, t->model.project_numbers[image->project], slice_of(image->id),
        &arena, &detail, &err));
    check_image(&detail.image, image);
    image->first_seen = (struct span){detail.image.first_seen_ms, detail.image.first_seen_ms};
    image->latest_scan = (struct span){detail.image.latest_scan_ms, detail.image.latest_scan_ms};
    image->updated = (struct span){detail.image.updated_ms, detail.image.updated_ms};
    arena_release(&arena);
}

static void check_outcome(struct test *t, const struct put_outcome *outcome,
    const struct model_outcome *expected, const struct made_report *made)
{
    struct model_image *image = expected->image;
    size_t packages = 0;

    assert_false(outcome->failed);
    assert_int_equal(outcome->created, expected->created);
    assert_int_equal(outcome->changed, expected->changed);
    assert_int_equal(outcome->claims, made->claim_count);
    assert_int_equal(outcome->assessment, model_assessment(image));
    for (unsigned i = 0; i < WORLD_PACKAGES; i++)
        packages += model_seen(image, i).low != 0;
    assert_int_equal(outcome->packages, packages);
    if (!expected->created) {
        assert_int_equal(outcome->number, image->number);
        assert_string_equal(outcome->image_id, image->id);
        return;
    }
    image->number = outcome->number;
    memcpy(image->id, outcome->image_id, sizeof(image->id));
    for (const struct model_image *before = t->model.images; before < image; before++)
        assert_true(before->number < image->number &&
                    (!before->alive || strcmp(before->id, image->id) != 0));
}

struct rows_of {
    size_t count;
    uint32_t vulns[MODEL_ROWS];
};

static void note_rows(struct test *t, const struct model_image *image, struct rows_of *ret)
{
    struct model_names names;
    struct model_row rows[MODEL_ROWS];

    model_draw(&t->model, image->project, &names);
    ret->count = model_rows(&t->model, &names, image, rows);
    for (size_t i = 0; i < ret->count; i++)
        ret->vulns[i] = rows[i].vuln;
}

static size_t rows_missing(const struct rows_of *a, const struct rows_of *b)
{
    size_t missing = 0;

    for (size_t i = 0; i < a->count; i++) {
        bool found = false;

        for (size_t j = 0; j < b->count; j++)
            found |= a->vulns[i] == b->vulns[j];
        missing += !found;
    }
    return missing;
}

/* Rows of each image before the batch, by position in the model. */
static void check_rows(struct test *t, const struct put_outcome *outcome,
    const struct model_image *image, const struct rows_of *before)
{
    struct rows_of after;

    note_rows(t, image, &after);
    assert_int_equal(outcome->findings, after.count);
    assert_int_equal(outcome->appeared, rows_missing(&after, before));
    assert_int_equal(outcome->retracted, rows_missing(before, &after));
}

static void put_batch(struct test *t, struct fleet *fleet, size_t project, struct batch *batch)
{
    static struct rows_of before[MODEL_IMAGES];
    struct model *model = &t->model;
    size_t good = 0;
    struct model_outcome last = {0};
    struct span now = {.low = clock_now_ms()};
    struct err err;

    for (size_t i = 0; i < MODEL_IMAGES; i++)
        before[i].count = 0;
    for (size_t i = 0; i < model->image_count; i++)
        note_rows(t, &model->images[i], &before[i]);
    assert_ok(fleet_put_images(fleet, model->project_numbers[project], batch->requests,
        batch->count, "test", batch->outcomes, &err));
    now.high = clock_now_ms();
    for (size_t i = 0; i < batch->count; i++) {
        assert_int_equal(batch->outcomes[i].failed, batch->refused[i]);
        if (batch->refused[i])
            continue;
        last = model_put(model, project, &batch->made[i], now);
        check_outcome(t, &batch->outcomes[i], &last, &batch->made[i]);
        good++;
    }
    for (size_t i = 0; i < model->image_count; i++)
        pin_times(t, fleet, &model->images[i]);
    if (good == 1) /* rows before and after are those of one transaction */
        for (size_t i = 0; i < batch->count; i++)
            if (!batch->refused[i])
                check_rows(t, &batch->outcomes[i], last.image, &before[last.image - model->images]);
    for (size_t i = 0; i < batch->count; i++)
        report_release(&batch->reports[i]);
}

/* Single ones, batches, the same image twice, and some that are refused. */
static void put_some(struct test *t, struct fleet *fleet, size_t project)
{
    struct fleet_world *world = &t->model.world;
    struct batch batch = {.count = 0};
    size_t count = world_below(world, 2) ? 1 : 1 + world_below(world, BATCH);

    while (batch.count < count) {
        struct made_report made;

        world_draw_report(world, &made);
        if (*made.digest == '\0' && *made.config == '\0')
            made.digest = "sha256:d4";
        if (batch.count && world_below(world, 3) == 0) {
            /* the image of the report before, as another scanner may see it */
            struct made_report twin = batch.made[batch.count - 1];

            memcpy(twin.claims, made.claims, sizeof(made.claims));
            twin.claim_count = made.claim_count;
            twin.packages = made.packages;
            twin.source = made.source;
            made = twin;
        }
        batch_add(t, &batch, &made);
        if (world_below(world, 12) == 0) {
            batch.requests[batch.count - 1].name = SLICE("no such name::");
            batch.refused[batch.count - 1] = true;
        }
    }
    put_batch(t, fleet, project, &batch);
}

/* --- Removing and changing -------------------------------------------------------------------- */

static struct model_image *some_image(struct test *t, size_t project)
{
    struct model *model = &t->model;

    for (int i = 0; i < 20 && model->image_count; i++) {
        struct model_image *image =
            &model->images[world_below(&model->world, (unsigned)model->image_count)];

        if (image->alive && image->project == project)
            return image;
    }
    return NULL;
}

static void remove_some(struct test *t, struct fleet *fleet, size_t project)
{
    struct model_image *image = some_image(t, project);
    struct span now = {.low = clock_now_ms()};
    struct err err;

    if (!image)
        return;
    assert_ok(fleet_remove_image(
        fleet, t->model.project_numbers[project], slice_of(image->id), "test", &err));
    now.high = clock_now_ms();
    model_remove(&t->model, image, now);
    assert_int_equal(fleet_remove_image(fleet, t->model.project_numbers[project],
                         slice_of(image->id), "test", &err),
        -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void draw_change(struct test *t, struct image_change *ret)
{
    static const unsigned fields[] = {FIELD_CONTAINERS, FIELD_ENTERPRISE_PROJECT, FIELD_CLUSTER_ID,
        FIELD_CLUSTER_NAME, FIELD_ORGANIZATION, FIELD_REGISTRY_TYPE, FIELD_MULTI_ARCH};
    struct fleet_world *world = &t->model.world;

    *ret = (struct image_change){0};
    world_draw_place(world, &ret->to);
    ret->to.cluster_name = SLICE("staging");
    ret->fields = WORLD_PICK(world, fields) | WORLD_PICK(world, fields);
    if (!ret->to.cluster_id.len)
        ret->fields &= ~(unsigned)FIELD_CLUSTER_ID;
}

static void change_place(struct placement *place, const struct image_change *change)
{
    const struct placement from = *place;

    *place = change->to;
    place->type = from.type;
    place->registry_name = from.registry_name;
    place->agent_id = from.agent_id;
    if (!(change->fields & FIELD_CONTAINERS))
        place->containers = from.containers;
    if (!(change->fields & FIELD_ENTERPRISE_PROJECT))
        place->enterprise_project = from.enterprise_project;
    if (!(change->fields & FIELD_CLUSTER_ID))
        place->cluster_id = from.cluster_id;
    if (!(change->fields & FIELD_CLUSTER_NAME))
        place->cluster_name = from.cluster_name;
    if (!(change->fields & FIELD_ORGANIZATION))
        place->organization = from.organization;
    if (!(change->fields & FIELD_REGISTRY_TYPE))
        place->registry_type = from.registry_type;
    if (!(change->fields & FIELD_MULTI_ARCH))
        place->multi_arch = from.multi_arch;
}

static void change_some(struct test *t, struct fleet *fleet, size_t project)
{
    struct model_image *image = some_image(t, project), was;
    struct image_change change;
    char id[UUID_TEXT_BYTES];
    struct span now = {.low = clock_now_ms()};
    struct err err = {0};
    int failed;

    if (!image)
        return;
    draw_change(t, &change);
    was = *image;
    failed = fleet_set_image(
        fleet, t->model.project_numbers[project], slice_of(image->id), &change, "test", id, &err);
    now.high = clock_now_ms();
    change_place(&image->place, &change);
    if (model_conflicts(&t->model, image)) {
        assert_int_equal(failed, -1);
        assert_int_equal(err.code, ERR_CONFLICT);
        *image = was;
        return;
    }
    if (failed)
        fail_msg("changing: %s", err.message);
    assert_int_equal(strcmp(id, image->id) == 0, same_spot(&was, image));
    memcpy(image->id, id, sizeof(image->id));
    model_moved(&t->model, &was, image, now);
    pin_times(t, fleet, image);
}

/* --- The world around ------------------------------------------------------------------------- */

/* All of the log goes: who has not followed yet must load anew. */
static void trim(struct fleet *fleet)
{
    struct store *store = fleet_store(fleet);
    size_t dropped;
    struct err err;

    assert_ok(store_begin(store, "test", &err));
    assert_ok(store_trim_log(store, clock_now_ms() + 1000, SIZE_MAX, &dropped, &err));
    assert_ok(store_commit(store, &err));
}

static void add_project(struct test *t, struct fleet *fleet)
{
    static const char *const ids[MODEL_PROJECTS] = {"default", "second", "third"};
    struct model *model = &t->model;
    size_t at = model->project_count;
    uint32_t number;
    struct err err;

    if (at == MODEL_PROJECTS)
        return;
    model->project_ids[at] = ids[at];
    if (at == 0)
        assert_ok(fleet_find_project(fleet, slice_of(ids[at]), &model->project_numbers[at], &err));
    else
        assert_ok(fleet_add_project(fleet, slice_of(ids[at]), &model->project_numbers[at], &err));
    model->project_count++;
    assert_ok(fleet_follow(fleet, &err)); /* loads it */
    assert_int_equal(fleet_add_project(fleet, slice_of(ids[at]), &number, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
}

/* The names get their ids: one image says them all, in order, and goes. */
static void seed_names(struct test *t)
{
    struct batch batch = {.count = 0};
    struct made_report made = {.source = SOURCE_TRIVY,
        .complete = true,
        .packages = 1,
        .name = "seed",
        .repository = "seed",
        .tag = "",
        .digest = "sha256:seed",
        .config = "",
        .architecture = "",
        .size_bytes = -1,
        .place = placement_default()};
    struct span now = {.low = clock_now_ms()};
    struct err err;

    for (unsigned from = 0; from < WORLD_NAMES; from += WORLD_REPORT_CLAIMS) {
        made.claim_count = 0;
        for (unsigned i = from; i < WORLD_NAMES && i < from + WORLD_REPORT_CLAIMS; i++)
            made.claims[made.claim_count++] = (struct made_claim){0, i, SEVERITY_LOW, 0};
        batch_add(t, &batch, &made);
    }
    put_batch(t, t->fleets[0], 0, &batch);
    assert_ok(fleet_remove_image(
        t->fleets[0], t->model.project_numbers[0], slice_of(t->model.images[0].id), "test", &err));
    now.high = clock_now_ms();
    model_remove(&t->model, &t->model.images[0], now);
}

static void check_fleet(struct test *t, struct fleet *fleet)
{
    struct err err;

    assert_ok(fleet_follow(fleet, &err));
    for (size_t p = 0; p < t->model.project_count; p++) {
        ask_everything(&t->model, fleet, p);
        assert_ok(fleet_verify(fleet, t->model.project_numbers[p], &err));
    }
}

static void reopen(struct test *t)
{
    for (int i = 0; i < 2; i++) {
        fleet_close(t->fleets[i]);
        t->fleets[i] = open_fleet(t->dir);
    }
}

static void run_round(struct test *t)
{
    struct fleet_world *world = &t->model.world;
    unsigned writer = world_below(world, 4) == 0; /* mostly the first */

    for (unsigned n = 1 + world_below(world, 3); n; n--) {
        size_t project = world_below(world, (unsigned)t->model.project_count);

        switch (world_below(world, 10)) {
        case 0:
            remove_some(t, t->fleets[writer], project);
            break;
        case 1:
        case 2:
            change_some(t, t->fleets[writer], project);
            break;
        default:
            put_some(t, t->fleets[writer], project);
        }
    }
    if (world_below(world, 12) == 0)
        trim(t->fleets[writer]);
    if (world_below(world, 20) == 0)
        add_project(t, t->fleets[writer]);
    check_fleet(t, t->fleets[writer]);
    if (world_below(world, 3) == 0)
        check_fleet(t, t->fleets[!writer]);
    if (world_below(world, 25) == 0)
        reopen(t);
}

static void run_seed(uint64_t seed)
{
    static struct test t;

    t = (struct test){0};
    print_message("seed %llu\n", (unsigned long long)seed);
    world_init(&t.model.world, seed);
    folder_make(t.dir, sizeof(t.dir));
    for (int i = 0; i < 2; i++)
        t.fleets[i] = open_fleet(t.dir);
    add_project(&t, t.fleets[0]);
    seed_names(&t);
    for (int round = 0; round < ROUNDS; round++)
        run_round(&t);
    check_fleet(&t, t.fleets[0]);
    check_fleet(&t, t.fleets[1]);
    for (int i = 0; i < 2; i++)
        fleet_close(t.fleets[i]);
    folder_remove(t.dir);
}

static void test_against_model(void **state)
{
    const char *seed = getenv("CAREEN_TEST_SEED");
    uint64_t from = 1, to = 4;

    (void)state;
    if (seed && slice_to_u64(slice_of(seed), &from))
        to = from;
    for (; from <= to; from++)
        run_seed(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
