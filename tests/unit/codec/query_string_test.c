/* SPDX-License-Identifier: Apache-2.0 */
/* Queries as the contract's clients write them (sections 1.2 and 8.3), and what is refused. */
#include "unit.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "codec/query_string.h"
#include "rng.h"

static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, "the test", 4 << 20);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* "name=value|name=value", of what `query` was parsed into. */
static void assert_query(const char *query, const char *expected)
{
    struct buf seen = BUF_INIT(4096);
    struct query_params params;
    struct err err;

    assert_ok(query_parse(slice_of(query), &arena, &params, &err));
    for (size_t i = 0; i < params.count; i++) {
        buf_put_cstr(&seen, i ? "|" : "");
        buf_put_slice(&seen, params.at[i].name);
        buf_put_char(&seen, '=');
        buf_put_slice(&seen, params.at[i].value);
    }
    assert_slice(buf_slice(&seen), expected);
    buf_release(&seen);
}

static void queries_of_clients(void **state)
{
    (void)state;
    assert_query("", "");
    assert_query("a=1&b=2", "a=1|b=2");
    assert_query("image_type&is_handled=false&type&vul_id", /* Go, nothing set */
        "image_type=|is_handled=false|type=|vul_id=");
    assert_query("image_type=&is_handled=false", "image_type=|is_handled=false");
    assert_query("v=a+b&w=a%2Bb&x=a%20b", "v=a+b|w=a+b|x=a b");
    assert_query("a==b&c=d=e", "a==b|c=d=e");
    assert_query("&&a=1&&&b&", "a=1|b=");
    assert_query("a=1&a=2&A=3", "a=1|a=2|A=3");
    assert_query("=x&=", "=x|=");
    assert_query("a%3Db%26=c%26d", "a=b&=c&d");
    assert_query("a;b=c?d/e", "a;b=c?d/e");
    assert_query("%61%6C%6c=%7e%7E~*!'()", "all=~~~*!'()");
    assert_query("v=%E4%B8%96%e7%95%8c", "v=\xe4\xb8\x96\xe7\x95\x8c");
    assert_query("v=\xe4\xb8\x96", "v=\xe4\xb8\x96");
    assert_query("v=%2525", "v=%25");
}

static void refusals_name_the_parameter(void **state)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        {"ok=1&vul_id=%", "query parameter vul_id: a '%' is not followed by two hex digits; "
                          "write %25 for a percent sign"},
        {"a=%4", "query parameter a: a '%' is not followed by two hex digits; "
                 "write %25 for a percent sign"},
        {"a=%4&b", "query parameter a: a '%' is not followed by two hex digits; "
                   "write %25 for a percent sign"},
        {"a=%g0", "query parameter a: a '%' is not followed by two hex digits; "
                  "write %25 for a percent sign"},
        {"a=%+1", "query parameter a: a '%' is not followed by two hex digits; "
                  "write %25 for a percent sign"},
        {"a=%%41", "query parameter a: a '%' is not followed by two hex digits; "
                   "write %25 for a percent sign"},
        {"a=%00", "query parameter a: control characters and line breaks are not allowed"},
        {"a=x%0Ay", "query parameter a: control characters and line breaks are not allowed"},
        {"a=%7f", "query parameter a: control characters and line breaks are not allowed"},
        {"a=%C2%85", "query parameter a: control characters and line breaks are not allowed"},
        {"a=%E2%80%A8", "query parameter a: control characters and line breaks are not allowed"},
        {"a=\t", "query parameter a: control characters and line breaks are not allowed"},
        {"a=%FF", "query parameter a: the percent-decoded bytes are not UTF-8"},
        {"a=\x80", "query parameter a: the percent-decoded bytes are not UTF-8"},
        {"a=%C0%AF", "query parameter a: the percent-decoded bytes are not UTF-8"},
        {"a=%ED%A0%80", "query parameter a: the percent-decoded bytes are not UTF-8"},
        {"a=%E4%B8", "query parameter a: the percent-decoded bytes are not UTF-8"},
        {"a&%00=1",
            "the name of query parameter 2: control characters and line breaks are not allowed"},
        {"%=1", "the name of query parameter 1: a '%' is not followed by two hex digits; "
                "write %25 for a percent sign"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct query_params params = {NULL, 77};
        struct err err = {0};

        if (query_parse(slice_of(cases[i].query), &arena, &params, &err) == 0)
            fail_msg("\"%s\" is taken", cases[i].query);
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(params.count, 77);
    }
}

/* However long the name, the reason is in the message, and the message is UTF-8. */
static void long_names_are_cut(void **state)
{
    struct buf query = BUF_INIT(100000);
    struct query_params params;
    struct err err;

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        buf_clear(&query);
        buf_put_cstr(&query, &"xxx"[3 - shift]);
        for (int i = 0; i < 5000; i++)
            buf_put_cstr(&query, "%F0%9F%9A%A2");
        buf_put_cstr(&query, "=%00");
        assert_int_equal(query_parse(buf_slice(&query), &arena, &params, &err), -1);
        assert_true(slice_ends_with(slice_of(err.message), "are not allowed"));
        assert_true(utf8_is_valid(slice_of(err.message)));
        assert_true(strlen(err.message) < 200);
    }
    buf_release(&query);
}

static void count_is_limited(void **state)
{
    struct buf query = BUF_INIT(100000);
    struct query_params params;
    struct err err;

    (void)state;
    for (int i = 0; i < QUERY_PARAMS_MAX; i++)
        buf_put_cstr(&query, "a&&");
    assert_ok(query_parse(buf_slice(&query), &arena, &params, &err));
    assert_int_equal(params.count, QUERY_PARAMS_MAX);
    buf_put_cstr(&query, "b");
    assert_int_equal(query_parse(buf_slice(&query), &arena, &params, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_release(&query);
}

static void arena_limit_is_passed_on(void **state)
{
    struct arena small;
    struct query_params params;
    struct err err;

    (void)state;
    arena_init(&small, "the query", 64);
    assert_int_equal(query_parse(SLICE("a=1&b=2&c=3"), &small, &params, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    arena_release(&small);
}

static void encode_known(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    percent_encode(&out, SLICE("AZaz09-._~ /+=&*!()'%\xe4\xb8\x96\0\x7f"));
    assert_slice(buf_slice(&out), "AZaz09-._~%20%2F%2B%3D%26%2A%21%28%29%27%25%E4%B8%96%00%7F");
    buf_release(&out);
}

/* Random texts of one line: encoded they are plain, decoded they are themselves. */
static void encode_round_trip(void **state)
{
    struct buf text = BUF_INIT(10000), encoded = BUF_INIT(100000);
    struct rng rng = {1};

    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t count = rng_below(&rng, 50);
        struct slice decoded;
        struct err err;

        buf_clear(&text);
        buf_clear(&encoded);
        while (count--) {
            uint32_t c = (uint32_t)(rng_next(&rng) >> rng_below(&rng, 32)) % 0x110000;
            char bytes[4];
            size_t n;

            if (c >= 0xd800 && c <= 0xdfff)
                continue;
            n = utf8_encode(c, bytes);
            if (utf8_is_line((struct slice){bytes, n}))
                buf_put(&text, bytes, n);
        }
        percent_encode(&encoded, buf_slice(&text));
        for (size_t i = 0; i < encoded.len; i++)
            assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-._~%",
                encoded.data[i]));
        assert_ok(percent_decode(buf_slice(&encoded), &arena, &decoded, &err));
        assert_true(slice_eq(decoded, buf_slice(&text)));
        arena_reset(&arena);
    }
    buf_release(&text);
    buf_release(&encoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_of_clients),
        cmocka_unit_test(refusals_name_the_parameter),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(count_is_limited),
        cmocka_unit_test(arena_limit_is_passed_on),
        cmocka_unit_test(encode_known),
        cmocka_unit_test(encode_round_trip),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
