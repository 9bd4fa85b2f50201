/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name: they are gone when they are closed, however the process ends. */
#ifndef CAREEN_IMAGE_SCRATCH_H
#define CAREEN_IMAGE_SCRATCH_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A new empty file in a folder, to read and write; its descriptor, or -1. ERR_LIMIT when there is
 * no folder (-1). */
int scratch_open(int folder_fd, struct err *err);
/* All len bytes at that place. ERR_FULL, ERR_IO. */
int scratch_write(int fd, const void *bytes, size_t len, uint64_t offset, struct err *err);

#endif
