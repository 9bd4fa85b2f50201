/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that are gathered: all of them arrive, whole, each thread's in its order, and never behind
 * a line that was written at once. */
#include "unit.h"

#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, LINES = 20000, URGENT_EVERY = 1000 };

/* Standard error goes into a file without a name meanwhile. */
static int stderr_before, file;

static void begin(void)
{
    char path[] = "/tmp/log_output_test-XXXXXX";

    file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    stderr_before = dup(STDERR_FILENO);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
}

static size_t file_bytes(void)
{
    return (size_t)lseek(file, 0, SEEK_END);
}

/* The file's text, to be freed. */
static char *end(void)
{
    size_t len = file_bytes();
    char *text = calloc(1, len + 1);

    assert_true(dup2(stderr_before, STDERR_FILENO) >= 0);
    close(stderr_before);
    assert_non_null(text);
    assert_int_equal(pread(file, text, len, 0), (ssize_t)len);
    close(file);
    return text;
}

static void log_number(const char *event, int64_t thread, int64_t number, bool soon)
{
    const struct log_field fields[] = {LOG_NUMBER("thread", thread), LOG_NUMBER("number", number)};

    (soon ? log_event_soon : log_event)(LOG_INFO, event, fields, 2);
}

static void *log_many(void *thread)
{
    for (int64_t i = 0; i < LINES; i++)
        log_number("line", (int64_t)(intptr_t)thread, i, i % URGENT_EVERY != 0);
    return NULL;
}

static uint64_t number_behind(const char *line, const char *key)
{
    const char *found = strstr(line, key);
    struct slice rest;
    uint64_t number;

    assert_non_null(found);
    rest = slice_of(found + strlen(key));
    assert_true(slice_to_u64(slice_pull_until(&rest, ' '), &number));
    return number;
}

/* Every line of every thread, in the order of that thread. */
static void assert_complete(char *text)
{
    uint64_t next[THREADS] = {0};
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) && *line) {
        uint64_t thread = number_behind(line, " thread=");

        assert_true(!strncmp(line, "time=", 5) && strstr(line, " level=info msg=line thread="));
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(number_behind(line, " number="), next[thread]++);
    }
    assert_null(rest);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
}

static void loses_nothing_and_keeps_order(void **state)
{
    pthread_t threads[THREADS];
    struct err err;
    char *text;

    (void)state;
    begin();
    assert_ok(log_gather_start(&err));
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_gather_stop();
    text = end();
    assert_complete(text);
    free(text);
}

static void the_thread_writes_by_itself(void **state)
{
    struct err err;
    char *text;

    (void)state;
    begin();
    assert_ok(log_gather_start(&err));
    for (int i = 0; i < 3; i++) {
        size_t before = file_bytes();

        log_number("waits", 0, i, true);
        while (file_bytes() == before)
            usleep(1000);
    }
    log_gather_stop();
    text = end();
    assert_non_null(strstr(text, "number=2\n"));
    free(text);
}

/* When log_event() returns, its line is there, and what waited stands before it. */
static void urgent_lines_wait_for_nobody(void **state)
{
    struct err err;
    char *text, *waited;

    (void)state;
    begin();
    assert_ok(log_gather_start(&err));
    log_number("waits", 0, 1, true);
    log_number("urgent", 0, 2, false);
    text = calloc(1, file_bytes() + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, file_bytes(), 0), (ssize_t)file_bytes());
    waited = strstr(text, "msg=waits");
    assert_non_null(waited);
    assert_non_null(strstr(waited, "msg=urgent"));
    free(text);
    log_gather_stop();
    free(end());
}

/* Before, and behind the stop, each line is written at once; and it can be begun again. */
static void without_gathering(void **state)
{
    struct err err;

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        begin();
        log_number("line", 0, 0, true);
        assert_true(file_bytes() > 0);
        assert_ok(log_gather_start(&err));
        log_number("line", 0, 0, true);
        log_gather_stop();
        free(end());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loses_nothing_and_keeps_order),
        cmocka_unit_test(the_thread_writes_by_itself),
        cmocka_unit_test(urgent_lines_wait_for_nobody),
        cmocka_unit_test(without_gathering),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
