/* SPDX-License-Identifier: Apache-2.0 */
/* See users.h. */
#include "auth/users.h"

#include "auth/principals.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/utf8.h"

/* One write: what `fn` does happens, or does not. */
static int write_once(struct store *store, const char *who,
    int (*fn)(struct store *store, void *ctx, struct err *err), void *ctx, struct err *err)
{
    if (store_begin(store, who, err) < 0)
        return -1;
    if (fn(store, ctx, err) < 0 || store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

/* --- Users ------------------------------------------------------------------------------------ */

/* What is asked for, and the user as stored. */
struct change {
    struct slice name, password_hash;
    bool set_password, set_revoked, revoked;
    const struct grant *grants;
    size_t grant_count;
    bool ungrant;

    bool found;
    struct user user; /* with its password in hash */
    char hash[PASSWORD_HASH_BYTES];
};

static int check_name(struct slice name, struct err *err)
{
    if (name.len == 0 || !utf8_is_line(name) || utf8_count(name) > USER_NAME_MAX_CHARS)
        return err_set(err, ERR_INVALID,
            "a user name must be 1 to %d characters, without control characters",
            USER_NAME_MAX_CHARS);
    if (slice_starts_with(name, "token ")) /* principals.c */
        return err_set(err, ERR_INVALID,
            "the user name \"%.*s\" would be taken for a token's, which are called \"token 1\" and "
            "so on; choose one that does not begin with \"token \"",
            SLICE_FMT(name));
    return 0;
}

static int match_user(void *ctx, const struct user *user, struct err *err)
{
    struct change *change = ctx;

    if (!slice_eq(user->name, change->name))
        return 0;
    change->found = true;
    change->user = *user;
    change->user.name = change->name;
    if (!slice_to_cstr(user->password, change->hash, sizeof(change->hash)))
        return err_set(err, ERR_CORRUPT, "the stored password hash of %.*s is too long",
            SLICE_FMT(user->name));
    change->user.password = slice_of(change->hash);
    return 0;
}

static int find_user(struct store *store, struct change *change, struct err *err)
{
    if (store_each_user(store, match_user, change, err) < 0)
        return -1;
    if (!change->found)
        return err_set(err, ERR_NOT_FOUND,
            "there is no user \"%.*s\"; make one with: careen user create %.*s",
            SLICE_FMT(change->name), SLICE_FMT(change->name));
    return 0;
}

static int refuse_ungrant(const struct grant *grant, struct slice name, struct err *err)
{
    if (grant->enterprise_project.len)
        return err_set(err, ERR_NOT_FOUND,
            "%.*s holds no role for enterprise project \"%.*s\" of its own there; see: careen user "
            "list",
            SLICE_FMT(name), SLICE_FMT(grant->enterprise_project));
    return err_set(err, ERR_NOT_FOUND,
        "%.*s holds no role for every enterprise project there; see: careen user list",
        SLICE_FMT(name));
}

static int write_grants(struct store *store, struct change *change, struct err *err)
{
    for (size_t i = 0; i < change->grant_count; i++) {
        struct grant grant = change->grants[i];

        grant.user = change->user.number;
        if ((change->ungrant ? store_remove_grant(store, &grant, err)
                             : store_put_grant(store, &grant, err)) < 0)
            return err->code == ERR_NOT_FOUND ? refuse_ungrant(&grant, change->name, err) : -1;
    }
    return 0;
}

static int write_new_user(struct store *store, void *ctx, struct err *err)
{
    struct change *change = ctx;
    const struct user user = {
        .name = change->name, .password = change->password_hash, .created_ms = clock_now_ms()};

    if (store_add_user(store, &user, &change->user.number, err) < 0)
        return -1;
    return write_grants(store, change, err);
}

static int write_change(struct store *store, void *ctx, struct err *err)
{
    struct change *change = ctx;

    if (find_user(store, change, err) < 0)
        return -1;
    if (change->set_password)
        change->user.password = change->password_hash;
    if (change->set_revoked && change->revoked != (change->user.revoked_ms != 0))
        change->user.revoked_ms = change->revoked ? clock_now_ms() : 0;
    if (change->set_password || change->set_revoked) {
        change->user.generation++;
        return store_update_user(store, &change->user, err);
    }
    return write_grants(store, change, err);
}

int user_create(struct store *store, struct slice name, struct slice password,
    const struct grant *grants, size_t grant_count, struct err *err)
{
    struct change change = {.name = name, .grants = grants, .grant_count = grant_count};
    char hash[PASSWORD_HASH_BYTES] = "";

    if (check_name(name, err) < 0 || (password.len && password_hash(password, hash, err) < 0))
        return -1;
    change.password_hash = slice_of(hash);
    return write_once(store, "careen user create", write_new_user, &change, err);
}

int user_set_password(
    struct store *store, struct slice name, struct slice password, struct err *err)
{
    struct change change = {.name = name, .set_password = true};
    char hash[PASSWORD_HASH_BYTES];

    if (password_hash(password, hash, err) < 0)
        return -1;
    change.password_hash = slice_of(hash);
    return write_once(store, "careen user password", write_change, &change, err);
}

int user_set_revoked(struct store *store, struct slice name, bool revoked, struct err *err)
{
    struct change change = {.name = name, .set_revoked = true, .revoked = revoked};

    return write_once(store, "careen user revoke", write_change, &change, err);
}

int user_grant(struct store *store, struct slice name, const struct grant *grants, size_t count,
    struct err *err)
{
    struct change change = {.name = name, .grants = grants, .grant_count = count};

    return write_once(store, "careen user grant", write_change, &change, err);
}

int user_ungrant(struct store *store, struct slice name, const struct grant *grants, size_t count,
    struct err *err)
{
    struct change change = {.name = name, .grants = grants, .grant_count = count, .ungrant = true};

    return write_once(store, "careen user ungrant", write_change, &change, err);
}

/* --- Access keys ------------------------------------------------------------------------------ */

/* Fills dst with letters of an alphabet, each as likely as any other. */
static void random_text(const char *alphabet, char *dst, size_t len)
{
    const unsigned letters = (unsigned)strlen(alphabet), fair = 256 / letters * letters;

    for (size_t i = 0; i < len;) {
        unsigned char byte;

        random_bytes(&byte, 1);
        if (byte < fair)
            dst[i++] = alphabet[byte % letters];
    }
    dst[len] = '\0';
}

struct new_key {
    struct change owner;
    struct access_key key;
};

static int write_new_key(struct store *store, void *ctx, struct err *err)
{
    struct new_key *new_key = ctx;

    if (find_user(store, &new_key->owner, err) < 0)
        return -1;
    new_key->key.user = new_key->owner.user.number;
    return store_add_key(store, &new_key->key, err);
}

/* The key file, after every key that is stored has been seen to open with it: two key files in one
 * data folder would be one too many. */
static int need_seal(struct store *store, const char *data_dir, struct seal *ret, struct err *err)
{
    struct principals *principals = principals_open(store, data_dir, err);
    int failed = principals ? principals_need_seal(principals, ret, err) : -1;

    principals_close(principals);
    return failed;
}

int key_create(struct store *store, const char *data_dir, struct slice user, struct slice label,
    struct key_pair *ret, struct err *err)
{
    struct buf sealed CLEANUP(buf_release) = BUF_INIT(1024);
    struct key_pair pair = {.ak = "CRN"};
    struct new_key new_key = {.owner.name = user};
    struct seal seal CLEANUP(seal_forget) = {0};

    if (label.len && (!utf8_is_line(label) || utf8_count(label) > 256))
        return err_set(
            err, ERR_INVALID, "a label must be at most 256 characters, no control characters");
    if (need_seal(store, data_dir, &seal, err) < 0)
        return -1;
    random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", pair.ak + 3, sizeof(pair.ak) - 4);
    random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", pair.sk,
        sizeof(pair.sk) - 1);
    seal_secret(&seal, slice_of(pair.sk), slice_of(pair.ak), &sealed);
    if (buf_check(&sealed, "a sealed key", err) < 0)
        return -1;
    new_key.key = (struct access_key){.ak = slice_of(pair.ak),
        .sealed_sk = buf_slice(&sealed),
        .label = label,
        .created_ms = clock_now_ms()};
    if (write_once(store, "careen key create", write_new_key, &new_key, err) < 0)
        return -1;
    *ret = pair;
    explicit_bzero(&pair, sizeof(pair));
    return 0;
}

static int write_revoked_key(struct store *store, void *ctx, struct err *err)
{
    return store_revoke_key(store, *(const struct slice *)ctx, clock_now_ms(), err);
}

int key_revoke(struct store *store, struct slice ak, struct err *err)
{
    return write_once(store, "careen key revoke", write_revoked_key, &ak, err);
}

/* --- Projects --------------------------------------------------------------------------------- */

struct project_change {
    struct slice id;
    bool revoked;
};

static int write_project(struct store *store, void *ctx, struct err *err)
{
    const struct project_change *change = ctx;

    return store_revoke_project(store, change->id, change->revoked ? clock_now_ms() : 0, err);
}

int project_set_revoked(struct store *store, struct slice id, bool revoked, struct err *err)
{
    struct project_change change = {id, revoked};

    return write_once(store, "careen project revoke", write_project, &change, err);
}
