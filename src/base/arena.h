/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that is freed as a whole (one parse, one request, one batch). It has a ceiling;
 * beyond it allocations fail with ERR_LIMIT, as they fail with ERR_NOMEM when the machine has no
 * more. Not for use from two threads at once.
 */
#ifndef CAREEN_BASE_ARENA_H
#define CAREEN_BASE_ARENA_H

#include "base/err.h"
#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *head; /* the block being filled; older ones behind it */
    size_t used_bytes;        /* handed out, padding included */
    size_t max_bytes;         /* ceiling on used_bytes */
    const char *what;         /* what the ceiling limits, for the message */
};

/* `what` completes the sentence "<what> needs more than N MiB of memory"; kept, not copied. */
void arena_init(struct arena *arena, const char *what, size_t max_bytes);
void arena_release(struct arena *arena); /* frees everything; the arena may be used again */
/* Forgets everything but keeps one block for reuse. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type. NULL with *err set on failure. */
void *arena_alloc(struct arena *arena, size_t size, struct err *err);
/* count * size, overflow-checked. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size, struct err *err);
/* Copies s with a NUL behind it (the NUL is not counted in ret->len). */
int arena_dup(struct arena *arena, struct slice s, struct slice *ret, struct err *err);
/* Makes room for one more element in an arena-held array of *count elements, doubling *cap when
 * full (the old array stays in the arena until it is freed). Returns the array, moved or not. */
void *arena_grow(
    struct arena *arena, void *array, size_t count, size_t *cap, size_t size, struct err *err);

#endif
