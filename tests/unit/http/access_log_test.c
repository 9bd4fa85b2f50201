/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields a request's event has; how they are written is log_test.c's. */
#include "unit.h"

#include "http/access_log.h"

/* The event as a line of logfmt, from its message on. */
static const char *line_of(const struct http_request *request, const struct access_outcome *outcome)
{
    static char line[LOG_LINE_BYTES];
    struct log_field fields[LOG_FIELDS_MAX];
    size_t count = access_log_fields(request, outcome, fields);
    size_t len = log_format_event(LOG_LOGFMT, LOG_INFO, 0, "request", fields, count, line);

    line[len - 1] = '\0';
    return strstr(line, "msg=");
}

static void names_what_is_known(void **state)
{
    const struct http_request request = {.method = "GET",
        .path = SLICE_INIT("/v5/x"),
        .query = SLICE_INIT("limit=10&a"),
        .id = "0123456789abcdef0123456789abcdef",
        .user_name = SLICE_INIT("ana b"),
        .client = "::1"};
    const struct access_outcome outcome = {.status = 200, .sent_bytes = 12, .took_us = 34};

    (void)state;
    assert_string_equal(line_of(&request, &outcome),
        "msg=request method=GET path=/v5/x query=\"limit=10&a\" status=200 bytes=12 "
        "duration_us=34 user=\"ana b\" client=::1 request_id=0123456789abcdef0123456789abcdef");
}

static void no_client_writes_a_line_of_its_own(void **state)
{
    const struct http_request request = {
        .method = "G\nT", .path = SLICE_INIT("/a b\"\x1b[31m\\\xff\n"), .id = "x"};
    const struct access_outcome outcome = {.status = 200};

    (void)state;
    assert_string_equal(line_of(&request, &outcome),
        "msg=request method=\"G\\nT\" path=\"/a b\\\"\\u001b[31m\\\\\\ufffd\\n\" status=200 "
        "bytes=0 duration_us=0 request_id=x");
}

static void leaves_out_what_is_not_known(void **state)
{
    const struct http_request request = {.method = "", .id = "x"};
    const struct access_outcome cut = {.status = 200, .sent_bytes = 12, .cut = true};
    const struct access_outcome none = {.cut = true};

    (void)state;
    assert_string_equal(
        line_of(&request, &cut), "msg=request status=200 duration_us=0 request_id=x");
    assert_string_equal(line_of(&request, &none), "msg=request duration_us=0 request_id=x");
}

static void cuts_what_is_long(void **state)
{
    static char text[5000], method[5000];
    struct http_request request = {.method = method,
        .path = {text, sizeof(text)},
        .query = {text, sizeof(text)},
        .id = "0123456789abcdef0123456789abcdef"};
    const struct access_outcome outcome = {.status = 4294967295u, .took_us = INT64_MIN};

    (void)state;
    memset(method, 0x01, sizeof(method) - 1);
    memset(request.client, 'c', sizeof(request.client) - 1);
    for (int c = 0; c < 256; c++) {
        const char *line;

        memset(text, c, sizeof(text));
        line = line_of(&request, &outcome);
        assert_true(strlen(line) < 6 * (ACCESS_LOG_METHOD_BYTES + 2 * ACCESS_LOG_TEXT_BYTES) + 300);
        assert_non_null(strstr(line, " status=4294967295 "));
        assert_string_equal(line + strlen(line) - 32, request.id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_is_known),
        cmocka_unit_test(no_client_writes_a_line_of_its_own),
        cmocka_unit_test(leaves_out_what_is_not_known),
        cmocka_unit_test(cuts_what_is_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
