/* SPDX-License-Identifier: Apache-2.0 */
/* See passwords.h. The costs are the ones OWASP's password storage guide gives for 32 MiB. */
#include "auth/passwords.h"

#include "base/random.h"
#include "codec/crypto.h"
#include "codec/hash.h"

#include <string.h>

enum { SALT_BYTES = 16, HASH_BYTES = 32 };

static const struct scrypt_cost cost_now = {15, 8, 3};

/* Nobody's: its check is only there to take its time. */
static const char nobodys_hash[] =
    "$scrypt$ln=15,r=8,p=3$00000000000000000000000000000000"
    "$0000000000000000000000000000000000000000000000000000000000000000";

/* A stored text taken apart. */
struct parsed {
    struct scrypt_cost cost;
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
};

int password_hash(struct slice password, char ret[PASSWORD_HASH_BYTES], struct err *err)
{
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
    char salt_hex[2 * SALT_BYTES + 1], hash_hex[2 * HASH_BYTES + 1];

    if (password.len < PASSWORD_MIN_BYTES || password.len > PASSWORD_MAX_BYTES)
        return err_set(err, ERR_INVALID, "a password must be %d to %d bytes long",
            PASSWORD_MIN_BYTES, PASSWORD_MAX_BYTES);
    random_bytes(salt, sizeof(salt));
    if (scrypt_derive(password, (struct slice){(const char *)salt, sizeof(salt)}, &cost_now, hash,
            sizeof(hash), err) < 0)
        return -1;
    hex_encode(salt, sizeof(salt), salt_hex);
    hex_encode(hash, sizeof(hash), hash_hex);
    snprintf(ret, PASSWORD_HASH_BYTES, "$scrypt$ln=%u,r=%u,p=%u$%s$%s", cost_now.log2_n, cost_now.r,
        cost_now.p, salt_hex, hash_hex);
    return 0;
}

/* "ln=15" off the front of *text. */
static bool pull_cost(struct slice *text, char until, const char *name, unsigned *ret)
{
    struct slice value = slice_pull_until(text, until), key = slice_pull_until(&value, '=');
    uint64_t number;

    if (!slice_is(key, name) || !slice_to_u64(value, &number) || number > 64)
        return false;
    *ret = (unsigned)number;
    return true;
}

static bool parse(struct slice text, struct parsed *ret)
{
    struct slice salt, hash;

    if (!slice_starts_with(text, "$scrypt$"))
        return false;
    text = slice_skip(text, strlen("$scrypt$"));
    if (!pull_cost(&text, ',', "ln", &ret->cost.log2_n) ||
        !pull_cost(&text, ',', "r", &ret->cost.r) || !pull_cost(&text, '$', "p", &ret->cost.p))
        return false;
    salt = slice_pull_until(&text, '$');
    hash = text;
    return hex_decode(salt, ret->salt, sizeof(ret->salt)) &&
           hex_decode(hash, ret->hash, sizeof(ret->hash));
}

static int check(struct slice password, struct slice stored, bool *ret, struct err *err)
{
    struct parsed parsed;
    unsigned char hash[HASH_BYTES];

    if (!parse(stored.len ? stored : slice_of(nobodys_hash), &parsed))
        return err_set(err, ERR_CORRUPT,
            "a stored password hash cannot be read: set the password anew with careen user "
            "password");
    if (scrypt_derive(password, (struct slice){(const char *)parsed.salt, sizeof(parsed.salt)},
            &parsed.cost, hash, sizeof(hash), err) < 0)
        return -1;
    *ret = secret_equal((struct slice){(const char *)hash, sizeof(hash)},
               (struct slice){(const char *)parsed.hash, sizeof(parsed.hash)}) &&
           stored.len > 0;
    return 0;
}

int password_check(struct password_gate *gate, struct slice password, struct slice hash, bool *ret,
    struct err *err)
{
    int failed;

    if (atomic_fetch_add(&gate->running, 1) < PASSWORD_CHECKS_AT_ONCE)
        failed = check(slice_sub(password, 0, PASSWORD_MAX_BYTES + 1), hash, ret, err);
    else
        failed = err_set(err, ERR_BUSY, "%d passwords are being checked already: try again",
            PASSWORD_CHECKS_AT_ONCE);
    atomic_fetch_sub(&gate->running, 1);
    return failed;
}
