/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks in a list, filled from the front; a request larger than a block gets one of its own, put
 * behind the front one, which goes on being filled.
 * Alignment is that of max_align_t throughout: a few bytes a string, and no misaligned struct ever.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stddef.h>

/* Blocks are cleared, so a request that needs little pays for little; what goes on growing gets
 * larger ones. */
enum { FIRST_BLOCK_BYTES = 4 * 1024, BLOCK_BYTES = 64 * 1024 };

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

/* What a block has at least: as much as was handed out already, within reason. */
static size_t usual_room(const struct arena *arena)
{
    if (arena->used_bytes < FIRST_BLOCK_BYTES)
        return FIRST_BLOCK_BYTES;
    return arena->used_bytes < BLOCK_BYTES ? arena->used_bytes : BLOCK_BYTES;
}

/* A new block with room for size bytes. */
static struct arena_block *add_block(struct arena *arena, size_t size, struct err *err)
{
    const size_t usual = usual_room(arena);
    size_t room = size > usual ? size : usual, bytes;
    struct arena_block *block = NULL;

    if (!__builtin_add_overflow(room, sizeof(*block), &bytes))
        block = calloc(1, bytes);
    if (!block) {
        err_nomem(err);
        return NULL;
    }
    block->size = room;
    if (arena->head && size > usual) {
        block->next = arena->head->next;
        arena->head->next = block;
    } else {
        block->next = arena->head;
        arena->head = block;
    }
    return block;
}

static int fail_limit(const struct arena *arena, struct err *err)
{
    bool small = arena->max_bytes < 1 << 20;

    return err_set(err, ERR_LIMIT, "%s needs more than %zu %s of memory", arena->what,
        arena->max_bytes >> (small ? 10 : 20), small ? "KiB" : "MiB");
}

void *arena_alloc(struct arena *arena, size_t size, struct err *err)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *block = arena->head;
    void *result;

    if (__builtin_add_overflow(size, align - 1, &size) ||
        (size &= ~(align - 1)) > arena->max_bytes || arena->used_bytes > arena->max_bytes - size) {
        fail_limit(arena, err);
        return NULL;
    }
    if (!block || block->size - block->used < size)
        block = add_block(arena, size, err);
    if (!block)
        return NULL;
    result = block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    return result;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size, struct err *err)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX; /* refused whatever the ceiling */
    return arena_alloc(arena, bytes, err);
}

int arena_dup(struct arena *arena, struct slice s, struct slice *ret, struct err *err)
{
    char *copy = arena_alloc(arena, s.len < SIZE_MAX ? s.len + 1 : SIZE_MAX, err);

    if (!copy)
        return -1;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    *ret = (struct slice){copy, s.len};
    return 0;
}

void *arena_grow(
    struct arena *arena, void *array, size_t count, size_t *cap, size_t size, struct err *err)
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
