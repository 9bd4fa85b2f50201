/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     GET /v5/x/image/vulnerability/images?limit=10 200 1024 153us 127.0.0.1 3f...9c
 *     method target status body-bytes time client request-id
 *
 * What a client wrote stays one word of printable ASCII: everything else is escaped, so no client
 * can write a line of its own into the log. "-" stands for what is not known.
 */
#include "http/access_log.h"

#include "base/log.h"

/* At most `max` characters: s escaped, or as much of it as fits before "...". Returns the end. */
static char *put_escaped(char *dst, struct slice s, size_t max)
{
    const char *last = dst + max - 3;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = c > ' ' && c < 0x7f && c != '\\';

        if (last - dst < (plain ? 1 : 4)) {
            memcpy(dst, "...", 3);
            return dst + 3;
        }
        if (plain) {
            *dst++ = (char)c;
        } else {
            *dst++ = '\\';
            *dst++ = 'x';
            *dst++ = "0123456789abcdef"[c >> 4];
            *dst++ = "0123456789abcdef"[c & 15];
        }
    }
    if (!s.len)
        *dst++ = '-';
    return dst;
}

void access_log_format(const struct http_request *request, const struct access_outcome *outcome,
    char line[ACCESS_LOG_LINE_BYTES])
{
    char *at = put_escaped(line, slice_of(request->method), ACCESS_LOG_METHOD_CHARS);
    char status[12] = "-", sent[24] = "-";

    *at++ = ' ';
    at = put_escaped(at, request->target, ACCESS_LOG_TARGET_CHARS);
    if (outcome->status)
        snprintf(status, sizeof(status), "%u", outcome->status);
    if (outcome->status && !outcome->cut)
        snprintf(sent, sizeof(sent), "%llu", (unsigned long long)outcome->sent_bytes);
    snprintf(at, ACCESS_LOG_LINE_BYTES - (size_t)(at - line), " %s %s %lldus %s %s", status, sent,
        (long long)outcome->took_us, request->client[0] ? request->client : "-", request->id);
}

void access_log(const struct http_request *request, const struct access_outcome *outcome)
{
    char line[ACCESS_LOG_LINE_BYTES];

    if (!log_enabled(LOG_INFO))
        return;
    access_log_format(request, outcome, line);
    log_line(LOG_INFO, "%s", line);
}
