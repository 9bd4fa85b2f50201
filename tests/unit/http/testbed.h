/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real server on a free loopback port, an application that answers what it saw, and a client that
 * writes raw bytes: for the tests of src/http.
 */
#ifndef CAREEN_TESTS_HTTP_TESTBED_H
#define CAREEN_TESTS_HTTP_TESTBED_H

#include "unit.h"

#include "base/clock.h"
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A test program that defines BED_TLS runs all of its conversations over TLS. */
#ifdef BED_TLS
#include "tunnel.h"
#endif

enum { KEEP_MAX = 1024 * 1024, BIG_ANSWER = 3 * 1024 * 1024 };

/* What the application counts. Every request that it began with a user object must give it back. */
struct seen {
    atomic_int begun, handled, freed, refused, running;
    atomic_int held;        /* /held requests wait while this is set */
    atomic_int interrupted; /* /slow requests whose body ended in an error */
    atomic_int done, done_without_user, done_cut;
    atomic_int done_status[6]; /* by the status's first digit */
    atomic_int pieces;         /* that producers made */
    atomic_int producers;      /* that are not freed */
};

/* /pieces?N: a piece for each letter of N, of 100,000 such letters; '-' makes an empty piece, '!'
 * fails. */
struct pieces {
    struct seen *seen;
    struct slice left;
};

enum { PIECE_BYTES = 100000 };

static inline int next_piece(void *ctx, struct buf *piece, bool *ret_end, struct err *err)
{
    struct pieces *pieces = ctx;
    char letter;

    pieces->seen->pieces++;
    assert_int_equal(piece->len, 0);
    if (pieces->left.len == 0) {
        *ret_end = true;
        return 0;
    }
    letter = pieces->left.ptr[0];
    pieces->left = slice_skip(pieces->left, 1);
    if (letter == '!')
        return err_set(err, ERR_IO, "the disk is on fire");
    for (int i = 0; i < PIECE_BYTES && letter != '-'; i++)
        buf_put_char(piece, letter);
    *ret_end = pieces->left.len == 0;
    return 0;
}

static inline void free_pieces(void *ctx)
{
    struct pieces *pieces = ctx;

    pieces->seen->producers--;
    free(pieces);
}

static inline void make_pieces(
    struct seen *seen, struct http_request *request, struct http_response *response)
{
    struct pieces *pieces = calloc(1, sizeof(*pieces));

    assert_non_null(pieces);
    *pieces = (struct pieces){seen, request->query};
    seen->producers++;
    response->content_type = "text/plain";
    response->producer = (struct http_producer){next_piece, free_pieces, pieces};
    buf_put_cstr(&response->body, "begin ");
}

struct user {
    struct seen *seen;
    atomic_int handles;
};

static inline void app_begin(
    void *ctx, struct http_request *request, struct http_plan *plan, struct http_response *response)
{
    struct seen *seen = ctx;
    struct user *user = calloc(1, sizeof(*user));

    assert_non_null(user);
    user->seen = seen;
    request->user = user;
    seen->begun++;
    if (slice_is(request->path, "/deny")) {
        plan->answered = true;
        response->status = 401;
        buf_put_cstr(&response->body, "denied");
    } else if (slice_is(request->path, "/keep")) {
        plan->body = HTTP_BODY_KEEP;
        plan->max_body_bytes = KEEP_MAX;
        plan->blocking = slice_is(request->query, "blocking");
    } else if (slice_is(request->path, "/held")) {
        plan->blocking = true;
    } else if (slice_is(request->path, "/slow")) {
        plan->body = HTTP_BODY_KEEP;
        plan->max_body_bytes = KEEP_MAX;
        plan->blocking = true;
    } else if (slice_is(request->path, "/hash")) {
        plan->body = slice_is(request->query, "keep") ? HTTP_BODY_KEEP : HTTP_BODY_IGNORE;
        plan->max_body_bytes = KEEP_MAX;
        plan->hash_body = true;
    }
}

static inline void sum_body(struct http_request *request, struct http_response *response)
{
    char part[7001];
    uint64_t total = 0, sum = 0;
    size_t got;
    struct err err;

    do {
        assert_ok(stream_read(request->body, part, sizeof(part), &got, &err));
        for (size_t i = 0; i < got; i++)
            sum += (unsigned char)part[i];
        total += got;
    } while (got);
    assert_true(total == request->body_bytes);
    buf_printf(
        &response->body, "kept %llu sum %llu", (unsigned long long)total, (unsigned long long)sum);
}

/* A thousand bytes each 20 ms. */
static inline void read_slowly(
    struct seen *seen, struct http_request *request, struct http_response *response)
{
    char part[1000];
    size_t got = 1;
    struct err err = {0};

    seen->running++;
    while (got && stream_read(request->body, part, sizeof(part), &got, &err) == 0)
        usleep(20000);
    seen->running--;
    seen->interrupted += err.code == ERR_BUSY;
    buf_put_cstr(&response->body, err.message);
}

static inline void app_handle(
    void *ctx, struct http_request *request, struct http_response *response)
{
    struct seen *seen = ctx;
    struct user *user = request->user;
    struct err err;

    assert_int_equal(++user->handles, 1);
    seen->handled++;
    assert_non_null(arena_alloc(&request->arena, 100, &err));
    if (slice_is(request->path, "/held")) {
        seen->running++;
        while (seen->held)
            usleep(1000);
        seen->running--;
    }
    if (slice_is(request->path, "/big")) {
        char *room = buf_reserve(&response->body, BIG_ANSWER);

        assert_non_null(room);
        memset(room, 'b', BIG_ANSWER);
        response->body.len += BIG_ANSWER;
        room[BIG_ANSWER] = '\0';
    } else if (slice_is(request->path, "/pieces")) {
        make_pieces(seen, request, response);
    } else if (slice_is(request->path, "/empty")) {
        response->status = 204;
    } else if (slice_is(request->path, "/later")) {
        response->status = 429;
        snprintf(response->retry_after, sizeof(response->retry_after), "7");
    } else if (slice_is(request->path, "/hash")) {
        char *hex = arena_alloc(&request->arena, 2 * SHA256_BYTES + 1, &err);

        assert_non_null(hex);
        hex_encode(request->body_sha256, SHA256_BYTES, hex);
        response->header = "X-Digest";
        response->header_value = hex;
        buf_printf(&response->body, "%.8s", hex);
    } else if (slice_is(request->path, "/slow")) {
        read_slowly(seen, request, response);
    } else if (request->body) {
        sum_body(request, response);
    } else {
        buf_printf(&response->body, "%s|%.*s|%.*s|%.*s|%llu|%s", request->method,
            SLICE_FMT(request->path), SLICE_FMT(request->query),
            SLICE_FMT(http_header(request, "x-test")), (unsigned long long)request->body_bytes,
            request->client);
    }
}

static inline void app_refuse(void *ctx, struct http_request *request, const struct err *error,
    struct http_response *response)
{
    struct seen *seen = ctx;

    (void)request;
    seen->refused++;
    buf_printf(&response->body, "refused %u code %d: %s", response->status, (int)error->code,
        error->message);
}

static inline void app_free_user(void *ctx, void *user)
{
    struct seen *seen = ctx;

    assert_ptr_equal(((struct user *)user)->seen, seen);
    seen->freed++;
    free(user);
}

static inline void app_done(
    void *ctx, const struct http_request *request, const struct http_ended *ended)
{
    struct seen *seen = ctx;

    assert_true(ended->status < 600 && ended->took_us >= 0 && request->client[0]);
    assert_int_equal(strlen(request->id), 32);
    seen->done++;
    seen->done_without_user += !request->user;
    seen->done_cut += ended->cut;
    seen->done_status[ended->status / 100]++;
}

struct bed {
    struct seen seen;
    struct http_server *server;
    in_port_t port; /* network order */
};

#ifdef BED_TLS
static inline void bed_secure(struct http_options *options)
{
    static char certificate[64], key[64];

    if (options->tls_certificate)
        return;
    if (!certificate[0]) {
        const char *folder = scratch_folder();

        assert_true(make_certificate(folder, "ec -pkeyopt ec_paramgen_curve:prime256v1"));
        snprintf(certificate, sizeof(certificate), "%s/cert.pem", folder);
        snprintf(key, sizeof(key), "%s/key.pem", folder);
    }
    options->tls_certificate = certificate;
    options->tls_key = key;
}
#else
static inline void bed_secure(struct http_options *options)
{
    (void)options;
}
#endif

static inline void bed_start(struct bed *bed, struct http_options options)
{
    struct http_app app = {.ctx = &bed->seen,
        .begin = app_begin,
        .handle = app_handle,
        .refuse = app_refuse,
        .free_user = app_free_user,
        .done = app_done};
    struct err err = {0};
    struct slice address;
    uint64_t port = 0;

    memset(bed, 0, sizeof(*bed));
    if (!options.listen)
        options.listen = "127.0.0.1:0";
    if (!options.spool_dir)
        options.spool_dir = "/tmp";
    bed_secure(&options);
    bed->server = http_server_start(&options, &app, &err);
    if (!bed->server)
        fail_msg("%s", err.message);
    assert_string_equal(
        http_server_scheme(bed->server), options.tls_certificate ? "https" : "http");
    address = slice_of(http_server_address(bed->server));
    assert_true(slice_to_u64(slice_skip(address, slice_rfind_char(address, ':') + 1), &port));
    assert_true(port > 0);
    bed->port = htons((uint16_t)port);
}

/* Every object that the application made came back, once. */
static inline void bed_stop(struct bed *bed)
{
    http_server_stop(bed->server, 5000);
    assert_int_equal(bed->seen.begun, bed->seen.freed);
    assert_int_equal(bed->seen.producers, 0);
}

static inline int try_connect(const struct bed *bed)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = bed->port};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        close(fd);
        return -1;
    }
#ifdef BED_TLS
    fd = tunnel_open(fd);
#endif
    return fd;
}

static inline int bed_connect(const struct bed *bed)
{
    int fd = try_connect(bed);

    assert_true(fd >= 0);
    return fd;
}

/* False when the server has closed. */
static inline bool say_bytes(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static inline bool say(int fd, const char *text)
{
    return say_bytes(fd, text, strlen(text));
}

/* One answer: head and body; more may follow on the connection. */
struct answer {
    int status; /* 0: the connection ended first; -1: nothing for 10 s */
    char id[33];
    char head[2048];
    char *body; /* heap, NUL-terminated */
    size_t len;
};

static inline void answer_release(struct answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

/* Reads up to `want` bytes; fewer at the end of the connection. -1 after 10 s of silence. */
static inline ssize_t hear_bytes(int fd, char *dst, size_t want)
{
    size_t have = 0;

    while (have < want) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (poll(&p, 1, 10000) <= 0)
            return -1;
        got = recv(fd, dst + have, want - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static inline const char *head_value(const struct answer *answer, const char *name)
{
    const char *at = strstr(answer->head, name);

    return at ? at + strlen(name) : NULL;
}

static inline struct answer hear(int fd, bool has_body)
{
    struct answer answer = {0};
    size_t used = 0;
    const char *value;

    while (used < 4 || memcmp(answer.head + used - 4, "\r\n\r\n", 4) != 0) {
        ssize_t got = used + 1 < sizeof(answer.head) ? hear_bytes(fd, answer.head + used, 1) : 0;

        if (got <= 0) {
            answer.status = got < 0 ? -1 : 0;
            return answer;
        }
        used++;
    }
    assert_memory_equal(answer.head, "HTTP/1.1 ", 9);
    for (const char *at = answer.head + 9; *at >= '0' && *at <= '9'; at++)
        answer.status = answer.status * 10 + (*at - '0');
    if ((value = head_value(&answer, "\r\nX-Request-Id: ")))
        memcpy(answer.id, value, 32);
    if ((value = head_value(&answer, "\r\nContent-Length: ")))
        while (*value >= '0' && *value <= '9')
            answer.len = answer.len * 10 + (size_t)(*value++ - '0');
    answer.body = calloc(1, answer.len + 1);
    assert_non_null(answer.body);
    if (has_body && answer.len)
        assert_int_equal(hear_bytes(fd, answer.body, answer.len), answer.len);
    return answer;
}

static inline bool is_closed(int fd)
{
    char c;

    return hear_bytes(fd, &c, 1) == 0;
}

/* Says and hears on a connection; compares; returns nothing. body NULL: any. */
static inline void ask(int fd, const char *request, int status, const char *body)
{
    struct answer answer;

    assert_true(say(fd, request));
    answer = hear(fd, true);
    if (answer.status != status || (body && strcmp(answer.body, body) != 0))
        fail_msg("\"%.200s\" got %d \"%.300s\", not %d \"%s\"", request, answer.status,
            answer.body ? answer.body : "", status, body ? body : "");
    answer_release(&answer);
}

/* The same on a connection of its own. */
static inline void ask_once(
    const struct bed *bed, const char *request, int status, const char *body)
{
    int fd = bed_connect(bed);

    ask(fd, request, status, body);
    close(fd);
}

static inline void wait_until(const atomic_int *value, int wanted)
{
    for (int i = 0; i < 10000 && *value != wanted; i++)
        usleep(1000);
    assert_int_equal(*value, wanted);
}

static inline void wait_for_connections(const struct bed *bed, uint64_t wanted)
{
    struct http_counters counters;

    for (int i = 0; i < 10000; i++) {
        http_server_counters(bed->server, &counters);
        if (counters.connections_now == wanted)
            return;
        usleep(1000);
    }
    fail_msg("%llu connections, not %llu", (unsigned long long)counters.connections_now,
        (unsigned long long)wanted);
}

#endif
