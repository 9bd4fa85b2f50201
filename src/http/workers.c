/* SPDX-License-Identifier: Apache-2.0 */
/* A ring under a mutex: jobs take milliseconds, so the lock is never what a request waits for. */
#include "http/workers.h"

#include <errno.h>
#include <stdlib.h>

static void *take(struct workers *workers)
{
    void *job = workers->queue[workers->first];

    workers->first = (workers->first + 1) % LIMIT_HTTP_WAITING;
    workers->count--;
    return job;
}

static void *work(void *arg)
{
    struct workers *workers = arg;

    pthread_mutex_lock(&workers->lock);
    while (!workers->stopped) {
        void *job;

        if (!workers->count) {
            pthread_cond_wait(&workers->filled, &workers->lock);
            continue;
        }
        job = take(workers);
        pthread_mutex_unlock(&workers->lock);
        workers->run(job);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

static void drop_nothing(void *job)
{
    (void)job;
}

int workers_start(struct workers *workers, unsigned threads, worker_run run, struct err *err)
{
    *workers = (struct workers){.run = run};
    workers->threads = calloc(threads, sizeof(*workers->threads));
    if (!workers->threads)
        return err_nomem(err);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->filled, NULL);
    while (workers->thread_count < threads) {
        errno = pthread_create(&workers->threads[workers->thread_count], NULL, work, workers);
        if (errno) {
            err_set_errno(
                err, "cannot start worker thread %u of %u", workers->thread_count + 1, threads);
            workers_stop(workers, drop_nothing);
            workers_release(workers);
            return -1;
        }
        workers->thread_count++;
    }
    return 0;
}

bool workers_push(struct workers *workers, void *job)
{
    bool taken;

    pthread_mutex_lock(&workers->lock);
    taken = !workers->stopped && workers->count < LIMIT_HTTP_WAITING;
    if (taken) {
        workers->queue[(workers->first + workers->count++) % LIMIT_HTTP_WAITING] = job;
        pthread_cond_signal(&workers->filled);
    }
    pthread_mutex_unlock(&workers->lock);
    return taken;
}

size_t workers_waiting(const struct workers *workers)
{
    return workers->count;
}

void workers_stop(struct workers *workers, worker_run drop)
{
    pthread_mutex_lock(&workers->lock);
    workers->stopped = true;
    pthread_cond_broadcast(&workers->filled);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    while (workers->count)
        drop(take(workers));
}

void workers_release(struct workers *workers)
{
    free(workers->threads);
    pthread_cond_destroy(&workers->filled);
    pthread_mutex_destroy(&workers->lock);
}
