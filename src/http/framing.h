/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the body of a request is (RFC 9112, section 6), and which requests must not be taken
 * because a proxy in front might read their length in another way (request smuggling).
 */
#ifndef CAREEN_HTTP_FRAMING_H
#define CAREEN_HTTP_FRAMING_H

#include "base/err.h"
#include "base/slice.h"

struct framing {
    unsigned lengths, encodings; /* how many of each header */
    bool http_1_0;               /* to be set by the caller */
    bool chunked, odd_length, odd_encoding, odd_name;
    uint64_t content_length;
    size_t header_bytes, largest_header_bytes;
};

/* To be called with every header of a request, on a struct that is zero but for http_1_0. */
void framing_add(struct framing *framing, struct slice name, struct slice value);
/* header_bytes: the ceiling on all headers together.
 * ERR_FORMAT: a name that is no token, lengths that contradict each other, an encoding other than
 * chunked or in HTTP/1.0, both at once.
 * ERR_LIMIT: headers over LIMIT_HTTP_ONE_HEADER_BYTES or header_bytes. */
int framing_check(const struct framing *framing, size_t header_bytes, struct err *err);
bool framing_has_body(const struct framing *framing);

#endif
