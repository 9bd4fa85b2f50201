/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of ordinals, and the one wrapper of CRoaring.
 *
 * Most vulnerabilities hit few images, so a set has three forms, by its size:
 *
 *     up to 2 ids           in the struct itself, no allocation
 *     up to 66              a plain sorted array
 *     more                  a roaring bitmap; back to an array when 32 are left
 *
 * While an index is being filled a large set is a bitmap and a tail of what is to come into it
 * (idset_prepare_filling), until idset_settle().
 *
 * A zeroed struct is the empty set. Changes are in two steps, so that a caller with many sets to
 * change can do everything that may fail first: idset_prepare(), then idset_add(). CRoaring itself
 * (0.2) does not report a failed allocation while it changes a bitmap, it crashes; sets in the two
 * small forms never do.
 *
 * Reading functions may be called by many threads at once.
 */
#ifndef CAREEN_INDEX_IDSET_H
#define CAREEN_INDEX_IDSET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDSET_FEW = 2, IDSET_ARRAY_MAX = 66 };

struct idset {
    union {
        uint32_t few[IDSET_FEW];
        uint32_t *array; /* owned */
        void *roaring;   /* owned; roaring_bitmap_t */
        void *filling;   /* owned */
    } as;
    uint32_t count; /* members */
    uint32_t
        cap; /* of the array; 0: the ids stand in few; UINT32_MAX: roaring, one less: filling */
};

void idset_release(struct idset *set); /* empty afterwards */

/* Makes the next idset_add() infallible. The set keeps its members. 0, or -1 with ERR_NOMEM. */
int idset_prepare(struct idset *set, struct err *err);
/* The same for ids that come in ascending order, many of them: a large set gathers a few before
 * they go into its bitmap. Such a set knows no more than adding, idset_bytes() and idset_settle().
 */
int idset_prepare_filling(struct idset *set, struct err *err);
/* Ends that. */
void idset_settle(struct idset *set);
/* Adds id, nothing happens when it is there. One idset_prepare() goes before each. */
void idset_add(struct idset *set, uint32_t id);
/* Nothing happens when id is not there. Undoes an idset_prepare(). */
void idset_remove(struct idset *set, uint32_t id);
/* Replaces a member by an id that is none. Needs no memory of the small forms, and leaves the room
 * made by idset_prepare(). */
void idset_move(struct idset *set, uint32_t from, uint32_t to);

bool idset_contains(const struct idset *set, uint32_t id);
/* How many members are smaller than id. */
uint32_t idset_below(const struct idset *set, uint32_t id);
/* The member with `rank` members below it; false when there are not so many. */
bool idset_select(const struct idset *set, uint32_t rank, uint32_t *ret);
/* The largest member; 0 when there is none. */
uint32_t idset_last(const struct idset *set);
/* Up to max members >= from into dst, ascending; returns how many. To walk a set, go on behind the
 * last one. */
size_t idset_read(const struct idset *set, uint32_t from, uint32_t *dst, size_t max);

/* *ret := the members of both; *ret is overwritten, not released. */
int idset_and(const struct idset *a, const struct idset *b, struct idset *ret, struct err *err);
uint32_t idset_and_count(const struct idset *a, const struct idset *b);
/* Adds all members of b; into != b. On failure `into` holds some of them. */
int idset_or_into(struct idset *into, const struct idset *b, struct err *err);
/* Is the bit of any member set? There are words enough. */
bool idset_meets_bits(const struct idset *set, const uint64_t *words);
/* Asks memory for what the set will be read from. */
void idset_prefetch(const struct idset *set);
/* Sets the bit of each member; there are words enough. */
void idset_into_bits(const struct idset *set, uint64_t *words);
/* *ret := the bits set in `count` words, the lowest bit of the first word being id 0. */
int idset_of_bits(const uint64_t *words, size_t count, struct idset *ret, struct err *err);

/* Estimate of the heap memory held; O(1). */
size_t idset_bytes(const struct idset *set);
/* NULL, or what is wrong. */
const char *idset_validate(const struct idset *set);

#endif
