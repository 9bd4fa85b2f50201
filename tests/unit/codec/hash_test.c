/* SPDX-License-Identifier: Apache-2.0 */
/* Digests against the published vectors, UUIDs against another implementation of RFC 9562. */
#include "unit.h"

#include "codec/hash.h"

#include <pthread.h>

static void assert_sha256(struct slice message, const char *expected)
{
    unsigned char digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    sha256(message, digest);
    hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4's examples (csrc.nist.gov, SHA256.pdf), and the empty message. */
static void sha256_vectors(void **state)
{
    static char million[1000000];

    (void)state;
    memset(million, 'a', sizeof(million));
    assert_sha256(SLICE_NONE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256(SLICE("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256(SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_sha256((struct slice){million, sizeof(million)},
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static struct slice repeat(char *dst, char byte, size_t len)
{
    memset(dst, byte, len);
    return (struct slice){dst, len};
}

/* RFC 4231, section 4: all seven (the fifth is published as its first 16 bytes), and no key. */
static void hmac_vectors(void **state)
{
    char keys[4][131], data[2][50];
    const struct {
        struct slice key, message;
        const char *mac;
    } cases[] = {
        {repeat(keys[0], 0x0b, 20), SLICE("Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {SLICE("Jefe"), SLICE("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {repeat(keys[1], '\xaa', 20), repeat(data[0], '\xdd', 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {SLICE("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
               "\x14\x15\x16\x17\x18\x19"),
            repeat(data[1], '\xcd', 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {repeat(keys[2], 0x0c, 20), SLICE("Test With Truncation"),
            "a3b6167473100ee06e0c796c2955552b"},
        {repeat(keys[3], '\xaa', 131),
            SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {repeat(keys[3], '\xaa', 131),
            SLICE("This is a test using a larger than block-size key and a larger than block-size "
                  "data. The key needs to be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {SLICE_NONE, SLICE_NONE,
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned char mac[SHA256_BYTES];
        char hex[2 * SHA256_BYTES + 1];

        hmac_sha256(cases[i].key, cases[i].message, mac);
        hex_encode(mac, sizeof(mac), hex);
        hex[strlen(cases[i].mac)] = '\0';
        assert_string_equal(hex, cases[i].mac);
    }
}

static void secrets_compare(void **state)
{
    (void)state;
    assert_true(secret_equal(SLICE("abc"), SLICE("abc")));
    assert_true(secret_equal(SLICE_NONE, SLICE("")));
    assert_true(secret_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(secret_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_false(secret_equal(SLICE("abc"), SLICE("abd")));
    assert_false(secret_equal(SLICE("xbc"), SLICE("abc")));
    assert_false(secret_equal(SLICE("abc"), SLICE("abcd")));
    assert_false(secret_equal(SLICE("abc"), SLICE_NONE));
}

static void hex_round_trip(void **state)
{
    unsigned char bytes[256], back[256];
    char text[513];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    hex_encode(bytes, sizeof(bytes), text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text + 2 * 0xa5, "a5a6", 4);
    assert_true(hex_decode(slice_of(text), back, sizeof(back)));
    assert_memory_equal(bytes, back, sizeof(bytes));
    for (size_t i = 0; i < 512; i++)
        if (text[i] >= 'a')
            text[i] = (char)(text[i] - 'a' + 'A');
    assert_true(hex_decode(slice_of(text), back, sizeof(back)));
    assert_memory_equal(bytes, back, sizeof(bytes));
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "");
    assert_true(hex_decode(SLICE_NONE, back, 0));
}

static void hex_refuses(void **state)
{
    static const char *const texts[] = {"", "0", "00", "000", "00000", "000000", "000g", "g000",
        "0x00", " 000", "00-0", "00:0", "/000", "@000", "`000", "00 0"};
    unsigned char bytes[2] = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (hex_decode(slice_of(texts[i]), bytes, sizeof(bytes)))
            fail_msg("\"%s\" is taken", texts[i]);
        assert_true(bytes[0] == 7 && bytes[1] == 7);
    }
}

/* python3: uuid.uuid5(uuid.UUID('cdd3a0f7-0a19-4286-974b-a47949068595'), name) */
static void uuid5_is_python_s(void **state)
{
    static char long_name[1000];
    const struct {
        struct slice name;
        const char *uuid;
    } cases[] = {
        {SLICE_NONE, "9275158f-6e2e-5c27-abba-c3cb60fb3572"},
        {SLICE("nginx"), "91c07dc7-a8e8-5af8-88f2-941b5549b846"},
        {{long_name, sizeof(long_name)}, "f0105018-5e22-5e1d-8a0c-195462b68262"},
        {SLICE("Gr\xc3\xbc\xc3\x9f"
               "e \xe4\xb8\x96\xe7\x95\x8c"),
            "72ffcb62-2250-5137-ae53-4c50dddd7a63"},
        {SLICE("a\0b"), "ff4a8afc-cdc4-5717-8f77-e3f06ddbae39"},
    };
    char uuid[UUID_TEXT_BYTES];

    (void)state;
    memset(long_name, 'a', sizeof(long_name));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uuid5(cases[i].name, uuid);
        assert_string_equal(uuid, cases[i].uuid);
    }
}

static void uuids_go_both_ways(void **state)
{
    static const char text[] = "0123a5ef-ffff-0000-8091-a2b3c4d5e6f7";
    static const unsigned char bytes[UUID_BYTES] = {0x01, 0x23, 0xa5, 0xef, 0xff, 0xff, 0x00, 0x00,
        0x80, 0x91, 0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0xf7};
    static const char *const others[] = {"", "0123a5ef-ffff-0000-8091-a2b3c4d5e6f",
        "0123a5ef-ffff-0000-8091-a2b3c4d5e6f70", "0123A5ef-ffff-0000-8091-a2b3c4d5e6f7",
        "0123a5ef0ffff-0000-8091-a2b3c4d5e6f7", "0123a5e-fffff-0000-8091-a2b3c4d5e6f7",
        "0123a5eg-ffff-0000-8091-a2b3c4d5e6f7", "0123a5efffff00008091a2b3c4d5e6f7",
        "{123a5ef-ffff-0000-8091-a2b3c4d5e6f}"};
    unsigned char back[UUID_BYTES] = {7};
    char again[UUID_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (uuid_decode(slice_of(others[i]), back))
            fail_msg("\"%s\" is taken", others[i]);
    assert_int_equal(back[0], 7);
    assert_true(uuid_decode(slice_of(text), back));
    assert_memory_equal(back, bytes, sizeof(bytes));
    uuid_encode(bytes, again);
    assert_string_equal(again, text);
}

static void *hash_often(void *ret_ok)
{
    bool *ok = ret_ok;

    *ok = true;
    for (int i = 0; i < 2000; i++) {
        unsigned char digest[SHA256_BYTES], mac[SHA256_BYTES];
        char uuid[UUID_TEXT_BYTES];

        hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), mac);
        sha256(SLICE("abc"), digest);
        uuid5(SLICE("nginx"), uuid);
        *ok = *ok && digest[0] == 0xba && digest[31] == 0xad && mac[0] == 0x5b && mac[31] == 0x43 &&
              slice_is(slice_of(uuid), "91c07dc7-a8e8-5af8-88f2-941b5549b846");
    }
    return NULL;
}

static void threads_share_the_algorithms(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    bool ok[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &ok[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(ok[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_the_algorithms), /* first: nothing has been fetched yet */
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(secrets_compare),
        cmocka_unit_test(hex_round_trip),
        cmocka_unit_test(hex_refuses),
        cmocka_unit_test(uuid5_is_python_s),
        cmocka_unit_test(uuids_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
