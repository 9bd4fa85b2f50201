/* SPDX-License-Identifier: Apache-2.0 */
/* See crypto.h. Algorithms are fetched for each use: these are rare, or slow by design. */
#include "codec/crypto.h"

#include "base/bug.h"
#include "base/random.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define SCRYPT_MEMORY_BYTES (256UL << 20)

int scrypt_derive(struct slice password, struct slice salt, const struct scrypt_cost *cost,
    unsigned char *dst, size_t len, struct err *err)
{
    if (cost->log2_n < 1 || cost->log2_n > 30 || cost->r < 1 || cost->r > 64 || cost->p < 1 ||
        cost->p > 64 || (UINT64_C(128) * cost->r << cost->log2_n) > SCRYPT_MEMORY_BYTES)
        return err_set(err, ERR_LIMIT, "scrypt with the costs ln=%u, r=%u, p=%u is not done here",
            cost->log2_n, cost->r, cost->p);
    /* OpenSSL's own ceiling counts its working memory, too. */
    if (EVP_PBE_scrypt(password.len ? password.ptr : "", password.len,
            (const unsigned char *)(salt.len ? salt.ptr : ""), salt.len,
            UINT64_C(1) << cost->log2_n, cost->r, cost->p, 2 * SCRYPT_MEMORY_BYTES, dst, len) != 1)
        return err_nomem(err);
    return 0;
}

static EVP_CIPHER_CTX *gcm_begin(const unsigned char key[SEALING_KEY_BYTES],
    const unsigned char *nonce, struct slice bound, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;

    BUG_ON(!ctx || bound.len > INT_MAX);
    BUG_ON(EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) != 1);
    BUG_ON(bound.len && EVP_CipherUpdate(ctx, NULL, &done, (const unsigned char *)bound.ptr,
                            (int)bound.len) != 1);
    return ctx;
}

static void gcm_update(
    EVP_CIPHER_CTX *ctx, unsigned char *dst, const unsigned char *from, size_t len)
{
    int done = 0;

    BUG_ON(len > INT_MAX);
    BUG_ON(len && EVP_CipherUpdate(ctx, dst, &done, from, (int)len) != 1);
}

void aes_seal(const unsigned char key[SEALING_KEY_BYTES], struct slice plain, struct slice bound,
    unsigned char *dst)
{
    unsigned char *text = dst + SEALING_NONCE_BYTES;
    EVP_CIPHER_CTX *ctx;
    int done;

    random_bytes(dst, SEALING_NONCE_BYTES);
    ctx = gcm_begin(key, dst, bound, 1);
    gcm_update(ctx, text, (const unsigned char *)plain.ptr, plain.len);
    BUG_ON(EVP_CipherFinal_ex(ctx, text + plain.len, &done) != 1);
    BUG_ON(
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEALING_TAG_BYTES, text + plain.len) != 1);
    EVP_CIPHER_CTX_free(ctx);
}

bool aes_open(const unsigned char key[SEALING_KEY_BYTES], struct slice sealed, struct slice bound,
    unsigned char *dst)
{
    const unsigned char *text = (const unsigned char *)sealed.ptr + SEALING_NONCE_BYTES;
    unsigned char tag[SEALING_TAG_BYTES];
    EVP_CIPHER_CTX *ctx;
    size_t len;
    int done;
    bool good;

    if (sealed.len < SEALED_BYTES(0))
        return false;
    len = sealed.len - SEALED_BYTES(0);
    memcpy(tag, text + len, sizeof(tag)); /* OpenSSL takes it as not const */
    ctx = gcm_begin(key, (const unsigned char *)sealed.ptr, bound, 0);
    gcm_update(ctx, dst, text, len);
    BUG_ON(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEALING_TAG_BYTES, tag) != 1);
    good = EVP_CipherFinal_ex(ctx, dst + len, &done) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!good && len)
        explicit_bzero(dst, len);
    return good;
}
