/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of HandleImageVulnerability (contract, section 5.1): what each is refused with, and which
 * requests it becomes. */
#include "unit.h"

#include "api/operation.h"
#include "base/limits.h"

enum { ARENA_BYTES = 32 << 20 };

struct parsed {
    struct arena arena;
    struct operation operation;
    struct decision_request *requests;
    size_t count;
    struct err err;
    bool failed;
};

static void parse_bytes(struct parsed *p, struct slice text)
{
    struct stream *body;

    memset(p, 0, sizeof(*p));
    arena_init(&p->arena, "a test", ARENA_BYTES);
    body = stream_open_memory(text, &p->err);
    assert_non_null(body);
    p->failed = operation_read(body, &p->arena, &p->operation, &p->err) < 0 ||
                operation_requests(&p->operation, &p->arena, &p->requests, &p->count, &p->err) < 0;
    stream_close(body);
}

static void parse_good(struct parsed *p, const char *text)
{
    parse_bytes(p, slice_of(text));
    if (p->failed)
        fail_msg("%s is refused: %s", text, p->err.message);
}

static void release(struct parsed *p)
{
    arena_release(&p->arena);
}

#define BASE "\"image_type\":\"registry\",\"type\":\"linux_vul\",\"operate_type\":\"ignore\""
#define BODY(more) "{" BASE "," more "}"
#define SELECT(type, more) BODY("\"select_type\":\"" type "\"" more)
#define TYPES "must be app_vul or linux_vul"
#define SELECTS \
    "must be all_vul, specific_image_all_vul, specific_vul_all_image, vul_view or image_view"

/* --- Refusals --------------------------------------------------------------------------------- */

static const struct {
    const char *body;
    enum err_code code;
    const char *message; /* of it, the beginning */
} refused[] = {
    {"", ERR_FORMAT, ""},
    {"{", ERR_FORMAT, "the document ends"},
    {"[]", ERR_INVALID, "expected an object, found an array"},
    {"\"all_vul\"", ERR_INVALID, "expected an object, found a string"},
    {SELECT("all_vul", "") "x", ERR_FORMAT, "expected the end"},
    /* What must be there. */
    {"{}", ERR_INVALID, "image_type: must be given"},
    {"null", ERR_INVALID, "image_type: must be given"},
    {"{\"image_type\":\"local\"}", ERR_INVALID, "type: must be given"},
    {"{\"image_type\":\"local\",\"type\":\"app_vul\"}", ERR_INVALID, "operate_type: must be given"},
    {"{" BASE "}", ERR_INVALID, "select_type: must be given"},
    {BODY("\"select_type\":null"), ERR_INVALID, "select_type: must be given"},
    /* Words. */
    {BODY("\"select_type\":\"\""), ERR_INVALID, "select_type: " SELECTS " at byte "},
    {BODY("\"select_type\":\"ALL_VUL\""), ERR_INVALID, "select_type: " SELECTS},
    {BODY("\"select_type\":1"), ERR_INVALID, "select_type: expected a string, found a number"},
    {"{\"image_type\":\"private_image\"}", ERR_INVALID,
        "image_type: must be local, registry, cicd or cluster at byte 14"},
    {"{\"type\":\"windows_vul\"}", ERR_INVALID, "type: " TYPES " at byte 8"},
    {"{\"type\":[\"app_vul\"]}", ERR_INVALID, "type: expected a string, found an array"},
    {"{\"operate_type\":\"immediate_repair\"}", ERR_INVALID,
        "operate_type: must be ignore, add_to_whitelist, manual_repair or not_ignore"},
    {SELECT("all_vul", ",\"handle_status\":\"true\""), ERR_INVALID,
        "handle_status: must be unhandled or handled"},
    {SELECT("all_vul", ",\"handle_status\":false"), ERR_INVALID,
        "handle_status: expected a string"},
    /* Twice. */
    {SELECT("all_vul", ",\"type\":\"linux_vul\""), ERR_INVALID, "type: must be given once"},
    {SELECT("all_vul", ",\"remark\":\"\",\"remark\":\"\""), ERR_INVALID,
        "remark: must be given once"},
    {SELECT("vul_view", ",\"vul_data_list\":[{\"vul_id\":\"a\",\"vul_id\":\"a\"}]"), ERR_INVALID,
        "vul_data_list[0].vul_id: must be given once"},
    {SELECT(
         "vul_view", ",\"vul_data_list\":[{\"image_id_list\":[\"a\"],\"image_id_list\":[\"a\"]}]"),
        ERR_INVALID, "vul_data_list[0].image_id_list: must be given once"},
    /* Lists and their select types. */
    {SELECT("specific_image_all_vul", ""), ERR_INVALID,
        "image_id_list: must be given with select_type specific_image_all_vul"},
    {SELECT("specific_vul_all_image", ",\"vul_id_list\":null"), ERR_INVALID,
        "vul_id_list: must be given with select_type specific_vul_all_image"},
    {SELECT("vul_view", ",\"vul_id_list\":[\"a\"]"), ERR_INVALID,
        "vul_id_list: must not be given with select_type vul_view"},
    {SELECT("vul_view", ""), ERR_INVALID, "vul_data_list: must be given with select_type vul_view"},
    {SELECT("image_view", ""), ERR_INVALID,
        "image_data_list: must be given with select_type image_view"},
    {SELECT("all_vul", ",\"image_id_list\":[\"a\"]"), ERR_INVALID,
        "image_id_list: must not be given with select_type all_vul"},
    {SELECT("all_vul", ",\"image_data_list\":[{\"image_id\":\"a\",\"vul_id_list\":[\"b\"]}]"),
        ERR_INVALID, "image_data_list: must not be given with select_type all_vul"},
    {SELECT("specific_image_all_vul", ",\"image_id_list\":[\"a\"],\"vul_id_list\":[\"b\"]"),
        ERR_INVALID, "vul_id_list: must not be given with select_type specific_image_all_vul"},
    /* What is in them. */
    {SELECT("specific_image_all_vul", ",\"image_id_list\":[]"), ERR_INVALID,
        "image_id_list: must not be empty"},
    {SELECT("specific_image_all_vul", ",\"image_id_list\":\"a\""), ERR_INVALID,
        "image_id_list: expected an array, found a string"},
    {SELECT("specific_image_all_vul", ",\"image_id_list\":[\"a\",\"\"]"), ERR_INVALID,
        "image_id_list[1]: must be 1-256 characters, not 0 at byte "},
    {SELECT("specific_image_all_vul", ",\"image_id_list\":[null]"), ERR_INVALID,
        "image_id_list[0]: must be 1-256 characters, not 0"},
    {SELECT("specific_vul_all_image", ",\"vul_id_list\":[7]"), ERR_INVALID,
        "vul_id_list[0]: expected a string, found a number"},
    {SELECT("specific_vul_all_image", ",\"vul_id_list\":[\"a\\u0000\"]"), ERR_INVALID,
        "vul_id_list[0]: must be 1-256 characters without control characters"},
    {SELECT("vul_view", ",\"vul_data_list\":[]"), ERR_INVALID, "vul_data_list: must not be empty"},
    {SELECT("vul_view", ",\"vul_data_list\":[\"a\"]"), ERR_INVALID,
        "vul_data_list[0]: expected an object, found a string"},
    {SELECT("vul_view", ",\"vul_data_list\":[{}]"), ERR_INVALID,
        "vul_data_list[0]: vul_id must be given"},
    {SELECT("vul_view", ",\"vul_data_list\":[{\"vul_id\":\"a\"}]"), ERR_INVALID,
        "vul_data_list[0]: image_id_list must be given"},
    {SELECT("vul_view", ",\"vul_data_list\":[{\"vul_id\":\"a\",\"image_id_list\":[]}]"),
        ERR_INVALID, "vul_data_list[0].image_id_list: must not be empty"},
    {SELECT("image_view", ",\"image_data_list\":[{\"image_id\":\"a\",\"vul_id\":\"b\"}]"),
        ERR_INVALID, "image_data_list[0]: vul_id_list must be given"},
    {SELECT("all_vul", ",\"remark\":\"a\\nb\""), ERR_INVALID,
        "remark: must be 0-512 characters without control characters"},
    {SELECT("all_vul", ",\"remark\":{}"), ERR_INVALID, "remark: expected a string"},
};

static void test_refused(void **state)
{
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        parse_bytes(&p, slice_of(refused[i].body));
        if (!p.failed || p.err.code != refused[i].code ||
            !slice_starts_with(slice_of(p.err.message), refused[i].message))
            fail_msg("%s: %d, %s", refused[i].body, (int)p.err.code, p.err.message);
        release(&p);
    }
}

static void test_no_body(void **state)
{
    struct operation operation = {.type = 7};
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, "a test", ARENA_BYTES);
    assert_int_equal(operation_read(NULL, &arena, &operation, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_int_equal(operation.type, 7);
    arena_release(&arena);
}

/* --- What they become ------------------------------------------------------------------------- */

static void test_every_select_type(void **state)
{
    struct parsed p;

    (void)state;
    parse_good(&p, SELECT("all_vul", ""));
    assert_int_equal(p.count, 1);
    assert_true(p.requests->all_vuls);
    assert_int_equal(p.requests->scope, DECISION_PROJECT);
    assert_int_equal(p.requests->action, DECISION_IGNORE);
    assert_int_equal(p.requests->type, VUL_LINUX);
    assert_int_equal(p.requests->image_type, IMAGE_REGISTRY);
    assert_int_equal(p.requests->handled, -1);
    assert_int_equal(p.requests->vul_count + p.requests->image_count, 0);
    release(&p);

    parse_good(&p, SELECT("specific_image_all_vul", ",\"image_id_list\":[\"a\",\"b\"]"));
    assert_int_equal(p.count, 1);
    assert_true(p.requests->all_vuls);
    assert_int_equal(p.requests->scope, DECISION_IMAGES);
    assert_int_equal(p.requests->image_count, 2);
    assert_slice(p.requests->image_ids[1], "b");
    release(&p);

    parse_good(&p, SELECT("specific_vul_all_image", ",\"vul_id_list\":[\"a\",\"b\",\"c\"]"));
    assert_int_equal(p.count, 1);
    assert_false(p.requests->all_vuls);
    assert_int_equal(p.requests->scope, DECISION_PROJECT);
    assert_int_equal(p.requests->vul_count, 3);
    assert_slice(p.requests->vuls[2], "c");
    release(&p);

    parse_good(&p, SELECT("vul_view", ",\"vul_data_list\":[{\"vul_id\":\"v\",\"image_id_list\":"
                                      "[\"a\",\"b\"]},{\"image_id_list\":[\"c\"],\"x\":[1],"
                                      "\"vul_id\":\"w\"}]"));
    assert_int_equal(p.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_false(p.requests[i].all_vuls);
        assert_int_equal(p.requests[i].scope, DECISION_IMAGES);
        assert_int_equal(p.requests[i].vul_count, 1);
        assert_int_equal(p.requests[i].image_count, 2 - i);
        assert_int_equal(p.requests[i].type, VUL_LINUX);
    }
    assert_slice(p.requests[1].vuls[0], "w");
    assert_slice(p.requests[1].image_ids[0], "c");
    release(&p);

    parse_good(&p, SELECT("image_view", ",\"image_data_list\":[{\"image_id\":\"i\","
                                        "\"vul_id_list\":[\"a\",\"b\"]}]"));
    assert_int_equal(p.count, 1);
    assert_int_equal(p.requests->scope, DECISION_IMAGES);
    assert_slice(p.requests->image_ids[0], "i");
    assert_int_equal(p.requests->image_count, 1);
    assert_int_equal(p.requests->vul_count, 2);
    release(&p);
}

static void test_words_and_texts(void **state)
{
    static const struct {
        const char *word;
        int value;
    } actions[] = {{"ignore", DECISION_IGNORE}, {"add_to_whitelist", DECISION_WHITELIST},
        {"manual_repair", DECISION_REPAIR}, {"not_ignore", DECISION_REOPEN}};
    struct parsed p;
    char body[512];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        snprintf(body, sizeof(body),
            "{\"operate_type\":\"%s\",\"x\":{\"type\":1},\"select_type\":\"all_vul\","
            "\"handle_status\":\"%s\",\"type\":\"app_vul\",\"image_type\":\"%s\","
            "\"image_id_list\":null,\"remark\":\"\xe5\xba\x93 \\u00e9\"}",
            actions[i].word, i % 2 ? "handled" : "unhandled", i % 2 ? "local_image" : "cluster");
        parse_good(&p, body);
        assert_int_equal(p.requests->action, actions[i].value);
        assert_int_equal(p.requests->handled, i % 2);
        assert_int_equal(p.requests->image_type, i % 2 ? IMAGE_LOCAL : IMAGE_CLUSTER);
        assert_int_equal(p.requests->type, VUL_APP);
        assert_slice(p.operation.remark, "\xe5\xba\x93 \xc3\xa9");
        release(&p);
    }
}

/* begin, `count` times item, end. Released with buf_release(). */
static struct buf many(const char *begin, const char *item, size_t count, const char *end)
{
    struct buf text = BUF_INIT(ARENA_BYTES);

    buf_put_cstr(&text, begin);
    for (size_t i = 0; i < count; i++)
        buf_put_cstr(&text, item);
    buf_put_cstr(&text, end);
    assert_int_equal(text.failed, ERR_NONE);
    return text;
}

/* `most` of them are taken, and one more is not. */
static void check_bound(
    const char *begin, const char *item, size_t most, const char *end, const char *message)
{
    for (size_t more = 0; more < 2; more++) {
        struct buf body = many(begin, item, most + more, end);
        struct parsed p;

        parse_bytes(&p, buf_slice(&body));
        if (p.failed != (more == 1) || (more && !strstr(p.err.message, message)))
            fail_msg("%zu times %s: %s", most + more, item, p.err.message);
        release(&p);
        buf_release(&body);
    }
}

#define OPEN(type, list) "{" BASE ",\"select_type\":\"" type "\",\"" list "\":["
#define LAST_PAIR "{\"vul_id\":\"v\",\"image_id_list\":[\"a\"]}]}"

static void test_bounds(void **state)
{
    (void)state;
    check_bound("{" BASE ",\"select_type\":\"all_vul\",\"remark\":\"", "\xe5\xba\x93",
        LIMIT_REMARK_CHARS, "\"}", "remark: must be 0-512 characters, not 513");
    check_bound(OPEN("specific_vul_all_image", "vul_id_list") "\"", "\xe5\xba\x93", LIMIT_ID_CHARS,
        "\"]}", "vul_id_list[0]: must be 1-256 characters, not 257");
    check_bound(OPEN("specific_vul_all_image", "vul_id_list"), "\"a\",", LIMIT_DECISION_VULNS - 1,
        "\"b\"]}", "vul_id_list[100000]: there must be at most 100000 ids");
    check_bound(OPEN("specific_image_all_vul", "image_id_list"), "\"a\",",
        LIMIT_DECISION_IMAGES - 1, "\"b\"]}",
        "image_id_list[100000]: there must be at most 100000 ids");
    check_bound(OPEN("vul_view", "vul_data_list"), "{\"vul_id\":\"v\",\"image_id_list\":[\"a\"]},",
        LIMIT_DECISIONS_AT_ONCE - 1, LAST_PAIR,
        "vul_data_list[10000]: there must be at most 10000 pairs");
    check_bound(OPEN("vul_view", "vul_data_list") "{\"vul_id\":\"v\",\"image_id_list\":[", "\"a\",",
        LIMIT_DECISION_IMAGES - 2, "\"b\"]}," LAST_PAIR,
        "vul_data_list[1].image_id_list[0]: there must be at most 100000 ids");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_body),
        cmocka_unit_test(test_every_select_type),
        cmocka_unit_test(test_words_and_texts),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
