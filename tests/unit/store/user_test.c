/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of store.h for users, access keys, grants, tokens, and projects out of use. */
#include "store_fixture.h"

static uint32_t add_user(struct store *store, const char *name)
{
    struct user user = {.name = slice_of(name), .password = SLICE("$hash"), .created_ms = 5};
    struct err err;
    uint32_t number = 0;

    assert_ok(store_add_user(store, &user, &number, &err));
    return number;
}

/* What a walk has seen, as one line a thing. */
struct seen {
    char text[1024];
};

static void see(struct seen *seen, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void see(struct seen *seen, const char *format, ...)
{
    size_t used = strlen(seen->text);
    va_list args;

    va_start(args, format);
    vsnprintf(seen->text + used, sizeof(seen->text) - used, format, args);
    va_end(args);
}

static int see_user(void *ctx, const struct user *user, struct err *err)
{
    (void)err;
    see(ctx, "%u %.*s %.*s %u %lld %lld\n", user->number, SLICE_FMT(user->name),
        SLICE_FMT(user->password), user->generation, (long long)user->created_ms,
        (long long)user->revoked_ms);
    return 0;
}

static void test_users(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct user again = {.name = SLICE("alice")};
    struct user changed = {
        .number = 2, .password = SLICE("$other"), .generation = 7, .revoked_ms = 9};
    struct seen seen = {0};
    uint32_t number = 0;
    struct err err;

    begin(store);
    assert_int_equal(add_user(store, "alice"), 1);
    assert_int_equal(add_user(store, "böb"), 2);
    assert_int_equal(store_add_user(store, &again, &number, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "alice"));
    assert_ok(store_update_user(store, &changed, &err));
    changed.number = 77;
    assert_int_equal(store_update_user(store, &changed, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    commit(store);
    assert_ok(store_each_user(store, see_user, &seen, &err));
    assert_string_equal(seen.text, "1 alice $hash 0 5 0\n2 böb $other 7 5 9\n");
}

static int see_key(void *ctx, const struct access_key *key, struct err *err)
{
    (void)err;
    see(ctx, "%u %u %.*s %zu %.*s %lld %lld\n", key->number, key->user, SLICE_FMT(key->ak),
        key->sealed_sk.len, SLICE_FMT(key->label), (long long)key->created_ms,
        (long long)key->revoked_ms);
    return 0;
}

static void test_keys(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct access_key key = {
        .ak = SLICE("AK1"), .sealed_sk = {"a\0b", 3}, .label = SLICE("ci"), .created_ms = 5};
    struct seen seen = {0};
    struct err err;

    begin(store);
    key.user = 99;
    assert_int_equal(store_add_key(store, &key, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    key.user = add_user(store, "alice");
    assert_ok(store_add_key(store, &key, &err));
    assert_int_equal(store_add_key(store, &key, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    key.ak = SLICE("AK2");
    assert_ok(store_add_key(store, &key, &err));
    assert_ok(store_revoke_key(store, SLICE("AK2"), 40, &err));
    assert_ok(store_revoke_key(store, SLICE("AK2"), 50, &err));
    assert_int_equal(store_revoke_key(store, SLICE("ak1"), 50, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    commit(store);
    assert_ok(store_each_key(store, see_key, &seen, &err));
    assert_string_equal(seen.text, "1 1 AK1 3 ci 5 0\n2 1 AK2 0 ci 5 40\n");
}

static int see_grant(void *ctx, const struct grant *grant, struct err *err)
{
    (void)err;
    see(ctx, "%u %u '%.*s' %s\n", grant->user, grant->project, SLICE_FMT(grant->enterprise_project),
        words_name(&role_words, (int)grant->role));
    return 0;
}

static void test_grants(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct grant grant = {.role = ROLE_OPERATOR, .enterprise_project = SLICE("ep")};
    struct seen seen = {0};
    struct err err;

    begin(store);
    grant.user = add_user(store, "alice");
    grant.project = 99;
    assert_int_equal(store_put_grant(store, &grant, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    grant.project = 1;
    assert_ok(store_put_grant(store, &grant, &err));
    grant.project = 0;
    assert_ok(store_put_grant(store, &grant, &err));
    grant.role = ROLE_VIEWER; /* takes the place of the one before */
    assert_ok(store_put_grant(store, &grant, &err));
    grant.enterprise_project = SLICE_NONE;
    grant.role = ROLE_ADMIN;
    assert_ok(store_put_grant(store, &grant, &err));
    commit(store);
    assert_ok(store_each_grant(store, see_grant, &seen, &err));
    assert_string_equal(seen.text, "1 0 '' admin\n1 0 'ep' viewer\n1 1 'ep' operator\n");

    begin(store);
    assert_ok(store_remove_grant(store, &grant, &err));
    assert_int_equal(store_remove_grant(store, &grant, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    commit(store);
    seen.text[0] = '\0';
    assert_ok(store_each_grant(store, see_grant, &seen, &err));
    assert_string_equal(seen.text, "1 0 'ep' viewer\n1 1 'ep' operator\n");
}

static int keep_token(void *ctx, const struct token *token, struct err *err)
{
    struct token *kept = ctx;

    (void)err;
    *kept = *token;
    assert_slice(token->label, "ci");
    return 0;
}

static void test_tokens(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct token token = {.project = 1,
        .role = ROLE_ADMIN,
        .hash = {9, 8, 7},
        .label = SLICE("ci"),
        .created_ms = 5,
        .expires_ms = 60};
    struct token kept = {0};
    uint32_t number = 0;
    struct err err;

    begin(store);
    assert_ok(store_add_token(store, &token, &number, &err));
    assert_fails(store_add_token(store, &token, &number, &err), ERR_CONFLICT, "token");
    token.hash[0] = 1;
    token.project = 99;
    assert_fails(store_add_token(store, &token, &number, &err), ERR_INVALID, "not stored");
    commit(store);
    assert_ok(store_each_token(store, keep_token, &kept, &err));
    assert_int_equal(kept.number, number);
    assert_int_equal(kept.project, 1);
    assert_int_equal(kept.role, ROLE_ADMIN);
    assert_int_equal(kept.hash[0], 9);
    assert_int_equal(kept.created_ms, 5);
    assert_int_equal(kept.expires_ms, 60);
    assert_int_equal(kept.revoked_ms, 0);

    begin(store);
    assert_ok(store_revoke_token(store, number, 40, &err));
    assert_ok(store_revoke_token(store, number, 50, &err));
    assert_fails(store_revoke_token(store, 1234, 50, &err), ERR_NOT_FOUND, "1234");
    commit(store);
    assert_ok(store_each_token(store, keep_token, &kept, &err));
    assert_int_equal(kept.revoked_ms, 40);
}

static int see_project(void *ctx, const struct project *project, struct err *err)
{
    (void)err;
    see(ctx, "%.*s %lld\n", SLICE_FMT(project->id), (long long)project->revoked_ms);
    return 0;
}

static void test_projects_out_of_use(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct seen seen = {0};
    struct err err;

    begin(store);
    assert_ok(store_revoke_project(store, SLICE("default"), 40, &err));
    assert_int_equal(store_revoke_project(store, SLICE("nope"), 40, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_ok(store_each_project(store, see_project, &seen, &err));
    assert_ok(store_revoke_project(store, SLICE("default"), 0, &err));
    commit(store);
    assert_ok(store_each_project(store, see_project, &seen, &err));
    assert_string_equal(seen.text, "default 40\ndefault 0\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_users),
        TEST(test_keys),
        TEST(test_grants),
        TEST(test_tokens),
        TEST(test_projects_out_of_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
