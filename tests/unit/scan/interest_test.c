/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "scan/interest.h"

#include <stdio.h>

static const struct interest plain;

/* The example with "name" for "*". */
static void fill(const char *example, char dst[256])
{
    size_t len = 0;

    for (; *example; example++)
        len += (size_t)snprintf(
            dst + len, 256 - len, "%s", *example == '*' ? "name" : (char[]){*example, '\0'});
}

/* Every kind of path that a reader knows must have an example, or links to it are missed. */
static void test_examples_and_readers_agree(void **state)
{
    static const char *const names[] = {"dpkg", "opkg", "apk", "alpm", "rpm-sqlite", "rpm-ndb",
        "rpm-bdb", "rpm-manifest", "deb-copyright", "os-release"};
    bool seen[sizeof(names) / sizeof(names[0])] = {false};
    const char *example;

    (void)state;
    for (size_t i = 0; (example = interest_example(i)); i++) {
        const struct inventory_reader *reader;
        char path[256];

        fill(example, path);
        reader = inventory_reader_for(slice_of(path));
        if (!reader)
            fail_msg("nobody reads %s", path);
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            seen[k] |= strcmp(reader->name, names[k]) == 0;
    }
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        assert_non_null(inventory_reader_named(slice_of(names[k])));
        if (!seen[k])
            fail_msg("no example for %s", names[k]);
    }
}

static void test_above(void **state)
{
    (void)state;
    assert_int_equal(interest_above(&plain, SLICE("")), ABOVE_ALL);
    assert_int_equal(interest_above(&plain, SLICE("var")), ABOVE_ALL);
    assert_int_equal(interest_above(&plain, SLICE("var/lib/dpkg")), ABOVE_ALL);
    assert_int_equal(interest_above(&plain, SLICE("usr/share/doc")), ABOVE_ALL);
    assert_int_equal(interest_above(&plain, SLICE("usr/share/doc/bash")), ABOVE_ONE_OF_MANY);
    assert_int_equal(interest_above(&plain, SLICE("usr/share/doc/bash/a")), ABOVE_NOTHING);
    assert_int_equal(interest_above(&plain, SLICE("usr/bin")), ABOVE_NOTHING);
    assert_int_equal(interest_above(&plain, SLICE("va")), ABOVE_NOTHING);
    assert_int_equal(interest_above(&plain, SLICE("var/lib/dpkg/status")), ABOVE_NOTHING);
}

static void test_readers(void **state)
{
    struct buf scratch CLEANUP(buf_release) = BUF_INIT(1024);
    const struct alias aliases[] = {{SLICE("opt/db"), SLICE("var/lib/rpm")}};
    const struct interest with = {aliases, 1};
    const struct inventory_reader *reader;
    struct slice as;

    (void)state;
    assert_null(interest_reader(&plain, SLICE(""), &scratch, &as));
    assert_null(interest_reader(&plain, SLICE("opt/db/rpmdb.sqlite"), &scratch, &as));
    assert_null(interest_reader(&with, SLICE("opt/db2/rpmdb.sqlite"), &scratch, &as));
    reader = interest_reader(&with, SLICE("opt/db/rpmdb.sqlite"), &scratch, &as);
    assert_non_null(reader);
    assert_string_equal(reader->name, "rpm-sqlite");
    assert_slice(as, "var/lib/rpm/rpmdb.sqlite");
    assert_true(interest_is_beside(&with, SLICE("opt/db/rpmdb.sqlite-wal"), &scratch));
    assert_false(interest_is_beside(&with, SLICE("opt/db/rpmdb.sqlite-shm"), &scratch));
    assert_false(interest_is_beside(&plain, SLICE("opt/db/rpmdb.sqlite-wal"), &scratch));
    assert_false(interest_is_beside(&plain, SLICE("var/lib/dpkg/status-old"), &scratch));
    assert_int_equal(interest_above(&with, SLICE("opt")), ABOVE_ALL);
    assert_int_equal(interest_above(&with, SLICE("opt/db")), ABOVE_ALL);
    assert_int_equal(interest_above(&with, SLICE("opt/d")), ABOVE_NOTHING);
    assert_true(interest_lists_packages(reader));
    assert_false(interest_lists_packages(inventory_reader_for(SLICE("etc/os-release"))));
}

static void test_links_that_need_an_alias(void **state)
{
    struct buf scratch CLEANUP(buf_release) = BUF_INIT(1024);

    (void)state;
    assert_false(interest_needs_alias(SLICE("lib"), SLICE("usr/lib"), &scratch));
    assert_true(interest_needs_alias(SLICE("lib"), SLICE("opt/lib"), &scratch));
    assert_false(
        interest_needs_alias(SLICE("etc/os-release"), SLICE("usr/lib/os-release"), &scratch));
    assert_true(interest_needs_alias(SLICE("etc/os-release"), SLICE("etc/other"), &scratch));
    assert_false(
        interest_needs_alias(SLICE("usr/share/doc/a-dev"), SLICE("usr/share/doc/a"), &scratch));
    assert_false(interest_needs_alias(SLICE("usr/share/doc/a"), SLICE("usr/share/x"), &scratch));
    assert_true(interest_needs_alias(SLICE("usr/share/doc"), SLICE("usr/share/x"), &scratch));
    assert_false(
        interest_needs_alias(SLICE("var/lib/rpm"), SLICE("usr/lib/sysimage/rpm"), &scratch));
    assert_false(interest_needs_alias(SLICE("bin"), SLICE("usr/bin"), &scratch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_and_readers_agree),
        cmocka_unit_test(test_above),
        cmocka_unit_test(test_readers),
        cmocka_unit_test(test_links_that_need_an_alias),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
