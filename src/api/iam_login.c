/* SPDX-License-Identifier: Apache-2.0 */
/* See iam_login.h. One function an object; members come in any order. */
#include "api/iam_login.h"

struct reading {
    struct json_reader *r;
    struct arena *arena;
    struct login_request login;
    bool by_password;
};

/* {"name": ..., "id": ...}, each of which may be missing. */
static void read_name_and_id(struct reading *in, struct slice *ret_name, struct slice *ret_id)
{
    struct slice key;

    json_begin_object(in->r);
    while (json_next_key(in->r, &key)) {
        if (slice_is(key, "name"))
            json_read_string(in->r, in->arena, ret_name);
        else if (slice_is(key, "id"))
            json_read_string(in->r, in->arena, ret_id);
        else
            json_skip(in->r);
    }
}

static void read_user(struct reading *in)
{
    struct login_request *login = &in->login;
    struct slice key;

    json_begin_object(in->r);
    while (json_next_key(in->r, &key)) {
        if (slice_is(key, "name"))
            json_read_string(in->r, in->arena, &login->user_name);
        else if (slice_is(key, "password"))
            json_read_string(in->r, in->arena, &login->password);
        else if (slice_is(key, "domain"))
            read_name_and_id(in, &login->domain_name, &login->domain_id);
        else
            json_skip(in->r);
    }
}

static void read_password(struct reading *in)
{
    struct slice key;

    json_begin_object(in->r);
    while (json_next_key(in->r, &key)) {
        if (slice_is(key, "user"))
            read_user(in);
        else
            json_skip(in->r);
    }
}

static void read_methods(struct reading *in)
{
    struct slice method;

    json_begin_array(in->r);
    while (json_next_element(in->r)) {
        if (json_peek_string(in->r, &method) && !slice_is(method, "password"))
            json_fail(in->r, ERR_INVALID, "the only method here is \"password\"");
        in->by_password = true;
    }
}

static void read_identity(struct reading *in)
{
    struct slice key;

    json_begin_object(in->r);
    while (json_next_key(in->r, &key)) {
        if (slice_is(key, "methods"))
            read_methods(in);
        else if (slice_is(key, "password"))
            read_password(in);
        else
            json_skip(in->r);
    }
}

static void read_scope(struct reading *in)
{
    struct login_request *login = &in->login;
    struct slice key;

    json_begin_object(in->r);
    while (json_next_key(in->r, &key)) {
        bool project = slice_is(key, "project"), domain = slice_is(key, "domain");

        if (project || domain)
            read_name_and_id(in, &login->scope_name, &login->scope_id);
        else
            json_skip(in->r);
        login->scope_project |= project;
        login->scope_domain |= domain;
    }
}

static void read_auth(struct reading *in)
{
    struct slice key;

    json_begin_object(in->r);
    while (json_next_key(in->r, &key)) {
        if (slice_is(key, "identity"))
            read_identity(in);
        else if (slice_is(key, "scope"))
            read_scope(in);
        else
            json_skip(in->r);
    }
}

static int check(const struct reading *in, struct err *err)
{
    const struct login_request *login = &in->login;

    if (!in->by_password)
        return err_set(err, ERR_INVALID, "auth.identity.methods: must be [\"password\"]");
    if (!login->user_name.len)
        return err_set(err, ERR_INVALID, "auth.identity.password.user.name: must be given");
    if (!login->password.len)
        return err_set(err, ERR_INVALID, "auth.identity.password.user.password: must be given");
    if (login->scope_project && login->scope_domain)
        return err_set(err, ERR_INVALID, "auth.scope: must be a project or a domain, not both");
    if (login->scope_project && !login->scope_name.len && !login->scope_id.len)
        return err_set(err, ERR_INVALID, "auth.scope.project: must have a name or an id");
    return 0;
}

int login_request_read(
    struct stream *body, struct arena *arena, struct login_request *ret, struct err *err)
{
    struct reading in = {.r = json_reader_new(body, err), .arena = arena};
    struct slice key;
    int failed;

    if (!in.r)
        return -1;
    json_begin_object(in.r);
    while (json_next_key(in.r, &key)) {
        if (slice_is(key, "auth"))
            read_auth(&in);
        else
            json_skip(in.r);
    }
    failed = json_reader_finish(in.r, err);
    json_reader_free(in.r);
    if (failed || check(&in, err) < 0)
        return -1;
    *ret = in.login;
    return 0;
}
