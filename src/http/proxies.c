/* SPDX-License-Identifier: Apache-2.0 */
/* Every address is kept as the 16 bytes of IPv6: one comparison for both families. */
#include "http/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, TEXT_BYTES = 64 };

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct network {
    struct in6_addr address;
    unsigned bits;
};

struct proxies {
    size_t count;
    struct network networks[];
};

static void map_v4(const void *v4, struct in6_addr *ret)
{
    memcpy(ret->s6_addr, mapped, sizeof(mapped));
    memcpy(ret->s6_addr + sizeof(mapped), v4, 4);
}

static bool is_mapped(const struct in6_addr *address)
{
    return !memcmp(address->s6_addr, mapped, sizeof(mapped));
}

static bool parse_address(struct slice text, struct in6_addr *ret)
{
    char host[TEXT_BYTES];
    struct in_addr v4;

    /* A NUL would end the text for inet_pton() only. */
    if (slice_find_char(text, '\0') < text.len || !slice_to_cstr(text, host, sizeof(host)))
        return false;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        map_v4(&v4, ret);
        return true;
    }
    return inet_pton(AF_INET6, host, ret) == 1;
}

/* Whether all bits behind the first `bits` are 0. */
static bool is_network(const struct in6_addr *address, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        if (address->s6_addr[i / 8] >> (7 - i % 8) & 1)
            return false;
    return true;
}

static bool is_inside(const struct in6_addr *address, const struct network *network)
{
    unsigned bytes = network->bits / 8, rest = network->bits % 8;

    return !memcmp(address->s6_addr, network->address.s6_addr, bytes) &&
           (!rest ||
               (address->s6_addr[bytes] ^ network->address.s6_addr[bytes]) >> (8 - rest) == 0);
}

static bool contain(const struct proxies *proxies, const struct in6_addr *address)
{
    for (size_t i = 0; proxies && i < proxies->count; i++)
        if (is_inside(address, &proxies->networks[i]))
            return true;
    return false;
}

static int parse_network(struct slice part, struct network *ret, struct err *err)
{
    size_t slash = slice_find_char(part, '/');
    struct network network = {.bits = 128};
    unsigned high;
    uint64_t bits;

    if (!parse_address(slice_sub(part, 0, slash), &network.address))
        return err_set(err, ERR_INVALID,
            "\"%.*s\" is no address: write addresses or networks such as "
            "192.168.1.5, 10.0.0.0/8 or fd00::/8, between commas",
            SLICE_FMT(part));
    high = is_mapped(&network.address) ? 32 : 128;
    if (slash < part.len) {
        if (!slice_to_u64(slice_skip(part, slash + 1), &bits) || bits > high)
            return err_set(err, ERR_INVALID, "the number behind the slash of \"%.*s\" must be 0-%u",
                SLICE_FMT(part), high);
        network.bits = (unsigned)bits + (high == 32 ? MAPPED_BITS : 0);
    }
    if (!is_network(&network.address, network.bits))
        return err_set(err, ERR_INVALID,
            "\"%.*s\" is no network: the bits behind the first %llu must be 0; "
            "for one address leave the slash out",
            SLICE_FMT(part), (unsigned long long)bits);
    *ret = network;
    return 0;
}

struct proxies *proxies_parse(const char *text, struct err *err)
{
    struct slice rest = slice_trim(slice_of(text));
    size_t most = 1;
    struct proxies *proxies;

    for (size_t i = 0; i < rest.len; i++)
        most += rest.ptr[i] == ',';
    proxies = calloc(1, sizeof(*proxies) + most * sizeof(proxies->networks[0]));
    if (!proxies) {
        err_nomem(err);
        return NULL;
    }
    while (rest.len) {
        struct slice part = slice_trim(slice_pull_until(&rest, ','));

        if (parse_network(part, &proxies->networks[proxies->count], err) < 0) {
            free(proxies);
            return NULL;
        }
        proxies->count++;
    }
    return proxies;
}

void proxies_free(struct proxies *proxies)
{
    free(proxies);
}

bool proxies_contain(const struct proxies *proxies, const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        map_v4(&v4.sin_addr, &v6.sin6_addr);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
    } else {
        return false;
    }
    return contain(proxies, &v6.sin6_addr);
}

/* "[2001:db8::1]:80", "[2001:db8::1]" and "192.0.2.1:80" without brackets and port. */
static struct slice without_port(struct slice text)
{
    size_t colon = slice_rfind_char(text, ':'), bracket = slice_rfind_char(text, ']');
    uint64_t port;

    if (slice_starts_with(text, "[") && bracket < text.len) {
        struct slice behind = slice_skip(text, bracket + 1);

        if (!behind.len ||
            (slice_starts_with(behind, ":") && slice_to_u64(slice_skip(behind, 1), &port)))
            return slice_sub(text, 1, bracket - 1);
    } else if (colon < text.len && colon == slice_find_char(text, ':') &&
               slice_to_u64(slice_skip(text, colon + 1), &port)) {
        return slice_sub(text, 0, colon);
    }
    return text;
}

static void address_text(const struct in6_addr *address, char client[LISTEN_HOST_BYTES])
{
    if (is_mapped(address))
        inet_ntop(AF_INET, address->s6_addr + sizeof(mapped), client, LISTEN_HOST_BYTES);
    else
        inet_ntop(AF_INET6, address, client, LISTEN_HOST_BYTES);
}

bool proxies_client(
    const struct proxies *proxies, struct slice forwarded, char client[LISTEN_HOST_BYTES])
{
    struct in6_addr address;
    bool found = false;

    for (bool more = slice_trim(forwarded).len > 0; more;) {
        size_t comma = slice_rfind_char(forwarded, ',');
        struct slice last = forwarded;

        more = comma < forwarded.len;
        if (more) {
            last = slice_skip(forwarded, comma + 1);
            forwarded = slice_sub(forwarded, 0, comma);
        }
        if (!parse_address(without_port(slice_trim(last)), &address))
            return false;
        found = true;
        if (!contain(proxies, &address))
            break;
    }
    if (found)
        address_text(&address, client);
    return found;
}
