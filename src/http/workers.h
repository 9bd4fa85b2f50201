/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that run what may block, behind a queue with a ceiling: when it is full, the caller must
 * refuse at once rather than let everybody wait.
 *
 * Nobody gets all of it: each job has an owner, and while others may come, one owner runs on all
 * threads but one, and waits in three places of four. So one caller's dear requests, however many,
 * leave a thread for everybody else's.
 *
 * A job that waits for something else than a thread is parked: it has places of its own, takes no
 * thread, and is asked every few milliseconds whether it can go on.
 */
#ifndef CAREEN_HTTP_WORKERS_H
#define CAREEN_HTTP_WORKERS_H

#include "base/err.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*worker_run)(void *job);
typedef bool (*worker_ready)(void *job); /* quick, and without a lock that is held for long */

struct waiting_job {
    void *job;
    uint64_t owner;
    bool parked;
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct waiting_job queue[LIMIT_HTTP_WAITING + LIMIT_HTTP_PARKED]; /* the oldest first */
    atomic_size_t count;                                              /* read without the lock */
    size_t parked;                                                    /* of them */
    uint64_t *running; /* owned: owners of the jobs that run */
    size_t running_count;
    bool stopped;
    worker_run run;
    worker_ready ready;
    pthread_t *threads; /* owned */
    unsigned thread_count;
};

/* ready: asked of parked jobs; may be NULL where there are none. */
int workers_start(
    struct workers *workers, unsigned threads, worker_run run, worker_ready ready, struct err *err);
/* False, and the job is not taken, when LIMIT_HTTP_WAITING jobs wait already (LIMIT_HTTP_PARKED
 * parked ones), or LIMIT_HTTP_WAITING_OF_ONE of this owner, or after a stop. */
bool workers_push(struct workers *workers, void *job, uint64_t owner, bool parked);
/* Jobs that no thread has taken yet. Any thread. */
size_t workers_waiting(const struct workers *workers);
/* Waits for the jobs that run; those still waiting are given to `drop`. Pushing is still allowed
 * behind it, and refused. */
void workers_stop(struct workers *workers, worker_run drop);
/* After workers_stop(), and when nobody pushes any more. */
void workers_release(struct workers *workers);

#endif
