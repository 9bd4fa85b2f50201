/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that knows libmicrohttpd. The library calls, for each request and always on the
 * event loop that has the connection:
 *
 *     on_target     the request line is there         -> an exchange, with the raw target
 *     on_access     the headers are there             STAGE_LINE     -> begin
 *     on_access     a piece of the body, repeatedly   STAGE_BODY     -> spool
 *     on_access     the request is complete           STAGE_BODY     -> handle, or hand to a worker
 *     on_access     again, after a worker's resume    STAGE_ANSWERED -> queue the response
 *     on_completed  sent, or cut off anywhere above   -> log line, free
 *
 * Invariants: an exchange is freed in on_completed and nowhere else. While a worker has it the
 * connection is suspended, and the library touches neither; a client that goes away meanwhile is
 * noticed after the resume. A response is queued in the last call only: queued earlier the library
 * reads no further and closes the connection, which is what a refused upload wants.
 */
#include "http/server.h"

#include "base/clock.h"
#include "base/limits.h"
#include "http/access_log.h"
#include "http/framing.h"
#include "http/gate.h"
#include "http/options.h"
#include "http/raw_answer.h"
#include "http/request_id.h"
#include "http/spool.h"
#include "http/target.h"
#include "http/workers.h"

#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <unistd.h>

/* The library keeps a request's line, headers and their bookkeeping, and its answer's head, in one
 * block for each connection. It clears the whole block after every request (some 3 us, when the
 * blocks of all busy connections fit into the processor's cache). */
enum { CONNECTION_BYTES = LIMIT_HTTP_URI_BYTES + LIMIT_HTTP_HEADER_BYTES + 16 * 1024 };

enum { METHOD_CHARS = 31, DRAIN_POLL_US = 2000 };

static const char default_content_type[] = "application/json;charset=UTF-8";

struct http_server {
    struct http_app app;
    char address[LISTEN_ADDRESS_BYTES];
    char *spool_dir; /* owned */
    bool access_log;
    int64_t header_us, body_us, idle_us;
    struct request_ids ids;
    struct gate gate;
    struct workers workers;
    struct MHD_Daemon *daemon;
    atomic_bool stopping;
    _Atomic uint64_t in_flight; /* begun and not completed */
};

enum stage {
    STAGE_LINE,     /* the request line is there, headers are coming */
    STAGE_BODY,     /* begun; the rest of the request is coming */
    STAGE_WORKER,   /* a worker thread has it */
    STAGE_ANSWERED, /* the response is complete, to be queued in the library's next call */
    STAGE_SENDING   /* handed to the library, or written to the socket */
};

struct exchange {
    struct http_request request;
    struct http_server *server;
    struct gate_connection *connection;
    struct MHD_Connection *mhd;
    enum stage stage;
    bool begun;
    bool early; /* answered before the request had ended, so the connection must close */
    struct http_plan plan;
    struct http_response response;
    size_t answer_bytes;
    struct spool spool;
    int64_t start_us;
    const char *target_end; /* in the library's buffer; only to be compared */
    char method[METHOD_CHARS + 1];
    char target[];
};

static void set_deadline(struct exchange *e, int64_t deadline_us)
{
    atomic_store_explicit(&e->connection->deadline_us, deadline_us, memory_order_relaxed);
}

struct slice http_header(const struct http_request *request, const char *name)
{
    const struct exchange *e = request->library;
    struct slice value = SLICE_NONE;

    (void)MHD_lookup_connection_value_n(
        e->mhd, MHD_HEADER_KIND, name, strlen(name), &value.ptr, &value.len);
    return slice_trim(value); /* the library leaves blanks behind it (RFC 9110, section 5.5) */
}

/* Replaces whatever the response holds by the application's page for this error. */
static void refuse(struct exchange *e, unsigned status, const struct err *error)
{
    buf_release(&e->response.body);
    e->response = (struct http_response){.status = status};
    e->response.body.max = LIMIT_HTTP_RESPONSE_BYTES;
    e->server->app.refuse(e->server->app.ctx, &e->request, error, &e->response);
}

static void refuse_stopping(struct exchange *e)
{
    struct err error;

    err_set(&error, ERR_BUSY, "the server is shutting down: try again");
    refuse(e, 502, &error);
}

/* ---- sending ---- */

static void check_response(struct exchange *e)
{
    struct err error;

    if (buf_check(&e->response.body, "the answer", &error) < 0)
        refuse(e, 500, &error);
    if (buf_check(&e->response.body, "the answer", &error) < 0)
        buf_clear(&e->response.body); /* not even that: a status without a body */
    if (!e->response.content_type)
        e->response.content_type = default_content_type;
    e->answer_bytes = e->response.body.len;
}

static bool add_headers(const struct exchange *e, struct MHD_Response *to)
{
    const char *const headers[][2] = {
        {"Content-Type", e->response.content_type},
        {"X-Request-Id", e->request.id},
        {"Retry-After", e->response.retry_after[0] ? e->response.retry_after : NULL},
        {"Connection", e->server->stopping ? "close" : NULL},
        {e->response.header, e->response.header_value},
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (headers[i][1] && MHD_add_response_header(to, headers[i][0], headers[i][1]) == MHD_NO)
            return false;
    return true;
}

static enum MHD_Result respond(struct exchange *e)
{
    static char nothing[1];
    struct buf *body = &e->response.body;
    struct MHD_Response *response;
    enum MHD_Result result;

    check_response(e);
    if (body->len)
        response = MHD_create_response_from_buffer_with_free_callback(body->len, body->data, free);
    else
        response = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    if (body->len)
        *body = (struct buf){0}; /* the library frees it */
    if (!add_headers(e, response)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    e->stage = STAGE_SENDING;
    e->connection->receiving = false;
    set_deadline(e, clock_monotonic_us() + e->server->body_us);
    result = MHD_queue_response(e->mhd, e->response.status, response);
    MHD_destroy_response(response);
    return result;
}

/* MHD_NO, which makes the library close the connection. */
static enum MHD_Result respond_within_body(struct exchange *e)
{
    check_response(e);
    raw_answer_send(e->connection->fd, &e->request, &e->response);
    e->stage = STAGE_SENDING;
    e->early = true;
    return MHD_NO;
}

/* ---- a request, from its line to its answer ---- */

static void *on_target(void *ctx, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *server = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct gate_connection *connection = info ? info->socket_context : NULL;
    size_t len = strlen(uri);
    struct exchange *e = connection ? calloc(1, sizeof(*e) + len + 1) : NULL;
    int64_t deadline_us;

    if (!e)
        return NULL; /* on_access will close */
    e->server = server;
    e->connection = connection;
    e->mhd = mhd;
    e->start_us = clock_monotonic_us();
    e->target_end = uri + len;
    memcpy(e->target, uri, len);
    target_hide_query(uri);
    spool_init(&e->spool, server->spool_dir);
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
    deadline_us = e->start_us + server->header_us;
    if (connection->deadline_us > deadline_us)
        set_deadline(e, deadline_us);
    return e;
}

static enum MHD_Result note_header(void *ctx, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    framing_add(ctx, (struct slice){name, name_len}, (struct slice){value, value ? value_len : 0});
    return MHD_YES;
}

/* What the server refuses before the application sees it. 0, or the status with *error. */
static unsigned check_request(struct exchange *e, const char *method, const char *version,
    struct framing *framing, struct err *error)
{
    framing->http_1_0 = !strcmp(version, "HTTP/1.0");
    MHD_get_connection_values_n(e->mhd, MHD_HEADER_KIND, note_header, framing);
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
    if (framing_check(framing, error) < 0)
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
    refuse(e, 413, &error);
}

static enum MHD_Result begin(struct exchange *e, const char *method, const char *version)
{
    struct http_server *server = e->server;
    struct framing framing = {0};
    struct err error;
    unsigned status;
    bool answered = true;

    server->in_flight++;
    e->begun = true;
    status = check_request(e, method, version, &framing, &error);
    if (status) {
        refuse(e, status, &error);
    } else if (server->stopping) {
        refuse_stopping(e);
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
        return respond(e);
    }
    if (!answered && framing_has_body(&framing))
        set_deadline(e, clock_monotonic_us() + server->body_us);
    return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *e, const char *bytes, size_t *len)
{
    size_t take = *len;
    struct err error;

    *len = 0;
    if (e->stage != STAGE_BODY)
        return MHD_YES;
    if (take > body_limit(e) - e->request.body_bytes) {
        refuse_body(e);
        return respond_within_body(e);
    }
    e->request.body_bytes += take;
    if (spool_write(&e->spool, bytes, take, &error) < 0) {
        refuse(e, 500, &error);
        return respond_within_body(e);
    }
    return MHD_YES;
}

/* Behind the resume the event loop has e again, and may free it at any moment. */
static void give_back(struct exchange *e)
{
    e->stage = STAGE_ANSWERED;
    MHD_resume_connection(e->mhd);
}

static void run_on_worker(void *job)
{
    struct exchange *e = job;

    e->server->app.handle(e->server->app.ctx, &e->request, &e->response);
    give_back(e);
}

static void drop_from_queue(void *job)
{
    refuse_stopping(job);
    give_back(job);
}

static void hand_to_worker(struct exchange *e)
{
    struct err error;

    e->stage = STAGE_WORKER;
    MHD_suspend_connection(e->mhd);
    if (workers_push(&e->server->workers, e))
        return;
    if (e->server->stopping) {
        drop_from_queue(e);
        return;
    }
    err_set(&error, ERR_BUSY, "%d requests wait for a worker already: try again later",
        LIMIT_HTTP_WAITING);
    refuse(e, 500, &error);
    give_back(e);
}

static enum MHD_Result finish(struct exchange *e)
{
    struct err error;

    set_deadline(e, GATE_NO_DEADLINE); /* from here to the answer it is our own time */
    e->connection->receiving = false;
    spool_digest(&e->spool, e->request.body_sha256);
    if (e->plan.body == HTTP_BODY_KEEP) {
        e->request.body = spool_open(&e->spool, &error);
        if (!e->request.body) {
            refuse(e, 500, &error);
            return respond(e);
        }
    }
    if (e->plan.blocking) {
        hand_to_worker(e);
        return MHD_YES;
    }
    e->server->app.handle(e->server->app.ctx, &e->request, &e->response);
    return respond(e);
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *len, void **state)
{
    struct exchange *e = *state;

    (void)ctx;
    (void)mhd;
    (void)url;
    if (!e)
        return MHD_NO;
    if (e->stage == STAGE_LINE)
        return begin(e, method, version);
    if (*len)
        return take_body(e, data, len);
    if (e->stage == STAGE_BODY)
        return finish(e);
    return e->stage == STAGE_ANSWERED ? respond(e) : MHD_YES;
}

static void log_exchange(
    const struct exchange *e, enum MHD_RequestTerminationCode how, int64_t now_us)
{
    struct access_outcome outcome = {
        .took_us = now_us - e->start_us, .cut = how != MHD_REQUEST_TERMINATED_COMPLETED_OK};
    const union MHD_ConnectionInfo *info;

    if (e->stage == STAGE_SENDING) {
        outcome.status = e->response.status;
        outcome.sent_bytes = strcmp(e->method, "HEAD") ? e->answer_bytes : 0;
    } else if ((info = MHD_get_connection_info(e->mhd, MHD_CONNECTION_INFO_HTTP_STATUS))) {
        outcome.status = info->http_status; /* the library's own page */
    }
    access_log(&e->request, &outcome);
}

static void on_completed(
    void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode how)
{
    struct http_server *server = ctx;
    struct exchange *e = *state;
    int64_t now_us;

    (void)mhd;
    if (!e)
        return;
    *state = NULL;
    now_us = clock_monotonic_us();
    if (server->access_log)
        log_exchange(e, how, now_us);
    e->connection->linger =
        e->early || e->stage != STAGE_SENDING || how != MHD_REQUEST_TERMINATED_COMPLETED_OK;
    e->connection->receiving = true;
    /* Silence is ended by the library after idle_us; this ends what drips. */
    set_deadline(e, now_us + server->idle_us + server->header_us);
    stream_close(e->request.body);
    spool_release(&e->spool);
    buf_release(&e->response.body);
    if (e->request.user && server->app.free_user)
        server->app.free_user(server->app.ctx, e->request.user);
    arena_release(&e->request.arena);
    if (e->begun)
        server->in_flight--;
    free(e);
}

/* ---- connections ---- */

static void on_connection(
    void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = ctx;
    const union MHD_ConnectionInfo *fd, *address;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*state)
            gate_remove(&server->gate, *state);
        *state = NULL;
        return;
    }
    fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    address = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (fd && address)
        *state = gate_add(&server->gate, fd->connect_fd, address->client_addr,
            clock_monotonic_us() + server->header_us);
}

static void on_accept(void *ctx, int fd, const struct sockaddr *address, socklen_t len)
{
    struct http_server *server = ctx;

    /* Closes fd itself when a limit is reached. */
    (void)MHD_add_connection(server->daemon, fd, address, len);
}

/* ---- the server ---- */

static int start_library(
    struct http_server *server, const struct http_options *options, struct err *err)
{
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
                           MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    struct MHD_OptionItem numbers[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)options->max_connections, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)options->max_connections_per_address, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_seconds, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_access, server,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY, numbers,
        MHD_OPTION_END);
    if (!server->daemon)
        return err_set(err, ERR_IO,
            "cannot start %u HTTP threads for %u connections: lower the one or the other",
            options->threads, options->max_connections);
    return 0;
}

static int start_parts(
    struct http_server *server, const struct http_options *options, struct err *err)
{
    int fd = http_listen(options->listen, server->address, err);

    if (fd < 0)
        return -1;
    if (gate_init(&server->gate, fd, err) < 0) {
        close(fd);
        return -1;
    }
    if (workers_start(&server->workers, options->workers, run_on_worker, err) < 0) {
        gate_release(&server->gate);
        return -1;
    }
    if (start_library(server, options, err) == 0) {
        if (gate_start(&server->gate, on_accept, server, err) == 0)
            return 0;
        MHD_stop_daemon(server->daemon);
    }
    workers_stop(&server->workers, drop_from_queue);
    workers_release(&server->workers);
    gate_release(&server->gate);
    return -1;
}

struct http_server *http_server_start(
    const struct http_options *given, const struct http_app *app, struct err *err)
{
    const struct http_options options = http_options_filled(given);
    struct http_server *server = calloc(1, sizeof(*server));
    sigset_t all, before;
    int failed;

    if (server)
        server->spool_dir = strdup(options.spool_dir);
    if (!server || !server->spool_dir) {
        free(server);
        err_nomem(err);
        return NULL;
    }
    server->app = *app;
    server->access_log = options.access_log;
    server->header_us = options.header_seconds * 1000000L;
    server->body_us = options.body_seconds * 1000000L;
    server->idle_us = options.idle_seconds * 1000000L;
    request_ids_init(&server->ids);
    /* Signals are for the thread that called. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = start_parts(server, &options, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        free(server->spool_dir);
        free(server);
        return NULL;
    }
    return server;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

void http_server_stop(struct http_server *server, int64_t drain_ms)
{
    int64_t until_us = clock_monotonic_us() + drain_ms * 1000;

    server->stopping = true;
    gate_close(&server->gate);
    while (server->in_flight && clock_monotonic_us() < until_us)
        usleep(DRAIN_POLL_US);
    /* Handlers that still run cannot be interrupted, only waited for. After this no connection is
     * suspended, which the library insists on. */
    workers_stop(&server->workers, drop_from_queue);
    MHD_stop_daemon(server->daemon);
    workers_release(&server->workers);
    gate_release(&server->gate);
    free(server->spool_dir);
    free(server);
}

void http_server_counters(const struct http_server *server, struct http_counters *ret)
{
    struct http_counters counters = {.requests = server->ids.next};

    gate_counts(&server->gate, &counters.connections_now, &counters.refused_slow);
    *ret = counters;
}
