/* SPDX-License-Identifier: Apache-2.0 */
/* The document holds together: whatever is referred to is there, and every route is complete. What
 * it says of the server, tests/e2e/test_openapi.py holds against the server. */
#include "unit.h"

#include "api/openapi.h"
#include "api/placement_params.h"
#include "api/routes.h"

static const struct service_options options = {.domain = "d", .max_report_bytes = 4321};

static void write_document(struct buf *out, const struct service_options *from)
{
    struct err err = {0};

    *out = (struct buf){0};
    if (openapi_write(out, from, &err) < 0)
        fail_msg("%s", err.message);
}

static void test_references(void **state)
{
    static const char mark[] = "\"$ref\":\"#/components/";
    size_t references = 0;
    struct buf document;

    (void)state;
    write_document(&document, &options);
    for (const char *at = document.data; (at = strstr(at, mark)); at++) {
        struct slice path = slice_of(at + strlen(mark)), name;
        struct buf key = BUF_INIT(256);

        path = slice_pull_until(&path, '"');
        slice_pull_until(&path, '/');
        name = path;
        buf_printf(&key, "\"%.*s\":{", SLICE_FMT(name));
        if (!strstr(strstr(document.data, "\"components\":{"), key.data))
            fail_msg("nothing is called %.*s", SLICE_FMT(name));
        buf_release(&key);
        references++;
    }
    assert_true(references > 100);
    buf_release(&document);
}

static void test_routes(void **state)
{
    size_t count = 0;

    (void)state;
    for (; route_at(count); count++) {
        const struct route *route = route_at(count);

        assert_non_null(route->operation);
        assert_non_null(route->summary);
        assert_non_null(route->tag);
        assert_non_null(route->answer);
        assert_int_equal(
            route->request != NULL, route->body == BODY_DOCUMENT || route->body == BODY_OPERATION);
        assert_int_equal(
            route->fields != NULL, route->query == QUERY_FIELDS || route->query == QUERY_FILTERS);
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(route->operation, route_at(i)->operation);
    }
    assert_true(count > 10);
}

static void test_options(void **state)
{
    struct service_options strict = options;
    struct buf plain_text, strict_text;

    (void)state;
    strict.strict_parameters = true;
    write_document(&plain_text, &options);
    write_document(&strict_text, &strict);
    assert_non_null(strstr(plain_text.data, "At most 4321 bytes"));
    assert_null(
        strstr(plain_text.data, "\"name\":\"is_handled\",\"in\":\"query\",\"required\":true"));
    assert_non_null(
        strstr(strict_text.data, "\"name\":\"is_handled\",\"in\":\"query\",\"required\":true"));
    buf_release(&plain_text);
    buf_release(&strict_text);
}

/* A text of the parameter with so many characters is taken, as far as placement_check() goes. */
static bool fits(const struct placement_param *param, size_t chars)
{
    struct placement_request request;
    struct buf text = BUF_INIT(4096);
    struct err err = {0};
    bool ok;

    for (size_t i = 0; i < chars; i++)
        buf_put_cstr(&text, "\xe9\x95\x9c");
    placement_request_init(&request);
    ok = placement_take(&request, slice_of(param->name), buf_slice(&text), &err) == 0 &&
         placement_check(&request.place, &err) == 0;
    buf_release(&text);
    return ok;
}

/* The lengths in the table are those that placement_check() has; it knows no name and version. */
static void test_lengths(void **state)
{
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++) {
        const struct placement_param *param = &placement_params[i];

        if (param->kind != PLACEMENT_TEXT || strcmp(param->name, "name") == 0 ||
            strcmp(param->name, "version") == 0)
            continue;
        if (!fits(param, param->max_chars) || fits(param, param->max_chars + 1))
            fail_msg("%s: the limit is not %zu", param->name, param->max_chars);
        assert_int_equal(fits(param, 0), param->min_chars == 0);
        tried++;
    }
    assert_int_equal(tried, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
