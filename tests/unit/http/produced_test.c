/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are made while they are sent: whole, cut, slow, given up. */
#include "testbed.h"

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

/* All that comes up to the end of the connection, or until `until` stands at its end; heap. */
static char *hear_all(int fd, const char *until, size_t *ret_len)
{
    size_t len = 0, cap = 1 << 20, end = strlen(until);
    char *all = malloc(cap);

    assert_non_null(all);
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        assert_true(poll(&p, 1, 10000) > 0);
        if (cap - len < 65536) {
            cap *= 2;
            all = realloc(all, cap);
            assert_non_null(all);
        }
        got = recv(fd, all + len, cap - len - 1, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
        if (end && len >= end && memcmp(all + len - end, until, end) == 0)
            break;
    }
    all[len] = '\0';
    *ret_len = len;
    return all;
}

/* Takes the chunks apart, in place; *len goes from bytes to bytes of the body. False: the last one
 * is missing. */
static bool join_chunks(char *at, size_t *len)
{
    char *to = at, *start = at;
    const char *end = at + *len;

    for (;;) {
        size_t size = 0;
        char *line = strstr(at, "\r\n");

        if (!line)
            break;
        for (; at < line; at++)
            size = size * 16 + (size_t)(*at <= '9' ? *at - '0' : (*at | 32) - 'a' + 10);
        if (size == 0) {
            *len = (size_t)(to - start);
            assert_string_equal(line, "\r\n\r\n");
            return true;
        }
        if (size > (size_t)(end - line - 2))
            break;
        memmove(to, line + 2, size);
        to += size;
        at = line + 2 + size + 2;
    }
    *len = (size_t)(to - start);
    return false;
}

static void check_body(const char *body, size_t len, const char *letters)
{
    size_t at = 6;

    assert_memory_equal(body, "begin ", 6);
    for (; *letters; letters++) {
        if (*letters == '-')
            continue;
        assert_true(len >= at + PIECE_BYTES);
        for (int i = 0; i < PIECE_BYTES; i++)
            assert_int_equal(body[at + (size_t)i], *letters);
        at += PIECE_BYTES;
    }
    assert_int_equal(len, at);
}

static void is_chunked(void **state)
{
    int fd = bed_connect(&bed);

    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t len;
        char *all, *body;

        assert_true(say(fd, "GET /pieces?ab-c-- HTTP/1.1\r\nHost: x\r\n\r\n"));
        all = hear_all(fd, "\r\n0\r\n\r\n", &len);
        body = strstr(all, "\r\n\r\n") + 4;
        len -= (size_t)(body - all);
        assert_non_null(strstr(all, "\r\nTransfer-Encoding: chunked\r\n"));
        assert_non_null(strstr(all, "\r\nContent-Type: text/plain\r\n"));
        assert_null(strstr(all, "Content-Length"));
        assert_true(join_chunks(body, &len));
        check_body(body, len, "abc");
        free(all);
    }
    ask(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET|/a|||0|127.0.0.1");
    close(fd);
    wait_until(&bed.seen.done, 4);
    assert_int_equal(bed.seen.done_cut, 0);
}

static void ends_with_the_connection_in_1_0(void **state)
{
    int fd = bed_connect(&bed);
    char *all, *body;
    size_t len;

    (void)state;
    assert_true(say(fd, "GET /pieces?xy HTTP/1.0\r\n\r\n"));
    all = hear_all(fd, "", &len);
    body = strstr(all, "\r\n\r\n") + 4;
    assert_null(strstr(all, "chunked"));
    check_body(body, len - (size_t)(body - all), "xy");
    free(all);
    close(fd);
}

static void has_no_pieces_for_head(void **state)
{
    int fd = bed_connect(&bed), pieces = bed.seen.pieces;
    struct answer answer;

    (void)state;
    assert_true(say(fd, "HEAD /pieces?xy HTTP/1.1\r\n\r\n"));
    answer = hear(fd, false);
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    ask(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL);
    assert_int_equal(bed.seen.pieces, pieces);
    close(fd);
}

static void is_cut_where_it_fails(void **state)
{
    int fd = bed_connect(&bed), cut = bed.seen.done_cut;
    char *all, *body;
    size_t len;

    (void)state;
    assert_true(say(fd, "GET /pieces?ab!c HTTP/1.1\r\nHost: x\r\n\r\n"));
    all = hear_all(fd, "", &len);
    body = strstr(all, "\r\n\r\n") + 4;
    len -= (size_t)(body - all);
    assert_false(join_chunks(body, &len));
    check_body(body, len, "ab");
    free(all);
    close(fd);
    wait_until(&bed.seen.done_cut, cut + 1);
}

/* Who does not read gets no more made than fits on the way, and others are answered meanwhile. */
static void waits_for_a_reader(void **state)
{
    enum { PIECES = 400 };
    char request[PIECES + 100] = "GET /pieces?", letters[PIECES + 1] = "";
    int fd = bed_connect(&bed), before = bed.seen.pieces, made;
    char *all, *body;
    size_t len;

    (void)state;
    memset(letters, 'w', PIECES);
    memcpy(request + strlen(request), letters, PIECES);
    memcpy(request + strlen(request), " HTTP/1.1\r\n\r\n", 14);
    assert_true(say(fd, request));
    do {
        made = bed.seen.pieces;
        for (int i = 0; i < 20; i++)
            ask_once(&bed, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
        usleep(100000);
    } while (made != bed.seen.pieces);
    assert_true(made - before > 0 && made - before < PIECES / 2);
    assert_int_equal(bed.seen.producers, 1);
    all = hear_all(fd, "\r\n0\r\n\r\n", &len);
    body = strstr(all, "\r\n\r\n") + 4;
    len -= (size_t)(body - all);
    assert_true(join_chunks(body, &len));
    check_body(body, len, letters);
    free(all);
    close(fd);
}

static void ends_when_the_client_goes(void **state)
{
    int fd = bed_connect(&bed), cut = bed.seen.done_cut;
    char some[1000];

    (void)state;
    assert_true(
        say(fd, "GET /pieces?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb HTTP/1.1\r\n\r\n"));
    assert_int_equal(hear_bytes(fd, some, sizeof(some)), sizeof(some));
    close(fd);
    wait_until(&bed.seen.done_cut, cut + 1);
    wait_until(&bed.seen.producers, 0);
}

/* Longer than a connection may idle: what counts is the deadline. */
static void may_be_read_in_strides(void **state)
{
    enum { PIECES = 200 };
    char request[PIECES + 100] = "GET /pieces?";
    struct bed slow;
    char *all, *body;
    size_t len;
    int fd;

    (void)state;
    memset(request + strlen(request), 's', PIECES);
    memcpy(request + strlen(request), " HTTP/1.1\r\nConnection: close\r\n\r\n", 33);
    bed_start(&slow, (struct http_options){.threads = 1, .idle_seconds = 1});
    fd = bed_connect(&slow);
    assert_true(say(fd, request));
    usleep(3000000);
    all = hear_all(fd, "", &len);
    body = strstr(all, "\r\n\r\n") + 4;
    len -= (size_t)(body - all);
    assert_true(join_chunks(body, &len));
    assert_int_equal(len, 6 + (size_t)PIECES * PIECE_BYTES);
    free(all);
    close(fd);
    bed_stop(&slow);
}

/* A deadline of a second for each piece: a client that takes three seconds for the whole is served,
 * one that stops reading is cut. */
static void has_a_deadline_for_each_piece(void **state)
{
    enum { PIECES = 200 };
    char request[PIECES + 100] = "GET /pieces?", part[65536];
    struct bed slow;
    int64_t start_us;
    int fd;
    size_t heard = 0;

    (void)state;
    memset(request + strlen(request), 's', PIECES);
    memcpy(request + strlen(request), " HTTP/1.1\r\nConnection: close\r\n\r\n", 33);
    bed_start(&slow, (struct http_options){.threads = 1, .body_seconds = 1});
    fd = bed_connect(&slow);
    start_us = clock_monotonic_us();
    assert_true(say(fd, request));
    while (heard < (size_t)PIECES * PIECE_BYTES) {
        ssize_t got = hear_bytes(fd, part, sizeof(part));

        if (got <= 0)
            break;
        heard += (size_t)got;
        usleep(10000);
    }
    assert_true(clock_monotonic_us() - start_us > 2500000);
    assert_true(heard >= (size_t)PIECES * PIECE_BYTES);
    close(fd);
    fd = bed_connect(&slow);
    assert_true(say(fd, request));
    wait_until(&slow.seen.done_cut, 1);
    close(fd);
    bed_stop(&slow);
}

static void is_cut_when_the_server_stops(void **state)
{
    struct bed brief;
    char request[300] = "GET /pieces?", some[1000];
    int fd;

    (void)state;
    memset(request + strlen(request), 's', 200);
    memcpy(request + strlen(request), " HTTP/1.1\r\n\r\n", 14);
    bed_start(&brief, (struct http_options){.threads = 1});
    fd = bed_connect(&brief);
    assert_true(say(fd, request));
    assert_int_equal(hear_bytes(fd, some, sizeof(some)), sizeof(some));
    http_server_stop(brief.server, 100);
    assert_int_equal(brief.seen.done_cut, 1);
    assert_int_equal(brief.seen.producers, 0);
    assert_int_equal(brief.seen.begun, brief.seen.freed);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_chunked),
        cmocka_unit_test(ends_with_the_connection_in_1_0),
        cmocka_unit_test(has_no_pieces_for_head),
        cmocka_unit_test(is_cut_where_it_fails),
        cmocka_unit_test(waits_for_a_reader),
        cmocka_unit_test(ends_when_the_client_goes),
        cmocka_unit_test(may_be_read_in_strides),
        cmocka_unit_test(has_a_deadline_for_each_piece),
        cmocka_unit_test(is_cut_when_the_server_stops),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
