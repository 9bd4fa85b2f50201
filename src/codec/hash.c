/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests by OpenSSL's EVP. The algorithms are fetched once: a fetch takes a lock and a search
 * through the providers, several times what hashing a short name costs. What was fetched is never
 * written again and lives as long as the process, so any thread may use it.
 */
#include "codec/hash.h"

#include "base/bug.h"
#include "base/random.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

enum { SHA1_BYTES = 20, UUID_BYTES = 16 };

/* Careen's namespace, cdd3a0f7-0a19-4286-974b-a47949068595, drawn at random once. Every image id
 * hangs on it: it never changes. */
static const unsigned char uuid_namespace[UUID_BYTES] = {
    0xcd, 0xd3, 0xa0, 0xf7, 0x0a, 0x19, 0x42, 0x86, 0x97, 0x4b, 0xa4, 0x79, 0x49, 0x06, 0x85, 0x95};

static EVP_MD *sha256_md, *sha1_md;
/* An HMAC with SHA-256 and no key yet: every use copies it. */
static EVP_MAC_CTX *hmac_without_key;

static void fetch_algorithms(void)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC *hmac;

    sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha1_md = EVP_MD_fetch(NULL, "SHA1", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hmac_without_key = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    BUG_ON(!sha256_md || !sha1_md || !hmac_without_key);
    BUG_ON(EVP_MAC_CTX_set_params(hmac_without_key, digest) != 1);
    EVP_MAC_free(hmac); /* the context holds it */
}

static void need_algorithms(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch_algorithms);
}

void sha256(struct slice bytes, unsigned char ret[SHA256_BYTES])
{
    need_algorithms();
    BUG_ON(EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, ret, NULL, sha256_md, NULL) != 1);
}

static EVP_MD_CTX *context_of(struct sha256 *hash)
{
    return (EVP_MD_CTX *)hash;
}

struct sha256 *sha256_begin(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    need_algorithms();
    BUG_ON(!ctx || EVP_DigestInit_ex2(ctx, sha256_md, NULL) != 1);
    return (struct sha256 *)ctx;
}

void sha256_add(struct sha256 *hash, struct slice bytes)
{
    BUG_ON(bytes.len && EVP_DigestUpdate(context_of(hash), bytes.ptr, bytes.len) != 1);
}

void sha256_finish(struct sha256 *hash, unsigned char ret[SHA256_BYTES])
{
    BUG_ON(EVP_DigestFinal_ex(context_of(hash), ret, NULL) != 1);
    sha256_forget(hash);
}

void sha256_forget(struct sha256 *hash)
{
    EVP_MD_CTX_free(context_of(hash));
}

void hmac_sha256(struct slice key, struct slice message, unsigned char ret[SHA256_BYTES])
{
    EVP_MAC_CTX *ctx;
    size_t len;

    need_algorithms();
    ctx = EVP_MAC_CTX_dup(hmac_without_key);
    /* Without a pointer to the key, OpenSSL would take it for "the key there is already". */
    BUG_ON(!ctx ||
           EVP_MAC_init(ctx, (const unsigned char *)(key.len ? key.ptr : ""), key.len, NULL) != 1 ||
           EVP_MAC_update(
               ctx, (const unsigned char *)(message.len ? message.ptr : ""), message.len) != 1 ||
           EVP_MAC_final(ctx, ret, &len, SHA256_BYTES) != 1 || len != SHA256_BYTES);
    EVP_MAC_CTX_free(ctx);
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

static int digit_value(char c)
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
        if (digit_value(text.ptr[i]) < 0)
            return false;
    for (size_t i = 0; i < len; i++)
        dst[i] =
            (unsigned char)(digit_value(text.ptr[2 * i]) << 4 | digit_value(text.ptr[2 * i + 1]));
    return true;
}

/* Marks bytes as version `version` of RFC 9562's variant and writes them as text. */
static void write_uuid(unsigned char bytes[UUID_BYTES], unsigned version, char ret[UUID_TEXT_BYTES])
{
    static const size_t group_bytes[] = {4, 2, 2, 2, 6};
    size_t at = 0;

    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t g = 0; g < sizeof(group_bytes) / sizeof(*group_bytes); g++) {
        if (g)
            *ret++ = '-';
        hex_encode(bytes + at, group_bytes[g], ret);
        ret += 2 * group_bytes[g];
        at += group_bytes[g];
    }
}

void uuid5(struct slice name, char ret[UUID_TEXT_BYTES])
{
    unsigned char digest[SHA1_BYTES];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    need_algorithms();
    BUG_ON(!ctx || EVP_DigestInit_ex2(ctx, sha1_md, NULL) != 1 ||
           EVP_DigestUpdate(ctx, uuid_namespace, sizeof(uuid_namespace)) != 1 ||
           EVP_DigestUpdate(ctx, name.len ? name.ptr : "", name.len) != 1 ||
           EVP_DigestFinal_ex(ctx, digest, NULL) != 1);
    EVP_MD_CTX_free(ctx);
    write_uuid(digest, 5, ret);
}

void uuid4(char ret[UUID_TEXT_BYTES])
{
    unsigned char bytes[UUID_BYTES];

    random_bytes(bytes, sizeof(bytes));
    write_uuid(bytes, 4, ret);
}
