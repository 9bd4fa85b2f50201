/* SPDX-License-Identifier: Apache-2.0 */
/* Licences out of Debian's copyright files. */
#include "inventory/reading.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>

#define PATH "usr/share/doc/libc6/copyright"

static void test_paths(void **state)
{
    (void)state;
    assert_string_equal(inventory_reader_for(SLICE(PATH))->name, "deb-copyright");
    assert_string_equal(
        inventory_reader_for(SLICE("usr/share/doc/g++-12/copyright"))->name, "deb-copyright");
    assert_null(inventory_reader_for(SLICE("usr/share/doc/copyright")));
    assert_null(inventory_reader_for(SLICE("usr/share/doc/a/b/copyright")));
    assert_null(inventory_reader_for(SLICE("usr/share/doc/a/copyright.gz")));
    assert_null(inventory_reader_for(SLICE("usr/share/doc/a\xff/copyright")));
}

/* The licence that the text tells of libc6; "" for none. */
static void assert_licence(struct slice text, const char *expected)
{
    struct inventory inventory;
    struct err err = {0};

    inventory_init(&inventory);
    assert_ok(read_as(PATH, text, &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    assert_int_equal(inventory.licence_count, expected[0] ? 1 : 0);
    if (inventory.licence_count) {
        assert_slice(inventory.licences[0].package, "libc6");
        assert_slice(inventory.licences[0].licence, expected);
    }
    inventory_release(&inventory);
}

static void test_fields(void **state)
{
    (void)state;
    assert_licence(
        SLICE("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
              "\nFiles: *\nCopyright: x\nLicense: GPL-2+\n text of it\n License: no\n\n"
              "Files: y\nlicense:  MIT.\n\nFiles: z\nLicense: GPL-2+\n\n"
              "License: none\n\nLicense:\n\nLicense: GPL-2+ or Artistic\n"
              " see /usr/share/common-licenses/GPL-2\n"),
        "GPL-2+ AND MIT AND (GPL-2+ or Artistic)");
}

/* What stands behind "License:" in files that only look like it. */
static void test_prose(void **state)
{
    (void)state;
    assert_licence(SLICE("License: Permission is hereby granted\nLicense: # Licensed\n"
                         "License: (C) me\nLicense: GPL version 2 or later\nLicense: a and\n"
                         "License: GPL-3+ with Bison\n"),
        "");
    assert_licence(SLICE("License: GPL-3+ with Bison exception\nLicense: ISC and MIT-like\n"
                         "License: REGCOMP, and GPL-1+ or Artistic\n"),
        "GPL-3+ with Bison exception AND ISC and MIT-like AND "
        "(REGCOMP, and GPL-1+ or Artistic)");
    /* No short name, but a reference. */
    assert_licence(
        SLICE("License: GPL version 2\n see /usr/share/common-licenses/GPL-2\n"), "GPL-2");
}

static void test_references(void **state)
{
    (void)state;
    assert_licence(SLICE("On Debian systems, see `/usr/share/common-licenses/LGPL-2.1' and\n"
                         "/usr/share/common-licenses/GPL-2. Also /usr/share/common-licenses/,\n"
                         "/usr/share/common-licenses/LGPL-2.1."),
        "LGPL-2.1 AND GPL-2");
}

static void test_nothing(void **state)
{
    (void)state;
    assert_licence(SLICE_NONE, "");
    assert_licence(SLICE("You may do with it what you like.\n"), "");
    assert_licence(SLICE("License: \xff\xfe\n"), "");
    assert_licence(SLICE("\0\0\n\0License: x"), "");
}

/* Many licences, and long ones: the list ends at a whole name, within its ceilings. */
static void test_ceilings(void **state)
{
    struct inventory inventory;
    struct err err = {0};
    struct buf text = BUF_INIT(1 << 24);
    struct slice licence;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "License: licence-with-quite-a-long-name-number-%d\n", i);
    inventory_init(&inventory);
    assert_ok(read_as(PATH, buf_slice(&text), &inventory, &err));
    licence = inventory.licences[0].licence;
    assert_in_range(licence.len, LIMIT_LICENCE_BYTES - 100, LIMIT_LICENCE_BYTES);
    assert_true(slice_contains(licence, SLICE("number-70 AND")));

    buf_clear(&text);
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "License: L%d\n", i);
    assert_ok(read_as(PATH, buf_slice(&text), &inventory, &err));
    assert_true(slice_ends_with(inventory.licences[1].licence, " L127"));
    inventory_release(&inventory);
    buf_release(&text);
}

/* Of a file without end, or one line without end, only the start is read. */
static void test_long_file(void **state)
{
    static const char start[] = "License: MIT\n", end[] = "\nLicense: BSD\n";
    size_t len = LIMIT_COPYRIGHT_BYTES * 2;
    char *text = malloc(len);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, start, strlen(start));
    memcpy(text + len - strlen(end), end, strlen(end));
    assert_licence((struct slice){text, len}, "MIT");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_prose),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_long_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
