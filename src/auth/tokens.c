/* SPDX-License-Identifier: Apache-2.0 */
/* See tokens.h. The table is replaced as a whole when it is refreshed: it is small and rarely
 * changes. */
#include "auth/tokens.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/random.h"
#include "base/utf8.h"

/* What a check needs of a stored token. */
struct known {
    unsigned char hash[SHA256_BYTES];
    struct token_found found;
    int64_t revoked_ms;
};

struct table {
    struct known *at;
    size_t count, cap;
    struct map by_hash;
};

struct tokens {
    struct store *store;
    pthread_rwlock_t lock;
    struct table table;
};

static void table_release(struct table *table)
{
    free(table->at);
    map_release(&table->by_hash);
    *table = (struct table){0};
}

/* The hash is uniform already: its first bytes serve as the table's. */
static uint64_t bucket_of(const unsigned char hash[SHA256_BYTES])
{
    uint64_t bucket;

    memcpy(&bucket, hash, sizeof(bucket));
    return bucket;
}

static int take_token(void *ctx, const struct token *token, struct err *err)
{
    struct table *table = ctx;
    struct known *known;

    if (array_reserve(&table->at, &table->cap, table->count + 1, sizeof(*table->at), err) < 0)
        return -1;
    known = &table->at[table->count];
    *known = (struct known){
        .found = {token->number, token->project, token->role, token->created_ms, token->expires_ms},
        .revoked_ms = token->revoked_ms};
    memcpy(known->hash, token->hash, SHA256_BYTES);
    return map_add(&table->by_hash, bucket_of(token->hash), (uint32_t)table->count++, err);
}

int tokens_refresh(struct tokens *tokens, struct err *err)
{
    struct table fresh = {0}, old;

    if (store_each_token(tokens->store, take_token, &fresh, err) < 0) {
        table_release(&fresh);
        return -1;
    }
    pthread_rwlock_wrlock(&tokens->lock);
    old = tokens->table;
    tokens->table = fresh;
    pthread_rwlock_unlock(&tokens->lock);
    table_release(&old);
    return 0;
}

struct tokens *tokens_open(struct store *store, struct err *err)
{
    struct tokens *tokens = calloc(1, sizeof(*tokens));

    if (!tokens) {
        err_nomem(err);
        return NULL;
    }
    tokens->store = store;
    lock_init_for_writers(&tokens->lock);
    if (tokens_refresh(tokens, err) < 0) {
        tokens_close(tokens);
        return NULL;
    }
    return tokens;
}

void tokens_close(struct tokens *tokens)
{
    if (!tokens)
        return;
    table_release(&tokens->table);
    pthread_rwlock_destroy(&tokens->lock);
    free(tokens);
}

static bool has_hash(const void *owner, uint32_t id, const void *key)
{
    const struct table *table = owner;

    return memcmp(table->at[id].hash, key, SHA256_BYTES) == 0;
}

enum token_verdict tokens_check(
    struct tokens *tokens, struct slice text, int64_t now_ms, struct token_found *ret)
{
    unsigned char hash[SHA256_BYTES];
    enum token_verdict verdict = TOKEN_UNKNOWN;
    uint32_t at;

    sha256(text, hash);
    pthread_rwlock_rdlock(&tokens->lock);
    at = map_find(&tokens->table.by_hash, bucket_of(hash), has_hash, &tokens->table, hash);
    if (at != MAP_NONE) {
        const struct known *known = &tokens->table.at[at];
        int64_t expires_ms = known->found.expires_ms;

        verdict = known->revoked_ms                    ? TOKEN_REVOKED
                  : expires_ms && expires_ms <= now_ms ? TOKEN_EXPIRED
                                                       : TOKEN_GOOD;
        *ret = known->found;
    }
    pthread_rwlock_unlock(&tokens->lock);
    return verdict;
}

/* --- Writing ---------------------------------------------------------------------------------- */

int token_create(struct store *store, const struct token_request *request,
    char ret_text[TOKEN_TEXT_BYTES], uint32_t *ret_number, struct err *err)
{
    unsigned char secret[32];
    char text[TOKEN_TEXT_BYTES] = "careen_";
    struct token token = {.project = request->project,
        .role = request->role,
        .label = request->label,
        .created_ms = clock_now_ms(),
        .expires_ms = request->expires_ms};

    if (!utf8_is_line(token.label) || utf8_count(token.label) > LIMIT_ID_CHARS)
        return err_set(
            err, ERR_INVALID, "the label must be a line of at most %d characters", LIMIT_ID_CHARS);
    random_bytes(secret, sizeof(secret));
    hex_encode(secret, sizeof(secret), text + strlen(text));
    sha256(slice_of(text), token.hash);
    if (store_begin(store, "careen token create", err) < 0)
        return -1;
    if (store_add_token(store, &token, &token.number, err) < 0 || store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    *ret_number = token.number;
    memcpy(ret_text, text, sizeof(text));
    return 0;
}

int token_revoke(struct store *store, uint32_t number, struct err *err)
{
    if (store_begin(store, "careen token revoke", err) < 0)
        return -1;
    if (store_revoke_token(store, number, clock_now_ms(), err) < 0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}
