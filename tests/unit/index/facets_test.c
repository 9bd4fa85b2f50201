/* SPDX-License-Identifier: Apache-2.0 */
/* Facets of more values than are shown, and of nothing. (Against a model: property_test.c.) */
#include "unit.h"

#include "index/index.h"

enum { VALUES = INDEX_FACET_VALUES + 30 };

static struct err err;
static struct index_facets facets;

static const struct index_query all = {
    .scope = {.type = -1}, .codes = INDEX_ALL_CODES, .limit = 10};

/* Cluster i has 1 + i % 7 images with one row each, and 3 containers an image. */
static struct index *many_clusters(void)
{
    struct index *index = index_new(&err);
    uint32_t number = 0;

    assert_non_null(index);
    for (unsigned i = 0; i < VALUES; i++)
        for (unsigned j = 0; j < 1 + i % 7; j++) {
            const struct index_finding finding = {.vuln = (i % 5) * 2};
            struct image image = {.number = ++number};
            char name[16];

            (void)snprintf(image.id, sizeof(image.id), "id-%u", number);
            (void)snprintf(name, sizeof(name), "c-%03u", i);
            image.place.cluster_id = slice_of(name);
            image.place.containers = 3;
            assert_ok(index_put(index, &image, &finding, 1, &err));
        }
    return index;
}

static void test_most_rows_first(void **state)
{
    const struct index_facet *clusters = &facets.by_value[INDEX_FACET_CLUSTER_ID];
    struct index *index = many_clusters();

    (void)state;
    assert_ok(index_facets(index, &all, &facets, &err));
    assert_int_equal(facets.rows, facets.images);
    assert_int_equal(facets.containers, facets.images * 3);
    assert_int_equal(facets.vulns, 5);
    assert_int_equal(clusters->values, VALUES);
    assert_int_equal(clusters->count, INDEX_FACET_VALUES);
    assert_slice(clusters->at[0].text, "c-006");
    assert_int_equal(clusters->at[0].rows, 7);
    assert_slice(clusters->at[1].text, "c-013");
    for (size_t i = 1; i < clusters->count; i++)
        assert_true(clusters->at[i].rows <= clusters->at[i - 1].rows);
    assert_int_equal(facets.by_value[INDEX_FACET_REGISTRY_NAME].values, 0); /* all are empty */
    index_free(index);
}

static void test_nothing(void **state)
{
    struct index *index = index_new(&err);
    struct index_query query = all;

    (void)state;
    assert_non_null(index);
    assert_ok(index_facets(index, &query, &facets, &err));
    assert_int_equal(facets.rows + facets.images + facets.vulns + facets.containers, 0);
    index_free(index);
    index = many_clusters();
    query.scope.cluster_id = SLICE("none");
    assert_ok(index_facets(index, &query, &facets, &err));
    assert_int_equal(facets.rows + facets.images + facets.vulns + facets.containers, 0);
    assert_int_equal(facets.by_value[INDEX_FACET_CLUSTER_ID].values, 0);
    query.scope.cluster_id = SLICE("c-006");
    query.by_package = true;
    assert_ok(index_facets(index, &query, &facets, &err));
    assert_int_equal(facets.rows + facets.images + facets.vulns, 0);
    index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_most_rows_first),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
