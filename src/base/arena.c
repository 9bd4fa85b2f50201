/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks in a list, filled from the front; a request larger than a block gets one of its own.
 * Alignment is that of max_align_t throughout: a few bytes a string, and no misaligned struct ever.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stddef.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena, const char *what, size_t max_bytes)
{
    *arena = (struct arena){.what = what, .max_bytes = max_bytes};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
}

void arena_release(struct arena *arena)
{
    free_blocks(arena->head);
    arena->head = NULL;
    arena->used_bytes = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->head;

    arena->used_bytes = 0;
    if (!keep)
        return;
    free_blocks(keep->next);
    keep->next = NULL;
    memset(keep->data, 0, keep->used);
    keep->used = 0;
}

static int add_block(struct arena *arena, size_t size, struct err *err)
{
    size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof(*block) + room);

    if (!block)
        return err_nomem(err);
    block->size = room;
    block->next = arena->head;
    arena->head = block;
    return 0;
}

void *arena_alloc(struct arena *arena, size_t size, struct err *err)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *block = arena->head;
    void *result;

    if (size > arena->max_bytes || (size = (size + align - 1) & ~(align - 1)) > arena->max_bytes ||
        arena->used_bytes > arena->max_bytes - size) {
        err_set(err, ERR_LIMIT, "%s needs more than %zu MiB of memory", arena->what,
            arena->max_bytes >> 20);
        return NULL;
    }
    if (!block || block->size - block->used < size) {
        if (add_block(arena, size, err) < 0)
            return NULL;
        block = arena->head;
    }
    result = block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    return result;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size, struct err *err)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    return arena_alloc(arena, bytes, err);
}

int arena_dup(struct arena *arena, struct slice s, struct slice *ret, struct err *err)
{
    char *copy = s.len == SIZE_MAX ? NULL : arena_alloc(arena, s.len + 1, err);

    if (!copy)
        return -1;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    *ret = (struct slice){copy, s.len};
    return 0;
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *cap, size_t size,
    struct err *err)
{
    size_t bigger = *cap ? *cap * 2 : 16;
    void *moved;

    if (count < *cap)
        return array;
    moved = arena_alloc_array(arena, bigger, size, err);
    if (!moved)
        return NULL;
    if (count)
        memcpy(moved, array, count * size);
    *cap = bigger;
    return moved;
}
