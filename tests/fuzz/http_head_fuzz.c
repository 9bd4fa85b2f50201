// room: http
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HTTP room itself reads of a request: target, framing headers, and what it writes about
 * them into the log. Input: the target, then one header a line.
 */
#include "base/bug.h"
#include "http/access_log.h"
#include "http/framing.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct http_request request = {.method = "GET", .target = slice_pull_until(&rest, '\n')};
    struct access_outcome outcome = {.status = 200};
    char line[ACCESS_LOG_LINE_BYTES];
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
    if (framing_check(&framing, &err) == 0)
        BUG_ON(framing.chunked && framing.content_length);
    access_log_format(&request, &outcome, line);
    for (const char *at = line; *at; at++)
        BUG_ON((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f);
    return 0;
}
