/* SPDX-License-Identifier: Apache-2.0 */
/* See login_token.h. */
#include "auth/login_token.h"

#include "codec/hash.h"

#include <string.h>

static const char prefix[] = "careen-login.";

enum { MAC_CHARS = 2 * SHA256_BYTES };

/* Never the sealing key itself: one key, one use. */
static void write_mac(const struct seal *seal, struct slice text, char ret[MAC_CHARS + 1])
{
    unsigned char key[SHA256_BYTES], mac[SHA256_BYTES];

    hmac_sha256((struct slice){(const char *)seal->key, sizeof(seal->key)},
        SLICE("careen login tokens, 1"), key);
    hmac_sha256((struct slice){(const char *)key, sizeof(key)}, text, mac);
    hex_encode(mac, sizeof(mac), ret);
    explicit_bzero(key, sizeof(key));
}

bool login_token_is(struct slice text)
{
    return slice_starts_with(text, prefix);
}

void login_token_make(
    const struct seal *seal, const struct login *login, char ret[LOGIN_TOKEN_BYTES])
{
    char mac[MAC_CHARS + 1];
    int len = snprintf(ret, LOGIN_TOKEN_BYTES, "%s%u.%u.%u.%lld", prefix, login->user,
        login->generation, login->project, (long long)login->issued_ms);

    write_mac(seal, slice_of(ret), mac);
    snprintf(ret + len, LOGIN_TOKEN_BYTES - (size_t)len, ".%s", mac);
}

static bool pull_id(struct slice *text, uint32_t *ret)
{
    uint64_t number;

    if (!slice_to_u64(slice_pull_until(text, '.'), &number) || number > UINT32_MAX)
        return false;
    *ret = (uint32_t)number;
    return true;
}

bool login_token_read(const struct seal *seal, struct slice text, struct login *ret)
{
    size_t dot = slice_rfind_char(text, '.');
    struct slice signed_part = slice_sub(text, 0, dot), rest;
    char mac[MAC_CHARS + 1];

    if (!login_token_is(text) || text.len >= LOGIN_TOKEN_BYTES)
        return false;
    write_mac(seal, signed_part, mac);
    if (!secret_equal(slice_of(mac), slice_skip(text, dot + 1)))
        return false;
    rest = slice_skip(signed_part, strlen(prefix));
    return pull_id(&rest, &ret->user) && pull_id(&rest, &ret->generation) &&
           pull_id(&rest, &ret->project) && slice_to_i64(rest, &ret->issued_ms);
}
