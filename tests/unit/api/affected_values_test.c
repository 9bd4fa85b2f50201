/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters beyond HSS: what a query becomes with lists, flags, orders and times. */
#include "unit.h"

#include "api/affected_facets.h"
#include "api/affected_params.h"
#include "base/limits.h"

struct parsed {
    struct arena arena;
    struct affected_request request;
    struct err err;
    bool failed;
};

static void parse(struct parsed *p, const char *query)
{
    struct query_params params;

    *p = (struct parsed){0};
    arena_init(&p->arena, "a test", 1 << 20);
    p->failed = query_parse(slice_of(query), &p->arena, &params, &p->err) < 0 ||
                affected_parse(&params, false, &p->arena, &p->request, &p->err) < 0;
}

static void parse_good(struct parsed *p, const char *query)
{
    parse(p, query);
    if (p->failed)
        fail_msg("\"%s\" is refused: %s", query, p->err.message);
}

static void release(struct parsed *p)
{
    arena_release(&p->arena);
}

static void test_refused(void **state)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        {"sort=name", "sort: must be severity, image_name, latest_scan_time or container_num, or "},
        {"sort=--severity", "sort: must be"},
        {"sort=-", "sort: must be"},
        {"sort=+severity", "sort: must be"},
        {"sort=severity,image_name", "sort: must be"},
        {"sort=severity&sort=severity", "sort: must be given once"},
        {"sort=severity&after=1.2", "after: must be the `next` of a page with the same sort "
                                    "(severity), not with another (none)"},
        {"after=1.2&sort=severity", "after: must be the `next` of a page with the same sort"},
        {"after=S.1.2.3", "with the same sort (none), not with another (-severity)"},
        {"after=S.1.2.3&sort=severity", "with the same sort (severity), not with another "
                                        "(-severity)"},
        {"after=l.1.2.3&sort=container_num", "with the same sort (container_num), not with another "
                                             "(latest_scan_time)"},
        {"type_in=linux", "type_in: must be app_vul or linux_vul"},
        {"type_in=app_vul&type_in=x", "type_in: must be app_vul or linux_vul"},
        {"repair_necessity_in=High,Low", "repair_necessity_in: must be Low, Medium, High or "
                                         "Critical"},
        {"status_in=unfix", "status_in: must be vul_status_unfix or vul_status_ignored"},
        {"image_type_in=x", "image_type_in: must be local, registry, cicd or cluster"},
        {"enterprise_project_id_in=all_granted_eps", "enterprise_project_id_in: must be ids"},
        {"only_latest=1", "only_latest: must be true or false"},
        {"running=yes", "running: must be true or false"},
        {"running=true&running=true", "running: must be given once"},
        {"fixable=null", "fixable: must be true or false"},
        {"first_seen_since=yesterday", "first_seen_since: must be epoch milliseconds"},
        {"first_seen_since=-1", "first_seen_since: must be epoch milliseconds"},
        {"first_seen_since=1000000000000000", "first_seen_since: must be epoch milliseconds"},
        {"first_seen_since=2027-02-30", "first_seen_since: must be epoch milliseconds"},
        {"first_seen_since=2027-01-31T18:30", "first_seen_since: must be epoch milliseconds"},
        {"include=all", "include: must be counts or facets"},
        {"include=counts,facets", "include: must be counts or facets"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;

        parse(&p, cases[i].query);
        if (!p.failed || p.err.code != ERR_INVALID || !strstr(p.err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].query, p.failed ? p.err.message : "taken");
        release(&p);
    }
}

static void test_orders(void **state)
{
    static const struct {
        const char *query;
        enum index_sort sort;
        bool descending;
    } cases[] = {{"sort=severity", INDEX_SORT_SEVERITY, false},
        {"sort=-severity", INDEX_SORT_SEVERITY, true},
        {"sort=image_name", INDEX_SORT_IMAGE_NAME, false},
        {"sort=-image_name", INDEX_SORT_IMAGE_NAME, true},
        {"sort=latest_scan_time", INDEX_SORT_LATEST_SCAN, false},
        {"sort=%2Dlatest_scan_time", INDEX_SORT_LATEST_SCAN, true},
        {"sort=container_num", INDEX_SORT_CONTAINERS, false},
        {"sort=-container_num", INDEX_SORT_CONTAINERS, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;

        parse_good(&p, cases[i].query);
        assert_int_equal(p.request.query.q.sort, cases[i].sort);
        assert_int_equal(p.request.query.q.descending, cases[i].descending);
        release(&p);
    }
}

/* In whichever order the two are given. */
static void test_cursors(void **state)
{
    static const char *const queries[] = {
        "sort=-image_name&after=I.7.15.bmdpbng", "after=I.7.15.bmdpbng&sort=-image_name"};
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct index_query *q = &p.request.query.q;

        parse_good(&p, queries[i]);
        assert_true(q->by_cursor);
        assert_int_equal(q->after_image, 7);
        assert_int_equal(q->after_vuln, 15);
        assert_slice(q->after_name, "nginx");
        release(&p);
    }
    parse_good(&p, "sort=container_num&after=c.7.15.-1");
    assert_int_equal(p.request.query.q.after_value, -1);
    release(&p);
}

static void test_lists(void **state)
{
    struct parsed p;
    const struct index_scope *scope = &p.request.query.q.scope;

    (void)state;
    parse_good(&p, "vul_id_in=a&vul_id_in=b%2Cc&vul_id_in=&vul_id_in=a&image_id_in=i&"
                   "registry_name_in=r&registry_name_in=s&registry_type_in=t&cluster_id_in=c&"
                   "image_type_in=local_image&image_type_in=cicd&vul_id=b");
    assert_int_equal(p.request.query.vul_ids.count, 3);
    assert_slice(p.request.query.vul_ids.at[1], "b,c");
    assert_slice(p.request.query.vul_id, "b");
    assert_int_equal(scope->image_ids.count, 1);
    assert_int_equal(scope->registry_names.count, 2);
    assert_slice(scope->registry_names.at[1], "s");
    assert_int_equal(scope->registry_types.count, 1);
    assert_int_equal(scope->cluster_ids.count, 1);
    assert_int_equal(scope->types, 1 << IMAGE_LOCAL | 1 << IMAGE_CICD);
    assert_int_equal(scope->type, -1);
    release(&p);
}

static void test_how_many(void **state)
{
    struct query_param *at = calloc(LIMIT_FILTER_VALUES + 1, sizeof(*at));
    struct query_params params = {at, LIMIT_FILTER_VALUES};
    struct affected_request request;
    struct arena arena;
    struct err err = {0};

    (void)state;
    assert_non_null(at);
    for (size_t i = 0; i <= LIMIT_FILTER_VALUES; i++)
        at[i] = (struct query_param){SLICE("vul_id_in"), SLICE("CVE-2024-0001")};
    arena_init(&arena, "a test", 1 << 20);
    assert_ok(affected_parse(&params, false, &arena, &request, &err));
    assert_int_equal(request.query.vul_ids.count, LIMIT_FILTER_VALUES);
    params.count++;
    assert_int_equal(affected_parse(&params, false, &arena, &request, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.message, "vul_id_in: must be at most 10000 values");
    arena_release(&arena);
    free(at);
}

/* The single one and several, and the default one. */
static void test_enterprise_projects(void **state)
{
    static const struct {
        const char *query;
        size_t count;
        const char *first;
    } cases[] = {
        {"enterprise_project_id_in=a&enterprise_project_id_in=b", 2, "a"},
        {"enterprise_project_id_in=a&enterprise_project_id=", 1, "a"},
        {"enterprise_project_id_in=a&enterprise_project_id=all_granted_eps", 1, "a"},
        {"enterprise_project_id=b&enterprise_project_id_in=a&enterprise_project_id_in=b", 1, "b"},
        {"enterprise_project_id=c&enterprise_project_id_in=a&enterprise_project_id_in=b", 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;
        const struct index_scope *scope = &p.request.query.q.scope;

        parse_good(&p, cases[i].query);
        assert_int_equal(scope->enterprise_project_count, cases[i].count);
        assert_slice(scope->enterprise_projects[0], cases[i].first);
        release(&p);
    }
}

/* Of each vocabulary in the code: several, and the single one beside them. */
static void test_codes(void **state)
{
    static const struct {
        const char *query;
        unsigned necessities, types, ignored, fixable; /* bits of the values that are admitted */
    } cases[] = {
        {"repair_necessity_in=Low&repair_necessity_in=Critical", 9, 3, 3, 3},
        {"repair_necessity_in=Low&repair_necessity=Low", 1, 3, 3, 3},
        {"repair_necessity_in=Low&repair_necessity=High", 0, 3, 3, 3},
        {"type_in=app_vul", 15, 1, 3, 3},
        {"type_in=app_vul&type_in=linux_vul", 15, 3, 3, 3},
        {"status_in=vul_status_ignored", 15, 3, 2, 3},
        {"fixable=true", 15, 3, 3, 2},
        {"fixable=FALSE&type=linux_vul", 15, 2, 3, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;

        parse_good(&p, cases[i].query);
        for (uint8_t code = 0; code < INDEX_CODES; code++) {
            bool expected = (cases[i].necessities >> index_code_necessity(code) & 1) &&
                            (cases[i].types >> index_code_type(code) & 1) &&
                            (cases[i].ignored >> index_code_ignored(code) & 1) &&
                            (cases[i].fixable >> index_code_fixable(code) & 1);

            if ((p.request.query.q.codes >> code & 1) != expected)
                fail_msg("%s: code %u", cases[i].query, code);
        }
        release(&p);
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *query;
        int64_t ms;
    } cases[] = {{"first_seen_since=0", 0}, {"first_seen_since=1754563675226", 1754563675226},
        {"first_seen_since=1970-01-02", 86400000},
        {"first_seen_since=2025-08-07T10:47:55Z", 1754563675000},
        {"first_seen_since=2025-08-07T18:47%2B08:00", 1754563620000},
        {"first_seen_since=2025-08-07T18:47+08:00", 1754563620000}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p;

        parse_good(&p, cases[i].query);
        assert_true(p.request.query.q.by_time);
        assert_int_equal(p.request.query.q.first_seen_since_ms, cases[i].ms);
        release(&p);
    }
}

static void test_others(void **state)
{
    struct parsed p;

    (void)state;
    parse_good(&p, "only_latest=true&running=TRUE&package_name=openssl&include=facets");
    assert_true(p.request.query.q.scope.only_latest && p.request.query.q.scope.running);
    assert_slice(p.request.query.package_name, "openssl");
    assert_true(p.request.query.facets);
    assert_int_equal(p.request.include, 1 << INCLUDE_FACETS);
    release(&p);
    parse_good(&p, "include=facets&include=counts&include=facets");
    assert_int_equal(p.request.include, 1 << INCLUDE_FACETS | 1 << INCLUDE_COUNTS);
    release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_how_many),
        cmocka_unit_test(test_enterprise_projects),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
