/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader: tables of good and bad documents with the offsets of their errors, read whole
 * and byte by byte, walked and skipped; then the calls one by one, and the ceilings.
 */
#include "unit.h"

#include "base/limits.h"
#include "support/json_reading.h"

static const struct {
    const char *document, *emitted;
} good[] = {
    {"{}", "{}"},
    {"[]", "[]"},
    {" [ ] ", "[]"},
    {"\t\r\n{ }\n", "{}"},
    {"\"\"", "\"\""},
    {"true", "true"},
    {" false ", "false"},
    {"null", "null"},
    {"0", "0"},
    {"-0", "0"},
    {"-1", "-1"},
    {"10", "10"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", "\"num\""},
    {"0.5", "\"num\""},
    {"[1e3,1E+3,1e-3,0e0,-0.0,1.25E10]", "[\"num\",\"num\",\"num\",\"num\",\"num\",\"num\"]"},
    {"[1,[2,[3,{\"a\":[]}]],4]", "[1,[2,[3,{\"a\":[]}]],4]"},
    {"{\"a\":1,\"b\":{\"c\":null},\"a\":2}", "{\"a\":1,\"b\":{\"c\":null},\"a\":2}"},
    {"{ \"a\" : 1 , \"b\" : [ true , false ] }", "{\"a\":1,\"b\":[true,false]}"},
    {"\xef\xbb\xbf{}", "{}"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0041\\u00e9\\u20AC\\u0001\"", "\"A\xc3\xa9\xe2\x82\xac\\u0001\""},
    {"\"\\u0000\"", "\"\\u0000\""},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\\udbff\\udfff\"", "\"\xf4\x8f\xbf\xbf\""},
    {"\"\\ud83d\"", "\"\xef\xbf\xbd\""},
    {"\"\\ude00x\"", "\"\xef\xbf\xbdx\""},
    {"\"\\ud83d\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\""},
    {"\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd"
                           "A\""},
    {"\"\\ud83d\\n\"", "\"\xef\xbf\xbd\\n\""},
    {"\"\x7f\"", "\"\x7f\""},
    {"\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\"",
        "\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\""},
    {"{\"\\u0061\\n\":1,\"\":2}", "{\"a\\n\":1,\"\":2}"},
    {"\"0123456789abcdef0123456789abcde\\n0123456789abcdef\xc3\xa9\"",
        "\"0123456789abcdef0123456789abcde\\n0123456789abcdef\xc3\xa9\""},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        for (size_t step = 1; step < 100; step += step < 5 ? 1 : 90) {
            struct slice document = slice_of(good[i].document);
            struct reading walked = read_document(document, step, false);
            struct reading skipped = read_document(document, step, true);

            if (!walked.accepted || !slice_is(buf_slice(&walked.out), good[i].emitted))
                fail_msg("%s: %s, %s", good[i].document, walked.out.data, walked.err.message);
            if (!skipped.accepted)
                fail_msg("%s skipped: %s", good[i].document, skipped.err.message);
            reading_release(&walked);
            reading_release(&skipped);
        }
}

static const struct {
    const char *document;
    enum err_code code;
    const char *message;
} bad[] = {
    {"", ERR_FORMAT, "the document is empty: it ends at byte 0"},
    {" \n ", ERR_FORMAT, "the document has no value, only blanks: it ends at byte 3"},
    {"\xef\xbb\xbf", ERR_FORMAT, "the document has no value, only blanks: it ends at byte 3"},
    {"{", ERR_FORMAT, "the document ends in the middle of an object at byte 1"},
    {"[ ", ERR_FORMAT, "the document ends in the middle of an array at byte 2"},
    {"{\"a", ERR_FORMAT, "the document ends in the middle of a key at byte 3"},
    {"{\"a\"", ERR_FORMAT, "a: the document ends in the middle of an object at byte 4"},
    {"{\"a\":", ERR_FORMAT, "a: the document ends in the middle of an object at byte 5"},
    {"{\"a\":1", ERR_FORMAT, "a: the document ends in the middle of an object at byte 6"},
    {"{\"a\":1,", ERR_FORMAT, "the document ends in the middle of an object at byte 7"},
    {"[1,", ERR_FORMAT, "[1]: the document ends in the middle of an array at byte 3"},
    {"[\"abc", ERR_FORMAT, "[0]: the document ends in the middle of a string at byte 5"},
    {"\"abc\\", ERR_FORMAT, "the document ends in the middle of a string at byte 5"},
    {"\"\\u12", ERR_FORMAT, "the document ends in the middle of a string at byte 5"},
    {"\"\xe2\x82", ERR_FORMAT, "the document ends in the middle of a string at byte 3"},
    {"tru", ERR_FORMAT, "the document ends in the middle of true at byte 3"},
    {"[n", ERR_FORMAT, "[0]: the document ends in the middle of null at byte 2"},
    {"-", ERR_FORMAT, "the document ends in the middle of a number at byte 1"},
    {"1.", ERR_FORMAT, "the document ends in the middle of a number at byte 2"},
    {"1e", ERR_FORMAT, "the document ends in the middle of a number at byte 2"},
    {"1e+", ERR_FORMAT, "the document ends in the middle of a number at byte 3"},
    {"[01]", ERR_FORMAT, "[0]: broken number: more digits follow a leading 0 at byte 1"},
    {"[-x]", ERR_FORMAT, "[0]: broken number: a digit is missing at byte 2"},
    {"[1.x]", ERR_FORMAT, "[0]: broken number: a digit is missing at byte 3"},
    {"[1.e3]", ERR_FORMAT, "[0]: broken number: a digit is missing at byte 3"},
    {"[1e+]", ERR_FORMAT, "[0]: broken number: a digit is missing at byte 4"},
    {"[+1]", ERR_FORMAT, "[0]: expected a value, found '+' at byte 1"},
    {"[.5]", ERR_FORMAT, "[0]: expected a value, found '.' at byte 1"},
    {"[0x10]", ERR_FORMAT, "[0]: expected ',' or ']', found 'x' at byte 2"},
    {"1 2", ERR_FORMAT, "expected the end of the document, found a number at byte 2"},
    {"{}}", ERR_FORMAT, "expected the end of the document, found '}' at byte 2"},
    {"[]\x01", ERR_FORMAT, "expected the end of the document, found byte 0x01 at byte 2"},
    {"[1 2]", ERR_FORMAT, "[0]: expected ',' or ']', found a number at byte 3"},
    {"[1,]", ERR_FORMAT, "[1]: expected a value, found ']' at byte 3"},
    {"[,1]", ERR_FORMAT, "[0]: expected a value, found ',' at byte 1"},
    {"[1}", ERR_FORMAT, "[0]: expected ',' or ']', found '}' at byte 2"},
    {"{\"a\":1]", ERR_FORMAT, "a: expected ',' or '}', found ']' at byte 6"},
    {"{\"a\":1,}", ERR_FORMAT, "expected a key in quotes, found '}' at byte 7"},
    {"{,}", ERR_FORMAT, "expected a key in quotes, found ',' at byte 1"},
    {"{a:1}", ERR_FORMAT, "expected a key in quotes, found 'a' at byte 1"},
    {"{1:1}", ERR_FORMAT, "expected a key in quotes, found a number at byte 1"},
    {"{\"a\" 1}", ERR_FORMAT, "a: expected ':' behind a key, found a number at byte 5"},
    {"{\"a\":}", ERR_FORMAT, "a: expected a value, found '}' at byte 5"},
    {"{\"a\":1 \"b\":2}", ERR_FORMAT, "a: expected ',' or '}', found a string at byte 7"},
    {"NaN", ERR_FORMAT, "the word \"NaN\" is no JSON value at byte 0"},
    {"[Infinity]", ERR_FORMAT, "[0]: the word \"Infinity\" is no JSON value at byte 1"},
    {"[-Infinity]", ERR_FORMAT, "[0]: broken number: a digit is missing at byte 2"},
    {"[nul]", ERR_FORMAT, "[0]: the word \"nul\" is no JSON value at byte 1"},
    {"[TRUE]", ERR_FORMAT, "[0]: the word \"TRUE\" is no JSON value at byte 1"},
    {"truex", ERR_FORMAT, "the word \"truex\" is no JSON value at byte 0"},
    {"['a']", ERR_FORMAT, "[0]: expected a value, found ''' at byte 1"},
    {"[1/**/]", ERR_FORMAT, "[0]: expected ',' or ']', found '/' at byte 2"},
    {"[\xa0]", ERR_FORMAT, "[0]: expected a value, found byte 0xa0 at byte 1"},
    {"\"a\nb\"", ERR_FORMAT, "control character 0x0a in a string; it must be escaped at byte 2"},
    {"{\"a\tb\":1}", ERR_FORMAT, "control character 0x09 in a key; it must be escaped at byte 3"},
    {"\"a\\xb\"", ERR_FORMAT, "unknown escape in a string at byte 2"},
    {"\"\\u12g4\"", ERR_FORMAT,
        "broken escape in a string: four hex digits must follow \\u at byte 1"},
    {"\"\\ud83d\\u12g4\"", ERR_FORMAT,
        "broken escape in a string: four hex digits must follow \\u at byte 7"},
    {"\"ab\x80\"", ERR_FORMAT, "a string is not UTF-8 at byte 3"},
    {"\"\xc0\x80\"", ERR_FORMAT, "a string is not UTF-8 at byte 1"},
    {"\"\xed\xa0\x80\"", ERR_FORMAT, "a string is not UTF-8 at byte 1"},
    {"\"\xf4\x90\x80\x80\"", ERR_FORMAT, "a string is not UTF-8 at byte 1"},
    {"\"\xe2\x82\"", ERR_FORMAT, "a string is not UTF-8 at byte 1"},
    {"{\"Results\":[{\"Vulnerabilities\":[{},{\"PkgName\":x}]}]}", ERR_FORMAT,
        "Results[0].Vulnerabilities[1].PkgName: the word \"x\" is no JSON value at byte 46"},
    {"{\"a\x01\":1}", ERR_FORMAT, "control character 0x01 in a key; it must be escaped at byte 3"},
};

static void check_bad(size_t i, struct reading *reading, const char *how)
{
    if (reading->accepted)
        fail_msg("%s was accepted when %s", bad[i].document, how);
    if (reading->err.code != bad[i].code || strcmp(reading->err.message, bad[i].message) != 0)
        fail_msg("%s, %s: \"%s\" instead of \"%s\"", bad[i].document, how, reading->err.message,
            bad[i].message);
    reading_release(reading);
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (size_t step = 1; step < 100; step += step < 5 ? 1 : 90) {
            struct slice document = slice_of(bad[i].document);
            struct reading walked = read_document(document, step, false);
            struct reading skipped = read_document(document, step, true);

            check_bad(i, &walked, "walked");
            check_bad(i, &skipped, "skipped");
        }
}

static void test_encodings(void **state)
{
    static const struct {
        struct slice document;
        const char *name;
    } refused[] = {
        {SLICE_INIT("\xff\xfe{\0}\0"), "UTF-16"},
        {SLICE_INIT("\xfe\xff\0{\0}"), "UTF-16"},
        {SLICE_INIT("{\0}\0"), "UTF-16"},
        {SLICE_INIT("\0{\0}"), "UTF-16"},
        {SLICE_INIT("\xff\xfe\0\0{\0\0\0"), "UTF-32"},
        {SLICE_INIT("\0\0\xfe\xff\0\0\0{"), "UTF-32"},
        {SLICE_INIT("{\0\0\0}\0\0\0"), "UTF-32"},
        {SLICE_INIT("\0\0\0{\0\0\0}"), "UTF-32"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct reading reading = read_document(refused[i].document, 1, true);

        assert_false(reading.accepted);
        assert_int_equal(reading.err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(reading.err.message, refused[i].name));
        reading_release(&reading);
    }
}

/* ---- the calls ---- */

struct walk {
    struct drip_stream in;
    struct json_reader *r;
    struct arena arena;
    struct err err;
};

static void walk_begin(struct walk *walk, const char *document)
{
    walk->in = drip_of(slice_of(document), 7);
    walk->r = json_reader_new(&walk->in.stream, &walk->err);
    assert_non_null(walk->r);
    arena_init(&walk->arena, "the test", 1024 * 1024);
}

static void walk_end(struct walk *walk)
{
    json_reader_free(walk->r);
    arena_release(&walk->arena);
}

static void walk_finishes(struct walk *walk)
{
    struct err err;

    assert_ok(json_reader_finish(walk->r, &err));
    assert_false(json_failed(walk->r));
    walk_end(walk);
}

static void walk_fails(struct walk *walk, enum err_code code, const char *message)
{
    assert_true(json_failed(walk->r));
    assert_int_equal(json_reader_finish(walk->r, &walk->err), -1);
    assert_string_equal(walk->err.message, message);
    assert_int_equal(walk->err.code, code);
    walk_end(walk);
}

static void test_walk(void **state)
{
    struct walk walk;
    struct slice key, value = SLICE_NONE;
    int64_t number = 0, sum = 0;
    bool flag = false;
    unsigned keys = 0;

    (void)state;
    walk_begin(&walk, "{\"name\": \"b\\u0061sh\", \"size\": -12, \"on\": true, \"list\": [1, 2, "
                      "3], \"rest\": {\"x\": [{}]}, \"num\": 1.50}");
    assert_int_equal(json_peek(walk.r), JSON_OBJECT);
    assert_int_equal(json_peek(walk.r), JSON_OBJECT);
    assert_true(json_begin_object(walk.r));
    while (json_next_key(walk.r, &key)) {
        keys++;
        if (slice_is(key, "name")) {
            assert_true(json_read_string(walk.r, &walk.arena, &value));
            assert_int_equal(json_offset(walk.r), 20);
        } else if (slice_is(key, "size")) {
            assert_true(json_read_i64(walk.r, &number));
        } else if (slice_is(key, "on")) {
            assert_true(json_read_bool(walk.r, &flag));
        } else if (slice_is(key, "list")) {
            assert_true(json_begin_array(walk.r));
            while (json_next_element(walk.r)) {
                int64_t one = 0;

                assert_true(json_read_i64(walk.r, &one));
                sum += one;
            }
        } else if (slice_is(key, "num")) {
            struct slice text;

            assert_true(json_peek_number(walk.r, &text));
            assert_slice(text, "1.50");
        } else {
            assert_slice(key, "rest");
            assert_true(json_skip(walk.r));
        }
    }
    assert_int_equal(json_peek(walk.r), JSON_NOTHING);
    assert_int_equal(keys, 6);
    assert_slice(value, "bash");
    assert_int_equal(number, -12);
    assert_int_equal(sum, 6);
    assert_true(flag);
    walk_finishes(&walk);
}

static void test_null_is_empty(void **state)
{
    struct walk walk;
    struct slice key, text = SLICE("untouched");
    int64_t number = 5;
    bool flag = true;

    (void)state;
    walk_begin(&walk, "[null, null, null, null, null, null, null]");
    assert_true(json_begin_array(walk.r));
    assert_true(json_next_element(walk.r) && json_begin_object(walk.r));
    assert_false(json_next_key(walk.r, &key));
    assert_true(json_next_element(walk.r) && json_begin_array(walk.r));
    assert_false(json_next_element(walk.r));
    assert_true(json_next_element(walk.r) && json_peek_string(walk.r, &text));
    assert_int_equal(text.len, 0);
    assert_true(json_next_element(walk.r) && json_read_string(walk.r, &walk.arena, &text));
    assert_int_equal(text.len, 0);
    assert_true(json_next_element(walk.r) && json_read_i64(walk.r, &number));
    assert_true(json_next_element(walk.r) && json_read_bool(walk.r, &flag));
    assert_true(json_next_element(walk.r) && json_peek_number(walk.r, &text));
    assert_int_equal(text.len, 0);
    assert_false(json_next_element(walk.r));
    assert_int_equal(number, 5);
    assert_true(flag);
    walk_finishes(&walk);
}

static void test_mismatches(void **state)
{
    static const struct {
        const char *document, *message;
        char call;
    } table[] = {
        {" 12", "expected a string, found a number at byte 1", 's'},
        {"[]", "expected a string, found an array at byte 0", 'S'},
        {"true", "expected a string, found a boolean at byte 0", 's'},
        {"\"a\"", "expected an integer, found a string at byte 0", 'i'},
        {"1.5", "expected an integer of 64 bits, found 1.5 at byte 0", 'i'},
        {"1e3", "expected an integer of 64 bits, found 1e3 at byte 0", 'i'},
        {"9223372036854775808",
            "expected an integer of 64 bits, found 9223372036854775808 at byte 0", 'i'},
        {"{}", "expected a boolean, found an object at byte 0", 'b'},
        {"{}", "expected an array, found an object at byte 0", 'a'},
        {"\"x\"", "expected an object, found a string at byte 0", 'o'},
        {"\"x\"", "expected a number, found a string at byte 0", 'n'},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct walk walk;
        struct slice text;
        int64_t number = 7;
        bool flag = true, got = true;

        walk_begin(&walk, table[i].document);
        switch (table[i].call) {
        case 's':
            got = json_peek_string(walk.r, &text);
            break;
        case 'S':
            got = json_read_string(walk.r, &walk.arena, &text);
            break;
        case 'i':
            got = json_read_i64(walk.r, &number);
            break;
        case 'b':
            got = json_read_bool(walk.r, &flag);
            break;
        case 'a':
            got = json_begin_array(walk.r);
            break;
        case 'o':
            got = json_begin_object(walk.r);
            break;
        case 'n':
            got = json_peek_number(walk.r, &text);
            break;
        default:
            fail();
        }
        assert_false(got);
        assert_int_equal(number, 7);
        walk_fails(&walk, ERR_INVALID, table[i].message);
    }
}

static void test_failure_is_sticky(void **state)
{
    struct walk walk;
    struct slice text = SLICE("x");
    struct err other = {ERR_NOMEM, "another"};
    int64_t number = 1;
    bool flag = true;

    (void)state;
    walk_begin(&walk, "{\"a\":{\"b\":[\"x\",2]}}");
    json_begin_object(walk.r);
    json_next_key(walk.r, &text);
    json_begin_object(walk.r);
    json_next_key(walk.r, &text);
    json_begin_array(walk.r);
    json_next_element(walk.r);
    assert_true(json_peek_string(walk.r, &text));
    json_fail(walk.r, ERR_INVALID, "\"%.*s\" is no %s", SLICE_FMT(text), "severity");
    json_fail(walk.r, ERR_NOMEM, "a second one");
    json_fail_with(walk.r, &other);
    assert_false(json_next_element(walk.r));
    assert_false(json_next_key(walk.r, &text));
    assert_false(json_begin_object(walk.r) || json_begin_array(walk.r) || json_skip(walk.r));
    assert_false(json_peek_string(walk.r, &text) || json_peek_number(walk.r, &text));
    assert_false(json_read_string(walk.r, &walk.arena, &text) || json_read_i64(walk.r, &number) ||
                 json_read_bool(walk.r, &flag));
    assert_int_equal(json_peek(walk.r), JSON_NOTHING);
    assert_int_equal(text.len, 0);
    walk_fails(&walk, ERR_INVALID, "a.b[0]: \"x\" is no severity at byte 11");

    walk_begin(&walk, "{}");
    json_fail_with(walk.r, &other);
    walk_fails(&walk, ERR_NOMEM, "another");
}

static void test_arena_full(void **state)
{
    struct walk walk;
    struct slice text;

    (void)state;
    walk_begin(&walk, "\"0123456789012345678901234567890123456789\"");
    walk.arena.max_bytes = 16;
    assert_false(json_read_string(walk.r, &walk.arena, &text));
    assert_int_equal(json_reader_finish(walk.r, &walk.err), -1);
    assert_int_equal(walk.err.code, ERR_LIMIT);
    walk_end(&walk);
}

static void test_finish_early(void **state)
{
    struct walk walk;
    struct slice key;

    (void)state;
    walk_begin(&walk, "{\"a\":1}");
    walk.err.code = ERR_NONE;
    assert_int_equal(json_reader_finish(walk.r, &walk.err), -1); /* nothing was read */
    assert_int_equal(walk.err.code, ERR_FORMAT);
    walk_end(&walk);
    walk_begin(&walk, "{\"a\":1}");
    json_begin_object(walk.r);
    json_next_key(walk.r, &key);
    json_skip(walk.r);
    assert_int_equal(json_reader_finish(walk.r, &walk.err), -1); /* the object was not left */
    assert_string_equal(
        walk.err.message, "a: expected the end of the document, found '}' at byte 6");
    walk_end(&walk);
}

static void test_stream_error_passes_through(void **state)
{
    static const char document[] = "{\"a\": [\"some text\", true, 12.5, null]}";

    (void)state;
    for (size_t at = 0; at < sizeof(document); at++)
        for (int skip = 0; skip < 2; skip++) {
            struct drip_stream in = drip_of(slice_of(document), 3);
            struct buf out = BUF_INIT(1000);
            struct json_writer w;
            struct err err;
            struct json_reader *r = json_reader_new(&in.stream, &err);

            in.fail_after = at;
            json_writer_init(&w, &out);
            if (skip)
                json_skip(r);
            else
                json_emit(r, &w);
            assert_int_equal(json_reader_finish(r, &err), -1);
            assert_int_equal(err.code, ERR_IO);
            assert_string_equal(err.message, "the drip dried up");
            assert_int_equal(in.closed, 0);
            json_reader_free(r);
            buf_release(&out);
        }
}

static void test_depth(void **state)
{
    char document[2 * LIMIT_JSON_DEPTH + 3];

    (void)state;
    for (size_t depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        memset(document, '[', depth);
        memset(document + depth, ']', depth);
        for (int skip = 0; skip < 2; skip++) {
            struct reading reading =
                read_document((struct slice){document, 2 * depth}, 1000, skip != 0);

            assert_int_equal(reading.accepted, depth == LIMIT_JSON_DEPTH);
            if (!reading.accepted) {
                assert_int_equal(reading.err.code, ERR_LIMIT);
                assert_non_null(strstr(reading.err.message, "limit of 128 levels at byte 128"));
            }
            reading_release(&reading);
        }
    }
}

static void test_long_keys_and_paths(void **state)
{
    struct buf document = BUF_INIT(1024 * 1024);
    struct walk walk;
    struct slice key;
    char name[101];

    (void)state;
    memset(name, 'n', 100);
    name[100] = '\0';
    for (int i = 0; i < 40; i++)
        buf_printf(&document, "{\"%d-%s\":", i, name);
    buf_put_cstr(&document, "x");
    walk_begin(&walk, document.data);
    for (int i = 0; i < 40; i++) {
        char start[8];

        assert_true(json_begin_object(walk.r) && json_next_key(walk.r, &key));
        snprintf(start, sizeof(start), "%d-n", i);
        assert_true(slice_starts_with(key, start) && key.len > 101 && slice_ends_with(key, "nnn"));
    }
    assert_false(json_skip(walk.r));
    assert_int_equal(json_reader_finish(walk.r, &walk.err), -1);
    assert_true(strlen(walk.err.message) < 700);
    assert_true(slice_starts_with(slice_of(walk.err.message), "...35-nn"));
    assert_non_null(strstr(walk.err.message, "39-nnn"));
    assert_true(slice_ends_with(slice_of(walk.err.message), "no JSON value at byte 4270"));
    walk_end(&walk);
    buf_release(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_null_is_empty),
        cmocka_unit_test(test_mismatches),
        cmocka_unit_test(test_failure_is_sticky),
        cmocka_unit_test(test_arena_full),
        cmocka_unit_test(test_finish_early),
        cmocka_unit_test(test_stream_error_passes_through),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_long_keys_and_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
