/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes under the JSON reader: ceilings of numbers and strings, and the edge of the window. */
#include "unit.h"

#include "base/limits.h"
#include "support/json_reading.h"

static void test_number_length(void **state)
{
    (void)state;
    for (size_t len = LIMIT_JSON_NUMBER_CHARS; len <= LIMIT_JSON_NUMBER_CHARS + 1; len++)
        for (int dot = 0; dot < 2; dot++) {
            char document[LIMIT_JSON_NUMBER_CHARS + 4];
            struct reading reading;

            memset(document, '7', sizeof(document));
            document[0] = '[';
            if (dot)
                document[len - 1] = '.';
            document[len + 1] = ']';
            reading = read_document((struct slice){document, len + 2}, 100, true);
            assert_int_equal(reading.accepted, len == LIMIT_JSON_NUMBER_CHARS);
            if (!reading.accepted) {
                assert_int_equal(reading.err.code, ERR_LIMIT);
                assert_string_equal(reading.err.message,
                    "[0]: a number is longer than the limit of 400 characters at byte 1");
            }
            reading_release(&reading);
        }
}

static void test_string_length(void **state)
{
    enum { MAX = LIMIT_JSON_STRING_BYTES };
    char *document = malloc(MAX + 20);

    (void)state;
    for (size_t len = MAX; len <= MAX + 1; len++) {
        struct reading walked, skipped;

        memset(document, 'x', MAX + 20);
        document[0] = '"';
        memcpy(document + 1, "\\u0041", 6); /* the limit is on the decoded text */
        document[len + 6] = '"';
        walked = read_document((struct slice){document, len + 7}, 5000, false);
        skipped = read_document((struct slice){document, len + 7}, 5000, true);
        assert_true(skipped.accepted);
        assert_int_equal(walked.accepted, len == MAX);
        if (!walked.accepted) {
            assert_int_equal(walked.err.code, ERR_LIMIT);
            assert_string_equal(
                walked.err.message, "a string is longer than the limit of 1048576 bytes at byte 0");
        }
        reading_release(&walked);
        reading_release(&skipped);
    }
    free(document);
}

/* A stream of 100 MB that is one string: skipping it may not need memory for it. */
struct endless {
    struct stream stream;
    size_t given, total;
};

static int endless_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct endless *s = (struct endless *)stream;
    size_t n = s->total - s->given < cap ? s->total - s->given : cap;

    (void)err;
    memset(dst, 'y', n);
    if (n && s->given == 0)
        memcpy(dst, "{\"blob\":\"", 9);
    if (n && s->given + n == s->total)
        memcpy((char *)dst + n - 1, "}", 1);
    if (n > 1 && s->given + n == s->total)
        memcpy((char *)dst + n - 2, "\"", 1);
    s->given += n;
    *ret = n;
    return 0;
}

static void test_huge_skipped_string(void **state)
{
    static const struct stream_ops ops = {endless_read, NULL};
    struct endless in = {{&ops}, 0, 100UL * 1024 * 1024};
    struct err err;
    struct json_reader *r = json_reader_new(&in.stream, &err);

    (void)state;
    assert_true(json_skip(r));
    assert_int_equal(json_offset(r), in.total);
    assert_ok(json_reader_finish(r, &err));
    json_reader_free(r);
}

/* Every kind of token laid across the end of the window, at every position. */
static void test_window_edge(void **state)
{
    static const char token[] = "{\"k\\u00e9y\":\"a\xe2\x82\xac\\ud83d\\ude00\\n\",\"b\":[-12,true,"
                                "null,0.5e1],\"longer than sixteen bytes\":false}";
    static const char emitted[] = "{\"k\xc3\xa9y\":\"a\xe2\x82\xac\xf0\x9f\x98\x80\\n\",\"b\":[-12,"
                                  "true,null,\"num\"],\"longer than sixteen bytes\":false}";
    enum { WINDOW = 64 * 1024 };
    size_t len = sizeof(token) - 1;
    char *document = malloc(WINDOW + len);

    (void)state;
    for (size_t before = WINDOW - len - 2; before <= WINDOW; before++) {
        struct reading reading, skipped;

        memset(document, ' ', before);
        memcpy(document + before, token, len);
        reading = read_document((struct slice){document, before + len}, SIZE_MAX, false);
        skipped = read_document((struct slice){document, before + len}, SIZE_MAX, true);
        assert_true(reading.accepted && skipped.accepted);
        assert_slice(buf_slice(&reading.out), emitted);
        reading_release(&reading);
        reading_release(&skipped);
    }
    free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_length),
        cmocka_unit_test(test_string_length),
        cmocka_unit_test(test_huge_skipped_string),
        cmocka_unit_test(test_window_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
