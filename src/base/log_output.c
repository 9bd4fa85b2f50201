/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See log_output.h. Two buffers: lines gather in the one while the other is being written, outside
 * the lock, so that no request waits for the disk. A thread sleeps while there is nothing, is woken
 * by the first line, lets others join it for LOG_GATHER_MS, and writes them all.
 *
 * Only whoever holds `turn` writes, so lines stay in order; it is taken before the lock. Who finds
 * the buffer full waits for the turn, and writes: where standard error is a pipe that nobody
 * empties, requests wait for it as they do when each writes its own line.
 */
#include "base/log_output.h"

#include "base/log.h"
#include "base/write_all.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

enum { GATHERED_BYTES = 256 * 1024 };

struct gathered {
    size_t len;
    char bytes[GATHERED_BYTES];
};

static struct {
    pthread_mutex_t turn; /* to write, and to exchange the buffers */
    pthread_mutex_t lock; /* of the buffer that is being filled */
    struct gathered buffers[2];
    struct gathered *filling;
    bool gathering;
    sem_t filled; /* posted when a line has come into an empty buffer, and at the end */
    pthread_t thread;
} output = {.turn = PTHREAD_MUTEX_INITIALIZER,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .filling = &output.buffers[0]};

/* Writes what has gathered, then the line. */
static void write_in_turn(const char *line, size_t len)
{
    struct gathered *full;

    pthread_mutex_lock(&output.turn);
    pthread_mutex_lock(&output.lock);
    full = output.filling;
    output.filling = full == &output.buffers[0] ? &output.buffers[1] : &output.buffers[0];
    pthread_mutex_unlock(&output.lock);
    /* Where that fails there is nowhere left to say it. */
    write_all(STDERR_FILENO, (struct slice){full->bytes, full->len});
    full->len = 0;
    write_all(STDERR_FILENO, (struct slice){line, len});
    pthread_mutex_unlock(&output.turn);
}

static bool is_gathering(void)
{
    bool gathering;

    pthread_mutex_lock(&output.lock);
    gathering = output.gathering;
    pthread_mutex_unlock(&output.lock);
    return gathering;
}

static void *run(void *unused)
{
    const struct timespec pause = {.tv_nsec = LOG_GATHER_MS * 1000000L};

    while (is_gathering()) {
        while (sem_wait(&output.filled) < 0)
            continue; /* interrupted */
        nanosleep(&pause, NULL);
        write_in_turn(NULL, 0);
    }
    return unused;
}

static void set_gathering(bool gathering)
{
    pthread_mutex_lock(&output.lock);
    output.gathering = gathering;
    pthread_mutex_unlock(&output.lock);
}

int log_gather_start(struct err *err)
{
    sem_init(&output.filled, 0, 0);
    set_gathering(true);
    errno = pthread_create(&output.thread, NULL, run, NULL);
    if (!errno)
        return 0;
    set_gathering(false);
    return err_set_errno(err, "cannot start a thread");
}

void log_gather_stop(void)
{
    set_gathering(false);
    sem_post(&output.filled);
    pthread_join(output.thread, NULL);
    write_in_turn(NULL, 0);
}

/* False: there is no room, or no gathering. */
static bool gather(const char *line, size_t len)
{
    struct gathered *to;
    bool gathered, first;

    pthread_mutex_lock(&output.lock);
    to = output.filling;
    first = to->len == 0;
    gathered = output.gathering && len <= GATHERED_BYTES - to->len;
    if (gathered) {
        memcpy(to->bytes + to->len, line, len);
        to->len += len;
    }
    pthread_mutex_unlock(&output.lock);
    if (gathered && first)
        sem_post(&output.filled);
    return gathered;
}

void log_output(const char *line, size_t len, bool may_wait)
{
    if (may_wait && gather(line, len))
        return;
    write_in_turn(line, len);
}
