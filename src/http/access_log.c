/* SPDX-License-Identifier: Apache-2.0 */
/* The access log; see access_log.h. */
#include "http/access_log.h"

/* Adds a text unless there is none. */
static void add_text(
    struct log_field *fields, size_t *count, const char *key, struct slice text, size_t max_bytes)
{
    if (text.len)
        fields[(*count)++] = LOG_TEXT(key, slice_sub(text, 0, max_bytes));
}

static void add_number(struct log_field *fields, size_t *count, const char *key, int64_t number)
{
    fields[(*count)++] = LOG_NUMBER(key, number);
}

size_t access_log_fields(const struct http_request *request, const struct access_outcome *outcome,
    struct log_field ret[LOG_FIELDS_MAX])
{
    size_t count = 0;

    add_text(ret, &count, "method", slice_of(request->method), ACCESS_LOG_METHOD_BYTES);
    add_text(ret, &count, "path", request->path, ACCESS_LOG_TEXT_BYTES);
    add_text(ret, &count, "query", request->query, ACCESS_LOG_TEXT_BYTES);
    if (outcome->status)
        add_number(ret, &count, "status", outcome->status);
    if (outcome->status && !outcome->cut)
        add_number(ret, &count, "bytes", (int64_t)outcome->sent_bytes);
    add_number(ret, &count, "duration_us", outcome->took_us);
    add_text(ret, &count, "user", request->user_name, ACCESS_LOG_TEXT_BYTES);
    add_text(ret, &count, "client", slice_of(request->client), sizeof(request->client));
    add_text(ret, &count, "request_id", slice_of(request->id), REQUEST_ID_CHARS);
    return count;
}

void access_log(const struct http_request *request, const struct access_outcome *outcome)
{
    struct log_field fields[LOG_FIELDS_MAX];

    if (log_enabled(LOG_INFO))
        log_event_soon(LOG_INFO, "request", fields, access_log_fields(request, outcome, fields));
}
