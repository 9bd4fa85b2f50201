/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "http/addresses.h"
#include "http/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&address, &v4, sizeof(v4));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        memcpy(&address, &v6, sizeof(v6));
    }
    return address;
}

static struct proxies *parsed(const char *text)
{
    struct err err = {0};
    struct proxies *proxies = proxies_parse(text, &err);

    if (!proxies)
        fail_msg("\"%s\": %s", text, err.message);
    return proxies;
}

static void knows_addresses_and_networks(void **state)
{
    static const struct {
        const char *text, *address;
        bool inside;
    } cases[] = {
        {NULL, "127.0.0.1", false},
        {"", "127.0.0.1", false},
        {"  ", "::1", false},
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1", "::ffff:127.0.0.1", true},
        {"::ffff:127.0.0.1", "127.0.0.1", true},
        {" 10.0.0.0/8 , 192.168.1.5,::1", "10.255.255.255", true},
        {"10.0.0.0/8,192.168.1.5,::1", "192.168.1.5", true},
        {"10.0.0.0/8,192.168.1.5,::1", "::1", true},
        {"10.0.0.0/8,192.168.1.5,::1", "11.0.0.0", false},
        {"10.0.0.0/8,192.168.1.5,::1", "9.255.255.255", false},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.7/32", "192.0.2.7", true},
        {"192.0.2.7/32", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1/128", "2001:db8::1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct proxies *proxies = parsed(cases[i].text);
        struct sockaddr_storage address = address_of(cases[i].address);

        if (proxies_contain(proxies, (struct sockaddr *)&address) != cases[i].inside)
            fail_msg("\"%s\" and %s", cases[i].text, cases[i].address);
        proxies_free(proxies);
    }
}

static void refuses_what_is_no_network(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"proxy.example.com", "\"proxy.example.com\" is no address"},
        {"10.0.0.0/8,", NULL}, /* the empty end is no part */
        {"10.0.0.0/8,,::1", "\"\" is no address"},
        {",", "\"\" is no address"},
        {"10.0.0.1/33", "must be 0-32"},
        {"10.0.0.0/x", "must be 0-32"},
        {"10.0.0.0/", "must be 0-32"},
        {"10.0.0.0/-1", "must be 0-32"},
        {"::/129", "must be 0-128"},
        {"10.0.0.1/8", "is no network: the bits behind the first 8 must be 0"},
        {"2001:db8::1/64", "the bits behind the first 64 must be 0"},
        {"10.0.0.256", "is no address"},
        {"[::1]", "is no address"},
        {"10.0.0.1:80", "is no address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {0};
        struct proxies *proxies = proxies_parse(cases[i].text, &err);

        if (!cases[i].message) {
            assert_non_null(proxies);
        } else {
            assert_null(proxies);
            assert_int_equal(err.code, ERR_INVALID);
            if (!strstr(err.message, cases[i].message))
                fail_msg("\"%s\": %s", cases[i].text, err.message);
        }
        proxies_free(proxies);
    }
}

static void finds_the_client(void **state)
{
    static const struct {
        const char *forwarded, *client; /* NULL: not replaced */
    } cases[] = {
        {"203.0.113.9", "203.0.113.9"},
        {" 203.0.113.9 ", "203.0.113.9"},
        {"198.51.100.1, 203.0.113.9", "203.0.113.9"},
        {"203.0.113.9, 10.0.0.3", "203.0.113.9"},
        {"198.51.100.1,203.0.113.9,10.0.0.3,10.2.0.3", "203.0.113.9"},
        {"10.0.0.9, 10.0.0.3", "10.0.0.9"}, /* all trusted: where it came in */
        {"garbage, 203.0.113.9", "203.0.113.9"},
        {"203.0.113.9, garbage", NULL},
        {"203.0.113.9, garbage, 10.0.0.3", NULL},
        {"unknown", NULL},
        {"203.0.113.9,", NULL},
        {"203.0.113.9,,10.0.0.3", NULL},
        {"", NULL},
        {"   ", NULL},
        {",", NULL},
        {"203.0.113.9:4711", "203.0.113.9"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:4711", "2001:db8::1"},
        {"[2001:db8::1]x", NULL},
        {"[2001:db8::1]:", NULL},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"::ffff:203.0.113.9", "203.0.113.9"},
        {"203.0.113.9:x", NULL},
        {"203.0.113.9 10.0.0.1", NULL},
        {"0203.0.113.9", NULL},
        {"\"203.0.113.9\"", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    };
    struct proxies *proxies = parsed("10.0.0.0/8");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wanted = cases[i].client ? cases[i].client : "10.0.0.1";
        char client[LISTEN_HOST_BYTES] = "10.0.0.1";
        bool replaced = proxies_client(proxies, slice_of(cases[i].forwarded), client);

        if (replaced != (cases[i].client != NULL) || strcmp(client, wanted) != 0)
            fail_msg("\"%s\": %s", cases[i].forwarded, client);
    }
    proxies_free(proxies);
}

static void counts_by_address(void **state)
{
    static const char *const same[] = {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"};
    static const char *const network[] = {"2001:db8::1", "2001:db8::2:3"};
    static struct addresses addresses;
    struct sockaddr_storage other = address_of("2001:db8:0:1::1"), at;
    struct address *held[5];

    (void)state;
    for (int i = 0; i < 3; i++) {
        at = address_of(same[i]);
        held[i] = addresses_add(&addresses, (struct sockaddr *)&at, 2);
    }
    assert_ptr_equal(held[0], held[1]);
    assert_null(held[2]);
    for (int i = 0; i < 2; i++) {
        at = address_of(network[i]);
        held[2 + i] = addresses_add(&addresses, (struct sockaddr *)&at, 2);
    }
    assert_non_null(held[2]);
    assert_ptr_equal(held[2], held[3]);
    assert_null(addresses_add(&addresses, (struct sockaddr *)&at, 2));
    held[4] = addresses_add(&addresses, (struct sockaddr *)&other, 2);
    assert_non_null(held[4]);
    for (int i = 0; i < 5; i++)
        addresses_remove(&addresses, held[i]);
    addresses_remove(&addresses, NULL);
    for (int i = 0; i < ADDRESSES_SLOTS; i++)
        assert_null(addresses.slots[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_addresses_and_networks),
        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(finds_the_client),
        cmocka_unit_test(counts_by_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
