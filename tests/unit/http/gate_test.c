/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in, and who has to leave for whom. */
#include "testbed.h"

static struct http_counters counters_of(const struct bed *bed)
{
    struct http_counters counters;

    http_server_counters(bed->server, &counters);
    return counters;
}

/* Far more at once than there is room for: most are closed at once, and the server lives on. */
static void survives_a_flood(void **state)
{
    enum { COUNT = 400 };
    struct bed bed;
    int fds[COUNT];

    (void)state;
    bed_start(&bed, (struct http_options){.max_connections = 8, .threads = 2});
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < COUNT; i++)
            fds[i] = bed_connect(&bed);
        for (int i = 0; i < COUNT; i++)
            close(fds[i]);
    }
    wait_for_connections(&bed, 0);
    assert_true(counters_of(&bed).refused_full > 0);
    for (int i = 0; i < 16; i++)
        ask_once(&bed, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    bed_stop(&bed);
}

/* True when the server closes within two seconds. */
static bool is_shown_out(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;

    return poll(&p, 1, 2000) > 0 && recv(fd, &c, 1, 0) <= 0;
}

static bool is_open(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void shows_out_who_waits_longest(void **state)
{
    struct bed bed;
    int idle, half_open, busy, fresh, next, late;

    (void)state;
    bed_start(&bed, (struct http_options){.max_connections = 4, .threads = 1, .workers = 1});
    half_open = bed_connect(&bed);
    usleep(20000);
    idle = bed_connect(&bed);
    ask(idle, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    bed.seen.held = 1;
    busy = bed_connect(&bed);
    assert_true(say(busy, "GET /held HTTP/1.1\r\n\r\n"));
    wait_until(&bed.seen.running, 1);
    usleep(1300000);
    fresh = bed_connect(&bed);
    ask(fresh, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);

    next = bed_connect(&bed);
    ask(next, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    assert_true(is_shown_out(half_open));
    assert_true(is_open(idle));
    late = bed_connect(&bed);
    ask(late, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    assert_true(is_shown_out(idle));

    /* Who has waited for less than a second stays, and so does who is being answered. */
    assert_int_equal(counters_of(&bed).refused_full, 0);
    ask_once(&bed, "", 0, NULL);
    assert_int_equal(counters_of(&bed).refused_full, 1);
    assert_true(is_open(fresh) && is_open(next) && is_open(late));
    bed.seen.held = 0;
    ask(busy, "", 200, NULL);
    assert_int_equal(counters_of(&bed).refused_slow, 0);
    close(idle);
    close(half_open);
    close(busy);
    close(fresh);
    close(next);
    close(late);
    bed_stop(&bed);
}

/* A request that is on its way when its connection would have to leave is answered. */
static void spares_who_has_begun_to_speak(void **state)
{
    struct bed bed;
    int speaking, waiting, next;

    (void)state;
    bed_start(&bed, (struct http_options){.max_connections = 2, .threads = 1});
    speaking = bed_connect(&bed);
    waiting = bed_connect(&bed);
    assert_true(say(speaking, "GET /a HTTP/1.1\r\n"));
    usleep(1300000);
    next = bed_connect(&bed);
    ask(next, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    assert_true(is_shown_out(waiting));
    ask(speaking, "\r\n", 200, NULL);
    close(speaking);
    close(waiting);
    close(next);
    bed_stop(&bed);
}

static int connect_from(const struct bed *bed, const char *source)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = bed->port};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Many who have just come from one address, and say nothing, do not keep others out. */
static void shows_out_a_crowd_at_once(void **state)
{
    enum { COUNT = 64 };
    struct bed bed;
    int fds[COUNT], other;

    (void)state;
    bed_start(&bed, (struct http_options){.max_connections = COUNT, .threads = 1});
    for (int i = 0; i < COUNT; i++)
        fds[i] = bed_connect(&bed);
    wait_for_connections(&bed, COUNT);
    ask_once(&bed, "", 0, NULL); /* one more of them */
    assert_int_equal(counters_of(&bed).refused_full, 1);
    assert_true(is_open(fds[0]));
    other = connect_from(&bed, "127.0.0.2");
    ask(other, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    close(other);
    assert_true(is_shown_out(fds[0]));
    assert_true(is_open(fds[COUNT - 1]));
    assert_int_equal(counters_of(&bed).refused_full, 1);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    bed_stop(&bed);
}

static void does_not_limit_proxies(void **state)
{
    const char *const proxies[] = {NULL, "127.0.0.0/8"};

    (void)state;
    for (int trusted = 0; trusted < 2; trusted++) {
        struct bed bed;
        int fds[5], served = 0;

        bed_start(&bed, (struct http_options){
                            .max_connections_per_address = 3, .trusted_proxies = proxies[trusted]});
        for (int i = 0; i < 5; i++) {
            struct answer answer;

            fds[i] = bed_connect(&bed);
            (void)say(fds[i], "GET /a HTTP/1.1\r\n\r\n");
            answer = hear(fds[i], true);
            served += answer.status == 200;
            answer_release(&answer);
        }
        assert_int_equal(served, trusted ? 5 : 3);
        assert_int_equal(counters_of(&bed).refused_full, trusted ? 0 : 2);
        for (int i = 0; i < 5; i++)
            close(fds[i]);
        bed_stop(&bed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_flood),
        cmocka_unit_test(shows_out_who_waits_longest),
        cmocka_unit_test(spares_who_has_begun_to_speak),
        cmocka_unit_test(shows_out_a_crowd_at_once),
        cmocka_unit_test(does_not_limit_proxies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
