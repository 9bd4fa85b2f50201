/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS client as a plain socket: whatever tests say on it goes through a TLS session to the
 * server, so the tests of plain HTTP run over TLS unchanged. One thread a connection.
 */
#ifndef CAREEN_TESTS_HTTP_TUNNEL_H
#define CAREEN_TESTS_HTTP_TUNNEL_H

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TUNNEL_BYTES = 16 * 1024 };

/* A plain assert() is compiled out of release builds. */
static inline void tunnel_must(bool worked)
{
    if (!worked)
        abort();
}

struct tunnel {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    int near, far; /* the test's side, the server's side */
    bool near_ended;
};

static inline bool tunnel_send_far(struct tunnel *tunnel, const char *bytes, size_t len)
{
    while (len) {
        ssize_t sent = gnutls_record_send(tunnel->session, bytes, len);
        struct pollfd room = {.fd = tunnel->far, .events = POLLOUT};

        if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED) {
            poll(&room, 1, 1000);
            continue;
        }
        if (sent < 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* What the test said. After a failure the server's last words are still to be read. */
static inline void tunnel_from_near(struct tunnel *tunnel)
{
    char bytes[TUNNEL_BYTES];
    ssize_t got = recv(tunnel->near, bytes, sizeof(bytes), 0);

    if (got > 0 && tunnel_send_far(tunnel, bytes, (size_t)got))
        return;
    tunnel->near_ended = true;
    if (got <= 0)
        gnutls_bye(tunnel->session, GNUTLS_SHUT_WR);
    if (got <= 0)
        shutdown(tunnel->far, SHUT_WR);
}

/* False at the end. */
static inline bool tunnel_from_far(struct tunnel *tunnel)
{
    char bytes[TUNNEL_BYTES];
    ssize_t got = gnutls_record_recv(tunnel->session, bytes, sizeof(bytes));

    if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
        return true;
    for (ssize_t at = 0; at < got;) {
        ssize_t put = send(tunnel->near, bytes + at, (size_t)(got - at), MSG_NOSIGNAL);

        if (put <= 0)
            return false;
        at += put;
    }
    return got > 0;
}

static inline void tunnel_pump(struct tunnel *tunnel)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = tunnel->near_ended ? -1 : tunnel->near, .events = POLLIN},
            {.fd = tunnel->far, .events = POLLIN}};

        if (gnutls_record_check_pending(tunnel->session) == 0)
            poll(fds, 2, -1);
        if (fds[0].revents)
            tunnel_from_near(tunnel);
        if ((fds[1].revents || gnutls_record_check_pending(tunnel->session)) &&
            !tunnel_from_far(tunnel))
            return;
    }
}

static inline void *tunnel_run(void *arg)
{
    struct tunnel *tunnel = arg;

    if (gnutls_handshake(tunnel->session) == 0) {
        fcntl(tunnel->far, F_SETFL, fcntl(tunnel->far, F_GETFL) | O_NONBLOCK);
        tunnel_pump(tunnel);
    }
    gnutls_deinit(tunnel->session);
    gnutls_certificate_free_credentials(tunnel->credentials);
    close(tunnel->far);
    close(tunnel->near);
    free(tunnel);
    return NULL;
}

/* Takes over a connected socket; returns the one that speaks plainly. */
static inline int tunnel_open(int far)
{
    struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
    pthread_attr_t detached;
    pthread_t thread;
    int ends[2];

    tunnel_must(tunnel && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    tunnel->near = ends[0];
    tunnel->far = far;
    gnutls_init(&tunnel->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    gnutls_set_default_priority(tunnel->session);
    gnutls_certificate_allocate_credentials(&tunnel->credentials);
    gnutls_credentials_set(tunnel->session, GNUTLS_CRD_CERTIFICATE, tunnel->credentials);
    gnutls_transport_set_int(tunnel->session, far);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    tunnel_must(pthread_create(&thread, &detached, tunnel_run, tunnel) == 0);
    pthread_attr_destroy(&detached);
    return ends[1];
}

static char scratch[] = "/tmp/careen-tls-XXXXXX";

static inline void scratch_remove(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    if (system(command) != 0)
        fprintf(stderr, "%s is left behind\n", scratch);
}

/* A folder of this test program's, removed at its end. */
static inline const char *scratch_folder(void)
{
    static bool made;

    if (!made) {
        tunnel_must(mkdtemp(scratch) != NULL);
        made = true;
        atexit(scratch_remove);
    }
    return scratch;
}

/* A self-signed certificate for 127.0.0.1 and its key, cert.pem and key.pem in `folder`. algorithm:
 * "ec -pkeyopt ec_paramgen_curve:prime256v1", "rsa:2048". */
static inline bool make_certificate(const char *folder, const char *algorithm)
{
    char command[1024];

    snprintf(command, sizeof(command),
        "cd %s && openssl req -x509 -newkey %s -nodes -keyout key.pem -out cert.pem -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null",
        folder, algorithm);
    return system(command) == 0;
}

#endif
