/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of memory and of files, and parts of both, read the same bytes. */
#include "unit.h"

#include "codec/blob.h"

#include <fcntl.h>
#include <unistd.h>

enum { BYTES = 1000 };

static unsigned char bytes[BYTES];

/* An unlinked file with `bytes` in it. */
static int file_of_bytes(void)
{
    char name[] = "/tmp/blob-test-XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * 7);
    assert_int_equal(write(fd, bytes, BYTES), BYTES);
    return fd;
}

static void expect_bytes(const struct blob *blob, size_t first)
{
    unsigned char got[BYTES];
    struct err err;
    struct stream *in = stream_open_blob(blob, &err);
    size_t len = 0, n;

    for (uint64_t at = 0; at < blob->size; at += 37) {
        size_t left = (size_t)(blob->size - at), want = left < 50 ? left : 50;

        assert_ok(blob_read(blob, at, got, want, &err));
        assert_memory_equal(got, bytes + first + at, want);
    }
    do {
        assert_ok(stream_read(in, got + len, 41, &n, &err));
        len += n;
    } while (n);
    stream_close(in);
    assert_int_equal(len, blob->size);
    assert_memory_equal(got, bytes + first, len);
}

static void test_parts(void **state)
{
    int fd = file_of_bytes();
    struct err err;
    struct blob blobs[2];

    (void)state;
    assert_ok(blob_of_file(fd, "the file", &blobs[0], &err));
    blobs[1] = blob_of_memory((struct slice){(char *)bytes, BYTES}, "the bytes");
    for (size_t i = 0; i < 2; i++) {
        struct blob part, smaller;

        assert_int_equal(blobs[i].size, BYTES);
        expect_bytes(&blobs[i], 0);
        assert_ok(blob_part(&blobs[i], 100, 300, &part, &err));
        assert_int_equal(part.size, 300);
        expect_bytes(&part, 100);
        assert_ok(blob_part(&part, 299, 1, &smaller, &err));
        expect_bytes(&smaller, 399);
        assert_ok(blob_part(&part, 300, 0, &smaller, &err));
        assert_int_equal(smaller.size, 0);
    }
    close(fd);
}

static void test_ends(void **state)
{
    int fd = file_of_bytes();
    struct err err;
    struct blob blob, part;
    char got[BYTES];

    (void)state;
    assert_ok(blob_of_file(fd, "the file", &blob, &err));
    assert_int_equal(blob_part(&blob, 1001, 0, &part, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_int_equal(blob_part(&blob, 999, 2, &part, &err), -1);
    assert_int_equal(blob_part(&blob, 2, UINT64_MAX, &part, &err), -1);
    assert_int_equal(blob_read(&blob, 990, got, 11, &err), -1);
    assert_string_equal(
        err.message, "the file ends at byte 1000, in the middle of 11 bytes from byte 990");
    assert_int_equal(blob_read(&blob, UINT64_MAX, got, 1, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    /* A part does not show what is behind it. */
    assert_ok(blob_part(&blob, 10, 10, &part, &err));
    assert_int_equal(blob_read(&part, 5, got, 6, &err), -1);
    assert_string_equal(
        err.message, "the file ends at byte 10, in the middle of 6 bytes from byte 5");
    close(fd);
}

static void test_file_cut_meanwhile(void **state)
{
    int fd = file_of_bytes();
    struct err err;
    struct blob blob;
    char got[BYTES];

    (void)state;
    assert_ok(blob_of_file(fd, "the file", &blob, &err));
    assert_int_equal(ftruncate(fd, 500), 0);
    assert_ok(blob_read(&blob, 400, got, 100, &err));
    assert_int_equal(blob_read(&blob, 400, got, 101, &err), -1);
    assert_string_equal(
        err.message, "the file ends at byte 500, in the middle of 101 bytes from byte 400");
    close(fd);
}

static void test_no_file(void **state)
{
    int fds[2];
    struct err err;
    struct blob blob;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(blob_of_file(fds[0], "the pipe", &blob, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(blob_of_file(fds[0], "the pipe", &blob, &err), -1);
}

static void test_empty_memory(void **state)
{
    struct blob blob = blob_of_memory(SLICE_NONE, "nothing");
    struct err err;

    (void)state;
    assert_non_null(blob.bytes);
    assert_ok(blob_read(&blob, 0, NULL, 0, &err));
    expect_bytes(&blob, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_file_cut_meanwhile),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_empty_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
