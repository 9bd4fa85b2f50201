/* SPDX-License-Identifier: Apache-2.0 */
/* Users, their access keys and grants. All are few: walks read them in one go. */
#include "store/sqlite/sqlite_store.h"

/* --- Users ------------------------------------------------------------------------------------ */

int store_add_user(
    struct store *store, const struct user *user, uint32_t *ret_number, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_ADD_USER,
                     "INSERT INTO user (name, password, generation, created_ms, revoked_ms)"
                     " VALUES (?1, ?2, ?3, ?4, ?5)",
                     "adding a user", err) < 0)
        return -1;
    query_bind_text(&q, 1, user->name);
    query_bind_text(&q, 2, user->password);
    query_bind_int(&q, 3, user->generation);
    query_bind_int(&q, 4, user->created_ms);
    query_bind_int(&q, 5, user->revoked_ms);
    if (query_run(&q, err) < 0) {
        if (err->code == ERR_CONFLICT)
            err_set(err, ERR_CONFLICT, "user \"%.*s\" exists already", SLICE_FMT(user->name));
        return -1;
    }
    *ret_number = (uint32_t)sqlite3_last_insert_rowid(conn->db);
    return 0;
}

int store_update_user(struct store *store, const struct user *user, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_UPDATE_USER,
            "UPDATE user SET password = ?2, generation = ?3, revoked_ms = ?4 WHERE number = ?1",
            "changing a user", err) < 0)
        return -1;
    query_bind_int(&q, 1, user->number);
    query_bind_text(&q, 2, user->password);
    query_bind_int(&q, 3, user->generation);
    query_bind_int(&q, 4, user->revoked_ms);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no user %u", user->number);
    return 0;
}

int store_each_user(struct store *store, store_user_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn || query_begin(&q, conn, STATEMENT_EACH_USER,
                     "SELECT number, name, password, generation, created_ms, revoked_ms FROM user"
                     " ORDER BY number",
                     "reading users", err) < 0)
        return -1;
    while ((step = query_step(&q, err)) > 0) {
        struct user user = {query_id(&q, 0), query_text(&q, 1), query_text(&q, 2), query_id(&q, 3),
            query_int(&q, 4), query_int(&q, 5)};

        if (query_check(&q, err) < 0 || fn(ctx, &user, err) < 0)
            return -1;
    }
    return step;
}

/* --- Access keys ------------------------------------------------------------------------------ */

int store_add_key(struct store *store, const struct access_key *key, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_ADD_KEY,
                     "INSERT INTO access_key (user, ak, sealed_sk, label, created_ms, revoked_ms)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     "adding an access key", err) < 0)
        return -1;
    query_bind_int(&q, 1, key->user);
    query_bind_text(&q, 2, key->ak);
    query_bind_blob(&q, 3, key->sealed_sk);
    query_bind_text(&q, 4, key->label);
    query_bind_int(&q, 5, key->created_ms);
    query_bind_int(&q, 6, key->revoked_ms);
    if (query_run(&q, err) < 0) {
        if (err->code == ERR_CONFLICT)
            err_set(err, ERR_CONFLICT, "access key %.*s exists already", SLICE_FMT(key->ak));
        return -1;
    }
    return 0;
}

int store_revoke_key(struct store *store, struct slice ak, int64_t now_ms, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn ||
        query_begin(&q, conn, STATEMENT_REVOKE_KEY,
            "UPDATE access_key SET sealed_sk = x'',"
            " revoked_ms = CASE revoked_ms WHEN 0 THEN ?2 ELSE revoked_ms END WHERE ak = ?1",
            "revoking an access key", err) < 0)
        return -1;
    query_bind_text(&q, 1, ak);
    query_bind_int(&q, 2, now_ms);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no access key \"%.*s\"", SLICE_FMT(ak));
    return 0;
}

int store_each_key(struct store *store, store_key_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn ||
        query_begin(&q, conn, STATEMENT_EACH_KEY,
            "SELECT number, user, ak, sealed_sk, label, created_ms, revoked_ms FROM access_key"
            " ORDER BY number",
            "reading access keys", err) < 0)
        return -1;
    while ((step = query_step(&q, err)) > 0) {
        struct access_key key = {query_id(&q, 0), query_id(&q, 1), query_text(&q, 2),
            query_blob(&q, 3), query_text(&q, 4), query_int(&q, 5), query_int(&q, 6)};

        if (query_check(&q, err) < 0 || fn(ctx, &key, err) < 0)
            return -1;
    }
    return step;
}

/* --- Grants ----------------------------------------------------------------------------------- */

/* Every project is project 0 outside and NULL inside: nullif() and ifnull() between them. */
static void bind_grant(struct query *q, const struct grant *grant)
{
    query_bind_int(q, 1, grant->user);
    query_bind_int(q, 2, grant->project);
    query_bind_text(q, 3, grant->enterprise_project);
}

int store_put_grant(struct store *store, const struct grant *grant, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_PUT_GRANT,
                     "INSERT INTO granted (user, project, enterprise_project, role)"
                     " VALUES (?1, nullif(?2, 0), ?3, ?4)"
                     " ON CONFLICT (user, ifnull(project, 0), enterprise_project)"
                     " DO UPDATE SET role = excluded.role",
                     "granting a role", err) < 0)
        return -1;
    bind_grant(&q, grant);
    query_bind_int(&q, 4, grant->role);
    return query_run(&q, err);
}

int store_remove_grant(struct store *store, const struct grant *grant, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct query q CLEANUP(query_end) = {0};

    if (!conn || query_begin(&q, conn, STATEMENT_REMOVE_GRANT,
                     "DELETE FROM granted WHERE user = ?1 AND ifnull(project, 0) = ?2"
                     " AND enterprise_project = ?3",
                     "taking a role away", err) < 0)
        return -1;
    bind_grant(&q, grant);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such grant");
    return 0;
}

int store_each_grant(struct store *store, store_grant_fn fn, void *ctx, struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (!conn || query_begin(&q, conn, STATEMENT_EACH_GRANT,
                     "SELECT user, ifnull(project, 0), enterprise_project, role FROM granted"
                     " ORDER BY user, ifnull(project, 0), enterprise_project",
                     "reading grants", err) < 0)
        return -1;
    while ((step = query_step(&q, err)) > 0) {
        struct grant grant = {query_id(&q, 0), query_id(&q, 1), query_text(&q, 2),
            (enum role)query_enum(&q, 3, ROLE_COUNT)};

        if (query_check(&q, err) < 0 || fn(ctx, &grant, err) < 0)
            return -1;
    }
    return step;
}
