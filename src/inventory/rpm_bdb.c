/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpm's database in a hash of Berkeley DB (rpm before 4.16): Packages, from the number of a package
 * to its header. The format is that of Berkeley DB 3.1 to 5.3, hash versions 8 to 10, in either
 * byte order (dbinc/db_page.h there; rpm's lib/backend/bdb_ro.c reads it too).
 *
 * Page 0 tells how many buckets there are, and for each power of two how many pages stand before
 * the buckets of that round. A bucket is a chain of pages; a page has pairs of items, written from
 * its end, with their offsets in front. A header rarely fits into a page: it stands in a chain of
 * overflow pages then.
 *
 * In a sound database no page is met twice, so there are as many to spend as the file has: loops
 * end.
 */
#include "inventory/readers.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/bytes.h"
#include "inventory/rpm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { META_BYTES = 512, META_CHECKSUMS = 1, ROUNDS = 32 };
enum { PAGE_HEAD_BYTES = 26, MIN_PAGE_BYTES = 512, MAX_PAGE_BYTES = 65536 };
enum { PAGE_HASH_UNSORTED = 2, PAGE_OVERFLOW = 7, PAGE_HASH = 13 };
enum { ITEM_HERE = 1, ITEM_OVERFLOW = 3, OVERFLOW_ITEM_BYTES = 12 };
#define HASH_MAGIC 0x00061561u
#define BTREE_MAGIC 0x00053162u

struct bdb {
    const struct blob *file;
    struct inventory *inventory;
    bool big_endian;
    uint32_t page_bytes;
    uint32_t last_page, last_bucket;
    uint32_t before[ROUNDS]; /* pages before the buckets of each round, but for themselves */
    uint64_t pages_left;
    unsigned char *page, *overflow; /* a page each; owned */
    struct buf header;
};

static void bdb_release(struct bdb *bdb)
{
    free(bdb->page);
    free(bdb->overflow);
    buf_release(&bdb->header);
}

static uint32_t get16(const struct bdb *bdb, const unsigned char *p)
{
    return bdb->big_endian ? bytes_be16(p) : bytes_le16(p);
}

static uint32_t get32(const struct bdb *bdb, const unsigned char *p)
{
    return bdb->big_endian ? bytes_be32(p) : bytes_le32(p);
}

/* ---- page 0 ---- */

static int read_magic(struct bdb *bdb, const unsigned char *meta, struct err *err)
{
    uint32_t magic = bytes_le32(meta + 12);

    if (magic != HASH_MAGIC && magic != BTREE_MAGIC) {
        magic = bytes_be32(meta + 12);
        bdb->big_endian = true;
    }
    if (magic == BTREE_MAGIC)
        return err_set(err, ERR_UNSUPPORTED,
            "the database is a b-tree of Berkeley DB, and rpm's packages stand in a hash");
    if (magic != HASH_MAGIC)
        return err_set(err, ERR_FORMAT, "it is no database of Berkeley DB");
    if (get32(bdb, meta + 16) < 8 || get32(bdb, meta + 16) > 10)
        return err_set(err, ERR_UNSUPPORTED,
            "the database is a hash of version %" PRIu32 " of Berkeley DB, and 8 to 10 are read",
            get32(bdb, meta + 16));
    if (meta[24] != 0 || meta[26] & META_CHECKSUMS)
        return err_set(err, ERR_UNSUPPORTED,
            "the database of Berkeley DB is encrypted or has checksums, which rpm's never is");
    return 0;
}

static int read_meta(struct bdb *bdb, struct err *err)
{
    unsigned char meta[META_BYTES];

    if (blob_read(bdb->file, 0, meta, sizeof(meta), err) < 0 || read_magic(bdb, meta, err) < 0)
        return -1;
    bdb->page_bytes = get32(bdb, meta + 20);
    bdb->last_page = get32(bdb, meta + 32);
    bdb->last_bucket = get32(bdb, meta + 72);
    if (bdb->page_bytes < MIN_PAGE_BYTES || bdb->page_bytes > MAX_PAGE_BYTES ||
        (bdb->page_bytes & (bdb->page_bytes - 1)) != 0)
        return err_set(
            err, ERR_FORMAT, "the database's pages have %" PRIu32 " bytes", bdb->page_bytes);
    if (bdb->last_page >= bdb->file->size / bdb->page_bytes || bdb->last_bucket >= bdb->last_page)
        return err_set(err, ERR_FORMAT,
            "the database says that it has %" PRIu32 " buckets and %" PRIu32 " pages of %" PRIu32
            " bytes, in %" PRIu64 " bytes",
            bdb->last_bucket, bdb->last_page, bdb->page_bytes, bdb->file->size);
    for (size_t i = 0; i < ROUNDS; i++)
        bdb->before[i] = get32(bdb, meta + 96 + 4 * i);
    bdb->pages_left = bdb->last_page;
    return 0;
}

/* ---- pages ---- */

static int read_page(struct bdb *bdb, uint32_t number, unsigned char **page, struct err *err)
{
    if (number == 0 || number > bdb->last_page)
        return err_set(err, ERR_FORMAT, "the database has no page %" PRIu32 " of %" PRIu32, number,
            bdb->last_page);
    if (bdb->pages_left == 0)
        return err_set(
            err, ERR_FORMAT, "the database uses page %" PRIu32 " more than once", number);
    bdb->pages_left--;
    if (!*page && !(*page = malloc(bdb->page_bytes)))
        return err_nomem(err);
    if (blob_read(bdb->file, (uint64_t)number * bdb->page_bytes, *page, bdb->page_bytes, err) < 0)
        return -1;
    if (get32(bdb, *page + 8) != number)
        return err_set(err, ERR_FORMAT,
            "page %" PRIu32 " of the database says that it is page %" PRIu32, number,
            get32(bdb, *page + 8));
    return 0;
}

static uint32_t next_page(const struct bdb *bdb, const unsigned char *page)
{
    return get32(bdb, page + 16);
}

/* A header from its chain of pages. */
static int read_overflow(struct bdb *bdb, uint32_t number, uint32_t bytes, struct err *err)
{
    buf_clear(&bdb->header);
    if (!buf_reserve(&bdb->header, bytes))
        return buf_check(&bdb->header, "a package of the database", err);
    while (bdb->header.len < bytes) {
        size_t here;

        if (read_page(bdb, number, &bdb->overflow, err) < 0)
            return -1;
        here = get16(bdb, bdb->overflow + 22);
        if (bdb->overflow[25] != PAGE_OVERFLOW || here > bdb->page_bytes - PAGE_HEAD_BYTES ||
            here > bytes - bdb->header.len)
            return err_set(err, ERR_FORMAT,
                "page %" PRIu32 " of the database is of kind %d with %zu bytes, and should go on "
                "with a package of %" PRIu32,
                number, bdb->overflow[25], here, bytes);
        buf_put(&bdb->header, bdb->overflow + PAGE_HEAD_BYTES, here);
        number = next_page(bdb, bdb->overflow);
    }
    return buf_check(&bdb->header, "a package of the database", err);
}

/* ---- items ---- */

/* Item i of the page, which ends where the one before begins. */
static int find_item(const struct bdb *bdb, uint32_t i, struct slice *ret, struct err *err)
{
    const unsigned char *offsets = bdb->page + PAGE_HEAD_BYTES;
    size_t items = get16(bdb, bdb->page + 20), start = get16(bdb, offsets + 2 * (size_t)i);
    size_t end = i ? get16(bdb, offsets + 2 * (size_t)(i - 1)) : bdb->page_bytes;

    if (start < PAGE_HEAD_BYTES + 2 * items || start >= end)
        return err_set(err, ERR_FORMAT,
            "item %" PRIu32 " of the database's page %" PRIu32 " is at bytes %zu to %zu", i,
            get32(bdb, bdb->page + 8), start, end);
    *ret = (struct slice){(const char *)bdb->page + start, end - start};
    return 0;
}

/* Number 0 is none of a package: it holds the highest number given. */
static bool is_number_zero(struct slice key)
{
    static const char zero[4];

    return slice_eq(slice_skip(key, 1), (struct slice){zero, sizeof(zero)});
}

static int add_pair(struct bdb *bdb, uint32_t i, struct err *err)
{
    struct slice key, value;
    const unsigned char *item;

    if (find_item(bdb, i, &key, err) < 0 || find_item(bdb, i + 1, &value, err) < 0)
        return -1;
    if (key.ptr[0] == ITEM_HERE && is_number_zero(key))
        return 0;
    item = (const unsigned char *)value.ptr;
    if (item[0] == ITEM_HERE)
        return rpm_header_add(slice_skip(value, 1), bdb->inventory, err);
    if (item[0] != ITEM_OVERFLOW || value.len != OVERFLOW_ITEM_BYTES)
        return err_set(
            err, ERR_FORMAT, "a package is an item of kind %d with %zu bytes", item[0], value.len);
    if (read_overflow(bdb, get32(bdb, item + 4), get32(bdb, item + 8), err) < 0)
        return -1;
    return rpm_header_add(buf_slice(&bdb->header), bdb->inventory, err);
}

/* ---- buckets ---- */

/* Buckets come in rounds, each twice as many: 0, 1, 2-3, 4-7 ... */
static uint32_t page_of_bucket(const struct bdb *bdb, uint32_t bucket)
{
    unsigned round = bucket ? 32 - (unsigned)__builtin_clz(bucket) : 0;

    return round < ROUNDS ? bucket + bdb->before[round] : 0;
}

static int read_bucket(struct bdb *bdb, uint32_t bucket, struct err *err)
{
    uint32_t number = page_of_bucket(bdb, bucket);

    do {
        uint32_t items;

        if (read_page(bdb, number, &bdb->page, err) < 0)
            return -1;
        items = get16(bdb, bdb->page + 20);
        if ((bdb->page[25] != PAGE_HASH && bdb->page[25] != PAGE_HASH_UNSORTED) || items % 2 ||
            PAGE_HEAD_BYTES + 2 * (size_t)items > bdb->page_bytes)
            return err_set(err, ERR_FORMAT,
                "page %" PRIu32 " of the database is of kind %d with %" PRIu32
                " items, and should be part of a hash",
                number, bdb->page[25], items);
        for (uint32_t i = 0; i < items; i += 2)
            if (add_pair(bdb, i, err) < 0)
                return err_prefix(
                    err, "pair %" PRIu32 " of the database's page %" PRIu32, i / 2, number);
        number = next_page(bdb, bdb->page);
    } while (number);
    return 0;
}

static int read_packages(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct bdb bdb CLEANUP(bdb_release) = {
        .file = file->content, .inventory = inventory, .header = BUF_INIT(LIMIT_RPM_HEADER_BYTES)};

    if (read_meta(&bdb, err) < 0)
        return -1;
    for (uint32_t bucket = 0; bucket <= bdb.last_bucket; bucket++)
        if (read_bucket(&bdb, bucket, err) < 0)
            return -1;
    return 0;
}

static int read_bdb(const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    if (read_packages(file, inventory, err) < 0)
        return rpm_prefix(file, err);
    return 0;
}

static bool matches(struct slice path)
{
    return rpm_is_database(path, "Packages");
}

const struct inventory_reader inventory_rpm_bdb = {
    .name = "rpm-bdb", .matches = matches, .read = read_bdb};
