/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket: "127.0.0.1:8080", "[::1]:0", "localhost:80", ":8080" (every address). */
#ifndef CAREEN_HTTP_LISTEN_H
#define CAREEN_HTTP_LISTEN_H

#include "base/err.h"

#include <sys/socket.h>

enum { LISTEN_ADDRESS_BYTES = 80, LISTEN_HOST_BYTES = 64 };

/* A non-blocking listening socket, and in `address` what it is really bound to. The descriptor, or
 * -1 with *err: ERR_USAGE (the text), ERR_CONFLICT (address in use), ERR_DENIED, ERR_IO. */
int http_listen(const char *text, char address[LISTEN_ADDRESS_BYTES], struct err *err);

/* The host part of an address as text; an IPv4 address mapped into IPv6 is written as IPv4. */
void http_host_text(const struct sockaddr *address, char host[LISTEN_HOST_BYTES]);

#endif
