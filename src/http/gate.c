/* SPDX-License-Identifier: Apache-2.0 */
/* One poll loop over the listening socket, the lingerers and a wake-up; see gate.h. */
#include "http/gate.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* SPARED_US: whoever waits for less keeps the place, for a request is likely on its way; but not
 * from an address that holds an eighth of all places, and at least CROWD of them. */
enum { TICK_MS = 1000, ACCEPTS_AT_ONCE = 64, ROOM_MAX = 16, SPARED_US = 1000000, CROWD = 32 };

static void wake(struct gate *gate)
{
    const uint64_t one = 1;

    /* It fails only when the counter is full: then the thread is awake already. */
    if (write(gate->wake_fd, &one, sizeof(one)) < 0)
        return;
}

int gate_init(struct gate *gate, int listen_fd, const struct gate_options *options, struct err *err)
{
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (wake_fd < 0)
        return err_set_errno(err, "cannot make an eventfd");
    *gate = (struct gate){.options = *options, .listen_fd = listen_fd, .wake_fd = wake_fd};
    pthread_mutex_init(&gate->accept_lock, NULL);
    pthread_mutex_init(&gate->lock, NULL);
    return 0;
}

/* ---- the list; under the lock ---- */

static bool has_room_for(struct gate *gate, int fd)
{
    size_t fds = gate->fds ? gate->fds : 64;
    struct gate_connection **grown;

    while (fds <= (size_t)fd)
        fds *= 2;
    if (fds == gate->fds)
        return true;
    grown = realloc(gate->by_fd, fds * sizeof(struct gate_connection *));
    if (!grown)
        return false;
    memset(grown + gate->fds, 0, (fds - gate->fds) * sizeof(struct gate_connection *));
    gate->by_fd = grown;
    gate->fds = fds;
    return true;
}

static void forget(struct gate *gate, struct gate_connection *connection)
{
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        gate->connections = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    gate->by_fd[connection->fd] = NULL;
    gate->count--;
    gate->leaving -= connection->leaving;
    gate->under_way -= !connection->opened;
    addresses_remove(&gate->addresses, connection->address);
    free(connection);
}

static void show_out(struct gate *gate, struct gate_connection *connection)
{
    const struct linger reset = {.l_onoff = 1};

    /* Who does not read would otherwise keep the kernel busy with what was sent, for minutes. */
    if (!connection->receiving)
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    connection->deadline_us = GATE_NO_DEADLINE;
    gate->leaving += !connection->leaving;
    connection->leaving = true;
    shutdown(connection->fd, SHUT_RDWR);
}

static bool is_silent(const struct gate_connection *connection)
{
    char peeked;

    return recv(connection->fd, &peeked, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Of one address, which has more than its share of all places. */
static bool is_of_a_crowd(const struct gate *gate, const struct address *address)
{
    return address && address->connections >= CROWD &&
           address->connections >= gate->options.max / 8;
}

/* Those who wait longest leave, a few at a time, so that a full house is not searched through for
 * every one who comes. */
static void make_room(struct gate *gate, int64_t now_us)
{
    struct gate_connection *longest[ROOM_MAX];
    size_t wanted = 1 + gate->options.max / 64, count = 0;

    if (wanted > ROOM_MAX)
        wanted = ROOM_MAX;
    for (struct gate_connection *at = gate->connections; at; at = at->next) {
        int64_t since_us = at->waiting_us;
        int64_t spared_us = is_of_a_crowd(gate, at->address) ? 0 : SPARED_US;
        size_t i;

        if (!since_us || now_us - since_us < spared_us || !at->opened || at->leaving)
            continue;
        for (i = count; i > 0 && longest[i - 1]->waiting_us > since_us; i--)
            if (i < wanted)
                longest[i] = longest[i - 1];
        if (i < wanted)
            longest[i] = at;
        if (count < wanted)
            count++;
    }
    for (size_t i = 0; i < count; i++)
        if (longest[i]->waiting_us && is_silent(longest[i]))
            show_out(gate, longest[i]);
}

static bool is_full(const struct gate *gate)
{
    return gate->count - gate->leaving >= gate->options.max ||
           gate->count >= (uint64_t)gate->options.max + GATE_LEAVING;
}

/* A place for one more; nobody leaves for a crowd. False: there is none, or no memory. */
static bool find_place(struct gate *gate, int fd, const struct address *address, int64_t now_us)
{
    if (is_full(gate) && !is_of_a_crowd(gate, address))
        make_room(gate, now_us);
    if (is_full(gate) || !has_room_for(gate, fd))
        return false;
    /* The library has closed that one without a word: memory was short. */
    if (gate->by_fd[fd])
        forget(gate, gate->by_fd[fd]);
    return true;
}

/* NULL: turned away. */
static struct gate_connection *admit(
    struct gate *gate, int fd, const struct sockaddr *from, int64_t now_us)
{
    bool from_proxy = proxies_contain(gate->options.proxies, from);
    struct gate_connection *connection;
    struct address *address = NULL;

    if (!from_proxy) {
        address = addresses_add(&gate->addresses, from, gate->options.max_per_address);
        if (!address)
            return NULL;
    }
    connection = find_place(gate, fd, address, now_us) ? calloc(1, sizeof(*connection)) : NULL;
    if (!connection) {
        addresses_remove(&gate->addresses, address);
        return NULL;
    }
    connection->address = address;
    connection->from_proxy = from_proxy;
    connection->fd = fd;
    connection->linger = true;
    connection->receiving = true;
    connection->deadline_us = now_us + gate->options.first_us;
    connection->waiting_us = now_us;
    http_host_text(from, connection->client);
    connection->next = gate->connections;
    if (connection->next)
        connection->next->prev = connection;
    gate->connections = connection;
    gate->by_fd[fd] = connection;
    gate->count++;
    gate->under_way++;
    return connection;
}

struct gate_connection *gate_opened(struct gate *gate, int fd)
{
    struct gate_connection *connection;

    pthread_mutex_lock(&gate->lock);
    connection = (size_t)fd < gate->fds ? gate->by_fd[fd] : NULL;
    if (connection) {
        gate->under_way -= !connection->opened;
        connection->opened = true;
    }
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
    if (connection->linger && !connection->leaving && !gate->stopping)
        start_lingering(gate, connection->fd);
    forget(gate, connection);
    pthread_mutex_unlock(&gate->lock);
}

bool gate_is_under_way(const struct gate *gate)
{
    return gate->under_way > 0;
}

struct gate_counts gate_count(const struct gate *gate)
{
    return (struct gate_counts){gate->count, gate->cut, gate->refused};
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

/* While nothing is waited for, the library would not notice. An orderly end says only that no more
 * will be sent: the answer may still be wanted. */
static bool was_reset(const struct gate_connection *connection)
{
    struct pollfd fd = {.fd = connection->fd};

    return !connection->receiving && poll(&fd, 1, 0) > 0 && (fd.revents & (POLLERR | POLLHUP));
}

static void inspect(struct gate *gate, int64_t now_us)
{
    struct gate_connection *next;

    pthread_mutex_lock(&gate->lock);
    for (struct gate_connection *at = gate->connections; at; at = next) {
        bool overdue = at->deadline_us <= now_us;

        next = at->next;
        if (!at->opened) {
            if (overdue)
                forget(gate, at); /* closed by the library without a word */
            continue;
        }
        if (was_reset(at))
            at->gone = true;
        if (!overdue && !has_vanished(at))
            continue;
        gate->cut += overdue;
        show_out(gate, at);
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

static void let_in(struct gate *gate, int fd, const struct sockaddr *address, socklen_t len)
{
    struct gate_connection *connection;

    pthread_mutex_lock(&gate->lock);
    connection = admit(gate, fd, address, clock_monotonic_us());
    gate->refused += !connection;
    pthread_mutex_unlock(&gate->lock);
    if (!connection) {
        close(fd);
        return;
    }
    /* Once it is handed over, the connection may be gone at any moment. */
    if (gate->options.accept(gate->options.ctx, fd, address, len))
        return;
    pthread_mutex_lock(&gate->lock);
    forget(gate, connection);
    gate->refused++;
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
        let_in(gate, fd, (const struct sockaddr *)&address, len);
    }
    pthread_mutex_unlock(&gate->accept_lock);
    if (!can_go_on) {
        pthread_mutex_lock(&gate->lock);
        make_room(gate, clock_monotonic_us());
        pthread_mutex_unlock(&gate->lock);
    }
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

int gate_start(struct gate *gate, struct err *err)
{
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
    /* Those that the library closed without a word. */
    while (gate->connections)
        forget(gate, gate->connections);
    free(gate->by_fd);
    close(gate->listen_fd);
    close(gate->wake_fd);
    pthread_mutex_destroy(&gate->accept_lock);
    pthread_mutex_destroy(&gate->lock);
}
