/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that includes <microhttpd.h>: nothing but translation.
 *
 * The library's own limit of connections must not be met: 0.9.75 forgets to release a lock where
 * a connection comes over it, and that event loop never runs again. The gate counts instead, and
 * every loop gets room for all.
 */
#include "http/library.h"

#include "http/tls.h"

#include <microhttpd.h>
#include <stdlib.h>

/* The library keeps a request's line, headers and their bookkeeping, and its answer's head, in one
 * block for each connection, and clears the block one and a half times for every request: a fifth
 * of what a small one costs where many connections are busy, since their blocks do not fit into the
 * processor's cache together. And a connection that was ever used holds its block. So there is room
 * for the largest headers, or the longest line and most of them, but not for both. */
enum { BOOKKEEPING_BYTES = 16 * 1024 };

enum { PRODUCED_BYTES = 128 * 1024 };

struct library {
    struct MHD_Daemon *daemon;
    struct library_app app;
};

struct each {
    library_each call;
    void *ctx;
};

static void on_connection(
    void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_ConnectionNotificationCode what)
{
    const struct library *library = ctx;
    const union MHD_ConnectionInfo *fd;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*state)
            library->app.closed(library->app.ctx, *state);
        *state = NULL;
        return;
    }
    fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (fd)
        *state = library->app.opened(library->app.ctx, fd->connect_fd, library_tls_session(mhd));
}

static void *on_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    const struct library *library = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (!info || !info->socket_context)
        return NULL; /* on_access will close */
    return library->app.target(library->app.ctx, info->socket_context, mhd, target);
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *len, void **state)
{
    const struct library *library = ctx;

    (void)mhd;
    (void)url;
    if (!*state)
        return MHD_NO;
    return library->app.access(*state, method, version, data, len) ? MHD_YES : MHD_NO;
}

static void on_completed(
    void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode how)
{
    const struct library *library = ctx;
    void *request = *state;

    (void)mhd;
    *state = NULL;
    if (request)
        library->app.completed(
            library->app.ctx, request, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

static struct MHD_Daemon *start_daemon(
    struct library *library, unsigned flags, const struct library_options *options)
{
    struct MHD_OptionItem numbers[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->head_bytes + BOOKKEEPING_BYTES,
            NULL},
        /* The library divides it among the loops. */
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)options->connections * options->threads, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_seconds, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    if (!options->tls)
        return MHD_start_daemon(flags, 0, NULL, NULL, on_access, library,
            MHD_OPTION_URI_LOG_CALLBACK, on_target, library, MHD_OPTION_NOTIFY_COMPLETED,
            on_completed, library, MHD_OPTION_NOTIFY_CONNECTION, on_connection, library,
            MHD_OPTION_ARRAY, numbers, MHD_OPTION_END);
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, library, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, library, MHD_OPTION_NOTIFY_COMPLETED, on_completed, library,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, library, MHD_OPTION_HTTPS_CERT_CALLBACK,
        tls_certificate_hook(), MHD_OPTION_HTTPS_PRIORITIES, tls_priorities(), MHD_OPTION_ARRAY,
        numbers, MHD_OPTION_END);
}

/*
 * Without TLS: epoll, and TURBO, which saves a system call or two. With it:
 *   - poll. 0.9.75's epoll loop takes a session that waits for the rest of a handshake for one that
 *     can be read, and spins: two bytes of a client burn a core until its deadline, and a thousand
 *     clients at once never get through.
 *   - no TURBO, which saves the end of the conversation (close_notify), too.
 */
static unsigned flags_for(bool tls)
{
    const unsigned common = MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;

    return common | (tls ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS
                         : MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO);
}

struct library *library_start(
    const struct library_options *options, const struct library_app *app, struct err *err)
{
    struct library *library = calloc(1, sizeof(*library));

    if (!library) {
        err_nomem(err);
        return NULL;
    }
    library->app = *app;
    library->daemon = start_daemon(library, flags_for(options->tls), options);
    if (!library->daemon) {
        free(library);
        err_set(err, ERR_IO,
            "cannot start %u HTTP threads for %u connections: lower the one or the other",
            options->threads, options->connections);
        return NULL;
    }
    return library;
}

void library_stop(struct library *library)
{
    MHD_stop_daemon(library->daemon);
    free(library);
}

bool library_add(struct library *library, int fd, const struct sockaddr *address, socklen_t len)
{
    return MHD_add_connection(library->daemon, fd, address, len) == MHD_YES;
}

struct slice library_header(struct MHD_Connection *mhd, const char *name)
{
    struct slice value = SLICE_NONE;

    (void)MHD_lookup_connection_value_n(
        mhd, MHD_HEADER_KIND, name, strlen(name), &value.ptr, &value.len);
    return value;
}

static enum MHD_Result one_header(void *ctx, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
    const struct each *each = ctx;

    (void)kind;
    each->call(
        each->ctx, (struct slice){name, name_len}, (struct slice){value, value ? value_len : 0});
    return MHD_YES;
}

void library_headers(struct MHD_Connection *mhd, library_each call, void *ctx)
{
    struct each each = {call, ctx};

    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, one_header, &each);
}

unsigned library_status(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);

    return info ? info->http_status : 0;
}

void *library_tls_session(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info ? info->tls_session : NULL;
}

void library_suspend(struct MHD_Connection *mhd)
{
    MHD_suspend_connection(mhd);
}

void library_resume(struct MHD_Connection *mhd)
{
    MHD_resume_connection(mhd);
}

/* Accepts NULL. */
static bool queue(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response,
    const struct library_header *headers, size_t count)
{
    bool done = response != NULL;

    if (!response)
        return false;
    for (size_t i = 0; i < count && done; i++)
        if (headers[i].value)
            done = MHD_add_response_header(response, headers[i].name, headers[i].value) == MHD_YES;
    done = done && MHD_queue_response(mhd, status, response) == MHD_YES;
    MHD_destroy_response(response);
    return done;
}

bool library_answer(struct MHD_Connection *mhd, unsigned status, struct buf *body,
    const struct library_header *headers, size_t count)
{
    static char nothing[1];
    struct MHD_Response *response;

    if (body->len)
        response = MHD_create_response_from_buffer_with_free_callback(body->len, body->data, free);
    else
        response = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    if (response && body->len)
        *body = (struct buf){0}; /* the library frees it */
    return queue(mhd, status, response, headers, count);
}

struct produced {
    library_produce produce;
    void *request;
};

static ssize_t on_room(void *ctx, uint64_t at, char *dst, size_t max)
{
    const struct produced *produced = ctx;
    ssize_t made = produced->produce(produced->request, dst, max);

    (void)at;
    if (made == LIBRARY_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return made == LIBRARY_CUT ? MHD_CONTENT_READER_END_WITH_ERROR : made;
}

bool library_answer_produced(struct MHD_Connection *mhd, unsigned status, library_produce produce,
    void *request, const struct library_header *headers, size_t count)
{
    struct produced *produced = malloc(sizeof(*produced));
    struct MHD_Response *response;

    if (!produced)
        return false;
    *produced = (struct produced){produce, request};
    /* The size is that of the buffer which answers without chunks have. */
    response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, PRODUCED_BYTES, on_room, produced, free);
    if (!response)
        free(produced);
    (void)MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    return queue(mhd, status, response, headers, count);
}
