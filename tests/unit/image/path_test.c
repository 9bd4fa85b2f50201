/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning paths, whiteouts, and paths in messages. */
#include "unit.h"

#include "base/utf8.h"
#include "image/path.h"

static void expect_clean(const char *path, const char *clean)
{
    char dst[LIMIT_LAYER_PATH_BYTES];
    struct slice got;
    struct err err;

    assert_ok(path_clean(slice_of(path), dst, &got, &err));
    assert_slice(got, clean);
}

static void expect_refused(struct slice path, enum err_code code, const char *says)
{
    char dst[LIMIT_LAYER_PATH_BYTES];
    struct slice got = SLICE("untouched");
    struct err err;

    assert_int_equal(path_clean(path, dst, &got, &err), -1);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
    assert_slice(got, "untouched");
}

static void test_clean(void **state)
{
    (void)state;
    expect_clean("", "");
    expect_clean("/", "");
    expect_clean(".", "");
    expect_clean("./", "");
    expect_clean("a", "a");
    expect_clean("/a/b/", "a/b");
    expect_clean("./a//b/./c", "a/b/c");
    expect_clean("a/..", "");
    expect_clean("a/../b", "b");
    expect_clean("a/b/../../c/d/../e", "c/e");
    expect_clean("...", "...");
    expect_clean("..a/a..", "..a/a..");
    expect_clean("\xff\n", "\xff\n");
}

static void test_leaving(void **state)
{
    static const char *const paths[] = {"..", "../a", "/..", "a/../..", "a/../../a", "./.././a"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        expect_refused(slice_of(paths[i]), ERR_FORMAT, "leaves the root of the layer");
}

static void test_ceilings(void **state)
{
    char path[2 * LIMIT_LAYER_PATH_BYTES], dst[LIMIT_LAYER_PATH_BYTES];
    struct slice got;
    struct err err;

    (void)state;
    memset(path, 'a', sizeof(path));
    assert_ok(path_clean((struct slice){path, LIMIT_LAYER_PATH_BYTES}, dst, &got, &err));
    assert_int_equal(got.len, LIMIT_LAYER_PATH_BYTES);
    expect_refused((struct slice){path, LIMIT_LAYER_PATH_BYTES + 1}, ERR_LIMIT,
        "has more than the limit of 4096 bytes");
    for (size_t i = 1; i < sizeof(path); i += 2)
        path[i] = '/';
    assert_ok(path_clean((struct slice){path, 2 * LIMIT_LAYER_PATH_DEPTH}, dst, &got, &err));
    expect_refused((struct slice){path, 2 * LIMIT_LAYER_PATH_DEPTH + 1}, ERR_LIMIT,
        "has more than the limit of 512 parts");
}

static void test_parts(void **state)
{
    (void)state;
    assert_slice(path_folder(SLICE("a/b/c")), "a/b");
    assert_slice(path_base(SLICE("a/b/c")), "c");
    assert_slice(path_folder(SLICE("a")), "");
    assert_slice(path_base(SLICE("a")), "a");
    assert_slice(path_base(SLICE("")), "");
}

static void expect_mark(const char *path, enum path_mark mark, const char *of)
{
    char dst[LIMIT_LAYER_PATH_BYTES];
    enum path_mark got;
    struct slice hidden;
    struct err err;

    assert_ok(path_whiteout(slice_of(path), dst, &got, &hidden, &err));
    assert_int_equal(got, mark);
    assert_slice(hidden, of);
}

static void test_whiteouts(void **state)
{
    static const char *const nothing[] = {".wh.", "a/.wh.", "a/.wh..", "a/.wh..."};
    char dst[LIMIT_LAYER_PATH_BYTES];
    enum path_mark mark;
    struct slice hidden;
    struct err err;

    (void)state;
    expect_mark("a/b", PATH_PLAIN, "a/b");
    expect_mark(".wh", PATH_PLAIN, ".wh");
    expect_mark(".wh.a/b", PATH_PLAIN, ".wh.a/b");
    expect_mark(".wh.a", PATH_WHITEOUT, "a");
    expect_mark("a/b/.wh.c", PATH_WHITEOUT, "a/b/c");
    expect_mark("a/.wh..c", PATH_WHITEOUT, "a/.c");
    expect_mark("a/.wh.....", PATH_WHITEOUT, "a/....");
    expect_mark(".wh..wh..opq", PATH_OPAQUE, "");
    expect_mark("a/b/.wh..wh..opq", PATH_OPAQUE, "a/b");
    expect_mark("a/.wh..wh.plnk", PATH_IGNORED, "a");
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        assert_int_equal(path_whiteout(slice_of(nothing[i]), dst, &mark, &hidden, &err), -1);
        assert_int_equal(err.code, ERR_FORMAT);
    }
}

static void test_shown(void **state)
{
    char dst[PATH_SHOWN_BYTES], path[1000];

    (void)state;
    assert_string_equal(path_show(SLICE("a/b"), dst), "a/b");
    assert_string_equal(path_show(SLICE(""), dst), "");
    assert_true(utf8_is_line(slice_of(path_show(SLICE("\x1b[31m\xff\n"), dst))));
    memset(path, 'a', sizeof(path));
    path_show((struct slice){path, sizeof(path)}, dst);
    assert_true(slice_ends_with(slice_of(dst), "aaa..."));
    assert_true(strlen(dst) < PATH_SHOWN_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_whiteouts),
        cmocka_unit_test(test_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
