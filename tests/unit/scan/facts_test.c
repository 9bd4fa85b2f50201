/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/make_facts.h"

#include "base/limits.h"

static int setup(void **state)
{
    struct layer_facts *facts = calloc(1, sizeof(*facts));

    layer_facts_init(facts);
    *state = facts;
    return 0;
}

static int teardown(void **state)
{
    layer_facts_release(*state);
    free(*state);
    return 0;
}

static void test_order_of_paths(void **state)
{
    static const char *const ordered[] = {"", "a", "a/b", "a/b/c", "a/c", "a!b", "a-b", "b"};

    (void)state;
    for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++)
        for (size_t k = 0; k < sizeof(ordered) / sizeof(ordered[0]); k++)
            assert_int_equal(layer_facts_compare_paths(slice_of(ordered[i]), slice_of(ordered[k])),
                (i > k) - (i < k));
}

/* "F path" for each that is left */
static void assert_left(const struct layer_facts *facts, const char *expected)
{
    static const char letters[] = {'F', 'B', 'L', 'C', 'D', 'H', 'O'};
    struct buf text CLEANUP(buf_release) = BUF_INIT(4096);

    for (size_t i = 0; i < facts->count; i++)
        buf_printf(&text, "%s%c %.*s", i ? ", " : "", letters[facts->at[i].kind],
            SLICE_FMT(facts->at[i].path));
    assert_slice(buf_slice(&text), expected);
}

static void test_the_last_at_a_place_stands(void **state)
{
    struct layer_facts *facts = *state;

    add_file(facts, STATUS, "old 1");
    add_file(facts, STATUS, "new 2");
    add_plain(facts, FACT_HIDDEN, STATUS);
    layer_facts_settle(facts);
    assert_left(facts, "H " STATUS ", F " STATUS);
    assert_true(slice_contains(facts->at[1].payload, SLICE("new")));
}

static void test_what_is_no_folder_removes_what_was_below(void **state)
{
    struct layer_facts *facts = *state;

    add_file(facts, STATUS, "old 1");
    add_link(facts, "var/lib/dpkg", "/opt");
    layer_facts_settle(facts);
    assert_left(facts, "L var/lib/dpkg");
    add_plain(facts, FACT_FOLDER, "var/lib/dpkg"); /* a link made way for a folder */
    add_file(facts, STATUS, "new 1");
    layer_facts_settle(facts);
    assert_left(facts, "D var/lib/dpkg, F " STATUS);
    add_plain(facts, FACT_COVER, "var");
    layer_facts_settle(facts);
    assert_left(facts, "C var");
}

static void test_folders_and_whiteouts_remove_nothing(void **state)
{
    struct layer_facts *facts = *state;

    add_file(facts, STATUS, "a 1");
    add_plain(facts, FACT_FOLDER, "var");
    add_plain(facts, FACT_OPAQUE, "var/lib");
    add_plain(facts, FACT_HIDDEN, "var/lib/dpkg");
    layer_facts_settle(facts);
    assert_left(facts, "D var, O var/lib, H var/lib/dpkg, F " STATUS);
}

static void test_too_many(void **state)
{
    struct layer_facts *facts = *state;
    struct err err = {0};

    for (size_t i = 0; i < LIMIT_LAYER_FACTS; i++)
        add_plain(facts, FACT_COVER, "var");
    assert_int_equal(
        layer_facts_add(facts, &(struct fact){.kind = FACT_COVER, .path = SLICE("var")}, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    layer_facts_settle(facts);
    assert_int_equal(facts->count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_paths),
        cmocka_unit_test_setup_teardown(test_the_last_at_a_place_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_what_is_no_folder_removes_what_was_below, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders_and_whiteouts_remove_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
