/* SPDX-License-Identifier: Apache-2.0 */
/* Ceilings, alignment, zeroing and independence of what an arena hands out. */
#include "unit.h"

#include "base/arena.h"
#include "huge.h"
#include "rng.h"

#include <stdalign.h>

enum { MIB = 1024 * 1024 };

static bool is_filled(const unsigned char *bytes, size_t len, unsigned char with)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != with)
            return false;
    return true;
}

/* Every piece is zeroed and aligned, and keeps what was written to it while others are written. */
static void pieces_are_apart(void **state)
{
    enum { PIECES = 600 };
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4000, 65535, 65536, 65537, 200000};
    static unsigned char *piece[PIECES];
    static size_t len[PIECES];
    struct rng rng = {1};
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, "the test", 200 * MIB);
    for (size_t i = 0; i < PIECES; i++) {
        len[i] = sizes[rng_below(&rng, sizeof(sizes) / sizeof(*sizes))];
        piece[i] = arena_alloc(&arena, len[i], &err);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
        assert_true(is_filled(piece[i], len[i], 0));
        memset(piece[i], (int)(i % 255 + 1), len[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        assert_true(is_filled(piece[i], len[i], (unsigned char)(i % 255 + 1)));
    arena_release(&arena);
    assert_null(arena.head);
}

/* A request larger than a block does not end the filling of the block at hand. */
static void large_pieces_leave_the_front_block(void **state)
{
    struct arena arena;
    struct err err;
    char *first, *second;

    (void)state;
    arena_init(&arena, "the test", MIB);
    first = arena_alloc(&arena, 16, &err);
    assert_non_null(first);
    assert_non_null(arena_alloc(&arena, 100000, &err));
    second = arena_alloc(&arena, 16, &err);
    assert_ptr_equal(second, first + 16);
    arena_release(&arena);
}

static void ceiling_is_exact(void **state)
{
    struct err err = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, "the report", 3 * MIB);
    assert_non_null(arena_alloc(&arena, 2 * MIB, &err));
    assert_null(arena_alloc(&arena, MIB + 1, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message, "the report needs more than 3 MiB of memory");
    assert_int_equal(arena.used_bytes, 2 * MIB);
    assert_non_null(arena_alloc(&arena, MIB - 16, &err));
    assert_non_null(arena_alloc(&arena, 16, &err));
    assert_null(arena_alloc(&arena, 1, &err));
    assert_int_equal(arena.used_bytes, 3 * MIB);
    arena_release(&arena);

    assert_non_null(arena_alloc(&arena, 3 * MIB, &err));
    arena_release(&arena);

    arena_init(&arena, "a key", 2048);
    assert_null(arena_alloc(&arena, 2049, &err));
    assert_string_equal(err.message, "a key needs more than 2 KiB of memory");
    arena_release(&arena);
}

/* Sizes at the end of size_t are errors, with the highest ceiling too. */
static void huge_sizes_are_refused(void **state)
{
    static const size_t sizes[] = {
        SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 31, SIZE_MAX - 64};
    struct slice out = SLICE_INIT("untouched");
    struct arena arena;

    (void)state;
    arena_init(&arena, "the test", SIZE_MAX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct err err = {0};

        assert_null(arena_alloc(&arena, sizes[i], &err));
        assert_true(err.code == ERR_LIMIT || err.code == ERR_NOMEM);
    }
    for (int shift = 1; shift < 64; shift += 7) {
        struct err err = {0};

        assert_null(arena_alloc_array(&arena, SIZE_MAX >> shift, (size_t)2 << shift, &err));
        assert_int_equal(err.code, ERR_LIMIT);
    }
    struct err err = {0};
    assert_int_equal(arena_dup(&arena, (struct slice){"x", SIZE_MAX}, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_slice(out, "untouched");
    assert_int_equal(arena.used_bytes, 0);
    arena_release(&arena);
}

static void reset_zeroes_and_reuses(void **state)
{
    struct arena arena;
    struct err err;
    void *first;

    (void)state;
    arena_init(&arena, "the test", MIB);
    arena_reset(&arena); /* nothing there yet */
    first = arena_alloc(&arena, 1000, &err);
    memset(first, 0xff, 1000);
    memset(arena_alloc(&arena, 100000, &err), 0xff, 100000);
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_ptr_equal(arena_alloc(&arena, 1000, &err), first);
    assert_true(is_filled(first, 1000, 0));
    assert_non_null(arena_alloc(&arena, MIB - 1008, &err));
    arena_release(&arena);
}

static void dup_ends_with_a_nul(void **state)
{
    struct slice copy, source = SLICE_INIT("a\0b");
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, "the test", MIB);
    memset(arena_alloc(&arena, 64, &err), 0xff, 64);
    assert_ok(arena_dup(&arena, source, &copy, &err));
    assert_true(slice_eq(copy, source));
    assert_ptr_not_equal(copy.ptr, source.ptr);
    assert_int_equal(copy.ptr[3], 0);
    assert_ok(arena_dup(&arena, SLICE_NONE, &copy, &err));
    assert_int_equal(copy.len, 0);
    assert_non_null(copy.ptr);
    assert_int_equal(copy.ptr[0], 0);
    arena_release(&arena);
}

static void grow_keeps_the_elements(void **state)
{
    uint32_t *numbers = NULL;
    size_t count = 0, cap = 0;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, "the test", MIB);
    for (; count < 5000; count++) {
        numbers = arena_grow(&arena, numbers, count, &cap, sizeof(*numbers), &err);
        assert_non_null(numbers);
        assert_true(cap > count);
        numbers[count] = (uint32_t)count * 7;
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(numbers[i], i * 7);
    assert_int_equal(cap, 8192);
    while (numbers) { /* until the ceiling */
        count = cap;
        numbers = arena_grow(&arena, numbers, count, &cap, sizeof(*numbers), &err);
    }
    assert_int_equal(cap, count);
    assert_int_equal(err.code, ERR_LIMIT);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_apart),
        cmocka_unit_test(large_pieces_leave_the_front_block),
        cmocka_unit_test(ceiling_is_exact),
        cmocka_unit_test(huge_sizes_are_refused),
        cmocka_unit_test(reset_zeroes_and_reuses),
        cmocka_unit_test(dup_ends_with_a_nul),
        cmocka_unit_test(grow_keeps_the_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
