/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What IAM clients and SDKs without a project id ask for: tokens, projects, domains (contract,
 * sections 2.5 and 3). There is one domain; a project's name is its id.
 */
#include "api/call.h"
#include "api/iam_login.h"
#include "api/iam_render.h"
#include "api/rate.h"
#include "auth/login_token.h"
#include "base/clock.h"

static struct slice domain_of(const struct call *call)
{
    return slice_of(service_options(call->service)->domain);
}

/* --- Tokens ----------------------------------------------------------------------------------- */

/* 0, or -1 with *err when the project of a token is none any more. */
static int write_token(struct call *call, const struct principal *who, struct err *err)
{
    struct iam_token token = {.who = who, .domain = domain_of(call)};

    if (who->project && fleet_project_id(call->service->fleet, who->project, &call->request->arena,
                            &token.project_id, err) < 0)
        return -1;
    token.has_role = principals_role(call->service->principals, who, who->project, &token.role);
    iam_write_token(&call->response->body, &token);
    return 0;
}

static void answer_token(struct call *call, const struct principal *who, struct slice text)
{
    struct err err = {0};
    struct slice kept;

    if (arena_dup(&call->request->arena, text, &kept, &err) < 0 ||
        write_token(call, who, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    call_finish(call);
    call->response->header = "X-Subject-Token";
    call->response->header_value = kept.ptr;
}

/* May the caller look at this token? Its owner, and admins of all. */
static bool may_examine(const struct call *call, const struct principal *subject)
{
    const struct principal *caller = &call->principal;

    if (subject->user ? subject->user == caller->user : subject->token == caller->token)
        return true;
    return principals_is_admin(call->service->principals, caller);
}

static int find_subject(struct call *call, struct slice text, enum token_verdict *ret_verdict,
    struct principal *ret, struct err *err)
{
    if (text.len == 0)
        return err_set(err, ERR_INVALID, "X-Subject-Token: must be given");
    return principals_by_token(call->service->principals, text, clock_now_ms(),
        &call->request->arena, ret_verdict, ret, err);
}

void handle_show_token(struct call *call)
{
    struct slice text = http_header(call->request, "X-Subject-Token");
    enum token_verdict verdict = TOKEN_UNKNOWN;
    struct principal subject = {0};
    struct err err = {0};

    if (find_subject(call, text, &verdict, &subject, &err) < 0)
        call_fail(call, &err);
    else if (verdict != TOKEN_GOOD)
        call_refuse(call, &failure_iam_no_token, "");
    else if (!may_examine(call, &subject))
        call_refuse(call, &failure_iam_forbidden, "");
    else
        answer_token(call, &subject, text);
}

/* --- Logging in ------------------------------------------------------------------------------- */

static bool is_domain(const struct call *call, struct slice name, struct slice id)
{
    char ours[IAM_ID_BYTES];

    iam_id("domain", domain_of(call), ours);
    return (!name.len || slice_eq(name, domain_of(call))) && (!id.len || slice_is(id, ours));
}

/* Whose password it is; *ret_user 0 when it is nobody's. */
static int check_password(struct call *call, const struct login_request *login, uint32_t *ret_user,
    uint32_t *ret_generation, struct err *err)
{
    struct service *service = call->service;
    char network[THROTTLE_NETWORK_BYTES];
    struct slice address = throttle_network(call->request->client, network), hash;
    int64_t now_ms = clock_monotonic_us() / 1000;
    bool right = false;

    if (principals_find_user(service->principals, login->user_name, &call->request->arena, ret_user,
            ret_generation, &hash, err) < 0)
        return -1;
    if (lockout_is_locked(service->lockout, login->user_name, address, now_ms))
        return err_set(err, ERR_FORBIDDEN,
            "too many wrong passwords for this user from this address: wait five minutes");
    if (password_check(&service->passwords, login->password, hash, &right, err) < 0)
        return -1;
    if (right && is_domain(call, login->domain_name, login->domain_id)) {
        lockout_succeeded(service->lockout, login->user_name, address);
        return 0;
    }
    lockout_failed(service->lockout, login->user_name, address, now_ms);
    *ret_user = 0;
    return 0;
}

/* The project that the token is to be narrowed to; false when the user has no role there. */
static bool find_scope(struct call *call, const struct login_request *login, struct principal *who)
{
    struct principals *principals = call->service->principals;
    struct known_project project;
    enum role role;

    if (!login->scope_project)
        return is_domain(call, login->scope_name, login->scope_id);
    if (!principals_find_project(
            principals, login->scope_id.len ? login->scope_id : login->scope_name, &project) ||
        !principals_role(principals, who, project.number, &role))
        return false;
    who->project = project.number;
    return true;
}

static void issue(struct call *call, struct principal *who, uint32_t generation)
{
    struct login login = {who->user, generation, who->project, clock_now_ms()};
    char text[LOGIN_TOKEN_BYTES];
    struct err err = {0};
    struct seal seal;

    if (principals_need_seal(call->service->principals, &seal, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    login_token_make(&seal, &login, text);
    seal_forget(&seal);
    who->issued_ms = login.issued_ms;
    who->expires_ms = login.issued_ms + LOGIN_TOKEN_MS;
    answer_token(call, who, slice_of(text));
}

static void refuse_login(struct call *call, const struct err *err)
{
    if (err->code == ERR_BUSY) {
        rate_login_put_off(call);
        call_refuse(call, &failure_throttled, err->message);
        snprintf(call->response->retry_after, sizeof(call->response->retry_after), "1");
    } else if (err->code == ERR_FORBIDDEN) {
        call_refuse(call, &failure_iam_login, err->message);
    } else {
        call_fail(call, err);
    }
}

static void log_in(struct call *call, const struct login_request *login)
{
    struct principal who = {.name = login->user_name};
    uint32_t generation = 0;
    struct err err = {0};

    if (check_password(call, login, &who.user, &generation, &err) < 0)
        refuse_login(call, &err);
    else if (who.user == 0)
        call_refuse(call, &failure_iam_login, "");
    else if (!find_scope(call, login, &who))
        call_refuse(call, &failure_iam_forbidden, "auth.scope: no role there");
    else
        issue(call, &who, generation);
}

void handle_create_token(struct call *call)
{
    struct login_request login = {0};
    struct err err = {0};

    call->credential = CREDENTIAL_PASSWORD;
    if (!call->request->body || call->request->body_bytes == 0)
        call_refuse(call, &failure_iam_body, "it is empty");
    else if (login_request_read(call->request->body, &call->request->arena, &login, &err) < 0)
        call_refuse(call, &failure_iam_body, err.message);
    else
        log_in(call, &login);
}

/* --- Lists ------------------------------------------------------------------------------------ */

/* The value of a query parameter, or empty. */
static int find_param(struct call *call, const char *name, struct slice *ret, struct err *err)
{
    struct query_params params;

    if (call_query(call, &params, err) < 0)
        return -1;
    for (size_t i = 0; i < params.count; i++)
        if (slice_is(params.at[i].name, name))
            *ret = params.at[i].value;
    return 0;
}

void handle_list_projects(struct call *call)
{
    struct known_project *projects;
    struct slice name = SLICE_NONE;
    size_t count, kept = 0;
    struct err err = {0};

    if (find_param(call, "name", &name, &err) < 0 ||
        principals_projects(call->service->principals, &call->principal, &call->request->arena,
            &projects, &count, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (!name.len || slice_eq(projects[i].id, name))
            projects[kept++] = projects[i];
    iam_write_projects(
        &call->response->body, domain_of(call), projects, kept, call->request->target);
    call_finish(call);
}

void handle_list_domains(struct call *call)
{
    iam_write_domains(&call->response->body, domain_of(call), call->request->target);
    call_finish(call);
}
