/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "auth/passwords.h"

static bool check(const char *password, const char *hash)
{
    struct password_gate gate = {0};
    struct err err;
    bool right = true;

    assert_ok(password_check(&gate, slice_of(password), slice_of(hash), &right, &err));
    assert_int_equal(gate.running, 0);
    return right;
}

static void test_there_and_back(void **state)
{
    char hash[PASSWORD_HASH_BYTES], again[PASSWORD_HASH_BYTES];
    struct err err;

    (void)state;
    assert_ok(password_hash(SLICE("correct horse"), hash, &err));
    assert_ok(password_hash(SLICE("correct horse"), again, &err));
    assert_string_not_equal(hash, again);
    assert_memory_equal(hash, "$scrypt$ln=15,r=8,p=3$", 22);
    assert_null(strstr(hash, "horse"));
    assert_true(check("correct horse", hash));
    assert_false(check("correct horsf", hash));
    assert_false(check("correct hors", hash));
    assert_false(check("", hash));
    assert_false(check("correct horse", ""));
}

/* Made by Python: hashlib.scrypt(b"pleaseletmein", salt=b"SodiumChloride!!", n=2**10, r=8, p=1,
 * dklen=32). Costs are those of the text. */
static void test_other_costs(void **state)
{
    static const char stored[] = "$scrypt$ln=10,r=8,p=1$536f6469756d43686c6f726964652121$"
                                 "242ba88ac5c35a7311c35424542d7bebbf5aecaa7d31eaf7fa551b0827949805";

    (void)state;
    assert_true(check("pleaseletmein", stored));
    assert_false(check("pleaseletmeIn", stored));
}

static void test_lengths(void **state)
{
    char hash[PASSWORD_HASH_BYTES], longest[PASSWORD_MAX_BYTES + 2];
    struct err err;

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(password_hash(SLICE("seven77"), hash, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(
        password_hash((struct slice){longest, PASSWORD_MAX_BYTES + 1}, hash, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_ok(password_hash((struct slice){longest, PASSWORD_MAX_BYTES}, hash, &err));
    longest[PASSWORD_MAX_BYTES] = '\0';
    assert_true(check(longest, hash));
    longest[PASSWORD_MAX_BYTES] = 'x';
    longest[PASSWORD_MAX_BYTES + 1] = '\0';
    assert_false(check(longest, hash));
}

static void test_damaged_hashes(void **state)
{
    static const char *const damaged[] = {"x", "$scrypt$", "$scrypt$ln=15,r=8,p=3$00$00",
        "$scrypt$ln=15,r=8$00000000000000000000000000000000$00", "$argon2id$v=19$m=1,t=1,p=1$x$y"};
    struct password_gate gate = {0};
    struct err err;
    bool right;

    (void)state;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        assert_int_equal(
            password_check(&gate, SLICE("password"), slice_of(damaged[i]), &right, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(gate.running, 0);
    }
}

/* As if two others were at it. */
static void test_the_gate(void **state)
{
    struct password_gate gate = {.running = PASSWORD_CHECKS_AT_ONCE};
    struct err err;
    bool right;

    (void)state;
    assert_int_equal(password_check(&gate, SLICE("password"), SLICE_NONE, &right, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(gate.running, PASSWORD_CHECKS_AT_ONCE);
    gate.running = PASSWORD_CHECKS_AT_ONCE - 1;
    assert_ok(password_check(&gate, SLICE("password"), SLICE_NONE, &right, &err));
    assert_false(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_other_costs),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_damaged_hashes),
        cmocka_unit_test(test_the_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
