/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 serving, in the words of the application: http/library.c is the one file that knows the
 * HTTP library (libmicrohttpd), and the room mends its known gaps: the raw request target is kept
 * (the library decodes '+' and cuts at %00), and a watchdog cuts connections whose phase (headers,
 * body, sending the answer) outlives its deadline however busily bytes drip.
 *
 * A request goes: begin (headers read, no body yet) -> body taken in -> handle -> response sent ->
 * one line in the access log. Every response carries X-Request-Id, 32 lower-case hex digits, fresh
 * for each request, written in exactly that case; the log line has the same.
 */
#ifndef CAREEN_HTTP_SERVER_H
#define CAREEN_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/hash.h"
#include "codec/stream.h"
#include "http/tls.h"

enum { REQUEST_ID_CHARS = 32 };

struct http_request {
    const char *method;  /* "GET" */
    struct slice target; /* the raw request target as sent: path and query */
    struct slice path;   /* its raw path, leading slashes collapsed to one */
    struct slice query;  /* raw, without '?'; empty when there is none */
    char id[REQUEST_ID_CHARS + 1];
    char client[64];        /* address without port */
    struct slice user_name; /* whom the access log names; the application's, in the arena */
    struct arena arena;     /* for the handler; freed with the request */
    struct stream *body; /* in handle: the whole body as sent (not decompressed), or NULL when none
                            was kept; belongs to the server */
    uint64_t body_bytes;
    unsigned char body_sha256[SHA256_BYTES]; /* in handle, if the plan wanted it */
    void *user;    /* the application's, set in begin; freed through free_user */
    void *library; /* the server's own */
};

/* A header's value without blanks around it, or an empty slice; name without regard to case. When
 * it was sent twice, the first. */
struct slice http_header(const struct http_request *request, const char *name);

/*
 * A body that is made while it is sent, piece by piece, on the event loop of its connection: the
 * next piece when the one before has gone to the socket. A client that does not read costs a piece
 * and holds nothing up; it has the sending deadline for each piece, not for the whole.
 */
struct http_producer {
    /* Appends the next piece to *piece, which is empty; *ret_end: nothing follows it. Must not
     * block, nor take longer than a millisecond or two. On failure the connection is cut, without
     * the last chunk: the client sees that the answer is not whole. NULL: there is no producer. */
    int (*next)(void *ctx, struct buf *piece, bool *ret_end, struct err *err);
    void (*free)(void *ctx); /* once, before free_user; also when nothing was asked for */
    void *ctx;
};

struct http_response {
    unsigned status;                   /* 200 unless set */
    const char *content_type;          /* static; default "application/json;charset=UTF-8" */
    struct buf body;                   /* ceiling LIMIT_HTTP_RESPONSE_BYTES; freed by the server */
    struct http_producer producer;     /* makes what follows `body`, chunked (HTTP/1.0: up to the
                                          connection's end) */
    bool compressible;                 /* gzip is allowed: it holds no secret beside what a stranger
                                          may choose (whoever sees lengths could guess it) */
    char retry_after[16];              /* "" or seconds */
    const char *header, *header_value; /* one more, or NULL; both live as long as the request */
};

/* What begin decides. */
enum http_body {
    HTTP_BODY_IGNORE, /* read up to LIMIT_HTTP_IGNORED_BODY_BYTES and drop it */
    HTTP_BODY_KEEP    /* spool it, up to max_body_bytes, to a file without a name */
};

struct http_plan {
    bool answered; /* the response is complete already: do not read a body, do not call handle */
    enum http_body body;
    uint64_t max_body_bytes;
    bool hash_body; /* kept or not */
    bool blocking;  /* handle may wait (disk, locks): run it on a worker thread */
    uint64_t owner; /* with blocking: whose it is; one owner never gets all threads */
    bool waits;     /* with blocking: handle is not to be called before app.ready says so */
};

struct http_ended {
    unsigned status; /* 0: no answer was begun */
    int64_t took_us;
    uint64_t sent_bytes;
    bool cut; /* the connection ended before the answer was sent whole */
};

struct http_app {
    void *ctx;
    /* Headers are there. Routing, authentication and cheap refusals belong here: a refused upload
     * is never read. Runs on an event-loop thread: must not block. */
    void (*begin)(void *ctx, struct http_request *request, struct http_plan *plan,
        struct http_response *response);
    /* Where the plan said so: is what it waits for there, or has it waited for long enough? Asked
     * again and again, by any thread; meanwhile the request takes none. */
    bool (*ready)(void *ctx, const struct http_request *request);
    /* The body is there (if kept). Fills the response. */
    void (*handle)(void *ctx, struct http_request *request, struct http_response *response);
    /* The server itself refuses: fills the body in the application's error format. `error` says
     * what, and the status is set already: 400 (malformed), 413, 414, 431 (ERR_LIMIT: body, target,
     * headers), 500 (ERR_BUSY: no worker free; ERR_FULL and whatever else the system says), 502
     * (ERR_BUSY, shutting down). A 5xx is the server's fault whatever the code of `error`.
     * Event-loop or worker thread; may come before begin. */
    void (*refuse)(void *ctx, struct http_request *request, const struct err *error,
        struct http_response *response);
    void (*free_user)(void *ctx, void *user); /* may be NULL */
    /* The request has ended, before free_user; for counting. Also what begin never saw: then `user`
     * is NULL, and so may be all but client, id and target. Event-loop thread. May be NULL. */
    void (*done)(void *ctx, const struct http_request *request, const struct http_ended *ended);
};

struct http_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0", ":8080" (all addresses); port 0: any free */
    const char *spool_dir;                                 /* for bodies; must exist */
    unsigned threads;                                      /* event loops; 0: one per core */
    unsigned workers;                                      /* for blocking handlers; 0: 2 */
    unsigned max_connections, max_connections_per_address; /* 0: LIMIT_HTTP_* */
    unsigned header_seconds, body_seconds, idle_seconds;   /* 0: LIMIT_HTTP_*; body_seconds is also
                                                              for sending the answer, or a piece */
    size_t header_bytes; /* all headers of a request; 0: LIMIT_HTTP_HEADER_BYTES, which is the most.
                            Line and headers together have 16 KiB more */
    bool access_log;     /* one line a request through the log */
    bool compress;       /* gzip for compressible answers, when asked for */
    const char *tls_certificate, *tls_key; /* PEM files (the chain, leaf first); NULL: plain HTTP */
    /* Proxies in front, "10.0.0.0/8,192.168.1.5": where a connection comes from one of them, the
     * client is the last address of X-Forwarded-For that is none of them. NULL: none. */
    const char *trusted_proxies;
};

struct http_server;

/* Listens and serves until stopped. ERR_USAGE (bad listen text), ERR_INVALID (bad trusted proxies),
 * ERR_CONFLICT (address in use), ERR_IO; for TLS as tls_check(). Raises the process's soft limit of
 * descriptors as far as max_connections needs it. */
struct http_server *http_server_start(
    const struct http_options *options, const struct http_app *app, struct err *err);
/* "127.0.0.1:8080": the address that is really listened on. */
const char *http_server_address(const struct http_server *server);
const char *http_server_scheme(const struct http_server *server); /* "http" or "https" */
/* What is known of the certificate in use. False without TLS. Any thread. */
bool http_server_tls_info(const struct http_server *server, struct tls_info *ret);
/* Reads certificate and key anew, for connections to come; on failure the old ones stay. Nothing
 * happens without TLS. Any thread. ERR_FORMAT (they do not belong together, ...), ERR_NOT_FOUND...
 */
int http_server_reload_tls(struct http_server *server, struct err *err);
/* Stops accepting, lets requests in flight end (at most drain_ms; later ones get 502 "shutting
 * down" through app->refuse), then closes all and frees. */
void http_server_stop(struct http_server *server, int64_t drain_ms);

/* Server-wide counters; any thread. */
struct http_counters {
    uint64_t requests, connections_now, refused_slow;
    uint64_t refused_full; /* connections turned away: too many in all, or from one address */
    uint64_t waiting;      /* requests that wait for a worker now, or to be ready for one */
};
void http_server_counters(const struct http_server *server, struct http_counters *ret);

#endif
