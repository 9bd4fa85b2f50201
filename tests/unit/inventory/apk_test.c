/* SPDX-License-Identifier: Apache-2.0 */
/* apk's list of installed packages. tests/e2e/test_package_lists.py compares it with apk itself. */
#include "inventory/reading.h"

#define PATH "lib/apk/db/installed"

static void test_packages(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as(PATH,
        SLICE("C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nS:1\nL:MIT\no:musl\nF:lib\nR:ld.so\n\n"
              "P:libcrypto3\nV:3.3.1-r0\nA:x86_64\nL:Apache-2.0 AND MIT\no:openssl\n"),
        &inventory, &err));
    assert_packages(&inventory, "musl 1.2.5-r0 x86_64 - - MIT\n"
                                "libcrypto3 3.3.1-r0 x86_64 openssl - Apache-2.0 AND MIT\n");
    assert_slice(inventory.packages[1].package.ecosystem, "apk");
    assert_int_equal(inventory.packages[1].package.release.len, 0);
    inventory_release(&inventory);
}

static void test_no_package(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as("usr/lib/apk/db/installed", SLICE("\n\n"), &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
}

static void test_damage(void **state)
{
    (void)state;
    refuse(PATH, SLICE("P:musl\nV:1\n\nP:zlib\nmusl\n"), ERR_FORMAT,
        PATH ":5: a line that is not a letter, a colon and a value");
    refuse(PATH, SLICE("\n\nP:musl\nV:1\nP:zlib\n"), ERR_FORMAT,
        PATH ":5: a second P: of the package that starts in line 3");
    refuse(PATH, SLICE("P:musl\nV:1\n\nA:x86_64\nP:zlib\n\n"), ERR_INVALID,
        PATH ":4: package zlib has no version");
    refuse(PATH, SLICE("P:musl\nV:1\n\nV:2\n"), ERR_INVALID, PATH ":4: package name is empty");
    refuse(PATH, SLICE("P:mu\0sl\nV:1\n"), ERR_INVALID,
        PATH ":1: package name \"mu?sl\" is not UTF-8 or holds control characters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_no_package),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
