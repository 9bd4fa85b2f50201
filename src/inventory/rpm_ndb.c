/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpm's own database, which SUSE uses (lib/backend/ndb/rpmpkg.c): Packages.db. All numbers are
 * little-endian, 32 bits; places are in blocks of 16 bytes.
 *
 *     page 0:  "RpmP" version generation slot_pages next_package ... (32 bytes), then slots
 *     slot:    "Slot" package place blocks        a place of 0: not in use
 *     blob:    "BlbS" package time bytes | a header, padded | adler32 bytes "BlbE"
 *
 * Slots fill the first slot_pages pages of 4096 bytes, blobs stand behind them. Each blob is read
 * once: slots are sorted by place, and two that share a block are an error, so that the work is
 * bounded by the size of the file.
 */
#include "inventory/readers.h"

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/bytes.h"
#include "inventory/rpm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4096, BLOCK_BYTES = 16, SLOT_BYTES = 16, DATABASE_HEAD_BYTES = 32 };
enum { BLOB_HEAD_BYTES = 16, BLOB_TAIL_BYTES = 12 };

struct slot {
    uint32_t package, place, blocks;
};

struct slots {
    struct slot *at; /* owned */
    size_t count, cap;
};

static void slots_release(struct slots *slots)
{
    free(slots->at);
}

/* ---- slots ---- */

/* The first block behind the slots. */
static int read_head(const struct blob *file, uint64_t *ret_first, struct err *err)
{
    unsigned char head[DATABASE_HEAD_BYTES];
    uint64_t slot_pages;

    if (blob_read(file, 0, head, sizeof(head), err) < 0)
        return -1;
    if (memcmp(head, "RpmP", 4) != 0)
        return err_set(err, ERR_FORMAT, "it is no rpm database (ndb)");
    if (bytes_le32(head + 4) != 0)
        return err_set(err, ERR_UNSUPPORTED,
            "the rpm database (ndb) is of version %" PRIu32 ", and only 0 is read",
            bytes_le32(head + 4));
    slot_pages = bytes_le32(head + 12);
    if (slot_pages == 0 || slot_pages > file->size / PAGE_BYTES)
        return err_set(err, ERR_FORMAT,
            "the rpm database says that it has %" PRIu64 " pages of slots, in %" PRIu64 " bytes",
            slot_pages, file->size);
    *ret_first = slot_pages * (PAGE_BYTES / BLOCK_BYTES);
    return 0;
}

static int add_slot(struct slots *slots, const struct slot *slot, uint64_t first,
    const struct blob *file, struct err *err)
{
    if (slot->package == 0 || slot->place < first || slot->blocks == 0 ||
        (uint64_t)slot->place + slot->blocks > file->size / BLOCK_BYTES)
        return err_set(err, ERR_FORMAT,
            "package %" PRIu32 " of the rpm database has %" PRIu32 " blocks at %" PRIu32
            ", outside of %" PRIu64 " to %" PRIu64,
            slot->package, slot->blocks, slot->place, first, file->size / BLOCK_BYTES);
    if (slots->count >= LIMIT_IMAGE_PACKAGES)
        return err_set(err, ERR_LIMIT,
            "the rpm database has more than %d packages (LIMIT_IMAGE_PACKAGES)",
            LIMIT_IMAGE_PACKAGES);
    if (array_reserve(&slots->at, &slots->cap, slots->count + 1, sizeof(*slots->at), err) < 0)
        return -1;
    slots->at[slots->count++] = *slot;
    return 0;
}

static int read_slots(const struct blob *file, uint64_t first, struct slots *slots, struct err *err)
{
    unsigned char page[PAGE_BYTES];

    for (uint64_t at = 0; at < first * BLOCK_BYTES; at += PAGE_BYTES) {
        if (blob_read(file, at, page, sizeof(page), err) < 0)
            return -1;
        for (size_t i = at ? 0 : DATABASE_HEAD_BYTES; i < PAGE_BYTES; i += SLOT_BYTES) {
            const unsigned char *p = page + i;
            struct slot slot = {bytes_le32(p + 4), bytes_le32(p + 8), bytes_le32(p + 12)};

            if (memcmp(p, "Slot", 4) != 0)
                return err_set(
                    err, ERR_FORMAT, "the rpm database has no slot at byte %" PRIu64, at + i);
            if (slot.place && add_slot(slots, &slot, first, file, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    uint32_t x = ((const struct slot *)a)->place, y = ((const struct slot *)b)->place;

    return x < y ? -1 : x > y;
}

static int order_slots(struct slots *slots, struct err *err)
{
    if (slots->count)
        qsort(slots->at, slots->count, sizeof(*slots->at), by_place);
    for (size_t i = 1; i < slots->count; i++) {
        const struct slot *before = &slots->at[i - 1], *slot = &slots->at[i];

        if (slot->place - before->place < before->blocks)
            return err_set(err, ERR_FORMAT,
                "packages %" PRIu32 " and %" PRIu32 " of the rpm database lie over each other",
                before->package, slot->package);
    }
    return 0;
}

/* ---- blobs ---- */

/* RFC 1950, section 8. */
static uint32_t adler32_of(const unsigned char *p, size_t len)
{
    enum { BASE = 65521, STEP = 5552 /* the sums do not overflow within so many bytes */ };
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < len;) {
        size_t end = len - i < STEP ? len : i + STEP;

        for (; i < end; i++) {
            a += p[i];
            b += a;
        }
        a %= BASE;
        b %= BASE;
    }
    return b << 16 | a;
}

static int bad_blob(const struct slot *slot, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "package %" PRIu32 " of the rpm database: %s at block %" PRIu32,
        slot->package, why, slot->place);
}

/* All of the slot's blocks in *blob, checked; *ret is the header within. */
static int read_blob(const struct blob *file, const struct slot *slot, struct buf *blob,
    struct slice *ret, struct err *err)
{
    size_t size = (size_t)slot->blocks * BLOCK_BYTES, bytes;
    const unsigned char *head, *tail;

    if (size < BLOB_HEAD_BYTES + BLOB_TAIL_BYTES)
        return bad_blob(slot, "too few bytes", err);
    buf_clear(blob);
    if (!buf_reserve(blob, size))
        return buf_check(blob, "a package of the rpm database", err);
    if (blob_read(file, (uint64_t)slot->place * BLOCK_BYTES, blob->data, size, err) < 0)
        return -1;
    head = (const unsigned char *)blob->data;
    tail = head + size - BLOB_TAIL_BYTES;
    bytes = bytes_le32(head + 12);
    if (memcmp(head, "BlbS", 4) != 0 || bytes_le32(head + 4) != slot->package)
        return bad_blob(slot, "its header does not begin", err);
    if (memcmp(tail + 8, "BlbE", 4) != 0 || bytes_le32(tail + 4) != bytes ||
        (BLOB_HEAD_BYTES + bytes + BLOB_TAIL_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES != slot->blocks)
        return bad_blob(slot, "its header does not end in its last block; it begins", err);
    if (bytes_le32(tail) != adler32_of(head, size - BLOB_TAIL_BYTES))
        return bad_blob(slot, "its checksum does not fit; it begins", err);
    *ret = (struct slice){blob->data + BLOB_HEAD_BYTES, bytes};
    return 0;
}

static int read_packages(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct slots slots CLEANUP(slots_release) = {0};
    struct buf blob CLEANUP(buf_release) = BUF_INIT(LIMIT_RPM_HEADER_BYTES);
    uint64_t first = 0;

    if (read_head(file->content, &first, err) < 0 ||
        read_slots(file->content, first, &slots, err) < 0 || order_slots(&slots, err) < 0)
        return -1;
    for (size_t i = 0; i < slots.count; i++) {
        struct slice header;

        if (read_blob(file->content, &slots.at[i], &blob, &header, err) < 0)
            return -1;
        if (rpm_header_add(header, inventory, err) < 0)
            return err_prefix(err, "package %" PRIu32 " of the rpm database", slots.at[i].package);
    }
    return 0;
}

static int read_ndb(const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    if (read_packages(file, inventory, err) < 0)
        return rpm_prefix(file, err);
    return 0;
}

static bool matches(struct slice path)
{
    return rpm_is_database(path, "Packages.db");
}

const struct inventory_reader inventory_rpm_ndb = {
    .name = "rpm-ndb", .matches = matches, .read = read_ndb};
