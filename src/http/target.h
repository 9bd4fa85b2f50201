/* SPDX-License-Identifier: Apache-2.0 */
/* The request target (RFC 9112, section 3.2), taken apart without decoding anything. */
#ifndef CAREEN_HTTP_TARGET_H
#define CAREEN_HTTP_TARGET_H

#include "base/slice.h"

/* No blanks and no control characters. Bytes beyond ASCII pass: what they mean is for the
 * application to say. */
bool target_is_valid(struct slice target);

/* path and query (without '?') of an origin-form ("/a?b"), absolute-form ("http://host/a?b") or
 * "*"; several slashes at the start of the path count as one. Both point into target, or at "/". */
void target_split(struct slice target, struct slice *path, struct slice *query);

/* The HTTP library would take the query apart, with a record for each argument in the connection's
 * block; a query of many arguments fills that, and the connection hangs (0.9.75 queues its 431 page
 * and then forgets it). An empty query has no arguments: cuts it in the library's own buffer. */
void target_hide_query(const char *target);

#endif
