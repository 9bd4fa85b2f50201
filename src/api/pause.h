/* SPDX-License-Identifier: Apache-2.0 */
/* How the service's own threads wait for their next round, and are told to end. Inside api/ only.
 */
#ifndef CAREEN_API_PAUSE_H
#define CAREEN_API_PAUSE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct pause {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ended; /* under lock */
};

void pause_init(struct pause *pause);
void pause_release(struct pause *pause);
/* Waits, of a clock that does not jump; false as soon as it has ended. */
bool pause_wait(struct pause *pause, int64_t ms);
bool pause_is_over(struct pause *pause);
/* Everybody who waits goes on, now and from now on. */
void pause_end(struct pause *pause);

#endif
