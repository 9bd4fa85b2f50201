/* SPDX-License-Identifier: Apache-2.0 */
/* Where rpm's databases are, and rpm's words as packages. */
#include "inventory/reading.h"

#include "inventory/rpm.h"

static void test_places(void **state)
{
    (void)state;
    assert_true(rpm_is_database(SLICE("var/lib/rpm/Packages"), "Packages"));
    assert_true(rpm_is_database(SLICE("usr/lib/sysimage/rpm/Packages.db"), "Packages.db"));
    assert_true(rpm_is_database(SLICE("usr/share/rpm/rpmdb.sqlite"), "rpmdb.sqlite"));
    assert_false(rpm_is_database(SLICE("var/lib/rpm/Packages.db"), "Packages"));
    assert_false(rpm_is_database(SLICE("var/lib/rpm/old/Packages"), "Packages"));
    assert_false(rpm_is_database(SLICE("srv/var/lib/rpm/Packages"), "Packages"));
    assert_false(rpm_is_database(SLICE("var/lib/rpm"), "Packages"));
    assert_string_equal(inventory_reader_for(SLICE("var/lib/rpm/rpmdb.sqlite"))->beside, "-wal");
}

static void assert_made(const struct rpm_facts *facts, const char *expected)
{
    struct inventory inventory;
    struct err err = {0};

    inventory_init(&inventory);
    assert_ok(rpm_facts_add(facts, &inventory, &err));
    assert_packages(&inventory, expected);
    inventory_release(&inventory);
}

static void test_sources(void **state)
{
    struct rpm_facts facts = {.name = SLICE("zlib"),
        .version = SLICE("1"),
        .release = SLICE("2"),
        .source_rpm = SLICE("zlib-1-2.src.rpm")};

    (void)state;
    assert_made(&facts, "zlib 1-2 - - - -\n");
    facts.source_rpm = SLICE("z-l-i-b-1.0-2.el9.nosrc.rpm");
    assert_made(&facts, "zlib 1-2 - z-l-i-b 1.0-2.el9 -\n");
    facts.epoch = 4;
    assert_made(&facts, "zlib 4:1-2 - z-l-i-b 4:1.0-2.el9 -\n");
    facts.source_rpm = SLICE("zlib-2.src.rpm");
    assert_made(&facts, "zlib 4:1-2 - - - -\n");
    facts.source_rpm = SLICE(".src.rpm");
    assert_made(&facts, "zlib 4:1-2 - - - -\n");
    facts.source_rpm = SLICE("zlib-1-2.x86_64.rpm");
    assert_made(&facts, "zlib 4:1-2 - - - -\n");
    facts.release = SLICE_NONE;
    assert_made(&facts, "zlib 4:1 - - - -\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
