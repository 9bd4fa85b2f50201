/* SPDX-License-Identifier: Apache-2.0 */
/* The ring: what comes out is the digest of what went in, whatever the pieces. */
#include "unit.h"

#include "image/hashing.h"

enum { ALL_BYTES = 3 * HASHING_BUFFERS * HASHING_BUFFER_BYTES + 12345 };

static unsigned char *all;

static void expect_digest(const unsigned char digest[SHA256_BYTES], size_t len)
{
    unsigned char want[SHA256_BYTES];

    sha256((struct slice){(const char *)all, len}, want);
    assert_memory_equal(digest, want, SHA256_BYTES);
}

static void give(struct hashing *hashing, size_t len, size_t step)
{
    for (size_t at = 0; at < len; at += step) {
        unsigned char *buffer = hashing_buffer(hashing);
        size_t n = len - at < step ? len - at : step;

        memcpy(buffer, all + at, n);
        hashing_give(hashing, n);
        /* Still there, to be read. */
        assert_memory_equal(buffer, all + at, n);
    }
}

static void test_digests(void **state)
{
    static const size_t lengths[] = {0, 1, HASHING_BUFFER_BYTES, ALL_BYTES};
    struct blob blob = blob_of_memory((struct slice){(const char *)all, 1000000}, "the blob");
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (int with_blob = 0; with_blob < 2; with_blob++) {
            unsigned char digest[SHA256_BYTES], of_blob[SHA256_BYTES];
            struct hashing *hashing = hashing_start(with_blob ? &blob : NULL, &err);

            assert_non_null(hashing);
            give(hashing, lengths[i], i % 2 ? 1000 : HASHING_BUFFER_BYTES);
            assert_ok(hashing_finish(hashing, digest, of_blob, &err));
            expect_digest(digest, lengths[i]);
            if (with_blob)
                expect_digest(of_blob, 1000000);
            hashing_stop(hashing);
        }
}

static void test_stop(void **state)
{
    struct blob blob = blob_of_memory((struct slice){(const char *)all, ALL_BYTES}, "the blob");
    struct err err;

    (void)state;
    for (size_t len = 0; len < ALL_BYTES; len += ALL_BYTES / 5) {
        struct hashing *hashing = hashing_start(&blob, &err);

        assert_non_null(hashing);
        give(hashing, len, HASHING_BUFFER_BYTES);
        hashing_stop(hashing);
    }
    hashing_stop(NULL);
}

static void test_blob_that_cannot_be_read(void **state)
{
    struct blob blob = {.fd = -1, .size = 1000, .name = "the blob"};
    unsigned char digest[SHA256_BYTES];
    struct err err;
    struct hashing *hashing = hashing_start(&blob, &err);

    (void)state;
    give(hashing, ALL_BYTES, HASHING_BUFFER_BYTES);
    assert_int_equal(hashing_finish(hashing, digest, digest, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    hashing_stop(hashing);
}

static int make_bytes(void **state)
{
    uint32_t x = 1;

    (void)state;
    all = malloc(ALL_BYTES);
    for (size_t i = 0; all && i < ALL_BYTES; i++) {
        x = x * 1664525 + 1013904223;
        all[i] = (unsigned char)(x >> 24);
    }
    return all ? 0 : -1;
}

static int free_bytes(void **state)
{
    (void)state;
    free(all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_blob_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, make_bytes, free_bytes);
}
