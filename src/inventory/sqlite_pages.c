/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file begins with a header of 100 bytes, which is part of page 1. The log is
 *
 *     32 bytes: magic version page_size checkpoint salt1 salt2 sum1 sum2
 *     frames:   page_number commit_size salt1 salt2 sum1 sum2 | a page
 *
 * Sums run on from the header through all frames. The log ends, whatever follows, at the first
 * frame whose salts or sums do not fit: frames of an older round stand there. What counts is
 * everything up to the last frame with a commit_size, which is then the database's size in pages.
 */
#include "inventory/sqlite_pages.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 100, MIN_USABLE_BYTES = 480, ENCODING_UTF8 = 1 };
enum { WAL_HEADER_BYTES = 32, FRAME_HEADER_BYTES = 24, WAL_VERSION = 3007000 };
#define WAL_MAGIC 0x377f0682u /* the lowest bit: sums are of big-endian words */

/* ---- the log ---- */

struct wal_sum {
    uint32_t a, b;
    bool big_endian;
};

/* len: a multiple of 8. */
static void add_sum(struct wal_sum *sum, const unsigned char *p, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        sum->a += (sum->big_endian ? bytes_be32(p + i) : bytes_le32(p + i)) + sum->b;
        sum->b += (sum->big_endian ? bytes_be32(p + i + 4) : bytes_le32(p + i + 4)) + sum->a;
    }
}

static bool is_sum(const struct wal_sum *sum, const unsigned char *p)
{
    return bytes_be32(p) == sum->a && bytes_be32(p + 4) == sum->b;
}

static bool is_page_size(uint32_t bytes)
{
    return bytes >= 512 && bytes <= SQLITE_PAGE_MAX_BYTES && (bytes & (bytes - 1)) == 0;
}

static uint64_t frame_offset(const struct sqlite_pages *pages, uint32_t frame)
{
    return WAL_HEADER_BYTES + (uint64_t)frame * (FRAME_HEADER_BYTES + pages->page_bytes);
}

/* Is it a log at all? Then *sum is where the first frame's goes on. */
static bool wal_begin(const unsigned char header[WAL_HEADER_BYTES], struct wal_sum *sum)
{
    if ((bytes_be32(header) & ~1u) != WAL_MAGIC)
        return false;
    *sum = (struct wal_sum){.big_endian = bytes_be32(header) & 1};
    add_sum(sum, header, WAL_HEADER_BYTES - 8);
    return is_sum(sum, header + WAL_HEADER_BYTES - 8);
}

static int by_page(const void *a, const void *b)
{
    const struct wal_frame *x = a, *y = b;

    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* Sorts the frames by page, and keeps the last one of each. */
static void order_frames(struct sqlite_pages *pages)
{
    size_t kept = 0;

    if (pages->frame_count)
        qsort(pages->frames, pages->frame_count, sizeof(*pages->frames), by_page);
    for (size_t i = 0; i < pages->frame_count; i++) {
        if (kept && pages->frames[kept - 1].page == pages->frames[i].page)
            kept--;
        pages->frames[kept++] = pages->frames[i];
    }
    pages->frame_count = kept;
}

static int push_frame(struct sqlite_pages *pages, uint32_t page, uint32_t frame, struct err *err)
{
    if (frame >= LIMIT_SQLITE_WAL_FRAMES)
        return err_set(err, ERR_LIMIT,
            "the write-ahead log has more than %d pages (LIMIT_SQLITE_WAL_FRAMES)",
            LIMIT_SQLITE_WAL_FRAMES);
    if (array_reserve(&pages->frames, &pages->frame_cap, pages->frame_count + 1,
            sizeof(*pages->frames), err) < 0)
        return -1;
    pages->frames[pages->frame_count++] = (struct wal_frame){page, frame};
    return 0;
}

/* Reads frames as long as they fit; pages->frames are those of the last commit then. */
static int read_frames(struct sqlite_pages *pages, const unsigned char header[WAL_HEADER_BYTES],
    struct wal_sum sum, struct err *err)
{
    size_t frame_bytes = FRAME_HEADER_BYTES + pages->page_bytes, committed = 0;
    unsigned char *frame CLEANUP(cleanup_free) = malloc(frame_bytes);

    if (!frame)
        return err_nomem(err);
    for (uint32_t i = 0; frame_offset(pages, i + 1) <= pages->wal->size; i++) {
        uint32_t page, commit;

        if (blob_read(pages->wal, frame_offset(pages, i), frame, frame_bytes, err) < 0)
            return -1;
        page = bytes_be32(frame);
        commit = bytes_be32(frame + 4);
        add_sum(&sum, frame, 8);
        add_sum(&sum, frame + FRAME_HEADER_BYTES, pages->page_bytes);
        if (page == 0 || memcmp(frame + 8, header + 16, 8) != 0 || !is_sum(&sum, frame + 16))
            break;
        if (push_frame(pages, page, i, err) < 0)
            return -1;
        if (commit) {
            committed = pages->frame_count;
            pages->page_count = commit;
        }
    }
    pages->frame_count = committed;
    order_frames(pages);
    return 0;
}

static int read_wal(struct sqlite_pages *pages, struct err *err)
{
    unsigned char header[WAL_HEADER_BYTES];
    struct wal_sum sum;

    if (!pages->wal || pages->wal->size < sizeof(header))
        return 0;
    if (blob_read(pages->wal, 0, header, sizeof(header), err) < 0)
        return -1;
    if (!wal_begin(header, &sum))
        return 0;
    if (bytes_be32(header + 4) != WAL_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
            "the write-ahead log is of version %" PRIu32 ", and only %d is read",
            bytes_be32(header + 4), WAL_VERSION);
    if (bytes_be32(header + 8) != pages->page_bytes)
        return err_set(err, ERR_FORMAT,
            "the pages of the write-ahead log have %" PRIu32
            " bytes, those of the database %" PRIu32,
            bytes_be32(header + 8), pages->page_bytes);
    return read_frames(pages, header, sum, err);
}

/* ---- the file ---- */

/* The header counts pages only if the last writer knew how to (section 1.3.7). */
static int count_pages(struct sqlite_pages *pages, const unsigned char *header, struct err *err)
{
    uint64_t there = pages->file->size / pages->page_bytes;
    uint32_t said = bytes_be32(header + 28);

    if (said && bytes_be32(header + 24) == bytes_be32(header + 92)) {
        if (said > there)
            return err_set(err, ERR_FORMAT,
                "the database is cut short: %" PRIu64 " of its %" PRIu32 " pages are there", there,
                said);
        there = said;
    }
    pages->page_count = there > UINT32_MAX ? UINT32_MAX : (uint32_t)there;
    return 0;
}

static int read_header(struct sqlite_pages *pages, const unsigned char *header, struct err *err)
{
    uint32_t page_bytes = bytes_be16(header + 16), encoding = bytes_be32(header + 56);

    if (memcmp(header, "SQLite format 3", 16) != 0)
        return err_set(err, ERR_FORMAT, "it is no SQLite database");
    if (page_bytes == 1)
        page_bytes = SQLITE_PAGE_MAX_BYTES;
    if (!is_page_size(page_bytes) || page_bytes - header[20] < MIN_USABLE_BYTES)
        return err_set(err, ERR_FORMAT,
            "the database's pages have %" PRIu32 " bytes, %d of them reserved", page_bytes,
            header[20]);
    if (encoding > ENCODING_UTF8)
        return err_set(err, ERR_UNSUPPORTED,
            "the database's texts are in UTF-16, and rpm's never "
            "are");
    pages->page_bytes = page_bytes;
    pages->usable_bytes = page_bytes - header[20];
    return 0;
}

int sqlite_pages_open(
    struct sqlite_pages *ret, const struct blob *file, const struct blob *wal, struct err *err)
{
    struct sqlite_pages pages CLEANUP(sqlite_pages_release) = {.file = file, .wal = wal};
    unsigned char header[HEADER_BYTES];

    if (blob_read(file, 0, header, sizeof(header), err) < 0 ||
        read_header(&pages, header, err) < 0 || read_wal(&pages, err) < 0)
        return -1;
    /* With a log, its count is the truth, and the file may still lack pages. */
    if (pages.frame_count == 0 && count_pages(&pages, header, err) < 0)
        return -1;
    *ret = pages;
    pages.frames = NULL;
    return 0;
}

void sqlite_pages_release(struct sqlite_pages *pages)
{
    free(pages->frames);
    *pages = (struct sqlite_pages){0};
}

static int is_before(const void *page, const void *frame)
{
    uint32_t key = *(const uint32_t *)page, at = ((const struct wal_frame *)frame)->page;

    return key < at ? -1 : key > at;
}

static const struct wal_frame *find_frame(const struct sqlite_pages *pages, uint32_t page)
{
    return pages->frame_count ? bsearch(&page, pages->frames, pages->frame_count,
                                    sizeof(*pages->frames), is_before)
                              : NULL;
}

int sqlite_pages_read(
    const struct sqlite_pages *pages, uint32_t page, unsigned char *dst, struct err *err)
{
    const struct wal_frame *frame = find_frame(pages, page);

    if (page == 0 || page > pages->page_count)
        return err_set(err, ERR_FORMAT, "the database has no page %" PRIu32 " of %" PRIu32, page,
            pages->page_count);
    if (frame)
        return blob_read(pages->wal, frame_offset(pages, frame->frame) + FRAME_HEADER_BYTES, dst,
            pages->page_bytes, err);
    return blob_read(
        pages->file, (uint64_t)(page - 1) * pages->page_bytes, dst, pages->page_bytes, err);
}
