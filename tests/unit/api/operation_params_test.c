/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of the calls about decisions: what each accepts and is refused with. */
#include "unit.h"

#include "api/operation_params.h"
#include "base/buf.h"
#include "base/limits.h"
#include "model/decision.h"

enum { ARENA_BYTES = 1 << 20 };

static int parse(const struct fields *fields, const char *query, bool strict, struct arena *arena,
    void *into, struct err *err)
{
    struct query_params params;

    arena_init(arena, "a test", ARENA_BYTES);
    if (query_parse(slice_of(query), arena, &params, err) < 0)
        return -1;
    return fields_from_query(fields, &params, strict, into, err);
}

static void test_refused(void **state)
{
    static const struct {
        const struct fields *fields;
        const char *query, *message;
    } cases[] = {
        {&operation_query, "enterprise_project_id=a&enterprise_project_id=a",
            "enterprise_project_id: must be given once"},
        {&preview_query, "limit=9", "limit: must be 10-200"},
        {&preview_query, "limit=", "limit: must be 10-200"},
        {&preview_query, "limit=+10", "limit: must be 10-200"},
        {&preview_query, "offset=2000001", "offset: must be 0-2000000"},
        {&preview_query, "offset=18446744073709551615", "offset: must be 0-2000000"},
        {&history_query, "", "vul_id: must be given"},
        {&history_query, "vul_id=", "vul_id: must be 1-256 characters, not 0"},
        {&history_query, "vul_id=a&image_type=private_image",
            "image_type: must be local, registry, cicd or cluster"},
        {&history_query, "vul_id=a&status=unfix",
            "status: must be vul_status_unfix or vul_status_ignored"},
        {&history_query, "vul_id=a&handle_type=verify",
            "handle_type: must be ignore, add_to_whitelist, manual_repair or not_ignore"},
        {&decisions_query, "state=ended", "state: must be in_force or all"},
        {&decisions_query, "after=", "after: must be 0-4294967295"},
        {&decisions_query, "after=4294967296", "after: must be 0-4294967295"},
        {&decisions_query, "after=-1", "after: must be 0-4294967295"},
    };
    struct history_params into; /* the largest of them */
    struct arena arena;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {0};

        assert_int_equal(parse(cases[i].fields, cases[i].query, false, &arena, &into, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.message, cases[i].message);
        arena_release(&arena);
    }
}

static void test_strict(void **state)
{
    struct history_params given = {.image_type = -1};
    struct arena arena;
    struct err err = {0};

    (void)state;
    assert_ok(parse(&history_query, "vul_id=a", false, &arena, &given, &err));
    assert_int_equal(given.image_type, -1);
    arena_release(&arena);
    assert_int_equal(parse(&history_query, "vul_id=a", true, &arena, &given, &err), -1);
    assert_string_equal(err.message, "image_type: must be given");
    arena_release(&arena);
    assert_ok(parse(&history_query, "vul_id=a&image_type", true, &arena, &given, &err));
    assert_int_equal(given.image_type, -1);
    arena_release(&arena);
}

static void test_history(void **state)
{
    struct history_params given = {.status = -1};
    struct arena arena;
    struct err err;

    (void)state;
    assert_ok(parse(&history_query,
        "vul_id=v&image_id=i&image_type=local_image&image_name=n&status=vul_status_ignored&"
        "user_name=u&handle_type=manual_repair&app_name=p&app_version=1&remark=r&offset=7&"
        "limit=200&unknown=1&enterprise_project_id=ep",
        true, &arena, &given, &err));
    assert_slice(given.vul_id, "v");
    assert_slice(given.image_id, "i");
    assert_int_equal(given.image_type, IMAGE_LOCAL);
    assert_slice(given.image_name, "n");
    assert_int_equal(given.status, STATUS_IGNORED);
    assert_slice(given.user_name, "u");
    assert_int_equal(given.action, DECISION_REPAIR);
    assert_slice(given.app_name, "p");
    assert_slice(given.app_version, "1");
    assert_slice(given.remark, "r");
    assert_int_equal(given.offset, 7);
    assert_int_equal(given.limit, 200);
    assert_slice(given.enterprise_project, "ep");
    arena_release(&arena);
}

/* Every text at its longest, in characters of three bytes, and one longer. */
static void test_lengths(void **state)
{
    const struct fields *const tables[] = {
        &operation_query, &preview_query, &history_query, &decisions_query, &decide_query};
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < 5 * 32; i++) {
        const struct fields *fields = tables[i / 32];
        const struct field *field = &fields->at[i % 32];

        if (i % 32 >= fields->count || field->kind != VALUE_TEXT)
            continue;
        for (size_t more = 0; more < 2; more++) {
            struct history_params into;
            struct buf query = BUF_INIT(8192);
            struct arena arena;
            struct err err = {0};
            bool other = fields == &history_query && strcmp(field->name, "vul_id") != 0;

            buf_printf(&query, "%s%s=", other ? "vul_id=v&" : "", field->name);
            for (size_t n = 0; n < field->max_chars + more; n++)
                buf_put_cstr(&query, "%E5%BA%93");
            if ((parse(fields, query.data, false, &arena, &into, &err) < 0) != (more == 1))
                fail_msg("%s and %zu: %s", field->name, field->max_chars + more, err.message);
            arena_release(&arena);
            buf_release(&query);
        }
        tried++;
    }
    assert_int_equal(tried, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
