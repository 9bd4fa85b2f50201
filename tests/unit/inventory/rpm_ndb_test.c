/* SPDX-License-Identifier: Apache-2.0 */
/* Packages.db, sound and damaged. */
#include "inventory/reading.h"

#include "support/rpm_make.h"

#define PATH "var/lib/rpm/Packages.db"

/* Two packages; the slot of the first is at byte 32, its blob at block 256. */
static unsigned char *make_two(struct buf *out)
{
    struct buf first = BUF_INIT(4096), second = BUF_INIT(4096);
    struct slice headers[2];

    put_rpm_package(&first, "first", 0);
    put_rpm_package(&second, "second", 100);
    headers[0] = buf_slice(&first);
    headers[1] = buf_slice(&second);
    buf_clear(out);
    make_ndb(out, headers, 2);
    buf_release(&first);
    buf_release(&second);
    return (unsigned char *)out->data;
}

static void test_packages(void **state)
{
    struct buf file = BUF_INIT(1 << 20);
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    make_two(&file);
    assert_ok(read_as(PATH, buf_slice(&file), &inventory, &err));
    assert_packages(&inventory, "first 1-2 noarch - - -\nsecond 1-2 noarch - - -\n");
    inventory_release(&inventory);
    buf_clear(&file);
    make_ndb(&file, NULL, 0);
    assert_ok(read_as(PATH, buf_slice(&file), &inventory, &err));
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
    buf_release(&file);
}

static void test_slots(void **state)
{
    struct buf file = BUF_INIT(1 << 20);
    unsigned char *p = make_two(&file);

    (void)state;
    refuse(PATH, SLICE(""), ERR_FORMAT,
        PATH ": " PATH " ends at byte 0, in the middle of 32 bytes from byte 0");
    set_slot(p + 48, 2, 257, get_le32(p + 48 + 12));
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": packages 1 and 2 of the rpm database lie over each other");
    set_slot(p + 48, 2, 0xffffffff, 0xffffffff);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": package 2 of the rpm database has 4294967295 blocks at 4294967295, outside of 256 "
             "to 280");
    set_slot(p + 48, 2, 2, 4);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": package 2 of the rpm database has 4 blocks at 2, outside of 256 to 280");
    p[64] = 'x';
    set_slot(p + 48, 0, 0, 0);
    refuse(PATH, buf_slice(&file), ERR_FORMAT, PATH ": the rpm database has no slot at byte 64");
    p = make_two(&file);
    set_le(p + 12, 2, 4);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": the rpm database says that it has 2 pages of slots, in 4480 bytes");
    set_le(p + 4, 1, 4);
    refuse(PATH, buf_slice(&file), ERR_UNSUPPORTED,
        PATH ": the rpm database (ndb) is of version 1, and only 0 is read");
    p[0] = 'x';
    refuse(PATH, buf_slice(&file), ERR_FORMAT, PATH ": it is no rpm database (ndb)");
    buf_release(&file);
}

static void test_blobs(void **state)
{
    struct buf file = BUF_INIT(1 << 20);
    unsigned char *p = make_two(&file), *blob = p + NDB_PAGE;
    uint32_t blocks = get_le32(p + 32 + 12);

    (void)state;
    blob[40] ^= 1;
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": package 1 of the rpm database: its checksum does not fit; it begins at block 256");
    set_le(blob + 12, 0xfffffff0, 4);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH
        ": package 1 of the rpm database: its header does not end in its last block; it begins "
        "at block 256");
    set_le(blob + 4, 7, 4);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": package 1 of the rpm database: its header does not begin at block 256");
    set_slot(p + 32, 1, 256, 1);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": package 1 of the rpm database: too few bytes at block 256");
    p = make_two(&file);
    blob = p + NDB_PAGE;
    set_be(blob + 16, 77, 4);
    set_le(blob + 16 * (size_t)blocks - 12, make_adler32(blob, 16 * (size_t)blocks - 12), 4);
    refuse(PATH, buf_slice(&file), ERR_FORMAT,
        PATH ": package 1 of the rpm database: an rpm header of 106 bytes says that it has 77 "
             "entries and 18 bytes of data");
    buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_blobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
