/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking an HTTP server: http/client.c is the one file that knows libcurl. HTTP/1.1 and 2, TLS with
 * the certificate and its name checked; no redirects, which would carry a token elsewhere; proxies
 * as the environment says (https_proxy, no_proxy). One client is used by one thread.
 */
#ifndef CAREEN_HTTP_CLIENT_H
#define CAREEN_HTTP_CLIENT_H

#include "base/buf.h"

#include <signal.h>

struct http_client;

/* base: "https://careen.example.com", a path behind it is kept; without a user, query or fragment.
 * ca: a file of certificates (PEM) that may vouch for the server, instead of the system's; NULL.
 * ERR_USAGE for a base that is none. */
struct http_client *http_client_open(const char *base, const char *ca, struct err *err);
void http_client_close(struct http_client *client); /* accepts NULL */

struct http_post {
    struct slice target; /* "/careen/v1/default/images?image_type=local": goes behind the base */
    const char *token;   /* X-Auth-Token; NULL: none */
    const char *content_type;
    struct slice body;
    const volatile sig_atomic_t *stop; /* not 0: give up within a second; may be NULL */
};

/* The answer's status in *ret_status, whichever it is, and its body appended to *ret. ERR_IO where
 * there is no answer (no such host, refused, not trusted, too slow), ERR_LIMIT where it is longer
 * than ret->max, or the address than LIMIT_HTTP_URI_BYTES, ERR_BUSY where it was stopped. */
int http_client_post(struct http_client *client, const struct http_post *post, int *ret_status,
    struct buf *ret, struct err *err);

#endif
