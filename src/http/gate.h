/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: one thread that lets connections in, shows out those that have overstayed, and gives
 * those that were refused in the middle of a body the time to read why.
 *
 *   - It accepts, counts, and hands each socket to the HTTP library. (Accepting in the library's
 *     own threads could not be stopped safely: its quiesce call races with its event loops. And its
 *     own limits must not be met, see library.c.)
 *   - When the house is full, those who have waited longest between two requests, or before their
 *     first, leave for those who come: for a second at least, unless they are many of one address;
 *     such a crowd gets no more places then.
 *   - Every connection has a deadline, moved on as its request moves from phase to phase. The
 *     library notices only silence; the gate shuts down a socket past its deadline however busily
 *     it drips. It works on sockets, so it is the same under TLS, from the first byte of the
 *     handshake on.
 *   - A client that sends a part of a request and closes at once may go unnoticed in the library
 *     (it reads the bytes, and is not told again of the end behind them). The gate looks for such
 *     connections, and shuts them down.
 *   - Closing a socket that has unread bytes resets it, and the client loses the answer. Such a
 *     connection lingers here: no more is sent, what arrives is dropped, until the client closes or
 *     LINGER_MS have passed.
 *
 * Invariant: the descriptor of a connection that the library has opened is open while it is in the
 * gate's list. Entering and leaving the list and every shutdown() happen under one lock, so a
 * descriptor number that the kernel has given to somebody else is never shut down.
 */
#ifndef CAREEN_HTTP_GATE_H
#define CAREEN_HTTP_GATE_H

#include "http/addresses.h"
#include "http/listen.h"
#include "http/proxies.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* GATE_LEAVING: so many may be on their way out while others are let in for them already. */
enum { GATE_LINGERERS = 64, GATE_LINGER_MS = 5000, GATE_LEAVING = 64 };

#define GATE_NO_DEADLINE INT64_MAX

struct gate_connection {
    struct gate_connection *prev, *next;
    int fd;
    struct address *address;     /* NULL: not counted by address */
    bool opened;                 /* the library has it */
    bool leaving;                /* its socket was shut down */
    bool from_proxy;             /* its peer is a trusted proxy */
    bool linger;                 /* by the connection's own thread only */
    bool ended;                  /* by the gate's thread only: no more will come */
    atomic_bool receiving;       /* a request is waited for, or its rest */
    atomic_bool gone;            /* set by the gate: the client has reset the connection */
    _Atomic int64_t deadline_us; /* monotonic */
    _Atomic int64_t waiting_us;  /* since when there is not even a request line; 0: there is one */
    char client[LISTEN_HOST_BYTES];
};

struct gate_lingerer {
    int fd;
    int64_t deadline_us;
};

struct gate_options {
    unsigned max, max_per_address;
    const struct proxies *proxies; /* not limited by address */
    int64_t first_us;              /* how long a new connection has for its first request line */
    /* Takes over the accepted socket, or closes it and returns false. Called with nothing locked
     * that gate_opened() would need. */
    bool (*accept)(void *ctx, int fd, const struct sockaddr *address, socklen_t len);
    void *ctx;
};

struct gate_counts {
    uint64_t connections, cut, refused;
};

struct gate {
    struct gate_options options;
    pthread_t thread;
    bool running;
    int listen_fd, wake_fd;
    pthread_mutex_t accept_lock; /* held over accept + hand-over */
    atomic_bool accepting, stopping;
    pthread_mutex_t lock; /* of all below */
    struct gate_connection *connections;
    struct gate_connection **by_fd; /* owned; NULL where a descriptor is no connection */
    size_t fds;
    struct addresses addresses;
    unsigned leaving;
    _Atomic uint64_t count, cut, refused; /* read without it */
    _Atomic uint64_t under_way;           /* handed over and not opened yet; likewise */
    struct gate_lingerer lingerers[GATE_LINGERERS];
    size_t lingering;
};

/* Takes over listen_fd. The thread starts with gate_start(). */
int gate_init(
    struct gate *gate, int listen_fd, const struct gate_options *options, struct err *err);
int gate_start(struct gate *gate, struct err *err);
/* Nobody is let in any more; when it returns, nobody is being handed over. */
void gate_close(struct gate *gate);
/* Ends the thread and the lingerers. Nothing that was handed over may be open any more. */
void gate_release(struct gate *gate);

/* The library has opened the socket that it was handed. NULL: the gate knows nothing of it. Any
 * thread. */
struct gate_connection *gate_opened(struct gate *gate, int fd);
/* To be called before the descriptor is closed. Frees. */
void gate_remove(struct gate *gate, struct gate_connection *connection);
/* True while the library has not opened all that it was handed. */
bool gate_is_under_way(const struct gate *gate);
struct gate_counts gate_count(const struct gate *gate);

#endif
