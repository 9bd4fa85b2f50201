/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: entries and their data, in pieces of every size, with and without skipping. */
#include "unit.h"

#include "support/piece_feed.h"
#include "support/tar_make.h"

static int fails(struct tar_feed *feed, struct err *err)
{
    (void)feed;
    return err_set(err, ERR_IO, "the feed is broken");
}

/* One line of text for each entry, with its data when `read`. */
static int list(struct piece_feed *feed, bool read, struct buf *out, struct err *err)
{
    struct tar *tar = tar_open(&feed->feed, err);
    struct tar_entry entry;
    struct slice piece;
    bool end = false;
    int result;

    assert_non_null(tar);
    while ((result = tar_next(tar, &entry, &end, err)) == 0 && !end) {
        buf_printf(out, "%d %.*s>%.*s %llu/%llu@%llu", (int)entry.type, SLICE_FMT(entry.path),
            SLICE_FMT(entry.target), (unsigned long long)entry.stored,
            (unsigned long long)entry.size, (unsigned long long)entry.data_offset);
        for (size_t i = 0; i < entry.part_count; i++)
            buf_printf(out, " %llu+%llu", (unsigned long long)entry.parts[i].offset,
                (unsigned long long)entry.parts[i].size);
        while (read && (result = tar_data(tar, &piece, err)) == 0 && piece.len)
            buf_put_slice(out, piece);
        if (result != 0)
            break;
        buf_put_char(out, '\n');
    }
    tar_close(tar);
    return result;
}

static void expect(const struct buf *tar, bool read, const char *text)
{
    static const size_t steps[] = {1, 100, 512, 1000, SIZE_MAX};

    for (size_t i = 0; i < 2 * sizeof(steps) / sizeof(steps[0]); i++) {
        struct piece_feed feed = piece_feed_of(buf_slice(tar), steps[i / 2]);
        struct buf out = BUF_INIT(1 << 20);
        struct err err;

        feed.feed.skip = i % 2 ? piece_feed_skip : NULL;
        assert_ok(list(&feed, read, &out, &err));
        assert_slice(buf_slice(&out), text);
        buf_release(&out);
    }
}

static void expect_failure(const struct buf *tar, enum err_code code, const char *says)
{
    struct piece_feed feed = piece_feed_of(buf_slice(tar), 700);
    struct buf out = BUF_INIT(1 << 20);
    struct err err = {ERR_NONE, ""};

    assert_int_equal(list(&feed, true, &out, &err), -1);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
    buf_release(&out);
}

static void test_entries(void **state)
{
    struct buf tar = BUF_INIT(1 << 20);

    (void)state;
    tar_put_file(&tar, "a", SLICE("content"));
    tar_put(&tar, "d/", '5', SLICE_NONE, "");
    tar_put(&tar, "s", '2', SLICE_NONE, "../x");
    tar_put(&tar, "h", '1', SLICE_NONE, "a");
    tar_put(&tar, "c", '3', SLICE_NONE, "");
    tar_put(&tar, "old", '\0', SLICE("x"), "");
    tar_put(&tar, "old/", '\0', SLICE_NONE, "");
    tar_put(&tar, "odd", 'Z', SLICE("y"), "");
    tar_put(&tar, "more", '7', SLICE("z"), "");
    tar_put_end(&tar);
    tar_put_file(&tar, "behind", SLICE("the end"));
    expect(&tar, true,
        "0 a> 7/7@512content\n1 d/> 0/0@1536\n2 s>../x 0/0@2048\n3 h>a 0/0@2560\n"
        "4 c> 0/0@3072\n0 old> 1/1@3584x\n1 old/> 0/0@4608\n5 odd> 1/1@5120y\n"
        "0 more> 1/1@6144z\n");
    expect(&tar, false,
        "0 a> 7/7@512\n1 d/> 0/0@1536\n2 s>../x 0/0@2048\n3 h>a 0/0@2560\n"
        "4 c> 0/0@3072\n0 old> 1/1@3584\n1 old/> 0/0@4608\n5 odd> 1/1@5120\n"
        "0 more> 1/1@6144\n");
    buf_release(&tar);
}

static void test_no_end(void **state)
{
    struct buf tar = BUF_INIT(1 << 20);

    (void)state;
    expect(&tar, true, "");
    tar_put_file(&tar, "a", SLICE("b"));
    expect(&tar, true, "0 a> 1/1@512b\n");
    buf_release(&tar);
}

/* As Go's reader: a link has no data, whatever its size says. */
static void test_sizes_of_links(void **state)
{
    struct buf tar = BUF_INIT(1 << 20);
    unsigned char block[512];

    (void)state;
    tar_header(block, "h", '1', 7, "a");
    buf_put(&tar, block, 512);
    tar_put_file(&tar, "b", SLICE("c"));
    tar_put_end(&tar);
    expect(&tar, true, "3 h>a 0/0@512\n0 b> 1/1@1024c\n");
    buf_release(&tar);
}

static void test_long_names(void **state)
{
    struct buf tar = BUF_INIT(1 << 20);

    (void)state;
    tar_put(&tar, "././@LongLink", 'L', SLICE("gnu name\0"), "");
    tar_put(&tar, "././@LongLink", 'K', SLICE("gnu link\0garbage"), "");
    tar_put(&tar, "x", '2', SLICE_NONE, "y");
    tar_put(&tar, "pax", 'x', SLICE("10 path=p\n14 linkpath=q\n"), "");
    tar_put(&tar, "x", '2', SLICE_NONE, "y");
    tar_put(&tar, "pax", 'g', SLICE("13 comment=x\n"), "");
    tar_put_file(&tar, "after", SLICE_NONE);
    /* Of two, the last; and GNU's goes before pax's. */
    tar_put(&tar, "pax", 'x', SLICE("10 path=p\n"), "");
    tar_put(&tar, "pax", 'x', SLICE("14 linkpath=r\n"), "");
    tar_put(&tar, "././@LongLink", 'L', SLICE("g"), "");
    tar_put(&tar, "x", '2', SLICE_NONE, "y");
    tar_put_end(&tar);
    expect(&tar, true,
        "2 gnu name>gnu link 0/0@2560\n2 p>q 0/0@4096\n0 after> 0/0@5632\n2 g>r 0/0@9216\n");
    buf_release(&tar);
}

static void test_pax_size(void **state)
{
    struct buf tar = BUF_INIT(1 << 20);
    unsigned char block[512];

    (void)state;
    tar_put(&tar, "pax", 'x', SLICE("10 size=3\n"), "");
    tar_header(block, "a", '0', 0, "");
    buf_put(&tar, block, 512);
    tar_put_data(&tar, SLICE("abc"));
    tar_put_file(&tar, "b", SLICE_NONE);
    expect(&tar, true, "0 a> 3/3@1536abc\n0 b> 0/0@2560\n");
    buf_release(&tar);
}

static void test_sparse(void **state)
{
    struct buf tar = BUF_INIT(1 << 20);
    unsigned char block[512], more_parts[512] = {0};

    (void)state;
    tar_put(&tar, "pax", 'x', SLICE("22 GNU.sparse.size=10\n26 GNU.sparse.map=1,2,5,1\n"), "");
    tar_put_file(&tar, "a", SLICE("abc"));
    tar_put(&tar, "pax", 'x',
        SLICE("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n26 GNU.sparse.realsize=10\n"), "");
    tar_header(block, "b", '0', 515, "");
    buf_put(&tar, block, 512);
    tar_put_data(&tar, SLICE("2\n0\n1\n5\n2\n"));
    tar_put_data(&tar, SLICE("xyz"));
    /* The older format, with a block more of parts. */
    tar_header(block, "c", 'S', 2, "");
    memcpy(block + 257, TAR_MAKE_MAGIC_GNU, 8);
    memset(block + 345, 0, 167);
    for (size_t i = 0; i < 4; i++) {
        snprintf((char *)block + 386 + 24 * i, 12, "%011o", (unsigned)i * 10);
        snprintf((char *)block + 398 + 24 * i, 12, "%011o", i == 3);
    }
    block[482] = 1;
    snprintf((char *)block + 483, 12, "%011o", 100);
    tar_seal(block);
    buf_put(&tar, block, 512);
    snprintf((char *)more_parts, 12, "%011o", 99);
    snprintf((char *)more_parts + 12, 12, "%011o", 1);
    buf_put(&tar, more_parts, 512);
    tar_put_data(&tar, SLICE("de"));
    tar_put_end(&tar);
    expect(&tar, true,
        "0 a> 3/10@1536 1+2 5+1abc\n0 b> 3/10@4096 0+1 5+2xyz\n"
        "0 c> 2/100@5632 0+0 10+0 20+0 30+1 99+1de\n");
    buf_release(&tar);
}

static void test_damage(void **state)
{
    struct buf tar = BUF_INIT(1 << 20), cut = BUF_INIT(1 << 20);

    (void)state;
    tar_put(&tar, "pax", 'x', SLICE("10 path=p\n"), "");
    tar_put_file(&tar, "a", SLICE("content"));
    for (size_t len = 1; len < tar.len; len++) {
        buf_clear(&cut);
        buf_put(&cut, tar.data, len);
        if (len != 1024) /* an extended header without its entry: as the end, in Go's reader */
            expect_failure(&cut, ERR_FORMAT, "in the middle of an entry");
    }
    tar_put_file(&tar, "b", SLICE_NONE);
    tar.data[1024] ^= 1;
    expect_failure(&tar, ERR_FORMAT, "the tar is damaged at byte 1024: a header with a wrong");
    buf_release(&tar);
    buf_release(&cut);
}

static void test_feed_fails(void **state)
{
    struct tar_feed feed = {.more = fails};
    struct tar_entry entry;
    struct err err;
    struct tar *tar = tar_open(&feed, &err);
    bool end = false;

    (void)state;
    assert_int_equal(tar_next(tar, &entry, &end, &err), -1);
    assert_string_equal(err.message, "the feed is broken");
    tar_close(tar);
    tar_close(NULL);
}

static void test_skipping(void **state)
{
    struct buf tar = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
    char data[50000];
    struct piece_feed feed;
    struct err err;

    (void)state;
    memset(data, 'x', sizeof(data));
    tar_put_file(&tar, "a", (struct slice){data, sizeof(data)});
    tar_put_file(&tar, "b", (struct slice){data, sizeof(data)});
    feed = piece_feed_of(buf_slice(&tar), 1000);
    feed.feed.skip = piece_feed_skip;
    assert_ok(list(&feed, false, &out, &err));
    assert_int_equal(feed.skipped, 2);
    buf_release(&tar);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_no_end),
        cmocka_unit_test(test_sizes_of_links),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_pax_size),
        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_feed_fails),
        cmocka_unit_test(test_skipping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
