/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys made by openssl: what is taken, what is refused and how, and replacing them
 * under open connections. */
#define BED_TLS
#include "testbed.h"

#include "base/clock.h"
#include "http/tls.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

/* A root that signs an intermediate that signs "ec" and "rsa"; chains with the leaf first, and what
 * is wrong in every way. */
static const char recipe[] =
    "set -e; cd %s; exec 2>/dev/null\n"
    "curve='ec -pkeyopt ec_paramgen_curve:prime256v1'\n"
    "openssl req -x509 -newkey $curve -nodes -keyout root.key -out root.pem -days 9 -subj "
    "/CN=root\n"
    "openssl req -newkey $curve -nodes -keyout mid.key -out mid.csr -subj /CN=mid\n"
    "printf 'basicConstraints=critical,CA:true\\n' > ca.ext\n"
    "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > leaf.ext\n"
    "openssl x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9 "
    "  -extfile ca.ext -out mid.pem\n"
    "for kind in ec rsa; do\n"
    "  [ $kind = ec ] && new=$curve || new=rsa:2048\n"
    "  openssl req -newkey $new -nodes -keyout $kind.key -out $kind.csr -subj /CN=localhost\n"
    "  openssl x509 -req -in $kind.csr -CA mid.pem -CAkey mid.key -CAcreateserial -days 3 "
    "    -extfile leaf.ext -out $kind.leaf\n"
    "  cat $kind.leaf mid.pem root.pem > $kind.pem\n"
    "done\n"
    "openssl rsa -in rsa.key -traditional -out rsa-traditional.key\n"
    "openssl pkey -in ec.key -aes128 -passout pass:x -out encrypted.key\n"
    "openssl rsa -in rsa.key -traditional -aes128 -passout pass:x -out encrypted-old.key\n"
    "cat mid.pem ec.leaf > unsorted.pem\n"
    "cat ec.leaf root.pem > gap.pem\n"
    "cat ec.key ec.pem > both.pem\n"
    "head -c 300 ec.leaf > cut.pem\n"
    "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do cat root.pem; done > many.pem\n"
    "head -c 2000000 /dev/zero > large.pem\n"
    ": > empty.pem; mkdir folder.pem\n"
    "chmod 0640 rsa.key; chmod 0600 ec.key; chmod 0644 rsa-traditional.key\n";

static const char *in_folder(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", scratch_folder(), name);
    return path;
}

static int make_files(void **state)
{
    char command[sizeof(recipe) + 64];

    (void)state;
    snprintf(command, sizeof(command), recipe, scratch_folder());
    return system(command);
}

static void takes_chains_with_their_keys(void **state)
{
    static const struct {
        const char *certificate, *key;
        bool exposed;
    } cases[] = {
        {"ec.pem", "ec.key", false},
        {"rsa.pem", "rsa.key", false},
        {"ec.leaf", "ec.key", false},
        {"rsa.pem", "rsa-traditional.key", true},
        {"both.pem", "both.pem", true},
    };
    int64_t now_ms = clock_now_ms(), day_ms = 86400000;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char certificate[128], key[128];
        struct tls_info info = {0};
        struct err err = {0};

        assert_ok(tls_check(in_folder(cases[i].certificate, certificate),
            in_folder(cases[i].key, key), &info, &err));
        assert_int_equal(info.key_exposed, cases[i].exposed);
        assert_in_range(info.not_before_ms, now_ms - 60000, now_ms + 1000);
        assert_in_range(info.not_after_ms, now_ms + 3 * day_ms - 60000, now_ms + 3 * day_ms + 1000);
    }
}

static void refuses_other_files_by_name(void **state)
{
    static const struct {
        const char *certificate, *key;
        enum err_code code;
        const char *message;
    } cases[] = {
        {"none.pem", "ec.key", ERR_NOT_FOUND, "cannot read the TLS certificate "},
        {"ec.pem", "none.key", ERR_NOT_FOUND, "cannot read the TLS key "},
        {"ec.pem", "rsa.key", ERR_FORMAT, "does not belong to the first certificate in "},
        {"unsorted.pem", "ec.key", ERR_FORMAT, "unsorted.pem are not in order"},
        {"gap.pem", "ec.key", ERR_FORMAT, "gap.pem are not in order"},
        {"empty.pem", "ec.key", ERR_FORMAT, "empty.pem holds no certificate in PEM form"},
        {"ec.key", "ec.key", ERR_FORMAT, "ec.key holds no certificate in PEM form"},
        {"cut.pem", "ec.key", ERR_FORMAT, "cut.pem"},
        {"many.pem", "root.key", ERR_LIMIT, "holds more than 16 certificates"},
        {"ec.pem", "ec.leaf", ERR_FORMAT, "ec.leaf holds no private key in PEM form"},
        {"ec.pem", "empty.pem", ERR_FORMAT, "empty.pem holds no private key in PEM form"},
        {"ec.pem", "encrypted.key", ERR_FORMAT, "encrypted.key is encrypted"},
        {"rsa.pem", "encrypted-old.key", ERR_FORMAT, "encrypted-old.key is encrypted"},
        {"large.pem", "ec.key", ERR_LIMIT, "large.pem is larger than the limit of 1048576 bytes"},
        {"folder.pem", "ec.key", ERR_FORMAT, "folder.pem is not a file"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char certificate[128], key[128];
        struct tls_info info = {.not_after_ms = 7};
        struct err err = {0};

        in_folder(cases[i].certificate, certificate);
        in_folder(cases[i].key, key);
        assert_int_equal(tls_check(certificate, key, &info, &err), -1);
        if (err.code != cases[i].code || !strstr(err.message, cases[i].message))
            fail_msg("%s, %s: code %d: %s", certificate, key, (int)err.code, err.message);
        assert_int_equal(info.not_after_ms, 7);
    }
}

static void needs_both_files(void **state)
{
    struct http_app app = {0};
    struct http_options options = {.listen = "127.0.0.1:0", .spool_dir = "/tmp"};
    struct err err = {0};

    (void)state;
    options.tls_key = "k.pem";
    assert_null(http_server_start(&options, &app, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "only the key is named (k.pem)"));
    options.tls_certificate = "c.pem";
    options.tls_key = NULL;
    assert_null(http_server_start(&options, &app, &err));
    assert_non_null(strstr(err.message, "only the certificate is named (c.pem)"));
    options.tls_key = "k.pem";
    assert_null(http_server_start(&options, &app, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* The algorithm of the certificate that a new connection is shown, or -1 without a handshake. */
static int shown(const struct bed *bed, const char *priorities)
{
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t leaf;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = bed->port};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), algorithm = -1;
    unsigned count = 0;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    assert_int_equal(gnutls_priority_set_direct(session, priorities, NULL), 0);
    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, fd);
    if (gnutls_handshake(session) == 0 && (chain = gnutls_certificate_get_peers(session, &count))) {
        gnutls_x509_crt_init(&leaf);
        assert_int_equal(gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER), 0);
        algorithm = gnutls_x509_crt_get_pk_algorithm(leaf, NULL);
        gnutls_x509_crt_deinit(leaf);
        assert_int_equal(count, 3); /* the whole chain as it is in the file */
    }
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    close(fd);
    return algorithm;
}

static void install(const char *certificate, const char *key)
{
    char command[512];

    snprintf(command, sizeof(command), "cd %s && cp %s live.pem && cp %s live.key",
        scratch_folder(), certificate, key);
    assert_int_equal(system(command), 0);
}

static void *fire(void *arg)
{
    struct bed *bed = arg;

    for (int i = 0; i < 60; i++)
        ask_once(bed, "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", 200, NULL);
    return NULL;
}

static void replaces_the_certificate_under_open_connections(void **state)
{
    char certificate[128], key[128];
    struct tls_info info;
    struct err err = {0};
    pthread_t threads[3];
    struct bed bed;
    int open;

    (void)state;
    install("ec.pem", "ec.key");
    bed_start(&bed, (struct http_options){.tls_certificate = in_folder("live.pem", certificate),
                        .tls_key = in_folder("live.key", key)});
    open = bed_connect(&bed);
    ask(open, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    assert_int_equal(shown(&bed, "NORMAL"), GNUTLS_PK_ECDSA);

    install("rsa.pem", "rsa.key");
    assert_int_equal(shown(&bed, "NORMAL"), GNUTLS_PK_ECDSA); /* not before it is told */
    assert_ok(http_server_reload_tls(bed.server, &err));
    assert_int_equal(shown(&bed, "NORMAL"), GNUTLS_PK_RSA);
    assert_true(http_server_tls_info(bed.server, &info));
    assert_false(info.key_exposed);
    ask(open, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);

    install("ec.pem", "rsa.key");
    assert_int_equal(http_server_reload_tls(bed.server, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_int_equal(shown(&bed, "NORMAL"), GNUTLS_PK_RSA); /* the old ones stay */

    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fire, &bed), 0);
    for (int i = 0; i < 40; i++) {
        install(i & 1 ? "rsa.pem" : "ec.pem", i & 1 ? "rsa.key" : "ec.key");
        assert_ok(http_server_reload_tls(bed.server, &err));
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ask(open, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    close(open);
    bed_stop(&bed);
}

static void speaks_the_two_last_versions_only(void **state)
{
    static const struct {
        const char *priorities;
        bool spoken;
    } cases[] = {
        {"NORMAL:-VERS-ALL:+VERS-TLS1.3", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT", false},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", false},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC", false},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM", true},
    };
    char certificate[128], key[128];
    struct bed bed;

    (void)state;
    bed_start(&bed, (struct http_options){.tls_certificate = in_folder("rsa.pem", certificate),
                        .tls_key = in_folder("rsa.key", key)});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if ((shown(&bed, cases[i].priorities) == GNUTLS_PK_RSA) != cases[i].spoken)
            fail_msg("%s", cases[i].priorities);
    bed_stop(&bed);
}

/* Below TLS: what comes, comes to the socket. */
static int raw_connect(const struct bed *bed)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = bed->port};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void cuts_handshakes_that_drip_or_never_come(void **state)
{
    /* The head of a record of 512 bytes, then a ClientHello without end. */
    static const unsigned char hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    struct http_counters counters;
    int silent, dripping, plain;
    int64_t start_us = clock_monotonic_us();
    struct bed bed;
    char c;

    (void)state;
    bed_start(&bed, (struct http_options){.header_seconds = 1, .threads = 1});
    plain = raw_connect(&bed);
    assert_true(say(plain, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
    while (hear_bytes(plain, &c, 1) > 0)
        ;
    close(plain);
    silent = raw_connect(&bed);
    dripping = raw_connect(&bed);
    assert_true(say_bytes(dripping, hello, sizeof(hello)));
    for (int i = 0; i < 40 && say_bytes(dripping, "\0", 1); i++)
        usleep(100000);
    assert_true(is_closed(silent));
    assert_in_range(clock_monotonic_us() - start_us, 1000000, 3500000);
    http_server_counters(bed.server, &counters);
    assert_int_equal(counters.refused_slow, 2);
    assert_int_equal(counters.connections_now, 0);
    close(silent);
    close(dripping);
    ask_once(&bed, "GET /a HTTP/1.1\r\n\r\n", 200, NULL);
    bed_stop(&bed);
}

static int64_t processor_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* Clients that stop in the middle of a handshake, wherever, cost nothing while they are waited for.
 */
static void waits_for_handshakes_without_work(void **state)
{
    static const unsigned char hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    enum { COUNT = 20 };
    struct bed bed;
    int fds[COUNT];
    int64_t before_us;

    (void)state;
    bed_start(&bed, (struct http_options){.threads = 2});
    for (int i = 0; i < COUNT; i++) {
        fds[i] = raw_connect(&bed);
        assert_true(say_bytes(fds[i], hello, (size_t)i % (sizeof(hello) + 1)));
    }
    usleep(100000);
    before_us = processor_us();
    usleep(500000);
    assert_in_range(processor_us() - before_us, 0, 100000);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_chains_with_their_keys),
        cmocka_unit_test(refuses_other_files_by_name),
        cmocka_unit_test(needs_both_files),
        cmocka_unit_test(replaces_the_certificate_under_open_connections),
        cmocka_unit_test(speaks_the_two_last_versions_only),
        cmocka_unit_test(cuts_handshakes_that_drip_or_never_come),
        cmocka_unit_test(waits_for_handshakes_without_work),
    };

    return cmocka_run_group_tests(tests, make_files, NULL);
}
