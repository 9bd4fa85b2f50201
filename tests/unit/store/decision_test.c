/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of a store's decisions (those that are damaged: decision_damage_test.c). */
#include "store_fixture.h"

#include <sys/wait.h>

#include "base/array.h"

enum { ARENA_BYTES = 64 << 20 };

/* --- Decisions to compare with ---------------------------------------------------------------- */

static unsigned char image_ids[][IMAGE_ID_BYTES] = {
    {0}, {0, 0, 1}, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, {0x80}, {0xff, 0xff}};
enum { IMAGE_IDS = sizeof(image_ids) / sizeof(*image_ids) };

static struct decision plain_decision(void)
{
    return (struct decision){
        .project = 1,
        .action = DECISION_IGNORE,
        .type = -1,
        .scope = DECISION_PROJECT,
        .image_type = -1,
        .author = SLICE("anna"),
        .created_ms = 1000,
    };
}

/* ids: an array of IMAGE_ID_BYTES each (through void, for C11 has no way from one of these arrays
 * to a constant one). */
static struct decision images_decision(void *ids, size_t count)
{
    struct decision decision = plain_decision();

    decision.scope = DECISION_IMAGES;
    decision.images = ids;
    decision.image_count = count;
    return decision;
}

static uint32_t add(struct store *store, const struct decision *decision)
{
    struct err err;
    uint32_t number = 0;

    assert_ok(store_add_decision(store, decision, &number, &err));
    return number;
}

static uint32_t add_alone(struct store *store, const struct decision *decision)
{
    uint32_t number;

    begin(store);
    number = add(store, decision);
    commit(store);
    return number;
}

#define assert_same_text(a, b) \
    if (!slice_eq((a), (b)))   \
    fail_msg("%s is \"%.*s\", not \"%.*s\"", #a, SLICE_FMT(a), SLICE_FMT(b))

static void assert_same_sets(const struct decision *a, const struct decision *b)
{
    assert_int_equal(a->vuln_count, b->vuln_count);
    if (a->vuln_count)
        assert_memory_equal(a->vulns, b->vulns, a->vuln_count * sizeof(*a->vulns));
    assert_int_equal(a->image_count, b->image_count);
    if (a->image_count)
        assert_memory_equal(a->images, b->images, a->image_count * IMAGE_ID_BYTES);
    assert_int_equal(a->enterprise_project_count, b->enterprise_project_count);
    for (size_t i = 0; i < a->enterprise_project_count; i++)
        assert_same_text(a->enterprise_projects[i], b->enterprise_projects[i]);
}

/* All but the number and the end. */
static void assert_same_decision(const struct decision *a, const struct decision *b)
{
    assert_int_equal(a->project, b->project);
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->scope, b->scope);
    assert_int_equal(a->image_type, b->image_type);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->expires_ms, b->expires_ms);
    assert_same_text(a->package, b->package);
    assert_same_text(a->place, b->place);
    assert_same_text(a->author, b->author);
    assert_same_text(a->reason, b->reason);
    assert_same_sets(a, b);
}

static void assert_end(
    const struct decision *decision, enum decision_end end, int64_t ended_ms, const char *by)
{
    assert_int_equal(decision->end, end);
    assert_int_equal(decision->ended_ms, ended_ms);
    assert_slice(decision->ended_by, by);
}

struct walk {
    const struct decision *wanted; /* or NULL */
    uint32_t numbers[16];
    size_t count;
};

static int see_decision(void *ctx, const struct decision *decision, struct err *err)
{
    struct walk *walk = ctx;

    (void)err;
    assert_true(walk->count < 16);
    walk->numbers[walk->count++] = decision->number;
    if (walk->wanted)
        assert_same_decision(decision, walk->wanted);
    return 0;
}

static struct walk walk_from(
    struct store *store, uint32_t project, bool in_force, uint32_t after, size_t limit)
{
    struct walk walk = {0};
    struct err err;

    assert_ok(
        store_each_decision(store, project, in_force, after, limit, see_decision, &walk, &err));
    return walk;
}

/* Both ways of reading give it back; returns what is stored, in the arena. */
static struct decision assert_stored(
    struct store *store, uint32_t number, const struct decision *wanted, struct arena *arena)
{
    struct walk walk = {.wanted = wanted};
    struct decision got;
    struct err err;

    assert_ok(store_get_decision(store, number, arena, &got, &err));
    assert_int_equal(got.number, number);
    assert_same_decision(&got, wanted);
    assert_ok(store_each_decision(
        store, wanted->project, false, number - 1, 1, see_decision, &walk, &err));
    assert_int_equal(walk.count, 1);
    assert_int_equal(walk.numbers[0], number);
    return got;
}

/* --- They come back --------------------------------------------------------------------------- */

static void test_every_field(void **state)
{
    static const uint32_t vulns[] = {1, 2, 700, 2147483645};
    static const struct slice projects[] = {SLICE_INIT("0"), SLICE_INIT("ep-1")};
    struct fixture *f = *state;
    struct decision all = {
        .number = 99, /* ignored, as is how it ended */
        .project = 1,
        .action = DECISION_REPAIR,
        .vulns = vulns,
        .vuln_count = 4,
        .type = VUL_LINUX,
        .package = SLICE("openssl"),
        .scope = DECISION_REGISTRY,
        .place = SLICE("harbor"),
        .image_type = IMAGE_CICD,
        .enterprise_projects = projects,
        .enterprise_project_count = 2,
        .author = SLICE("anna"),
        .reason = SLICE("patched by hand"),
        .created_ms = 1700000000000,
        .expires_ms = 1800000000000,
        .ended_ms = 5,
        .end = DECISION_EXPIRED,
        .ended_by = SLICE("nobody"),
    };
    struct decision plain = plain_decision(), got;
    struct arena arena;

    arena_init(&arena, "a test", ARENA_BYTES);
    assert_int_equal(add_alone(f->store, &all), 1);
    assert_int_equal(add_alone(f->store, &plain), 2);
    reopen(f);
    got = assert_stored(f->store, 1, &all, &arena);
    assert_end(&got, DECISION_IN_FORCE, 0, "");
    assert_stored(f->store, 2, &plain, &arena);
    arena_release(&arena);
}

static void test_every_word(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct decision decision = plain_decision(), named = images_decision(image_ids, IMAGE_IDS);
    struct arena arena;

    arena_init(&arena, "a test", ARENA_BYTES);
    for (int i = 0; i < DECISION_ACTION_COUNT * DECISION_SCOPE_COUNT; i++) {
        decision.action = (enum decision_action)(i % DECISION_ACTION_COUNT);
        decision.scope = (enum decision_scope)(i % DECISION_SCOPE_COUNT);
        decision.type = i % (VUL_TYPE_COUNT + 1) - 1;
        decision.image_type = i % (IMAGE_TYPE_COUNT + 1) - 1;
        decision.images = named.images;
        decision.image_count = decision.scope == DECISION_IMAGES ? IMAGE_IDS : 0;
        assert_stored(store, add_alone(store, &decision), &decision, &arena);
    }
    arena_release(&arena);
}

/* Texts that would break a form with borders in it, or a statement. */
static void test_hostile_texts(void **state)
{
    static const struct slice projects[] = {SLICE_INIT(""), SLICE_INIT("\0"),
        SLICE_INIT("\0\0\0\0"), SLICE_INIT("\0\0\0\1"), SLICE_INIT("\1\0\0\0a"), SLICE_INIT(","),
        SLICE_INIT("a"), SLICE_INIT("a\0b"), SLICE_INIT("ab"), SLICE_INIT("\xff\xfe")};
    static const struct slice texts[] = {SLICE_INIT("'); DROP TABLE decision; --"),
        SLICE_INIT("a\0b"), SLICE_INIT("\0"), SLICE_INIT("\xe5\xbf\xbd\xe7\x95\xa5\n\t"),
        SLICE_INIT("\xff\xfe not text"), SLICE_INIT("?1 %s %n {}")};
    struct store *store = ((struct fixture *)*state)->store;
    struct decision decision = plain_decision();
    char *large = malloc(1 << 20);
    struct arena arena;

    assert_non_null(large);
    memset(large, 'x', 1 << 20);
    arena_init(&arena, "a test", ARENA_BYTES);
    decision.scope = DECISION_REPOSITORY;
    for (size_t i = 0; i < 6; i++) {
        decision.package = texts[i];
        decision.place = texts[(i + 1) % 6];
        decision.author = texts[(i + 2) % 6];
        decision.reason = texts[(i + 3) % 6];
        assert_stored(store, add_alone(store, &decision), &decision, &arena);
    }
    decision.reason = (struct slice){large, 1 << 20};
    decision.enterprise_projects = projects;
    for (size_t count = 1; count <= 10; count++) {
        decision.enterprise_project_count = count;
        assert_stored(store, add_alone(store, &decision), &decision, &arena);
    }
    decision.enterprise_projects = &decision.reason;
    decision.enterprise_project_count = 1;
    assert_stored(store, add_alone(store, &decision), &decision, &arena);
    arena_release(&arena);
    free(large);
}

static void test_limits(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    uint32_t *vulns = calloc(LIMIT_DECISION_VULNS + 1, sizeof(*vulns)), number = 0;
    unsigned char(*ids)[IMAGE_ID_BYTES] = calloc(LIMIT_DECISION_IMAGES + 1, IMAGE_ID_BYTES);
    struct decision decision = images_decision(ids, LIMIT_DECISION_IMAGES);
    struct arena arena;
    struct err err;

    assert_non_null(vulns);
    assert_non_null(ids);
    arena_init(&arena, "a test", ARENA_BYTES);
    for (uint32_t i = 0; i <= LIMIT_DECISION_VULNS; i++)
        vulns[i] = 1 + i * 20000; /* 4 bytes each */
    for (uint32_t i = 0; i <= LIMIT_DECISION_IMAGES; i++)
        for (int byte = 0; byte < 4; byte++)
            ids[i][3 - byte] = (unsigned char)(i >> 8 * byte);
    decision.vulns = vulns;
    decision.vuln_count = LIMIT_DECISION_VULNS;
    assert_stored(store, add_alone(store, &decision), &decision, &arena);
    begin(store);
    decision.vuln_count++;
    assert_fails(store_add_decision(store, &decision, &number, &err), ERR_LIMIT, "100001 vuln");
    decision.vuln_count = 0;
    decision.image_count++;
    assert_fails(store_add_decision(store, &decision, &number, &err), ERR_LIMIT, "100001 images");
    decision.image_count = 1;
    decision.project = 7;
    assert_fails(store_add_decision(store, &decision, &number, &err), ERR_INVALID, "project 7");
    commit(store);
    assert_int_equal(walk_from(store, 1, false, 0, 9).count, 1);
    arena_release(&arena);
    free(vulns);
    free(ids);
}

/* --- Walks ------------------------------------------------------------------------------------ */

static int stop_at_two(void *ctx, const struct decision *decision, struct err *err)
{
    ++*(int *)ctx;
    return decision->number == 2 ? err_set(err, ERR_INVALID, "enough") : 0;
}

static void test_walks(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct decision decision = plain_decision();
    struct walk walk;
    uint32_t project;
    int seen = 0;
    struct err err;

    begin(store);
    assert_ok(store_add_project(store, SLICE("other"), 1, &project, &err));
    for (uint32_t i = 1; i <= 8; i++) {
        decision.project = i == 3 || i == 7 ? project : 1;
        decision.created_ms = 1000 - i; /* numbers are the order */
        assert_int_equal(add(store, &decision), i);
    }
    assert_ok(store_end_decision(store, 2, DECISION_WITHDRAWN, SLICE("bo"), 50, &err));
    assert_ok(store_end_decision(store, 5, DECISION_EXPIRED, SLICE(""), 60, &err));
    commit(store);
    walk = walk_from(store, 1, false, 0, 100);
    assert_memory_equal(walk.numbers, ((uint32_t[]){1, 2, 4, 5, 6, 8}), 6 * sizeof(uint32_t));
    assert_int_equal(walk.count, 6);
    walk = walk_from(store, 1, true, 0, 100);
    assert_memory_equal(walk.numbers, ((uint32_t[]){1, 4, 6, 8}), 4 * sizeof(uint32_t));
    assert_int_equal(walk.count, 4);
    walk = walk_from(store, 1, true, 1, 2);
    assert_memory_equal(walk.numbers, ((uint32_t[]){4, 6}), 2 * sizeof(uint32_t));
    assert_int_equal(walk.count, 2);
    walk = walk_from(store, 1, false, 4, 1);
    assert_int_equal(walk.numbers[0], 5);
    assert_int_equal(walk.count, 1);
    assert_int_equal(walk_from(store, project, false, 3, SIZE_MAX).numbers[0], 7);
    assert_int_equal(walk_from(store, 1, false, 8, 100).count, 0);
    assert_int_equal(walk_from(store, 1, false, 0, 0).count, 0);
    assert_int_equal(walk_from(store, 9, false, 0, 100).count, 0);
    assert_fails(store_each_decision(store, 1, false, 0, 9, stop_at_two, &seen, &err), ERR_INVALID,
        "enough");
    assert_int_equal(seen, 2);
}

/* --- Changes ---------------------------------------------------------------------------------- */

static void test_ends_once(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct decision decision = plain_decision(), got;
    struct arena arena;
    struct err err;

    arena_init(&arena, "a test", ARENA_BYTES);
    begin(store);
    add(store, &decision);
    add(store, &decision);
    assert_ok(store_end_decision(store, 1, DECISION_WITHDRAWN, SLICE("bo'b"), 777, &err));
    assert_fails(store_end_decision(store, 1, DECISION_WITHDRAWN, SLICE("eve"), 888, &err),
        ERR_CONFLICT, "decision 1 has ended already: it is withdrawn");
    assert_ok(store_end_decision(store, 2, DECISION_EXPIRED, SLICE(""), 778, &err));
    assert_fails(store_end_decision(store, 2, DECISION_WITHDRAWN, SLICE("eve"), 888, &err),
        ERR_CONFLICT, "it is expired");
    assert_fails(store_end_decision(store, 3, DECISION_EXPIRED, SLICE(""), 1, &err), ERR_NOT_FOUND,
        "no decision 3");
    commit(store);
    got = assert_stored(store, 1, &decision, &arena);
    assert_end(&got, DECISION_WITHDRAWN, 777, "bo'b");
    got = assert_stored(store, 2, &decision, &arena);
    assert_end(&got, DECISION_EXPIRED, 778, "");
    assert_fails(store_get_decision(store, 3, &arena, &got, &err), ERR_NOT_FOUND, "no decision 3");
    assert_fails(store_get_decision(store, 0, &arena, &got, &err), ERR_NOT_FOUND, "no decision 0");
    arena_release(&arena);
}

static int compare_image_ids(const void *left, const void *right)
{
    return memcmp(left, right, IMAGE_ID_BYTES);
}

/* From every place to every place, between and beyond the others. */
static void test_moves(void **state)
{
    static const unsigned char targets[][IMAGE_ID_BYTES] = {
        {0, 0, 0, 1}, {0, 5}, {0x7f}, {0x90}, {0xff, 0xff, 1}};
    struct store *store = ((struct fixture *)*state)->store;
    struct decision before = images_decision(image_ids, IMAGE_IDS), after;
    unsigned char moved[IMAGE_IDS][IMAGE_ID_BYTES];
    struct arena arena;
    struct err err;

    arena_init(&arena, "a test", ARENA_BYTES);
    for (size_t i = 0; i < IMAGE_IDS * 5; i++) {
        uint32_t number = add_alone(store, &before);

        memcpy(moved, image_ids, sizeof(moved));
        memcpy(moved[i % IMAGE_IDS], targets[i / IMAGE_IDS], IMAGE_ID_BYTES);
        qsort(moved, IMAGE_IDS, IMAGE_ID_BYTES, compare_image_ids);
        begin(store);
        assert_ok(store_move_decision(
            store, number, image_ids[i % IMAGE_IDS], targets[i / IMAGE_IDS], &err));
        commit(store);
        after = images_decision(moved, IMAGE_IDS);
        assert_stored(store, number, &after, &arena);
    }
    arena_release(&arena);
}

static void test_moves_at_the_border(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct decision two = images_decision(image_ids, 2), plain = plain_decision();
    struct decision first = images_decision(image_ids, 1);
    struct arena arena;
    struct err err;

    arena_init(&arena, "a test", ARENA_BYTES);
    begin(store);
    add(store, &two);
    add(store, &plain);
    add(store, &two);
    assert_ok(store_end_decision(store, 3, DECISION_EXPIRED, SLICE(""), 9, &err));
    /* To one that it names already: once. */
    assert_ok(store_move_decision(store, 3, image_ids[1], image_ids[0], &err));
    assert_ok(store_move_decision(store, 1, image_ids[1], image_ids[1], &err));
    assert_fails(store_move_decision(store, 1, image_ids[3], image_ids[2], &err), ERR_NOT_FOUND,
        "decision 1 does not name image 80000000-0000-0000-0000-000000000000");
    assert_fails(store_move_decision(store, 2, image_ids[0], image_ids[2], &err), ERR_NOT_FOUND,
        "decision 2 does not name image");
    assert_fails(store_move_decision(store, 4, image_ids[0], image_ids[2], &err), ERR_NOT_FOUND,
        "no decision 4");
    commit(store);
    assert_stored(store, 1, &two, &arena);
    assert_stored(store, 2, &plain, &arena);
    assert_stored(store, 3, &first, &arena);
    arena_release(&arena);
}

static void test_rollback_undoes(void **state)
{
    struct fixture *f = *state;
    struct decision decision = images_decision(image_ids, 2), got;
    struct store_stats stats;
    struct arena arena;
    int64_t value = 5;
    struct err err;

    arena_init(&arena, "a test", ARENA_BYTES);
    add_alone(f->store, &decision);
    begin(f->store);
    add(f->store, &decision);
    assert_ok(store_move_decision(f->store, 1, image_ids[1], image_ids[4], &err));
    assert_ok(store_end_decision(f->store, 1, DECISION_WITHDRAWN, SLICE("bo"), 9, &err));
    assert_ok(store_set_state(f->store, "a", 7, &err));
    assert_int_equal(walk_from(f->store, 1, false, 0, 9).count, 2); /* a write sees itself */
    assert_int_equal(walk_from(f->store, 1, true, 0, 9).count, 1);
    store_rollback(f->store);
    got = assert_stored(f->store, 1, &decision, &arena);
    assert_end(&got, DECISION_IN_FORCE, 0, "");
    assert_int_equal(walk_from(f->store, 1, false, 0, 9).count, 1);
    assert_ok(store_get_state(f->store, "a", &value, &err));
    assert_int_equal(value, 0);
    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.decisions, 1);
    arena_release(&arena);
}

/* A process that writes beside us, and what we see of it. */
static int write_decisions(const char *dir)
{
    struct err err;
    struct store *store = store_open(dir, STORE_WRITE, &err);
    struct decision decision = plain_decision();
    uint32_t number;
    bool done = store && store_begin(store, "child", &err) == 0 &&
                store_add_decision(store, &decision, &number, &err) == 0 && number == 2 &&
                store_end_decision(store, 1, DECISION_WITHDRAWN, SLICE("child"), 4, &err) == 0 &&
                store_set_state(store, "from the child", -4, &err) == 0 &&
                store_commit(store, &err) == 0;

    store_close(store);
    return done ? 0 : 1;
}

static void test_other_process(void **state)
{
    struct fixture *f = *state;
    struct decision decision = plain_decision(), got;
    struct arena arena;
    int64_t value = 0;
    int status = -1;
    struct err err;
    pid_t pid;

    arena_init(&arena, "a test", ARENA_BYTES);
    add_alone(f->store, &decision);
    store_close(f->store);
    pid = fork(); /* with nothing open: SQLite's files must not cross a fork */
    if (pid == 0)
        _exit(write_decisions(f->dir));
    f->store = store_open(f->dir, STORE_READ, &err);
    assert_non_null(f->store);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_stored(f->store, 2, &decision, &arena);
    got = assert_stored(f->store, 1, &decision, &arena);
    assert_end(&got, DECISION_WITHDRAWN, 4, "child");
    assert_ok(store_get_state(f->store, "from the child", &value, &err));
    assert_int_equal(value, -4);
    arena_release(&arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field),
        TEST(test_every_word),
        TEST(test_hostile_texts),
        TEST(test_limits),
        TEST(test_walks),
        TEST(test_ends_once),
        TEST(test_moves),
        TEST(test_moves_at_the_border),
        TEST(test_rollback_undoes),
        TEST(test_other_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
