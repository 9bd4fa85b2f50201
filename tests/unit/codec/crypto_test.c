/* SPDX-License-Identifier: Apache-2.0 */
/* The RFC's vectors for scrypt; sealing there and back, and every way in which it must not open. */
#include "unit.h"

#include "codec/crypto.h"
#include "codec/hash.h"

#include <string.h>

/* RFC 7914, section 12. */
static void test_scrypt_vectors(void **state)
{
    static const struct {
        const char *password, *salt;
        struct scrypt_cost cost;
        const char *hex;
    } vectors[] = {
        {"", "", {4, 1, 1},
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
            "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
        {"password", "NaCl", {10, 8, 16},
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
    };
    unsigned char got[64];
    char hex[129];
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_ok(scrypt_derive(slice_of(vectors[i].password), slice_of(vectors[i].salt),
            &vectors[i].cost, got, sizeof(got), &err));
        hex_encode(got, sizeof(got), hex);
        assert_string_equal(hex, vectors[i].hex);
    }
}

static void test_scrypt_costs(void **state)
{
    static const struct scrypt_cost bad[] = {
        {0, 8, 1}, {15, 0, 1}, {15, 8, 0}, {31, 8, 1}, {19, 8, 1}, {15, 65, 1}, {15, 8, 65}};
    unsigned char got[32];
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err.code = ERR_NONE;
        assert_int_equal(
            scrypt_derive(SLICE("p"), SLICE("s"), &bad[i], got, sizeof(got), &err), -1);
        assert_int_equal(err.code, ERR_LIMIT);
    }
}

static void test_sealing(void **state)
{
    static const char plain[] = "a secret of thirty-three letters.";
    unsigned char key[SEALING_KEY_BYTES] = {1, 2, 3}, other[SEALING_KEY_BYTES] = {1, 2, 4};
    unsigned char sealed[SEALED_BYTES(sizeof(plain))], again[sizeof(sealed)];
    unsigned char opened[sizeof(plain)];
    struct slice text = {(const char *)sealed, sizeof(sealed)};

    (void)state;
    for (size_t len = 0; len <= sizeof(plain); len += sizeof(plain)) {
        text.len = SEALED_BYTES(len);
        aes_seal(key, (struct slice){plain, len}, SLICE("AK"), sealed);
        aes_seal(key, (struct slice){plain, len}, SLICE("AK"), again);
        assert_memory_not_equal(sealed, again, text.len);
        assert_true(aes_open(key, text, SLICE("AK"), opened));
        assert_memory_equal(opened, plain, len);
        assert_false(aes_open(other, text, SLICE("AK"), opened));
        assert_false(aes_open(key, text, SLICE("AL"), opened));
        assert_false(aes_open(key, text, SLICE_NONE, opened));
        for (size_t cut = 0; cut < text.len; cut++)
            assert_false(aes_open(key, slice_sub(text, 0, cut), SLICE("AK"), opened));
        for (size_t bit = 0; bit < text.len * 8; bit++) {
            sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_false(aes_open(key, text, SLICE("AK"), opened));
            sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    }
    assert_null(memmem(sealed, sizeof(sealed), "secret", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scrypt_vectors),
        cmocka_unit_test(test_scrypt_costs),
        cmocka_unit_test(test_sealing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
