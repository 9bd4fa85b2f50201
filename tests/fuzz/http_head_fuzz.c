// room: http
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HTTP room itself reads of a request: target, framing headers, and what it writes about
 * them into the log. Input: the target, then one header a line.
 */
#include "base/bug.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "http/access_log.h"
#include "http/framing.h"
#include "http/target.h"

/* Whatever a request holds, its event is one line of UTF-8 without control characters. */
static void check_event(const struct http_request *request, enum log_format format)
{
    const struct access_outcome outcome = {.status = 200};
    struct log_field fields[LOG_FIELDS_MAX];
    char line[LOG_LINE_BYTES];
    size_t count = access_log_fields(request, &outcome, fields);
    size_t len = log_format_event(format, LOG_INFO, 0, "request", fields, count, line);

    BUG_ON(len == 0 || line[len - 1] != '\n');
    BUG_ON(!utf8_is_line((struct slice){line, len - 1}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct http_request request = {.method = "GET", .target = slice_pull_until(&rest, '\n')};
    struct framing framing = {0};
    struct err err;

    target_split(request.target, &request.path, &request.query);
    BUG_ON(!request.path.len);
    BUG_ON(slice_starts_with(request.path, "//"));
    BUG_ON(request.path.len + request.query.len > request.target.len + 1);
    while (rest.len) {
        struct slice value = slice_pull_until(&rest, '\n'), name = slice_pull_until(&value, ':');

        framing_add(&framing, name, slice_trim(value));
    }
    if (framing_check(&framing, LIMIT_HTTP_HEADER_BYTES, &err) == 0)
        BUG_ON(framing.chunked && framing.content_length);
    check_event(&request, LOG_LOGFMT);
    check_event(&request, LOG_JSON);
    return 0;
}
