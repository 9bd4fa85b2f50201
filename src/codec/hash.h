/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), HMAC (RFC 2104), hex and UUIDs; the one wrapper of OpenSSL's digests. */
#ifndef CAREEN_CODEC_HASH_H
#define CAREEN_CODEC_HASH_H

#include "base/slice.h"

enum { SHA256_BYTES = 32, UUID_BYTES = 16, UUID_TEXT_BYTES = 37 };

/* Nothing here takes memory, so nothing can fail. Any thread. */
void sha256(struct slice bytes, unsigned char ret[SHA256_BYTES]);

/* The same, of bytes that come in pieces; nothing is to be released. */
struct sha256 {
    _Alignas(8) unsigned char state[128]; /* OpenSSL's SHA256_CTX */
};
void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, struct slice bytes);
void sha256_finish(struct sha256 *hash, unsigned char ret[SHA256_BYTES]);

/* HMAC-SHA-256 of a message; the key may be empty. */
void hmac_sha256(struct slice key, struct slice message, unsigned char ret[SHA256_BYTES]);
/* Are two texts the same? The time taken tells only whether their lengths are. */
bool secret_equal(struct slice a, struct slice b);

/* The value of a hex digit of either case, or -1. */
int hex_value(char c);
/* Lower-case hex of len bytes into dst (2 * len + 1 bytes, NUL-terminated). */
void hex_encode(const unsigned char *bytes, size_t len, char *dst);
/* Exactly 2 * len hex digits of either case. */
bool hex_decode(struct slice text, unsigned char *dst, size_t len);

/* A UUID as text, in lower case, NUL-terminated; and back, from that form alone. */
void uuid_encode(const unsigned char bytes[UUID_BYTES], char ret[UUID_TEXT_BYTES]);
bool uuid_decode(struct slice text, unsigned char ret[UUID_BYTES]);

/* UUIDv5 (RFC 9562, section 5.5) of a name in Careen's own namespace, as text. */
void uuid5(struct slice name, char ret[UUID_TEXT_BYTES]);

#endif
