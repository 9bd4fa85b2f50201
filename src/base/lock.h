/* SPDX-License-Identifier: Apache-2.0 */
/* Locks that many read under, without end, and few write under, who must not wait for a moment
 * without any reader. */
#ifndef CAREEN_BASE_LOCK_H
#define CAREEN_BASE_LOCK_H

#include <pthread.h>

/* Writers go before readers that come after them. A reader must not take it twice. Ends with
 * pthread_rwlock_destroy(). */
void lock_init_for_writers(pthread_rwlock_t *lock);

#endif
