/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the wire: targets, headers, bodies, refusals, malformed requests. */
#include "testbed.h"

#include "base/limits.h"

static struct bed bed;

static int start(void **state)
{
    (void)state;
    bed_start(&bed, (struct http_options){.threads = 2});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bed_stop(&bed);
    return 0;
}

static void keeps_the_connection(void **state)
{
    int fd = bed_connect(&bed);
    struct answer answer;

    (void)state;
    for (int i = 0; i < 3; i++)
        ask(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET|/a|||0|127.0.0.1");
    assert_true(say(fd, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    answer = hear(fd, true);
    assert_non_null(strstr(answer.head, "\r\nContent-Type: application/json;charset=UTF-8\r\n"));
    assert_non_null(strstr(answer.head, "\r\nDate: "));
    assert_int_equal(strspn(answer.id, "0123456789abcdef"), 32);
    answer_release(&answer);
    assert_true(is_closed(fd));
    close(fd);
}

static void answers_pipelined_requests_in_order(void **state)
{
    int fd = bed_connect(&bed);

    (void)state;
    assert_true(say(fd, "POST /keep HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"
                        "GET /deny HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"));
    ask(fd, "", 200, "kept 2 sum 195");
    ask(fd, "", 401, "denied");
    ask(fd, "", 200, "GET|/2|||0|127.0.0.1");
    close(fd);
}

static void gives_the_raw_target(void **state)
{
    (void)state;
    ask_once(&bed, "GET /a+b%00c%2F?x=a+b%00&&x=%zz&=;? HTTP/1.1\r\n\r\n", 200,
        "GET|/a+b%00c%2F|x=a+b%00&&x=%zz&=;?||0|127.0.0.1");
    ask_once(&bed, "GET ///v5//x?/ HTTP/1.1\r\n\r\n", 200, "GET|/v5//x|/||0|127.0.0.1");
    ask_once(&bed, "GET http://h:1/p?q HTTP/1.1\r\n\r\n", 200, "GET|/p|q||0|127.0.0.1");
    ask_once(&bed, "OPTIONS * HTTP/1.1\r\n\r\n", 200, "OPTIONS|*|||0|127.0.0.1");
    ask_once(&bed, "GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 200, "GET|/\xc3\xa9|||0|127.0.0.1");
}

static void gives_the_first_of_two_headers(void **state)
{
    (void)state;
    ask_once(&bed, "GET / HTTP/1.1\r\nX-TEST: one\r\nx-test: two\r\n\r\n", 200,
        "GET|/||one|0|127.0.0.1");
}

/* What sha256sum says of nothing, of "abc", and of 70,000 times 'a' in pieces. */
static void hashes_bodies(void **state)
{
    char *large = malloc(70200);
    int fd = bed_connect(&bed), len;
    struct answer answer;

    (void)state;
    assert_non_null(large);
    ask(fd, "GET /hash HTTP/1.1\r\n\r\n", 200, "e3b0c442");
    ask(fd, "GET /hash HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 200, "ba7816bf");
    ask(fd, "GET /hash?keep HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 200, "ba7816bf");
    len = snprintf(large, 70200, "PUT /hash?keep HTTP/1.1\r\nContent-Length: 70000\r\n\r\n");
    memset(large + len, 'a', 70000);
    large[len + 70000] = '\0';
    ask(fd, large, 200, "66915c08");
    free(large);
    assert_true(say(fd, "GET /hash HTTP/1.1\r\n\r\n"));
    answer = hear(fd, true);
    assert_non_null(strstr(answer.head, "\r\nX-Digest: e3b0c44298fc1c149afbf4c8996fb924"));
    answer_release(&answer);
    close(fd);
}

static void answers_head_without_a_body(void **state)
{
    int fd = bed_connect(&bed);
    struct answer answer;

    (void)state;
    assert_true(say(fd, "HEAD /a HTTP/1.1\r\n\r\n"));
    answer = hear(fd, false);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, strlen("HEAD|/a|||0|127.0.0.1"));
    answer_release(&answer);
    ask(fd, "GET /empty HTTP/1.1\r\n\r\n", 204, "");
    assert_true(say(fd, "GET /later HTTP/1.1\r\n\r\n"));
    answer = hear(fd, true);
    assert_int_equal(answer.status, 429);
    assert_non_null(strstr(answer.head, "\r\nRetry-After: 7\r\n"));
    answer_release(&answer);
    close(fd);
}

static void sends_a_large_answer_whole(void **state)
{
    int fd = bed_connect(&bed);
    struct answer answer;

    (void)state;
    assert_true(say(fd, "GET /big HTTP/1.1\r\n\r\n"));
    usleep(50000);
    answer = hear(fd, true);
    assert_int_equal(answer.len, BIG_ANSWER);
    assert_int_equal(strspn(answer.body, "b"), BIG_ANSWER);
    answer_release(&answer);
    close(fd);
}

/* A body of `len` bytes 'a', in one piece or in chunks of 10000. */
static void post(int fd, const char *path, size_t len, bool chunked)
{
    char head[200], *body = malloc(len + 1);

    assert_non_null(body);
    memset(body, 'a', len);
    snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n", path);
    assert_true(say(fd, head));
    if (!chunked) {
        snprintf(head, sizeof(head), "Content-Length: %zu\r\n\r\n", len);
        assert_true(say(fd, head) && (say_bytes(fd, body, len) || true));
    } else {
        assert_true(say(fd, "Transfer-Encoding: chunked\r\n\r\n"));
        for (size_t at = 0, part; at < len; at += part) {
            part = len - at < 10000 ? len - at : 10000;
            snprintf(head, sizeof(head), "%zx\r\n", part);
            if (!say(fd, head) || !say_bytes(fd, body, part) || !say(fd, "\r\n"))
                break;
        }
        (void)say(fd, "0\r\n\r\n");
    }
    free(body);
}

static void keeps_bodies(void **state)
{
    static const size_t lengths[] = {0, 1, 65536, 65537, 300000, KEEP_MAX};
    int fd = bed_connect(&bed);

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char expected[80];

        snprintf(expected, sizeof(expected), "kept %zu sum %zu", lengths[i], lengths[i] * 'a');
        post(fd, "/keep", lengths[i], false);
        ask(fd, "", 200, expected);
        post(fd, "/keep?blocking", lengths[i], true);
        ask(fd, "", 200, expected);
    }
    close(fd);
}

static void reads_and_drops_other_bodies(void **state)
{
    int fd = bed_connect(&bed);

    (void)state;
    post(fd, "/a", 100000, false);
    ask(fd, "", 200, "POST|/a|||100000|127.0.0.1");
    post(fd, "/a", 100000, true);
    ask(fd, "", 200, "POST|/a|||100000|127.0.0.1");
    close(fd);
}

static void refuses_large_bodies(void **state)
{
    const char *too_large = "refused 413 code 5: the request body is larger than the limit of "
                            "1048576 bytes";
    int fd = bed_connect(&bed);

    (void)state;
    assert_int_equal(ERR_LIMIT, 5);
    ask(fd, "POST /keep HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413, too_large);
    assert_true(is_closed(fd));
    close(fd);
    ask_once(&bed, "POST /a HTTP/1.1\r\nContent-Length: 12582913\r\n\r\n", 413, NULL);
    ask_once(&bed, "POST /a HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413, NULL);
    /* The client sends all of it before it reads: the answer must not be lost in a reset. */
    for (int chunked = 0; chunked < 2; chunked++) {
        fd = bed_connect(&bed);
        post(fd, "/keep", 4 * KEEP_MAX, chunked);
        ask(fd, "", 413, too_large);
        close(fd);
        fd = bed_connect(&bed);
        post(fd, "/a", LIMIT_HTTP_IGNORED_BODY_BYTES + 100000, chunked);
        ask(fd, "", 413, NULL);
        close(fd);
    }
}

static void answers_early_without_reading_the_body(void **state)
{
    int fd = bed_connect(&bed);

    (void)state;
    ask(fd, "GET /deny HTTP/1.1\r\n\r\n", 401, "denied");
    ask(fd, "GET /deny HTTP/1.1\r\n\r\n", 401, "denied");
    ask(fd, "POST /deny HTTP/1.1\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", 401,
        "denied");
    assert_true(is_closed(fd));
    close(fd);
    fd = bed_connect(&bed);
    post(fd, "/deny", 8 * KEEP_MAX, true);
    ask(fd, "", 401, "denied");
    close(fd);
}

static void says_continue(void **state)
{
    int fd = bed_connect(&bed);
    struct answer answer;

    (void)state;
    assert_true(say(fd, "POST /keep HTTP/1.1\r\nContent-Length: 2\r\n"
                        "Expect: 100-continue\r\n\r\n"));
    answer = hear(fd, false);
    assert_int_equal(answer.status, 100);
    answer_release(&answer);
    ask(fd, "ab", 200, "kept 2 sum 195");
    close(fd);
}

static void refuses_contradicting_lengths(void **state)
{
    static const char *const headers[] = {
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Content-Length : 5\r\n",
        "Content-Length\t: 5\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Content-Length: 5\r\n",
        ": 5\r\n",
        "a(b: 5\r\n",
        "\xc3\xa9: 5\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char request[300];
        int fd = bed_connect(&bed);

        snprintf(request, sizeof(request), "POST /a HTTP/1.1\r\n%s\r\n0\r\n\r\n", headers[i]);
        ask(fd, request, 400, NULL);
        assert_true(is_closed(fd));
        close(fd);
    }
    ask_once(
        &bed, "POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 200, NULL);
    ask_once(&bed, "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 400,
        NULL);
    ask_once(&bed, "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200,
        NULL);
    ask_once(&bed, "GET /a HTTP/1.1\r\nAZaz09!#$%&'*+-.^_`|~: 5\r\n\r\n", 200, NULL);
}

/* "GET /<len-1 x's>" and headers of `header` bytes each until `headers` bytes are full. */
static int status_of(size_t target, size_t header, size_t headers)
{
    char *text = malloc(target + 2 * headers + 1000), *at = text;
    int fd = bed_connect(&bed);
    struct answer answer;
    int status;

    assert_non_null(text);
    memcpy(at, "GET /", 5);
    memset(at + 5, 'x', target - 1);
    at += 4 + target;
    memcpy(at, " HTTP/1.1\r\n", 11);
    at += 11;
    while (header && headers >= header) {
        memcpy(at, "a: ", 3);
        memset(at + 3, 'v', header - 1);
        memcpy(at + 2 + header, "\r\n", 2);
        at += 4 + header;
        headers -= header;
    }
    memcpy(at, "\r\n", 2);
    (void)say_bytes(fd, text, (size_t)(at + 2 - text));
    free(text);
    answer = hear(fd, true);
    status = answer.status;
    answer_release(&answer);
    close(fd);
    return status;
}

static void limits_line_and_headers(void **state)
{
    (void)state;
    assert_int_equal(status_of(10, 32 * 1024, 128 * 1024), 200);
    assert_int_equal(status_of(10, 1024, 128 * 1024), 200);
    assert_int_equal(status_of(32 * 1024, 0, 0), 200);
    assert_int_equal(status_of(32 * 1024, 1024, 96 * 1024), 200);
    assert_int_equal(status_of(32 * 1024, 1024, 128 * 1024), 431); /* not both */
    assert_int_equal(status_of(32 * 1024 + 1, 0, 0), 414);
    assert_int_equal(status_of(300 * 1024, 0, 0), 414);
    assert_int_equal(status_of(2000 * 1024, 0, 0), 414);
    assert_int_equal(status_of(10, 32 * 1024 + 1, 33 * 1024), 431);
    assert_int_equal(status_of(10, 1024, 129 * 1024), 431);
    assert_int_equal(status_of(10, 1024, 1024 * 1024), 431);
    assert_int_equal(status_of(10, 500 * 1024, 500 * 1024), 431);
}

static void refuses_malformed_requests(void **state)
{
    static const char *const requests[] = {
        "GET /a b HTTP/1.1\r\n\r\n",
        "GET /a\tb HTTP/1.1\r\n\r\n",
        "GET /a  HTTP/1.1\r\n\r\n",
        "GET /a\r\n\r\n",
        "GET /a HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /a HTTP/x\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "AVERYLONGMETHODNAMETHATNOBODYEVERDEFINED /a HTTP/1.1\r\n\r\n",
    };
    static const char with_nul[] = "GET /a\0b HTTP/1.1\r\n\r\n";
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        ask_once(&bed, requests[i], 400, NULL);
    ask_once(&bed, "GET /a HTTP/2.0\r\n\r\n", 505, NULL);
    fd = bed_connect(&bed);
    assert_true(say_bytes(fd, with_nul, sizeof(with_nul) - 1));
    ask(fd, "", 400, NULL);
    close(fd);
}

/* Whatever bytes come: the server lives, and gives back what it took (checked by stop). */
static void survives_any_bytes(void **state)
{
    static const char seed[] = "POST /keep?a=b&c HTTP/1.1\r\nHost: x\r\nCookie: a=b; c\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nT: x\r\n\r\n"
                               "GET /held?x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    unsigned random = 12345;
    int fd;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char bytes[sizeof(seed)];

        memcpy(bytes, seed, sizeof(seed));
        for (int i = 0; i < 1 + round % 4; i++) {
            random = random * 1103515245 + 12345;
            bytes[(random >> 8) % (sizeof(seed) - 1)] = (char)(random >> 24);
        }
        fd = bed_connect(&bed);
        (void)say_bytes(fd, bytes, sizeof(seed) - 1 - (size_t)round % 7);
        close(fd);
    }
    wait_for_connections(&bed, 0);
    ask_once(&bed, "GET /a HTTP/1.1\r\n\r\n", 200, "GET|/a|||0|127.0.0.1");
}

/* `count` times `piece` between head and tail; the status. */
static int status_of_many(const char *head, const char *piece, size_t count, const char *tail)
{
    struct buf text = BUF_INIT(1 << 20);
    int fd = bed_connect(&bed), status;
    struct answer answer;

    buf_put_cstr(&text, head);
    while (count--)
        buf_put_cstr(&text, piece);
    buf_put_cstr(&text, tail);
    assert_int_equal(text.failed, ERR_NONE);
    (void)say_bytes(fd, text.data, text.len);
    buf_release(&text);
    answer = hear(fd, true);
    status = answer.status;
    answer_release(&answer);
    close(fd);
    return status;
}

/* The library keeps a record for each argument, header and cookie. */
static void survives_many_small_things(void **state)
{
    (void)state;
    assert_int_equal(status_of_many("GET /?", "&", 30000, " HTTP/1.1\r\n\r\n"), 200);
    assert_int_equal(status_of_many("GET /?", "a=b&", 8000, " HTTP/1.1\r\n\r\n"), 200);
    assert_int_equal(status_of_many("GET / HTTP/1.1\r\n", "a:b\r\n", 500, "\r\n"), 200);
    assert_int_equal(status_of_many("GET / HTTP/1.1\r\n", "a:b\r\n", 20000, "\r\n"), 431);
    assert_int_equal(status_of_many("GET / HTTP/1.1\r\nCookie: ", "a=b; ", 6000, "\r\n\r\n"), 431);
    assert_int_equal(status_of_many("GET / HTTP/1.1\r\nCookie: ", "a; ", 400, "\r\n\r\n"), 200);
    wait_for_connections(&bed, 0);
}

static void refuses_when_it_cannot_spool(void **state)
{
    struct bed own;
    int fd;

    (void)state;
    bed_start(&own, (struct http_options){.spool_dir = "/tmp/careen-no-such-folder"});
    fd = bed_connect(&own);
    post(fd, "/keep", 65536, false);
    ask(fd, "", 200, NULL); /* small enough to need no file */
    post(fd, "/keep", 300000, false);
    ask(fd, "", 500, NULL);
    assert_int_equal(own.seen.refused, 1);
    close(fd);
    bed_stop(&own);
}

static void listens_where_it_is_told(void **state)
{
    static const char *const bad[] = {"8080", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
        "no such host:80", "127.0.0.1:8o", "[::1]", ""};
    struct http_app app = {.ctx = &bed.seen};
    struct http_options options = {.spool_dir = "/tmp"};
    struct err err = {0};
    struct bed own;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        options.listen = bad[i];
        err.code = ERR_NONE;
        assert_null(http_server_start(&options, &app, &err));
        if (err.code != ERR_USAGE)
            fail_msg("%s: code %d %s", bad[i], (int)err.code, err.message);
    }
    options.listen = http_server_address(bed.server);
    assert_null(http_server_start(&options, &app, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "choose another port"));
    options.listen = "192.0.2.1:0";
    assert_null(http_server_start(&options, &app, &err));
    assert_int_equal(err.code, ERR_USAGE);

    bed_start(&own, (struct http_options){.listen = ":0", .threads = 1});
    ask_once(&own, "GET /a HTTP/1.1\r\n\r\n", 200, "GET|/a|||0|127.0.0.1");
    bed_stop(&own);
    bed_start(&own, (struct http_options){.listen = "localhost:0"});
    bed_stop(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_connection),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(gives_the_raw_target),
        cmocka_unit_test(gives_the_first_of_two_headers),
        cmocka_unit_test(hashes_bodies),
        cmocka_unit_test(answers_head_without_a_body),
        cmocka_unit_test(sends_a_large_answer_whole),
        cmocka_unit_test(keeps_bodies),
        cmocka_unit_test(reads_and_drops_other_bodies),
        cmocka_unit_test(refuses_large_bodies),
        cmocka_unit_test(answers_early_without_reading_the_body),
        cmocka_unit_test(says_continue),
        cmocka_unit_test(refuses_contradicting_lengths),
        cmocka_unit_test(limits_line_and_headers),
        cmocka_unit_test(refuses_malformed_requests),
        cmocka_unit_test(survives_any_bytes),
        cmocka_unit_test(survives_many_small_things),
        cmocka_unit_test(refuses_when_it_cannot_spool),
        cmocka_unit_test(listens_where_it_is_told),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
