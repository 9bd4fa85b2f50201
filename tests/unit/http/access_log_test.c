/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "http/access_log.h"

#include <string.h>

static void escapes_what_clients_write(void **state)
{
    const struct http_request request = {.method = "G\nT",
        .target = SLICE_INIT("/a b\"\x1b[31m\\\xff"),
        .id = "0123456789abcdef0123456789abcdef",
        .client = "::1"};
    const struct access_outcome outcome = {.status = 200, .sent_bytes = 12, .took_us = 34};
    char line[ACCESS_LOG_LINE_BYTES];

    (void)state;
    access_log_format(&request, &outcome, line);
    assert_string_equal(line, "G\\x0aT /a\\x20b\"\\x1b[31m\\x5c\\xff 200 12 34us ::1 "
                              "0123456789abcdef0123456789abcdef");
}

static void marks_what_is_not_known(void **state)
{
    const struct http_request request = {.method = "", .id = "x"};
    const struct access_outcome cut = {.status = 200, .sent_bytes = 12, .cut = true};
    const struct access_outcome none = {.cut = true};
    char line[ACCESS_LOG_LINE_BYTES];

    (void)state;
    access_log_format(&request, &cut, line);
    assert_string_equal(line, "- - 200 - 0us - x");
    access_log_format(&request, &none, line);
    assert_string_equal(line, "- - - - 0us - x");
}

static void cuts_long_targets(void **state)
{
    static char target[5000], method[5000];
    struct http_request request = {.method = method, .id = "0123456789abcdef0123456789abcdef"};
    const struct access_outcome outcome = {
        .status = 4294967295u, .sent_bytes = UINT64_MAX, .took_us = INT64_MIN};
    char line[ACCESS_LOG_LINE_BYTES];

    (void)state;
    memset(method, 0x01, sizeof(method) - 1);
    memset(request.client, 'c', sizeof(request.client) - 1);
    for (int c = 0; c < 256; c++) {
        char *end;

        memset(target, c, sizeof(target));
        request.target = (struct slice){target, sizeof(target)};
        access_log_format(&request, &outcome, line);
        end = strstr(line, "... 4294967295 18446744073709551615 -9223372036854775808us ");
        assert_non_null(end);
        assert_true(end + 3 - line <= ACCESS_LOG_METHOD_CHARS + 1 + ACCESS_LOG_TARGET_CHARS);
        assert_string_equal(line + strlen(line) - 32, request.id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_what_clients_write),
        cmocka_unit_test(marks_what_is_not_known),
        cmocka_unit_test(cuts_long_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
