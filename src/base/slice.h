/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices: (pointer, length) views of bytes that somebody else owns. They are passed by value, need
 * no terminator, and may hold NUL. Parsers eat them from the left with slice_pull_*.
 */
#ifndef CAREEN_BASE_SLICE_H
#define CAREEN_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/* For a string literal: SLICE("abc"); in a static table: {SLICE_INIT("abc")}. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_INIT(literal)             \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
#define SLICE_NONE ((struct slice){NULL, 0})

/* For printf: printf("%.*s", SLICE_FMT(s)). Lengths over INT_MAX are cut. */
#define SLICE_FMT(s) slice_fmt_len(s), ((s).ptr ? (s).ptr : "")
int slice_fmt_len(struct slice s);

struct slice slice_of(const char *cstr); /* NULL gives an empty slice */
bool slice_eq(struct slice a, struct slice b);
bool slice_is(struct slice s, const char *cstr);
bool slice_starts_with(struct slice s, const char *prefix);
bool slice_ends_with(struct slice s, const char *suffix);
int slice_cmp(struct slice a, struct slice b); /* bytes, then length; total order */

/* With secrets drawn for each process: never store it. */
uint64_t slice_hash(struct slice s);
uint64_t slice_hash_with(struct slice s, const uint64_t secrets[2]); /* for tests of slice_hash */

/* Position of the first (last) `c`, or s.len when there is none. */
size_t slice_find_char(struct slice s, char c);
size_t slice_rfind_char(struct slice s, char c);
bool slice_contains(struct slice s, struct slice needle); /* an empty needle is contained */

struct slice slice_sub(struct slice s, size_t from, size_t len); /* clamped to s */
struct slice slice_skip(struct slice s, size_t n);               /* without the first n; clamped */
struct slice slice_trim(struct slice s);                         /* ASCII blanks at both ends */

/* Cuts everything before the first `c` off *s and returns it; *s starts behind that `c` then.
 * Without a `c`, returns all of *s and leaves it empty. */
struct slice slice_pull_until(struct slice *s, char c);

/* Decimal digits only, no sign, no blanks, at least one digit; false when it does not fit. */
bool slice_to_u64(struct slice s, uint64_t *ret);
/* The same with an optional leading minus. */
bool slice_to_i64(struct slice s, int64_t *ret);

/* Copies s and a NUL into dst (cap bytes). False, with dst untouched, if it does not fit. */
bool slice_to_cstr(struct slice s, char *dst, size_t cap);

#endif
