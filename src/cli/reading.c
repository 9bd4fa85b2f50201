/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of READING_WINDOW places. A thread takes the next input as soon as its place is free, so
 * memory is bounded by the window however many inputs there are.
 */
#include "cli/reading.h"

#include <pthread.h>
#include <unistd.h>

#include "base/limits.h"

enum { READING_THREADS = 2 };

struct reading {
    const struct inputs *inputs;
    pthread_t threads[READING_THREADS];
    size_t thread_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t next_input; /* to be taken by a thread */
    size_t next_out;   /* to be handed out */
    size_t done;       /* given back */
    bool stopping;
    bool ready[READING_WINDOW];
    struct read_report places[READING_WINDOW];
};

static void read_one(const char *path, struct read_report *ret)
{
    bool standard_input = strcmp(path, "-") == 0;
    struct stream *in = standard_input
                            ? stream_open_fd(dup(STDIN_FILENO), "standard input", &ret->err)
                            : stream_open_file(path, &ret->err);

    report_init(&ret->report);
    ret->failed = !in || report_read(in, LIMIT_REPORT_BYTES, &ret->report, &ret->err) < 0;
    stream_close(in);
    if (ret->failed)
        report_release(&ret->report);
}

/* Takes an input whose place is free; false at the end. */
static bool take_input(struct reading *reading, size_t *ret)
{
    bool taken;

    pthread_mutex_lock(&reading->lock);
    while (!reading->stopping && reading->next_input < reading->inputs->count &&
           reading->next_input >= reading->done + READING_WINDOW)
        pthread_cond_wait(&reading->changed, &reading->lock);
    taken = !reading->stopping && reading->next_input < reading->inputs->count;
    if (taken)
        *ret = reading->next_input++;
    pthread_mutex_unlock(&reading->lock);
    return taken;
}

static void *read_inputs(void *ctx)
{
    struct reading *reading = ctx;
    size_t input;

    while (take_input(reading, &input)) {
        struct read_report *place = &reading->places[input % READING_WINDOW];

        memset(place, 0, sizeof(*place));
        read_one(reading->inputs->at[input].ptr, place);
        pthread_mutex_lock(&reading->lock);
        reading->ready[input % READING_WINDOW] = true;
        pthread_cond_broadcast(&reading->changed);
        pthread_mutex_unlock(&reading->lock);
    }
    return NULL;
}

struct reading *reading_start(const struct inputs *inputs, struct err *err)
{
    struct reading *reading = calloc(1, sizeof(*reading));

    if (!reading) {
        err_nomem(err);
        return NULL;
    }
    reading->inputs = inputs;
    pthread_mutex_init(&reading->lock, NULL);
    pthread_cond_init(&reading->changed, NULL);
    while (
        reading->thread_count < READING_THREADS &&
        pthread_create(&reading->threads[reading->thread_count], NULL, read_inputs, reading) == 0)
        reading->thread_count++;
    if (reading->thread_count == 0) {
        err_set(err, ERR_NOMEM, "cannot start a thread");
        reading_stop(reading);
        return NULL;
    }
    return reading;
}

struct read_report *reading_next(struct reading *reading)
{
    size_t place = reading->next_out % READING_WINDOW;

    pthread_mutex_lock(&reading->lock);
    while (!reading->ready[place])
        pthread_cond_wait(&reading->changed, &reading->lock);
    reading->ready[place] = false;
    reading->next_out++;
    pthread_mutex_unlock(&reading->lock);
    return &reading->places[place];
}

bool reading_has_next(struct reading *reading)
{
    bool ready;

    pthread_mutex_lock(&reading->lock);
    ready = reading->next_out < reading->inputs->count &&
            reading->next_out < reading->done + READING_WINDOW &&
            reading->ready[reading->next_out % READING_WINDOW];
    pthread_mutex_unlock(&reading->lock);
    return ready;
}

void reading_done(struct reading *reading, size_t count)
{
    for (size_t i = reading->done; i < reading->done + count; i++) {
        struct read_report *place = &reading->places[i % READING_WINDOW];

        if (!place->failed)
            report_release(&place->report);
    }
    pthread_mutex_lock(&reading->lock);
    reading->done += count;
    pthread_cond_broadcast(&reading->changed);
    pthread_mutex_unlock(&reading->lock);
}

void reading_stop(struct reading *reading)
{
    if (!reading)
        return;
    pthread_mutex_lock(&reading->lock);
    reading->stopping = true;
    pthread_cond_broadcast(&reading->changed);
    pthread_mutex_unlock(&reading->lock);
    for (size_t i = 0; i < reading->thread_count; i++)
        pthread_join(reading->threads[i], NULL);
    for (size_t i = reading->done; i < reading->next_input; i++)
        if (!reading->places[i % READING_WINDOW].failed)
            report_release(&reading->places[i % READING_WINDOW].report);
    pthread_cond_destroy(&reading->changed);
    pthread_mutex_destroy(&reading->lock);
    free(reading);
}
