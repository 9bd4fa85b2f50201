/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests by OpenSSL's SHA256_* functions rather than by its EVP: those work on a context of the
 * caller's, so hashing takes no memory and cannot fail, and needs no algorithm to be fetched. (They
 * are called deprecated for not going through providers; they are the same machine code.)
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "codec/hash.h"

#include "base/bug.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

enum { SHA1_BYTES = 20, SHA256_BLOCK_BYTES = 64 };

/* Careen's namespace, cdd3a0f7-0a19-4286-974b-a47949068595, drawn at random once. Every image id
 * hangs on it: it never changes. */
static const unsigned char uuid_namespace[UUID_BYTES] = {
    0xcd, 0xd3, 0xa0, 0xf7, 0x0a, 0x19, 0x42, 0x86, 0x97, 0x4b, 0xa4, 0x79, 0x49, 0x06, 0x85, 0x95};

static SHA256_CTX *context_of(struct sha256 *hash)
{
    _Static_assert(sizeof(hash->state) >= sizeof(SHA256_CTX), "struct sha256 is too small");

    return (SHA256_CTX *)(void *)hash->state; /* aligned: see hash.h */
}

void sha256_begin(struct sha256 *hash)
{
    BUG_ON(SHA256_Init(context_of(hash)) != 1);
}

void sha256_add(struct sha256 *hash, struct slice bytes)
{
    BUG_ON(bytes.len && SHA256_Update(context_of(hash), bytes.ptr, bytes.len) != 1);
}

void sha256_finish(struct sha256 *hash, unsigned char ret[SHA256_BYTES])
{
    BUG_ON(SHA256_Final(ret, context_of(hash)) != 1);
}

void sha256(struct slice bytes, unsigned char ret[SHA256_BYTES])
{
    struct sha256 hash;

    sha256_begin(&hash);
    sha256_add(&hash, bytes);
    sha256_finish(&hash, ret);
}

/* H((key ^ pad) || message) */
static void keyed(const unsigned char key[SHA256_BLOCK_BYTES], unsigned char pad,
    struct slice message, unsigned char ret[SHA256_BYTES])
{
    unsigned char block[SHA256_BLOCK_BYTES];
    struct sha256 hash;

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = key[i] ^ pad;
    sha256_begin(&hash);
    sha256_add(&hash, (struct slice){(const char *)block, sizeof(block)});
    sha256_add(&hash, message);
    sha256_finish(&hash, ret);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&hash, sizeof(hash));
}

void hmac_sha256(struct slice key, struct slice message, unsigned char ret[SHA256_BYTES])
{
    unsigned char padded[SHA256_BLOCK_BYTES] = {0}, inner[SHA256_BYTES];

    if (key.len > sizeof(padded))
        sha256(key, padded);
    else if (key.len)
        memcpy(padded, key.ptr, key.len);
    keyed(padded, 0x36, message, inner);
    keyed(padded, 0x5c, (struct slice){(const char *)inner, sizeof(inner)}, ret);
    OPENSSL_cleanse(padded, sizeof(padded));
}

bool secret_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void hex_encode(const unsigned char *bytes, size_t len, char *dst)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        dst[2 * i] = digits[bytes[i] >> 4];
        dst[2 * i + 1] = digits[bytes[i] & 15];
    }
    dst[2 * len] = '\0';
}

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(struct slice text, unsigned char *dst, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (hex_value(text.ptr[i]) < 0)
            return false;
    for (size_t i = 0; i < len; i++)
        dst[i] = (unsigned char)(hex_value(text.ptr[2 * i]) << 4 | hex_value(text.ptr[2 * i + 1]));
    return true;
}

/* RFC 9562, section 4: groups of so many bytes, with hyphens between. */
static const unsigned char uuid_groups[] = {4, 2, 2, 2, 6};
enum { UUID_GROUPS = sizeof(uuid_groups) };

void uuid_encode(const unsigned char bytes[UUID_BYTES], char ret[UUID_TEXT_BYTES])
{
    for (size_t i = 0; i < UUID_GROUPS; i++) {
        if (i > 0)
            *ret++ = '-';
        hex_encode(bytes, uuid_groups[i], ret);
        ret += 2 * uuid_groups[i];
        bytes += uuid_groups[i];
    }
}

/* hex_decode() takes either case: the bytes are written again to see whether it was this form. */
bool uuid_decode(struct slice text, unsigned char ret[UUID_BYTES])
{
    unsigned char bytes[UUID_BYTES], *at = bytes;
    char again[UUID_TEXT_BYTES];
    size_t from = 0;

    if (text.len != UUID_TEXT_BYTES - 1)
        return false;
    for (size_t i = 0; i < UUID_GROUPS; i++) {
        if (!hex_decode(slice_sub(text, from, 2u * uuid_groups[i]), at, uuid_groups[i]))
            return false;
        from += 2u * uuid_groups[i] + 1;
        at += uuid_groups[i];
    }
    uuid_encode(bytes, again);
    if (!slice_is(text, again))
        return false;
    memcpy(ret, bytes, UUID_BYTES);
    return true;
}

void uuid5(struct slice name, char ret[UUID_TEXT_BYTES])
{
    unsigned char digest[SHA1_BYTES];
    SHA_CTX hash;

    BUG_ON(SHA1_Init(&hash) != 1 ||
           SHA1_Update(&hash, uuid_namespace, sizeof(uuid_namespace)) != 1 ||
           (name.len && SHA1_Update(&hash, name.ptr, name.len) != 1) ||
           SHA1_Final(digest, &hash) != 1);
    digest[6] = (unsigned char)((digest[6] & 0x0f) | 5 << 4); /* the version */
    digest[8] = (unsigned char)((digest[8] & 0x3f) | 0x80);   /* the variant */
    uuid_encode(digest, ret);
}
