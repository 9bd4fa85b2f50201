// room: http
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line as a list of trusted proxies, the rest as X-Forwarded-For. A client that is found
 * is an address in its canonical form, and no trusted proxy unless all of the list are; one that is
 * not found leaves the peer.
 */
#include "base/bug.h"
#include "http/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char again[LISTEN_HOST_BYTES];

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&address, &v4, sizeof(v4));
    } else {
        BUG_ON(inet_pton(AF_INET6, text, &v6.sin6_addr) != 1);
        memcpy(&address, &v6, sizeof(v6));
    }
    http_host_text((struct sockaddr *)&address, again);
    BUG_ON(strcmp(again, text) != 0);
    return address;
}

static void check(const struct proxies *proxies, struct slice forwarded)
{
    char client[LISTEN_HOST_BYTES] = "peer", behind[LISTEN_HOST_BYTES] = "peer";
    struct sockaddr_storage address;
    struct slice first = forwarded;

    if (!proxies_client(proxies, forwarded, client)) {
        BUG_ON(strcmp(client, "peer") != 0);
        return;
    }
    address = address_of(client);
    if (!proxies_contain(proxies, (struct sockaddr *)&address))
        return;
    /* All are trusted: the first alone gives the same. */
    BUG_ON(!proxies_client(proxies, slice_pull_until(&first, ','), behind));
    BUG_ON(strcmp(behind, client) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice line = slice_pull_until(&rest, '\n');
    char *text = strndup(line.ptr ? line.ptr : "", line.len);
    struct err err = {0};
    struct proxies *proxies;

    BUG_ON(!text);
    proxies = proxies_parse(text, &err);
    BUG_ON(!proxies && err.code != ERR_INVALID);
    if (proxies)
        check(proxies, rest);
    proxies_free(proxies);
    free(text);
    return 0;
}
