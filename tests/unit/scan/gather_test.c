/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of a folder; those of archives are tested with the whole program (test_scan.py). */
#include "scan/tree.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "scan/gather.h"

struct world {
    struct tree tree;
    struct layer_facts facts;
    struct buf text;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    tree_begin(&world->tree);
    world->text.max = 65536;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    tree_end(&world->tree);
    buf_release(&world->text);
    free(world);
    return 0;
}

static int gather(struct world *world, const struct interest *interest, struct err *err)
{
    const struct source_options options = {.scratch_fd = -1};
    struct image_source *source = image_open(world->tree.root, &options, err);
    int failed;

    assert_non_null(source);
    failed = layer_facts_gather(source, image_at(source, 0), 0, interest, &world->facts, err);
    image_close(source);
    return failed;
}

/* Files and links alone: folders on the way are facts, too. */
static void assert_facts(struct world *world, const struct interest *interest, const char *expected)
{
    struct err err = {0};

    assert_ok(gather(world, interest, &err));
    for (size_t i = 0; i < world->facts.count; i++) {
        const struct fact *fact = &world->facts.at[i];

        if (fact->kind == FACT_FOLDER)
            continue;
        buf_printf(&world->text, "%s%d %.*s", world->text.len ? ", " : "", fact->kind,
            SLICE_FMT(fact->path));
        if (fact->kind == FACT_FILE)
            buf_printf(&world->text, " %s %.*s%s", fact->reader->name, SLICE_FMT(fact->as),
                fact->failed ? " failed" : "");
        else
            buf_printf(&world->text, " %.*s", SLICE_FMT(fact->target));
    }
    layer_facts_release(&world->facts);
    assert_slice(buf_slice(&world->text), expected);
}

static const struct interest plain;

static void test_what_matters(void **state)
{
    struct world *world = *state;

    tree_file(&world->tree, "var/lib/dpkg/status", DPKG_BASH);
    tree_file(&world->tree, "var/lib/dpkg/other", "x");
    tree_file(&world->tree, "usr/bin/bash", "x");
    tree_link(&world->tree, "lib", "usr/lib");
    tree_link(&world->tree, "bin", "usr/bin");
    tree_file(&world->tree, "usr/lib/sysimage", "no folder");
    assert_facts(world, &plain, "2 lib usr/lib, 3 usr/lib/sysimage , 0 var/lib/dpkg/status dpkg ");
}

static void test_aliases(void **state)
{
    const struct alias alias = {SLICE("opt/dpkg"), SLICE("var/lib/dpkg")};
    struct world *world = *state;

    tree_file(&world->tree, "opt/dpkg/status", DPKG_BASH);
    tree_link(&world->tree, "var/lib/dpkg", "/opt/dpkg");
    assert_facts(world, &(struct interest){&alias, 1},
        "0 opt/dpkg/status dpkg var/lib/dpkg/status, 2 var/lib/dpkg /opt/dpkg");
}

static void test_a_damaged_database_is_a_fact(void **state)
{
    struct world *world = *state;

    tree_file(&world->tree, "var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\n");
    assert_facts(world, &plain, "0 var/lib/dpkg/status dpkg  failed");
}

static void test_a_log_beside(void **state)
{
    struct world *world = *state;

    tree_file(&world->tree, "var/lib/rpm/rpmdb.sqlite", "no database");
    tree_file(&world->tree, "var/lib/rpm/rpmdb.sqlite-wal", "");
    tree_file(&world->tree, "var/lib/rpm/rpmdb.sqlite-shm", "x");
    tree_file(&world->tree, "usr/share/rpm/rpmdb.sqlite", "no database");
    tree_file(&world->tree, "usr/share/rpm/rpmdb.sqlite-wal", "no log");
    assert_facts(world, &plain,
        "0 usr/share/rpm/rpmdb.sqlite rpm-sqlite  failed, 1 usr/share/rpm/rpmdb.sqlite-wal , "
        "0 var/lib/rpm/rpmdb.sqlite rpm-sqlite  failed, 1 var/lib/rpm/rpmdb.sqlite-wal ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_what_matters),
        TEST(test_aliases),
        TEST(test_a_damaged_database_is_a_fact),
        TEST(test_a_log_beside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
