/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of sd_notify(3), and whether there is anything good to tell. */
#include "cli/notify.h"

#include "base/cleanup.h"
#include "base/slice.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <unistd.h>

static int64_t read_watchdog(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    uint64_t expected, us = 0;

    if (pid && (!slice_to_u64(slice_of(pid), &expected) || expected != (uint64_t)getpid()))
        return 0;
    if (!slice_to_u64(slice_of(getenv("WATCHDOG_USEC")), &us) || us > INT64_MAX)
        return 0;
    return (int64_t)us;
}

static int set_address(struct notify *notify, const char *name, struct err *err)
{
    size_t len = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(notify->address.sun_path))
        return err_set(err, ERR_INVALID,
            "NOTIFY_SOCKET must be an absolute path or @ and a name, not \"%s\"", name);
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, name, len);
    if (name[0] == '@')
        notify->address.sun_path[0] = '\0';
    notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return 0;
}

int notify_open(struct notify *ret, struct err *err)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct notify notify = {.fd = -1};

    *ret = notify;
    if (!name || !*name)
        return 0;
    if (set_address(&notify, name, err) < 0)
        return -1;
    notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify.fd < 0)
        return err_set_errno(err, "cannot make a socket to tell the service manager");
    notify.watchdog_us = read_watchdog();
    *ret = notify;
    return 0;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

bool notify_wanted(const struct notify *notify)
{
    return notify->fd >= 0;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
    char text[1500];
    va_list args;
    int len;

    if (notify->fd < 0)
        return;
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof(text))
        len = sizeof(text) - 1;
    (void)sendto(notify->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
        (const struct sockaddr *)&notify->address, notify->address_len);
}

/* --- Health ----------------------------------------------------------------------------------- */

/* A socket that is connected, or -1. Divides "host:port" at its last colon. */
static int connect_to(const char *address, int timeout_ms)
{
    const struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct slice whole = slice_of(address);
    size_t colon = slice_rfind_char(whole, ':');
    struct slice name = slice_sub(whole, 0, colon);
    struct addrinfo *found = NULL;
    char host[64];
    int fd;

    if (slice_starts_with(name, "[") && slice_ends_with(name, "]"))
        name = slice_sub(name, 1, name.len - 2);
    if (colon == whole.len || !slice_to_cstr(name, host, sizeof(host)) ||
        getaddrinfo(host, address + colon + 1, &hints, &found) != 0)
        return -1;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0 ||
                       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
                       connect(fd, found->ai_addr, found->ai_addrlen) != 0)) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

bool server_reacts(const char *address, int timeout_ms)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                                  "User-Agent: careen-watchdog\r\nConnection: close\r\n\r\n";
    int fd CLEANUP(cleanup_fd) = connect_to(address, timeout_ms);
    char answer[16];

    if (fd < 0 || send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
        return fd >= 0 && (errno == EPIPE || errno == ECONNRESET);
    return recv(fd, answer, sizeof(answer), 0) >= 0 || errno == ECONNRESET;
}
