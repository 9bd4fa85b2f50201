/* SPDX-License-Identifier: Apache-2.0 */
/* Slices: comparing, finding, cutting, and numbers up to their limits. */
#include "unit.h"

#include "base/slice.h"
#include "rng.h"

#include <inttypes.h>
#include <limits.h>

static void compare(void **state)
{
    static const struct slice ascending[] = {SLICE_INIT(""), SLICE_INIT("\0"), SLICE_INIT("\0\0"),
        SLICE_INIT("a"), SLICE_INIT("a\0"), SLICE_INIT("ab"), SLICE_INIT("b"), SLICE_INIT("\x7f"),
        SLICE_INIT("\x80"), SLICE_INIT("\xff")};
    const size_t count = sizeof(ascending) / sizeof(*ascending);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = slice_cmp(ascending[i], ascending[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(slice_eq(ascending[i], ascending[j]), i == j);
        }
    }
    assert_true(slice_eq(SLICE_NONE, SLICE("")));
    assert_int_equal(slice_cmp(SLICE_NONE, SLICE("")), 0);
    assert_true(slice_is(SLICE_NONE, ""));
    assert_true(slice_is(slice_of(NULL), ""));
    assert_false(slice_is(SLICE("a\0"), "a"));
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(slice_starts_with(SLICE("CVE-1"), "CVE-"));
    assert_true(slice_starts_with(SLICE("CVE-"), "CVE-"));
    assert_false(slice_starts_with(SLICE("CVE"), "CVE-"));
    assert_true(slice_starts_with(SLICE_NONE, ""));
    assert_true(slice_ends_with(SLICE("a.json"), ".json"));
    assert_false(slice_ends_with(SLICE("json"), ".json"));
    assert_true(slice_ends_with(SLICE_NONE, ""));
}

static void find(void **state)
{
    struct slice s = SLICE_INIT("a/b/c");

    (void)state;
    assert_int_equal(slice_find_char(s, '/'), 1);
    assert_int_equal(slice_rfind_char(s, '/'), 3);
    assert_int_equal(slice_find_char(s, ':'), 5);
    assert_int_equal(slice_rfind_char(s, ':'), 5);
    assert_int_equal(slice_find_char(SLICE_NONE, 'a'), 0);
    assert_int_equal(slice_rfind_char(SLICE_NONE, 'a'), 0);
    assert_true(slice_contains(s, SLICE("b/c")));
    assert_true(slice_contains(s, s));
    assert_true(slice_contains(s, SLICE_NONE));
    assert_true(slice_contains(SLICE_NONE, SLICE_NONE));
    assert_false(slice_contains(SLICE("b/c"), s));
    assert_false(slice_contains(s, SLICE("b/d")));
}

static void cut(void **state)
{
    struct slice s = SLICE_INIT("0123456789"), list = SLICE_INIT("a,,b,");

    (void)state;
    assert_slice(slice_sub(s, 2, 3), "234");
    assert_slice(slice_sub(s, 8, 5), "89");
    assert_slice(slice_sub(s, 10, 1), "");
    assert_slice(slice_sub(s, SIZE_MAX, SIZE_MAX), "");
    assert_slice(slice_sub(s, 1, SIZE_MAX), "123456789");
    assert_slice(slice_skip(s, 9), "9");
    assert_slice(slice_skip(s, 11), "");
    assert_slice(slice_skip(SLICE_NONE, 3), "");
    assert_slice(slice_trim(SLICE(" \t\r\n a b \n")), "a b");
    assert_slice(slice_trim(SLICE(" \t ")), "");
    assert_slice(slice_trim(SLICE("\v\xc2\xa0")), "\v\xc2\xa0");
    assert_slice(slice_pull_until(&list, ','), "a");
    assert_slice(slice_pull_until(&list, ','), "");
    assert_slice(slice_pull_until(&list, ','), "b");
    assert_slice(list, "");
    assert_slice(slice_pull_until(&list, ','), "");
    list = SLICE("rest");
    assert_slice(slice_pull_until(&list, ','), "rest");
    assert_int_equal(list.len, 0);
}

static void unsigned_numbers(void **state)
{
    static const char *const refused[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "1e3", "-", "a",
        "18446744073709551616", "18446744073709551620", "99999999999999999999",
        "100000000000000000000000000000000000000000", "\xd9\xa1"};
    static const struct {
        const char *text;
        uint64_t value;
    } taken[] = {{"0", 0}, {"00", 0}, {"007", 7}, {"18446744073709551615", UINT64_MAX},
        {"000000000000000000000018446744073709551615", UINT64_MAX}, {"9", 9}};
    uint64_t value = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        if (slice_to_u64(slice_of(refused[i]), &value))
            fail_msg("\"%s\" is taken", refused[i]);
        assert_int_equal(value, 77);
    }
    assert_false(slice_to_u64(SLICE("1\0"), &value));
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        assert_true(slice_to_u64(slice_of(taken[i].text), &value));
        assert_true(value == taken[i].value);
    }
}

static void signed_numbers(void **state)
{
    static const char *const refused[] = {"", "-", "--1", "+1", "9223372036854775808",
        "-9223372036854775809", "-18446744073709551615", "18446744073709551615", "- 1"};
    static const struct {
        const char *text;
        int64_t value;
    } taken[] = {{"0", 0}, {"-0", 0}, {"-1", -1}, {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
    struct rng rng = {11};
    int64_t value = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        if (slice_to_i64(slice_of(refused[i]), &value))
            fail_msg("\"%s\" is taken", refused[i]);
        assert_int_equal(value, 77);
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        assert_true(slice_to_i64(slice_of(taken[i].text), &value));
        assert_true(value == taken[i].value);
    }
    for (int i = 0; i < 10000; i++) {
        int64_t drawn = (int64_t)rng_next(&rng) >> rng_below(&rng, 63);
        char text[32];

        snprintf(text, sizeof(text), "%" PRId64, drawn);
        assert_true(slice_to_i64(slice_of(text), &value));
        assert_true(value == drawn);
    }
}

static void to_cstr(void **state)
{
    char dst[4] = "old";

    (void)state;
    assert_false(slice_to_cstr(SLICE("four"), dst, sizeof(dst)));
    assert_string_equal(dst, "old");
    assert_true(slice_to_cstr(SLICE("new"), dst, sizeof(dst)));
    assert_string_equal(dst, "new");
    assert_true(slice_to_cstr(SLICE_NONE, dst, sizeof(dst)));
    assert_string_equal(dst, "");
    assert_false(slice_to_cstr(SLICE_NONE, dst, 0));
}

static void formatting(void **state)
{
    char text[16];

    (void)state;
    snprintf(text, sizeof(text), "<%.*s|%.*s>", SLICE_FMT(slice_sub(SLICE("abcdef"), 1, 2)),
        SLICE_FMT(SLICE_NONE));
    assert_string_equal(text, "<bc|>");
    assert_int_equal(slice_fmt_len((struct slice){"", (size_t)INT_MAX + 1}), INT_MAX);
}

/* Equal contents hash alike wherever they lie; each length and each byte changes the hash. */
static void hashes(void **state)
{
    char a[41], b[48];
    uint64_t seen[40];

    (void)state;
    for (size_t i = 0; i < sizeof(a); i++)
        a[i] = (char)(i * 37);
    memcpy(b + 3, a, sizeof(a));
    for (size_t len = 0; len < 40; len++) {
        seen[len] = slice_hash((struct slice){a, len});
        assert_true(seen[len] == slice_hash((struct slice){b + 3, len}));
        for (size_t other = 0; other < len; other++)
            assert_true(seen[other] != seen[len]);
        for (size_t i = 0; i < len; i++) {
            b[3 + i] ^= 1;
            assert_true(slice_hash((struct slice){b + 3, len}) != seen[len]);
            b[3 + i] ^= 1;
        }
    }
    assert_true(slice_hash(SLICE_NONE) == slice_hash(SLICE("")));
}

/* xorshift64*: secrets that are the same in every run. */
static uint64_t random_word(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

/* Differences that multiplying by any known odd constant keeps where they are, or moves to where
 * the next word can undo them: the highest bits of neighbouring words. '5' and 'u' differ in bit 6:
 * of the bytes 7 and 11 that is bit 62 and bit 30 of their words. */
static void hashes_resist_structure(void **state)
{
    enum { SEEDS = 2000, BLOCKS = 2, TEXTS = 1 << (3 * BLOCKS) };
    static const size_t places[] = {7, 11, 15};
    uint64_t random = 1, hashes[TEXTS];

    (void)state;
    for (int seed = 0; seed < SEEDS; seed++) {
        const uint64_t secrets[2] = {random_word(&random), random_word(&random)};

        for (unsigned n = 0; n < TEXTS; n++) {
            char text[16 * BLOCKS];

            memset(text, '5', sizeof(text));
            for (unsigned bit = 0; bit < 3 * BLOCKS; bit++)
                if (n >> bit & 1)
                    text[16 * (bit / 3) + places[bit % 3]] = 'u';
            hashes[n] = slice_hash_with((struct slice){text, sizeof(text)}, secrets);
            for (unsigned other = 0; other < n; other++)
                if (hashes[other] == hashes[n])
                    fail_msg("texts %u and %u collide with seed %d", other, n, seed);
        }
    }
}

/* Whichever bit of the text, the length or a secret changes, half of the hash does. */
static void hashes_avalanche(void **state)
{
    enum { SEEDS = 400, MOST = 40 };
    static const size_t lengths[] = {1, 7, 8, 9, 15, 16, 17, 32, MOST};
    uint64_t random = 2;

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        unsigned changed[(MOST + 16) * 8 + 1] = {0};
        size_t len = lengths[i], bits = (len + 16) * 8;

        for (int seed = 0; seed < SEEDS; seed++) {
            unsigned char bytes[MOST + 16 + 1] = {0}; /* text, secrets, one byte of nothing */
            uint64_t hash, secrets[2];

            for (size_t at = 0; at < len + 16; at++)
                bytes[at] = (unsigned char)(random_word(&random) >> 32);
            memcpy(secrets, bytes + len, 16);
            hash = slice_hash_with((struct slice){(char *)bytes, len}, secrets);
            for (size_t bit = 0; bit <= bits; bit++) {
                uint64_t other[2];
                size_t other_len = bit == bits ? len - 1 : len;

                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
                memcpy(other, bytes + len, 16);
                changed[bit] += (unsigned)__builtin_popcountll(
                    hash ^ slice_hash_with((struct slice){(char *)bytes, other_len}, other));
                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            }
        }
        for (size_t bit = 0; bit <= bits; bit++)
            if (changed[bit] < SEEDS * 30 || changed[bit] > SEEDS * 34)
                fail_msg(
                    "bit %zu of %zu bytes changes %g bits", bit, len, changed[bit] * 1. / SEEDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(find),
        cmocka_unit_test(cut),
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(to_cstr),
        cmocka_unit_test(formatting),
        cmocka_unit_test(hashes),
        cmocka_unit_test(hashes_resist_structure),
        cmocka_unit_test(hashes_avalanche),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
