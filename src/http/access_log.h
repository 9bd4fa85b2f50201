/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event of the log for each request:
 *
 *     msg=request method=GET path=/v5/x/image/vulnerability/images query="limit=10" status=200
 *     bytes=1024 duration_us=153 user=ana client=127.0.0.1 request_id=3f...9c
 *
 * What is not known is left out: the status when the connection ended without an answer, the bytes
 * (of the body) when it ended within one. Queries hold no secrets by design, so they are in.
 */
#ifndef CAREEN_HTTP_ACCESS_LOG_H
#define CAREEN_HTTP_ACCESS_LOG_H

#include "base/log.h"
#include "http/server.h"

/* Of the method, and of the path, the query and the user, bytes that are shown. */
enum { ACCESS_LOG_METHOD_BYTES = 32, ACCESS_LOG_TEXT_BYTES = 512 };

/* What came of a request. status 0: the connection ended without an answer. */
struct access_outcome {
    unsigned status;
    uint64_t sent_bytes; /* of the body */
    bool cut;            /* it ended before all of that was sent: how much was, is not known */
    int64_t took_us;
};

/* The event's fields, which point into *request; returns how many. */
size_t access_log_fields(const struct http_request *request, const struct access_outcome *outcome,
    struct log_field ret[LOG_FIELDS_MAX]);
/* Writes it, when lines of LOG_INFO are written at all. */
void access_log(const struct http_request *request, const struct access_outcome *outcome);

#endif
