/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by the name of a package: many variants of one vulnerability, and names that come and go.
 * (Against a model: property_test.c.) */
#include "unit.h"

#include "index/index.h"

enum { VULN = 4, MANY = 700 };

static struct err err;

static void put(struct index *index, uint32_t number, const uint32_t *names, uint32_t count)
{
    const struct index_finding finding = {.vuln = VULN, .names = names, .name_count = count};
    struct image image = {.number = number};

    (void)snprintf(image.id, sizeof(image.id), "id-%u", number);
    assert_ok(index_put(index, &image, &finding, 1, &err));
}

static uint64_t rows_of(const struct index *index, uint32_t name)
{
    struct index_query query = {.scope = {.type = -1},
        .codes = INDEX_ALL_CODES,
        .by_package = true,
        .package = name,
        .limit = 1};
    struct index_page page;

    assert_ok(index_query(index, &query, &page, &err));
    return page.total;
}

static void assert_names(
    const struct index *index, uint32_t number, const uint32_t *names, uint32_t count)
{
    const uint32_t *found;

    assert_int_equal(index_names(index, number, VULN, &found), count);
    assert_memory_equal(found, names, count * sizeof(*names));
}

/* More variants than a byte can tell apart, put in any order and taken out again. */
static void test_many_variants(void **state)
{
    struct index *index = index_new(&err);

    (void)state;
    assert_non_null(index);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t names[] = {i * 11 % MANY, MANY};

        put(index, i * 331 % MANY, names, i % 2 ? 2 : 1);
    }
    assert_null(index_validate(index));
    assert_int_equal(rows_of(index, MANY), MANY / 2);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t names[] = {i * 11 % MANY, MANY};

        assert_int_equal(rows_of(index, names[0]), 1);
        assert_names(index, i * 331 % MANY, names, i % 2 ? 2 : 1);
    }
    for (uint32_t i = 0; i < MANY - 1; i++) {
        index_remove(index, i * 17 % MANY);
        if (i % 50 == 0)
            assert_null(index_validate(index));
    }
    assert_null(index_validate(index));
    assert_int_equal(rows_of(index, MANY + 1), 0);
    index_free(index);
}

/* Only the names of a row change, its code does not. */
static void test_names_change(void **state)
{
    static const uint32_t names[] = {3, 5, 9};
    struct index *index = index_new(&err);

    (void)state;
    assert_non_null(index);
    put(index, 1, names, 1);
    put(index, 2, names, 1);
    assert_int_equal(rows_of(index, 3), 2);
    put(index, 1, names + 1, 2);
    assert_null(index_validate(index));
    assert_int_equal(rows_of(index, 3), 1);
    assert_int_equal(rows_of(index, 9), 1);
    put(index, 2, NULL, 0);
    assert_null(index_validate(index));
    assert_int_equal(rows_of(index, 3), 0);
    assert_names(index, 1, names + 1, 2);
    assert_names(index, 2, names, 0);
    index_remove(index, 1);
    assert_null(index_validate(index));
    assert_int_equal(rows_of(index, 5), 0);
    index_free(index);
}

static void test_wrong_names(void **state)
{
    static const uint32_t wrong[][2] = {{5, 3}, {4, 4}, {1, UINT32_C(1) << 31}};
    struct index *index = index_new(&err);
    struct image image = {.number = 1};

    (void)state;
    assert_non_null(index);
    for (size_t i = 0; i < 3; i++) {
        const struct index_finding finding = {.vuln = VULN, .names = wrong[i], .name_count = 2};

        assert_int_equal(index_put(index, &image, &finding, 1, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_variants),
        cmocka_unit_test(test_names_change),
        cmocka_unit_test(test_wrong_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
