/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing was sent on this connection since its last complete answer but perhaps "100 Continue", so
 * the send buffer has room and the bytes stand where the client expects an answer. */
#include "http/raw_answer.h"

#include "base/clock.h"
#include "base/limits.h"

#include <sys/socket.h>

void raw_answer_send(
    int fd, const struct http_request *request, const struct http_response *response)
{
    struct buf text = BUF_INIT(LIMIT_HTTP_RESPONSE_BYTES);
    time_t now = (time_t)(clock_now_ms() / 1000);
    struct tm utc;
    char date[40];

    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    buf_printf(&text,
        "HTTP/1.1 %u Refused\r\nDate: %s\r\nConnection: close\r\nContent-Type: %s\r\n"
        "X-Request-Id: %s\r\nContent-Length: %zu\r\n",
        response->status, date, response->content_type, request->id, response->body.len);
    if (response->retry_after[0])
        buf_printf(&text, "Retry-After: %s\r\n", response->retry_after);
    buf_put_cstr(&text, "\r\n");
    buf_put_slice(&text, buf_slice(&response->body));
    if (!text.failed)
        (void)send(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_release(&text);
}
