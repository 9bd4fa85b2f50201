/* SPDX-License-Identifier: Apache-2.0 */
/* rpmdb.sqlite: a table of three pages with a row that goes on in a fourth, sound and damaged. */
#include "inventory/reading.h"

#include "support/rpm_make.h"

#define PATH "var/lib/rpm/rpmdb.sqlite"

static struct slice make(struct sqlite_make *db)
{
    struct buf small = BUF_INIT(4096), large = BUF_INIT(4096);

    put_rpm_package(&small, "small", 0);
    put_rpm_package(&large, "large", 500);
    make_sqlite(db, buf_slice(&small), buf_slice(&large));
    buf_release(&small);
    buf_release(&large);
    return sqlite_bytes(db);
}

static void test_packages(void **state)
{
    struct inventory inventory;
    struct sqlite_make db;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    assert_ok(read_as(PATH, make(&db), &inventory, &err));
    assert_packages(&inventory, "small 1-2 noarch - - -\nlarge 1-2 noarch - - -\n");
    inventory_release(&inventory);
    memset(db.pages[1], 0, MAKE_PAGE);
    db.pages[1][0] = 13;
    assert_ok(read_as(PATH, sqlite_bytes(&db), &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
}

/* The file alone has no table; the log beside it brings every page. */
static void test_log(void **state)
{
    static const uint32_t frames[] = {1, 2, 3, 4, 5};
    struct buf wal = BUF_INIT(1 << 20);
    struct sqlite_make db, before = {.count = 1};
    struct inventory inventory;
    struct err err = {0};
    struct blob content, beside;
    const struct inventory_file file = {SLICE(PATH), &content, &beside};

    (void)state;
    make(&db);
    make_wal(&wal, &db, frames, 5, false);
    memcpy(before.pages[0], db.pages[0], 100);
    set_be(before.pages[0] + 28, 1, 4);
    before.pages[0][100] = 13;
    refuse(PATH, sqlite_bytes(&before), ERR_FORMAT, PATH ": the database has no table Packages");
    content = blob_of_memory(sqlite_bytes(&before), PATH);
    beside = blob_of_memory(buf_slice(&wal), PATH "-wal");
    inventory_init(&inventory);
    assert_ok(inventory_reader_for(SLICE(PATH))->read(&file, &inventory, &err));
    assert_packages(&inventory, "small 1-2 noarch - - -\nlarge 1-2 noarch - - -\n");
    inventory_release(&inventory);
    buf_release(&wal);
}

static void test_loops(void **state)
{
    struct sqlite_make db;
    unsigned char *cell;

    (void)state;
    make(&db);
    set_be(db.pages[1] + 8, 2, 4);
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": a table of the database uses page 3 more than once");
    set_be(db.pages[1] + 8, 3, 4); /* two ways to one leaf: caught once there are more than pages */
    set_be(db.pages[1] + 3, 3, 2);
    for (unsigned i = 0; i < 3; i++)
        set_be(db.pages[1] + 12 + 2 * (size_t)i, MAKE_PAGE - 5, 2);
    set_be(db.pages[0] + 28, 4, 4);
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": a table of the database uses page 3 more than once");
    make(&db);
    set_be(db.pages[4], 5, 4);
    cell = db.pages[3] + (get_be32(db.pages[3] + 8) >> 16);
    put_varint(cell, (size_t)(cell[0] & 0x7f) * 128 + cell[1] + 4 * (MAKE_PAGE - 4));
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": a table of the database uses page 5 more than once");
}

static void test_pages(void **state)
{
    struct sqlite_make db;

    (void)state;
    make(&db);
    set_be(db.pages[2] + 3, 300, 2);
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": the database's page 3 says that it has 300 cells");
    make(&db);
    set_be(db.pages[2] + 8, 9, 2);
    refuse(
        PATH, sqlite_bytes(&db), ERR_FORMAT, PATH ": the database's page 3 has cell 0 at byte 9");
    set_be(db.pages[2] + 8, 511, 2);
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": cell 0 of the database's page 3 does not end in it");
    db.pages[2][0] = 10;
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": the database's page 3 is of kind 10, and should be part of a table");
    set_be(db.pages[1] + MAKE_PAGE - 5, 6, 4);
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT, PATH ": the database has no page 6 of 5");
}

/* A leaf with the same cell eight times. */
static void test_cells_over_each_other(void **state)
{
    struct sqlite_make db;

    (void)state;
    make(&db);
    set_be(db.pages[2] + 3, 8, 2);
    for (unsigned i = 1; i < 8; i++)
        memcpy(db.pages[2] + 8 + 2 * (size_t)i, db.pages[2] + 8, 2);
    refuse(PATH, sqlite_bytes(&db), ERR_FORMAT,
        PATH ": the cells of the database's page 3 lie over each other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_cells_over_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
