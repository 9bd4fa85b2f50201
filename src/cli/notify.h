/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the service manager (sd_notify(3), systemd.service(5), Type=notify-reload): datagrams of
 * NAME=VALUE lines to the socket named by NOTIFY_SOCKET. Where there is none, nothing is sent. One
 * thread at a time.
 */
#ifndef CAREEN_CLI_NOTIFY_H
#define CAREEN_CLI_NOTIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody to tell */
    struct sockaddr_un address;
    socklen_t address_len;
    int64_t watchdog_us; /* how often WATCHDOG=1 is expected at least (WATCHDOG_USEC); 0: never */
};

/* Reads NOTIFY_SOCKET (a path, or '@' and an abstract name), WATCHDOG_USEC and WATCHDOG_PID. On
 * failure *ret is one that sends nothing. ERR_INVALID, ERR_IO. */
int notify_open(struct notify *ret, struct err *err);
void notify_close(struct notify *notify);
bool notify_wanted(const struct notify *notify);
/* One datagram. A manager that does not take it is not waited for. */
void notify_send(const struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Does the server that listens on this address ("0.0.0.0:8080", "[::1]:8080") react to a request
 * within timeout_ms? An answer, and a connection that it closes, are reactions: its event loop
 * runs. */
bool server_reacts(const char *address, int timeout_ms);

#endif
