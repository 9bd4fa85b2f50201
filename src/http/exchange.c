/* SPDX-License-Identifier: Apache-2.0 */
/* See exchange.h, which has the order of things. */
#include "http/exchange.h"

#include "base/clock.h"
#include "base/limits.h"
#include "http/access_log.h"
#include "http/answer.h"
#include "http/framing.h"
#include "http/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char forwarded_for[] = "X-Forwarded-For";

void exchange_set_deadline(struct exchange *e, int64_t deadline_us)
{
    atomic_store_explicit(&e->connection->deadline_us, deadline_us, memory_order_relaxed);
}

struct slice http_header(const struct http_request *request, const char *name)
{
    const struct exchange *e = request->library;

    /* The library leaves blanks behind it (RFC 9110, section 5.5). */
    return slice_trim(library_header(e->mhd, name));
}

void *exchange_target(void *ctx, void *of, struct MHD_Connection *mhd, const char *target)
{
    struct http_server *server = ctx;
    struct gate_connection *connection = ((struct connection *)of)->gate;
    size_t len = strlen(target);
    struct exchange *e = calloc(1, sizeof(*e) + len + 1);
    int64_t deadline_us;

    if (!e)
        return NULL;
    e->server = server;
    e->connection = connection;
    e->mhd = mhd;
    e->start_us = clock_monotonic_us();
    e->target_end = target + len;
    memcpy(e->target, target, len);
    target_hide_query(target);
    spool_init(&e->spool, server->spool_dir, &connection->gone, &server->ending);
    e->response = (struct http_response){.status = 200};
    e->response.body.max = LIMIT_HTTP_RESPONSE_BYTES;
    e->request.library = e;
    e->request.method = e->method;
    e->request.target = (struct slice){e->target, len};
    target_split(e->request.target, &e->request.path, &e->request.query);
    memcpy(e->request.client, connection->client, sizeof(e->request.client));
    arena_init(&e->request.arena, "a request", LIMIT_HTTP_REQUEST_MEMORY_BYTES);
    request_ids_take(&server->ids, e->request.id);
    /* On a kept connection the time for headers starts here; on a new one it runs already. */
    connection->linger = true;
    connection->waiting_us = 0;
    deadline_us = e->start_us + server->header_us;
    if (connection->deadline_us > deadline_us)
        exchange_set_deadline(e, deadline_us);
    return e;
}

static void note_header(void *ctx, struct slice name, struct slice value)
{
    framing_add(ctx, name, value);
}

static void gather_forwarded(void *ctx, struct slice name, struct slice value)
{
    struct buf *list = ctx;

    if (name.len != strlen(forwarded_for) || strncasecmp(name.ptr, forwarded_for, name.len) != 0)
        return;
    if (list->len)
        buf_put_char(list, ',');
    buf_put_slice(list, value);
}

static void find_client(struct exchange *e)
{
    struct buf list = BUF_INIT(LIMIT_HTTP_HEADER_BYTES);

    library_headers(e->mhd, gather_forwarded, &list);
    if (!list.failed)
        proxies_client(e->server->proxies, buf_slice(&list), e->request.client);
    buf_release(&list);
}

/* What the server refuses before the application sees it. 0, or the status with *error. */
static unsigned check_request(struct exchange *e, const char *method, const char *version,
    struct framing *framing, struct err *error)
{
    framing->http_1_0 = !strcmp(version, "HTTP/1.0");
    library_headers(e->mhd, note_header, framing);
    if (!slice_to_cstr(slice_of(method), e->method, sizeof(e->method))) {
        err_set(error, ERR_FORMAT, "the request's method is no HTTP method");
        return 400;
    }
    /* The version stands right behind the target unless that holds a NUL byte. */
    if (version != e->target_end + 1 || !target_is_valid(e->request.target)) {
        err_set(error, ERR_FORMAT,
            "the request target holds blanks or control characters: percent-encode them");
        return 400;
    }
    if (e->request.target.len > LIMIT_HTTP_URI_BYTES) {
        err_set(error, ERR_LIMIT, "the request target is larger than the limit of %d bytes",
            LIMIT_HTTP_URI_BYTES);
        return 414;
    }
    if (framing_check(framing, e->server->header_bytes, error) < 0)
        return error->code == ERR_LIMIT ? 431 : 400;
    return 0;
}

static uint64_t body_limit(const struct exchange *e)
{
    return e->plan.body == HTTP_BODY_KEEP ? e->plan.max_body_bytes : LIMIT_HTTP_IGNORED_BODY_BYTES;
}

static void refuse_body(struct exchange *e)
{
    struct err error;

    err_set(&error, ERR_LIMIT, "the request body is larger than the limit of %llu bytes",
        (unsigned long long)body_limit(e));
    answer_refuse(e, 413, &error);
}

static bool begin(struct exchange *e, const char *method, const char *version)
{
    struct http_server *server = e->server;
    struct framing framing = {0};
    struct err error;
    unsigned status;
    bool answered = true;

    server->in_flight++;
    e->begun = true;
    if (e->connection->from_proxy)
        find_client(e);
    status = check_request(e, method, version, &framing, &error);
    if (status) {
        answer_refuse(e, status, &error);
    } else if (server->stopping) {
        answer_refuse_stopping(e);
    } else {
        server->app.begin(server->app.ctx, &e->request, &e->plan, &e->response);
        answered = e->plan.answered;
        spool_want(&e->spool, e->plan.body == HTTP_BODY_KEEP, e->plan.hash_body);
        if (!answered && framing.content_length > body_limit(e)) {
            refuse_body(e);
            answered = true;
        }
    }
    e->stage = answered ? STAGE_ANSWERED : STAGE_BODY;
    /* A malformed request may hide a body: nothing that follows it can be trusted. */
    if (answered && (status == 400 || framing_has_body(&framing))) {
        e->early = true;
        return answer_queue(e);
    }
    if (!answered && framing_has_body(&framing))
        exchange_set_deadline(e, clock_monotonic_us() + server->body_us);
    return true;
}

static bool take_body(struct exchange *e, const char *bytes, size_t *len)
{
    size_t take = *len;
    struct err error;

    *len = 0;
    if (e->stage != STAGE_BODY)
        return true;
    if (take > body_limit(e) - e->request.body_bytes) {
        refuse_body(e);
        return answer_within_body(e);
    }
    e->request.body_bytes += take;
    if (spool_write(&e->spool, bytes, take, &error) < 0) {
        answer_refuse(e, 500, &error);
        return answer_within_body(e);
    }
    return true;
}

/* Behind the resume the event loop has e again, and may free it at any moment. */
static void give_back(struct exchange *e)
{
    e->stage = STAGE_ANSWERED;
    library_resume(e->mhd);
}

void exchange_run(void *job)
{
    struct exchange *e = job;

    e->server->app.handle(e->server->app.ctx, &e->request, &e->response);
    give_back(e);
}

bool exchange_ready(void *job)
{
    const struct exchange *e = job;

    return !e->plan.waits || e->server->app.ready(e->server->app.ctx, &e->request);
}

void exchange_drop(void *job)
{
    answer_refuse_stopping(job);
    give_back(job);
}

static void hand_to_worker(struct exchange *e)
{
    struct err error;

    e->stage = STAGE_WORKER;
    library_suspend(e->mhd);
    if (workers_push(&e->server->workers, e, e->plan.owner, e->plan.waits))
        return;
    if (e->server->stopping) {
        exchange_drop(e);
        return;
    }
    err_set(&error, ERR_BUSY, "%d requests wait already, or %d of this caller: try again later",
        e->plan.waits ? LIMIT_HTTP_PARKED : LIMIT_HTTP_WAITING, LIMIT_HTTP_WAITING_OF_ONE);
    answer_refuse(e, 500, &error);
    give_back(e);
}

static bool finish(struct exchange *e)
{
    struct err error;

    exchange_set_deadline(e, GATE_NO_DEADLINE); /* from here to the answer it is our own time */
    e->connection->receiving = false;
    spool_digest(&e->spool, e->request.body_sha256);
    if (e->plan.body == HTTP_BODY_KEEP) {
        e->request.body = spool_open(&e->spool, &error);
        if (!e->request.body) {
            answer_refuse(e, 500, &error);
            return answer_queue(e);
        }
    }
    if (e->plan.blocking) {
        hand_to_worker(e);
        return true;
    }
    e->server->app.handle(e->server->app.ctx, &e->request, &e->response);
    return answer_queue(e);
}

bool exchange_access(
    void *exchange, const char *method, const char *version, const char *data, size_t *len)
{
    struct exchange *e = exchange;

    if (e->stage == STAGE_LINE)
        return begin(e, method, version);
    if (*len)
        return take_body(e, data, len);
    if (e->stage == STAGE_BODY)
        return finish(e);
    return e->stage == STAGE_ANSWERED ? answer_queue(e) : true;
}

static void report(const struct exchange *e, bool whole, int64_t now_us)
{
    const struct http_server *server = e->server;
    struct http_ended ended = {.took_us = now_us - e->start_us, .cut = !whole};

    if (e->stage == STAGE_SENDING) {
        ended.status = e->response.status;
        ended.sent_bytes = strcmp(e->method, "HEAD") ? e->answer_bytes : 0;
    } else {
        ended.status = library_status(e->mhd); /* the library's own page */
    }
    if (server->access_log)
        access_log(&e->request, &(struct access_outcome){.status = ended.status,
                                    .sent_bytes = ended.sent_bytes,
                                    .cut = ended.cut,
                                    .took_us = ended.took_us});
    if (server->app.done)
        server->app.done(server->app.ctx, &e->request, &ended);
}

void exchange_completed(void *ctx, void *exchange, bool whole)
{
    struct http_server *server = ctx;
    struct exchange *e = exchange;
    int64_t now_us = clock_monotonic_us();

    report(e, whole, now_us);
    e->connection->linger = e->early || e->stage != STAGE_SENDING || !whole;
    e->connection->receiving = true;
    e->connection->waiting_us = now_us;
    /* Silence is ended by the library after idle_us; this ends what drips. */
    exchange_set_deadline(e, now_us + server->idle_us + server->header_us);
    stream_close(e->request.body);
    spool_release(&e->spool);
    buf_release(&e->response.body);
    answer_release_producer(e);
    if (e->request.user && server->app.free_user)
        server->app.free_user(server->app.ctx, e->request.user);
    arena_release(&e->request.arena);
    if (e->begun)
        server->in_flight--;
    free(e);
}
