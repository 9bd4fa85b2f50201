/* SPDX-License-Identifier: Apache-2.0 */
/* A client against a server of a few lines, which sends what it is told and keeps what it got. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "http/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    int fd;
    char base[64];
    const char *answer;
    char got[4096];
    size_t got_len;
    pthread_t thread;
};

static void *serve(void *ctx)
{
    struct server *server = ctx;
    int fd = accept(server->fd, NULL, NULL);
    ssize_t got;

    while (fd >= 0 && !memmem(server->got, server->got_len, "BODY", 4) &&
           (got = read(
                fd, server->got + server->got_len, sizeof(server->got) - 1 - server->got_len)) > 0)
        server->got_len += (size_t)got;
    if (fd >= 0 && write(fd, server->answer, strlen(server->answer)) < 0)
        return NULL;
    close(fd);
    return NULL;
}

static void listen_on_loopback(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->fd, 1), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    snprintf(
        server->base, sizeof(server->base), "http://127.0.0.1:%d/base/", ntohs(address.sin_port));
}

static int ask(const char *answer, size_t max, struct server *server, int *status, struct buf *body,
    struct err *err)
{
    const struct http_post post = {.target = SLICE("/x?a=b"),
        .token = "secret",
        .content_type = "text/plain",
        .body = SLICE("the BODY")};
    struct http_client *client;
    int failed;

    *server = (struct server){.answer = answer};
    listen_on_loopback(server);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    client = http_client_open(server->base, NULL, err);
    assert_non_null(client);
    body->max = max;
    failed = http_client_post(client, &post, status, body, err);
    http_client_close(client);
    pthread_join(server->thread, NULL);
    close(server->fd);
    return failed;
}

static void test_a_request_and_its_answer(void **state)
{
    struct buf body CLEANUP(buf_release) = {0};
    struct server server;
    struct err err = {0};
    int status = 0;

    (void)state;
    assert_ok(ask(
        "HTTP/1.1 418 No\r\nContent-Length: 5\r\n\r\nhello", 1024, &server, &status, &body, &err));
    assert_int_equal(status, 418);
    assert_slice(buf_slice(&body), "hello");
    assert_non_null(strstr(server.got, "POST /base/x?a=b HTTP/1.1\r\n"));
    assert_non_null(strstr(server.got, "\r\nX-Auth-Token: secret\r\n"));
    assert_non_null(strstr(server.got, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(server.got, "\r\nContent-Length: 8\r\n"));
    assert_null(strstr(server.got, "Expect"));
}

/* The token must not follow. */
static void test_redirects_are_answers(void **state)
{
    struct buf body CLEANUP(buf_release) = {0};
    struct server server;
    struct err err = {0};
    int status = 0;

    (void)state;
    assert_ok(ask("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: "
                  "0\r\n\r\n",
        1024, &server, &status, &body, &err));
    assert_int_equal(status, 302);
}

static void test_an_answer_without_end(void **state)
{
    struct buf body CLEANUP(buf_release) = {0};
    struct server server;
    struct err err = {0};
    int status = 0;

    (void)state;
    assert_int_equal(ask("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
                         "0123456789012345678901234567890123456789",
                         16, &server, &status, &body, &err),
        -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void test_no_answer(void **state)
{
    struct buf body CLEANUP(buf_release) = BUF_INIT(1024);
    const struct http_post post = {.target = SLICE("/"), .content_type = "text/plain"};
    struct server server = {0};
    struct http_client *client;
    struct err err = {0};
    int status;

    (void)state;
    listen_on_loopback(&server); /* a port that nobody listens on, once it is closed */
    close(server.fd);
    client = http_client_open(server.base, NULL, &err);
    assert_int_equal(http_client_post(client, &post, &status, &body, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "127.0.0.1"));
    http_client_close(client);
}

static void test_an_address_too_long(void **state)
{
    static char target[LIMIT_HTTP_URI_BYTES];
    struct buf body CLEANUP(buf_release) = BUF_INIT(1024);
    const struct http_post post = {
        .target = {target, sizeof(target)}, .content_type = "text/plain"};
    struct err err = {0};
    struct http_client *client = http_client_open("http://127.0.0.1:1", NULL, &err);
    int status;

    (void)state;
    memset(target, '/', sizeof(target));
    assert_int_equal(http_client_post(client, &post, &status, &body, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    http_client_close(client);
}

/* Nobody ever accepts: it would wait for an answer for minutes. */
static void test_stopped(void **state)
{
    const volatile sig_atomic_t stop = 1;
    struct buf body CLEANUP(buf_release) = BUF_INIT(100);
    struct server server = {.fd = -1};
    struct http_client *client;
    struct err err = {0};
    int status;

    (void)state;
    listen_on_loopback(&server);
    client = http_client_open(server.base, NULL, &err);
    assert_non_null(client);
    assert_int_equal(
        http_client_post(client,
            &(struct http_post){.target = SLICE("/"), .content_type = "text/plain", .stop = &stop},
            &status, &body, &err),
        -1);
    assert_int_equal(err.code, ERR_BUSY);
    http_client_close(client);
    close(server.fd);
}

static void test_what_is_no_base(void **state)
{
    static const char *const bases[] = {"", "careen.example.com", "ftp://x", "https://",
        "https://user:secret@host", "http://host?x", "http:///path", "http://a b"};

    (void)state;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        struct err err = {0};

        assert_null(http_client_open(bases[i], NULL, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_and_its_answer),
        cmocka_unit_test(test_redirects_are_answers),
        cmocka_unit_test(test_an_answer_without_end),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_an_address_too_long),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_what_is_no_base),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
