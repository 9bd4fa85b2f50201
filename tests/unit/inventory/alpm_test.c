/* SPDX-License-Identifier: Apache-2.0 */
/* pacman's local database: one file a package. */
#include "inventory/reading.h"

#define PATH "var/lib/pacman/local/gcc-libs-13.2.1-5/desc"

static void test_paths(void **state)
{
    (void)state;
    assert_string_equal(inventory_reader_for(SLICE(PATH))->name, "alpm");
    assert_null(inventory_reader_for(SLICE("var/lib/pacman/local/gcc-libs-13.2.1-5/files")));
    assert_null(inventory_reader_for(SLICE("var/lib/pacman/local/ALPM_DB_VERSION")));
    assert_null(inventory_reader_for(SLICE("var/lib/pacman/local/desc")));
    assert_null(inventory_reader_for(SLICE("var/lib/pacman/local/a/b/desc")));
}

static void test_package(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as(PATH,
        SLICE(
            "%NAME%\ngcc-libs\n\n%VERSION%\n1:13.2.1-5\n\n%BASE%\ngcc\n\n%DESC%\nlibs\n%NAME%\n\n"
            "%ARCH%\nx86_64\n\n%LICENSE%\nGPL\ncustom:runtime exception\n\n%DEPENDS%\nglibc\nzlib"),
        &inventory, &err));
    assert_packages(
        &inventory, "gcc-libs 1:13.2.1-5 x86_64 gcc - GPL AND custom:runtime exception\n");
    assert_slice(inventory.packages[0].package.ecosystem, "alpm");
    assert_ok(read_as(
        PATH, SLICE("%NAME%\nbash\n\n%VERSION%\n5-1\n\n%BASE%\nbash\n\n"), &inventory, &err));
    assert_slice(inventory.packages[1].package.source_name, "");
    inventory_release(&inventory);
}

static void test_damage(void **state)
{
    (void)state;
    refuse(PATH, SLICE_NONE, ERR_FORMAT, PATH ":0: the file ends, and has named no package");
    refuse(PATH, SLICE("\n\n"), ERR_FORMAT, PATH ":2: the file ends, and has named no package");
    refuse(PATH, SLICE("%NAME%\na\n\n1.0\n"), ERR_FORMAT,
        PATH ":4: a value without a %SECTION% before it");
    refuse(PATH, SLICE("%NAME%\na\nb\n"), ERR_FORMAT,
        PATH ":3: a second %NAME% of the package that starts in line 1");
    refuse(PATH, SLICE("%NAME%\na\n\n%VERSION%\n\n"), ERR_INVALID,
        PATH ":1: package a has no version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_package),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
