/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the listening socket ourselves, rather than letting the HTTP library do it, gives errors
 * that say what to do, and a socket that can be closed at any moment of a shutdown.
 */
#include "http/listen.h"

#include "base/cleanup.h"
#include "base/slice.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* UNSENT_BYTES: of answers in the kernel, beside what is on its way. */
enum { BACKLOG = 1024, UNSENT_BYTES = 128 * 1024 };

static int bad_text(const char *text, const char *why, struct err *err)
{
    return err_set(err, ERR_USAGE,
        "listen address \"%s\": %s; write HOST:PORT, [IPV6]:PORT, or :PORT for all addresses", text,
        why);
}

/* Splits at the last colon; host is "" for all addresses. */
static int split(const char *text, char host[256], char port[6], struct err *err)
{
    struct slice all = slice_of(text), name;
    size_t colon = slice_rfind_char(all, ':');
    uint64_t number;

    if (colon == all.len)
        return bad_text(text, "it has no port", err);
    if (!slice_to_u64(slice_skip(all, colon + 1), &number) || number > 65535)
        return bad_text(text, "the port is not a number from 0 to 65535", err);
    name = slice_sub(all, 0, colon);
    if (slice_starts_with(name, "[") && slice_ends_with(name, "]"))
        name = slice_sub(name, 1, name.len - 2);
    else if (slice_find_char(name, ':') < name.len)
        return bad_text(text, "an IPv6 address needs brackets", err);
    if (!slice_to_cstr(name, host, 256))
        return bad_text(text, "the host name is too long", err);
    snprintf(port, 6, "%u", (unsigned)number);
    return 0;
}

static int failed(const char *text, struct err *err)
{
    if (errno == EADDRINUSE)
        return err_set(err, ERR_CONFLICT,
            "cannot listen on %s: another program listens there; stop it, or choose another port "
            "(port 0 takes any free one)",
            text);
    if (errno == EADDRNOTAVAIL)
        return err_set(err, ERR_USAGE,
            "cannot listen on %s: this machine has no such address; name one of its own, or write "
            ":PORT for all of them",
            text);
    return err_set_errno(err, "cannot listen on %s", text);
}

static int open_socket(const struct addrinfo *at, const char *text, struct err *err)
{
    const int on = 1, off = 0, unsent = UNSENT_BYTES;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return failed(text, err);
    /* A restart must not wait for the old connections' TIME_WAIT; accepted sockets inherit
     * TCP_NODELAY, answers leave at once; and TCP_NOTSENT_LOWAT: who asks and asks, and reads
     * nothing, costs no more work than fills it. All are comforts: a failure changes nothing. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    if (at->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        failed(text, err);
        close(fd);
        return -1;
    }
    return fd;
}

void http_host_text(const struct sockaddr *address, char host[LISTEN_HOST_BYTES])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    host[0] = '\0';
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        inet_ntop(AF_INET, &v4.sin_addr, host, LISTEN_HOST_BYTES);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], host, LISTEN_HOST_BYTES);
        else
            inet_ntop(AF_INET6, &v6.sin6_addr, host, LISTEN_HOST_BYTES);
    }
}

static void bound_text(int fd, char text[LISTEN_ADDRESS_BYTES])
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof(bound);
    char host[LISTEN_HOST_BYTES];
    struct sockaddr_in6 v6;

    (void)getsockname(fd, (struct sockaddr *)&bound, &len);
    http_host_text((const struct sockaddr *)&bound, host);
    memcpy(&v6, &bound, sizeof(v6)); /* the port is at the same place in both families */
    snprintf(text, LISTEN_ADDRESS_BYTES, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
        (unsigned)ntohs(v6.sin6_port));
}

int http_listen(const char *text, char address[LISTEN_ADDRESS_BYTES], struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL, *at;
    char host[256], port[6];
    int fd = -1, wrong;

    if (split(text, host, port, err) < 0)
        return -1;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    /* One IPv6 socket takes IPv4 too; where IPv6 is switched off, IPv4 is tried below. */
    if (!host[0])
        hints.ai_family = AF_INET6;
    wrong = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (wrong)
        return bad_text(text, gai_strerror(wrong), err);
    for (at = found; at && fd < 0; at = at->ai_next)
        fd = open_socket(at, text, err);
    freeaddrinfo(found);
    if (fd < 0 && !host[0] && err->code != ERR_CONFLICT && err->code != ERR_DENIED) {
        struct sockaddr_in any = {.sin_family = AF_INET};
        uint64_t number = 0;
        struct addrinfo v4 = {.ai_family = AF_INET, .ai_addrlen = sizeof(any)};

        slice_to_u64(slice_of(port), &number);
        any.sin_port = htons((uint16_t)number);
        v4.ai_addr = (struct sockaddr *)&any;
        fd = open_socket(&v4, text, err);
    }
    if (fd >= 0)
        bound_text(fd, address);
    return fd;
}
