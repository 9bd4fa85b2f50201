/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer: every call, every byte in a string, and the ceiling of the buffer. */
#include "unit.h"

#include "codec/json_reader.h"
#include "codec/json_writer.h"

static void test_structure(void **state)
{
    struct buf out = BUF_INIT(10000);
    struct json_writer w;
    struct err err;

    (void)state;
    json_writer_init(&w, &out);
    json_write_begin_object(&w);
    json_write_member(&w, "name", SLICE("bash"));
    json_write_member_if(&w, "none", SLICE_NONE);
    json_write_member_if(&w, "some", SLICE("x"));
    json_write_key(&w, "empty");
    json_write_begin_array(&w);
    json_write_end_array(&w);
    json_write_key(&w, "list");
    json_write_begin_array(&w);
    json_write_i64(&w, INT64_MIN);
    json_write_i64(&w, 0);
    json_write_i64_string(&w, INT64_MAX);
    json_write_bool(&w, true);
    json_write_bool(&w, false);
    json_write_null(&w);
    json_write_json(&w, "[1]");
    json_write_begin_object(&w);
    json_write_end_object(&w);
    json_write_begin_array(&w);
    json_write_string(&w, SLICE_NONE);
    json_write_end_array(&w);
    json_write_end_array(&w);
    json_write_key_slice(&w, SLICE("a\"\n"));
    json_write_null(&w);
    json_write_key(&w, "raw");
    json_write_json(&w, "{\"b\":2}");
    json_write_end_object(&w);
    assert_ok(buf_check(&out, "the document", &err));
    assert_slice(buf_slice(&out),
        "{\"name\":\"bash\",\"some\":\"x\",\"empty\":[],\"list\":[-9223372036854775808,0,"
        "\"9223372036854775807\",true,false,null,[1],{},[\"\"]],\"a\\\"\\n\":null,\"raw\":{\"b\":2}"
        "}");
    assert_int_equal(w.depth, 0);
    buf_release(&out);
}

static void test_strings(void **state)
{
    static const struct {
        struct slice text;
        const char *written;
    } table[] = {
        {SLICE_INIT(""), "\"\""},
        {SLICE_INIT("plain text of more than thirty-two bytes, in one go"),
            "\"plain text of more than thirty-two bytes, in one go\""},
        {SLICE_INIT("\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {SLICE_INIT("a\0b\x01\x1f\x7f"), "\"a\\u0000b\\u0001\\u001f\x7f\""},
        {SLICE_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {SLICE_INIT("x\xff\xc3"), "\"x\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE_INIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE_INIT("0123456789abcdef\n0123456789abcdefghi\"0123456789abcdef"),
            "\"0123456789abcdef\\n0123456789abcdefghi\\\"0123456789abcdef\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct buf out = BUF_INIT(1000);
        struct json_writer w;

        json_writer_init(&w, &out);
        json_write_string(&w, table[i].text);
        assert_slice(buf_slice(&out), table[i].written);
        buf_release(&out);
    }
}

/* Every code point of one and two bytes, at every distance from a block's edge, comes back from the
 * reader as it went in. */
static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x800; c++)
        for (size_t before = 14; before < 18; before++) {
            char text[64];
            size_t len = before;
            struct buf out = BUF_INIT(1000);
            struct json_writer w;
            struct err err;
            struct stream *in;
            struct json_reader *r;
            struct slice back;

            memset(text, 'p', sizeof(text));
            if (c < 0x80) {
                text[len++] = (char)c;
            } else {
                text[len++] = (char)(0xc0 | c >> 6);
                text[len++] = (char)(0x80 | (c & 0x3f));
            }
            len += 20;
            json_writer_init(&w, &out);
            json_write_string(&w, (struct slice){text, len});
            in = stream_open_memory(buf_slice(&out), &err);
            r = json_reader_new(in, &err);
            assert_true(json_peek_string(r, &back));
            assert_true(slice_eq(back, (struct slice){text, len}));
            assert_ok(json_reader_finish(r, &err));
            json_reader_free(r);
            stream_close(in);
            buf_release(&out);
        }
}

static void test_full_buffer_sticks(void **state)
{
    static const char whole[] = "{\"key\":[\"a\\n\xc3\xa9\",12,\"34\"]}";

    (void)state;
    for (size_t max = 0; max <= sizeof(whole); max++) {
        struct buf out = BUF_INIT(max);
        struct json_writer w;
        struct err err;
        int result;

        json_writer_init(&w, &out);
        json_write_begin_object(&w);
        json_write_key(&w, "key");
        json_write_begin_array(&w);
        json_write_string(&w, SLICE("a\n\xc3\xa9"));
        json_write_i64(&w, 12);
        json_write_i64_string(&w, 34);
        json_write_end_array(&w);
        json_write_end_object(&w);
        result = buf_check(&out, "the document", &err);
        assert_int_equal(result, max < sizeof(whole) - 1 ? -1 : 0);
        assert_true(out.len <= max);
        if (result)
            assert_int_equal(err.code, ERR_LIMIT);
        else
            assert_slice(buf_slice(&out), whole);
        buf_release(&out);
    }
}

/* What one writer has made of members, another puts among its own. */
static void test_members(void **state)
{
    struct buf part = BUF_INIT(1000), out = BUF_INIT(1000);
    struct json_writer w;

    (void)state;
    json_writer_init(&w, &part);
    json_write_begin_object(&w);
    json_write_member(&w, "b", SLICE("2"));
    json_write_member_u64(&w, "c", 3);
    json_writer_init(&w, &out);
    json_write_begin_array(&w);
    json_write_begin_object(&w);
    json_write_members(&w, slice_skip(buf_slice(&part), 1));
    json_write_members(&w, SLICE_NONE);
    json_write_end_object(&w);
    json_write_begin_object(&w);
    json_write_members(&w, SLICE_NONE);
    json_write_member(&w, "a", SLICE("1"));
    json_write_members(&w, slice_skip(buf_slice(&part), 1));
    json_write_member(&w, "d", SLICE("4"));
    json_write_end_object(&w);
    json_write_end_array(&w);
    assert_slice(
        buf_slice(&out), "[{\"b\":\"2\",\"c\":3},{\"a\":\"1\",\"b\":\"2\",\"c\":3,\"d\":\"4\"}]");
    buf_release(&part);
    buf_release(&out);
}

static void test_deepest(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct json_writer w;

    (void)state;
    json_writer_init(&w, &out);
    for (int i = 0; i < 60; i++) {
        json_write_begin_array(&w);
        json_write_i64(&w, 1);
    }
    for (int i = 0; i < 60; i++)
        json_write_end_array(&w);
    assert_true(slice_starts_with(buf_slice(&out), "[1,[1,[1,"));
    assert_int_equal(out.len, 60 * 2 + 60 + 59);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_full_buffer_sticks),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_deepest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
