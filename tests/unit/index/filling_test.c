/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index that was filled (index_begin_filling) is the one that the same puts make without:
 * vulnerabilities of every size of set, with more lists of names than a byte can tell apart, then
 * changes of both, then the same answers.
 */
#include "unit.h"

#include "index/index.h"

enum { IMAGES = 3000, VULNS = 40, NAMES = 331 };

static struct err err;

/* Vulnerability v is in every (v * v / 2 + 1)th image. */
static void put(struct index *index, uint32_t number, unsigned turn)
{
    const uint32_t names[] = {(number + turn) % NAMES, NAMES};
    struct index_finding findings[VULNS];
    struct image image = {.number = number,
        .place = {.type = (enum image_type)(number % IMAGE_TYPE_COUNT), .containers = -1}};
    size_t count = 0;

    (void)snprintf(image.id, sizeof(image.id), "id-%u", number);
    image.name = slice_of(image.id);
    for (uint32_t v = 0; v < VULNS; v++)
        if ((number + turn) % (v * v / 2 + 1) == 0)
            findings[count++] = (struct index_finding){.vuln = v * 2,
                .code = (uint8_t)((number / 7 + turn) % NECESSITY_COUNT),
                .first_scan_ms = 1 + number % 3,
                .names = names,
                .name_count = 1 + number % 2};
    assert_ok(index_put(index, &image, findings, count, &err));
}

static void assert_same_names(
    const struct index *a, const struct index *b, uint32_t number, uint32_t vuln)
{
    const uint32_t *names[2];
    size_t count = index_names(a, number, vuln, &names[0]);

    assert_in_range(count, 1, 2);
    assert_int_equal(index_names(b, number, vuln, &names[1]), count);
    assert_memory_equal(names[0], names[1], count * sizeof(*names[0]));
}

static void assert_same_rows(const struct index *a, const struct index *b, uint32_t vuln)
{
    static struct index_page pages[2];
    struct index_query query = {
        .scope = {.type = -1}, .by_vuln = true, .vulns = &vuln, .vuln_count = 1, .limit = 200};

    for (uint8_t code = 0; code < NECESSITY_COUNT; code++) {
        query.codes = (query.codes << 1) | 1;
        for (query.offset = 0;; query.offset += 200) {
            assert_ok(index_query(a, &query, &pages[0], &err));
            assert_ok(index_query(b, &query, &pages[1], &err));
            assert_int_equal(pages[0].total, pages[1].total);
            assert_int_equal(pages[0].count, pages[1].count);
            for (size_t i = 0; i < pages[0].count; i++) {
                assert_int_equal(pages[0].rows[i].image->number, pages[1].rows[i].image->number);
                assert_int_equal(pages[0].rows[i].code, pages[1].rows[i].code);
                assert_same_names(a, b, pages[0].rows[i].image->number, vuln);
            }
            if (!pages[0].more)
                break;
        }
    }
}

static void assert_same(const struct index *a, const struct index *b)
{
    struct index_size sizes[2];

    assert_null(index_validate(a));
    assert_null(index_validate(b));
    index_size(a, &sizes[0]);
    index_size(b, &sizes[1]);
    assert_int_equal(sizes[0].images, sizes[1].images);
    assert_int_equal(sizes[0].findings, sizes[1].findings);
    assert_int_equal(sizes[0].vulns, sizes[1].vulns);
    for (uint32_t v = 0; v < VULNS; v++)
        assert_same_rows(a, b, v * 2);
}

static void test_filled(void **state)
{
    struct index *filled = index_new(&err), *plain = index_new(&err);

    (void)state;
    assert_non_null(filled);
    assert_non_null(plain);
    index_begin_filling(filled);
    for (uint32_t number = 1; number <= IMAGES; number++) {
        put(filled, number, 0);
        put(plain, number, 0);
    }
    index_end_filling(filled);
    assert_same(filled, plain);
    for (uint32_t number = 2; number <= IMAGES + 100; number += 3) {
        put(filled, number, 1);
        put(plain, number, 1);
    }
    for (uint32_t number = 1; number <= IMAGES; number += 2) {
        index_remove(filled, number);
        index_remove(plain, number);
    }
    assert_same(filled, plain);
    index_free(filled);
    index_free(plain);
}

static void test_filled_with_nothing(void **state)
{
    struct index *index = index_new(&err);

    (void)state;
    index_begin_filling(index);
    index_end_filling(index);
    assert_null(index_validate(index));
    put(index, 1, 0);
    assert_null(index_validate(index));
    index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filled),
        cmocka_unit_test(test_filled_with_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
