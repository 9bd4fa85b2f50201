/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks of proxies in front, and whom a request that comes through them is from.
 * An IPv4 address that is mapped into IPv6 is that IPv4 address. */
#ifndef CAREEN_HTTP_PROXIES_H
#define CAREEN_HTTP_PROXIES_H

#include "base/slice.h"
#include "http/listen.h"

struct proxies;

/* "10.0.0.0/8, 192.168.1.5, fd00::/8": addresses or networks, between commas. NULL or blanks: none.
 * ERR_INVALID: the message names the part that is wrong. Freed with proxies_free(). */
struct proxies *proxies_parse(const char *text, struct err *err);
void proxies_free(struct proxies *proxies); /* NULL is allowed */
bool proxies_contain(const struct proxies *proxies, const struct sockaddr *address);

/*
 * `client` holds the address of a trusted proxy; `forwarded` is all X-Forwarded-For headers of the
 * request, in their order, with commas between them. Every proxy appends the address that it sees,
 * so only the end of the list, as far as trusted proxies wrote it, says the truth: the client is
 * the last address that is no trusted proxy, or the first of all when each is one. A port behind an
 * address is dropped. Where something that is no address is met on the way, or nothing is there,
 * `client` stays as it is. Returns whether it was replaced.
 */
bool proxies_client(
    const struct proxies *proxies, struct slice forwarded, char client[LISTEN_HOST_BYTES]);

#endif
