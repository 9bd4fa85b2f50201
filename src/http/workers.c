/* SPDX-License-Identifier: Apache-2.0 */
/* A short list under a mutex: jobs take milliseconds, so the lock is never what a request waits
 * for.
 */
#include "http/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t running_of(const struct workers *workers, uint64_t owner)
{
    size_t count = 0;

    for (size_t i = 0; i < workers->running_count; i++)
        count += workers->running[i] == owner;
    return count;
}

static size_t waiting_of(const struct workers *workers, uint64_t owner)
{
    size_t count = 0;

    for (size_t i = 0; i < workers->count; i++)
        count += workers->queue[i].owner == owner;
    return count;
}

static struct waiting_job take_at(struct workers *workers, size_t at)
{
    struct waiting_job taken = workers->queue[at];

    workers->count--;
    memmove(&workers->queue[at], &workers->queue[at + 1],
        (workers->count - at) * sizeof(workers->queue[0]));
    return taken;
}

/* The oldest job whose owner may run one more; false when there is none. */
static bool take(struct workers *workers, struct waiting_job *ret)
{
    size_t share = workers->thread_count > 1 ? workers->thread_count - 1 : 1;

    for (size_t i = 0; i < workers->count; i++)
        if (running_of(workers, workers->queue[i].owner) < share) {
            *ret = take_at(workers, i);
            return true;
        }
    return false;
}

static void forget_running(struct workers *workers, uint64_t owner)
{
    size_t at = 0;

    while (workers->running[at] != owner)
        at++;
    workers->running[at] = workers->running[--workers->running_count];
}

static void *work(void *arg)
{
    struct workers *workers = arg;

    pthread_mutex_lock(&workers->lock);
    while (!workers->stopped) {
        struct waiting_job next;

        if (!take(workers, &next)) {
            pthread_cond_wait(&workers->filled, &workers->lock);
            continue;
        }
        workers->running[workers->running_count++] = next.owner;
        pthread_mutex_unlock(&workers->lock);
        workers->run(next.job);
        pthread_mutex_lock(&workers->lock);
        forget_running(workers, next.owner);
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
    workers->running = calloc(threads, sizeof(*workers->running));
    if (!workers->threads || !workers->running) {
        free(workers->threads);
        free(workers->running);
        return err_nomem(err);
    }
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

bool workers_push(struct workers *workers, void *job, uint64_t owner)
{
    bool taken;

    pthread_mutex_lock(&workers->lock);
    taken = !workers->stopped && workers->count < LIMIT_HTTP_WAITING &&
            waiting_of(workers, owner) < LIMIT_HTTP_WAITING_OF_ONE;
    if (taken) {
        workers->queue[workers->count++] = (struct waiting_job){job, owner};
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
        drop(take_at(workers, 0).job);
}

void workers_release(struct workers *workers)
{
    free(workers->threads);
    free(workers->running);
    pthread_cond_destroy(&workers->filled);
    pthread_mutex_destroy(&workers->lock);
}
