/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing down who there is: users, their passwords, access keys and grants; each verb is one
 * write. A running server follows within a second.
 *
 * Messages name the remedy as a command, since the command line is who calls.
 */
#ifndef CAREEN_AUTH_USERS_H
#define CAREEN_AUTH_USERS_H

#include "auth/passwords.h"
#include "store/store.h"

enum { USER_NAME_MAX_CHARS = 64 };

/* A new user with these grants (their user is filled in). An empty password: none, for users that
 * sign with access keys only. ERR_INVALID, ERR_CONFLICT. */
int user_create(struct store *store, struct slice name, struct slice password,
    const struct grant *grants, size_t grant_count, struct err *err);
/* Ends the user's logins. */
int user_set_password(
    struct store *store, struct slice name, struct slice password, struct err *err);
/* Revoked: logins end, keys are refused. Not revoked any more: keys work again. */
int user_set_revoked(struct store *store, struct slice name, bool revoked, struct err *err);

int user_grant(struct store *store, struct slice name, const struct grant *grants, size_t count,
    struct err *err);
int user_ungrant(struct store *store, struct slice name, const struct grant *grants, size_t count,
    struct err *err);

/* A new key pair. */
struct key_pair {
    char ak[21]; /* "CRN" and 17 of A-Z, 2-7 */
    char sk[41]; /* 40 of A-Z, a-z, 0-9: 238 bits */
};

/* Stores the SK sealed with the key file of the data folder. The caller wipes *ret. */
int key_create(struct store *store, const char *data_dir, struct slice user, struct slice label,
    struct key_pair *ret, struct err *err);
int key_revoke(struct store *store, struct slice ak, struct err *err);

int project_set_revoked(struct store *store, struct slice id, bool revoked, struct err *err);

#endif
