/* SPDX-License-Identifier: Apache-2.0 */
/* Which files an import is given, and in which order. */
#include "unit.h"

#include "cli/inputs.h"
#include "files.h"

static struct inputs inputs;
static struct err err;

static int setup(void **state)
{
    inputs_init(&inputs);
    err = (struct err){0};
    return make_folder(state);
}

static int teardown(void **state)
{
    inputs_release(&inputs);
    return remove_folder(state);
}

/* The inputs are these names in the folder, in this order. */
static void check_names(const char *const *names, size_t count)
{
    assert_int_equal(inputs.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_slice(inputs.at[i], in_folder(names[i]));
        assert_int_equal(inputs.at[i].ptr[inputs.at[i].len], '\0');
    }
}

static void test_as_given(void **state)
{
    (void)state;
    write_file("any.name", "");
    assert_ok(inputs_add(&inputs, in_folder("any.name"), &err));
    assert_ok(inputs_add(&inputs, "-", &err));
    assert_ok(inputs_add(&inputs, "/no/such/file", &err)); /* found out when it is read */
    assert_ok(inputs_add(&inputs, in_folder("any.name"), &err));
    assert_int_equal(inputs.count, 4);
    assert_slice(inputs.at[1], "-");
    assert_slice(inputs.at[2], "/no/such/file");
    assert_true(slice_eq(inputs.at[0], inputs.at[3]));
}

static void test_folder(void **state)
{
    static const char *const expected[] = {
        "B.json", "a.json", "b.json.gz", "c/1.json", "c/d/2.json", "link.json", "z.json"};

    (void)state;
    make_dir("c");
    make_dir("c/d");
    make_dir("empty");
    make_dir(".hidden");
    make_dir("folder.json"); /* is walked, and has nothing */
    write_file("z.json", "");
    write_file("a.json", "");
    write_file("b.json.gz", "");
    write_file("B.json", "");
    write_file("c/1.json", "");
    write_file("c/d/2.json", "");
    write_file(".dot.json", "");
    write_file(".hidden/x.json", "");
    write_file("report.txt", "");
    write_file("json", "");
    write_file("a.JSON", "");
    assert_int_equal(symlink("a.json", in_folder("link.json")), 0);
    assert_int_equal(symlink("c", in_folder("linked")), 0);
    assert_int_equal(symlink("c", in_folder("linked.json")), 0);
    assert_int_equal(symlink("nowhere", in_folder("dangling.json")), 0);
    assert_int_equal(mkfifo(in_folder("fifo.json"), 0600), 0);
    assert_ok(inputs_add(&inputs, folder, &err));
    check_names(expected, sizeof(expected) / sizeof(expected[0]));
}

/* "reports/" and a link to it are the folder. */
static void test_spelling(void **state)
{
    static const char *const expected[] = {"r/a.json"};

    (void)state;
    make_dir("r");
    write_file("r/a.json", "");
    assert_ok(inputs_add(&inputs, in_folder("r/"), &err));
    check_names(expected, 1);
    assert_int_equal(symlink("r", in_folder("link")), 0);
    assert_ok(inputs_add(&inputs, in_folder("link"), &err));
    assert_slice(inputs.at[1], in_folder("link/a.json"));
}

static void test_empty(void **state)
{
    (void)state;
    write_file("a.txt", "");
    assert_int_equal(inputs_add(&inputs, folder, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, folder));
}

/* A chain of folders that is deeper than any of reports. */
static void test_depth(void **state)
{
    char path[512] = "d";

    (void)state;
    write_file("a.json", "");
    for (int i = 0; i < 70; i++) {
        make_dir(path);
        snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
    }
    assert_int_equal(inputs_add(&inputs, folder, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_given, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spelling, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
