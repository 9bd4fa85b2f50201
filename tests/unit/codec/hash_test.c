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

static void uuid4_is_random_and_marked(void **state)
{
    enum { DRAWN = 500 };
    static char uuids[DRAWN][UUID_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < DRAWN; i++) {
        uuid4(uuids[i]);
        assert_int_equal(strlen(uuids[i]), 36);
        for (size_t k = 0; k < 36; k++) {
            bool dash = k == 8 || k == 13 || k == 18 || k == 23;

            assert_non_null(strchr(dash ? "-" : "0123456789abcdef", uuids[i][k]));
        }
        assert_int_equal(uuids[i][14], '4');
        assert_non_null(strchr("89ab", uuids[i][19]));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(uuids[k], uuids[i]);
    }
}

static void *hash_often(void *ret_ok)
{
    bool *ok = ret_ok;

    *ok = true;
    for (int i = 0; i < 2000; i++) {
        unsigned char digest[SHA256_BYTES];
        char uuid[UUID_TEXT_BYTES];

        sha256(SLICE("abc"), digest);
        uuid5(SLICE("nginx"), uuid);
        *ok = *ok && digest[0] == 0xba && digest[31] == 0xad &&
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
        cmocka_unit_test(hex_round_trip),
        cmocka_unit_test(hex_refuses),
        cmocka_unit_test(uuid5_is_python_s),
        cmocka_unit_test(uuid4_is_random_and_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
