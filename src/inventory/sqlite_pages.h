/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of an SQLite database as its last commit left them: from the file itself, or from the
 * write-ahead log beside it (https://www.sqlite.org/fileformat2.html, sections 1.3 and 4). Read
 * only, one page at a time: nothing is kept but where the log has which page.
 */
#ifndef CAREEN_INVENTORY_SQLITE_PAGES_H
#define CAREEN_INVENTORY_SQLITE_PAGES_H

#include "codec/blob.h"

struct wal_frame {
    uint32_t page, frame;
};

struct sqlite_pages {
    const struct blob *file, *wal; /* not owned; the log may be NULL */
    uint32_t page_bytes;           /* a power of two, 512 to 65536 */
    uint32_t usable_bytes;         /* of a page, from its start; at least 480 */
    uint32_t page_count;           /* pages are numbered from 1 */
    struct wal_frame *frames;      /* by page, the newest of each; owned */
    size_t frame_count, frame_cap;
};

enum { SQLITE_PAGE_MAX_BYTES = 65536 };

/* A log that was never committed to, or does not belong to the file, is left out, as SQLite does.
 * The blobs must stay. ERR_FORMAT, ERR_UNSUPPORTED (text in UTF-16), ERR_LIMIT, ERR_IO. */
int sqlite_pages_open(
    struct sqlite_pages *ret, const struct blob *file, const struct blob *wal, struct err *err);
void sqlite_pages_release(struct sqlite_pages *pages); /* accepts zeroed */
/* A whole page: page_bytes. ERR_FORMAT when there is no such page. */
int sqlite_pages_read(
    const struct sqlite_pages *pages, uint32_t page, unsigned char *dst, struct err *err);

#endif
