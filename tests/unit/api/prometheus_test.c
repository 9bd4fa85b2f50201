/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "api/prometheus.h"

static void test_families(void **state)
{
    struct buf out = BUF_INIT(4096);

    (void)state;
    prom_counter_of(&out, "a_total", "Of a.", UINT64_MAX);
    prom_gauge_of(&out, "b", "Of b.", 0);
    assert_slice(buf_slice(&out), "# HELP a_total Of a.\n"
                                  "# TYPE a_total counter\n"
                                  "a_total 18446744073709551615\n"
                                  "# HELP b Of b.\n"
                                  "# TYPE b gauge\n"
                                  "b 0\n");
    buf_release(&out);
}

static void label(const char *value, size_t len, const char *expected)
{
    struct buf out = BUF_INIT(4096);
    const struct prom_label labels[] = {
        {"one", {value, len}}, {"two", SLICE("2")}, {NULL, SLICE_NONE}};

    prom_sample(&out, "a", labels, 1);
    assert_slice(buf_slice(&out), expected);
    buf_release(&out);
}

static void test_labels(void **state)
{
    (void)state;
    label("x", 1, "a{one=\"x\",two=\"2\"} 1\n");
    label("", 0, "a{one=\"\",two=\"2\"} 1\n");
    label("a\\b\"c\nd", 7, "a{one=\"a\\\\b\\\"c\\nd\",two=\"2\"} 1\n");
    label("\xe9\x95\x9c{},=\t", 8, "a{one=\"\xe9\x95\x9c{},=\t\",two=\"2\"} 1\n");
    label("a\xff"
          "b\xe9\x95",
        5, "a{one=\"ab\",two=\"2\"} 1\n");
}

static void micro(int64_t value, const char *expected)
{
    struct buf out = BUF_INIT(4096);

    prom_sample_micro(&out, "a", NULL, value);
    assert_slice(buf_slice(&out), expected);
    buf_release(&out);
}

static void test_millionths(void **state)
{
    (void)state;
    micro(0, "a 0\n");
    micro(1, "a 0.000001\n");
    micro(50, "a 0.00005\n");
    micro(1000000, "a 1\n");
    micro(10000000, "a 10\n");
    micro(12345678, "a 12.345678\n");
    micro(100100000, "a 100.1\n");
    micro(-1500000, "a -1.5\n");
    micro(INT64_MAX, "a 9223372036854.775807\n");
}

static void test_buckets(void **state)
{
    static const int64_t bounds[] = {50, 1000000};
    const uint64_t counts[] = {3, 0, 4};
    const struct prom_label labels[] = {{"r", SLICE("\"")}, {NULL, SLICE_NONE}};
    struct buf out = BUF_INIT(4096);

    (void)state;
    prom_sample_buckets(&out, "h", labels, &(struct prom_buckets){bounds, counts, 2, 2500000});
    assert_slice(buf_slice(&out), "h_bucket{r=\"\\\"\",le=\"0.00005\"} 3\n"
                                  "h_bucket{r=\"\\\"\",le=\"1\"} 3\n"
                                  "h_bucket{r=\"\\\"\",le=\"+Inf\"} 7\n"
                                  "h_sum{r=\"\\\"\"} 2.5\n"
                                  "h_count{r=\"\\\"\"} 7\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_millionths),
        cmocka_unit_test(test_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
