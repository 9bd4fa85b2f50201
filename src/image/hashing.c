/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See hashing.h. Buffers are counted from the start: `given` and `hashed` only grow, and buffer n
 * is at n % HASHING_BUFFERS. Buffer `given` may be filled once buffer given - HASHING_BUFFERS,
 * which was in the same place, is hashed; whoever asks for it has done with all before it.
 */
#include "image/hashing.h"

#include <pthread.h>

enum { BLOB_STEP_BYTES = 128 * 1024 };

struct hashing {
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex;
    pthread_cond_t more, less; /* something to do; a buffer was hashed */

    /* Under the mutex. */
    uint64_t given, hashed;
    size_t lengths[HASHING_BUFFERS];
    bool ended, stopped;

    /* The thread's, until it was joined. */
    struct sha256 hash, blob_hash;
    bool has_blob;
    struct blob blob;
    uint64_t blob_at;
    struct err failed;
    unsigned char blob_bytes[BLOB_STEP_BYTES];

    unsigned char buffers[HASHING_BUFFERS][HASHING_BUFFER_BYTES];
};

static bool blob_is_due(const struct hashing *h)
{
    return h->has_blob && h->failed.code == ERR_NONE && h->blob_at < h->blob.size;
}

static void hash_blob_step(struct hashing *h)
{
    uint64_t left = h->blob.size - h->blob_at;
    size_t len = left < BLOB_STEP_BYTES ? (size_t)left : BLOB_STEP_BYTES;

    if (blob_read(&h->blob, h->blob_at, h->blob_bytes, len, &h->failed) != 0)
        return;
    sha256_add(&h->blob_hash, (struct slice){(const char *)h->blob_bytes, len});
    h->blob_at += len;
}

/* Does one thing with the mutex let go meanwhile; false when there is nothing more to do. */
static bool work(struct hashing *h)
{
    if (h->stopped)
        return false;
    if (h->hashed < h->given) {
        size_t at = h->hashed % HASHING_BUFFERS, len = h->lengths[at];

        pthread_mutex_unlock(&h->mutex);
        sha256_add(&h->hash, (struct slice){(const char *)h->buffers[at], len});
        pthread_mutex_lock(&h->mutex);
        h->hashed++;
        pthread_cond_signal(&h->less);
    } else if (blob_is_due(h)) {
        pthread_mutex_unlock(&h->mutex);
        hash_blob_step(h);
        pthread_mutex_lock(&h->mutex);
    } else if (h->ended) {
        return false;
    } else {
        pthread_cond_wait(&h->more, &h->mutex);
    }
    return true;
}

static void *run(void *ctx)
{
    struct hashing *h = ctx;

    pthread_mutex_lock(&h->mutex);
    while (work(h))
        ;
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

struct hashing *hashing_start(const struct blob *blob, struct err *err)
{
    struct hashing *h = calloc(1, sizeof(*h));

    if (!h) {
        err_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->more, NULL);
    pthread_cond_init(&h->less, NULL);
    sha256_begin(&h->hash);
    sha256_begin(&h->blob_hash);
    h->has_blob = blob != NULL;
    if (blob)
        h->blob = *blob;
    if (pthread_create(&h->thread, NULL, run, h) != 0) {
        err_set(err, ERR_NOMEM, "cannot start a thread");
        hashing_stop(h);
        return NULL;
    }
    h->running = true;
    return h;
}

unsigned char *hashing_buffer(struct hashing *hashing)
{
    unsigned char *buffer;

    pthread_mutex_lock(&hashing->mutex);
    while (hashing->given - hashing->hashed >= HASHING_BUFFERS)
        pthread_cond_wait(&hashing->less, &hashing->mutex);
    buffer = hashing->buffers[hashing->given % HASHING_BUFFERS];
    pthread_mutex_unlock(&hashing->mutex);
    return buffer;
}

void hashing_give(struct hashing *hashing, size_t len)
{
    pthread_mutex_lock(&hashing->mutex);
    hashing->lengths[hashing->given % HASHING_BUFFERS] = len;
    hashing->given++;
    pthread_cond_signal(&hashing->more);
    pthread_mutex_unlock(&hashing->mutex);
}

static void join(struct hashing *h)
{
    if (!h->running)
        return;
    pthread_mutex_lock(&h->mutex);
    h->ended = true;
    pthread_cond_signal(&h->more);
    pthread_mutex_unlock(&h->mutex);
    pthread_join(h->thread, NULL);
    h->running = false;
}

int hashing_finish(struct hashing *hashing, unsigned char ret[SHA256_BYTES],
    unsigned char ret_blob[SHA256_BYTES], struct err *err)
{
    join(hashing);
    if (hashing->failed.code != ERR_NONE) {
        *err = hashing->failed;
        return -1;
    }
    sha256_finish(&hashing->hash, ret);
    if (hashing->has_blob)
        sha256_finish(&hashing->blob_hash, ret_blob);
    return 0;
}

void hashing_stop(struct hashing *hashing)
{
    if (!hashing)
        return;
    pthread_mutex_lock(&hashing->mutex);
    hashing->stopped = true;
    pthread_mutex_unlock(&hashing->mutex);
    join(hashing);
    pthread_cond_destroy(&hashing->less);
    pthread_cond_destroy(&hashing->more);
    pthread_mutex_destroy(&hashing->mutex);
    free(hashing);
}

void hashing_cleanup(struct hashing **hashing)
{
    hashing_stop(*hashing);
}
