/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of distroless images. */
#include "inventory/reading.h"

#define PATH "var/lib/rpmmanifest/container-manifest-2"

static void test_manifest(void **state)
{
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as(PATH,
        SLICE("libs\t1-2\t9\t9\tMe\t(none)\t5\tx86_64\t0\tlib-1-2.src.rpm\n\n"
              "key\t3-4\t9\t9\t(none)\t2\t5\t(none)\t2\t(none)"),
        &inventory, &err));
    assert_packages(&inventory, "libs 1-2 x86_64 lib - -\nkey 2:3-4 - - - -\n");
    inventory_release(&inventory);
    refuse(PATH, SLICE("a\t1-2\t9\t9\tMe\t(none)\t5\tx86_64\tone\tlib-1-2.src.rpm\n"), ERR_FORMAT,
        PATH ":1: the epoch is \"one\", and should be a number of 32 bits");
    refuse(PATH, SLICE("\na\t1-2\t9\t9\tMe\t(none)\t5\tx86_64\t4294967296\t\n"), ERR_FORMAT,
        PATH ":2: the epoch is \"4294967296\", and should be a number of 32 bits");
    refuse(PATH, SLICE("a\n"), ERR_INVALID, PATH ":1: package a has no version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_manifest)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
