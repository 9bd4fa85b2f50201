/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of POST /careen/v1/{project_id}/decisions: what is refused, and what one becomes. */
#include "unit.h"

#include "api/decision_body.h"

enum { ARENA_BYTES = 1 << 20 };

static int read_body(
    const char *text, struct arena *arena, struct decision_body *ret, struct err *err)
{
    struct stream *body = stream_open_memory(slice_of(text), err);
    int failed;

    assert_non_null(body);
    arena_init(arena, "a test", ARENA_BYTES);
    failed = decision_body_read(body, arena, ret, err);
    stream_close(body);
    return failed;
}

#define BODY(more) "{\"action\":\"ignore\"," more "}"
#define VUL "\"vul_ids\":[\"CVE-2024-0001\"]"

static void test_refused(void **state)
{
    static const struct {
        const char *body;
        enum err_code code;
        const char *message; /* of it, the beginning */
    } cases[] = {
        {"", ERR_FORMAT, "the document is empty"},
        {"{}", ERR_INVALID, "action: must be given"},
        {"{\"action\":\"hide\"}", ERR_INVALID,
            "action: must be ignore, add_to_whitelist, manual_repair or not_ignore at byte 10"},
        {BODY("\"vul_id\":\"CVE-2024-0001\""), ERR_INVALID, "vul_id: there is no such member"},
        {BODY("\"vul_ids\":[]"), ERR_INVALID, "vul_ids: must not be empty"},
        {BODY(VUL "," VUL), ERR_INVALID, "vul_ids: must be given once"},
        {BODY("\"type\":null"), ERR_INVALID,
            "vul_ids: must be given, or package or all_vuls instead of it"},
        {BODY(VUL ",\"all_vuls\":true"), ERR_INVALID, "vul_ids: must not be given with all_vuls"},
        {BODY(VUL ",\"all_vuls\":\"true\""), ERR_INVALID, "all_vuls: expected a boolean"},
        {BODY(VUL ",\"scope\":\"host\""), ERR_INVALID,
            "scope: must be project, registry, repository, cluster or images"},
        {BODY(VUL ",\"scope\":\"images\""), ERR_INVALID,
            "image_ids: must be given with the scope images"},
        {BODY(VUL ",\"image_ids\":[\"a\"]"), ERR_INVALID,
            "image_ids: must not be given with the scope project"},
        {BODY(VUL ",\"place\":\"a\""), ERR_INVALID,
            "place: must not be given with the scope project"},
        {BODY(VUL ",\"scope\":\"images\",\"image_ids\":[\"a\"],\"place\":\"a\""), ERR_INVALID,
            "place: must not be given with the scope images"},
        {BODY(VUL ",\"scope\":\"cluster\""), ERR_INVALID,
            "place: must be given with the scope cluster"},
        {BODY(VUL ",\"scope\":\"repository\",\"place\":\"\""), ERR_INVALID,
            "place: must be given with the scope repository"},
        {BODY(VUL ",\"expires_ms\":0"), ERR_INVALID, "expires_ms: must be 1-253402300799999"},
        {BODY(VUL ",\"expires_ms\":253402300800000"), ERR_INVALID, "expires_ms: must be 1-"},
        {BODY(VUL ",\"expires_ms\":1.5"), ERR_INVALID, "expires_ms: expected an integer"},
        {BODY(VUL ",\"expires_ms\":\"2027-01-31\""), ERR_INVALID, "expires_ms: expected"},
    };
    struct arena arena;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decision_body body = {.action = 77};
        struct err err = {0};

        assert_int_equal(read_body(cases[i].body, &arena, &body, &err), -1);
        if (err.code != cases[i].code ||
            !slice_starts_with(slice_of(err.message), cases[i].message))
            fail_msg("%s: %d, %s", cases[i].body, (int)err.code, err.message);
        assert_int_equal(body.action, 77);
        arena_release(&arena);
    }
}

static void test_least(void **state)
{
    struct decision_body body;
    struct decision_request request;
    struct arena arena;
    struct err err;

    (void)state;
    assert_ok(
        read_body("{\"action\":\"not_ignore\",\"package\":\"openssl\"}", &arena, &body, &err));
    request = decision_body_request(&body);
    assert_int_equal(request.action, DECISION_REOPEN);
    assert_int_equal(request.scope, DECISION_PROJECT);
    assert_slice(request.package, "openssl");
    assert_int_equal(request.type, -1);
    assert_int_equal(request.image_type, -1);
    assert_int_equal(request.handled, -1);
    assert_int_equal(request.vul_count + request.image_count, 0);
    assert_false(request.all_vuls || body.dry_run);
    assert_int_equal(body.expires_ms, 0);
    arena_release(&arena);
}

static void test_most(void **state)
{
    struct decision_body body;
    struct decision_request request;
    struct arena arena;
    struct err err;

    (void)state;
    assert_ok(read_body(BODY(VUL ",\"package\":\"p\",\"type\":\"linux_vul\",\"scope\":\"registry\","
                                 "\"place\":\"harbor\",\"image_type\":\"local_image\","
                                 "\"handle_status\":\"unhandled\",\"reason\":\"r\","
                                 "\"expires_ms\":1800000000000,\"dry_run\":true"),
        &arena, &body, &err));
    request = decision_body_request(&body);
    assert_int_equal(request.vul_count, 1);
    assert_slice(request.vuls[0], "CVE-2024-0001");
    assert_int_equal(request.type, VUL_LINUX);
    assert_int_equal(request.scope, DECISION_REGISTRY);
    assert_slice(request.place, "harbor");
    assert_int_equal(request.image_type, IMAGE_LOCAL);
    assert_int_equal(request.handled, 0);
    assert_slice(body.reason, "r");
    assert_int_equal(body.expires_ms, INT64_C(1800000000000));
    assert_true(body.dry_run);
    arena_release(&arena);

    assert_ok(read_body(BODY("\"all_vuls\":true,\"scope\":\"images\",\"image_ids\":[\"a\",\"b\"]"),
        &arena, &body, &err));
    request = decision_body_request(&body);
    assert_true(request.all_vuls);
    assert_int_equal(request.image_count, 2);
    assert_slice(request.image_ids[1], "b");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
