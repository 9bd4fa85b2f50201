/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: one thread that lets connections in, shows out those that have overstayed, and gives
 * those that were refused in the middle of a body the time to read why.
 *
 *   - It accepts, and hands each socket to the HTTP library. (Accepting in the library's own
 * threads could not be stopped safely: its quiesce call races with its event loops.)
 *   - Every connection has a deadline, moved on as its request moves from phase to phase. The
 * library notices only silence; the gate shuts down a socket past its deadline however busily it
 * drips.
 *   - A client that sends a part of a request and closes at once may go unnoticed in the library
 * (it reads the bytes, and is not told again of the end behind them). The gate looks for such
 *     connections, and shuts them down.
 *   - Closing a socket that has unread bytes resets it, and the client loses the answer. Such a
 *     connection lingers here: no more is sent, what arrives is dropped, until the client closes or
 *     LINGER_MS have passed.
 *
 * Invariant: a connection's descriptor is open while it is in the gate's list. Entering and leaving
 * the list and every shutdown() happen under one lock, so a descriptor number that the kernel has
 * given to somebody else is never shut down.
 */
#ifndef CAREEN_HTTP_GATE_H
#define CAREEN_HTTP_GATE_H

#include "http/listen.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { GATE_LINGERERS = 64, GATE_LINGER_MS = 5000 };

#define GATE_NO_DEADLINE INT64_MAX

struct gate_connection {
    struct gate_connection *prev, *next;
    int fd;
    bool linger;                 /* by the connection's own thread only */
    bool ended;                  /* by the gate's thread only: no more will come */
    atomic_bool receiving;       /* a request is waited for, or its rest */
    _Atomic int64_t deadline_us; /* monotonic */
    char client[LISTEN_HOST_BYTES];
};

struct gate_lingerer {
    int fd;
    int64_t deadline_us;
};

/* Takes over the accepted socket. Called with nothing locked that gate_add() would need. */
typedef void (*gate_accept)(void *ctx, int fd, const struct sockaddr *address, socklen_t len);

struct gate {
    pthread_t thread;
    bool running;
    int listen_fd, wake_fd;
    gate_accept accept;
    void *ctx;
    pthread_mutex_t accept_lock; /* held over accept + hand-over */
    atomic_bool accepting, stopping;
    pthread_mutex_t lock; /* of all below */
    struct gate_connection *connections;
    _Atomic uint64_t count, cut; /* read without it */
    struct gate_lingerer lingerers[GATE_LINGERERS];
    size_t lingering;
};

/* Takes over listen_fd. The thread starts with gate_start(). */
int gate_init(struct gate *gate, int listen_fd, struct err *err);
int gate_start(struct gate *gate, gate_accept accept, void *ctx, struct err *err);
/* Nobody is let in any more; when it returns, no hand-over is under way. */
void gate_close(struct gate *gate);
/* Ends the thread and the lingerers. The list must be empty by then. */
void gate_release(struct gate *gate);

/* NULL when out of memory. Any thread. */
struct gate_connection *gate_add(
    struct gate *gate, int fd, const struct sockaddr *address, int64_t deadline_us);
/* To be called before the descriptor is closed. Frees. */
void gate_remove(struct gate *gate, struct gate_connection *connection);
void gate_counts(const struct gate *gate, uint64_t *connections, uint64_t *cut);

#endif
