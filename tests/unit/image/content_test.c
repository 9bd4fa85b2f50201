/* SPDX-License-Identifier: Apache-2.0 */
/* Contents in memory and in scratch files, with holes and without. */
#include "unit.h"

#include "image/content.h"
#include "support/piece_feed.h"
#include "support/tar_make.h"

#include <fcntl.h>
#include <unistd.h>

enum { LARGE_BYTES = 3 * 1024 * 1024 };

/* Reads the only entry of a tar; the blob is good until the content is closed. */
static int read_first(const struct buf *bytes, size_t step, int scratch_fd, struct content *content,
    struct blob *ret, struct err *err)
{
    struct piece_feed feed = piece_feed_of(buf_slice(bytes), step);
    struct tar *tar = tar_open(&feed.feed, err);
    struct tar_entry entry;
    bool end = false;
    int result = tar_next(tar, &entry, &end, err);

    if (result == 0)
        result = content_read(content, tar, &entry, scratch_fd, ret, err);
    tar_close(tar);
    return result;
}

static void expect(const struct buf *tar, int scratch_fd, const char *want, size_t size)
{
    static const size_t steps[] = {100, 100000, SIZE_MAX};

    for (size_t i = 0; i < 3; i++) {
        char *got = malloc(size + 1);
        struct content content;
        struct blob blob;
        struct err err;

        content_init(&content);
        assert_ok(read_first(tar, steps[i], scratch_fd, &content, &blob, &err));
        assert_int_equal(blob.size, size);
        assert_string_equal(blob.name, "name");
        assert_int_equal(blob.bytes != NULL, size <= LIMIT_LAYER_CONTENT_MEMORY);
        assert_ok(blob_read(&blob, 0, got, size, &err));
        assert_memory_equal(got, want, size);
        content_close(&content);
        free(got);
    }
}

static char *letters(size_t len)
{
    char *text = malloc(len);

    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

static void test_plain(void **state)
{
    static const size_t sizes[] = {
        0, 1, 512, 5000, LIMIT_LAYER_CONTENT_MEMORY, LIMIT_LAYER_CONTENT_MEMORY + 1, LARGE_BYTES};
    int scratch_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = letters(LARGE_BYTES);

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf tar = BUF_INIT(2 * LARGE_BYTES);

        tar_put_file(&tar, "name", (struct slice){text, sizes[i]});
        expect(&tar, scratch_fd, text, sizes[i]);
        buf_release(&tar);
    }
    free(text);
    close(scratch_fd);
}

static struct buf sparse(const char *records, struct slice stored)
{
    struct buf tar = BUF_INIT(2 * LARGE_BYTES);

    tar_put(&tar, "pax", 'x', slice_of(records), "");
    tar_put_file(&tar, "name", stored);
    return tar;
}

static void test_sparse(void **state)
{
    int scratch_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct buf tar = sparse("22 GNU.sparse.size=10\n30 GNU.sparse.map=1,2,4,0,5,1\n", SLICE("abc"));
    char *want = calloc(1, LARGE_BYTES);

    (void)state;
    expect(&tar, -1, "\0ab\0\0c\0\0\0\0", 10);
    buf_release(&tar);
    tar = sparse("22 GNU.sparse.size=10\n22 GNU.sparse.map=0,0\n", SLICE_NONE);
    expect(&tar, -1, "\0\0\0\0\0\0\0\0\0\0", 10);
    buf_release(&tar);
    tar = sparse("27 GNU.sparse.size=3145728\n32 GNU.sparse.map=7,2,3000000,2\n", SLICE("abcd"));
    memcpy(want + 7, "ab", 2);
    memcpy(want + 3000000, "cd", 2);
    expect(&tar, scratch_fd, want, LARGE_BYTES);
    buf_release(&tar);
    free(want);
    close(scratch_fd);
}

/* One content after another, small and large: memory is used again, and nothing shows through. */
static void test_again(void **state)
{
    int scratch_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = letters(LARGE_BYTES);
    struct content content;

    (void)state;
    content_init(&content);
    for (size_t i = 0; i < 6; i++) {
        struct buf tar = i % 2
                             ? sparse("22 GNU.sparse.size=10\n22 GNU.sparse.map=9,1\n", SLICE("x"))
                             : (struct buf)BUF_INIT(2 * LARGE_BYTES);
        struct blob blob;
        char got[10];
        struct err err;

        if (i % 2 == 0)
            tar_put_file(&tar, "name", (struct slice){text, i == 2 ? LARGE_BYTES : 100});
        assert_ok(read_first(&tar, 1000, scratch_fd, &content, &blob, &err));
        assert_ok(blob_read(&blob, 0, got, 10, &err));
        assert_memory_equal(got, i % 2 ? "\0\0\0\0\0\0\0\0\0x" : text, 10);
        buf_release(&tar);
    }
    content_close(&content);
    free(text);
    close(scratch_fd);
}

static void test_failures(void **state)
{
    struct buf tar = BUF_INIT(2 * LARGE_BYTES);
    struct content content;
    struct blob blob;
    struct err err;

    (void)state;
    content_init(&content);
    tar_put_file(&tar, "name", SLICE("some content"));
    tar.len = 515;
    assert_int_equal(read_first(&tar, 100, -1, &content, &blob, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    buf_release(&tar);
    tar = sparse("30 GNU.sparse.size=1073741825\n22 GNU.sparse.map=0,0\n", SLICE_NONE);
    assert_int_equal(read_first(&tar, 100, -1, &content, &blob, &err), -1);
    assert_string_equal(err.message, "name is larger than the limit of 1073741824 bytes");
    buf_release(&tar);
    tar = sparse("30 GNU.sparse.size=1073741824\n22 GNU.sparse.map=0,0\n", SLICE_NONE);
    assert_int_equal(read_first(&tar, 100, -1, &content, &blob, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "there is no scratch folder"));
    buf_release(&tar);
    content_close(&content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
