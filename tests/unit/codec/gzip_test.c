/* SPDX-License-Identifier: Apache-2.0 */
/* What is packed must be what zlib unpacks, and at each flush all of it so far. */
#include "unit.h"

#include "codec/gzip.h"
#include "rng.h"

#include <stdlib.h>
#include <zlib.h>

enum { MOST = 3 * 1024 * 1024, GZIP_WINDOW_BITS = 15 + 16 };

/* Unpacks with zlib, in as many pieces as are fed. */
struct reader {
    z_stream z;
    unsigned char *bytes;
    int status;
};

static void reader_begin(struct reader *reader)
{
    *reader = (struct reader){.bytes = malloc(MOST)};
    assert_non_null(reader->bytes);
    assert_int_equal(inflateInit2(&reader->z, GZIP_WINDOW_BITS), Z_OK);
    reader->z.next_out = reader->bytes;
    reader->z.avail_out = MOST;
}

static void reader_feed(struct reader *reader, struct slice packed)
{
    reader->z.next_in = (Bytef *)(uintptr_t)packed.ptr;
    reader->z.avail_in = (uInt)packed.len;
    reader->status = inflate(&reader->z, Z_SYNC_FLUSH);
    if (reader->status != Z_BUF_ERROR) /* nothing to do */
        assert_in_range(reader->status, Z_OK, Z_STREAM_END);
    assert_int_equal(reader->z.avail_in, 0);
}

static void reader_end(struct reader *reader)
{
    inflateEnd(&reader->z);
    free(reader->bytes);
}

/* Text that packs well, or bytes that do not pack at all, by turns. */
static char *make(struct rng *rng, size_t len)
{
    char *bytes = malloc(len + 1);
    bool random = false;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        if (rng_below(rng, 20000) == 0)
            random = !random;
        bytes[i] = random ? (char)rng_next(rng) : "{\"image_id\":\"0123456789\"},"[i % 26];
    }
    return bytes;
}

static void round_trip(struct gzip *gzip, struct rng *rng, size_t len, size_t piece_max)
{
    char *bytes = make(rng, len);
    struct buf out = BUF_INIT(2 * MOST);
    struct reader reader;
    size_t at = 0, fed = 0;

    reader_begin(&reader);
    do {
        size_t take = piece_max < len - at ? 1 + rng_below(rng, (uint32_t)piece_max) : len - at;

        gzip_put(
            gzip, (struct slice){bytes + at, take}, at + take < len ? GZIP_FLUSH : GZIP_END, &out);
        at += take;
        assert_int_equal(out.failed, ERR_NONE);
        assert_int_equal(out.data[out.len], '\0');
        reader_feed(&reader, slice_skip(buf_slice(&out), fed));
        fed = out.len;
        assert_int_equal(reader.z.total_out, at);
    } while (at < len);
    assert_int_equal(reader.status, Z_STREAM_END);
    assert_memory_equal(reader.bytes, bytes, len);
    reader_end(&reader);
    buf_release(&out);
    free(bytes);
}

static void zlib_reads_it(void **state)
{
    static const size_t sizes[] = {
        0, 1, 2, 100, 1400, 7095, 16383, 16384, 16385, 65536, 141942, MOST - 1, MOST};
    struct rng rng = {5};
    struct err err;
    struct gzip *gzip = gzip_new(&err);

    (void)state;
    assert_non_null(gzip);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        round_trip(gzip, &rng, sizes[i], SIZE_MAX);
        round_trip(gzip, &rng, sizes[i], 1 + sizes[i] / 3);
    }
    for (int i = 0; i < 300; i++)
        round_trip(gzip, &rng, rng_below(&rng, 70000), 1 + rng_below(&rng, 20000));
    gzip_free(gzip);
}

static void empty_pieces(void **state)
{
    struct buf out = BUF_INIT(MOST);
    struct reader reader;
    struct err err;
    struct gzip *gzip = gzip_new(&err);

    (void)state;
    assert_non_null(gzip);
    reader_begin(&reader);
    gzip_put(gzip, SLICE_NONE, GZIP_FLUSH, &out);
    gzip_put(gzip, SLICE("one"), GZIP_FLUSH, &out);
    gzip_put(gzip, SLICE_NONE, GZIP_FLUSH, &out);
    gzip_put(gzip, SLICE_NONE, GZIP_END, &out);
    reader_feed(&reader, buf_slice(&out));
    assert_int_equal(reader.status, Z_STREAM_END);
    assert_int_equal(reader.z.total_out, 3);
    reader_end(&reader);
    buf_release(&out);
    gzip_free(gzip);
}

/* A page's worth of rows must come out much smaller. */
static void packs(void **state)
{
    struct buf rows = BUF_INIT(MOST), out = BUF_INIT(MOST);
    struct err err;
    struct gzip *gzip = gzip_new(&err);

    (void)state;
    assert_non_null(gzip);
    for (int i = 0; i < 200; i++)
        buf_printf(&rows, "{\"image_id\":\"0e2f3b1c-%d\",\"vul_id\":\"CVE-2024-%d\"},", i / 7, i);
    gzip_put(gzip, buf_slice(&rows), GZIP_END, &out);
    assert_in_range(out.len, 20, rows.len / 5);
    buf_release(&rows);
    buf_release(&out);
    gzip_free(gzip);
}

/* Where the output may not grow any further, that is said, and the packer can be used again. */
static void ceilings_and_resets(void **state)
{
    struct rng rng = {6};
    struct buf out = BUF_INIT(20000);
    struct err err;
    struct gzip *gzip = gzip_new(&err);
    char bytes[60000];

    (void)state;
    assert_non_null(gzip);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)rng_next(&rng);
    gzip_put(gzip, (struct slice){bytes, sizeof(bytes)}, GZIP_END, &out);
    assert_int_equal(buf_check(&out, "it", &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    round_trip(gzip, &rng, 1000, SIZE_MAX);
    buf_release(&out);
    gzip_put(gzip, SLICE("given up"), GZIP_FLUSH, &out);
    gzip_reset(gzip);
    round_trip(gzip, &rng, 1000, SIZE_MAX);
    buf_release(&out);
    gzip_free(gzip);
    gzip_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zlib_reads_it),
        cmocka_unit_test(empty_pieces),
        cmocka_unit_test(packs),
        cmocka_unit_test(ceilings_and_resets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
