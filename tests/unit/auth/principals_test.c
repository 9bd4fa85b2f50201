/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who and may do what, from users, keys and grants as they are written (users.h). */
#include "folder.h"

#include "auth/login_token.h"
#include "auth/principals.h"
#include "auth/users.h"

struct bed {
    struct folder *folder;
    struct principals *principals;
    struct arena arena;
};

static struct bed bed_open(void **state)
{
    struct bed bed = {.folder = *state};
    struct err err;

    arena_init(&bed.arena, "a test", 1 << 20);
    bed.principals = principals_open(bed.folder->store, bed.folder->path, &err);
    if (!bed.principals)
        fail_msg("%s", err.message);
    return bed;
}

static void bed_close(struct bed *bed)
{
    principals_close(bed->principals);
    arena_release(&bed->arena);
}

static void refresh(struct bed *bed)
{
    struct err err;

    assert_ok(principals_refresh(bed->principals, &err));
}

static uint32_t add_project(struct bed *bed, const char *id)
{
    struct store *store = bed->folder->store;
    uint32_t number = 0;
    struct err err;

    assert_ok(store_begin(store, "test", &err));
    assert_ok(store_add_project(store, slice_of(id), 1, &number, &err));
    assert_ok(store_commit(store, &err));
    return number;
}

static void create(struct bed *bed, const char *name, const struct grant *grants, size_t count)
{
    struct err err;

    assert_ok(user_create(bed->folder->store, slice_of(name), SLICE_NONE, grants, count, &err));
}

/* The principal of a new key of this user. */
static struct principal sign_in(struct bed *bed, const char *name)
{
    struct principal principal = {0};
    struct secret_key sk = {0};
    struct key_pair pair;
    struct err err;
    bool known = false;

    assert_ok(key_create(
        bed->folder->store, bed->folder->path, slice_of(name), SLICE("test"), &pair, &err));
    refresh(bed);
    assert_ok(principals_by_key(
        bed->principals, slice_of(pair.ak), &bed->arena, &known, &principal, &sk, &err));
    assert_true(known);
    assert_slice(((struct slice){sk.text, sk.len}), pair.sk);
    assert_slice(principal.name, name);
    return principal;
}

static void test_keys(void **state)
{
    struct bed bed = bed_open(state);
    struct store *store = bed.folder->store;
    struct key_pair one, two;
    struct principal principal;
    struct secret_key sk;
    struct err err;
    bool known = true;

    assert_failed(key_create(store, bed.folder->path, SLICE("alice"), SLICE_NONE, &one, &err), &err,
        ERR_NOT_FOUND, "careen user create alice");
    create(&bed, "alice", NULL, 0);
    assert_ok(key_create(store, bed.folder->path, SLICE("alice"), SLICE("ci"), &one, &err));
    assert_ok(key_create(store, bed.folder->path, SLICE("alice"), SLICE("ci"), &two, &err));
    assert_string_not_equal(one.ak, two.ak);
    assert_string_not_equal(one.sk, two.sk);
    assert_int_equal(strlen(one.ak), 20);
    assert_int_equal(strlen(one.sk), 40);
    assert_ok(principals_by_key(bed.principals, slice_of(one.ak), &bed.arena, &known, &principal,
        &sk, &err)); /* not refreshed yet */
    assert_false(known);
    refresh(&bed);
    assert_ok(principals_by_key(
        bed.principals, slice_of(one.ak), &bed.arena, &known, &principal, &sk, &err));
    assert_true(known);
    assert_ok(key_revoke(store, slice_of(one.ak), &err));
    refresh(&bed);
    assert_ok(principals_by_key(
        bed.principals, slice_of(one.ak), &bed.arena, &known, &principal, &sk, &err));
    assert_false(known);

    assert_ok(user_set_revoked(store, SLICE("alice"), true, &err));
    refresh(&bed);
    assert_ok(principals_by_key(
        bed.principals, slice_of(two.ak), &bed.arena, &known, &principal, &sk, &err));
    assert_false(known);
    assert_ok(user_set_revoked(store, SLICE("alice"), false, &err));
    refresh(&bed);
    assert_ok(principals_by_key(
        bed.principals, slice_of(two.ak), &bed.arena, &known, &principal, &sk, &err));
    assert_true(known);
    bed_close(&bed);
}

/* A lost or exchanged key file is found out by whoever opens the folder next. */
static void test_key_file_gone(void **state)
{
    struct bed bed = bed_open(state);
    struct store *store = bed.folder->store;
    struct key_pair pair, other;
    struct principal who;
    struct secret_key sk;
    char path[300], aside[310];
    struct seal seal;
    bool known = true;
    struct err err;

    key_path(bed.folder, path);
    snprintf(aside, sizeof(aside), "%s.aside", path);
    create(&bed, "alice", NULL, 0);
    assert_ok(key_create(store, bed.folder->path, SLICE("alice"), SLICE_NONE, &pair, &err));
    assert_int_equal(rename(path, aside), 0);
    assert_null(principals_open(store, bed.folder->path, &err));
    assert_failed(-1, &err, ERR_NOT_FOUND, path);
    assert_failed(key_create(store, bed.folder->path, SLICE("alice"), SLICE_NONE, &other, &err),
        &err, ERR_NOT_FOUND, "restore it from a backup");
    assert_int_equal(access(path, F_OK), -1);
    assert_ok(seal_read_or_make(bed.folder->path, &seal, &err));
    assert_null(principals_open(store, bed.folder->path, &err));
    assert_failed(-1, &err, ERR_CORRUPT, pair.ak);
    /* Who has the folder open already refuses the key, and goes on following. */
    assert_failed(principals_refresh(bed.principals, &err), &err, ERR_CORRUPT, pair.ak);
    assert_failed(
        principals_by_key(bed.principals, slice_of(pair.ak), &bed.arena, &known, &who, &sk, &err),
        &err, ERR_CORRUPT, pair.ak);
    assert_ok(user_set_revoked(store, SLICE("alice"), true, &err));
    assert_int_equal(principals_refresh(bed.principals, &err), -1);
    assert_ok(
        principals_by_key(bed.principals, slice_of(pair.ak), &bed.arena, &known, &who, &sk, &err));
    assert_false(known);
    assert_ok(user_set_revoked(store, SLICE("alice"), false, &err));
    assert_ok(key_revoke(store, slice_of(pair.ak), &err));
    assert_ok(key_create(store, bed.folder->path, SLICE("alice"), SLICE_NONE, &other, &err));
    refresh(&bed);
    assert_ok(
        principals_by_key(bed.principals, slice_of(other.ak), &bed.arena, &known, &who, &sk, &err));
    assert_true(known);
    unlink(aside);
    bed_close(&bed);
}

/* "a,b" of what is granted, "*" for all, "" for nothing. */
static const char *access_text(
    struct bed *bed, const struct principal *who, uint32_t project, enum role role)
{
    static char text[200];
    struct access access;
    struct err err;

    assert_ok(principals_access(bed->principals, who, project, role, &bed->arena, &access, &err));
    text[0] = '\0';
    for (size_t i = 0; i < access.enterprise_project_count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s", i ? "," : "",
            SLICE_FMT(access.enterprise_projects[i]));
    if (access.all)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "*");
    assert_int_equal(access.any, text[0] != '\0');
    return text;
}

static void test_access(void **state)
{
    struct bed bed = bed_open(state);
    uint32_t p1 = 1, p2 = add_project(&bed, "p2"), p3 = add_project(&bed, "p3");
    const struct grant grants[] = {
        {.project = p1, .enterprise_project = SLICE("a"), .role = ROLE_VIEWER},
        {.project = p1, .enterprise_project = SLICE("b"), .role = ROLE_OPERATOR},
        {.project = 0, .enterprise_project = SLICE("a"), .role = ROLE_OPERATOR},
        {.project = p2, .role = ROLE_VIEWER},
    };
    struct principal alice, bob;
    enum role role;
    struct err err;

    create(&bed, "bob", NULL, 0);
    create(&bed, "alice", grants, 4);
    alice = sign_in(&bed, "alice");
    bob = sign_in(&bed, "bob");
    assert_string_equal(access_text(&bed, &alice, p1, ROLE_VIEWER), "a,b");
    assert_string_equal(access_text(&bed, &alice, p1, ROLE_OPERATOR), "a,b");
    assert_string_equal(access_text(&bed, &alice, p1, ROLE_ADMIN), "");
    assert_string_equal(access_text(&bed, &alice, p2, ROLE_VIEWER), "a*");
    assert_string_equal(access_text(&bed, &alice, p2, ROLE_OPERATOR), "a");
    assert_string_equal(access_text(&bed, &alice, p3, ROLE_OPERATOR), "a");
    assert_string_equal(access_text(&bed, &bob, p1, ROLE_VIEWER), "");
    assert_false(principals_role(bed.principals, &bob, p1, &role));
    assert_false(principals_role(bed.principals, &bob, 0, &role));
    assert_true(principals_role(bed.principals, &alice, p1, &role));
    assert_int_equal(role, ROLE_OPERATOR);
    assert_false(principals_is_admin(bed.principals, &alice));

    alice.project = p2; /* a login narrowed to it */
    assert_string_equal(access_text(&bed, &alice, p1, ROLE_VIEWER), "");
    assert_string_equal(access_text(&bed, &alice, p2, ROLE_VIEWER), "a*");
    assert_false(principals_role(bed.principals, &alice, p1, &role));

    assert_ok(user_ungrant(bed.folder->store, SLICE("alice"), &grants[3], 1, &err));
    assert_failed(user_ungrant(bed.folder->store, SLICE("alice"), &grants[3], 1, &err), &err,
        ERR_NOT_FOUND, "alice");
    refresh(&bed);
    assert_string_equal(access_text(&bed, &alice, p2, ROLE_VIEWER), "a");
    bed_close(&bed);
}

static void test_admin(void **state)
{
    struct bed bed = bed_open(state);
    const struct grant partly[] = {{.project = 1, .role = ROLE_ADMIN},
        {.enterprise_project = SLICE("a"), .role = ROLE_ADMIN}, {.role = ROLE_OPERATOR}};
    const struct grant all = {.role = ROLE_ADMIN};
    struct principal who;
    struct err err;

    create(&bed, "alice", partly, 3);
    who = sign_in(&bed, "alice");
    assert_false(principals_is_admin(bed.principals, &who));
    assert_ok(user_grant(bed.folder->store, SLICE("alice"), &all, 1, &err));
    refresh(&bed);
    assert_true(principals_is_admin(bed.principals, &who));
    assert_string_equal(access_text(&bed, &who, 1, ROLE_ADMIN), "*");
    who.project = 1;
    assert_false(principals_is_admin(bed.principals, &who));
    bed_close(&bed);
}

/* The ids of the projects that `who` sees. */
static const char *projects_text(struct bed *bed, const struct principal *who)
{
    static char text[200];
    struct known_project *projects;
    size_t count;
    struct err err;

    assert_ok(principals_projects(bed->principals, who, &bed->arena, &projects, &count, &err));
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s%s ",
            SLICE_FMT(projects[i].id), projects[i].revoked ? "!" : "");
    return text;
}

static void test_projects(void **state)
{
    struct bed bed = bed_open(state);
    uint32_t p2 = add_project(&bed, "p2");
    const struct grant one = {.project = p2, .enterprise_project = SLICE("a")};
    const struct grant every = {.enterprise_project = SLICE("a")};
    struct principal alice, bob;
    struct known_project found;
    struct err err;

    create(&bed, "alice", &one, 1);
    create(&bed, "bob", &every, 1);
    alice = sign_in(&bed, "alice");
    bob = sign_in(&bed, "bob");
    assert_string_equal(projects_text(&bed, &alice), "p2 ");
    assert_string_equal(projects_text(&bed, &bob), "default p2 ");
    assert_ok(project_set_revoked(bed.folder->store, SLICE("p2"), true, &err));
    refresh(&bed);
    assert_string_equal(projects_text(&bed, &bob), "default p2! ");
    bob.project = 1;
    assert_string_equal(projects_text(&bed, &bob), "default ");
    assert_true(principals_find_project(bed.principals, SLICE("p2"), &found));
    assert_int_equal(found.number, p2);
    assert_true(found.revoked);
    assert_false(principals_find_project(bed.principals, SLICE("P2"), &found));
    bed_close(&bed);
}

static enum token_verdict judge(
    struct bed *bed, const char *text, int64_t now_ms, struct principal *ret)
{
    enum token_verdict verdict = TOKEN_GOOD;
    struct err err;

    assert_ok(principals_by_token(
        bed->principals, slice_of(text), now_ms, &bed->arena, &verdict, ret, &err));
    return verdict;
}

static void test_logins(void **state)
{
    struct bed bed = bed_open(state);
    struct store *store = bed.folder->store;
    const struct grant grant = {.project = 1, .role = ROLE_OPERATOR};
    char text[LOGIN_TOKEN_BYTES];
    struct login login = {.issued_ms = 1000};
    struct principal who = {0};
    struct slice hash;
    struct seal seal;
    struct err err;

    assert_ok(user_create(store, SLICE("alice"), SLICE("password"), &grant, 1, &err));
    assert_failed(user_create(store, SLICE("alice"), SLICE("password"), &grant, 1, &err), &err,
        ERR_CONFLICT, "alice");
    refresh(&bed);
    assert_ok(principals_find_user(
        bed.principals, SLICE("alice"), &bed.arena, &login.user, &login.generation, &hash, &err));
    assert_true(login.user > 0 && slice_starts_with(hash, "$scrypt$"));
    assert_ok(principals_need_seal(bed.principals, &seal, &err));
    login_token_make(&seal, &login, text);
    assert_int_equal(judge(&bed, text, 1000, &who), TOKEN_GOOD);
    assert_slice(who.name, "alice");
    assert_int_equal(judge(&bed, text, 1000 + LOGIN_TOKEN_MS - 1, &who), TOKEN_GOOD);
    assert_int_equal(judge(&bed, text, 1000 + LOGIN_TOKEN_MS, &who), TOKEN_EXPIRED);
    assert_true(who.expires_ms == 1000 + LOGIN_TOKEN_MS);

    assert_ok(user_grant(store, SLICE("alice"), &grant, 1, &err));
    refresh(&bed);
    assert_int_equal(judge(&bed, text, 1000, &who), TOKEN_GOOD);
    assert_ok(user_set_password(store, SLICE("alice"), SLICE("passwords"), &err));
    refresh(&bed);
    assert_int_equal(judge(&bed, text, 1000, &who), TOKEN_UNKNOWN);

    login.generation++;
    login_token_make(&seal, &login, text);
    assert_int_equal(judge(&bed, text, 1000, &who), TOKEN_GOOD);
    assert_ok(user_set_revoked(store, SLICE("alice"), true, &err));
    refresh(&bed);
    assert_int_equal(judge(&bed, text, 1000, &who), TOKEN_UNKNOWN);
    assert_ok(principals_find_user(
        bed.principals, SLICE("alice"), &bed.arena, &login.user, &login.generation, &hash, &err));
    assert_true(login.user == 0 && hash.len == 0);
    assert_ok(user_set_revoked(store, SLICE("alice"), false, &err));
    refresh(&bed);
    assert_int_equal(judge(&bed, text, 1000, &who), TOKEN_UNKNOWN);
    bed_close(&bed);
}

static void test_stored_tokens(void **state)
{
    struct bed bed = bed_open(state);
    const struct token_request request = {.project = 1, .role = ROLE_VIEWER, .expires_ms = 5000};
    char text[TOKEN_TEXT_BYTES];
    struct principal who = {0};
    uint32_t number;
    struct err err;

    assert_ok(token_create(bed.folder->store, &request, text, &number, &err));
    assert_int_equal(judge(&bed, text, 4999, &who), TOKEN_UNKNOWN);
    refresh(&bed);
    assert_int_equal(judge(&bed, text, 4999, &who), TOKEN_GOOD);
    assert_slice(who.name, "token 1");
    assert_string_equal(access_text(&bed, &who, 1, ROLE_VIEWER), "*");
    assert_string_equal(access_text(&bed, &who, 1, ROLE_OPERATOR), "");
    assert_string_equal(access_text(&bed, &who, 2, ROLE_VIEWER), "");
    assert_string_equal(projects_text(&bed, &who), "default ");
    assert_int_equal(judge(&bed, text, 5000, &who), TOKEN_EXPIRED);
    assert_ok(token_revoke(bed.folder->store, number, &err));
    refresh(&bed);
    assert_int_equal(judge(&bed, text, 4999, &who), TOKEN_REVOKED);
    text[10] ^= 1;
    assert_int_equal(judge(&bed, text, 4999, &who), TOKEN_UNKNOWN);
    bed_close(&bed);
}

static void test_user_names(void **state)
{
    struct folder *folder = *state;
    struct err err;
    char name[66];

    memset(name, 'n', sizeof(name));
    assert_failed(user_create(folder->store, SLICE_NONE, SLICE_NONE, NULL, 0, &err), &err,
        ERR_INVALID, "1 to 64");
    assert_failed(user_create(folder->store, SLICE("a\nb"), SLICE_NONE, NULL, 0, &err), &err,
        ERR_INVALID, "control");
    assert_failed(user_create(folder->store, SLICE("token 1"), SLICE_NONE, NULL, 0, &err), &err,
        ERR_INVALID, "choose one that does not begin with \"token \"");
    assert_ok(user_create(folder->store, SLICE("tokens"), SLICE_NONE, NULL, 0, &err));
    assert_failed(user_create(folder->store, (struct slice){name, 65}, SLICE_NONE, NULL, 0, &err),
        &err, ERR_INVALID, "1 to 64");
    assert_ok(user_create(folder->store, (struct slice){name, 64}, SLICE_NONE, NULL, 0, &err));
    assert_failed(user_create(folder->store, SLICE("a"), SLICE("short"), NULL, 0, &err), &err,
        ERR_INVALID, "8 to");
    assert_failed(user_set_password(folder->store, SLICE("nobody"), SLICE("long enough"), &err),
        &err, ERR_NOT_FOUND, "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_keys),
        WITH_FOLDER(test_key_file_gone),
        WITH_FOLDER(test_access),
        WITH_FOLDER(test_admin),
        WITH_FOLDER(test_projects),
        WITH_FOLDER(test_logins),
        WITH_FOLDER(test_stored_tokens),
        WITH_FOLDER(test_user_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
