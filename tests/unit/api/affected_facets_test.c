/* SPDX-License-Identifier: Apache-2.0 */
/* Facets of closed vocabularies, added up from codes; and both members as JSON. */
#include "unit.h"

#include "api/affected_facets.h"

/* Three rows: two of High app_vul, one of them ignored; a Low linux_vul that can be fixed. */
static void make(struct index_facets *facets)
{
    struct index_facet *names = &facets->by_value[INDEX_FACET_REGISTRY_NAME];

    *facets = (struct index_facets){.rows = 3, .images = 2, .vulns = 3, .containers = 7};
    facets->by_code[index_code(NECESSITY_HIGH, VUL_APP, false, false, false)] = 1;
    facets->by_code[index_code(NECESSITY_HIGH, VUL_APP, false, true, true)] = 1;
    facets->by_code[index_code(NECESSITY_LOW, VUL_LINUX, true, false, false)] = 1;
    facets->by_image_type[IMAGE_CICD] = 1;
    facets->by_image_type[IMAGE_REGISTRY] = 2;
    names->values = 101;
    names->count = 1;
    names->at[0] = (struct index_facet_value){SLICE("r\"1"), 2};
}

static void put(struct buf *out, const struct index_facet *facet)
{
    for (size_t i = 0; i < facet->count; i++)
        buf_printf(out, "%s%.*s %llu", i ? ", " : "", SLICE_FMT(facet->at[i].text),
            (unsigned long long)facet->at[i].rows);
}

static void test_values(void **state)
{
    static const struct {
        const char *name, *values;
    } expected[AFFECTED_FACETS] = {
        {"repair_necessity", "High 2, Low 1"},
        {"type", "app_vul 2, linux_vul 1"},
        {"status", "vul_status_unfix 2, vul_status_ignored 1"},
        {"is_handled", "false 2, true 1"},
        {"fixable", "false 2, true 1"},
        {"image_type", "registry 2, cicd 1"},
        {"registry_type", ""},
        {"registry_name", "r\"1 2"},
        {"cluster_id", ""},
        {"enterprise_project_id", ""},
    };
    struct index_facets facets;

    (void)state;
    make(&facets);
    for (size_t i = 0; i < AFFECTED_FACETS; i++) {
        struct buf out = BUF_INIT(1024);
        struct index_facet room;
        const struct index_facet *facet = affected_facet(&facets, i, &room);

        assert_string_equal(affected_facet_name(i), expected[i].name);
        put(&out, facet);
        assert_slice(buf_slice(&out), expected[i].values);
        assert_int_equal(facet->values, i == 7 ? 101 : facet->count);
        buf_release(&out);
    }
}

/* As many rows: by their bytes, whatever the vocabulary's order. */
static void test_equal_rows(void **state)
{
    struct index_facets facets = {0};
    struct buf out = BUF_INIT(1024);
    struct index_facet room;

    (void)state;
    for (int i = 0; i < NECESSITY_COUNT; i++)
        facets.by_code[index_code((enum necessity)i, VUL_APP, false, false, false)] = 5;
    put(&out, affected_facet(&facets, 0, &room));
    assert_slice(buf_slice(&out), "Critical 5, High 5, Low 5, Medium 5");
    buf_release(&out);
}

static void check_json(unsigned include, const char *begins, const char *has)
{
    struct index_facets facets;
    struct buf out = BUF_INIT(65536);
    struct json_writer w;

    make(&facets);
    json_writer_init(&w, &out);
    json_write_begin_object(&w);
    affected_write_facets(&w, &facets, include);
    json_write_end_object(&w);
    if (!slice_starts_with(buf_slice(&out), begins) || !strstr(out.data, has))
        fail_msg("%.*s", SLICE_FMT(buf_slice(&out)));
    buf_release(&out);
}

static void test_json(void **state)
{
    static const char counts[] = "{\"counts\":{\"image_num\":2,\"vul_num\":3,\"container_num\":7}";

    (void)state;
    check_json(0, "{}", "{}");
    check_json(1 << INCLUDE_COUNTS, counts, "7}}");
    check_json(1 << INCLUDE_FACETS,
        "{\"facets\":{\"repair_necessity\":{\"value_num\":2,\"values\":["
        "{\"value\":\"High\",\"row_num\":2},{\"value\":\"Low\",\"row_num\":1}]},",
        "\"registry_name\":{\"value_num\":101,\"values\":[{\"value\":\"r\\\"1\",\"row_num\":2}]}");
    check_json(
        1 << INCLUDE_FACETS | 1 << INCLUDE_COUNTS, counts, "},\"facets\":{\"repair_necessity\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_equal_rows),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
