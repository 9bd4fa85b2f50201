/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel (getrandom(2)); blocks until its pool is ready, then never fails. */
#ifndef CAREEN_BASE_RANDOM_H
#define CAREEN_BASE_RANDOM_H

#include <stddef.h>

void random_bytes(void *dst, size_t len);

#endif
