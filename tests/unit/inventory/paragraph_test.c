/* SPDX-License-Identifier: Apache-2.0 */
/* A package's fields until its paragraph ends. */
#include "inventory/reading.h"

#include "inventory/paragraph.h"

static const struct blob nothing = {.bytes = (const unsigned char *)"", .name = "x"};
static const struct inventory_file file = {.path = SLICE_INIT("etc/x"), .content = &nothing};

/* A package x 1 with this source. */
static void assert_source(struct slice source, const char *name, const char *version)
{
    struct lines lines = {.file = &file, .number = 4};
    struct paragraph paragraph;
    struct inventory inventory;
    struct err err = {0};

    paragraph_init(&paragraph);
    inventory_init(&inventory);
    paragraph_begin(&paragraph, &lines);
    assert_ok(paragraph_put(&paragraph, &lines, FIELD_NAME, "Name", SLICE("x"), &err));
    assert_ok(paragraph_put(&paragraph, &lines, FIELD_VERSION, "Version", SLICE("1"), &err));
    assert_ok(paragraph_put(&paragraph, &lines, FIELD_SOURCE, "Source", source, &err));
    assert_ok(paragraph_end(&paragraph, &lines, &inventory, "deb", &err));
    assert_int_equal(inventory.package_count, 1);
    assert_slice(inventory.packages[0].package.source_name, name);
    assert_slice(inventory.packages[0].package.source_version, version);

    /* Another end without a paragraph adds nothing. */
    assert_ok(paragraph_end(&paragraph, &lines, &inventory, "deb", &err));
    assert_int_equal(inventory.package_count, 1);
    inventory_release(&inventory);
    paragraph_release(&paragraph);
}

static void test_sources(void **state)
{
    (void)state;
    assert_source(SLICE("glibc"), "glibc", "");
    assert_source(SLICE("glibc (2.36-9)"), "glibc", "2.36-9");
    assert_source(SLICE("glibc(0:2.36 )"), "glibc", "2.36");
    assert_source(SLICE("glibc (2.36"), "glibc", "2.36");
    assert_source(SLICE("glibc ()"), "glibc", "");
    assert_source(SLICE("glibc (1)"), "glibc", "");
    assert_source(SLICE("x (2)"), "", "2");
    assert_source(SLICE_NONE, "", "");
}

static void test_twice(void **state)
{
    struct lines lines = {.file = &file, .number = 4};
    struct paragraph paragraph;
    struct err err = {0};

    (void)state;
    paragraph_init(&paragraph);
    paragraph_begin(&paragraph, &lines);
    assert_ok(paragraph_put(&paragraph, &lines, FIELD_ARCH, "A:", SLICE_NONE, &err));
    lines.number = 6;
    paragraph_begin(&paragraph, &lines);
    assert_int_equal(paragraph_put(&paragraph, &lines, FIELD_ARCH, "A:", SLICE_NONE, &err), -1);
    assert_string_equal(err.message, "etc/x:6: a second A: of the package that starts in line 4");
    paragraph_clear(&paragraph);
    assert_ok(paragraph_put(&paragraph, &lines, FIELD_ARCH, "A:", SLICE_NONE, &err));
    paragraph_release(&paragraph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
