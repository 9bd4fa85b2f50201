/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP library (libmicrohttpd) in a few words: library.c is the one file that knows it. A
 * request is known by the library's handle of its connection, and by two pointers of the server's
 * own: what `opened` returned for the connection, and what `target` returned for the request.
 */
#ifndef CAREEN_HTTP_LIBRARY_H
#define CAREEN_HTTP_LIBRARY_H

#include "base/buf.h"

#include <sys/socket.h>

struct MHD_Connection; /* the library's handle */

/* What the library tells. All are called on the event loop that has the connection, and for one
 * connection never two at once. */
struct library_app {
    void *ctx;
    /* Returns the connection; NULL is allowed. tls_session: NULL without TLS. */
    void *(*opened)(void *ctx, int fd, void *tls_session);
    /* Before the descriptor is closed. Not called for what `opened` gave NULL. */
    void (*closed)(void *ctx, void *connection);
    /* The request line is there. Returns the request; NULL: the connection is closed. The target is
     * in the library's buffer, which the library itself has not read yet. */
    void *(*target)(void *ctx, void *connection, struct MHD_Connection *mhd, const char *target);
    /* First when the headers are there; then for pieces of the body: *len is set to 0 for what was
     * taken; then with *len 0 when the request is complete, and again after library_resume(). An
     * answer is queued in the last of these calls; queued earlier the library reads no further,
     * and closes behind it. False: close at once. */
    bool (*access)(
        void *request, const char *method, const char *version, const char *data, size_t *len);
    /* The request has ended, with its answer sent whole or not. The last word about it. */
    void (*completed)(void *ctx, void *request, bool whole);
};

struct library_options {
    unsigned threads;      /* event loops */
    unsigned connections;  /* more are never added */
    unsigned idle_seconds; /* a connection that is silent so long is closed */
    size_t head_bytes;     /* what a request's line and headers may take together, at least */
    bool tls;
};

struct library;

/* ERR_IO. `app` is copied. */
struct library *library_start(
    const struct library_options *options, const struct library_app *app, struct err *err);
/* Ends the event loops and closes all connections; none may be suspended. Frees. */
void library_stop(struct library *library);
/* Takes over an accepted, non-blocking socket. False: it was closed, and nobody was told. */
bool library_add(struct library *library, int fd, const struct sockaddr *address, socklen_t len);

/* ---- about a request ---- */

/* The first header of this name (without regard to case) as sent, or an empty slice. */
struct slice library_header(struct MHD_Connection *mhd, const char *name);
typedef void (*library_each)(void *ctx, struct slice name, struct slice value);
/* Every header, in the order of their arrival. */
void library_headers(struct MHD_Connection *mhd, library_each each, void *ctx);
/* The status of an answer that was queued, or that the library gave of its own; 0: none was. */
unsigned library_status(struct MHD_Connection *mhd);
void *library_tls_session(struct MHD_Connection *mhd); /* NULL without TLS */

/* Between the two the connection rests, and library_resume() may be called by any thread. */
void library_suspend(struct MHD_Connection *mhd);
void library_resume(struct MHD_Connection *mhd);

struct library_header {
    const char *name, *value; /* value NULL: left out */
};

/* Queues the answer. The body's memory goes over to the library. False when out of memory. */
bool library_answer(struct MHD_Connection *mhd, unsigned status, struct buf *body,
    const struct library_header *headers, size_t count);

/* Writes the next bytes of a body of unknown length, at most `max`, and returns how many: at least
 * one, LIBRARY_END behind the last, or LIBRARY_CUT to close at once. On the event loop that has the
 * connection, when what came before has gone to the socket. */
typedef ssize_t (*library_produce)(void *request, char *dst, size_t max);
enum { LIBRARY_END = -1, LIBRARY_CUT = -2 };
/* Queues an answer whose body is produced. Nothing is asked for behind `completed`. From here on
 * the library does not close the connection for being silent: a slow client opens its window in
 * strides of a sixteenth of its buffer, and hundreds of kibibytes may take it minutes. */
bool library_answer_produced(struct MHD_Connection *mhd, unsigned status, library_produce produce,
    void *request, const struct library_header *headers, size_t count);

#endif
