/* SPDX-License-Identifier: Apache-2.0 */
/* Which path and method reach which handler, and what becomes of the ids in a path. */
#include "unit.h"

#include "api/routes.h"

struct found {
    struct http_request request;
    struct call call;
    const struct failure *failure;
};

static void find(struct found *f, const char *method, const char *path)
{
    *f = (struct found){.request = {.method = method, .path = slice_of(path)}};
    arena_init(&f->request.arena, "a test", 65536);
    f->call.request = &f->request;
    f->failure = route_find(&f->call);
}

static void release(struct found *f)
{
    arena_release(&f->request.arena);
}

static void test_found(void **state)
{
    static const struct {
        const char *method, *path;
        void (*handle)(struct call *call);
        const char *project, *image;
    } cases[] = {
        {"GET", "/v5/p1/vulnerability/images", handle_affected_images, "p1", ""},
        {"GET", "/v5/a%20b%2Fc/vulnerability/images", handle_affected_images, "a b/c", ""},
        {"GET", "/v5/%7Bproject_id%7D/vulnerability/images", handle_affected_images, "{project_id}",
            ""},
        {"GET", "/careen/v1/p1/findings", handle_export_findings, "p1", ""},
        {"POST", "/careen/v1/p1/images", handle_import, "p1", ""},
        {"GET", "/careen/v1/p1/images/i1", handle_show_image, "p1", "i1"},
        {"PATCH", "/careen/v1/p1/images/i1", handle_set_image, "p1", "i1"},
        {"DELETE", "/careen/v1/p1/images/%E9%95%9C", handle_remove_image, "p1", "\xe9\x95\x9c"},
        {"POST", "/v5/p1/image/vulnerability/handle", handle_image_vulnerability, "p1", ""},
        {"POST", "/v5/p1/image/vulnerability/handle-affect-vulnerabilities",
            handle_preview_image_vulnerability, "p1", ""},
        {"GET", "/v5/p1/image/vulnerability/handle-history", handle_image_vulnerability_history,
            "p1", ""},
        {"GET", "/careen/v1/p1/decisions", handle_list_decisions, "p1", ""},
        {"POST", "/careen/v1/p1/decisions", handle_decide, "p1", ""},
        {"DELETE", "/careen/v1/p1/decisions/7", handle_withdraw_decision, "p1", ""},
        {"POST", "/v3/auth/tokens", handle_create_token, "", ""},
        {"GET", "/v3/auth/tokens", handle_show_token, "", ""},
        {"GET", "/v3/projects", handle_list_projects, "", ""},
        {"GET", "/v3/auth/domains", handle_list_domains, "", ""},
        {"GET", "/healthz", handle_health, "", ""},
        {"GET", "/readyz", handle_ready, "", ""},
        {"GET", "/openapi.json", handle_openapi, "", ""},
        {"GET", "/metrics", handle_metrics, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct found f;

        find(&f, cases[i].method, cases[i].path);
        if (f.failure || !f.call.route)
            fail_msg("%s %s is not found", cases[i].method, cases[i].path);
        assert_ptr_equal(f.call.route->handle, cases[i].handle);
        assert_null(f.call.bad_path.failure);
        assert_slice(f.call.project_id, cases[i].project);
        assert_slice(f.call.image_id, cases[i].image);
        assert_slice(f.call.decision, cases[i].handle == handle_withdraw_decision ? "7" : "");
        release(&f);
    }
}

static void test_not_found(void **state)
{
    static const struct {
        const char *method, *path;
        const struct failure *failure;
    } cases[] = {
        {"GET", "/", &failure_no_route},
        {"GET", "", &failure_no_route},
        {"GET", "/v5", &failure_no_route},
        {"GET", "/v5/p1", &failure_no_route},
        {"GET", "/v5/p1/vulnerability", &failure_no_route},
        {"GET", "/v5/p1/vulnerability/images/", &failure_no_route},
        {"GET", "/v5/p1/vulnerability/images/x", &failure_no_route},
        {"GET", "/v5/p1/vulnerability/image", &failure_no_route},
        {"GET", "/v5/p1/vulnerability/imagess", &failure_no_route},
        {"GET", "/v5/p1/image/vulnerability/handle", &failure_wrong_method},
        {"GET", "/careen/v1/p1/decisions/7", &failure_wrong_method},
        {"DELETE", "/careen/v1/p1/decisions/", &failure_no_route},
        {"GET", "/v5//vulnerability/images", &failure_no_route},
        {"GET", "/v5/a/b/vulnerability/images", &failure_no_route},
        {"GET", "/V5/p1/vulnerability/images", &failure_no_route},
        {"GET", "/v5/p1/vulnerability/%69mages", &failure_no_route},
        {"GET", "v5/p1/vulnerability/images", &failure_no_route},
        {"GET", "/careen/v1/p1/images/", &failure_no_route},
        {"GET", "/careen/v1/p1/images/i1/", &failure_no_route},
        {"GET", "/healthz/", &failure_no_route},
        {"GET", "/healthz/x", &failure_no_route},
        {"POST", "/v5/p1/vulnerability/images", &failure_wrong_method},
        {"get", "/v5/p1/vulnerability/images", &failure_wrong_method},
        {"HEAD", "/v5/p1/vulnerability/images", &failure_wrong_method},
        {"PUT", "/careen/v1/p1/images/i1", &failure_wrong_method},
        {"DELETE", "/healthz", &failure_wrong_method},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct found f;

        find(&f, cases[i].method, cases[i].path);
        if (f.failure != cases[i].failure || f.call.route)
            fail_msg(
                "%s %s: %s", cases[i].method, cases[i].path, f.failure ? f.failure->text : "found");
        release(&f);
    }
}

/* The route is found, so that the caller is asked for credentials before being told. */
static void test_bad_ids(void **state)
{
    static const struct {
        const char *path, *part;
    } cases[] = {
        {"/v5/%zz/vulnerability/images", "project_id: "},
        {"/v5/%/vulnerability/images", "project_id: "},
        {"/v5/%00/vulnerability/images", "project_id: "},
        {"/v5/%ff/vulnerability/images", "project_id: "},
        {"/v5/a%0Ab/vulnerability/images", "project_id: "},
        {"/careen/v1/p1/images/%ff", "image_id: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct found f;

        find(&f, "GET", cases[i].path);
        assert_null(f.failure);
        assert_non_null(f.call.route);
        assert_ptr_equal(f.call.bad_path.failure, failure_of(ERR_INVALID));
        assert_non_null(strstr(f.call.bad_path.detail, cases[i].part));
        release(&f);
    }
}

static void test_id_lengths(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct buf path = BUF_INIT(65536);
        struct found f;

        buf_put_cstr(&path, "/v5/");
        for (size_t i = 0; i < 256 + over; i++)
            buf_put_cstr(&path, "%E9%95%9C");
        buf_put_cstr(&path, "/vulnerability/images");
        find(&f, "GET", path.data);
        assert_null(f.failure);
        assert_int_equal(f.call.bad_path.failure != NULL, over);
        if (over)
            assert_non_null(strstr(f.call.bad_path.detail, "project_id: must be 1-256"));
        release(&f);
        buf_release(&path);
    }
}

/* Who may do what: everything of a project needs a role there, and changing more than looking. */
static void test_access(void **state)
{
    static const struct {
        const char *method, *path;
        enum route_access access;
        enum role role;
    } cases[] = {
        {"GET", "/v5/p/vulnerability/images", ACCESS_ROLE, ROLE_VIEWER},
        {"GET", "/careen/v1/p/images/i", ACCESS_ROLE, ROLE_VIEWER},
        {"POST", "/careen/v1/p/images", ACCESS_ROLE, ROLE_OPERATOR},
        {"PATCH", "/careen/v1/p/images/i", ACCESS_ROLE, ROLE_OPERATOR},
        {"DELETE", "/careen/v1/p/images/i", ACCESS_ROLE, ROLE_OPERATOR},
        {"GET", "/v3/projects", ACCESS_CALLER, ROLE_VIEWER},
        {"GET", "/v3/auth/tokens", ACCESS_CALLER, ROLE_VIEWER},
        {"POST", "/v3/auth/tokens", ACCESS_OPEN, ROLE_VIEWER},
        {"GET", "/healthz", ACCESS_OPEN, ROLE_VIEWER},
        {"GET", "/openapi.json", ACCESS_OPEN, ROLE_VIEWER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct found f;

        find(&f, cases[i].method, cases[i].path);
        assert_non_null(f.call.route);
        assert_int_equal(f.call.route->access, cases[i].access);
        if (cases[i].access == ACCESS_ROLE)
            assert_int_equal(f.call.route->role, cases[i].role);
        release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_bad_ids),
        cmocka_unit_test(test_id_lengths),
        cmocka_unit_test(test_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
