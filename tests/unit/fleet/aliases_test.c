/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of fleet/aliases.h against alias_model.h. Few names and few records, so that chains,
 * rings, ambiguous names and several CVEs in one component are common.
 */
#include "unit.h"

#include "alias_model.h"
#include "fleet/aliases.h"
#include "made_facts.h"
#include "rng.h"

enum { NAMES = 9, RECORDS = 12 };

struct world {
    struct rng rng;
    struct alias_world model;
    struct alias_record rows[RECORDS]; /* of record id - 1 */
    unsigned uses[RECORDS];
};

/* --- Worlds ----------------------------------------------------------------------------------- */

static uint32_t draw_names(struct rng *rng, uint32_t own, uint64_t most)
{
    uint32_t names = 0;

    for (uint64_t n = rng_below(rng, most + 1); n; n--)
        names |= alias_bit(1 + (uint32_t)rng_below(rng, NAMES));
    return names & ~alias_bit(own);
}

static void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){
        .rng = {seed}, .model = {.names = NAMES, .records = world->rows, .record_count = RECORDS}};
    for (uint32_t name = 1; name <= NAMES; name++)
        world->model.kinds[name] = (enum name_kind)rng_below(&world->rng, 4);
    for (size_t r = 0; r < RECORDS; r++) {
        struct alias_record *row = &world->rows[r];

        row->name = 1 + (uint32_t)rng_below(&world->rng, NAMES);
        row->aliases = draw_names(&world->rng, row->name, 3);
        row->covers = draw_names(&world->rng, row->name, 2);
    }
}

static void list_names(uint32_t names, struct ids *ret)
{
    struct err err;

    ret->count = 0;
    for (uint32_t name = 1; name <= NAMES; name++)
        if (names & alias_bit(name))
            assert_ok(ids_push(ret, name, &err));
}

/* order[i]: which row becomes record i + 1. */
static void make_facts(const struct world *world, const size_t order[RECORDS], struct facts *facts)
{
    struct ids aliases = {0}, covers = {0};

    made_init(facts);
    for (uint32_t name = 1; name <= NAMES; name++)
        made_name(facts, world->model.kinds[name]);
    for (size_t i = 0; i < RECORDS; i++) {
        const struct alias_record *row = &world->rows[order[i]];

        list_names(row->aliases, &aliases);
        list_names(row->covers, &covers);
        made_record(facts, row->name, &aliases, &covers);
    }
    ids_release(&aliases);
    ids_release(&covers);
}

static void shuffle(struct rng *rng, size_t order[RECORDS])
{
    for (size_t i = 0; i < RECORDS; i++)
        order[i] = i;
    for (size_t i = RECORDS - 1; i > 0; i--) {
        size_t j = (size_t)rng_below(rng, i + 1), kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
}

static void check_picture(const struct aliases *aliases, const struct alias_picture *picture)
{
    for (uint32_t name = 1; name <= NAMES; name++) {
        assert_int_equal(aliases_group(aliases, name), picture->number[name]);
        assert_int_equal(aliases_title(aliases, name), picture->title[name]);
    }
}

static void check_lookups(
    const struct world *world, const struct aliases *aliases, const struct alias_picture *picture)
{
    struct ids found = {0}, expected = {0};
    struct err err;

    for (uint32_t name = 1; name <= NAMES; name++) {
        assert_ok(aliases_lookup(aliases, name, &found, &err));
        list_names(alias_found(&world->model, picture, name), &expected);
        assert_true(ids_equal(&found, &expected));
    }
    ids_release(&found);
    ids_release(&expected);
}

/* Whatever stands elsewhere now than before must be among the groups to be derived again, under its
 * old number (where its rows are) and its new one. */
static void check_changed(
    const struct alias_picture *before, const struct alias_picture *now, const struct ids *changed)
{
    for (uint32_t name = 1; name <= NAMES; name++) {
        if (before->number[name] == now->number[name] && before->title[name] == now->title[name])
            continue;
        assert_true(ids_contains(changed, before->number[name]));
        assert_true(ids_contains(changed, now->number[name]));
    }
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void use_or_unuse(struct world *world, struct aliases *aliases)
{
    uint32_t record = 1 + (uint32_t)rng_below(&world->rng, RECORDS);
    unsigned *uses = &world->uses[record - 1];
    struct err err;

    if (*uses && rng_below(&world->rng, 2)) {
        assert_ok(aliases_unuse(aliases, record, &err));
        --*uses;
    } else {
        assert_ok(aliases_use(aliases, record, &err));
        ++*uses;
    }
    world->rows[record - 1].used = *uses > 0;
    assert_int_equal(aliases_uses(aliases, record), *uses);
    assert_int_equal(aliases_in_use(aliases, record), *uses > 0);
}

/* Random uses; now and then settled and compared. */
static void run_world(uint64_t seed)
{
    static const size_t in_order[RECORDS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    struct world world;
    struct facts facts;
    struct aliases aliases;
    struct alias_picture before, now;
    struct ids changed = {0};
    struct err err;

    world_init(&world, seed);
    make_facts(&world, in_order, &facts);
    aliases_init(&aliases, &facts);
    alias_draw(&world.model, &before);
    for (int step = 0; step < 60; step++) {
        use_or_unuse(&world, &aliases);
        if (rng_below(&world.rng, 3))
            continue;
        assert_ok(made_settle(&aliases, &changed, &err));
        assert_true(aliases_settled(&aliases));
        alias_draw(&world.model, &now);
        check_picture(&aliases, &now);
        check_lookups(&world, &aliases, &now);
        check_changed(&before, &now, &changed);
        before = now;
    }
    ids_release(&changed);
    aliases_release(&aliases);
    facts_release(&facts);
}

static void test_rules(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++)
        run_world(seed);
}

/* Stored and used in a random order: the groups are those of the picture. */
static void run_order(struct world *world, const struct alias_picture *picture)
{
    size_t stored[RECORDS], used[RECORDS];
    struct facts facts;
    struct aliases aliases;
    struct ids changed = {0};
    struct err err;

    shuffle(&world->rng, stored);
    shuffle(&world->rng, used);
    make_facts(world, stored, &facts);
    aliases_init(&aliases, &facts);
    for (size_t i = 0; i < RECORDS; i++)
        if (world->rows[stored[used[i]]].used)
            assert_ok(aliases_use(&aliases, (uint32_t)used[i] + 1, &err));
    assert_ok(made_settle(&aliases, &changed, &err));
    check_picture(&aliases, picture);
    ids_release(&changed);
    aliases_release(&aliases);
    facts_release(&facts);
}

static void test_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct world world;
        struct alias_picture picture;

        world_init(&world, seed);
        for (size_t r = 0; r < RECORDS; r++)
            world.rows[r].used = rng_below(&world.rng, 2) != 0;
        alias_draw(&world.model, &picture);
        for (int round = 0; round < 4; round++)
            run_order(&world, &picture);
    }
}

/* --- By hand: the cases that the rules are there for ------------------------------------------ */

struct bed {
    struct facts facts;
    struct aliases aliases;
    struct ids changed;
};

static void bed_init(struct bed *bed)
{
    *bed = (struct bed){0};
    made_init(&bed->facts);
    aliases_init(&bed->aliases, &bed->facts);
}

static void bed_release(struct bed *bed)
{
    ids_release(&bed->changed);
    aliases_release(&bed->aliases);
    facts_release(&bed->facts);
}

/* A record in use that links `name` to two others (0: none). */
static uint32_t bed_record(
    struct bed *bed, uint32_t name, uint32_t alias, uint32_t other_alias, uint32_t cover)
{
    struct ids aliases = {0}, covers = {0};
    struct err err;
    uint32_t record;

    if (alias)
        assert_ok(ids_push(&aliases, alias, &err));
    if (other_alias)
        assert_ok(ids_push(&aliases, other_alias, &err));
    if (cover)
        assert_ok(ids_push(&covers, cover, &err));
    ids_sort_unique(&aliases);
    record = made_record(&bed->facts, name, &aliases, &covers);
    assert_ok(aliases_use(&bed->aliases, record, &err));
    assert_ok(made_settle(&bed->aliases, &bed->changed, &err));
    ids_release(&aliases);
    ids_release(&covers);
    return record;
}

static bool same_group(const struct bed *bed, uint32_t a, uint32_t b)
{
    return aliases_group(&bed->aliases, a) == aliases_group(&bed->aliases, b);
}

static void test_title_gets_better(void **state)
{
    struct bed bed;
    uint32_t pysec, ghsa, cve, record;
    struct err err;

    (void)state;
    bed_init(&bed);
    pysec = made_name(&bed.facts, NAME_OTHER_DATABASE);
    ghsa = made_name(&bed.facts, NAME_GHSA);
    cve = made_name(&bed.facts, NAME_CVE);
    bed_record(&bed, pysec, ghsa, 0, 0);
    assert_true(same_group(&bed, pysec, ghsa));
    assert_int_equal(aliases_title(&bed.aliases, pysec), ghsa);
    record = bed_record(&bed, ghsa, cve, 0, 0);
    assert_true(same_group(&bed, pysec, cve));
    assert_int_equal(aliases_title(&bed.aliases, pysec), cve);
    assert_int_equal(aliases_group(&bed.aliases, cve), pysec);

    assert_ok(aliases_unuse(&bed.aliases, record, &err));
    assert_ok(made_settle(&bed.aliases, &bed.changed, &err));
    assert_false(same_group(&bed, pysec, cve));
    assert_int_equal(aliases_title(&bed.aliases, pysec), ghsa);
    bed_release(&bed);
}

/* GHSA -> CVE 1 and CVE 2: it would merge them, so it stands alone, but either finds it. */
static void test_ambiguous_name(void **state)
{
    struct bed bed;
    uint32_t ghsa, one, two, record;
    struct ids found = {0};
    struct err err;

    (void)state;
    bed_init(&bed);
    ghsa = made_name(&bed.facts, NAME_GHSA);
    one = made_name(&bed.facts, NAME_CVE);
    two = made_name(&bed.facts, NAME_CVE);
    bed_record(&bed, ghsa, one, 0, 0);
    assert_true(same_group(&bed, ghsa, one));
    record = bed_record(&bed, ghsa, one, two, 0);
    assert_false(same_group(&bed, ghsa, one));
    assert_false(same_group(&bed, one, two));
    assert_ok(aliases_lookup(&bed.aliases, two, &found, &err));
    assert_int_equal(found.count, 2);
    assert_true(ids_contains(&found, ghsa) && ids_contains(&found, two));
    assert_ok(aliases_unuse(&bed.aliases, record, &err));
    assert_ok(made_settle(&bed.aliases, &bed.changed, &err));
    assert_true(same_group(&bed, ghsa, one));
    ids_release(&found);
    bed_release(&bed);
}

/* A distributor's advisory finds what it names and what it covers, and merges nothing. */
static void test_advisory(void **state)
{
    struct bed bed;
    uint32_t dsa, one, two, ghsa;
    struct ids found = {0};
    struct err err;

    (void)state;
    bed_init(&bed);
    dsa = made_name(&bed.facts, NAME_ADVISORY);
    one = made_name(&bed.facts, NAME_CVE);
    two = made_name(&bed.facts, NAME_CVE);
    ghsa = made_name(&bed.facts, NAME_GHSA);
    bed_record(&bed, dsa, one, 0, two);
    bed_record(&bed, ghsa, dsa, two, 0);
    assert_false(same_group(&bed, dsa, one));
    assert_false(same_group(&bed, dsa, ghsa));
    assert_true(same_group(&bed, ghsa, two));
    assert_ok(aliases_lookup(&bed.aliases, one, &found, &err));
    assert_true(ids_contains(&found, dsa));
    assert_ok(aliases_lookup(&bed.aliases, ghsa, &found, &err)); /* its title is covered by dsa */
    assert_true(ids_contains(&found, dsa) && ids_contains(&found, two));
    assert_ok(aliases_lookup(&bed.aliases, dsa, &found, &err));
    assert_true(ids_contains(&found, two)); /* the group that ghsa, which names dsa, is in */
    ids_release(&found);
    bed_release(&bed);
}

/* A chain of names as long as the facts allow, entered in the order that makes it deep. */
static void test_long_chain(void **state)
{
    struct bed bed;
    struct err err;
    uint32_t last = MADE_MAX - 2;

    (void)state;
    bed_init(&bed);
    for (uint32_t i = 1; i <= last; i++)
        made_name(&bed.facts, i == 1000 ? NAME_CVE : NAME_OTHER_DATABASE);
    for (uint32_t i = last; i > 1; i--) {
        struct ids aliases = {0}, none = {0};

        assert_ok(ids_push(&aliases, i - 1, &err));
        assert_ok(aliases_use(&bed.aliases, made_record(&bed.facts, i, &aliases, &none), &err));
        ids_release(&aliases);
    }
    assert_ok(made_settle(&bed.aliases, &bed.changed, &err));
    for (uint32_t i = 1; i <= last; i++) {
        assert_int_equal(aliases_group(&bed.aliases, i), 1);
        assert_int_equal(aliases_title(&bed.aliases, i), 1000);
    }
    assert_int_equal(bed.changed.count, last);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_title_gets_better),
        cmocka_unit_test(test_ambiguous_name),
        cmocka_unit_test(test_advisory),
        cmocka_unit_test(test_long_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
