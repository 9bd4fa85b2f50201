/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of Berkeley DB in both byte orders, sound and damaged. */
#include "inventory/reading.h"

#include "support/rpm_make.h"

#define PATH "usr/lib/sysimage/rpm/Packages"

static struct slice make(struct bdb_make *bdb, bool big_endian)
{
    struct buf small = BUF_INIT(4096), large = BUF_INIT(4096);

    put_rpm_package(&small, "small", 0);
    put_rpm_package(&large, "large", 500);
    make_bdb(bdb, big_endian, buf_slice(&small), buf_slice(&large));
    buf_release(&small);
    buf_release(&large);
    return bdb_bytes(bdb);
}

static void test_packages(void **state)
{
    struct inventory inventory;
    struct bdb_make bdb;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    for (int big_endian = 0; big_endian < 2; big_endian++) {
        assert_ok(read_as(PATH, make(&bdb, big_endian), &inventory, &err));
        assert_packages(&inventory, "small 1-2 noarch - - -\nlarge 1-2 noarch - - -\n");
        inventory_release(&inventory);
    }
    bdb_page(&bdb, 1, 13, 0, 0);
    bdb_page(&bdb, 2, 2, 0, 0);
    assert_ok(read_as(PATH, bdb_bytes(&bdb), &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
}

static void test_loops(void **state)
{
    struct bdb_make bdb;

    (void)state;
    make(&bdb, false);
    bdb_page(&bdb, 2, 2, 0, 2);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT, PATH ": the database uses page 2 more than once");
    make(&bdb, true);
    bdb_set(&bdb, bdb.pages[3] + 22, 0, 2);
    bdb_page(&bdb, 3, 7, 1, 3);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT,
        PATH ": pair 0 of the database's page 2: the database uses page 3 more than once");
}

static void test_pages(void **state)
{
    struct bdb_make bdb;

    (void)state;
    make(&bdb, false);
    refuse(PATH, slice_sub(bdb_bytes(&bdb), 0, 4 * MAKE_PAGE), ERR_FORMAT,
        PATH ": the database says that it has 1 buckets and 4 pages of 512 bytes, in 2048 bytes");
    bdb_page(&bdb, 4, 13, 0, 0);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT,
        PATH ": pair 0 of the database's page 2: page 4 of the database is of kind 13 with 120 "
             "bytes, and should go on with a package of 606");
    bdb_page(&bdb, 2, 2, 3, 0);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT,
        PATH ": page 2 of the database is of kind 2 with 3 items, and should be part of a hash");
    bdb_set(&bdb, bdb.pages[2] + 8, 9, 4);
    refuse(
        PATH, bdb_bytes(&bdb), ERR_FORMAT, PATH ": page 2 of the database says that it is page 9");
    bdb_set(&bdb, bdb.pages[0] + 100, 100, 4);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT, PATH ": the database has no page 101 of 4");
}

static void test_items(void **state)
{
    struct bdb_make bdb;

    (void)state;
    make(&bdb, false);
    bdb_set(&bdb, bdb.pages[2] + 26, 10, 2);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT,
        PATH ": pair 0 of the database's page 2: item 0 of the database's page 2 is at bytes 10 to "
             "512");
    bdb_set(&bdb, bdb.pages[2] + 26, 507, 2);
    bdb_set(&bdb, bdb.pages[2] + 28, 507, 2);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT,
        PATH
        ": pair 0 of the database's page 2: item 1 of the database's page 2 is at bytes 507 to "
        "507");
    bdb_set(&bdb, bdb.pages[2] + 28, 496, 2);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT,
        PATH ": pair 0 of the database's page 2: a package is an item of kind 0 with 11 bytes");
    bdb_set(&bdb, bdb.pages[2] + 28, 495, 2);
    bdb_set(&bdb, bdb.pages[2] + 503, 0xffffffff, 4);
    refuse(PATH, bdb_bytes(&bdb), ERR_LIMIT,
        PATH
        ": pair 0 of the database's page 2: a package of the database is larger than the limit "
        "of 33554432 bytes");
}

static void test_kinds(void **state)
{
    struct bdb_make bdb;

    (void)state;
    make(&bdb, true);
    bdb.pages[0][26] = 1;
    refuse(PATH, bdb_bytes(&bdb), ERR_UNSUPPORTED,
        PATH ": the database of Berkeley DB is encrypted or has checksums, which rpm's never is");
    bdb_set(&bdb, bdb.pages[0] + 16, 7, 4);
    refuse(PATH, bdb_bytes(&bdb), ERR_UNSUPPORTED,
        PATH ": the database is a hash of version 7 of Berkeley DB, and 8 to 10 are read");
    bdb_set(&bdb, bdb.pages[0] + 12, 0x00053162, 4);
    refuse(PATH, bdb_bytes(&bdb), ERR_UNSUPPORTED,
        PATH ": the database is a b-tree of Berkeley DB, and rpm's packages stand in a hash");
    bdb_set(&bdb, bdb.pages[0] + 12, 1, 4);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT, PATH ": it is no database of Berkeley DB");
    make(&bdb, true);
    bdb_set(&bdb, bdb.pages[0] + 20, 513, 4);
    refuse(PATH, bdb_bytes(&bdb), ERR_FORMAT, PATH ": the database's pages have 513 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
