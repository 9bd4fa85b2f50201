/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as JSON Lines, CSV and SARIF: what is shared by an image's rows, and what is in their way.
 */
#include "unit.h"

#include "api/findings_write.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>

static struct image image_named(uint32_t number, const char *name)
{
    return (struct image){.number = number,
        .id = "63fb2c7d-0000-5000-8000-000000000001",
        .name = slice_of(name),
        .place = {.enterprise_project = SLICE("0"),
            .type = IMAGE_REGISTRY,
            .containers = -1,
            .multi_arch = -1},
        .size_bytes = -1,
        .latest_scan_ms = 7};
}

static struct affected_row row_of(const struct image *image, const char *vul_id, uint8_t code)
{
    return (struct affected_row){.image = image,
        .vul_id = slice_of(vul_id),
        .type = index_code_type(code),
        .code = code,
        .first_scan_ms = 5};
}

static void write(
    struct findings_writer *writer, const struct affected_row *rows, size_t count, struct buf *out)
{
    const struct affected_page page = {.total = count, .count = count, .rows = rows};
    struct err err = {0};

    assert_ok(findings_write_page(writer, &page, out, &err));
}

/* The whole document of one page. */
static void document(
    enum findings_format format, const struct affected_row *rows, size_t count, struct buf *out)
{
    struct findings_writer writer;
    struct err err = {0};

    buf_clear(out);
    assert_ok(findings_writer_init(&writer, format, &err));
    findings_write_begin(&writer, out);
    write(&writer, rows, count, out);
    assert_true(findings_write_end(&writer, SIZE_MAX, out));
    findings_writer_release(&writer);
}

static bool has(const struct buf *out, const char *text)
{
    return strstr(out->data, text) != NULL;
}

/* Row by row as the call writes it, whichever images take turns. */
static void test_json_lines(void **state)
{
    const struct image images[] = {
        image_named(1, "a"), image_named(2, "b \"quoted\" \xe9\x95\x9c"), image_named(3, "c")};
    struct affected_row rows[12];
    struct buf out = BUF_INIT(1 << 20), expected = BUF_INIT(1 << 20);

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        struct json_writer w;

        rows[i] = row_of(&images[i % 5 % 3], i % 2 ? "CVE-2024-1" : "GHSA-\"1", (uint8_t)(i * 3));
        json_writer_init(&w, &expected);
        affected_write_row(&w, &rows[i]);
        buf_put_char(&expected, '\n');
    }
    document(FINDINGS_JSONL, rows, 12, &out);
    assert_slice(buf_slice(&out), expected.data);
    buf_release(&out);
    buf_release(&expected);
}

/* An image may change from one page to the next, at the same address. */
static void test_nothing_is_kept_between_pages(void **state)
{
    struct image image = image_named(1, "before");
    const struct affected_row row = row_of(&image, "CVE-2024-1", 0);

    (void)state;
    for (int format = 0; format < FINDINGS_FORMAT_COUNT; format++) {
        struct findings_writer writer;
        struct buf out = BUF_INIT(1 << 20);
        struct err err = {0};

        assert_ok(findings_writer_init(&writer, (enum findings_format)format, &err));
        image.name = SLICE("before");
        write(&writer, &row, 1, &out);
        image.name = SLICE("after");
        buf_clear(&out);
        write(&writer, &row, 1, &out);
        assert_true(has(&out, "after") && !has(&out, "before"));
        findings_writer_release(&writer);
        buf_release(&out);
    }
}

static void test_csv(void **state)
{
    struct image image = image_named(1, "=1+1");
    struct affected_row rows[2];
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    image.tag = SLICE("a,b");
    rows[0] =
        row_of(&image, "CVE-2024-1", index_code(NECESSITY_HIGH, VUL_LINUX, false, true, true));
    rows[1] = row_of(&image, "CVE-2024-2", index_code(NECESSITY_LOW, VUL_APP, false, false, false));
    document(FINDINGS_CSV, rows, 2, &out);
    assert_slice(buf_slice(&out),
        "image_id,image_name,image_version,image_digest,vul_id,type,repair_necessity,status,"
        "image_type,registry_name,cluster_id,container_num,first_scan_time,latest_scan_time,"
        "assessment,is_handled\n"
        "63fb2c7d-0000-5000-8000-000000000001,'=1+1,\"a,b\",,CVE-2024-1,linux_vul,High,"
        "vul_status_ignored,registry,,,0,5,7,assessed,true\n"
        "63fb2c7d-0000-5000-8000-000000000001,'=1+1,\"a,b\",,CVE-2024-2,app_vul,Low,"
        "vul_status_unfix,registry,,,0,5,7,assessed,false\n");
    buf_release(&out);
}

static void test_sarif_without_rows(void **state)
{
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    document(FINDINGS_SARIF, NULL, 0, &out);
    assert_slice(buf_slice(&out),
        "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
        "\"runs\":[{\"results\":[],\n\"tool\":{\"driver\":{\"name\":\"Careen\","
        "\"version\":\"" CAREEN_VERSION "\",\"rules\":[]}}}]}\n");
    buf_release(&out);
}

/* RFC 3986, section 4.2. */
static void test_sarif_locations(void **state)
{
    static const struct {
        const char *name, *tag, *digest, *uri;
    } cases[] = {
        {"shop/web", "1.4", "sha256:ab", "shop/web:1.4@sha256:ab"},
        {"shop/web", "", "", "shop/web"},
        {"web", "1.4", "", "./web:1.4"},
        {"r.example.com:5000/shop/web", "1", "", "./r.example.com:5000/shop/web:1"},
        {"/shop", "1", "", ".//shop:1"},
        {"shop/a b?#%\"\\", "", "", "shop/a%20b%3F%23%25%22%5C"},
        {"shop/\xe9\x95\x9c", "", "", "shop/%E9%95%9C"},
    };
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image image = image_named(1, cases[i].name);
        const struct affected_row row = row_of(&image, "CVE-2024-1", 0);
        char wanted[200];

        image.tag = slice_of(cases[i].tag);
        image.digest = slice_of(cases[i].digest);
        document(FINDINGS_SARIF, &row, 1, &out);
        snprintf(wanted, sizeof(wanted), "{\"uri\":\"%s\"}", cases[i].uri);
        assert_true(has(&out, wanted));
    }
    buf_release(&out);
}

static void test_sarif_rules(void **state)
{
    const struct image image = image_named(1, "shop/web");
    const struct affected_row rows[] = {
        row_of(&image, "CVE-2024-1", index_code(NECESSITY_LOW, VUL_APP, false, false, false)),
        row_of(&image, "DSA-1", index_code(NECESSITY_MEDIUM, VUL_APP, false, false, true)),
        row_of(&image, "CVE-2024-1", index_code(NECESSITY_CRITICAL, VUL_LINUX, false, true, true)),
        row_of(&image, "GHSA-a b", index_code(NECESSITY_HIGH, VUL_APP, false, false, false)),
    };
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    document(FINDINGS_SARIF, rows, 4, &out);
    assert_true(has(&out, "\"ruleId\":\"CVE-2024-1\",\"ruleIndex\":0,\"level\":\"note\""));
    assert_true(has(&out, "\"ruleId\":\"CVE-2024-1\",\"ruleIndex\":0,\"level\":\"error\""));
    assert_true(has(&out, "\"ruleId\":\"DSA-1\",\"ruleIndex\":1,\"level\":\"warning\""));
    assert_true(has(&out, "\"suppressions\":[{\"kind\":\"external\""));
    assert_true(has(&out, "{\"id\":\"CVE-2024-1\",\"shortDescription\":{\"text\":\"CVE-2024-1\"},"
                          "\"helpUri\":\"https://nvd.nist.gov/vuln/detail/CVE-2024-1\","
                          "\"defaultConfiguration\":{\"level\":\"error\"},"
                          "\"properties\":{\"security-severity\":\"9.5\""));
    assert_true(has(&out, "{\"id\":\"DSA-1\",\"shortDescription\":{\"text\":\"DSA-1\"},"
                          "\"defaultConfiguration\""));
    assert_true(has(&out, "\"helpUri\":\"https://github.com/advisories/GHSA-a%20b\""));
    buf_release(&out);
}

/* Beyond the limit results name their rule only, and the end comes in parts. */
static void test_sarif_has_a_limit_of_rules(void **state)
{
    enum { MORE = 5, PART = 10000 };
    const struct image image = image_named(1, "shop/web");
    struct findings_writer writer;
    struct buf out = BUF_INIT(1 << 20);
    struct err err = {0};
    size_t rules = 0, parts = 0;
    bool ended = false;

    (void)state;
    assert_ok(findings_writer_init(&writer, FINDINGS_SARIF, &err));
    for (int i = 0; i < SARIF_RULES_MAX + MORE; i++) {
        char name[32];
        struct affected_row row;

        snprintf(name, sizeof(name), "CVE-2024-%d", i);
        row = row_of(&image, name, 0);
        buf_clear(&out);
        write(&writer, &row, 1, &out);
        assert_int_equal(has(&out, "ruleIndex"), i < SARIF_RULES_MAX);
    }
    while (!ended) {
        buf_clear(&out);
        ended = findings_write_end(&writer, PART, &out);
        assert_true(ended || out.len >= PART);
        assert_true(out.len < PART + 1000);
        for (const char *at = out.data; (at = strstr(at, "{\"id\":")); at++)
            rules++;
        parts++;
    }
    assert_int_equal(rules, SARIF_RULES_MAX);
    assert_true(parts > 100);
    findings_writer_release(&writer);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_nothing_is_kept_between_pages),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_sarif_without_rows),
        cmocka_unit_test(test_sarif_locations),
        cmocka_unit_test(test_sarif_rules),
        cmocka_unit_test(test_sarif_has_a_limit_of_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
