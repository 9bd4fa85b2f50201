/* SPDX-License-Identifier: Apache-2.0 */
/* dpkg's and opkg's lists. tests/e2e/test_package_lists.py compares them with dpkg-query itself. */
#include "inventory/reading.h"

#include <stdio.h>

#define PATH "var/lib/dpkg/status"

static void test_paths(void **state)
{
    static const char *const dpkg[] = {PATH, "usr/lib/dpkg/status", "var/lib/dpkg/status.d/libc6",
        "var/lib/dpkg/status.d/python3.11", "usr/lib/dpkg/status.d/tzdata"};
    static const char *const opkg[] = {"usr/lib/opkg/status", "var/lib/opkg/status"};
    static const char *const none[] = {"var/lib/dpkg/status-old", "var/lib/dpkg/status.d/",
        "var/lib/dpkg/status.d/libc6.md5sums", "var/lib/dpkg/status.d/libc6.preinst",
        "var/lib/dpkg/status.d/a/b", "var/lib/dpkg/info/libc6.list", "x/var/lib/dpkg/status",
        "var/lib/dpkg/status/x", "lib/dpkg/status", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(dpkg) / sizeof(*dpkg); i++)
        assert_string_equal(inventory_reader_for(slice_of(dpkg[i]))->name, "dpkg");
    for (size_t i = 0; i < sizeof(opkg) / sizeof(*opkg); i++)
        assert_string_equal(inventory_reader_for(slice_of(opkg[i]))->name, "opkg");
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        if (inventory_reader_for(slice_of(none[i])))
            fail_msg("%s has a reader", none[i]);
}

static void test_packages(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as(PATH,
        SLICE("# a comment\nPackage: libc6\nStatus: install ok installed\nArchitecture: amd64\n"
              "Multi-Arch: same\nSource: glibc\nVersion: 2.36-9\nDescription: it\n is a library\n"
              " .\n Version: no field\n\n\n"
              "package: passwd\nSTATUS: install ok installed\narchitecture: amd64\n"
              "Source : shadow (1:4.13)\nVersion:1:4.13+b1\n \t\nConffiles:\n /etc/x 0\n\n"
              "Package: libc6\nStatus: hold ok installed\nArchitecture: i386\n"
              "Source: glibc (2.36-9)\nVersion: 0:2.36-9"),
        &inventory, &err));
    assert_packages(&inventory, "libc6 2.36-9 amd64 glibc - -\n"
                                "passwd 1:4.13+b1 amd64 shadow 1:4.13 -\n"
                                "libc6 2.36-9 i386 glibc - -\n");
    assert_slice(inventory.packages[0].package.ecosystem, "deb");
    inventory_release(&inventory);
}

/* What has files, or may have. */
static void test_states(void **state)
{
    static const struct {
        const char *status;
        bool listed;
    } cases[] = {
        {"install ok installed", true},
        {"hold ok installed", true},
        {"deinstall ok installed", true},
        {"install reinstreq half-installed", true},
        {"install ok unpacked", true},
        {"install ok half-configured", true},
        {"install ok triggers-awaited", true},
        {"install ok triggers-pending", true},
        {"deinstall ok config-files", false},
        {"purge ok not-installed", false},
        {"unknown ok not-installed", false},
        {"install hold,user installed", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[200];
        struct inventory inventory;
        struct err err = {0};

        inventory_init(&inventory);
        snprintf(text, sizeof(text),
            "Package: a\nStatus: %s\nVersion: 1\n\nPackage: b\nVersion: 2\n", cases[i].status);
        assert_ok(read_as(PATH, slice_of(text), &inventory, &err));
        assert_packages(
            &inventory, cases[i].listed ? "a 1 - - - -\nb 2 - - - -\n" : "b 2 - - - -\n");
        inventory_release(&inventory);
    }
}

/* The paragraph of a package that is gone has no version. */
static void test_gone(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as(PATH, SLICE("Package: a\nStatus: purge ok not-installed\nPriority: x\n"),
        &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    assert_ok(read_as(PATH, SLICE_NONE, &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
}

static void test_opkg(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as("usr/lib/opkg/status",
        SLICE(
            "Package: ubus\nVersion: 2022-06-01-1\nDepends: libc\nStatus: install user installed\n"
            "Architecture: mips_24kc\nInstalled-Time: 1\n"),
        &inventory, &err));
    assert_packages(&inventory, "ubus 2022-06-01-1 mips_24kc - - -\n");
    assert_slice(inventory.packages[0].package.ecosystem, "opkg");
    inventory_release(&inventory);
}

static void test_damage(void **state)
{
    (void)state;
    refuse(PATH, SLICE("Package: a\nVersion: 1\nnonsense\n"), ERR_FORMAT,
        PATH ":3: a line that is not a field, a colon and a value");
    refuse(PATH, SLICE("Package: a\n: 1\n"), ERR_FORMAT,
        PATH ":2: a line that is not a field, a colon and a value");
    refuse(PATH, SLICE("\nPackage: a\nVersion: 1\nPackage: b\n"), ERR_FORMAT,
        PATH ":4: a second Package of the package that starts in line 2");
    refuse(PATH, SLICE("Package: a\nVersion: 1\n\n b\n"), ERR_FORMAT,
        PATH ":4: a value goes on before there is a field");
    refuse(PATH, SLICE("Package: a\nVersion: 1\n 2\n"), ERR_FORMAT,
        PATH ":3: Version has more than one line");
    refuse(PATH, SLICE("Package: a\nStatus: install ok instaled\nVersion: 1\n"), ERR_FORMAT,
        PATH ":3: \"install ok instaled\" is no Status of a package (that starts in line 1)");
    refuse(PATH, SLICE("Package: a\nStatus: install ok installed\n\n"), ERR_INVALID,
        PATH ":1: package a has no version");
    refuse(PATH, SLICE("\nVersion: 1\n"), ERR_INVALID, PATH ":2: package name is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_opkg),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
