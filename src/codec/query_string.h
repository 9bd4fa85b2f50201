/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query of a URI (RFC 3986, section 3.4) as clients of the contract send it: "k=v" joined by
 * '&', percent-encoded; a key without '=' has an empty value; '+' is a plus (contract,
 * section 1.2).
 */
#ifndef CAREEN_CODEC_QUERY_STRING_H
#define CAREEN_CODEC_QUERY_STRING_H

#include "base/arena.h"

struct query_param {
    struct slice name, value; /* decoded */
};

struct query_params {
    struct query_param *at;
    size_t count;
};

enum { QUERY_PARAMS_MAX = 1000 };

/* Percent-decodes s into the arena. ERR_INVALID on a bad escape, or when the decoded bytes are not
 * UTF-8 or hold control characters: the message says which, without the bytes. */
int percent_decode(struct slice s, struct arena *arena, struct slice *ret, struct err *err);
/* Percent-encodes everything but A-Z a-z 0-9 - . _ ~ with upper-case hex (contract, section 2.1).
 */
struct buf;
void percent_encode(struct buf *out, struct slice s);

/* Splits and decodes `query` (without the '?'), in order, duplicates kept; empty pieces ("a&&b")
 * are passed over. Slices live in the arena. ERR_INVALID as above, naming the parameter where its
 * name could be read; ERR_LIMIT above QUERY_PARAMS_MAX. */
int query_parse(struct slice query, struct arena *arena, struct query_params *ret, struct err *err);

#endif
