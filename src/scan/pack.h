/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few shapes that facts and answers are made of, on their way through the cache and the pipe:
 * whole numbers (LEB128: seven bits a byte, the lowest first, the top bit says that more follow;
 * the shortest form alone) and texts (a length, and bytes).
 *
 * Unpacking has a sticky failure: a row of unpacks is checked once, at its end. Behind a failure
 * every number is 0, and every text empty.
 */
#ifndef CAREEN_SCAN_PACK_H
#define CAREEN_SCAN_PACK_H

#include "base/buf.h"

void pack_number(struct buf *out, uint64_t value);
void pack_text(struct buf *out, struct slice text);

struct unpack {
    struct slice rest;
    bool failed;
};

uint64_t unpack_number(struct unpack *in);
/* A number up to max; failure when it is more. */
uint64_t unpack_up_to(struct unpack *in, uint64_t max);
/* How many things follow, of at least `each` bytes (> 0): more than can be there is a failure, so
 * that room for them may be made at once. */
size_t unpack_count(struct unpack *in, size_t each);
/* Points into the bytes that are unpacked. */
struct slice unpack_text(struct unpack *in);

#endif
