/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling, and what they may do: a picture in memory of projects, users, access keys, grants
 * and tokens, so that checking a request takes no disk. principals_refresh() takes in what has been
 * written since.
 *
 * SKs stay sealed in the picture; one is opened for each signature that is checked.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef CAREEN_AUTH_PRINCIPALS_H
#define CAREEN_AUTH_PRINCIPALS_H

#include "auth/seal.h"
#include "auth/tokens.h"

struct principals;

/* Reads the picture. The store stays the caller's, and must outlive it. Fails, naming file and
 * remedy, when there are access keys that the key file does not open. */
struct principals *principals_open(struct store *store, const char *data_dir, struct err *err);
void principals_close(struct principals *principals); /* accepts NULL */
/* Costs microseconds when nothing was written. */
int principals_refresh(struct principals *principals, struct err *err);

/* --- Who -------------------------------------------------------------------------------------- */

/* Somebody whose credentials were right. Without a user it is a token of one project. */
struct principal {
    uint32_t user;      /* 0: none */
    uint32_t token;     /* the number of a stored token; 0: none */
    uint32_t project;   /* what the credentials are narrowed to; 0: nothing */
    enum role role;     /* of a token without a user */
    struct slice name;  /* of the user, or "token 3" */
    int64_t issued_ms;  /* of a token; else 0 */
    int64_t expires_ms; /* likewise; 0: never */
};

/* A token's text, stored or of a login. *ret (name in the arena) on TOKEN_GOOD and TOKEN_EXPIRED.
 * -1 with *err: ERR_NOMEM. */
int principals_by_token(struct principals *principals, struct slice text, int64_t now_ms,
    struct arena *arena, enum token_verdict *ret_verdict, struct principal *ret, struct err *err);

enum { SECRET_KEY_MAX_BYTES = 128 };

/* The user of an access key, and its SK, which the caller wipes. *ret_known false: there is no such
 * key, or it or its user is revoked. ERR_CORRUPT when the key file does not open it. */
struct secret_key {
    char text[SECRET_KEY_MAX_BYTES];
    size_t len;
};
int principals_by_key(struct principals *principals, struct slice ak, struct arena *arena,
    bool *ret_known, struct principal *ret, struct secret_key *ret_sk, struct err *err);

/* A user by name, for a login: its password hash (empty: none) in the arena. A revoked one is as
 * one that is not there: *ret_user 0 and an empty hash. */
int principals_find_user(struct principals *principals, struct slice name, struct arena *arena,
    uint32_t *ret_user, uint32_t *ret_generation, struct slice *ret_hash, struct err *err);

/* The key for login tokens; made when there is none and nothing was sealed with one before. May
 * write to the disk. */
int principals_need_seal(struct principals *principals, struct seal *ret, struct err *err);

/* --- What they may do ------------------------------------------------------------------------- */

struct known_project {
    uint32_t number;
    struct slice id;
    bool revoked;
};

/* False when there is none. The id is not filled in. */
bool principals_find_project(
    struct principals *principals, struct slice id, struct known_project *ret);

/* Where in one project a role is held. */
struct access {
    bool any;                          /* somewhere; else all that follows is empty */
    bool all;                          /* in every enterprise project */
    struct slice *enterprise_projects; /* else in these, each once */
    size_t enterprise_project_count;
};

/* Where `who` holds `role`, or one that includes it. Strings in the arena. ERR_NOMEM. */
int principals_access(struct principals *principals, const struct principal *who, uint32_t project,
    enum role role, struct arena *arena, struct access *ret, struct err *err);
bool access_includes(const struct access *access, struct slice enterprise_project);

/* The highest role held in a project (0: in any), in any enterprise project. False when none is. */
bool principals_role(
    struct principals *principals, const struct principal *who, uint32_t project, enum role *ret);
/* Admin of every project, those to come included. */
bool principals_is_admin(struct principals *principals, const struct principal *who);

/* The projects in which `who` holds any role, ids in the arena. */
int principals_projects(struct principals *principals, const struct principal *who,
    struct arena *arena, struct known_project **ret, size_t *ret_count, struct err *err);

#endif
