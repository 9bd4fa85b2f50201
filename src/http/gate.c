/* SPDX-License-Identifier: Apache-2.0 */
/* One poll loop over the listening socket, the lingerers and a wake-up; see gate.h. */
#include "http/gate.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TICK_MS = 1000, ACCEPTS_AT_ONCE = 64 };

static void wake(struct gate *gate)
{
    const uint64_t one = 1;

    /* It fails only when the counter is full: then the thread is awake already. */
    if (write(gate->wake_fd, &one, sizeof(one)) < 0)
        return;
}

int gate_init(struct gate *gate, int listen_fd, struct err *err)
{
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (wake_fd < 0)
        return err_set_errno(err, "cannot make an eventfd");
    *gate = (struct gate){.listen_fd = listen_fd, .wake_fd = wake_fd};
    pthread_mutex_init(&gate->accept_lock, NULL);
    pthread_mutex_init(&gate->lock, NULL);
    return 0;
}

struct gate_connection *gate_add(
    struct gate *gate, int fd, const struct sockaddr *address, int64_t deadline_us)
{
    struct gate_connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return NULL;
    connection->fd = fd;
    connection->linger = true;
    connection->receiving = true;
    connection->deadline_us = deadline_us;
    http_host_text(address, connection->client);
    pthread_mutex_lock(&gate->lock);
    connection->next = gate->connections;
    if (connection->next)
        connection->next->prev = connection;
    gate->connections = connection;
    gate->count++;
    pthread_mutex_unlock(&gate->lock);
    return connection;
}

/* Keeps the socket open behind the library's back: the duplicate outlives the original. */
static void start_lingering(struct gate *gate, int fd)
{
    char peeked;
    ssize_t got = recv(fd, &peeked, 1, MSG_PEEK | MSG_DONTWAIT);

    /* The client has gone already. */
    if (got == 0 || (got < 0 && errno != EAGAIN))
        return;
    if (gate->lingering == GATE_LINGERERS || (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return;
    shutdown(fd, SHUT_WR);
    gate->lingerers[gate->lingering++] =
        (struct gate_lingerer){fd, clock_monotonic_us() + GATE_LINGER_MS * 1000L};
    wake(gate);
}

void gate_remove(struct gate *gate, struct gate_connection *connection)
{
    pthread_mutex_lock(&gate->lock);
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        gate->connections = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    gate->count--;
    if (connection->linger && !gate->stopping)
        start_lingering(gate, connection->fd);
    pthread_mutex_unlock(&gate->lock);
    free(connection);
}

void gate_counts(const struct gate *gate, uint64_t *connections, uint64_t *cut)
{
    *connections = gate->count;
    *cut = gate->cut;
}

/* All has been read, the client has closed its side, and yet a request or its rest is waited for.
 * Seen twice a tick apart: the library may have been about to answer the first time. */
static bool has_vanished(struct gate_connection *connection)
{
    char peeked;
    bool before = connection->ended;

    connection->ended =
        connection->receiving && recv(connection->fd, &peeked, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    return before && connection->ended;
}

static void inspect(struct gate *gate, int64_t now_us)
{
    pthread_mutex_lock(&gate->lock);
    for (struct gate_connection *at = gate->connections; at; at = at->next) {
        bool overdue = at->deadline_us <= now_us;

        if (!overdue && !has_vanished(at))
            continue;
        gate->cut += overdue;
        at->deadline_us = GATE_NO_DEADLINE;
        shutdown(at->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&gate->lock);
}

/* Drops what has arrived. True when the client has closed its side. */
static bool drain(int fd)
{
    for (int turn = 0; turn < 16; turn++) {
        char dropped[16 * 1024];
        ssize_t got = recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno != EINTR))
            return got == 0 || errno != EAGAIN;
    }
    return false;
}

static void serve_lingerers(struct gate *gate, int64_t now_us)
{
    pthread_mutex_lock(&gate->lock);
    for (size_t i = 0; i < gate->lingering;) {
        struct gate_lingerer *at = &gate->lingerers[i];

        if (drain(at->fd) || at->deadline_us <= now_us) {
            close(at->fd);
            *at = gate->lingerers[--gate->lingering];
        } else {
            i++;
        }
    }
    pthread_mutex_unlock(&gate->lock);
}

/* False when the process has no descriptor or memory left: try again at the next tick. */
static bool accept_waiting(struct gate *gate)
{
    bool can_go_on = true;

    pthread_mutex_lock(&gate->accept_lock);
    for (int i = 0; gate->accepting && i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof(address);
        int fd = accept4(
            gate->listen_fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            can_go_on = errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
            break;
        }
        gate->accept(gate->ctx, fd, (const struct sockaddr *)&address, len);
    }
    pthread_mutex_unlock(&gate->accept_lock);
    return can_go_on;
}

static nfds_t what_to_poll(struct gate *gate, bool listening, struct pollfd *fds)
{
    nfds_t count = 2;

    fds[0] = (struct pollfd){.fd = gate->wake_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = listening ? gate->listen_fd : -1, .events = POLLIN};
    pthread_mutex_lock(&gate->lock);
    for (size_t i = 0; i < gate->lingering; i++)
        fds[count++] = (struct pollfd){.fd = gate->lingerers[i].fd, .events = POLLIN};
    pthread_mutex_unlock(&gate->lock);
    return count;
}

static void *run(void *arg)
{
    struct gate *gate = arg;
    int64_t tick_us = clock_monotonic_us() + TICK_MS * 1000;
    bool can_accept = true;

    while (!gate->stopping) {
        struct pollfd fds[2 + GATE_LINGERERS];
        nfds_t count = what_to_poll(gate, can_accept && gate->accepting, fds);
        int64_t now_us = clock_monotonic_us();
        uint64_t wakes;

        if (poll(fds, count, tick_us > now_us ? (int)((tick_us - now_us) / 1000) + 1 : 0) < 0)
            continue; /* interrupted: nothing in fds is valid */
        if (fds[0].revents && read(gate->wake_fd, &wakes, sizeof(wakes)) < 0)
            continue;
        if (fds[1].revents)
            can_accept = accept_waiting(gate);
        now_us = clock_monotonic_us();
        if (count > 2)
            serve_lingerers(gate, now_us);
        if (now_us >= tick_us) {
            inspect(gate, now_us);
            can_accept = true;
            tick_us = now_us + TICK_MS * 1000;
        }
    }
    return NULL;
}

int gate_start(struct gate *gate, gate_accept accept, void *ctx, struct err *err)
{
    gate->accept = accept;
    gate->ctx = ctx;
    gate->accepting = true;
    errno = pthread_create(&gate->thread, NULL, run, gate);
    if (errno)
        return err_set_errno(err, "cannot start a thread");
    gate->running = true;
    return 0;
}

void gate_close(struct gate *gate)
{
    pthread_mutex_lock(&gate->accept_lock);
    gate->accepting = false;
    /* Those who wait in the backlog, and those who come, are refused at once. The descriptor stays:
     * the thread may be polling it. */
    shutdown(gate->listen_fd, SHUT_RDWR);
    pthread_mutex_unlock(&gate->accept_lock);
    wake(gate);
}

void gate_release(struct gate *gate)
{
    gate->stopping = true;
    wake(gate);
    if (gate->running)
        pthread_join(gate->thread, NULL);
    for (size_t i = 0; i < gate->lingering; i++)
        close(gate->lingerers[i].fd);
    close(gate->listen_fd);
    close(gate->wake_fd);
    pthread_mutex_destroy(&gate->accept_lock);
    pthread_mutex_destroy(&gate->lock);
}
