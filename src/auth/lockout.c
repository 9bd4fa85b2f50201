/* SPDX-License-Identifier: Apache-2.0 */
/* See lockout.h. A table of sets of WAYS pairs each, like a processor's cache: a pair's hash says
 * its set, and within that every step is a short walk. Pairs are told apart by 64 bits of a hash
 * that is seeded for each process, so nobody can aim at another's. */
#include "auth/lockout.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 8, SETS = LOCKOUT_PAIRS / WAYS };

struct pair {
    uint64_t hash; /* 0: free */
    unsigned failures;
    int64_t failed_ms, locked_until_ms;
};

struct lockout {
    pthread_mutex_t lock;
    struct pair sets[SETS][WAYS];
};

struct lockout *lockout_new(struct err *err)
{
    struct lockout *lockout = calloc(1, sizeof(*lockout));

    if (!lockout) {
        err_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&lockout->lock, NULL);
    return lockout;
}

void lockout_free(struct lockout *lockout)
{
    if (!lockout)
        return;
    pthread_mutex_destroy(&lockout->lock);
    free(lockout);
}

static uint64_t hash_pair(struct slice name, struct slice address)
{
    return (slice_hash(name) * UINT64_C(0x9e3779b97f4a7c15) ^ slice_hash(address)) | 1;
}

static struct pair *set_of(struct lockout *lockout, uint64_t hash)
{
    return lockout->sets[(hash >> 32) % SETS];
}

static struct pair *find(struct lockout *lockout, uint64_t hash)
{
    struct pair *set = set_of(lockout, hash);

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    return NULL;
}

/* A free place, else that of the pair that failed longest ago. */
static struct pair *make_room(struct lockout *lockout, uint64_t hash)
{
    struct pair *set = set_of(lockout, hash), *best = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == 0) {
            best = &set[i];
            break;
        }
        if (set[i].failed_ms < best->failed_ms)
            best = &set[i];
    }
    *best = (struct pair){.hash = hash};
    return best;
}

bool lockout_is_locked(
    struct lockout *lockout, struct slice name, struct slice address, int64_t now_ms)
{
    struct pair *pair;
    bool locked;

    pthread_mutex_lock(&lockout->lock);
    pair = find(lockout, hash_pair(name, address));
    locked = pair && pair->locked_until_ms > now_ms;
    pthread_mutex_unlock(&lockout->lock);
    return locked;
}

void lockout_failed(
    struct lockout *lockout, struct slice name, struct slice address, int64_t now_ms)
{
    uint64_t hash = hash_pair(name, address);
    struct pair *pair;

    pthread_mutex_lock(&lockout->lock);
    pair = find(lockout, hash);
    if (!pair)
        pair = make_room(lockout, hash);
    pair->failed_ms = now_ms;
    if (++pair->failures > LOCKOUT_TRIES) {
        pair->failures = 0;
        pair->locked_until_ms = now_ms + LOCKOUT_MS;
    }
    pthread_mutex_unlock(&lockout->lock);
}

void lockout_succeeded(struct lockout *lockout, struct slice name, struct slice address)
{
    struct pair *pair;

    pthread_mutex_lock(&lockout->lock);
    pair = find(lockout, hash_pair(name, address));
    if (pair)
        *pair = (struct pair){0};
    pthread_mutex_unlock(&lockout->lock);
}
