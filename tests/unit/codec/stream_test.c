/* SPDX-License-Identifier: Apache-2.0 */
/* Files, descriptors, memory and the byte ceiling. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/drip_stream.h"

/* Reads to the end in steps of `cap`; the text is the caller's to free. */
static char *read_all(struct stream *in, size_t cap)
{
    char *text = calloc(1, 1000);
    size_t len = 0, got = 1;
    struct err err;

    while (got) {
        assert_ok(stream_read(in, text + len, cap, &got, &err));
        assert_true(got <= cap);
        len += got;
        assert_true(len < 900);
    }
    assert_ok(stream_read(in, text + len, cap, &got, &err));
    assert_int_equal(got, 0); /* the end stays the end */
    return text;
}

static void test_memory(void **state)
{
    struct err err;

    (void)state;
    for (size_t cap = 1; cap < 20; cap++) {
        struct stream *in = stream_open_memory(SLICE("hello world"), &err);
        char *text = read_all(in, cap);

        assert_string_equal(text, "hello world");
        free(text);
        stream_close(in);
    }
    stream_close(NULL);
}

static void test_empty_memory(void **state)
{
    struct err err;
    struct stream *in = stream_open_memory(SLICE_NONE, &err);
    char *text = read_all(in, 10);

    (void)state;
    assert_string_equal(text, "");
    free(text);
    stream_close(in);
}

static void test_file(void **state)
{
    char path[] = "/tmp/careen-stream-XXXXXX";
    int fd = mkstemp(path);
    struct err err;
    struct stream *in;
    char *text;

    (void)state;
    assert_int_equal(write(fd, "content", 7), 7);
    close(fd);
    in = stream_open_file(path, &err);
    assert_non_null(in);
    unlink(path);
    text = read_all(in, 3);
    assert_string_equal(text, "content");
    free(text);
    stream_close(in);
}

static void test_pipe(void **state)
{
    int ends[2];
    struct err err;
    struct stream *in;
    char *text;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    in = stream_open_fd(ends[0], "standard input", &err);
    assert_non_null(in);
    text = read_all(in, 100);
    assert_string_equal(text, "piped");
    free(text);
    stream_close(in);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1); /* it was taken over */
}

static void test_refused_paths(void **state)
{
    static const struct {
        const char *path;
        enum err_code code;
        const char *says;
    } table[] = {
        {"/tmp", ERR_INVALID, "/tmp is a folder"},
        {"/dev/null", ERR_INVALID, "/dev/null is a device"},
        {"/nonexistent/file", ERR_NOT_FOUND, "cannot open /nonexistent/file: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct err err;

        assert_null(stream_open_file(table[i].path, &err));
        assert_int_equal(err.code, table[i].code);
        assert_non_null(strstr(err.message, table[i].says));
    }
}

static void test_read_error_is_sticky(void **state)
{
    int fd = open("/tmp", O_RDONLY | O_CLOEXEC);
    struct err err, again;
    struct stream *in = stream_open_fd(fd, "the folder", &err);
    size_t got = 99;
    char byte;

    (void)state;
    assert_int_equal(stream_read(in, &byte, 1, &got, &err), -1);
    assert_non_null(strstr(err.message, "cannot read the folder: "));
    assert_int_equal(stream_read(in, &byte, 1, &got, &again), -1);
    assert_string_equal(err.message, again.message);
    assert_int_equal(got, 99);
    stream_close(in);
}

static void test_limit(void **state)
{
    (void)state;
    for (size_t max = 0; max < 20; max++)
        for (size_t cap = 1; cap < 20; cap += 3) {
            struct drip_stream below = drip_of(SLICE("0123456789"), 4);
            struct err err;
            struct stream *in = stream_limit(&below.stream, max, "the report", &err);
            char text[20];
            size_t len = 0, got = 1;
            int result = 0;

            while (got && (result = stream_read(in, text, cap, &got, &err)) == 0)
                len += got;
            assert_int_equal(result, max < 10 ? -1 : 0);
            assert_int_equal(len, max < 10 ? max : 10);
            if (result) {
                char expected[100];

                snprintf(expected, sizeof(expected),
                    "the report is larger than the limit of %zu bytes", max);
                assert_string_equal(err.message, expected);
                assert_int_equal(err.code, ERR_LIMIT);
                assert_int_equal(stream_read(in, text, cap, &got, &err), -1);
            }
            stream_close(in);
            assert_int_equal(below.closed, 1);
        }
}

static void test_limit_passes_errors(void **state)
{
    struct drip_stream below = drip_of(SLICE("0123456789"), 4);
    struct err err;
    struct stream *in = stream_limit(&below.stream, 100, "the report", &err);
    char text[10];
    size_t got;

    (void)state;
    below.fail_after = 2;
    assert_ok(stream_read(in, text, sizeof(text), &got, &err));
    assert_int_equal(got, 2);
    assert_int_equal(stream_read(in, text, sizeof(text), &got, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    below.fail_after = SIZE_MAX;
    assert_int_equal(stream_read(in, text, sizeof(text), &got, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    stream_cleanup(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_empty_memory),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_refused_paths),
        cmocka_unit_test(test_read_error_is_sticky),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_passes_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
