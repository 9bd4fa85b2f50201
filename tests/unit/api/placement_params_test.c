/* SPDX-License-Identifier: Apache-2.0 */
/* Where an image lives, as parameters: what each takes, what is refused, and the rules between
 * them (placement_check). */
#include "unit.h"

#include "api/placement_params.h"
#include "base/limits.h"

/* "name=value" after each other, divided by '&'; the last one's result. */
static int take(struct placement_request *request, const char *text, struct err *err)
{
    struct slice rest = slice_of(text);

    placement_request_init(request);
    while (rest.len) {
        struct slice value = slice_pull_until(&rest, '&'), name = slice_pull_until(&value, '=');

        if (placement_take(request, name, value, err) < 0)
            return -1;
    }
    return 0;
}

static void take_good(struct placement_request *request, const char *text)
{
    struct err err;

    assert_ok(take(request, text, &err));
}

static void test_default(void **state)
{
    struct placement_request request;
    struct err err;

    (void)state;
    take_good(&request, "");
    assert_int_equal(request.place.type, IMAGE_LOCAL);
    assert_false(request.type_given);
    assert_int_equal(request.fields, 0);
    assert_slice(request.place.enterprise_project, "0");
    assert_int_equal(request.place.containers, -1);
    assert_int_equal(request.place.multi_arch, -1);
    assert_ok(placement_check(&request.place, &err));
}

static void test_all(void **state)
{
    struct placement_request request;
    struct err err;

    (void)state;
    take_good(&request,
        "enterprise_project_id=e&image_type=registry&registry_type=Harbor&registry_name=r&"
        "organization=o&cluster_id=c&cluster_name=d&agent_id=a&pipeline=p&containers=2147483547&"
        "is_multi_arch=true&name=n&version=v");
    assert_slice(request.place.enterprise_project, "e");
    assert_int_equal(request.place.type, IMAGE_REGISTRY);
    assert_true(request.type_given);
    assert_slice(request.place.registry_type, "Harbor");
    assert_slice(request.place.registry_name, "r");
    assert_slice(request.place.organization, "o");
    assert_slice(request.place.cluster_id, "c");
    assert_slice(request.place.cluster_name, "d");
    assert_slice(request.place.agent_id, "a");
    assert_slice(request.place.pipeline, "p");
    assert_int_equal(request.place.containers, 2147483547);
    assert_int_equal(request.place.multi_arch, 1);
    assert_slice(request.name, "n");
    assert_slice(request.version, "v");
    assert_int_equal(request.fields, FIELD_ENTERPRISE_PROJECT | FIELD_REGISTRY_TYPE |
                                         FIELD_ORGANIZATION | FIELD_CLUSTER_ID |
                                         FIELD_CLUSTER_NAME | FIELD_CONTAINERS | FIELD_MULTI_ARCH);
    assert_ok(placement_check(&request.place, &err));
}

/* Each parameter alone sets its own field and no other. */
static void test_fields(void **state)
{
    static const struct {
        const char *text;
        unsigned field;
    } cases[] = {{"enterprise_project_id=e", FIELD_ENTERPRISE_PROJECT}, {"image_type=local", 0},
        {"registry_type=Other", FIELD_REGISTRY_TYPE}, {"registry_name=r", 0},
        {"organization=o", FIELD_ORGANIZATION}, {"cluster_id=c", FIELD_CLUSTER_ID},
        {"cluster_name=c", FIELD_CLUSTER_NAME}, {"agent_id=a", 0}, {"pipeline=p", 0},
        {"containers=0", FIELD_CONTAINERS}, {"is_multi_arch=false", FIELD_MULTI_ARCH},
        {"name=n", 0}, {"version=v", 0}};

    (void)state;
    assert_int_equal(sizeof(cases) / sizeof(cases[0]), PLACEMENT_PARAM_COUNT);
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++) {
        struct placement_request request;

        take_good(&request, cases[i].text);
        assert_int_equal(request.fields, cases[i].field);
        assert_int_equal(placement_params[i].field, cases[i].field);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"nothing=1", "nothing: no such parameter; there are enterprise_project_id, image_type"},
        {"=1", "no such parameter"},
        {"Name=n", "no such parameter"},
        {"image_type=", "image_type: must be local, registry, cicd or cluster"},
        {"image_type=swr", "image_type: must be local, registry, cicd or cluster"},
        {"containers=", "containers: must be 0-2147483547"},
        {"containers=-1", "containers: must be 0-2147483547"},
        {"containers=2147483548", "containers: must be 0-2147483547"},
        {"containers=1.0", "containers: must be 0-2147483547"},
        {"containers=18446744073709551617", "containers: must be 0-2147483547"},
        {"is_multi_arch=", "is_multi_arch: must be true or false"},
        {"is_multi_arch=True", "is_multi_arch: must be true or false"},
        {"is_multi_arch=1", "is_multi_arch: must be true or false"},
        {"name=a&name=a", "name: must be given once"},
        {"image_type=local&image_type=cicd", "image_type: must be given once"},
        {"version=&version=", "version: must be given once"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct placement_request request;
        struct err err = {0};

        if (take(&request, cases[i].text, &err) == 0 || err.code != ERR_INVALID ||
            !strstr(err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].text, err.code ? err.message : "taken");
    }
}

/* --- The rules between values ----------------------------------------------------------------- */

static void test_check(void **state)
{
    static const struct {
        const char *text, *message; /* NULL: good */
    } cases[] = {
        {"image_type=cluster&cluster_id=c", NULL},
        {"image_type=cluster", "cluster_id"},
        {"image_type=cluster&cluster_id=", "cluster_id"},
        {"cluster_id=", NULL},
        {"enterprise_project_id=", "enterprise_project_id: must not be empty"},
        {"enterprise_project_id=all_granted_eps", "enterprise_project_id: all_granted_eps"},
        {"registry_type=", NULL},
        {"registry_type=SwrEnterprise", NULL},
        {"registry_type=Docker", "registry_type: must be Harbor"},
        {"registry_type=harbor", "registry_type: must be Harbor"},
        {"registry_name=a\nb", "registry_name: must be UTF-8 text"},
        {"organization=\xff", "organization: must be UTF-8 text"},
        {"pipeline=\x7f", "pipeline: must be UTF-8 text"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct placement_request request;
        struct err err = {0};
        int failed;

        take_good(&request, cases[i].text);
        failed = placement_check(&request.place, &err);
        assert_int_equal(failed, cases[i].message ? -1 : 0);
        if (failed && (err.code != ERR_INVALID || !strstr(err.message, cases[i].message)))
            fail_msg("%s: %s", cases[i].text, err.message);
    }
}

static void test_lengths(void **state)
{
    static const struct {
        const char *name;
        size_t max;
    } cases[] = {{"enterprise_project_id", LIMIT_ID_CHARS}, {"registry_name", LIMIT_ID_CHARS},
        {"organization", LIMIT_ID_CHARS}, {"cluster_id", LIMIT_CLUSTER_ID_CHARS},
        {"cluster_name", LIMIT_ID_CHARS}, {"agent_id", LIMIT_CLUSTER_ID_CHARS},
        {"pipeline", LIMIT_ID_CHARS}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t over = 0; over < 2; over++) {
            struct placement_request request;
            struct buf value = BUF_INIT(4096);
            struct err err = {0};

            for (size_t n = 0; n < cases[i].max + over; n++)
                buf_put_cstr(&value, "\xc3\xa9");
            placement_request_init(&request);
            assert_ok(placement_take(&request, slice_of(cases[i].name), buf_slice(&value), &err));
            assert_int_equal(placement_check(&request.place, &err), over ? -1 : 0);
            if (over)
                assert_non_null(strstr(err.message, cases[i].name));
            buf_release(&value);
        }
}

static void test_find(void **state)
{
    struct err err;

    (void)state;
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++)
        assert_ptr_equal(
            placement_find(slice_of(placement_params[i].name), &err), &placement_params[i]);
    assert_null(placement_find(SLICE("vul_id"), &err));
    assert_int_equal(err.code, ERR_INVALID);
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++)
        assert_non_null(strstr(err.message, placement_params[i].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
