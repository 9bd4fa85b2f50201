/* SPDX-License-Identifier: Apache-2.0 */
/* Whole images are held against umoci in tests/e2e/test_scan_hard_links.py. */
#include "scan/make_facts.h"

#include "base/limits.h"
#include "scan/layering.h"

#include <stdlib.h>

enum { LAYERS_MAX = 4 };

struct world {
    struct layer_facts made[LAYERS_MAX]; /* lowest first */
    struct layering *layering;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct err err = {0};

    for (size_t i = 0; i < LAYERS_MAX; i++)
        layer_facts_init(&world->made[i]);
    world->layering = layering_new(&err);
    assert_non_null(world->layering);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < LAYERS_MAX; i++)
        layer_facts_release(&world->made[i]);
    layering_free(world->layering);
    free(world);
    return 0;
}

static int lay(struct world *world, struct err *err)
{
    for (size_t i = LAYERS_MAX; i > 0; i--) {
        layer_facts_settle(&world->made[i - 1]);
        if (layering_add(world->layering, i - 1, &world->made[i - 1], err) < 0)
            return -1;
    }
    return 0;
}

static int finish(struct world *world, struct err *err)
{
    return lay(world, err) < 0 ? -1 : layering_finish(world->layering, err);
}

/* "x" as it is read behind an alias. */
static void add_x(struct layer_facts *facts, const char *package)
{
    add_file_of(facts, "x", STATUS, (const char *const[]){package, NULL});
}

static void assert_one(struct world *world, const char *version, size_t layer)
{
    const struct layering_package *package;
    struct err err = {0};
    struct slice path;

    assert_ok(finish(world, &err));
    assert_int_equal(layering_package_count(world->layering), 1);
    package = layering_package(world->layering, 0);
    assert_slice(package->found.package.version, version);
    assert_slice(package->path, STATUS);
    assert_int_equal(package->layer, layer);
    assert_int_equal(layering_databases(world->layering, &path), 1);
}

static void assert_leads_nowhere(struct world *world)
{
    struct err err = {0};

    assert_int_equal(finish(world, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.message, "hard link"));
}

static void test_alias(void **state)
{
    struct world *world = *state;
    const struct alias alias = {SLICE("x"), SLICE(STATUS)};
    struct alias *missing = NULL;
    struct err err = {0};
    size_t count = 0;

    add_same(&world->made[1], STATUS, "x");
    assert_ok(lay(world, &err));
    assert_ok(
        layering_missing_aliases(world->layering, &(struct interest){0}, &missing, &count, &err));
    assert_int_equal(count, 1);
    assert_slice(missing[0].real, "x");
    assert_slice(missing[0].as, STATUS);
    free(missing);
    assert_ok(layering_missing_aliases(
        world->layering, &(struct interest){&alias, 1}, &missing, &count, &err));
    assert_int_equal(count, 0);
    free(missing);
}

static void test_content_as_of_the_link(void **state)
{
    struct world *world = *state;

    add_x(&world->made[0], "bash 4");
    add_x(&world->made[1], "bash 5");
    add_same(&world->made[2], STATUS, "x");
    add_x(&world->made[2], "bash 6");
    add_x(&world->made[3], "bash 7");
    assert_one(world, "5", 2);
}

static void test_chain_of_layers(void **state)
{
    struct world *world = *state;

    add_file_of(&world->made[0], "w", STATUS, (const char *const[]){"bash 5", NULL});
    add_same(&world->made[1], "x", "w");
    world->made[1].at[0].reader = inventory_reader_for(SLICE(STATUS));
    add_plain(&world->made[1], FACT_HIDDEN, "w");
    add_plain(&world->made[2], FACT_HIDDEN, "w");
    add_same(&world->made[2], STATUS, "x");
    add_plain(&world->made[2], FACT_HIDDEN, "x");
    assert_one(world, "5", 2);
}

static void test_covered_database(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 4");
    add_same(&world->made[1], STATUS, "x");
    add_file(&world->made[2], STATUS, "bash 6");
    assert_one(world, "6", 2);
}

static void test_taken_away_between(void **state)
{
    struct world *world = *state;

    add_x(&world->made[0], "bash 5");
    add_plain(&world->made[1], FACT_HIDDEN, "x");
    add_same(&world->made[2], STATUS, "x");
    assert_leads_nowhere(world);
}

static void test_something_else_between(void **state)
{
    struct world *world = *state;

    add_x(&world->made[0], "bash 5");
    add_file_of(&world->made[1], "x", "etc/os-release", (const char *const[]){NULL});
    add_same(&world->made[2], STATUS, "x");
    assert_leads_nowhere(world);
}

static void test_damaged(void **state)
{
    struct world *world = *state;
    struct err err = {0};

    add_damaged(&world->made[0], STATUS, "line 3: no version");
    world->made[0].at[0].path = SLICE("x");
    add_same(&world->made[1], STATUS, "x");
    assert_int_equal(finish(world, &err), -1);
    assert_string_equal(err.message, "line 3: no version");
}

/* The log of a database whose content is elsewhere. */
static void test_log_beside(void **state)
{
    struct world *world = *state;
    struct err err = {0};

    add_same(&world->made[1], "var/lib/rpm/rpmdb.sqlite", "x");
    add_plain(&world->made[1], FACT_BESIDE, "var/lib/rpm/rpmdb.sqlite-wal");
    assert_int_equal(finish(world, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

static void test_too_many(void **state)
{
    struct world *world = *state;
    struct err err = {0};
    char path[64];

    for (int i = 0; i <= LIMIT_LOWER_LINKS; i++) {
        snprintf(path, sizeof(path), "var/lib/dpkg/status.d/p%d", i);
        add_same(&world->made[1], path, "x");
    }
    assert_int_equal(lay(world, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "LIMIT_LOWER_LINKS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_alias),
        TEST(test_content_as_of_the_link),
        TEST(test_chain_of_layers),
        TEST(test_covered_database),
        TEST(test_taken_away_between),
        TEST(test_something_else_between),
        TEST(test_damaged),
        TEST(test_log_beside),
        TEST(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
