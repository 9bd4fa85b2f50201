/* SPDX-License-Identifier: Apache-2.0 */
/* What is known and told of a request beside its answer: its client, its end; and its interruption.
 */
#include "testbed.h"

static void finds_the_client_behind_proxies(void **state)
{
    static const struct {
        const char *proxies, *headers, *client;
    } cases[] = {
        {NULL, "X-Forwarded-For: 203.0.113.9\r\n", "127.0.0.1"},
        {"10.0.0.0/8", "X-Forwarded-For: 203.0.113.9\r\n", "127.0.0.1"},
        {"127.0.0.1", "", "127.0.0.1"},
        {"127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"},
        {"127.0.0.1", "x-forwarded-for: 198.51.100.1 , 203.0.113.9 \r\n", "203.0.113.9"},
        {"127.0.0.1,10.0.0.0/8",
            "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.4\r\nA: b\r\n"
            "X-FORWARDED-FOR: 10.0.0.3\r\n",
            "203.0.113.9"},
        {"127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: x\r\n", "127.0.0.1"},
        {"127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For:\r\n", "127.0.0.1"},
        {"127.0.0.1", "X-Forwarded-Fo: 203.0.113.9\r\n", "127.0.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[400], wanted[100];
        struct bed bed;
        int fd;

        bed_start(&bed, (struct http_options){.trusted_proxies = cases[i].proxies, .threads = 1});
        snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\n%s\r\n", cases[i].headers);
        snprintf(wanted, sizeof(wanted), "GET|/a|||0|%s", cases[i].client);
        fd = bed_connect(&bed);
        ask(fd, request, 200, wanted);
        /* The next request of the connection is by whom it says. */
        ask(fd, "GET /b HTTP/1.1\r\n\r\n", 200, "GET|/b|||0|127.0.0.1");
        close(fd);
        bed_stop(&bed);
    }
}

static void refuses_bad_proxies(void **state)
{
    struct http_app app = {0};
    struct http_options options = {
        .listen = "127.0.0.1:0", .spool_dir = "/tmp", .trusted_proxies = "10.0.0.1/8"};
    struct err err = {0};

    (void)state;
    assert_null(http_server_start(&options, &app, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

static void tells_of_every_end(void **state)
{
    struct bed bed;
    int fd;

    (void)state;
    bed_start(&bed, (struct http_options){.threads = 1});
    ask_once(&bed, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    ask_once(&bed, "GET /deny HTTP/1.1\r\n\r\n", 401, NULL);
    ask_once(&bed, "POST /keep HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413, NULL);
    ask_once(&bed, "GET /x y HTTP/1.1\r\n\r\n", 400, NULL);
    ask_once(&bed, "GET /a HTTP/1.1\r\nno colon\r\n\r\n", 400, NULL);
    fd = bed_connect(&bed);
    assert_true(say(fd, "POST /keep HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"));
    wait_until(&bed.seen.begun, 4);
    close(fd);
    wait_until(&bed.seen.done, 6);
    assert_int_equal(bed.seen.done_without_user, 2);
    assert_int_equal(bed.seen.done_status[2], 1);
    assert_int_equal(bed.seen.done_status[4], 4);
    assert_int_equal(bed.seen.done_status[0], 1);
    assert_true(bed.seen.done_cut >= 1);
    bed_stop(&bed);
    assert_int_equal(bed.seen.done, 6);
}

static void counts_who_waits_for_a_worker(void **state)
{
    struct http_counters counters;
    struct bed bed;
    int fds[4];

    (void)state;
    bed_start(&bed, (struct http_options){.workers = 1});
    bed.seen.held = 1;
    for (int i = 0; i < 4; i++) {
        fds[i] = bed_connect(&bed);
        assert_true(say(fds[i], "GET /held HTTP/1.1\r\n\r\n"));
        if (i == 0)
            wait_until(&bed.seen.running, 1);
    }
    for (int i = 0; i < 1000; i++) {
        http_server_counters(bed.server, &counters);
        if (counters.waiting == 3)
            break;
        usleep(1000);
    }
    assert_int_equal(counters.waiting, 3);
    bed.seen.held = 0;
    for (int i = 0; i < 4; i++) {
        ask(fds[i], "", 200, NULL);
        close(fds[i]);
    }
    http_server_counters(bed.server, &counters);
    assert_int_equal(counters.waiting, 0);
    bed_stop(&bed);
}

/* Bytes whose reading takes 20 s. */
static int send_slow(struct bed *bed)
{
    static char body[KEEP_MAX];
    int fd = bed_connect(bed), before = bed->seen.running;
    char head[100];

    snprintf(head, sizeof(head), "POST /slow HTTP/1.1\r\nContent-Length: %d\r\n\r\n", KEEP_MAX);
    assert_true(say(fd, head) && say_bytes(fd, body, sizeof(body)));
    wait_until(&bed->seen.running, before + 1);
    return fd;
}

static void stops_reading_for_who_has_hung_up(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    struct bed bed;
    int fd, staying;

    (void)state;
    /* One more than run: nobody has all of them. */
    bed_start(&bed, (struct http_options){.workers = 3});
    staying = send_slow(&bed);
    fd = send_slow(&bed);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    for (int i = 0; i < 3000 && !bed.seen.interrupted; i++)
        usleep(1000);
    assert_int_equal(bed.seen.interrupted, 1);
    assert_int_equal(bed.seen.running, 1);

    /* An end of the server interrupts the other one, and it is told why. */
    http_server_stop(bed.server, 50);
    assert_int_equal(bed.seen.interrupted, 2);
    close(staying);
    assert_int_equal(bed.seen.begun, bed.seen.freed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_client_behind_proxies),
        cmocka_unit_test(refuses_bad_proxies),
        cmocka_unit_test(tells_of_every_end),
        cmocka_unit_test(counts_who_waits_for_a_worker),
        cmocka_unit_test(stops_reading_for_who_has_hung_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
