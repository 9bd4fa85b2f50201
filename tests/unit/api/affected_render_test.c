/* SPDX-License-Identifier: Apache-2.0 */
/* A page is its rows, each as it is written alone, whichever images take turns; and no ceiling on
 * the way makes it anything else but an error. */
#include "unit.h"

#include "api/affected_render.h"
#include "rng.h"

enum { IMAGES = 4, ROWS_MAX = 200, BODY_MAX = 1 << 20 };

static const struct affected_request request = {.query.q.limit = ROWS_MAX};

/* Of many lengths; some with all members, some with few. */
static struct image image_of(struct rng *rng, uint32_t number)
{
    static char name[IMAGES][3000];
    size_t len = 1 + rng_below(rng, sizeof(name[0]) - 1);
    struct image image = {.number = number,
        .id = "63fb2c7d-0000-5000-8000-000000000001",
        .place = {.enterprise_project = SLICE("0"),
            .type = IMAGE_REGISTRY,
            .containers = -1,
            .multi_arch = -1},
        .size_bytes = -1,
        .latest_scan_ms = 7};

    memset(name[number], rng_below(rng, 4) ? 'a' : '"', len);
    image.name = (struct slice){name[number], len};
    image.id[0] = (char)('0' + number);
    if (rng_below(rng, 2)) {
        image.place.agent_id = SLICE("agent");
        image.place.cluster_id = SLICE("cluster");
        image.size_bytes = 5;
    }
    return image;
}

static size_t make_rows(struct rng *rng, const struct image *images, struct affected_row *rows)
{
    size_t count = rng_below(rng, ROWS_MAX + 1);
    uint32_t image = 0;

    for (size_t i = 0; i < count; i++) {
        if (rng_below(rng, 3) == 0)
            image = (uint32_t)rng_below(rng, IMAGES);
        rows[i] = (struct affected_row){.image = &images[image],
            .vul_id = SLICE("CVE-2024-1"),
            .code = (uint8_t)rng_below(rng, 32),
            .first_scan_ms = (int64_t)i};
        rows[i].type = index_code_type(rows[i].code);
    }
    return count;
}

static void write_expected(struct buf *out, const struct affected_row *rows, size_t count)
{
    buf_printf(out, "{\"total_num\":%zu,\"data_list\":[", count);
    for (size_t i = 0; i < count; i++) {
        struct json_writer w;
        struct buf row = BUF_INIT(BODY_MAX);

        json_writer_init(&w, &row);
        affected_write_row(&w, &rows[i]);
        if (i)
            buf_put_char(out, ',');
        buf_put_slice(out, buf_slice(&row));
        buf_release(&row);
    }
    buf_put_cstr(out, "]}");
}

static void pages_are_their_rows(void **state)
{
    static struct affected_row rows[ROWS_MAX];
    struct image images[IMAGES];
    struct rng rng = {7};

    (void)state;
    for (int turn = 0; turn < 300; turn++) {
        struct buf expected = BUF_INIT(BODY_MAX), out = BUF_INIT(BODY_MAX);
        struct affected_page page = {.rows = rows};

        for (uint32_t i = 0; i < IMAGES; i++)
            images[i] = image_of(&rng, i);
        page.count = page.total = make_rows(&rng, images, rows);
        write_expected(&expected, rows, page.count);
        affected_write_page(&out, &page, &request);
        assert_int_equal(out.failed, ERR_NONE);
        assert_int_equal(out.len, expected.len);
        assert_memory_equal(out.data, expected.data, expected.len);
        buf_release(&out);
        buf_release(&expected);
    }
}

/* At every length that may be too little. */
static void ceilings(void **state)
{
    static struct affected_row rows[ROWS_MAX];
    struct image images[IMAGES];
    struct rng rng = {8};
    struct affected_page page = {.rows = rows, .total = 3, .count = 3};
    struct buf whole = BUF_INIT(BODY_MAX);

    (void)state;
    for (uint32_t i = 0; i < IMAGES; i++) {
        images[i] = image_of(&rng, i);
        images[i].name = SLICE("name");
    }
    (void)make_rows(&rng, images, rows);
    for (size_t i = 0; i < 3; i++)
        rows[i].image = &images[0];
    affected_write_page(&whole, &page, &request);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf out = BUF_INIT(max);
        struct err err = {0};

        affected_write_page(&out, &page, &request);
        assert_int_equal(buf_check(&out, "it", &err), -1);
        assert_true(out.len <= max);
        buf_release(&out);
    }
    whole.max = whole.len;
    buf_release(&whole);
    affected_write_page(&whole, &page, &request);
    assert_int_equal(whole.failed, ERR_NONE);
    buf_release(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_their_rows),
        cmocka_unit_test(ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
