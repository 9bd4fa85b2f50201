/* SPDX-License-Identifier: Apache-2.0 */
/* A layer from its blob: what the visitor is told, digests, contents, failures. */
#include "unit.h"

#include "codec/hash.h"
#include "image/layer.h"
#include "image/path.h"
#include "support/tar_make.h"

struct seen {
    struct buf log;
    bool want;
    size_t fail_at, entries; /* fail_at: the entry that the visitor refuses; SIZE_MAX: none */
    bool fail_content;
};

static int on_entry(void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    struct seen *seen = ctx;

    buf_printf(&seen->log, "%d %.*s", (int)entry->type, SLICE_FMT(entry->path));
    if (entry->target.len)
        buf_printf(&seen->log, ">%.*s", SLICE_FMT(entry->target));
    buf_printf(&seen->log, " %llu\n", (unsigned long long)entry->size);
    *ret_wanted = seen->want;
    return seen->entries++ == seen->fail_at ? err_set(err, ERR_BUSY, "no more") : 0;
}

static int on_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    struct seen *seen = ctx;
    char bytes[100];

    assert_int_equal(entry->type, ENTRY_FILE);
    assert_int_equal(content->size, entry->size);
    assert_true(content->size <= sizeof(bytes));
    if (seen->fail_content)
        return err_set(err, ERR_BUSY, "no more");
    assert_int_equal(blob_read(content, 0, bytes, (size_t)content->size, err), 0);
    buf_printf(&seen->log, "  %s: %.*s\n", content->name, (int)content->size, bytes);
    return 0;
}

static char *digest_of(const struct buf *bytes, char dst[72])
{
    unsigned char digest[SHA256_BYTES];

    memcpy(dst, "sha256:", 8);
    sha256(buf_slice(bytes), digest);
    hex_encode(digest, SHA256_BYTES, dst + 7);
    return dst;
}

static int read_layer(const struct buf *tar, struct slice digest, struct slice diff_id,
    struct seen *seen, struct err *err)
{
    struct blob blob = blob_of_memory(buf_slice(tar), "the layer");
    struct layer_reading reading = {&blob, digest, diff_id, -1};
    struct layer_visitor visitor = {.entry = on_entry, .content = on_content, .ctx = seen};

    return layer_read(&reading, &visitor, err);
}

static struct seen seen_init(bool want)
{
    return (struct seen){.log = BUF_INIT(100000), .want = want, .fail_at = SIZE_MAX};
}

static struct buf make_tar(void)
{
    struct buf tar = BUF_INIT(1 << 20);

    tar_put(&tar, "./", '5', SLICE_NONE, "");
    tar_put_file(&tar, "./etc/os-release", SLICE("ID=x"));
    tar_put(&tar, "/a//b", '2', SLICE_NONE, "../../x/./y");
    tar_put(&tar, "h", '1', SLICE_NONE, "./etc/../etc/os-release");
    tar_put_file(&tar, "etc/.wh.gone", SLICE("x"));
    tar_put(&tar, "etc/.wh..wh..opq", '0', SLICE_NONE, "");
    tar_put(&tar, ".wh..wh.plnk", '5', SLICE_NONE, "");
    tar_put(&tar, "null", '3', SLICE_NONE, "");
    tar_put(&tar, "a label", 'V', SLICE_NONE, "");
    tar_put_file(&tar, "twice", SLICE("1"));
    tar_put_file(&tar, "twice", SLICE("2"));
    tar_put_end(&tar);
    tar_put_file(&tar, "behind", SLICE("the end"));
    return tar;
}

static void test_entries(void **state)
{
    struct buf tar = make_tar();
    struct seen seen = seen_init(true);
    char digest[72];
    struct err err;

    (void)state;
    digest_of(&tar, digest);
    assert_ok(read_layer(&tar, slice_of(digest), slice_of(digest), &seen, &err));
    assert_slice(buf_slice(&seen.log), "1  0\n"
                                       "0 etc/os-release 4\n  ./etc/os-release: ID=x\n"
                                       "2 a/b>../../x/./y 0\n"
                                       "3 h>etc/os-release 0\n"
                                       "4 etc/gone 0\n"
                                       "5 etc 0\n"
                                       "6 null 0\n"
                                       "0 twice 1\n  twice: 1\n"
                                       "0 twice 1\n  twice: 2\n");
    buf_release(&seen.log);
    buf_release(&tar);
}

static void test_digests(void **state)
{
    struct buf tar = make_tar();
    char digest[72], other[72];
    struct err err;

    (void)state;
    digest_of(&tar, digest);
    memcpy(other, digest, sizeof(other));
    other[10] = other[10] == '0' ? '1' : '0';
    for (int which = 0; which < 5; which++) {
        struct seen seen = seen_init(false);
        struct slice of_blob = which == 0   ? SLICE_NONE
                               : which == 3 ? slice_of(other)
                                            : slice_of(digest);
        struct slice diff_id = which == 1   ? SLICE_NONE
                               : which == 4 ? slice_of(other)
                                            : slice_of(digest);
        int result = read_layer(&tar, of_blob, diff_id, &seen, &err);

        assert_int_equal(result, which < 3 ? 0 : -1);
        if (result) {
            assert_int_equal(err.code, ERR_FORMAT);
            assert_non_null(strstr(err.message, which == 3 ? "the blob" : "the content"));
            assert_non_null(strstr(err.message, digest));
            assert_non_null(strstr(err.message, other));
        }
        buf_release(&seen.log);
    }
    buf_release(&tar);
}

static void test_visitor_ends_it(void **state)
{
    struct buf tar = make_tar();
    struct err err;

    (void)state;
    for (size_t at = 0; at < 9; at++) {
        struct seen seen = seen_init(at % 2);

        seen.fail_at = at;
        assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
        assert_string_equal(err.message, "no more");
        assert_int_equal(seen.entries, at + 1);
        buf_release(&seen.log);
    }
    for (int i = 0; i < 2; i++) {
        struct seen seen = seen_init(true);

        seen.fail_content = true;
        assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
        assert_int_equal(err.code, ERR_BUSY);
        buf_release(&seen.log);
    }
    buf_release(&tar);
}

static void test_failures(void **state)
{
    struct buf tar = make_tar();
    struct seen seen = seen_init(true);
    struct err err;

    (void)state;
    tar.len = 700;
    assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    buf_clear(&tar);
    tar_put_file(&tar, "../x", SLICE_NONE);
    assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
    assert_string_equal(err.message, "the path ../x leaves the root of the layer");
    for (const char *type = "0123"; *type; type++) {
        buf_clear(&tar);
        tar_put(&tar, "./", *type, SLICE_NONE, "x");
        assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
        assert_string_equal(err.message, "an entry in the place of the root that is no folder");
    }
    buf_clear(&tar);
    buf_put_cstr(&tar, "BZh91AY&SY");
    assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    buf_release(&seen.log);
    buf_release(&tar);
}

static void test_large_contents_need_a_folder(void **state)
{
    struct buf tar = BUF_INIT(4 << 20);
    struct seen seen = seen_init(true);
    char *content = calloc(1, LIMIT_LAYER_CONTENT_MEMORY + 1);
    struct err err;

    (void)state;
    tar_put_file(&tar, "large", (struct slice){content, LIMIT_LAYER_CONTENT_MEMORY + 1});
    assert_int_equal(read_layer(&tar, SLICE_NONE, SLICE_NONE, &seen, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(
        err.message, "large: it is too large for memory, and there is no scratch folder");
    free(content);
    buf_release(&seen.log);
    buf_release(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_visitor_ends_it),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_large_contents_need_a_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
