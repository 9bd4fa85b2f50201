/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of ListVulAffectImages as the contract has them (sections 1.2, 8.2, 8.3): what
 * each accepts, refuses and means. */
#include "unit.h"

#include "api/affected_params.h"
#include "base/limits.h"

enum { ARENA_BYTES = 1 << 20 };

struct parsed {
    struct arena arena;
    struct affected_request request;
    struct err err;
    bool failed;
};

static void parse_text(struct parsed *p, struct slice query, bool strict)
{
    struct query_params params;

    memset(p, 0, sizeof(*p));
    arena_init(&p->arena, "a test", ARENA_BYTES);
    p->failed = query_parse(query, &p->arena, &params, &p->err) < 0 ||
                affected_parse(&params, strict, &p->arena, &p->request, &p->err) < 0;
}

static void parse_good(struct parsed *p, const char *query)
{
    parse_text(p, slice_of(query), false);
    if (p->failed)
        fail_msg("\"%s\" is refused: %s", query, p->err.message);
}

static void release(struct parsed *p)
{
    arena_release(&p->arena);
}

/* --- Refusals --------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        {"limit=9", "limit: must be 10-200"},
        {"limit=201", "limit: must be 10-200"},
        {"limit=0", "limit: must be 10-200"},
        {"limit=", "limit: must be 10-200"},
        {"limit", "limit: must be 10-200"},
        {"limit=10.0", "limit: must be 10-200"},
        {"limit=%2B10", "limit: must be 10-200"},
        {"limit=+10", "limit: must be 10-200"},
        {"limit=0x0a", "limit: must be 10-200"},
        {"limit=%2010", "limit: must be 10-200"},
        {"limit=10%20", "limit: must be 10-200"},
        {"limit=-10", "limit: must be 10-200"},
        {"limit=00000000010", "limit: must be 10-200"},
        {"limit=18446744073709551626", "limit: must be 10-200"},
        {"limit=%D9%A1%D9%A0", "limit: must be 10-200"},
        {"offset=-1", "offset: must be 0-2000000"},
        {"offset=2000001", "offset: must be 0-2000000"},
        {"offset=", "offset: must be 0-2000000"},
        {"offset=1e3", "offset: must be 0-2000000"},
        {"offset=4294967296", "offset: must be 0-2000000"},
        {"is_handled=", "is_handled: must be true or false"},
        {"is_handled", "is_handled: must be true or false"},
        {"is_handled=1", "is_handled: must be true or false"},
        {"is_handled=yes", "is_handled: must be true or false"},
        {"is_handled=true%20", "is_handled: must be true or false"},
        {"type=linux", "type: must be app_vul or linux_vul"},
        {"type=LINUX_VUL", "type: must be app_vul or linux_vul"},
        {"image_type=Local", "image_type: must be local, registry, cicd or cluster"},
        {"image_type=private_image", "image_type: must be local, registry, cicd or cluster"},
        {"repair_necessity=critical", "repair_necessity: must be Low, Medium, High or Critical"},
        {"repair_necessity=High,Low", "repair_necessity: must be Low, Medium, High or Critical"},
        {"status=unfix", "status: must be vul_status_unfix or vul_status_ignored"},
        {"after=1", "after: must be the `next` of a page before"},
        {"after=.", "after: must be the `next` of a page before"},
        {"after=1.", "after: must be the `next` of a page before"},
        {"after=1.2.3", "after: must be the `next` of a page before"},
        {"after=-1.2", "after: must be the `next` of a page before"},
        {"after=4294967296.0", "after: must be the `next` of a page before"},
        {"after=0.4294967296", "after: must be the `next` of a page before"},
        {"vul_id=a&vul_id=a", "vul_id: must be given once"},
        {"limit=10&limit=10", "limit: must be given once"},
        {"vul_id=&vul_id=", "vul_id: must be given once"},
        {"vul_i%64=&vul_id=a", "vul_id: must be given once"},
        {"vul_id=%ff", "vul_id"},
        {"vul_id=%00", "vul_id"},
        {"vul_id=a%0Ab", "vul_id"},
        {"vul_id=%4", "vul_id"},
        {"nobody_knows=%zz", "nobody_knows"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;

        parse_text(&p, slice_of(cases[i].query), false);
        if (!p.failed || p.err.code != ERR_INVALID || !strstr(p.err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].query, p.failed ? p.err.message : "taken");
        release(&p);
    }
}

/* Lengths are counted in characters, not bytes. */
static void test_lengths(void **state)
{
    static const struct {
        const char *name;
        size_t max;
    } cases[] = {{"enterprise_project_id", 256}, {"vul_id", 256}, {"image_id", 256},
        {"image_name", 256}, {"registry_name", 256}, {"registry_type", 256}, {"cluster_id", 128},
        {"vul_id_in", 256}, {"enterprise_project_id_in", 256}, {"image_id_in", 256},
        {"registry_name_in", 256}, {"registry_type_in", 256}, {"cluster_id_in", 128},
        {"package_name", 512}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t over = 0; over < 2; over++) {
            struct buf query = BUF_INIT(65536);
            struct parsed p;

            buf_printf(&query, "%s=", cases[i].name);
            for (size_t n = 0; n < cases[i].max + over; n++)
                buf_put_cstr(&query, "%E9%95%9C");
            parse_text(&p, buf_slice(&query), false);
            assert_int_equal(p.failed, over);
            if (over) {
                assert_int_equal(p.err.code, ERR_INVALID);
                assert_non_null(strstr(p.err.message, cases[i].name));
            }
            release(&p);
            buf_release(&query);
        }
}

/* --- What is asked for ------------------------------------------------------------------------ */

static void test_nothing_given(void **state)
{
    static const char *const queries[] = {"", "&", "unknown=1&unknown=2&limits=9",
        "vul_id=&type=&image_type=", "vul_id&type&image_type", "enterprise_project_id=",
        "image_id=&image_name=&registry_name=&registry_type=&status=&repair_necessity=&cluster_id=",
        "after=",
        "sort=&only_latest=&running=&fixable=&first_seen_since=&package_name=&include=&include",
        "vul_id_in=&vul_id_in&type_in=&repair_necessity_in=&status_in=&image_type_in=",
        "enterprise_project_id_in=&image_id_in=&registry_name_in=&registry_type_in=&cluster_id_in=",
        "only_latest=false&running=false"};

    (void)state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct parsed p;
        const struct index_query *q = &p.request.query.q;

        parse_good(&p, queries[i]);
        assert_int_equal(q->limit, 10);
        assert_int_equal(q->offset, 0);
        assert_int_equal(q->codes, INDEX_ALL_CODES);
        assert_false(q->by_cursor || q->by_vuln);
        assert_int_equal(p.request.query.vul_id.len, 0);
        assert_int_equal(q->scope.type, -1);
        assert_int_equal(q->scope.image_id.len + q->scope.name_part.len +
                             q->scope.registry_name.len + q->scope.registry_type.len +
                             q->scope.cluster_id.len,
            0);
        assert_int_equal(q->scope.enterprise_project_count, 1);
        assert_slice(q->scope.enterprise_projects[0], "0");
        assert_int_equal(q->sort, INDEX_SORT_IMAGE);
        assert_int_equal(q->scope.types, 0);
        assert_false(q->descending || q->by_time || q->by_package || q->scope.only_latest ||
                     q->scope.running || p.request.query.facets);
        assert_int_equal(p.request.query.vul_ids.count + p.request.query.package_name.len +
                             q->scope.image_ids.count + q->scope.registry_names.count +
                             q->scope.registry_types.count + q->scope.cluster_ids.count +
                             p.request.enterprise_projects.count + p.request.include,
            0);
        release(&p);
    }
}

static void test_everything_given(void **state)
{
    struct parsed p;
    const struct index_query *q = &p.request.query.q;

    (void)state;
    parse_good(&p, "enterprise_project_id=e1&offset=2000000&limit=200&is_handled=false&"
                   "vul_id=a%20%2F%2B%3D%26*~!()%27%E9%95%9C%25&type=linux_vul&image_type=cluster&"
                   "repair_necessity=Critical&image_id=i&image_name=n+1&registry_name=r&"
                   "registry_type=t&status=vul_status_unfix&cluster_id=c&after=7.15");
    assert_slice(q->scope.enterprise_projects[0], "e1");
    assert_int_equal(q->scope.enterprise_project_count, 1);
    assert_int_equal(q->offset, 2000000);
    assert_int_equal(q->limit, 200);
    assert_slice(p.request.query.vul_id, "a /+=&*~!()'\xe9\x95\x9c%");
    assert_int_equal(q->scope.type, IMAGE_CLUSTER);
    assert_slice(q->scope.image_id, "i");
    assert_slice(q->scope.name_part, "n+1"); /* '+' is no blank */
    assert_slice(q->scope.registry_name, "r");
    assert_slice(q->scope.registry_type, "t");
    assert_slice(q->scope.cluster_id, "c");
    assert_true(q->by_cursor);
    assert_int_equal(q->after_image, 7);
    assert_int_equal(q->after_vuln, 15);
    assert_int_equal(
        q->codes, (UINT64_C(1) << index_code(NECESSITY_CRITICAL, VUL_LINUX, false, false, false)) |
                      UINT64_C(1) << index_code(NECESSITY_CRITICAL, VUL_LINUX, true, false, false));
    release(&p);
}

static void test_enterprise_projects(void **state)
{
    struct parsed p;

    (void)state;
    parse_good(&p, "enterprise_project_id=all_granted_eps");
    assert_int_equal(p.request.query.q.scope.enterprise_project_count, 0);
    release(&p);
    parse_good(&p, "enterprise_project_id=ALL_GRANTED_EPS");
    assert_int_equal(p.request.query.q.scope.enterprise_project_count, 1);
    release(&p);
}

static void test_words(void **state)
{
    static const struct {
        const char *query;
        int type; /* of images */
    } cases[] = {{"image_type=local", IMAGE_LOCAL}, {"image_type=local_image", IMAGE_LOCAL},
        {"image_type=registry", IMAGE_REGISTRY}, {"image_type=cicd", IMAGE_CICD},
        {"image_type=cluster", IMAGE_CLUSTER}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;

        parse_good(&p, cases[i].query);
        assert_int_equal(p.request.query.q.scope.type, cases[i].type);
        release(&p);
    }
}

/* --- Codes ------------------------------------------------------------------------------------ */

/* Every combination of the four filters, against each code's own parts. */
static void check_codes(int necessity, int type, int status, int handled)
{
    struct buf query = BUF_INIT(1024);
    struct parsed p;

    if (necessity >= 0)
        buf_printf(&query, "&repair_necessity=%s", words_name(&necessity_words, necessity));
    if (type >= 0)
        buf_printf(&query, "&type=%s", words_name(&vul_type_words, type));
    if (status >= 0)
        buf_printf(&query, "&status=%s", words_name(&vul_status_words, status));
    if (handled >= 0)
        buf_printf(&query, "&is_handled=%s", handled ? "TRUE" : "False");
    parse_good(&p, query.data ? query.data : "");
    for (unsigned code = 0; code < INDEX_CODES; code++) {
        bool admitted = (p.request.query.q.codes >> code & 1) != 0;
        bool expected = (necessity < 0 || (code & 3) == (unsigned)necessity) &&
                        (type < 0 || (code >> 2 & 1) == (unsigned)type) &&
                        (status < 0 || (code >> 4 & 1) == (unsigned)status) &&
                        (handled < 0 || (code >> 5 & 1) == (unsigned)handled);

        assert_int_equal(admitted, expected);
    }
    release(&p);
    buf_release(&query);
}

static void test_codes(void **state)
{
    (void)state;
    for (int necessity = -1; necessity < NECESSITY_COUNT; necessity++)
        for (int type = -1; type < VUL_TYPE_COUNT; type++)
            for (int status = -1; status < VUL_STATUS_COUNT; status++)
                for (int handled = -1; handled < 2; handled++)
                    check_codes(necessity, type, status, handled);
}

/* --- Strict ----------------------------------------------------------------------------------- */

static void test_strict(void **state)
{
    static const char *const required[] = {"is_handled=false", "vul_id=", "type", "image_type="};

    (void)state;
    for (size_t missing = 0; missing <= 4; missing++) {
        struct buf query = BUF_INIT(1024);
        struct parsed p;

        for (size_t i = 0; i < 4; i++)
            if (i != missing)
                buf_printf(&query, "&%s", required[i]);
        parse_text(&p, buf_slice(&query), true);
        assert_int_equal(p.failed, missing < 4);
        if (p.failed) {
            struct slice rest = slice_of(required[missing]);
            char name[32];

            assert_true(slice_to_cstr(slice_pull_until(&rest, '='), name, sizeof(name)));
            assert_int_equal(p.err.code, ERR_INVALID);
            assert_non_null(strstr(p.err.message, name));
        }
        release(&p);
        buf_release(&query);
    }
}

/* The table itself: names are unique, and what the contract requires is required. */
static void test_table(void **state)
{
    size_t required = 0;

    (void)state;
    for (size_t i = 0; i < AFFECTED_PARAM_COUNT; i++) {
        const struct affected_param *param = &affected_params[i];

        assert_non_null(param->name);
        assert_non_null(param->value);
        assert_non_null(param->help);
        assert_non_null(param->parse);
        required += param->required;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(param->name, affected_params[j].name);
    }
    assert_int_equal(required, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_nothing_given),
        cmocka_unit_test(test_everything_given),
        cmocka_unit_test(test_enterprise_projects),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
