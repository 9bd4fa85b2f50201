/* SPDX-License-Identifier: Apache-2.0 */
/* The table of readers, and what may be added. */
#include "inventory/reading.h"

#include "base/limits.h"

#include <stdio.h>

static void test_table(void **state)
{
    static const char *const known[] = {
        "os-release", "dpkg", "deb-copyright", "apk", "alpm", "opkg"};

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        assert_string_equal(inventory_reader_named(slice_of(known[i]))->name, known[i]);
    assert_null(inventory_reader_named(SLICE("dpk")));
    assert_null(inventory_reader_named(SLICE_NONE));
    assert_null(inventory_reader_for(SLICE("bin/sh")));
    assert_null(inventory_reader_for(SLICE_NONE));
}

static void test_package(void **state)
{
    struct package package = {.ecosystem = SLICE("deb"),
        .name = SLICE("a"),
        .version = SLICE("0:1.0-1"),
        .arch = SLICE("all"),
        .source_name = SLICE("a"),
        .source_version = SLICE("0:1.0-1")};
    struct inventory inventory;
    struct err err = {0};
    char name[] = "b";

    (void)state;
    inventory_init(&inventory);
    assert_ok(inventory_add(&inventory, &package, SLICE("MIT"), &err));
    package.name = (struct slice){name, 1};
    package.version = SLICE("2:1.0-1");
    assert_ok(inventory_add(&inventory, &package, SLICE("M\nT"), &err));
    name[0] = 'x'; /* it was copied */
    assert_packages(&inventory, "a 1.0-1 all - - MIT\nb 2:1.0-1 all a - -\n");
    inventory_release(&inventory);
    assert_int_equal(inventory.package_count, 0);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name, *version, *message;
    } cases[] = {
        {"", "1", "package name is empty"},
        {"a", "", "package a has no version"},
        {"a", "0:", "package a has no version"},
        {"a\x1b", "1", "package name \"a?\" is not UTF-8 or holds control characters"},
        {"a", "1\x7f",
            "package a: package version \"1?\" is not UTF-8 or holds control characters"},
    };
    struct inventory inventory;

    (void)state;
    inventory_init(&inventory);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct package package = {.ecosystem = SLICE("deb"),
            .name = slice_of(cases[i].name),
            .version = slice_of(cases[i].version)};
        struct err err = {0};

        assert_int_equal(inventory_add(&inventory, &package, SLICE_NONE, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
}

static void test_licences(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(inventory_add_licence(&inventory, SLICE("a"), SLICE("GPL-2+"), &err));
    assert_ok(inventory_add_licence(&inventory, SLICE("a"), SLICE_NONE, &err));
    assert_ok(inventory_add_licence(&inventory, SLICE("a"), SLICE("\xff"), &err));
    assert_int_equal(inventory.licence_count, 1);
    assert_slice(inventory.licences[0].package, "a");
    assert_slice(inventory.licences[0].licence, "GPL-2+");
    assert_int_equal(inventory_add_licence(&inventory, SLICE("\n"), SLICE("MIT"), &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    inventory_release(&inventory);
}

static void test_ceiling(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    for (int i = 0; i <= LIMIT_IMAGE_PACKAGES; i++) {
        char name[20];
        struct package package = {.ecosystem = SLICE("apk"), .version = SLICE("1")};
        int status;

        snprintf(name, sizeof(name), "p%d", i);
        package.name = slice_of(name);
        status = inventory_add(&inventory, &package, SLICE_NONE, &err);
        assert_int_equal(status, i < LIMIT_IMAGE_PACKAGES ? 0 : -1);
    }
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message, "more than 50000 packages are listed (LIMIT_IMAGE_PACKAGES)");
    inventory_release(&inventory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_package),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_licences),
        cmocka_unit_test(test_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
