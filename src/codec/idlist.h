/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of ids as bytes: sorted, delta-coded, LEB128 varints. About 2 bytes a member for package
 * sets.
 *
 *     list  := varint(count) varint(first) varint(next - previous - 1)...
 *     times := varint(runs) ( varint(first_seen_ms) list )...      disjoint lists, by time
 * ascending
 *
 * A set has one encoding, and decoding refuses any other. Failed decoding leaves *bytes and *ret
 * alone.
 */
#ifndef CAREEN_CODEC_IDLIST_H
#define CAREEN_CODEC_IDLIST_H

#include "base/array.h"
#include "base/buf.h"

/* Appends a strictly ascending list. BUG when it is not. */
void idlist_encode(struct buf *out, const struct ids *ids);
/* Reads one list off the front of *bytes, replacing *ret. ERR_CORRUPT when it is malformed, or has
 * more than max_count members. */
int idlist_decode(struct slice *bytes, size_t max_count, struct ids *ret, struct err *err);

/* An id with the time it was first seen. */
struct timed_id {
    uint32_t id;
    int64_t first_seen_ms;
};

struct timed_ids {
    struct timed_id *at; /* owned; ascending by id, each once */
    size_t count, cap;
};

void timed_ids_release(struct timed_ids *ids);
int timed_ids_push(struct timed_ids *ids, uint32_t id, int64_t first_seen_ms, struct err *err);
/* Sorts by id; of equal ids the earliest time stays. */
void timed_ids_sort(struct timed_ids *ids);
/* The member, or NULL. */
const struct timed_id *timed_ids_find(const struct timed_ids *ids, uint32_t id);

/* Appends all of *ids as `times`. BUG when it is not sorted; ERR_INVALID for a time before 1970. */
int timed_ids_encode(struct buf *out, const struct timed_ids *ids, struct err *err);
/* All of `bytes` must be one `times`; replaces *ret, sorted by id. */
int timed_ids_decode(struct slice bytes, size_t max_count, struct timed_ids *ret, struct err *err);

#endif
