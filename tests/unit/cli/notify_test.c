/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams to a service manager that the test plays, and servers that react or do not. */
#include "unit.h"

#include "cli/notify.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* A bound datagram socket, which NOTIFY_SOCKET names. */
static int play_manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void hear(int fd, const char *expected)
{
    char text[2000];
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

    assert_true(got >= 0);
    text[got] = '\0';
    assert_string_equal(text, expected);
}

static void tells_by_path_and_by_name(void **state)
{
    char folder[] = "/tmp/notify-XXXXXX", path[64], abstract[64];
    const char *const names[] = {path, abstract};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(abstract, sizeof(abstract), "@careen-notify-test-%d", (int)getpid());
    for (size_t i = 0; i < 2; i++) {
        int fd = play_manager(names[i]);
        struct notify notify;
        struct err err = {0};

        assert_ok(notify_open(&notify, &err));
        assert_true(notify_wanted(&notify));
        notify_send(&notify, "READY=1\nSTATUS=%s", "well");
        hear(fd, "READY=1\nSTATUS=well");
        for (int k = 0; k < 10000; k++) /* nobody reads: nothing may wait */
            notify_send(&notify, "WATCHDOG=1");
        close(fd);
        notify_send(&notify, "WATCHDOG=1"); /* the manager is gone */
        notify_close(&notify);
    }
    unlink(path);
    rmdir(folder);
}

static void names_that_are_wrong(void **state)
{
    static const char *const bad[] = {"relative", "@", "/", "vsock:2:1234"};
    char endless[200];
    struct notify notify;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setenv("NOTIFY_SOCKET", bad[i], 1);
        assert_int_equal(notify_open(&notify, &err), -1);
        assert_false(notify_wanted(&notify));
        notify_send(&notify, "READY=1");
    }
    memset(endless, '/', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    setenv("NOTIFY_SOCKET", endless, 1);
    assert_int_equal(notify_open(&notify, &err), -1);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_ok(notify_open(&notify, &err));
    assert_false(notify_wanted(&notify));
    unsetenv("NOTIFY_SOCKET");
    assert_ok(notify_open(&notify, &err));
    assert_false(notify_wanted(&notify));
}

static int64_t watchdog(const char *us, const char *pid)
{
    struct notify notify;
    struct err err = {0};

    us ? setenv("WATCHDOG_USEC", us, 1) : unsetenv("WATCHDOG_USEC");
    pid ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID");
    assert_ok(notify_open(&notify, &err));
    notify_close(&notify);
    return notify.watchdog_us;
}

static void watchdog_is_for_this_process(void **state)
{
    char name[64], self[16];
    int fd;

    (void)state;
    snprintf(name, sizeof(name), "@careen-watchdog-test-%d", (int)getpid());
    snprintf(self, sizeof(self), "%d", (int)getpid());
    fd = play_manager(name);
    assert_int_equal(watchdog("30000000", NULL), 30000000);
    assert_int_equal(watchdog("30000000", self), 30000000);
    assert_int_equal(watchdog("30000000", "1"), 0);
    assert_int_equal(watchdog("30000000", "x"), 0);
    assert_int_equal(watchdog("soon", self), 0);
    assert_int_equal(watchdog("18446744073709551615", self), 0);
    assert_int_equal(watchdog(NULL, self), 0);
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

/* --- Health ----------------------------------------------------------------------------------- */

enum behaviour { ANSWERS, HANGS_UP, IS_SILENT };

struct fake {
    int fd;
    enum behaviour behaviour;
};

/* One connection, held until the socket is shut down. */
static void *play_server(void *ctx)
{
    const struct fake *fake = ctx;
    char request[4096];
    int fd = accept(fake->fd, NULL, NULL);

    if (fd < 0)
        return NULL;
    if (fake->behaviour == ANSWERS && recv(fd, request, sizeof(request), 0) > 0)
        (void)!write(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
    if (fake->behaviour == IS_SILENT)
        while (recv(fd, request, sizeof(request), 0) > 0)
            ;
    close(fd);
    return NULL;
}

static bool asked(const char *format, int family, enum behaviour behaviour)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *address = family == AF_INET ? (void *)&four : (void *)&six;
    socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);
    struct fake fake = {socket(family, SOCK_STREAM, 0), behaviour};
    char text[64];
    pthread_t thread;
    bool reacts;

    assert_int_equal(bind(fake.fd, address, len), 0);
    assert_int_equal(listen(fake.fd, 1), 0);
    assert_int_equal(getsockname(fake.fd, address, &len), 0);
    snprintf(text, sizeof(text), "%s:%u", format,
        ntohs(family == AF_INET ? four.sin_port : six.sin6_port));
    assert_int_equal(pthread_create(&thread, NULL, play_server, &fake), 0);
    reacts = server_reacts(text, 200);
    shutdown(fake.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fake.fd);
    assert_false(server_reacts(text, 200)); /* nobody listens any more */
    return reacts;
}

static void a_server_reacts_or_does_not(void **state)
{
    (void)state;
    assert_true(asked("127.0.0.1", AF_INET, ANSWERS));
    assert_true(asked("127.0.0.1", AF_INET, HANGS_UP));
    assert_false(asked("127.0.0.1", AF_INET, IS_SILENT));
    assert_true(asked("0.0.0.0", AF_INET, ANSWERS));
    assert_false(server_reacts("nowhere", 100));
    assert_false(server_reacts("127.0.0.1:", 100));
    assert_true(asked("[::1]", AF_INET6, ANSWERS));
    assert_true(asked("[::]", AF_INET6, ANSWERS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_by_path_and_by_name),
        cmocka_unit_test(names_that_are_wrong),
        cmocka_unit_test(watchdog_is_for_this_process),
        cmocka_unit_test(a_server_reacts_or_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
