/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps secrets at rest: scrypt (RFC 7914) for passwords, AES-256-GCM (NIST SP 800-38D) for
 * what must be read again. By OpenSSL, as codec/hash.h; BUG where OpenSSL lacks an algorithm.
 */
#ifndef CAREEN_CODEC_CRYPTO_H
#define CAREEN_CODEC_CRYPTO_H

#include "base/err.h"
#include "base/slice.h"

/* RFC 7914: N = 2^log2_n; memory is 128 * r * N bytes, time grows with that times p. */
struct scrypt_cost {
    unsigned log2_n, r, p;
};

/* Fills dst. Takes a good part of a second at the usual costs. ERR_LIMIT when the costs are none,
 * or need over 256 MiB; ERR_NOMEM. */
int scrypt_derive(struct slice password, struct slice salt, const struct scrypt_cost *cost,
    unsigned char *dst, size_t len, struct err *err);

/* A random nonce, the encrypted bytes, the tag. */
enum { SEALING_KEY_BYTES = 32, SEALING_NONCE_BYTES = 12, SEALING_TAG_BYTES = 16 };
#define SEALED_BYTES(plain) ((plain) + SEALING_NONCE_BYTES + SEALING_TAG_BYTES)

/* Encrypts into dst, SEALED_BYTES(plain.len) bytes. `bound` is not encrypted, but opens only with
 * the same. Nonces are random: one key serves for 2^32 sealings. */
void aes_seal(const unsigned char key[SEALING_KEY_BYTES], struct slice plain, struct slice bound,
    unsigned char *dst);
/* The reverse, into dst (sealed.len less SEALED_BYTES(0)). False, and nothing of it in dst, when it
 * was sealed by another key, for another `bound`, or changed. */
bool aes_open(const unsigned char key[SEALING_KEY_BYTES], struct slice sealed, struct slice bound,
    unsigned char *dst);

#endif
