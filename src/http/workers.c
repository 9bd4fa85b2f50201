/* SPDX-License-Identifier: Apache-2.0 */
/* A short list under a mutex: jobs take milliseconds, so the lock is never what a request waits
 * for.
 */
#include "http/workers.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PARKED_ASK_MS = 5 };

static size_t running_of(const struct workers *workers, uint64_t owner)
{
    size_t count = 0;

    for (size_t i = 0; i < workers->running_count; i++)
        count += workers->running[i] == owner;
    return count;
}

static size_t waiting_of(const struct workers *workers, uint64_t owner, bool parked)
{
    size_t count = 0;

    for (size_t i = 0; i < workers->count; i++)
        count += workers->queue[i].owner == owner && workers->queue[i].parked == parked;
    return count;
}

static struct waiting_job take_at(struct workers *workers, size_t at)
{
    struct waiting_job taken = workers->queue[at];

    workers->count--;
    workers->parked -= taken.parked;
    memmove(&workers->queue[at], &workers->queue[at + 1],
        (workers->count - at) * sizeof(workers->queue[0]));
    return taken;
}

/* The oldest job that can go on and whose owner may run one more; false when there is none. */
static bool take(struct workers *workers, struct waiting_job *ret)
{
    size_t share = workers->thread_count > 1 ? workers->thread_count - 1 : 1;

    for (size_t i = 0; i < workers->count; i++)
        if (running_of(workers, workers->queue[i].owner) < share &&
            (!workers->queue[i].parked || workers->ready(workers->queue[i].job))) {
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

/* For a job, or, while some are parked, for the time to ask them again. The lock is held. */
static void wait_for_job(struct workers *workers)
{
    struct timespec until;

    if (workers->parked == 0) {
        pthread_cond_wait(&workers->filled, &workers->lock);
        return;
    }
    until = clock_monotonic_in(PARKED_ASK_MS);
    pthread_cond_timedwait(&workers->filled, &workers->lock, &until);
}

static void *work(void *arg)
{
    struct workers *workers = arg;

    pthread_mutex_lock(&workers->lock);
    while (!workers->stopped) {
        struct waiting_job next;

        if (!take(workers, &next)) {
            wait_for_job(workers);
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

int workers_start(
    struct workers *workers, unsigned threads, worker_run run, worker_ready ready, struct err *err)
{
    pthread_condattr_t timed;

    *workers = (struct workers){.run = run, .ready = ready};
    workers->threads = calloc(threads, sizeof(*workers->threads));
    workers->running = calloc(threads, sizeof(*workers->running));
    if (!workers->threads || !workers->running) {
        free(workers->threads);
        free(workers->running);
        return err_nomem(err);
    }
    pthread_mutex_init(&workers->lock, NULL);
    pthread_condattr_init(&timed);
    pthread_condattr_setclock(&timed, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->filled, &timed);
    pthread_condattr_destroy(&timed);
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

bool workers_push(struct workers *workers, void *job, uint64_t owner, bool parked)
{
    size_t waiting;
    bool taken;

    pthread_mutex_lock(&workers->lock);
    waiting = parked ? workers->parked : workers->count - workers->parked;
    taken = !workers->stopped && waiting < (parked ? LIMIT_HTTP_PARKED : LIMIT_HTTP_WAITING) &&
            waiting_of(workers, owner, parked) < LIMIT_HTTP_WAITING_OF_ONE;
    if (taken) {
        workers->queue[workers->count++] = (struct waiting_job){job, owner, parked};
        workers->parked += parked;
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
