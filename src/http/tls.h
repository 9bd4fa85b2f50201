/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.2 and 1.3 for the HTTP server: http/tls.c is the one file that knows GnuTLS. A certificate
 * (with its chain) and its key are an identity. It can be replaced while the server runs: every
 * connection keeps the identity that it began with, and the last one to leave frees it.
 */
#ifndef CAREEN_HTTP_TLS_H
#define CAREEN_HTTP_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_info {
    int64_t not_before_ms, not_after_ms; /* of the leaf certificate */
    bool key_exposed; /* anybody on this machine may read the key's file (mode o+r) */
};

/* Reads both files (PEM; the chain with its leaf first; the key without a password) and checks that
 * they belong together. Dates are not judged. Errors name the file and the remedy: ERR_NOT_FOUND,
 * ERR_DENIED, ERR_FORMAT, ERR_LIMIT, ERR_IO. */
int tls_check(const char *certificate, const char *key, struct tls_info *ret, struct err *err);

struct tls;          /* the files, and the identity that new connections get */
struct tls_identity; /* counted references */

/* As tls_check(). The names are copied. */
struct tls *tls_open(const char *certificate, const char *key, struct err *err);
/* After every connection was left. NULL is allowed. */
void tls_close(struct tls *tls);
/* Reads the files anew; on failure everything stays as it was. Any thread. */
int tls_reload(struct tls *tls, struct err *err);
struct tls_info tls_info(struct tls *tls); /* any thread */

/* To be called when a connection begins, before its handshake: `session` (the HTTP library's, of
 * GnuTLS) will show the identity of this moment. */
struct tls_identity *tls_join(struct tls *tls, void *session);
/* Instead of it: the handshake of this session will fail. */
void tls_refuse(void *session);
/* When nothing is done with that session any more. NULL is allowed. */
void tls_leave(struct tls *tls, struct tls_identity *identity);

/* Sends it all, or as much as the socket takes now. On the session's own thread. */
void tls_send(void *session, const char *bytes, size_t len);

/* For the HTTP library: GnuTLS's retrieve function, and which versions and ciphers are spoken. */
typedef void (*tls_hook)(void);
tls_hook tls_certificate_hook(void);
const char *tls_priorities(void);

#endif
