/* SPDX-License-Identifier: Apache-2.0 */
/* Records of extended headers, and the maps of sparse files in them. */
#include "unit.h"

#include "image/tar_pax.h"

static int read_pax(struct slice text, struct tar_pax *pax, struct tar_parts *parts)
{
    struct err err = {ERR_NONE, ""};

    return tar_pax_read(text, pax, parts, &err) == 0 ? (int)ERR_NONE : (int)err.code;
}

static void test_records(void **state)
{
    struct tar_parts parts = {0};
    struct tar_pax pax;

    (void)state;
    assert_int_equal(read_pax(SLICE("8 path=\n"
                                    "10 path=a\n"
                                    "15 linkpath=b\n\n"
                                    "11 size=12\n"
                                    "9 other=\n"
                                    "12 mtime=1.\n"),
                         &pax, &parts),
        ERR_NONE);
    assert_slice(pax.path, "a");
    assert_slice(pax.linkpath, "b\n");
    assert_true(pax.has_size);
    assert_int_equal(pax.size, 12);
    assert_int_equal(pax.sparse, TAR_SPARSE_NONE);
    /* The last one counts, and one without a value does not. */
    assert_int_equal(
        read_pax(SLICE("10 path=a\n10 path=b\n10 size=1\n8 size=\n"), &pax, &parts), ERR_NONE);
    assert_slice(pax.path, "b");
    assert_false(pax.has_size);
    assert_int_equal(read_pax(SLICE_NONE, &pax, &parts), ERR_NONE);
}

static void test_damaged(void **state)
{
    static const char *const texts[] = {"x", "1", " ", "9", "9 path=a", "10 path=a", "11 path=a\n",
        "8 path=a\n", "0 path=a\n", "2 \n", "3 \n", "4 =\n", "5 =a\n", "7 path\n", "-10 path=a\n",
        "99999999999999999999999 path=a\n", "11 size=1x\n", "12 size=-1\n",
        "29 size=99999999999999999999\n", "10 path=a\n10 path=b"};
    struct tar_parts parts = {0};
    struct tar_pax pax;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (read_pax(slice_of(texts[i]), &pax, &parts) != ERR_FORMAT)
            fail_msg("\"%s\" was taken", texts[i]);
    assert_int_equal(read_pax(SLICE("11 path=\0a\n"), &pax, &parts), ERR_FORMAT);
    assert_int_equal(read_pax(SLICE("11 pa\0th=a\n"), &pax, &parts), ERR_FORMAT);
}

static void test_sparse(void **state)
{
    struct tar_parts parts = {0};
    struct tar_pax pax;

    (void)state;
    assert_int_equal(read_pax(SLICE("22 GNU.sparse.size=10\n"
                                    "23 GNU.sparse.offset=1\n"
                                    "25 GNU.sparse.numbytes=2\n"
                                    "23 GNU.sparse.offset=5\n"
                                    "25 GNU.sparse.numbytes=3\n"),
                         &pax, &parts),
        ERR_NONE);
    assert_int_equal(pax.sparse, TAR_SPARSE_MAP);
    assert_int_equal(parts.count, 2);
    assert_int_equal(parts.at[1].offset, 5);
    assert_int_equal(parts.at[1].size, 3);
    assert_true(tar_parts_fit(&parts, 10, 5));
    assert_int_equal(read_pax(SLICE("22 GNU.sparse.size=10\n"
                                    "22 GNU.sparse.name=ab\n"
                                    "26 GNU.sparse.map=1,2,5,3\n"),
                         &pax, &parts),
        ERR_NONE);
    assert_slice(pax.path, "ab");
    assert_int_equal(parts.count, 2);
    assert_int_equal(read_pax(SLICE("22 GNU.sparse.major=1\n"
                                    "22 GNU.sparse.minor=0\n"
                                    "26 GNU.sparse.realsize=10\n"),
                         &pax, &parts),
        ERR_NONE);
    assert_int_equal(pax.sparse, TAR_SPARSE_DATA);
    assert_int_equal(pax.real_size, 10);
    assert_int_equal(parts.count, 0);
    assert_int_equal(
        read_pax(SLICE("22 GNU.sparse.major=2\n22 GNU.sparse.minor=0\n"), &pax, &parts),
        ERR_UNSUPPORTED);
    /* No size; an offset without its size; a size without its offset. */
    assert_int_equal(read_pax(SLICE("26 GNU.sparse.map=1,2,5,3\n"), &pax, &parts), ERR_FORMAT);
    assert_int_equal(
        read_pax(SLICE("22 GNU.sparse.size=10\n23 GNU.sparse.offset=1\n"), &pax, &parts),
        ERR_FORMAT);
    assert_int_equal(
        read_pax(SLICE("22 GNU.sparse.size=10\n25 GNU.sparse.numbytes=1\n"), &pax, &parts),
        ERR_FORMAT);
    assert_int_equal(
        read_pax(SLICE("22 GNU.sparse.size=10\n24 GNU.sparse.map=1,2,5\n"), &pax, &parts),
        ERR_FORMAT);
    tar_parts_release(&parts);
}

static void test_parts(void **state)
{
    struct tar_part at[] = {{0, 5}, {5, 0}, {8, 2}};
    struct tar_parts parts = {at, 3, 3};

    (void)state;
    assert_true(tar_parts_fit(&parts, 10, 7));
    assert_false(tar_parts_fit(&parts, 10, 8));
    assert_false(tar_parts_fit(&parts, 9, 7));
    at[1].offset = 4;
    assert_false(tar_parts_fit(&parts, 10, 7));
    at[1] = (struct tar_part){5, UINT64_MAX};
    assert_false(tar_parts_fit(&parts, 10, 6));
    parts.count = 0;
    assert_true(tar_parts_fit(&parts, 10, 0));
}

static void test_global(void **state)
{
    struct err err;

    (void)state;
    assert_ok(tar_pax_check_global(SLICE("13 comment=x\n"), &err));
    assert_ok(tar_pax_check_global(SLICE_NONE, &err));
    assert_int_equal(tar_pax_check_global(SLICE("13 comment=x\n10 path=a\n"), &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_int_equal(tar_pax_check_global(SLICE("22 GNU.sparse.major=1\n"), &err), -1);
    assert_int_equal(tar_pax_check_global(SLICE("12 comment=x\n"), &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_global),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
