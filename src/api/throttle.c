/* SPDX-License-Identifier: Apache-2.0 */
/* See throttle.h. A table of sets of WAYS buckets each, as in auth/lockout.c. A token is counted as
 * MINUTE_US parts, so that `limit` parts flow in every microsecond and nothing is ever rounded. */
#include "api/throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, SETS = THROTTLE_BUCKETS / WAYS, MINUTE_US = 60 * 1000 * 1000 };

struct bucket {
    uint64_t hash;  /* 0: free */
    uint64_t parts; /* that it held at at_us */
    int64_t at_us;
};

struct throttle {
    pthread_mutex_t lock;
    struct bucket sets[SETS][WAYS];
};

struct throttle *throttle_new(struct err *err)
{
    struct throttle *throttle = calloc(1, sizeof(*throttle));

    if (!throttle) {
        err_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&throttle->lock, NULL);
    return throttle;
}

void throttle_free(struct throttle *throttle)
{
    if (!throttle)
        return;
    pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

static uint64_t full(unsigned limit)
{
    return (uint64_t)limit * MINUTE_US;
}

/* What the bucket holds now. Another thread may have been here with a later time. */
static uint64_t parts_now(const struct bucket *bucket, unsigned limit, int64_t now_us)
{
    int64_t passed_us = now_us - bucket->at_us;
    uint64_t gained;

    if (passed_us <= 0)
        gained = 0;
    else
        gained = passed_us < MINUTE_US ? (uint64_t)passed_us * limit : full(limit);
    if (bucket->parts >= full(limit) || gained >= full(limit) - bucket->parts)
        return full(limit);
    return bucket->parts + gained;
}

/* The key's bucket, or the place where it would be: free, else that of the one that lacks least. */
static struct bucket *find(struct throttle *throttle, uint64_t hash, unsigned limit, int64_t now_us)
{
    struct bucket *set = throttle->sets[(hash >> 32) % SETS], *best = &set[0];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == 0)
            return &set[i];
        if (parts_now(&set[i], limit, now_us) > parts_now(best, limit, now_us))
            best = &set[i];
    }
    return best;
}

static unsigned wait_s(uint64_t parts, unsigned limit)
{
    uint64_t wait_us = (MINUTE_US - parts + limit - 1) / limit;

    return (unsigned)((wait_us + 999999) / 1000000);
}

static bool look(struct throttle *throttle, struct slice key, unsigned limit, int64_t now_us,
    unsigned *ret_wait_s, bool take)
{
    uint64_t hash = slice_hash(key) | 1, parts = full(limit);
    struct bucket *bucket;

    if (limit == 0)
        return true;
    pthread_mutex_lock(&throttle->lock);
    bucket = find(throttle, hash, limit, now_us);
    if (bucket->hash == hash)
        parts = parts_now(bucket, limit, now_us);
    if (take && parts >= MINUTE_US)
        *bucket = (struct bucket){hash, parts - MINUTE_US,
            bucket->hash == hash && bucket->at_us > now_us ? bucket->at_us : now_us};
    pthread_mutex_unlock(&throttle->lock);
    if (parts >= MINUTE_US)
        return true;
    *ret_wait_s = wait_s(parts, limit);
    return false;
}

bool throttle_take(struct throttle *throttle, struct slice key, unsigned limit, int64_t now_us,
    unsigned *ret_wait_s)
{
    return look(throttle, key, limit, now_us, ret_wait_s, true);
}

bool throttle_look(struct throttle *throttle, struct slice key, unsigned limit, int64_t now_us,
    unsigned *ret_wait_s)
{
    return look(throttle, key, limit, now_us, ret_wait_s, false);
}

struct slice throttle_network(const char *address, char dst[THROTTLE_NETWORK_BYTES])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char bytes[16];

    if (inet_pton(AF_INET6, address, bytes) == 1) {
        bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;

        if (is_mapped)
            inet_ntop(AF_INET, bytes + 12, dst, THROTTLE_NETWORK_BYTES);
        else
            memcpy(dst, bytes, 8);
        return (struct slice){dst, is_mapped ? strlen(dst) : 8};
    }
    return slice_of(address);
}
