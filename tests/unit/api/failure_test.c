/* SPDX-License-Identifier: Apache-2.0 */
/* The table of failures against the contract (sections 4.3, 4.4, 8.3), and the bodies. */
#include "unit.h"

#include "api/failure.h"
#include "base/arena.h"
#include "codec/json_reader.h"

static void test_table(void **state)
{
    static const struct {
        enum err_code code;
        unsigned status;
        const char *name;
        int exit_status;
    } cases[] = {
        {ERR_USAGE, 400, "HSS.0001", EXIT_USAGE},
        {ERR_INVALID, 400, "HSS.0001", EXIT_USAGE},
        {ERR_FORMAT, 400, "HSS.0002", EXIT_FAILED},
        {ERR_UNSUPPORTED, 400, "HSS.0002", EXIT_FAILED},
        {ERR_LIMIT, 413, "APIGW.0201", EXIT_FAILED},
        {ERR_NOT_FOUND, 400, "HSS.0011", EXIT_FAILED},
        {ERR_CONFLICT, 400, "HSS.0001", EXIT_FAILED},
        {ERR_FORBIDDEN, 400, "HSS.0013", EXIT_FAILED},
        {ERR_BUSY, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_DENIED, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_FULL, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_IO, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_CORRUPT, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_VERSION, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_NOMEM, 500, "APIGW.0601", EXIT_FAILED},
        {ERR_LOADING, 503, "APIGW.0601", EXIT_FAILED},
    };

    (void)state;
    assert_int_equal(sizeof(cases) / sizeof(cases[0]), ERR_CODE_COUNT - 1); /* all of them */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct failure *failure = failure_of(cases[i].code);

        assert_int_equal(failure->http_status, cases[i].status);
        assert_string_equal(failure->code, cases[i].name);
        assert_int_equal(failure->exit_status, cases[i].exit_status);
        assert_true(strlen(failure->text) > 0);
        assert_int_equal(failure->gateway, strncmp(failure->code, "APIGW.", 6) == 0);
    }
}

static void test_transport(void **state)
{
    static const struct {
        unsigned status;
        const char *text;
    } cases[] = {{400, "API request error."}, {413, "Request entity too large."},
        {414, "Request URI too large."}, {431, "Request headers too large."},
        {502, "Backend unavailable."}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct failure *failure = failure_of_transport(cases[i].status);

        assert_non_null(failure);
        assert_int_equal(failure->http_status, cases[i].status);
        assert_string_equal(failure->code, "APIGW.0201");
        assert_string_equal(failure->text, cases[i].text);
    }
    assert_null(failure_of_transport(500));
    assert_null(failure_of_transport(200));
}

/* --- Bodies ----------------------------------------------------------------------------------- */

static void check_body(const struct failure *failure, const char *detail, const char *expected)
{
    struct buf body = BUF_INIT(65536);

    failure_write(&body, failure, detail, "0123");
    assert_slice(buf_slice(&body), expected);
    buf_release(&body);
}

static void test_bodies(void **state)
{
    (void)state;
    check_body(failure_of(ERR_INVALID), "limit: must be 10-200",
        "{\"error_code\":\"HSS.0001\","
        "\"error_msg\":\"Invalid parameter. (limit: must be 10-200)\","
        "\"error_description\":\"limit: must be 10-200\",\"request_id\":\"0123\"}");
    check_body(failure_of(ERR_INVALID), "",
        "{\"error_code\":\"HSS.0001\",\"error_msg\":\"Invalid parameter.\","
        "\"error_description\":\"Invalid parameter.\",\"request_id\":\"0123\"}");
    check_body(&failure_unauthenticated, "x-auth-token not found",
        "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"Incorrect IAM authentication information: "
        "x-auth-token not found\",\"request_id\":\"0123\"}");
    check_body(&failure_no_route, "",
        "{\"error_code\":\"APIGW.0101\",\"error_msg\":\"The API does not exist or has not been "
        "published in the environment.\",\"request_id\":\"0123\"}");
    check_body(&failure_wrong_method, "",
        "{\"error_code\":\"APIGW.0101\",\"error_msg\":\"The API does not exist.\","
        "\"request_id\":\"0123\"}");
    check_body(&failure_wrong_project, "",
        "{\"error_code\":\"APIGW.0302\",\"error_msg\":\"The IAM user is not authorized to access "
        "the API.\",\"request_id\":\"0123\"}");
}

/* Whatever the detail holds, the body is JSON, and code and message are not empty. */
static void test_hostile_detail(void **state)
{
    static const char *const details[] = {
        "quote \" backslash \\ newline \n end", "\xff\xfe cut \xe9", "</script>", "%s%n"};

    (void)state;
    for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
        for (int iam = 0; iam < 2; iam++) {
            struct buf body = BUF_INIT(65536);
            struct arena arena;
            struct err err;
            struct stream *in;
            struct json_reader *r;
            struct slice key;
            size_t members = 0;

            arena_init(&arena, "a test", 65536);
            (iam ? failure_write_iam : failure_write)(
                &body, failure_of(ERR_INVALID), details[i], "0123");
            in = stream_open_memory(buf_slice(&body), &err);
            r = json_reader_new(in, &err);
            assert_non_null(r);
            json_begin_object(r);
            while (json_next_key(r, &key)) {
                members++;
                json_skip(r);
            }
            assert_ok(json_reader_finish(r, &err));
            assert_int_equal(members, 4);
            json_reader_free(r);
            stream_close(in);
            arena_release(&arena);
            buf_release(&body);
        }
}

/* The code that a body of IAM has is the one that failure_iam_code() tells. */
static void test_iam_codes(void **state)
{
    (void)state;
    assert_string_equal(failure_iam_code(&failure_iam_body), "IAM.0011");
    assert_string_equal(failure_iam_code(failure_of(ERR_INVALID)), "IAM.0007");
    assert_string_equal(failure_iam_code(&failure_unauthenticated), "IAM.0001");
    assert_string_equal(failure_iam_code(failure_of(ERR_IO)), "IAM.0006");
}

static void test_transport_list(void **state)
{
    size_t count = 0;

    (void)state;
    for (; failure_transport_at(count); count++)
        assert_ptr_equal(failure_of_transport(failure_transport_at(count)->http_status),
            failure_transport_at(count));
    assert_int_equal(count, 5);
}

static void test_iam_body(void **state)
{
    struct buf body = BUF_INIT(65536);

    (void)state;
    failure_write_iam(&body, &failure_iam_login, "", "0123");
    assert_slice(buf_slice(&body),
        "{\"error\":{\"code\":401,\"message\":\"The request you have made requires "
        "authentication.\",\"title\":\"Unauthorized\"},\"error_code\":\"IAM.0001\","
        "\"error_msg\":\"The request you have made requires authentication.\","
        "\"request_id\":\"0123\"}");
    buf_clear(&body);
    failure_write_iam(&body, failure_of(ERR_IO), "", "0123");
    assert_non_null(strstr(body.data, "\"code\":500"));
    assert_non_null(strstr(body.data, "\"error_code\":\"IAM.0006\""));
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_transport),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_hostile_detail),
        cmocka_unit_test(test_iam_body),
        cmocka_unit_test(test_iam_codes),
        cmocka_unit_test(test_transport_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
