/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See principals.h. The picture is replaced as a whole when something was written: it is small, and
 * nothing but people changes it.
 *
 * The key file is read with it.
 */
#include "auth/principals.h"

#include "auth/login_token.h"
#include "auth/picture.h"
#include "base/lock.h"

/* --- Reading ---------------------------------------------------------------------------------- */

static int open_key(const struct principals *principals, const struct access_key *key,
    const struct seal *seal, struct secret_key *ret, struct err *err)
{
    return seal_open(seal, principals->data_dir, key->sealed_sk, key->ak, ret->text,
        sizeof(ret->text), &ret->len, err);
}

/* Every key must open: found out now, not by the client who signs with it. */
static int check_keys(const struct principals *principals, const struct picture *picture,
    const struct seal *seal, struct err *err)
{
    struct secret_key sk;

    for (size_t i = 0; i < picture->key_count; i++)
        if (open_key(principals, &picture->keys[i], seal, &sk, err) < 0)
            return -1;
    explicit_bzero(&sk, sizeof(sk));
    return 0;
}

/* The seal of this picture, into *ret; where nothing needs one there may be none. */
static int read_seal(struct principals *principals, const struct picture *picture, struct seal *ret,
    bool *ret_there, struct err *err)
{
    struct err missing;

    if (seal_read(principals->data_dir, ret, &missing) == 0) {
        *ret_there = true;
        return check_keys(principals, picture, ret, err);
    }
    *ret_there = false;
    if (missing.code == ERR_NOT_FOUND && picture->key_count == 0)
        return 0;
    *err = missing;
    return -1;
}

/* Without a seal that opens every key the new picture counts nevertheless: what was revoked must be
 * revoked. Keys that do not open are refused one by one. */
static int read_picture(struct principals *principals, struct err *err)
{
    struct picture fresh, old;
    struct seal seal = {0};
    bool there = false;
    int failed;

    if (picture_read(principals->store, &fresh, err) < 0) {
        picture_release(&fresh);
        return -1;
    }
    failed = read_seal(principals, &fresh, &seal, &there, err);
    pthread_rwlock_wrlock(&principals->lock);
    old = principals->picture;
    principals->picture = fresh;
    principals->seal = seal;
    principals->sealed = there;
    pthread_rwlock_unlock(&principals->lock);
    seal_forget(&seal);
    picture_release(&old);
    return failed;
}

static int refresh(struct principals *principals, struct err *err)
{
    uint64_t version;

    if (store_data_version(principals->store, &version, err) < 0)
        return -1;
    if (version == principals->data_version)
        return 0;
    if (tokens_refresh(principals->tokens, err) < 0 || read_picture(principals, err) < 0)
        return -1;
    principals->data_version = version;
    return 0;
}

int principals_refresh(struct principals *principals, struct err *err)
{
    int failed;

    pthread_mutex_lock(&principals->refreshing);
    failed = refresh(principals, err);
    pthread_mutex_unlock(&principals->refreshing);
    return failed;
}

struct principals *principals_open(struct store *store, const char *data_dir, struct err *err)
{
    struct principals *principals = calloc(1, sizeof(*principals));

    if (!principals) {
        err_nomem(err);
        return NULL;
    }
    principals->store = store;
    pthread_mutex_init(&principals->refreshing, NULL);
    lock_init_for_writers(&principals->lock);
    principals->data_dir = strdup(data_dir);
    if (!principals->data_dir)
        err_nomem(err);
    /* The version first: what is written meanwhile is read again, not missed. */
    if (!principals->data_dir || store_data_version(store, &principals->data_version, err) < 0 ||
        !(principals->tokens = tokens_open(store, err)) || read_picture(principals, err) < 0) {
        principals_close(principals);
        return NULL;
    }
    return principals;
}

void principals_close(struct principals *principals)
{
    if (!principals)
        return;
    tokens_close(principals->tokens);
    picture_release(&principals->picture);
    seal_forget(&principals->seal);
    pthread_mutex_destroy(&principals->refreshing);
    pthread_rwlock_destroy(&principals->lock);
    free(principals->data_dir);
    free(principals);
}

/* The key file may be made here; refreshing waits for that. */
static int make_seal(struct principals *principals, struct seal *ret, struct err *err)
{
    struct seal made;

    if (principals->sealed) {
        *ret = principals->seal;
        return 0;
    }
    if (seal_read_or_make(principals->data_dir, &made, err) < 0)
        return -1;
    pthread_rwlock_wrlock(&principals->lock);
    principals->seal = made;
    principals->sealed = true;
    pthread_rwlock_unlock(&principals->lock);
    *ret = made;
    seal_forget(&made);
    return 0;
}

int principals_need_seal(struct principals *principals, struct seal *ret, struct err *err)
{
    int failed;

    pthread_mutex_lock(&principals->refreshing);
    failed = make_seal(principals, ret, err);
    pthread_mutex_unlock(&principals->refreshing);
    return failed;
}

/* --- Who -------------------------------------------------------------------------------------- */

static int name_token(
    struct principal *principal, uint32_t number, struct arena *arena, struct err *err)
{
    char name[32];

    snprintf(name, sizeof(name), "token %u", number);
    return arena_dup(arena, slice_of(name), &principal->name, err);
}

static int stored_token(struct principals *principals, struct slice text, int64_t now_ms,
    struct arena *arena, enum token_verdict *ret_verdict, struct principal *ret, struct err *err)
{
    struct token_found found;
    enum token_verdict verdict = tokens_check(principals->tokens, text, now_ms, &found);
    struct principal principal;

    if (verdict == TOKEN_GOOD || verdict == TOKEN_EXPIRED) {
        principal = (struct principal){.token = found.number,
            .project = found.project,
            .role = found.role,
            .issued_ms = found.created_ms,
            .expires_ms = found.expires_ms};
        if (name_token(&principal, found.number, arena, err) < 0)
            return -1;
        *ret = principal;
    }
    *ret_verdict = verdict;
    return 0;
}

/* Locked: the user of a login token, if it still stands for one. */
static const struct user *user_of_login(
    const struct principals *principals, struct slice text, struct login *ret)
{
    const struct user *user;

    if (!principals->sealed || !login_token_read(&principals->seal, text, ret))
        return NULL;
    user = picture_user(&principals->picture, ret->user);
    return user && !user->revoked_ms && user->generation == ret->generation ? user : NULL;
}

static int login_token(struct principals *principals, struct slice text, int64_t now_ms,
    struct arena *arena, enum token_verdict *ret_verdict, struct principal *ret, struct err *err)
{
    struct login login = {0};
    struct principal principal;
    const struct user *user;
    int failed = 0;

    pthread_rwlock_rdlock(&principals->lock);
    user = user_of_login(principals, text, &login);
    principal = (struct principal){.user = login.user,
        .project = login.project,
        .issued_ms = login.issued_ms,
        .expires_ms = login.issued_ms + LOGIN_TOKEN_MS};
    if (user)
        failed = arena_dup(arena, user->name, &principal.name, err);
    pthread_rwlock_unlock(&principals->lock);
    if (failed)
        return -1;
    *ret_verdict = !user                            ? TOKEN_UNKNOWN
                   : principal.expires_ms <= now_ms ? TOKEN_EXPIRED
                                                    : TOKEN_GOOD;
    if (user)
        *ret = principal;
    return 0;
}

int principals_by_token(struct principals *principals, struct slice text, int64_t now_ms,
    struct arena *arena, enum token_verdict *ret_verdict, struct principal *ret, struct err *err)
{
    return login_token_is(text)
               ? login_token(principals, text, now_ms, arena, ret_verdict, ret, err)
               : stored_token(principals, text, now_ms, arena, ret_verdict, ret, err);
}

/* Locked. */
static int find_key(struct principals *principals, struct slice ak, struct arena *arena,
    bool *ret_known, struct principal *ret, struct secret_key *ret_sk, struct err *err)
{
    const struct access_key *key = picture_key(&principals->picture, ak);
    const struct user *user = key ? picture_user(&principals->picture, key->user) : NULL;
    struct principal principal = {0};

    if (!user || user->revoked_ms) {
        *ret_known = false;
        return 0;
    }
    principal.user = user->number;
    if (arena_dup(arena, user->name, &principal.name, err) < 0 ||
        open_key(principals, key, &principals->seal, ret_sk, err) < 0)
        return -1;
    *ret_known = true;
    *ret = principal;
    return 0;
}

int principals_by_key(struct principals *principals, struct slice ak, struct arena *arena,
    bool *ret_known, struct principal *ret, struct secret_key *ret_sk, struct err *err)
{
    int failed;

    pthread_rwlock_rdlock(&principals->lock);
    failed = find_key(principals, ak, arena, ret_known, ret, ret_sk, err);
    pthread_rwlock_unlock(&principals->lock);
    return failed;
}

int principals_find_user(struct principals *principals, struct slice name, struct arena *arena,
    uint32_t *ret_user, uint32_t *ret_generation, struct slice *ret_hash, struct err *err)
{
    const struct picture *picture = &principals->picture;
    int failed = 0;

    *ret_user = *ret_generation = 0;
    *ret_hash = SLICE_NONE;
    pthread_rwlock_rdlock(&principals->lock);
    for (size_t i = 0; i < picture->user_count && !failed; i++)
        if (slice_eq(picture->users[i].name, name) && !picture->users[i].revoked_ms) {
            *ret_user = picture->users[i].number;
            *ret_generation = picture->users[i].generation;
            failed = arena_dup(arena, picture->users[i].password, ret_hash, err);
        }
    pthread_rwlock_unlock(&principals->lock);
    return failed;
}
