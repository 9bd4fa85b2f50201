/* SPDX-License-Identifier: Apache-2.0 */
/* Layers are given here from the bottom up, as one writes them: made[0] is the lowest. */
#include "scan/make_facts.h"

#include "scan/layering.h"

enum { LAYERS_MAX = 5 };

struct world {
    struct layer_facts made[LAYERS_MAX];
    struct layering *layering;
    struct buf text;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    for (size_t i = 0; i < LAYERS_MAX; i++)
        layer_facts_init(&world->made[i]);
    world->text.max = 65536;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < LAYERS_MAX; i++)
        layer_facts_release(&world->made[i]);
    layering_free(world->layering);
    buf_release(&world->text);
    free(world);
    return 0;
}

static int lay(struct world *world, struct err *err)
{
    world->layering = layering_new(err);
    assert_non_null(world->layering);
    for (size_t i = LAYERS_MAX; i > 0; i--) {
        layer_facts_settle(&world->made[i - 1]);
        if (layering_add(world->layering, i - 1, &world->made[i - 1], err) < 0)
            return -1;
    }
    return 0;
}

/* "bash 5.2 @1, ...": each package and the layer that it came with. */
static void assert_packages(struct world *world, const char *expected)
{
    struct err err = {0};

    assert_ok(lay(world, &err));
    assert_ok(layering_finish(world->layering, &err));
    buf_clear(&world->text);
    for (size_t i = 0; i < layering_package_count(world->layering); i++) {
        const struct layering_package *package = layering_package(world->layering, i);

        buf_printf(&world->text, "%s%.*s %.*s @%zu", i ? ", " : "",
            SLICE_FMT(package->found.package.name), SLICE_FMT(package->found.package.version),
            package->layer);
    }
    assert_slice(buf_slice(&world->text), expected);
}

static void test_the_upper_version_counts(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5", "sed 4", "gone 1");
    add_file(&world->made[2], STATUS, "bash 5", "sed 5", "vim 9");
    assert_packages(world, "bash 5 @0, sed 5 @2, vim 9 @2");
}

static void test_a_gap_ends_the_row(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5", "curl 7");
    add_file(&world->made[1], STATUS, "bash 5");
    add_file(&world->made[2], STATUS, "bash 5", "curl 7");
    assert_packages(world, "bash 5 @0, curl 7 @2");
}

static void test_whiteouts(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5");
    add_file(&world->made[0], "lib/apk/db/installed", "musl 1");
    add_plain(&world->made[1], FACT_HIDDEN, "var/lib");
    assert_packages(world, "musl 1 @0");
}

static void test_a_whiteout_hides_lower_layers_only(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5");
    add_file(&world->made[1], STATUS, "bash 5", "sed 4");
    add_plain(&world->made[1], FACT_HIDDEN, STATUS);
    assert_packages(world, "bash 5 @1, sed 4 @1");
}

static void test_opaque_folders(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], "var/lib/dpkg/status.d/base", "base 1");
    add_file(&world->made[1], "var/lib/dpkg/status.d/libc", "libc 2");
    add_plain(&world->made[1], FACT_OPAQUE, "var/lib/dpkg/status.d");
    add_file(&world->made[2], "var/lib/dpkg/status.d/ssl", "ssl 3");
    assert_packages(world, "libc 2 @1, ssl 3 @2");
}

static void test_an_opaque_root(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5");
    add_plain(&world->made[1], FACT_OPAQUE, "");
    assert_packages(world, "");
}

static void test_a_file_in_place_of_a_folder_and_back(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5");
    add_plain(&world->made[1], FACT_COVER, "var/lib/dpkg");
    add_plain(&world->made[2], FACT_FOLDER, "var/lib/dpkg");
    assert_packages(world, "");
}

static void test_back_with_a_new_file(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5");
    add_plain(&world->made[1], FACT_COVER, "var/lib/dpkg");
    add_file(&world->made[2], STATUS, "bash 5");
    assert_packages(world, "bash 5 @2");
}

static void test_a_damaged_database(void **state)
{
    struct world *world = *state;
    struct err err = {0};

    add_damaged(&world->made[0], STATUS, "var/lib/dpkg/status: line 3: no version");
    assert_int_equal(lay(world, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.message, "var/lib/dpkg/status: line 3: no version");
}

static void test_a_damaged_database_below_a_good_one(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "bash 5");
    add_damaged(&world->made[1], STATUS, "no");
    add_file(&world->made[2], STATUS, "bash 5");
    assert_packages(world, "bash 5 @2");
}

static void test_the_release(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], "usr/lib/os-release", "release debian-12");
    add_file(&world->made[1], "etc/os-release", "release other-1"); /* of a lower rank, here */
    add_file(&world->made[0], STATUS, "bash 5");
    assert_packages(world, "bash 5 @0");
    assert_slice(layering_release(world->layering), "debian-12");
}

static void test_licences_of_other_files(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "libx 1", "libx-dev 1", "none 1");
    add_file(&world->made[0], "usr/share/doc/libx/copyright", "licence libx MIT");
    add_link(&world->made[1], "usr/share/doc/libx-dev", "libx");
    assert_packages(world, "libx 1 @0, libx-dev 1 @0, none 1 @0");
    assert_slice(layering_package(world->layering, 0)->found.licence, "MIT");
    assert_slice(layering_package(world->layering, 1)->found.licence, "MIT");
    assert_slice(layering_package(world->layering, 2)->found.licence, "");
}

/* A folder in the place of a link: what stands in it comes before what the link led to. */
static void test_own_licence_before_the_linked_one(void **state)
{
    struct world *world = *state;

    add_file(&world->made[0], STATUS, "libx 1", "libx-dev 1");
    add_file(&world->made[0], "usr/share/doc/libx/copyright", "licence libx MIT");
    add_link(&world->made[0], "usr/share/doc/libx-dev", "libx");
    add_file(&world->made[1], "usr/share/doc/libx-dev/copyright", "licence libx-dev ISC");
    assert_packages(world, "libx 1 @0, libx-dev 1 @0");
    assert_slice(layering_package(world->layering, 0)->found.licence, "MIT");
    assert_slice(layering_package(world->layering, 1)->found.licence, "ISC");
}

static void test_databases(void **state)
{
    struct world *world = *state;
    struct slice path;

    add_file_of(&world->made[0], STATUS, NULL, (const char *const[]){NULL});
    add_file_of(&world->made[1], STATUS, NULL, (const char *const[]){NULL});
    add_file(&world->made[0], "etc/os-release", "release debian-12");
    assert_packages(world, "");
    assert_int_equal(layering_databases(world->layering, &path), 1);
    assert_slice(path, STATUS);
}

/* An upper layer that went through the lower one's link: the same database, written anew. */
static void test_one_database_by_two_paths(void **state)
{
    struct world *world = *state;

    add_link(&world->made[0], "lib", "usr/lib");
    add_file(&world->made[0], "usr/lib/apk/db/installed", "musl 1", "gone 1");
    add_file(&world->made[1], "lib/apk/db/installed", "musl 2");
    assert_packages(world, "musl 2 @1");
}

static void test_a_log_in_another_layer(void **state)
{
    struct world *world = *state;
    struct err err = {0};

    add_file(&world->made[0], "var/lib/rpm/rpmdb.sqlite", "bash 5");
    add_plain(&world->made[1], FACT_BESIDE, "var/lib/rpm/rpmdb.sqlite-wal");
    assert_ok(lay(world, &err));
    assert_int_equal(layering_finish(world->layering, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_the_upper_version_counts),
        TEST(test_a_gap_ends_the_row),
        TEST(test_whiteouts),
        TEST(test_a_whiteout_hides_lower_layers_only),
        TEST(test_opaque_folders),
        TEST(test_an_opaque_root),
        TEST(test_a_file_in_place_of_a_folder_and_back),
        TEST(test_back_with_a_new_file),
        TEST(test_a_damaged_database),
        TEST(test_a_damaged_database_below_a_good_one),
        TEST(test_the_release),
        TEST(test_licences_of_other_files),
        TEST(test_own_licence_before_the_linked_one),
        TEST(test_databases),
        TEST(test_one_database_by_two_paths),
        TEST(test_a_log_in_another_layer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
