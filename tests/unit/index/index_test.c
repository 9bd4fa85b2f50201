/* SPDX-License-Identifier: Apache-2.0 */
/* The index by hand: each filter, each edge. (Against a model: property_test.c.) */
#include "unit.h"

#include "base/limits.h"
#include "index/index.h"
#include "model/vulnerability.h"

#define ALL INDEX_ALL_CODES

enum { CRITICAL_APP = 3, LOW_APP = 0, HIGH_LINUX = 2 | 4, IGNORED_APP = 16, HANDLED_APP = 32 };

#define BIT(code) ((uint64_t)1 << (code))
#define ROW(number, of_code, time_ms)                                   \
    {                                                                   \
        .vuln = (number), .code = (of_code), .first_scan_ms = (time_ms) \
    }

static struct err err;

/* --- Building --------------------------------------------------------------------------------- */

static struct image image_of(uint32_t number)
{
    struct image image = {
        .number = number,
        .place = {.enterprise_project = SLICE("0"),
            .type = IMAGE_REGISTRY,
            .registry_type = SLICE("Harbor"),
            .registry_name = SLICE("harbor"),
            .containers = -1,
            .multi_arch = -1},
        .name = SLICE("nginx"),
        .assessment = ASSESSMENT_FULL,
    };

    (void)snprintf(image.id, sizeof(image.id), "00000000-0000-5000-8000-%012u", number);
    return image;
}

static void put(struct index *index, const struct image *image,
    const struct index_finding *findings, size_t count)
{
    assert_ok(index_put(index, image, findings, count, &err));
    assert_null(index_validate(index));
}

/* Images 10, 20, 30, 40 with vulnerabilities 2 (app), 5 (linux) and 8 (app). */
static struct index *four_images(void)
{
    static const struct index_finding findings[] = {
        ROW(2, CRITICAL_APP, 100), ROW(5, HIGH_LINUX, 200), ROW(8, LOW_APP, 100)};
    struct index *index = index_new(&err);
    struct image image = image_of(10);

    assert_non_null(index);
    put(index, &image, findings, 3);
    image = image_of(20);
    image.name = SLICE("team/nginx-exporter");
    image.place.type = IMAGE_LOCAL;
    image.place.enterprise_project = SLICE("ep-1");
    image.place.containers = 7;
    put(index, &image, findings, 1);
    image = image_of(30);
    image.name = SLICE("redis");
    image.place.type = IMAGE_CLUSTER;
    image.place.cluster_id = SLICE("cluster-1");
    image.place.registry_name = SLICE("swr");
    image.place.registry_type = SLICE("SwrPrivate");
    image.place.containers = 2;
    image.assessment = ASSESSMENT_PARTLY;
    put(index, &image, findings + 1, 2);
    image = image_of(40);
    image.place.enterprise_project = SLICE("ep-2");
    put(index, &image, findings, 0);
    return index;
}

static struct index_query query_all(void)
{
    return (struct index_query){.scope = {.type = -1}, .codes = ALL, .limit = 10};
}

static struct index_page ask(const struct index *index, const struct index_query *query)
{
    struct index_page page;

    assert_ok(index_query(index, query, &page, &err));
    return page;
}

/* The page's rows as "image:vulnerability ...". */
static void assert_rows(const struct index_page *page, uint64_t total, const char *wanted)
{
    char text[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < page->count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u:%u", i ? " " : "",
            page->rows[i].image->number, page->rows[i].vuln);
    assert_string_equal(text, wanted);
    assert_int_equal(page->total, total);
}

static void assert_answer(
    const struct index *index, const struct index_query *query, uint64_t total, const char *wanted)
{
    struct index_page page = ask(index, query);

    assert_rows(&page, total, wanted);
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void test_empty_index(void **state)
{
    struct index *index = index_new(&err);
    struct index_query query = query_all();
    struct index_counts counts;
    struct index_size size;
    const uint32_t *vulns;
    const uint8_t *codes;

    (void)state;
    assert_answer(index, &query, 0, "");
    query.by_cursor = true;
    query.after_image = UINT32_MAX;
    assert_answer(index, &query, 0, "");
    query.by_vuln = true;
    query.vulns = (uint32_t[]){UINT32_MAX};
    query.vuln_count = 1;
    assert_answer(index, &query, 0, "");
    assert_ok(index_count(index, &query.scope, &counts, &err));
    assert_int_equal(counts.images, 0);
    assert_null(index_find(index, 0));
    assert_int_equal(index_findings(index, 3, &vulns, &codes), 0);
    index_remove(index, 3);
    index_size(index, &size);
    assert_int_equal(size.images + size.findings + size.vulns, 0);
    assert_null(index_validate(index));
    index_free(index);
    index_free(NULL);
}

static void test_everything_in_order(void **state)
{
    struct index *index = four_images();
    struct index_query query = query_all();
    struct index_page page = ask(index, &query);

    (void)state;
    assert_rows(&page, 6, "10:2 10:5 10:8 20:2 30:5 30:8");
    assert_false(page.more);
    assert_int_equal(page.rows[0].code, CRITICAL_APP);
    assert_int_equal(page.rows[0].first_scan_ms, 100);
    assert_int_equal(page.rows[1].code, HIGH_LINUX);
    assert_int_equal(page.rows[1].first_scan_ms, 200);
    assert_slice(page.rows[3].image->name, "team/nginx-exporter");
    index_free(index);
}

static void test_pages(void **state)
{
    struct index *index = four_images();
    struct index_query query = query_all();
    struct index_page page;

    (void)state;
    query.limit = 2;
    query.offset = 1;
    page = ask(index, &query);
    assert_rows(&page, 6, "10:5 10:8");
    assert_true(page.more);
    query.offset = 4;
    page = ask(index, &query);
    assert_rows(&page, 6, "30:5 30:8");
    assert_false(page.more);
    query.offset = 5;
    assert_answer(index, &query, 6, "30:8");
    query.offset = 6;
    page = ask(index, &query);
    assert_rows(&page, 6, "");
    assert_false(page.more);
    query.offset = UINT64_MAX;
    assert_answer(index, &query, 6, "");
    query.limit = 0;
    assert_int_equal(index_query(index, &query, &page, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    query.limit = LIMIT_PAGE_MAX + 1;
    assert_int_equal(index_query(index, &query, &page, &err), -1);
    index_free(index);
}

static void test_filters(void **state)
{
    static const struct slice projects[] = {
        SLICE_INIT("ep-1"), SLICE_INIT("0"), SLICE_INIT("ep-none"), SLICE_INIT("0")};
    struct index *index = four_images();
    struct index_query query = query_all();

    (void)state;
    query.scope.type = IMAGE_LOCAL;
    assert_answer(index, &query, 1, "20:2");
    query.scope = (struct index_scope){.type = -1, .registry_name = SLICE("swr")};
    assert_answer(index, &query, 2, "30:5 30:8");
    query.scope = (struct index_scope){.type = -1, .registry_type = SLICE("Harbor")};
    assert_answer(index, &query, 4, "10:2 10:5 10:8 20:2");
    query.scope = (struct index_scope){.type = -1, .cluster_id = SLICE("cluster-1")};
    assert_answer(index, &query, 2, "30:5 30:8");
    query.scope = (struct index_scope){.type = -1, .cluster_id = SLICE("Cluster-1")};
    assert_answer(index, &query, 0, "");
    query.scope = (struct index_scope){.type = -1, .name_part = SLICE("nginx")};
    assert_answer(index, &query, 4, "10:2 10:5 10:8 20:2");
    query.scope.name_part = SLICE("nginx-");
    assert_answer(index, &query, 1, "20:2");
    query.scope.name_part = SLICE("NGINX");
    assert_answer(index, &query, 0, "");
    query.scope = (struct index_scope){
        .type = -1, .enterprise_projects = projects, .enterprise_project_count = 1};
    assert_answer(index, &query, 1, "20:2");
    query.scope.enterprise_project_count = 4;
    assert_answer(index, &query, 6, "10:2 10:5 10:8 20:2 30:5 30:8");
    query.scope =
        (struct index_scope){.type = -1, .image_id = SLICE("00000000-0000-5000-8000-000000000030")};
    assert_answer(index, &query, 2, "30:5 30:8");
    query.scope.type = IMAGE_LOCAL;
    assert_answer(index, &query, 0, "");
    query.scope = (struct index_scope){.type = IMAGE_TYPE_COUNT};
    assert_answer(index, &query, 0, "");
    index_free(index);
}

static void test_codes(void **state)
{
    static const struct index_finding findings[] = {
        ROW(2, CRITICAL_APP | IGNORED_APP | HANDLED_APP, 1), ROW(4, HANDLED_APP, 1),
        ROW(6, LOW_APP, 1)};
    struct index *index = four_images();
    struct index_query query = query_all();
    struct image image = image_of(50);

    (void)state;
    put(index, &image, findings, 3);
    query.codes = BIT(CRITICAL_APP);
    assert_answer(index, &query, 2, "10:2 20:2");
    query.codes = BIT(CRITICAL_APP | IGNORED_APP | HANDLED_APP) | BIT(HANDLED_APP);
    assert_answer(index, &query, 2, "50:2 50:4");
    query.codes = ALL & ~BIT(CRITICAL_APP);
    assert_answer(index, &query, 7, "10:5 10:8 30:5 30:8 50:2 50:4 50:6");
    query.codes = 0;
    assert_answer(index, &query, 0, "");
    index_free(index);
}

static void test_vulnerabilities(void **state)
{
    struct index *index = four_images();
    struct index_query query = query_all();

    (void)state;
    query.by_vuln = true;
    assert_answer(index, &query, 0, "");
    query.vulns = (uint32_t[]){2};
    query.vuln_count = 1;
    assert_answer(index, &query, 2, "10:2 20:2");
    query.vulns = (uint32_t[]){8, 4000000000u, 2, 3};
    query.vuln_count = 4;
    assert_answer(index, &query, 4, "10:2 10:8 20:2 30:8");
    query.offset = 1;
    query.limit = 2;
    assert_answer(index, &query, 4, "10:8 20:2");
    query.offset = 0;
    query.codes = 1u << LOW_APP;
    assert_answer(index, &query, 2, "10:8 30:8");
    query.codes = ALL;
    query.scope.registry_name = SLICE("swr");
    assert_answer(index, &query, 1, "30:8");
    index_free(index);
}

static void test_cursor(void **state)
{
    struct index *index = four_images();
    struct index_query query = query_all();
    struct index_page page;

    (void)state;
    query.by_cursor = true;
    query.offset = 99; /* of no meaning beside a cursor */
    query.after_image = 10;
    query.after_vuln = 5;
    query.limit = 2;
    page = ask(index, &query);
    assert_rows(&page, 6, "10:8 20:2");
    assert_true(page.more);
    query.after_vuln = 4; /* a row that is not there */
    assert_answer(index, &query, 6, "10:5 10:8");
    query.after_image = 20;
    query.after_vuln = 2;
    index_remove(index, 20); /* nor its image */
    page = ask(index, &query);
    assert_rows(&page, 5, "30:5 30:8");
    assert_false(page.more);
    query.after_image = 15;
    assert_answer(index, &query, 5, "30:5 30:8");
    query.by_vuln = true;
    query.vulns = (uint32_t[]){8, 5};
    query.vuln_count = 2;
    query.after_image = 30;
    query.after_vuln = 5;
    page = ask(index, &query);
    assert_rows(&page, 4, "30:8");
    assert_false(page.more);
    query.after_image = 40;
    assert_answer(index, &query, 4, "");
    index_free(index);
}

static void test_replace_and_remove(void **state)
{
    static const struct index_finding findings[] = {ROW(2, HANDLED_APP, 5), ROW(9, HIGH_LINUX, 6)};
    struct index *index = four_images();
    struct index_query query = query_all();
    struct image image = image_of(10);
    const uint32_t *vulns;
    const uint8_t *codes;
    struct index_size size;

    (void)state;
    image.name = SLICE("renamed");
    (void)snprintf(image.id, sizeof(image.id), "another");
    put(index, &image, findings, 2);
    assert_answer(index, &query, 5, "10:2 10:9 20:2 30:5 30:8");
    assert_slice(index_find(index, 10)->name, "renamed");
    assert_int_equal(index_findings(index, 10, &vulns, &codes), 2);
    assert_int_equal(vulns[1], 9);
    assert_int_equal(codes[0], HANDLED_APP);
    query.scope.image_id = SLICE("00000000-0000-5000-8000-000000000010");
    assert_answer(index, &query, 0, "");
    query.scope.image_id = SLICE("another");
    assert_answer(index, &query, 2, "10:2 10:9");
    index_remove(index, 10);
    assert_null(index_validate(index));
    assert_null(index_find(index, 10));
    assert_answer(index, &query, 0, "");
    index_size(index, &size);
    assert_int_equal(size.images, 3);
    assert_int_equal(size.findings, 3);
    assert_int_equal(size.vulns, 3);
    put(index, &image, findings, 1); /* back at its place */
    query.scope.image_id = SLICE_NONE;
    assert_answer(index, &query, 4, "10:2 20:2 30:5 30:8");
    index_free(index);
}

static void test_out_of_order(void **state)
{
    static const struct index_finding findings[] = {ROW(2, CRITICAL_APP, 1)};
    static const uint32_t numbers[] = {15, 5, 25, 17, 16, 0, 45, 35};
    struct index *index = four_images();
    struct index_query query = query_all();

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct image image = image_of(numbers[i]);

        put(index, &image, findings, 1);
        if (numbers[i] == 25)
            index_remove(index, 20); /* a hole to be taken */
    }
    query.limit = 200;
    assert_answer(
        index, &query, 13, "0:2 5:2 10:2 10:5 10:8 15:2 16:2 17:2 25:2 30:5 30:8 35:2 45:2");
    index_free(index);
}

static void test_refuses(void **state)
{
    struct index_finding wrong[] = {ROW(4, LOW_APP, 0), ROW(2, LOW_APP, 0)};
    struct index_finding *many = calloc(LIMIT_IMAGE_FINDINGS + 1, sizeof(*many));
    struct index *index = four_images();
    struct index_query query = query_all();
    struct image image = image_of(10);

    (void)state;
    assert_non_null(many);
    assert_int_equal(index_put(index, &image, wrong, 2, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    wrong[1].vuln = 4; /* twice the same */
    assert_int_equal(index_put(index, &image, wrong, 2, &err), -1);
    wrong[1] = (struct index_finding)ROW(6, INDEX_CODES, 0);
    assert_int_equal(index_put(index, &image, wrong, 2, &err), -1);
    wrong[1] = (struct index_finding)ROW(6, HIGH_LINUX, 0);
    assert_int_equal(index_put(index, &image, wrong, 2, &err), -1);
    image.assessment = ASSESSMENT_COUNT;
    assert_int_equal(index_put(index, &image, wrong, 0, &err), -1);
    image.assessment = ASSESSMENT_FULL;
    for (uint32_t i = 0; i <= LIMIT_IMAGE_FINDINGS; i++)
        many[i] = (struct index_finding)ROW(i * 2, LOW_APP, i);
    assert_int_equal(index_put(index, &image, many, LIMIT_IMAGE_FINDINGS + 1, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_answer(index, &query, 6, "10:2 10:5 10:8 20:2 30:5 30:8");
    put(index, &image, many, LIMIT_IMAGE_FINDINGS);
    query.offset = LIMIT_IMAGE_FINDINGS - 1;
    assert_answer(index, &query, LIMIT_IMAGE_FINDINGS + 3, "10:131068 20:2 30:5 30:8");
    free(many);
    index_free(index);
}

/* The times of an image are indexes of no, one and two bytes. */
static void test_times(void **state)
{
    static const size_t distinct[] = {1, 2, 255, 256, 257, 1000};
    enum { COUNT = 1000 };
    struct index *index = index_new(&err);
    struct image image = image_of(1);

    (void)state;
    for (size_t i = 0; i < sizeof(distinct) / sizeof(distinct[0]); i++) {
        struct index_finding findings[COUNT];
        struct index_query query = query_all();

        for (uint32_t j = 0; j < COUNT; j++)
            findings[j] = (struct index_finding)ROW(
                j * 2, LOW_APP, (int64_t)(j * 7919 % COUNT % distinct[i]) * 100000000000 - 5);
        put(index, &image, findings, COUNT);
        query.limit = 200;
        for (query.offset = 0; query.offset < COUNT; query.offset += 200) {
            struct index_page page = ask(index, &query);

            for (size_t j = 0; j < page.count; j++)
                assert_int_equal(
                    page.rows[j].first_scan_ms, findings[query.offset + j].first_scan_ms);
        }
    }
    index_free(index);
}

static bool add_vuln(void *ctx, const struct index_vuln *vuln)
{
    char *text = ctx;
    size_t used = strlen(text);

    (void)snprintf(text + used, 200 - used, "%u:%u/%d/%u ", vuln->vuln, (unsigned)vuln->images,
        (int)vuln->worst, (unsigned)vuln->containers);
    return vuln->vuln != 5 || vuln->images != 1;
}

static bool add_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    char *text = ctx;
    size_t used = strlen(text);

    (void)snprintf(text + used, 200 - used, "%u:%u ", image->number, counts[CRITICAL_APP]);
    return image->number != 30;
}

static void test_walks(void **state)
{
    struct index *index = four_images();
    struct index_scope scope = {.type = -1};
    struct index_counts counts;
    char text[200] = "";
    struct ids ids = {0};

    (void)state;
    assert_ok(index_each_vuln(index, &scope, ALL, add_vuln, text, &err));
    assert_string_equal(text, "2:2/3/7 5:2/2/2 8:2/0/2 ");
    text[0] = '\0';
    scope.registry_name = SLICE("swr");
    assert_ok(index_each_vuln(index, &scope, ALL, add_vuln, text, &err));
    assert_string_equal(text, "5:1/2/2 "); /* stopped */
    text[0] = '\0';
    scope.registry_name = SLICE_NONE;
    assert_ok(index_each_image(index, &scope, 10, add_image, text, &err));
    assert_string_equal(text, "20:1 30:0 "); /* stopped */
    text[0] = '\0';
    assert_ok(index_each_image(index, &scope, UINT32_MAX, add_image, text, &err));
    assert_string_equal(text, "");
    assert_ok(index_count(index, &scope, &counts, &err));
    assert_int_equal(counts.images, 4);
    assert_int_equal(counts.by_assessment[ASSESSMENT_PARTLY], 1);
    assert_int_equal(counts.by_code[CRITICAL_APP], 2);
    scope.type = IMAGE_REGISTRY;
    assert_ok(index_count(index, &scope, &counts, &err));
    assert_int_equal(counts.images, 2);
    assert_int_equal(counts.by_code[CRITICAL_APP], 1);
    assert_ok(index_images_of(index, 5, &ids, &err));
    assert_ok(index_images_of(index, 6, &ids, &err));
    assert_int_equal(ids.count, 2);
    assert_int_equal(ids.at[1], 30);
    ids_release(&ids);
    index_free(index);
}

/* Strings are the index's own, and go with the last image that has them. */
static void test_memory_comes_back(void **state)
{
    struct index *index = index_new(&err);
    struct index_size first, last;

    (void)state;
    for (uint32_t i = 0; i < 3000; i++) {
        struct index_finding finding = ROW(i * 2, LOW_APP, i);
        struct image image = image_of(i % 100);
        char name[32], tag[32];

        (void)snprintf(name, sizeof(name), "name-%05u", i);
        (void)snprintf(tag, sizeof(tag), "tag-%05u", i);
        image.name = slice_of(name);
        image.tag = slice_of(tag);
        put(index, &image, &finding, 1);
        memset(name, '?', sizeof(name));
        if (i == 999)
            index_size(index, &first);
    }
    assert_slice(index_find(index, 99)->name, "name-02999");
    index_size(index, &last);
    assert_true(last.bytes < first.bytes + 20000); /* room for the pointers to pages */
    for (uint32_t i = 0; i < 100; i++)
        index_remove(index, i);
    assert_null(index_validate(index));
    index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_index),
        cmocka_unit_test(test_everything_in_order),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_vulnerabilities),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_replace_and_remove),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_memory_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
