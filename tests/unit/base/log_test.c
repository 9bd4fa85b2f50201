/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log in both formats. That they read back whatever their bytes are is shown by
 * tests/e2e/test_log.py with readers that are not ours. */
#include "unit.h"

#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static const char *format(
    enum log_format how, const char *event, const struct log_field *fields, size_t count)
{
    static char line[LOG_LINE_BYTES];
    size_t len = log_format_event(how, LOG_WARN, 1795503144123, event, fields, count, line);

    assert_int_equal(line[len - 1], '\n');
    line[len - 1] = '\0';
    assert_int_equal(strlen(line), len - 1);
    return line;
}

static void both_formats(void **state)
{
    const struct log_field fields[] = {LOG_NUMBER("n", -5), LOG_TEXT("path", SLICE("/a")),
        LOG_TEXT("q", SLICE("a=b c")), LOG_TEXT("none", SLICE_NONE), LOG_NUMBER("least", INT64_MIN),
        LOG_NUMBER("most", INT64_MAX), LOG_NUMBER("zero", 0)};

    (void)state;
    assert_string_equal(format(LOG_LOGFMT, "two words", fields, 7),
        "time=2026-11-24T06:52:24.123Z level=warn msg=\"two words\" n=-5 path=/a q=\"a=b c\" "
        "none=\"\" least=-9223372036854775808 most=9223372036854775807 zero=0");
    assert_string_equal(format(LOG_JSON, "word", fields, 7),
        "{\"time\":\"2026-11-24T06:52:24.123Z\",\"level\":\"warn\",\"msg\":\"word\",\"n\":-5,"
        "\"path\":\"/a\",\"q\":\"a=b c\",\"none\":\"\",\"least\":-9223372036854775808,"
        "\"most\":9223372036854775807,\"zero\":0}");
}

static void escapes(void **state)
{
    static const struct {
        struct slice text;
        const char *logfmt;
    } cases[] = {
        {SLICE_INIT("plain-/:;,.{}[]<>'"), "plain-/:;,.{}[]<>'"},
        {SLICE_INIT(" "), "\" \""},
        {SLICE_INIT("="), "\"=\""},
        {SLICE_INIT("\""), "\"\\\"\""},
        {SLICE_INIT("\\"), "\"\\\\\""},
        {SLICE_INIT("a\nb\rc\td"), "\"a\\nb\\rc\\td\""},
        {SLICE_INIT("\0\x1b\x7f"), "\"\\u0000\\u001b\\u007f\""},
        {SLICE_INIT("\xc2\x85"), "\"\\u0085\""},     /* NEL */
        {SLICE_INIT("\xe2\x80\xa8"), "\"\\u2028\""}, /* line separator */
        {SLICE_INIT("\xe2\x80\xae"), "\"\\u202e\""}, /* right to left from here */
        {SLICE_INIT("\xd8\x9c"), "\"\\u061c\""},
        {SLICE_INIT("\xff\xfe"), "\"\\ufffd\\ufffd\""},
        {SLICE_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
        {SLICE_INIT("\xe6\xbc"), "\"\\ufffd\\ufffd\""},            /* cut off */
        {SLICE_INIT("\xe6\xbc\x8f\xf0\x9f\x9a\xa2"), "\"\xe6\xbc\x8f\xf0\x9f\x9a\xa2\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct log_field field = LOG_TEXT("k", cases[i].text);

        assert_string_equal(strstr(format(LOG_LOGFMT, "m", &field, 1), " k=") + 3, cases[i].logfmt);
    }
}

/* The characters between the quotes of the last field, whose key ends with the last 'k'. */
static size_t last_text_chars(const char *line, enum log_format how)
{
    const char *value = strrchr(line, 'k') + (how == LOG_JSON ? 4 : 3);

    return strlen(value) - (how == LOG_JSON ? 2 : 1);
}

/* The longest line there can be fits, and a cut text does not end within a character. */
static void cuts(void **state)
{
    static char text[10000], key[LOG_KEY_CHARS + 1];
    static const char *const units[] = {
        "a", "\"", "\x01", "\xff", "\xe6\xbc\x8f", "\xf0\x9f\x9a\xa2"};
    struct log_field fields[LOG_FIELDS_MAX];

    (void)state;
    memset(key, 'k', LOG_KEY_CHARS);
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++)
        for (size_t shift = 0; shift < 7; shift++) {
            size_t len = strlen(units[u]), at = shift;
            const char *line;

            memset(text, 'x', shift);
            for (; at + len < sizeof(text); at += len)
                memcpy(text + at, units[u], len);
            text[at] = '\0';
            for (size_t i = 0; i < LOG_FIELDS_MAX; i++)
                fields[i] = LOG_TEXT(key, slice_of(text));
            for (int how = LOG_LOGFMT; how <= LOG_JSON; how++) {
                line = format((enum log_format)how, text, fields, LOG_FIELDS_MAX);
                assert_non_null(strstr(line, how == LOG_JSON ? "...\"}" : "...\""));
                assert_in_range(last_text_chars(line, (enum log_format)how), LOG_TEXT_CHARS - 8,
                    LOG_TEXT_CHARS);
            }
        }
    text[LOG_TEXT_CHARS] = '\0'; /* what fits is not cut */
    memset(text, 'x', LOG_TEXT_CHARS - 3);
    text[LOG_TEXT_CHARS - 3] = '\0';
    fields[0] = LOG_TEXT("k", slice_of(text));
    assert_null(strstr(format(LOG_JSON, "m", fields, 1), "..."));
    assert_null(strstr(format(LOG_LOGFMT, "m", fields, 1), "..."));
}

/* --- Written ---------------------------------------------------------------------------------- */

static int kept, kept_stderr;

static void capture(void)
{
    kept = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC | O_APPEND, 0600);
    kept_stderr = dup(STDERR_FILENO);
    assert_true(kept >= 0 && kept_stderr >= 0);
    dup2(kept, STDERR_FILENO);
}

static const char *captured(void)
{
    static char text[1 << 20];
    ssize_t got = pread(kept, text, sizeof(text) - 1, 0);

    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(kept);
    assert_true(got >= 0);
    text[got] = '\0';
    return text;
}

static void levels_and_formats_are_heeded(void **state)
{
    const char *text;

    (void)state;
    capture();
    log_line(LOG_DEBUG, "not %s", "written");
    log_line(LOG_INFO, "one %d", 1);
    log_set_level(LOG_ERROR);
    log_line(LOG_WARN, "not written");
    log_event(LOG_INFO, "not written", NULL, 0);
    log_set_format(LOG_JSON);
    log_line(LOG_ERROR, "two\nlines");
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "three");
    log_set_level(LOG_INFO);
    log_set_format(LOG_LOGFMT);
    text = captured();
    assert_memory_equal(text + 5 + 24, " level=info msg=\"one 1\"\n", 24);
    assert_non_null(strstr(text, "\"level\":\"error\",\"msg\":\"two\\nlines\"}\n{"));
    assert_non_null(strstr(text, "\"level\":\"debug\",\"msg\":\"three\"}\n"));
    assert_null(strstr(text, "written"));
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *state)
{
    const struct log_field field = LOG_TEXT("k", SLICE("v w"));

    (void)state;
    for (int i = 0; i < LINES; i++)
        log_event(LOG_ERROR, "x", &field, 1);
    return NULL;
}

/* The level changes while lines are written, and every line is whole (tsan looks on). */
static void threads_do_not_mix(void **state)
{
    pthread_t threads[THREADS];
    const char *text, *end;
    int lines = 0;

    (void)state;
    capture();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    for (int i = 0; i < LINES; i++)
        log_set_level(i % 2 ? LOG_INFO : LOG_ERROR);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_set_level(LOG_INFO);
    for (text = captured(); (end = strchr(text, '\n')); text = end + 1, lines++) {
        static const char rest[] = " level=error msg=x k=\"v w\"";

        assert_int_equal(end - text, 5 + 24 + sizeof(rest) - 1);
        assert_memory_equal(text + 5 + 24, rest, sizeof(rest) - 1);
    }
    assert_int_equal(lines, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats),
        cmocka_unit_test(escapes),
        cmocka_unit_test(cuts),
        cmocka_unit_test(levels_and_formats_are_heeded),
        cmocka_unit_test(threads_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
