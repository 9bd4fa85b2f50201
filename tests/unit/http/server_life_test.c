/* SPDX-License-Identifier: Apache-2.0 */
/* Time and number: slow and vanished clients, limits, workers, load, the access log, the end. */
#include "testbed.h"

#include "base/limits.h"
#include "base/log.h"

#include <fcntl.h>

static void lets_fast_requests_pass_blocking_ones(void **state)
{
    struct bed bed;
    int slow, fast;

    (void)state;
    bed_start(&bed, (struct http_options){.threads = 1, .workers = 1});
    bed.seen.held = 1;
    slow = bed_connect(&bed);
    assert_true(say(slow, "GET /held HTTP/1.1\r\n\r\n"));
    wait_until(&bed.seen.running, 1);
    fast = bed_connect(&bed);
    for (int i = 0; i < 20; i++)
        ask(fast, "GET /a HTTP/1.1\r\n\r\n", 200, "GET|/a|||0|127.0.0.1");
    bed.seen.held = 0;
    ask(slow, "", 200, "GET|/held|||0|127.0.0.1");
    ask(slow, "GET /held HTTP/1.1\r\n\r\n", 200, "GET|/held|||0|127.0.0.1");
    close(slow);
    close(fast);
    bed_stop(&bed);
}

static void refuses_when_no_worker_is_free(void **state)
{
    enum { COUNT = LIMIT_HTTP_WAITING_OF_ONE + 1 };
    struct bed bed;
    int fds[COUNT];

    (void)state;
    bed_start(&bed, (struct http_options){.workers = 1, .threads = 2});
    bed.seen.held = 1;
    for (int i = 0; i < COUNT; i++) {
        fds[i] = bed_connect(&bed);
        assert_true(say(fds[i], "GET /held HTTP/1.1\r\n\r\n"));
        if (i == 0)
            wait_until(&bed.seen.running, 1);
    }
    wait_until(&bed.seen.begun, COUNT);
    ask_once(&bed, "GET /held HTTP/1.1\r\n\r\n", 500,
        "refused 500 code 8: 128 requests wait already, or 96 of this caller: try "
        "again later");
    assert_int_equal(ERR_BUSY, 8);
    bed.seen.held = 0;
    for (int i = 0; i < COUNT; i++) {
        ask(fds[i], "", 200, NULL);
        close(fds[i]);
    }
    bed_stop(&bed);
}

static void forgets_clients_that_vanish(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    struct bed bed;

    (void)state;
    bed_start(&bed, (struct http_options){.workers = 2});
    bed.seen.held = 1;
    for (int i = 0; i < 8; i++) {
        int fd = bed_connect(&bed), waiting = bed.seen.begun;

        /* by turns in a body, in a worker or its queue; with an orderly end and with a reset */
        assert_true(say(fd, i & 1 ? "POST /keep HTTP/1.1\r\nContent-Length: 100000\r\n\r\nabc"
                                  : "GET /held HTTP/1.1\r\n\r\n"));
        wait_until(&bed.seen.begun, waiting + 1);
        if (i & 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    wait_until(&bed.seen.freed, 4); /* the bodies */
    bed.seen.held = 0;
    wait_until(&bed.seen.freed, 8);
    assert_int_equal(bed.seen.handled, 4);
    wait_for_connections(&bed, 0);
    bed_stop(&bed);
}

/* Bytes and the end behind them arrive together, on new connections and on kept ones. */
static void notices_who_leaves_in_mid_sentence(void **state)
{
    struct bed bed;

    (void)state;
    bed_start(&bed, (struct http_options){.threads = 1});
    for (int i = 0; i < 300; i++) {
        int fd = bed_connect(&bed);

        if (i % 3)
            ask(fd, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
        assert_true(
            say(fd, i % 3 == 1 ? "GE" : "POST /keep HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"));
        close(fd);
    }
    wait_for_connections(&bed, 0);
    bed_stop(&bed);
}

/* A request and the end of the client's side together are a request all the same. Not under TLS,
 * where an end of one side ends both (RFC 5246, section 7.2.1). */
#ifndef BED_TLS
static void answers_who_closes_one_side(void **state)
{
    struct bed bed;
    int fd;

    (void)state;
    bed_start(&bed, (struct http_options){.threads = 1});
    bed.seen.held = 1;
    fd = bed_connect(&bed);
    assert_true(say(fd, "GET /held HTTP/1.1\r\n\r\n"));
    shutdown(fd, SHUT_WR);
    usleep(2500000);
    bed.seen.held = 0;
    ask(fd, "", 200, "GET|/held|||0|127.0.0.1");
    assert_true(is_closed(fd));
    close(fd);
    bed_stop(&bed);
}
#endif

/* Says a byte each 100 ms; true when the server closed before `max_ms`. */
static bool drips(int fd, const char *byte, int max_ms)
{
    for (int ms = 0; ms < max_ms; ms += 100) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char c;

        if (!say(fd, byte) || (poll(&p, 1, 100) > 0 && recv(fd, &c, 1, 0) <= 0))
            return true;
    }
    return false;
}

static void cuts_off_what_drips(void **state)
{
    struct http_counters counters;
    struct bed bed;
    int header, body, line, idle;

    (void)state;
    bed_start(&bed, (struct http_options){.header_seconds = 1, .body_seconds = 1});
    line = bed_connect(&bed);
    assert_true(drips(line, "G", 4000));
    header = bed_connect(&bed);
    assert_true(say(header, "GET /a HTTP/1.1\r\nX: "));
    assert_true(drips(header, "h", 4000));
    body = bed_connect(&bed);
    assert_true(say(body, "POST /keep HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"));
    assert_true(drips(body, "b", 4000));
    http_server_counters(bed.server, &counters);
    assert_int_equal(counters.refused_slow, 3);
    close(line);
    close(header);
    close(body);

    /* The second request of a connection has the same time for its headers; idling costs nothing.
     */
    idle = bed_connect(&bed);
    ask(idle, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    usleep(2500000);
    ask(idle, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    assert_true(say(idle, "GET /a HTTP/1.1\r\nX: "));
    assert_true(drips(idle, "h", 4000));
    close(idle);
    http_server_counters(bed.server, &counters);
    assert_int_equal(counters.refused_slow, 4);
    bed_stop(&bed);
}

static void cuts_off_who_does_not_read(void **state)
{
    struct http_counters counters = {0};
    int fd, small = 4096;
    struct bed bed;

    (void)state;
    bed_start(&bed, (struct http_options){.body_seconds = 1});
    fd = bed_connect(&bed);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (int i = 0; i < 8; i++)
        assert_true(say(fd, "GET /big HTTP/1.1\r\n\r\n"));
    for (int i = 0; i < 400 && !counters.refused_slow; i++) {
        usleep(10000);
        http_server_counters(bed.server, &counters);
    }
    assert_int_equal(counters.refused_slow, 1);
    wait_for_connections(&bed, 0);
    close(fd);
    bed_stop(&bed);
}

static void closes_idle_connections(void **state)
{
    struct bed bed;
    int fd;

    (void)state;
    bed_start(&bed, (struct http_options){.idle_seconds = 1});
    fd = bed_connect(&bed);
    ask(fd, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    assert_true(is_closed(fd));
    close(fd);
    bed_stop(&bed);
}

static void limits_connections(void **state)
{
    struct http_options all = {.max_connections = 4, .threads = 2};
    struct http_options each = {.max_connections_per_address = 3};

    (void)state;
    for (int round = 0; round < 2; round++) {
        int limit = round ? 3 : 4, fds[4];
        struct bed bed;

        bed_start(&bed, round ? each : all);
        for (int i = 0; i < limit; i++) {
            fds[i] = bed_connect(&bed);
            ask(fds[i], "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
        }
        ask_once(&bed, "", 0, NULL);
        ask(fds[0], "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
        close(fds[0]);
        wait_for_connections(&bed, (uint64_t)limit - 1);
        ask_once(&bed, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
        for (int i = 1; i < limit; i++)
            close(fds[i]);
        bed_stop(&bed);
    }
}

static void *stop_thread(void *arg)
{
    struct bed *bed = arg;

    http_server_stop(bed->server, 5000);
    return NULL;
}

static void drains_before_it_ends(void **state)
{
    int held, kept, queued, closed = -1;
    pthread_t stopper;
    struct bed bed;

    (void)state;
    bed_start(&bed, (struct http_options){.workers = 1});
    bed.seen.held = 1;
    held = bed_connect(&bed);
    assert_true(say(held, "GET /held HTTP/1.1\r\n\r\n"));
    wait_until(&bed.seen.running, 1);
    queued = bed_connect(&bed);
    assert_true(say(queued, "GET /held HTTP/1.1\r\n\r\n"));
    wait_until(&bed.seen.begun, 2);
    kept = bed_connect(&bed);
    ask(kept, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);

    assert_int_equal(pthread_create(&stopper, NULL, stop_thread, &bed), 0);
    for (int i = 0; i < 1000 && closed < 0; i++) {
        int fd = try_connect(&bed);

        if (fd < 0)
            closed = 0;
        else
            close(fd);
        usleep(1000);
    }
    assert_int_equal(closed, 0);
    ask(kept, "GET /a HTTP/1.1\r\n\r\n", 502,
        "refused 502 code 8: the server is shutting down: try again");
    assert_true(is_closed(kept));
    bed.seen.held = 0;
    ask(held, "", 200, NULL);
    ask(queued, "", 200, NULL);
    pthread_join(stopper, NULL);
    assert_int_equal(bed.seen.begun, bed.seen.freed);
    close(held);
    close(kept);
    close(queued);
}

static void *release_later(void *arg)
{
    struct seen *seen = arg;

    usleep(300000);
    seen->held = 0;
    return NULL;
}

/* Past the drain time the running handler is waited for, and what waits behind it is dropped. */
static void ends_when_the_drain_time_is_over(void **state)
{
    struct bed bed;
    pthread_t later;
    int fds[3];

    (void)state;
    bed_start(&bed, (struct http_options){.workers = 1});
    bed.seen.held = 1;
    for (int i = 0; i < 3; i++) {
        fds[i] = bed_connect(&bed);
        assert_true(say(fds[i], i < 2 ? "GET /held HTTP/1.1\r\n\r\n"
                                      : "POST /keep HTTP/1.1\r\nContent-Length: 9\r\n\r\n"));
        wait_until(&bed.seen.begun, i + 1);
    }
    assert_int_equal(pthread_create(&later, NULL, release_later, &bed.seen), 0);
    http_server_stop(bed.server, 50);
    pthread_join(later, NULL);
    assert_int_equal(bed.seen.handled, 1);
    assert_int_equal(bed.seen.freed, 3);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

struct client {
    struct bed *bed;
    pthread_t thread;
    int requests;
    char (*ids)[33];
};

static void *run_client(void *arg)
{
    struct client *client = arg;
    int fd = bed_connect(client->bed);

    for (int i = 0; i < client->requests; i++) {
        static const char *const requests[] = {"GET /a HTTP/1.1\r\n\r\n",
            "POST /keep?blocking HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            "GET /held HTTP/1.1\r\n\r\n", "GET /deny HTTP/1.1\r\n\r\n"};
        static const int statuses[] = {200, 200, 200, 401};
        struct answer answer;

        assert_true(say(fd, requests[i % 4]));
        answer = hear(fd, true);
        assert_int_equal(answer.status, statuses[i % 4]);
        memcpy(client->ids[i], answer.id, sizeof(answer.id));
        answer_release(&answer);
        if (i % 50 == 49) {
            close(fd);
            fd = bed_connect(client->bed);
        }
    }
    close(fd);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void serves_many_requests(void **state)
{
    enum { SEQUENTIAL = 1000, CLIENTS = 8, EACH = 200, ALL = SEQUENTIAL + CLIENTS * EACH };
    static char ids[ALL][33];
    struct client clients[1 + CLIENTS];
    struct http_counters counters;
    struct bed bed;

    (void)state;
    bed_start(&bed, (struct http_options){.threads = 2});
    clients[0] = (struct client){.bed = &bed, .requests = SEQUENTIAL, .ids = ids};
    run_client(&clients[0]);
    for (int i = 1; i <= CLIENTS; i++) {
        clients[i] = (struct client){
            .bed = &bed, .requests = EACH, .ids = ids + SEQUENTIAL + (i - 1) * EACH};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
    }
    for (int i = 1; i <= CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    http_server_counters(bed.server, &counters);
    assert_int_equal(counters.requests, ALL);
    assert_int_equal(counters.refused_slow, 0);
    bed_stop(&bed);
    qsort(ids, ALL, sizeof(ids[0]), compare_ids);
    for (int i = 0; i < ALL; i++) {
        assert_int_equal(strspn(ids[i], "0123456789abcdef"), 32);
        assert_true(i == 0 || strcmp(ids[i - 1], ids[i]) != 0);
    }
}

static void *hammer(void *arg)
{
    const struct bed *bed = arg;
    int fd;

    while ((fd = try_connect(bed)) >= 0) {
        for (bool open = true; open;) {
            struct answer answer;

            open = say(fd, "GET /held HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\n");
            for (int i = 0; open && i < 2; i++) {
                answer = hear(fd, true);
                open = answer.status == 200;
                answer_release(&answer);
            }
        }
        close(fd);
    }
    return NULL;
}

static void stops_under_fire(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        pthread_t threads[4];
        struct bed bed;

        bed_start(&bed, (struct http_options){.threads = 2});
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, hammer, &bed), 0);
        usleep(20000);
        http_server_stop(bed.server, round % 2 ? 1000 : 0);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(bed.seen.begun, bed.seen.freed);
    }
}

/* Standard error while it goes to a file. */
struct capture {
    int file, before;
    char text[16384];
};

static void capture_start(struct capture *capture)
{
    capture->file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    capture->before = dup(STDERR_FILENO);
    assert_true(capture->file >= 0 && capture->before >= 0);
    dup2(capture->file, STDERR_FILENO);
}

static void capture_end(struct capture *capture)
{
    ssize_t got = pread(capture->file, capture->text, sizeof(capture->text) - 1, 0);

    dup2(capture->before, STDERR_FILENO);
    close(capture->before);
    close(capture->file);
    assert_true(got >= 0);
    capture->text[got] = '\0';
}

static void logs_each_request_once(void **state)
{
    static const struct {
        const char *request, *line; /* the line up to the time */
    } cases[] = {
        {"GET /a?limit=10 HTTP/1.1\r\n\r\n",
            "method=GET path=/a query=\"limit=10\" status=200 bytes=28 "},
        {"HEAD /a HTTP/1.1\r\n\r\n", "method=HEAD path=/a status=200 bytes=0 "},
        {"GET /\xff\\x HTTP/1.1\r\n\r\n", "method=GET path=\"/\\ufffd\\\\x\" status=200 bytes=22 "},
        {"GET /deny HTTP/1.1\r\n\r\n", "method=GET path=/deny status=401 bytes=6 "},
        {"GET /held HTTP/1.1\r\n\r\n", "method=GET path=/held status=200 bytes=23 "},
        {"POST /keep HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n",
            "method=POST path=/keep status=413 bytes=78 "},
        {"POST /keep HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "method=POST path=/keep status=400 "},
        {"GET /x y HTTP/1.1\r\n\r\n", "method=GET path=\"/x y\" status=400 "},
        {"GET /a HTTP/1.1\r\nno colon\r\n\r\n", "msg=request path=/a status=400 "},
    };
    enum { CASES = sizeof(cases) / sizeof(cases[0]) };
    static const char client[] = " client=127.0.0.1 request_id=";
    char ids[CASES][33];
    struct capture capture;
    struct bed bed;
    const char *at;
    int lines = 0;

    (void)state;
    capture_start(&capture);
    bed_start(&bed, (struct http_options){.access_log = true});
    for (int i = 0; i < CASES; i++) {
        int fd = bed_connect(&bed);
        struct answer answer;

        assert_true(say(fd, cases[i].request));
        answer = hear(fd, !strstr(cases[i].request, "HEAD"));
        memcpy(ids[i], answer.id, sizeof(answer.id));
        answer_release(&answer);
        close(fd);
    }
    bed_stop(&bed);
    capture_end(&capture);
    for (int i = 0; i < CASES; i++) {
        const char *line = strstr(capture.text, cases[i].line), *end;

        if (!line)
            fail_msg("no \"%s\" in\n%s", cases[i].line, capture.text);
        end = strchr(line, '\n');
        assert_memory_equal(end - 32 - sizeof(client) + 1, client, sizeof(client) - 1);
        if (ids[i][0]) /* the library's own pages have none */
            assert_memory_equal(end - 32, ids[i], 32);
    }
    for (at = capture.text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, CASES);

    log_set_level(LOG_WARN);
    capture_start(&capture);
    bed_start(&bed, (struct http_options){.access_log = true});
    ask_once(&bed, cases[0].request, 200, NULL);
    bed_stop(&bed);
    capture_end(&capture);
    log_set_level(LOG_INFO);
    assert_string_equal(capture.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_fast_requests_pass_blocking_ones),
        cmocka_unit_test(refuses_when_no_worker_is_free),
        cmocka_unit_test(forgets_clients_that_vanish),
        cmocka_unit_test(notices_who_leaves_in_mid_sentence),
#ifndef BED_TLS
        cmocka_unit_test(answers_who_closes_one_side),
#endif
        cmocka_unit_test(cuts_off_what_drips),
        cmocka_unit_test(cuts_off_who_does_not_read),
        cmocka_unit_test(closes_idle_connections),
        cmocka_unit_test(limits_connections),
        cmocka_unit_test(drains_before_it_ends),
        cmocka_unit_test(ends_when_the_drain_time_is_over),
        cmocka_unit_test(stops_under_fire),
        cmocka_unit_test(serves_many_requests),
        cmocka_unit_test(logs_each_request_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
