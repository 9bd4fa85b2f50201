/* SPDX-License-Identifier: Apache-2.0 */
/* See answer.h. */
#include "http/answer.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

static const char default_content_type[] = "application/json;charset=UTF-8";

/* What may lie unsent in the kernel for a connection that is sent pieces: a slow client's next
 * piece is made when it can be sent soon, not megabytes ahead, and what it reads is seen. */
enum { UNSENT_BYTES = 256 * 1024 };

void answer_release_producer(struct exchange *e)
{
    if (e->response.producer.next)
        e->response.producer.free(e->response.producer.ctx);
    e->response.producer = (struct http_producer){0};
    packers_give(&e->server->packers, e->gzip);
    e->gzip = NULL;
    buf_release(&e->piece);
    buf_release(&e->unpacked);
}

void answer_refuse(struct exchange *e, unsigned status, const struct err *error)
{
    answer_release_producer(e);
    buf_release(&e->response.body);
    e->response = (struct http_response){.status = status};
    e->response.body.max = LIMIT_HTTP_RESPONSE_BYTES;
    e->server->app.refuse(e->server->app.ctx, &e->request, error, &e->response);
}

void answer_refuse_stopping(struct exchange *e)
{
    struct err error;

    err_set(&error, ERR_BUSY, "the server is shutting down: try again");
    answer_refuse(e, 502, &error);
}

static void check_response(struct exchange *e)
{
    struct err error;

    if (buf_check(&e->response.body, "the answer", &error) < 0)
        answer_refuse(e, 500, &error);
    if (buf_check(&e->response.body, "the answer", &error) < 0)
        buf_clear(&e->response.body); /* not even that: a status without a body */
    if (!e->response.content_type)
        e->response.content_type = default_content_type;
    e->answer_bytes = e->response.body.len;
}

static void pack_piece(struct exchange *e, struct slice piece)
{
    gzip_put(e->gzip, piece, e->piece_last ? GZIP_END : GZIP_FLUSH, &e->piece);
}

/* The next piece; 0 at the end, and where it failed. */
static int refill(struct exchange *e)
{
    struct http_producer *producer = &e->response.producer;
    struct buf *made = e->gzip ? &e->unpacked : &e->piece;
    const struct log_field id = LOG_TEXT("request_id", slice_of(e->request.id));
    struct err error;

    buf_clear(&e->piece);
    buf_clear(made);
    e->piece_taken = 0;
    if (producer->next(producer->ctx, made, &e->piece_last, &error) == 0 &&
        buf_check(made, "a piece of the answer", &error) == 0) {
        if (e->gzip)
            pack_piece(e, buf_slice(made));
        if (buf_check(&e->piece, "a piece of the answer", &error) == 0)
            return 0;
    }
    err_prefix(&error, "an answer is cut");
    log_event(LOG_ERROR, error.message, &id, 1);
    return -1;
}

static ssize_t produce(void *exchange, char *dst, size_t max)
{
    struct exchange *e = exchange;
    size_t take;

    while (e->piece_taken == e->piece.len) {
        if (e->piece_last)
            return LIBRARY_END;
        if (refill(e) < 0) {
            /* The library would wait for the socket to stir before it closes. */
            shutdown(e->connection->fd, SHUT_RDWR);
            return LIBRARY_CUT;
        }
    }
    take = e->piece.len - e->piece_taken;
    if (take > max)
        take = max;
    memcpy(dst, e->piece.data + e->piece_taken, take);
    e->piece_taken += take;
    e->answer_bytes += take;
    /* What was there before has gone out. */
    exchange_set_deadline(e, clock_monotonic_us() + e->server->body_us);
    return (ssize_t)take;
}

/* The body so far is the first piece. */
static bool queue_produced(struct exchange *e, const struct library_header *headers, size_t count)
{
    const int unsent = UNSENT_BYTES;

    (void)setsockopt(e->connection->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    e->piece = e->response.body;
    e->response.body = (struct buf){.max = LIMIT_HTTP_RESPONSE_BYTES};
    if (e->gzip) {
        e->unpacked = e->piece;
        e->piece = (struct buf){.max = LIMIT_HTTP_RESPONSE_BYTES};
        pack_piece(e, buf_slice(&e->unpacked));
    }
    e->answer_bytes = 0;
    return library_answer_produced(e->mhd, e->response.status, produce, e, headers, count);
}

/* A whole body; false, and it stays as it is, when memory is short. */
static bool pack_body(struct exchange *e, struct gzip *gzip)
{
    struct buf packed = BUF_INIT(LIMIT_HTTP_RESPONSE_BYTES);
    struct err ignored;

    gzip_put(gzip, buf_slice(&e->response.body), GZIP_END, &packed);
    if (buf_check(&packed, "the answer", &ignored) < 0) {
        buf_release(&packed);
        return false;
    }
    buf_release(&e->response.body);
    e->response.body = packed;
    e->answer_bytes = packed.len;
    return true;
}

/* For HEAD, too, which has the headers of GET. */
static bool pack(struct exchange *e)
{
    struct gzip *gzip = packers_take(&e->server->packers);
    bool packed;

    if (!gzip)
        return false;
    if (e->response.producer.next) {
        e->gzip = gzip;
        return true;
    }
    packed = pack_body(e, gzip);
    packers_give(&e->server->packers, gzip);
    return packed;
}

static bool may_be_packed(const struct exchange *e)
{
    return e->server->compress && e->response.compressible &&
           (e->response.producer.next || e->response.body.len >= PACKED_FROM_BYTES);
}

bool answer_queue(struct exchange *e)
{
    const char *retry_after = e->response.retry_after;
    struct library_header headers[] = {
        {"Content-Type", NULL},
        {"X-Request-Id", e->request.id},
        {"Retry-After", retry_after[0] ? retry_after : NULL},
        {"Connection", e->server->stopping ? "close" : NULL},
        {NULL, NULL},
        {"Content-Encoding", NULL},
        {"Vary", NULL},
    };

    check_response(e);
    headers[0].value = e->response.content_type;
    if (may_be_packed(e)) {
        headers[6].value = "Accept-Encoding";
        if (packing_is_wanted(http_header(&e->request, "Accept-Encoding")) && pack(e))
            headers[5].value = "gzip";
    }
    headers[4] = (struct library_header){e->response.header, e->response.header_value};
    e->stage = STAGE_SENDING;
    e->connection->receiving = false;
    exchange_set_deadline(e, clock_monotonic_us() + e->server->body_us);
    if (!strcmp(e->method, "HEAD"))
        answer_release_producer(e); /* the library would send the last chunk */
    if (e->response.producer.next)
        return queue_produced(e, headers, sizeof(headers) / sizeof(headers[0]));
    return library_answer(e->mhd, e->response.status, &e->response.body, headers,
        sizeof(headers) / sizeof(headers[0]));
}

static void write_raw(
    const struct http_request *request, const struct http_response *response, struct buf *text)
{
    time_t now = (time_t)(clock_now_ms() / 1000);
    struct tm utc;
    char date[40];

    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    buf_printf(text,
        "HTTP/1.1 %u Refused\r\nDate: %s\r\nConnection: close\r\nContent-Type: %s\r\n"
        "X-Request-Id: %s\r\nContent-Length: %zu\r\n",
        response->status, date, response->content_type, request->id, response->body.len);
    if (response->retry_after[0])
        buf_printf(text, "Retry-After: %s\r\n", response->retry_after);
    buf_put_cstr(text, "\r\n");
    buf_put_slice(text, buf_slice(&response->body));
}

/* Nothing was sent on this connection since its last complete answer but perhaps "100 Continue", so
 * the send buffer has room and the bytes stand where the client expects an answer. */
bool answer_within_body(struct exchange *e)
{
    struct buf text = BUF_INIT(LIMIT_HTTP_RESPONSE_BYTES);
    void *session = library_tls_session(e->mhd);

    check_response(e);
    write_raw(&e->request, &e->response, &text);
    if (!text.failed && session)
        tls_send(session, text.data, text.len);
    else if (!text.failed)
        (void)send(e->connection->fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_release(&text);
    e->stage = STAGE_SENDING;
    e->early = true;
    return false;
}
