/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of rpm, and what becomes of their texts. */
#include "inventory/reading.h"

#include "inventory/rpm.h"
#include "support/rpm_make.h"

#define COUNT(entries) (sizeof(entries) / sizeof((entries)[0]))

static const struct make_entry bash[] = {{61, 6, "region", 0}, {1000, 6, "bash", 0},
    {1001, 6, "5.1.8", 0}, {1002, 6, "6.el9", 0}, {1003, 4, NULL, 3}, {1014, 9, "GPLv3+", 0},
    {1022, 6, "x86_64", 0}, {1044, 6, "shell-5.1-6.el9.src.rpm", 0}, {5096, 6, "bash:5:1:2", 0}};

static void test_all_fields(void **state)
{
    struct buf header = BUF_INIT(4096);
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    put_rpm_header(&header, bash, COUNT(bash));
    assert_ok(rpm_header_add(buf_slice(&header), &inventory, &err));
    assert_packages(&inventory, "bash 3:5.1.8-6.el9 x86_64 shell 3:5.1-6.el9 GPLv3+\n");
    assert_slice(inventory.packages[0].package.module, "bash:5:1:2");
    assert_slice(inventory.packages[0].package.ecosystem, "rpm");
    inventory_release(&inventory);
    buf_release(&header);
}

/* What rpm adds behind the region stands for what is in it, which is not even looked at. */
static void test_last_one_wins(void **state)
{
    static const struct make_entry entries[] = {{1000, 6, "old", 0}, {1000, 4, NULL, 1},
        {1001, 6, "1", 0}, {1002, 6, "1", 0}, {1003, 4, NULL, 7}, {1000, 6, "new", 0},
        {1003, 4, NULL, 0}};
    struct buf header = BUF_INIT(4096);
    struct inventory inventory;
    struct err err = {0};

    (void)state;
    inventory_init(&inventory);
    put_rpm_header(&header, entries, COUNT(entries));
    assert_ok(rpm_header_add(buf_slice(&header), &inventory, &err));
    assert_packages(&inventory, "new 1-1 - - - -\n");
    inventory_release(&inventory);
    buf_release(&header);
}

static void refuse_header(struct slice header, enum err_code code, const char *message)
{
    struct inventory inventory;
    struct err err = {0};

    inventory_init(&inventory);
    assert_int_equal(rpm_header_add(header, &inventory, &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
    assert_int_equal(inventory.package_count, 0);
    inventory_release(&inventory);
}

static void test_damage(void **state)
{
    static const struct make_entry entries[] = {
        {1000, 6, "a", 0}, {1001, 6, "1", 0}, {1003, 4, NULL, 1}};
    struct buf header = BUF_INIT(4096);
    unsigned char *p;

    (void)state;
    put_rpm_header(&header, entries, COUNT(entries));
    p = (unsigned char *)header.data;
    refuse_header(slice_sub(buf_slice(&header), 0, 7), ERR_FORMAT,
        "an rpm header is cut short after 7 bytes");
    refuse_header(slice_sub(buf_slice(&header), 0, header.len - 1), ERR_FORMAT,
        "an rpm header of 63 bytes says that it has 3 entries and 8 bytes of data");
    set_be(p, 0xffffffff, 4);
    refuse_header(buf_slice(&header), ERR_FORMAT,
        "an rpm header of 64 bytes says that it has 4294967295 entries and 8 bytes of data");
    set_be(p, 3, 4);
    set_be(p + 8 + 8, 0x80000000, 4);
    refuse_header(buf_slice(&header), ERR_FORMAT,
        "an rpm header's NAME, at 2147483648 of 8 bytes of data, does not end there");
    set_be(p + 8 + 8, 7, 4);
    p[header.len - 1] = 'x';
    refuse_header(buf_slice(&header), ERR_FORMAT,
        "an rpm header's NAME, at 7 of 8 bytes of data, does not end there");
    set_be(p + 8 + 8, 0, 4);
    set_be(p + 8 + 4, 4, 4);
    refuse_header(buf_slice(&header), ERR_FORMAT, "an rpm header's NAME is no text but of type 4");
    set_be(p + 8 + 4, 6, 4);
    set_be(p + 40 + 8, 5, 4);
    refuse_header(buf_slice(&header), ERR_FORMAT,
        "an rpm header's EPOCH (type 4, at 5 of 8 bytes of data) is no number of 32 bits");
    set_be(p + 40 + 8, 4, 4);
    set_be(p + 8, 1005, 4);
    refuse_header(buf_slice(&header), ERR_INVALID, "package name is empty");
    buf_release(&header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_last_one_wins),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
