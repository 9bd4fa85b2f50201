/* SPDX-License-Identifier: Apache-2.0 */
/* See pause.h. The clock is set on the condition, since its default is one that people set. */
#include "api/pause.h"

#include "base/clock.h"

void pause_init(struct pause *pause)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pause->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&pause->lock, NULL);
    pause->ended = false;
}

void pause_release(struct pause *pause)
{
    pthread_cond_destroy(&pause->wake);
    pthread_mutex_destroy(&pause->lock);
}

bool pause_wait(struct pause *pause, int64_t ms)
{
    struct timespec until = clock_monotonic_in(ms);
    bool ended;

    pthread_mutex_lock(&pause->lock);
    while (!pause->ended && pthread_cond_timedwait(&pause->wake, &pause->lock, &until) == 0)
        ;
    ended = pause->ended;
    pthread_mutex_unlock(&pause->lock);
    return !ended;
}

bool pause_is_over(struct pause *pause)
{
    bool ended;

    pthread_mutex_lock(&pause->lock);
    ended = pause->ended;
    pthread_mutex_unlock(&pause->lock);
    return ended;
}

void pause_end(struct pause *pause)
{
    pthread_mutex_lock(&pause->lock);
    pause->ended = true;
    pthread_cond_broadcast(&pause->wake);
    pthread_mutex_unlock(&pause->lock);
}
