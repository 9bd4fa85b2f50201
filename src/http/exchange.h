/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer. The library calls, for each request and always on the event loop that
 * has the connection:
 *
 *     exchange_target     the request line is there         -> an exchange, with the raw target
 *     exchange_access     the headers are there             STAGE_LINE     -> begin
 *     exchange_access     a piece of the body, repeatedly   STAGE_BODY     -> spool
 *     exchange_access     the request is complete           STAGE_BODY     -> handle, or to a
 * worker exchange_access     again, after a worker's resume    STAGE_ANSWERED -> queue the response
 *     (answer_produce     the socket has room               STAGE_SENDING  -> the next piece)
 *     exchange_completed  sent, or cut off anywhere above   -> counted, log line, free
 *
 * Invariants: an exchange is freed in exchange_completed and nowhere else. While a worker has it
 * the connection is suspended, and the library touches neither; a client that goes away meanwhile
 * is noticed after the resume. A response is queued in the last call only: queued earlier the
 * library reads no further and closes the connection, which is what a refused upload wants.
 */
#ifndef CAREEN_HTTP_EXCHANGE_H
#define CAREEN_HTTP_EXCHANGE_H

#include "http/gate.h"
#include "http/library.h"
#include "http/packing.h"
#include "http/request_id.h"
#include "http/server.h"
#include "http/spool.h"
#include "http/workers.h"

struct http_server {
    struct http_app app;
    char address[LISTEN_ADDRESS_BYTES];
    char *spool_dir; /* owned */
    bool access_log;
    bool compress;
    int64_t header_us, body_us, idle_us;
    size_t header_bytes;
    struct request_ids ids;
    struct packers packers;
    struct proxies *proxies; /* owned */
    struct tls *tls;         /* owned; NULL: plain HTTP */
    struct gate gate;
    struct workers workers;
    struct library *library;
    atomic_bool stopping;
    atomic_bool ending;         /* nobody waits for answers any more */
    _Atomic uint64_t in_flight; /* begun and not completed */
};

/* What the library knows a connection by. */
struct connection {
    struct http_server *server;
    struct gate_connection *gate;  /* not owned */
    struct tls_identity *identity; /* a reference; NULL without TLS */
};

enum stage {
    STAGE_LINE,     /* the request line is there, headers are coming */
    STAGE_BODY,     /* begun; the rest of the request is coming */
    STAGE_WORKER,   /* a worker thread has it */
    STAGE_ANSWERED, /* the response is complete, to be queued in the library's next call */
    STAGE_SENDING   /* handed to the library, or written to the socket */
};

enum { METHOD_CHARS = 31 };

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
    struct gzip *gzip;   /* of a produced answer that is packed; of server->packers */
    struct buf unpacked; /* its piece, before it is */
    struct buf piece;    /* of a produced answer, as it is sent */
    size_t piece_taken;  /* bytes of it that the library has */
    bool piece_last;     /* nothing follows it */
    uint64_t answer_bytes;
    struct spool spool;
    int64_t start_us;
    const char *target_end; /* in the library's buffer; only to be compared */
    char method[METHOD_CHARS + 1];
    char target[];
};

/* For struct library_app. */
void *exchange_target(void *ctx, void *connection, struct MHD_Connection *mhd, const char *target);
bool exchange_access(
    void *exchange, const char *method, const char *version, const char *data, size_t *len);
void exchange_completed(void *ctx, void *exchange, bool whole);

/* For struct workers: runs a job, tells whether a parked one can go on, refuses one because the
 * server stops. */
void exchange_run(void *exchange);
bool exchange_ready(void *exchange);
void exchange_drop(void *exchange);

void exchange_set_deadline(struct exchange *e, int64_t deadline_us);

#endif
