/* SPDX-License-Identifier: Apache-2.0 */
/* A tar as a folder of blobs. */
#include "unit.h"

#include "image/archive.h"
#include "support/image_make.h"

#include <fcntl.h>

static struct archive *open_tar(const struct buf *tar, int scratch_fd, struct err *err)
{
    char path[64];

    return archive_open(image_make_file(tar, path), "the archive", scratch_fd, err);
}

static void expect_file(const struct archive *archive, const char *path, const char *content)
{
    char bytes[100];
    struct blob blob;
    bool found = false;
    struct err err;

    assert_ok(archive_find(archive, slice_of(path), &found, &blob, &err));
    assert_true(found);
    assert_ok(blob_read(&blob, 0, bytes, (size_t)blob.size, &err));
    assert_slice(((struct slice){bytes, (size_t)blob.size}), content);
}

static void expect_nothing(const struct archive *archive, const char *path)
{
    struct blob blob;
    bool found = true;
    struct err err;

    assert_ok(archive_find(archive, slice_of(path), &found, &blob, &err));
    assert_false(found);
}

static void test_find(void **state)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES);
    struct archive *archive;
    struct blob blob;
    struct err err;
    bool found;

    (void)state;
    tar_put_file(&tar, "./a", SLICE("first"));
    tar_put(&tar, "d/", '5', SLICE_NONE, "");
    tar_put_file(&tar, "d/b", SLICE("in d"));
    tar_put(&tar, "d/link", '2', SLICE_NONE, "../a");
    tar_put(&tar, "d/same", '2', SLICE_NONE, "b");
    tar_put(&tar, "root", '2', SLICE_NONE, "/d/b");
    tar_put(&tar, "hard", '1', SLICE_NONE, "d/link");
    tar_put(&tar, "loop", '2', SLICE_NONE, "loop");
    tar_put(&tar, "dangling", '2', SLICE_NONE, "nothing");
    tar_put_file(&tar, "a", SLICE("last"));
    tar_put(&tar, "a", 'V', SLICE_NONE, "");
    archive = open_tar(&tar, -1, &err);
    assert_non_null(archive);
    expect_file(archive, "a", "last");
    expect_file(archive, "d/b", "in d");
    expect_file(archive, "d/link", "last");
    expect_file(archive, "d/same", "in d");
    expect_file(archive, "root", "in d");
    expect_file(archive, "hard", "last");
    expect_nothing(archive, "d");
    expect_nothing(archive, "dangling");
    expect_nothing(archive, "x");
    expect_nothing(archive, "");
    assert_int_equal(archive_find(archive, SLICE("loop"), &found, &blob, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    archive_close(archive);
    archive_close(NULL);
    buf_release(&tar);
}

/* Larger than the pieces in which headers are read, so that data is passed over. */
static void test_large(void **state)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES);
    char *data = calloc(1, 1 << 20);
    struct archive *archive;
    struct err err;

    (void)state;
    for (int i = 0; i < 5; i++)
        tar_put_file(&tar, "large", (struct slice){data, 1 << 20});
    tar_put_file(&tar, "small", SLICE("small"));
    archive = open_tar(&tar, -1, &err);
    expect_file(archive, "small", "small");
    archive_close(archive);
    tar.len = 3 << 20;
    assert_null(open_tar(&tar, -1, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    free(data);
    buf_release(&tar);
}

static void test_links_that_leave(void **state)
{
    struct err err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES);

        tar_put(&tar, i ? "a" : "d/a", i ? '1' : '2', SLICE_NONE, "../../x");
        assert_null(open_tar(&tar, -1, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.message, "leaves the root"));
        buf_release(&tar);
    }
}

static void test_compressed(void **state)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES), packed = BUF_INIT(IMAGE_MAKE_BYTES);
    int scratch_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct archive *archive;
    struct err err;

    (void)state;
    tar_put_file(&tar, "a", SLICE("b"));
    /* zstd: a frame of one raw block (RFC 8878, sections 3.1.1.1 and 3.1.1.2). */
    buf_put(&packed, "\x28\xb5\x2f\xfd\x60\x00\x03", 7);
    buf_put(&packed, "\x01\x20\x00", 3);
    buf_put_slice(&packed, buf_slice(&tar));
    archive = open_tar(&packed, scratch_fd, &err);
    if (!archive)
        fail_msg("%s", err.message);
    expect_file(archive, "a", "b");
    archive_close(archive);
    assert_null(open_tar(&packed, -1, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    close(scratch_fd);
    buf_release(&tar);
    buf_release(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_links_that_leave),
        cmocka_unit_test(test_compressed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
