/* SPDX-License-Identifier: Apache-2.0 */
/* Projects, and the tokens that open them. Both are few: walks read them in one go. */
#include "store/sqlite/sqlite_store.h"

int store_add_project(
    struct store *store, struct slice id, int64_t now_ms, uint32_t *ret_number, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_ADD_PROJECT,
            "INSERT INTO project (id, created_ms) VALUES (?1, ?2)", "adding a project", err) < 0)
        return -1;
    query_bind_text(&q, 1, id);
    query_bind_int(&q, 2, now_ms);
    if (query_run(&q, err) < 0) {
        if (err->code == ERR_CONFLICT)
            err_set(err, ERR_CONFLICT, "project \"%.*s\" exists already", SLICE_FMT(id));
        return -1;
    }
    *ret_number = (uint32_t)sqlite3_last_insert_rowid(conn->db);
    return 0;
}

int store_revoke_project(struct store *store, struct slice id, int64_t revoked_ms, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_REVOKE_PROJECT,
            "UPDATE project SET revoked_ms = ?2 WHERE id = ?1", "changing a project", err) < 0)
        return -1;
    query_bind_text(&q, 1, id);
    query_bind_int(&q, 2, revoked_ms);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no project \"%.*s\"", SLICE_FMT(id));
    return 0;
}

int store_each_project(struct store *store, store_project_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn || query_begin(&q, conn, STATEMENT_EACH_PROJECT,
                     "SELECT number, id, created_ms, revoked_ms FROM project ORDER BY number",
                     "reading projects", err) < 0)
        return -1;
    while ((step = query_step(&q, err)) > 0) {
        struct project project = {
            query_id(&q, 0), query_text(&q, 1), query_int(&q, 2), query_int(&q, 3)};

        if (query_check(&q, err) < 0 || fn(ctx, &project, err) < 0)
            return -1;
    }
    return step;
}

int store_add_token(
    struct store *store, const struct token *token, uint32_t *ret_number, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_ADD_TOKEN,
                     "INSERT INTO token (project, hash, label, created_ms, expires_ms, revoked_ms,"
                     " role) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                     "adding a token", err) < 0)
        return -1;
    query_bind_int(&q, 1, token->project);
    query_bind_blob(&q, 2, (struct slice){(const char *)token->hash, SHA256_BYTES});
    query_bind_text(&q, 3, token->label);
    query_bind_int(&q, 4, token->created_ms);
    query_bind_int(&q, 5, token->expires_ms);
    query_bind_int(&q, 6, token->revoked_ms);
    query_bind_int(&q, 7, token->role);
    if (query_run(&q, err) < 0) {
        if (err->code == ERR_CONFLICT)
            err_set(err, ERR_CONFLICT, "this token is stored already: make a new one");
        return -1;
    }
    *ret_number = (uint32_t)sqlite3_last_insert_rowid(conn->db);
    return 0;
}

int store_revoke_token(struct store *store, uint32_t number, int64_t now_ms, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_REVOKE_TOKEN,
            "UPDATE token SET revoked_ms = CASE revoked_ms WHEN 0 THEN ?2 ELSE revoked_ms END"
            " WHERE number = ?1",
            "revoking a token", err) < 0)
        return -1;
    query_bind_int(&q, 1, number);
    query_bind_int(&q, 2, now_ms);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no token %u", number);
    return 0;
}

static int read_token(struct query *q, struct token *ret, struct err *err)
{
    struct slice hash = query_blob(q, 2);

    q->damaged |= hash.len != SHA256_BYTES;
    *ret = (struct token){
        .number = query_id(q, 0),
        .project = query_id(q, 1),
        .label = query_text(q, 3),
        .created_ms = query_int(q, 4),
        .expires_ms = query_int(q, 5),
        .revoked_ms = query_int(q, 6),
        .role = (enum role)query_enum(q, 7, ROLE_COUNT),
    };
    if (query_check(q, err) < 0)
        return -1;
    memcpy(ret->hash, hash.ptr, SHA256_BYTES);
    return 0;
}

int store_each_token(struct store *store, store_token_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    struct token token;
    int step;

    if (!conn || query_begin(&q, conn, STATEMENT_EACH_TOKEN,
                     "SELECT number, project, hash, label, created_ms, expires_ms, revoked_ms, role"
                     " FROM token"
                     " ORDER BY number",
                     "reading tokens", err) < 0)
        return -1;
    while ((step = query_step(&q, err)) > 0)
        if (read_token(&q, &token, err) < 0 || fn(ctx, &token, err) < 0)
            return -1;
    return step;
}
