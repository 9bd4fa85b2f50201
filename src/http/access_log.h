/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the access log for each request. Queries hold no secrets by design, so they are in.
 */
#ifndef CAREEN_HTTP_ACCESS_LOG_H
#define CAREEN_HTTP_ACCESS_LOG_H

#include "http/server.h"

enum { ACCESS_LOG_TARGET_CHARS = 512, ACCESS_LOG_METHOD_CHARS = 32, ACCESS_LOG_LINE_BYTES = 1024 };

/* What came of a request. status 0: the connection ended without an answer. */
struct access_outcome {
    unsigned status;
    uint64_t sent_bytes; /* of the body */
    bool cut;            /* it ended before all of that was sent: how much was, is not known */
    int64_t took_us;
};

/* The line without its time and level. */
void access_log_format(const struct http_request *request, const struct access_outcome *outcome,
    char line[ACCESS_LOG_LINE_BYTES]);
/* Writes it, when lines of LOG_INFO are written at all. */
void access_log(const struct http_request *request, const struct access_outcome *outcome);

#endif
