/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts together: gate, library, workers, TLS; and takes them apart again. What happens to
 * a request is in exchange.c. */
#include "http/server.h"

#include "base/clock.h"
#include "http/exchange.h"
#include "http/options.h"
#include "http/tls.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DRAIN_POLL_US = 2000, OTHER_DESCRIPTORS = 512 };

/* ---- connections ---- */

static void *on_opened(void *ctx, int fd, void *tls_session)
{
    struct http_server *server = ctx;
    struct gate_connection *gate = gate_opened(&server->gate, fd);
    struct connection *connection = gate ? calloc(1, sizeof(*connection)) : NULL;

    if (!connection) {
        if (tls_session)
            tls_refuse(tls_session);
        return NULL;
    }
    connection->server = server;
    connection->gate = gate;
    if (tls_session)
        connection->identity = tls_join(server->tls, tls_session);
    return connection;
}

static void on_closed(void *ctx, void *of)
{
    struct http_server *server = ctx;
    struct connection *connection = of;

    gate_remove(&server->gate, connection->gate);
    if (connection->identity)
        tls_leave(server->tls, connection->identity);
    free(connection);
}

static bool on_accept(void *ctx, int fd, const struct sockaddr *address, socklen_t len)
{
    struct http_server *server = ctx;

    return library_add(server->library, fd, address, len);
}

/* ---- the server ---- */

/* The usual soft limit of 1024 is for programs that use select(). As far as it can be raised: the
 * gate copes with what is left. */
static void raise_descriptors(const struct http_options *options)
{
    rlim_t wanted = (rlim_t)options->max_connections + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int start_gate(
    struct http_server *server, const struct http_options *options, struct err *err)
{
    const struct gate_options gate = {.max = options->max_connections,
        .max_per_address = options->max_connections_per_address,
        .proxies = server->proxies,
        .first_us = server->header_us,
        .accept = on_accept,
        .ctx = server};
    int fd = http_listen(options->listen, server->address, err);

    if (fd < 0)
        return -1;
    if (gate_init(&server->gate, fd, &gate, err) < 0) {
        close(fd);
        return -1;
    }
    return 0;
}

static int start_library(
    struct http_server *server, const struct http_options *options, struct err *err)
{
    const struct library_app app = {.ctx = server,
        .opened = on_opened,
        .closed = on_closed,
        .target = exchange_target,
        .access = exchange_access,
        .completed = exchange_completed};
    const struct library_options library = {.threads = options->threads,
        .connections = options->max_connections + 2 * GATE_LEAVING,
        .idle_seconds = options->idle_seconds,
        .head_bytes = options->header_bytes,
        .tls = server->tls != NULL};

    server->library = library_start(&library, &app, err);
    return server->library ? 0 : -1;
}

static int start_parts(
    struct http_server *server, const struct http_options *options, struct err *err)
{
    if (start_gate(server, options, err) < 0)
        return -1;
    if (workers_start(&server->workers, options->workers, exchange_run, exchange_ready, err) < 0) {
        gate_release(&server->gate);
        return -1;
    }
    if (start_library(server, options, err) == 0) {
        if (gate_start(&server->gate, err) == 0)
            return 0;
        library_stop(server->library);
    }
    workers_stop(&server->workers, exchange_drop);
    workers_release(&server->workers);
    gate_release(&server->gate);
    return -1;
}

static void server_free(struct http_server *server)
{
    packers_release(&server->packers);
    proxies_free(server->proxies);
    tls_close(server->tls);
    free(server->spool_dir);
    free(server);
}

static int read_options(
    struct http_server *server, const struct http_options *options, struct err *err)
{
    server->access_log = options->access_log;
    server->compress = options->compress;
    server->header_bytes = options->header_bytes;
    server->header_us = options->header_seconds * 1000000L;
    server->body_us = options->body_seconds * 1000000L;
    server->idle_us = options->idle_seconds * 1000000L;
    server->spool_dir = strdup(options->spool_dir);
    if (!server->spool_dir)
        return err_nomem(err);
    server->proxies = proxies_parse(options->trusted_proxies, err);
    if (!server->proxies)
        return err_prefix(err, "trusted proxies");
    if (!options->tls_certificate != !options->tls_key)
        return err_set(err, ERR_USAGE,
            "TLS needs a certificate and its key: only the %s is named (%s)",
            options->tls_key ? "key" : "certificate",
            options->tls_key ? options->tls_key : options->tls_certificate);
    if (options->tls_certificate) {
        server->tls = tls_open(options->tls_certificate, options->tls_key, err);
        if (!server->tls)
            return -1;
    }
    return 0;
}

struct http_server *http_server_start(
    const struct http_options *given, const struct http_app *app, struct err *err)
{
    const struct http_options options = http_options_filled(given);
    struct http_server *server = calloc(1, sizeof(*server));
    sigset_t all, before;
    int failed;

    if (!server) {
        err_nomem(err);
        return NULL;
    }
    server->app = *app;
    request_ids_init(&server->ids);
    packers_init(&server->packers);
    if (read_options(server, &options, err) < 0) {
        server_free(server);
        return NULL;
    }
    raise_descriptors(&options);
    /* Signals are for the thread that called. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = start_parts(server, &options, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        server_free(server);
        return NULL;
    }
    return server;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

const char *http_server_scheme(const struct http_server *server)
{
    return server->tls ? "https" : "http";
}

int http_server_reload_tls(struct http_server *server, struct err *err)
{
    return server->tls ? tls_reload(server->tls, err) : 0;
}

bool http_server_tls_info(const struct http_server *server, struct tls_info *ret)
{
    if (!server->tls)
        return false;
    *ret = tls_info(server->tls);
    return true;
}

void http_server_stop(struct http_server *server, int64_t drain_ms)
{
    int64_t until_us = clock_monotonic_us() + drain_ms * 1000;

    server->stopping = true;
    gate_close(&server->gate);
    /* Whoever was let in is told, too. */
    while (
        (server->in_flight || gate_is_under_way(&server->gate)) && clock_monotonic_us() < until_us)
        usleep(DRAIN_POLL_US);
    /* Handlers that still run find no more of their body, and are waited for. After this no
     * connection is suspended, which the library insists on. */
    server->ending = true;
    workers_stop(&server->workers, exchange_drop);
    library_stop(server->library);
    workers_release(&server->workers);
    gate_release(&server->gate);
    server_free(server);
}

void http_server_counters(const struct http_server *server, struct http_counters *ret)
{
    struct gate_counts gate = gate_count(&server->gate);

    *ret = (struct http_counters){.requests = server->ids.next,
        .connections_now = gate.connections,
        .refused_slow = gate.cut,
        .refused_full = gate.refused,
        .waiting = workers_waiting(&server->workers)};
}
