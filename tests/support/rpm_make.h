/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small databases of rpm, made by the rules of their formats, for tests that then damage them: one
 * page size each, and as many packages as fit. What rpm itself makes is in
 * tests/e2e/test_rpm_databases.py.
 */
#ifndef CAREEN_TESTS_SUPPORT_RPM_MAKE_H
#define CAREEN_TESTS_SUPPORT_RPM_MAKE_H

#include "base/buf.h"

#include <string.h>

enum { MAKE_PAGE = 512, NDB_PAGE = 4096 };

static inline void set_be(unsigned char *p, uint32_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (unsigned char)(value >> 8 * (len - 1 - i));
}

static inline void set_le(unsigned char *p, uint32_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (unsigned char)(value >> 8 * i);
}

static inline uint32_t get_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t get_le32(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* ---- a header ---- */

struct make_entry {
    uint32_t tag, type;
    const char *text; /* types 6, 8, 9 */
    uint32_t number;  /* type 4 */
};

/* Appends a header of these entries. */
static inline void put_rpm_header(struct buf *out, const struct make_entry *entries, size_t count)
{
    struct buf data = BUF_INIT(1 << 20);
    unsigned char word[16];
    size_t start = out->len;

    buf_reserve(out, 8 + 16 * count);
    out->len += 8;
    for (size_t i = 0; i < count; i++) {
        while (entries[i].type == 4 && data.len % 4)
            buf_put_char(&data, '\0');
        set_be(word, entries[i].tag, 4);
        set_be(word + 4, entries[i].type, 4);
        set_be(word + 8, (uint32_t)data.len, 4);
        set_be(word + 12, 1, 4);
        buf_put(out, word, 16);
        set_be(word, entries[i].number, 4);
        if (entries[i].type == 4)
            buf_put(&data, word, 4);
        else
            buf_put(&data, entries[i].text, strlen(entries[i].text) + 1);
    }
    set_be((unsigned char *)out->data + start, (uint32_t)count, 4);
    set_be((unsigned char *)out->data + start + 4, (uint32_t)data.len, 4);
    buf_put_slice(out, buf_slice(&data));
    buf_release(&data);
}

/* The package NAME 1-2, noarch; with `padding` bytes that nobody asks for. */
static inline void put_rpm_package(struct buf *out, const char *name, size_t padding)
{
    char filler[4096] = "";
    struct make_entry entries[] = {{1000, 6, name, 0}, {1001, 6, "1", 0}, {1002, 6, "2", 0},
        {1005, 6, filler, 0}, {1022, 6, "noarch", 0}};

    memset(filler, 'x', padding < sizeof(filler) ? padding : sizeof(filler) - 1);
    put_rpm_header(out, entries, sizeof(entries) / sizeof(entries[0]));
}

/* ---- ndb ---- */

static inline uint32_t make_adler32(const unsigned char *p, size_t len)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < len; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static inline void set_slot(unsigned char *p, uint32_t package, uint32_t place, uint32_t blocks)
{
    memcpy(p, "Slot", 4);
    set_le(p + 4, package, 4);
    set_le(p + 8, place, 4);
    set_le(p + 12, blocks, 4);
}

/* One page of slots, and a blob for each header. */
static inline void make_ndb(struct buf *out, const struct slice *headers, size_t count)
{
    unsigned char page[NDB_PAGE] = "RpmP", head[16] = "BlbS", tail[12];
    size_t start = out->len, slot = 32;

    set_le(page + 12, 1, 4);
    for (size_t i = slot; i < NDB_PAGE; i += 16)
        set_slot(page + i, 0, 0, 0);
    buf_put(out, page, sizeof(page));
    for (size_t i = 0; i < count; i++, slot += 16) {
        size_t at = out->len;

        set_le(head + 4, (uint32_t)i + 1, 4);
        set_le(head + 12, (uint32_t)headers[i].len, 4);
        buf_put(out, head, sizeof(head));
        buf_put_slice(out, headers[i]);
        while ((out->len - at + sizeof(tail)) % 16)
            buf_put_char(out, '\0');
        set_le(tail, make_adler32((unsigned char *)out->data + at, out->len - at), 4);
        set_le(tail + 4, (uint32_t)headers[i].len, 4);
        memcpy(tail + 8, "BlbE", 4);
        buf_put(out, tail, sizeof(tail));
        set_slot((unsigned char *)out->data + start + slot, (uint32_t)i + 1,
            (uint32_t)((at - start) / 16), (uint32_t)((out->len - at) / 16));
    }
}

/* ---- Berkeley DB ---- */

struct bdb_make {
    bool big_endian;
    unsigned char pages[8][MAKE_PAGE]; /* as many as last_page says, and page 0 */
};

static inline void bdb_set(const struct bdb_make *bdb, unsigned char *p, uint32_t value, size_t len)
{
    if (bdb->big_endian)
        set_be(p, value, len);
    else
        set_le(p, value, len);
}

static inline void bdb_page(
    struct bdb_make *bdb, uint32_t page, int type, uint32_t items, uint32_t next)
{
    bdb_set(bdb, bdb->pages[page] + 8, page, 4);
    bdb_set(bdb, bdb->pages[page] + 16, next, 4);
    bdb_set(bdb, bdb->pages[page] + 20, items, 2);
    bdb->pages[page][25] = (unsigned char)type;
}

/* Puts item i of a page in front of *end. */
static inline void bdb_item(
    struct bdb_make *bdb, uint32_t page, uint32_t i, size_t *end, const void *bytes, size_t len)
{
    *end -= len;
    memcpy(bdb->pages[page] + *end, bytes, len);
    bdb_set(bdb, bdb->pages[page] + 26 + 2 * (size_t)i, (uint32_t)*end, 2);
}

/* Page 0; bucket 0 on page 1 with number 0 and a small package; bucket 1 on page 2 with a package
 * that stands on the pages 3 and 4. `large` has to be longer than one page has room for. */
static inline void make_bdb(
    struct bdb_make *bdb, bool big_endian, struct slice small, struct slice large)
{
    static const unsigned char key[5] = {1}, other_key[5] = {1, 1, 1, 1, 1};
    unsigned char item[MAKE_PAGE] = {1};
    size_t end = MAKE_PAGE, room = MAKE_PAGE - 26;

    *bdb = (struct bdb_make){.big_endian = big_endian};
    bdb_page(bdb, 0, 8, 0, 0);
    bdb_set(bdb, bdb->pages[0] + 12, 0x00061561, 4);
    bdb_set(bdb, bdb->pages[0] + 16, 9, 4);
    bdb_set(bdb, bdb->pages[0] + 20, MAKE_PAGE, 4);
    bdb_set(bdb, bdb->pages[0] + 32, 4, 4);
    bdb_set(bdb, bdb->pages[0] + 72, 1, 4);
    bdb_set(bdb, bdb->pages[0] + 96, 1, 4);
    bdb_set(bdb, bdb->pages[0] + 100, 1, 4);

    bdb_page(bdb, 1, 13, 4, 0);
    bdb_item(bdb, 1, 0, &end, key, sizeof(key));
    bdb_item(bdb, 1, 1, &end, key, sizeof(key));
    bdb_item(bdb, 1, 2, &end, other_key, sizeof(other_key));
    memcpy(item + 1, small.ptr, small.len);
    bdb_item(bdb, 1, 3, &end, item, small.len + 1);

    bdb_page(bdb, 2, 2, 2, 0);
    end = MAKE_PAGE;
    bdb_item(bdb, 2, 0, &end, other_key, sizeof(other_key));
    memset(item, 0, 12);
    item[0] = 3;
    bdb_set(bdb, item + 4, 3, 4);
    bdb_set(bdb, item + 8, (uint32_t)large.len, 4);
    bdb_item(bdb, 2, 1, &end, item, 12);

    bdb_page(bdb, 3, 7, 1, 4);
    bdb_page(bdb, 4, 7, 1, 0);
    bdb_set(bdb, bdb->pages[3] + 22, (uint32_t)room, 2);
    memcpy(bdb->pages[3] + 26, large.ptr, room);
    bdb_set(bdb, bdb->pages[4] + 22, (uint32_t)(large.len - room), 2);
    memcpy(bdb->pages[4] + 26, large.ptr + room, large.len - room);
}

static inline struct slice bdb_bytes(const struct bdb_make *bdb)
{
    return (struct slice){(const char *)bdb->pages, 5 * (size_t)MAKE_PAGE};
}

/* ---- SQLite ---- */

struct sqlite_make {
    unsigned char pages[8][MAKE_PAGE]; /* page n is pages[n - 1] */
    uint32_t count;
};

static inline size_t put_varint(unsigned char *p, size_t value)
{
    if (value < 128) {
        p[0] = (unsigned char)value;
        return 1;
    }
    p[0] = (unsigned char)(0x80 | value >> 7);
    p[1] = (unsigned char)(value & 0x7f);
    return 2;
}

/* Puts a row as cell i of a leaf, in front of *end; what does not fit goes on in page `overflow`.
 */
static inline void sqlite_cell(struct sqlite_make *db, uint32_t page, uint32_t i, size_t *end,
    struct slice record, uint32_t overflow)
{
    unsigned char *p = db->pages[page - 1], cell[MAKE_PAGE];
    size_t head = page == 1 ? 108 : 8, min = (MAKE_PAGE - 12) * 32 / 255 - 23, local = record.len;
    size_t len = put_varint(cell, record.len);

    len += put_varint(cell + len, i + 1);
    if (record.len > MAKE_PAGE - 35) {
        local = min + (record.len - min) % (MAKE_PAGE - 4);
        if (local > MAKE_PAGE - 35)
            local = min;
        set_be(cell + len + local, overflow, 4);
        memcpy(db->pages[overflow - 1] + 4, record.ptr + local, record.len - local);
    }
    memcpy(cell + len, record.ptr, local);
    len += local + (local < record.len ? 4 : 0);
    *end -= len;
    memcpy(p + *end, cell, len);
    set_be(p + head + 2 * (size_t)i, (uint32_t)*end, 2);
    p[head - 8] = 13;
    set_be(p + head - 8 + 3, i + 1, 2);
}

/* The record of a package: NULL and a blob. */
static inline void put_record(struct buf *out, struct slice header)
{
    unsigned char head[4] = {0};
    size_t len = 2 + put_varint(head + 2, 12 + 2 * header.len);

    head[0] = (unsigned char)len;
    buf_put(out, head, len);
    buf_put_slice(out, header);
}

/* Page 1 with the schema; page 2, the root of Packages, points at the leaves 3 and 4, of which the
 * second has the large package, that goes on in page 5. */
static inline void make_sqlite(struct sqlite_make *db, struct slice small, struct slice large)
{
    /* Types: text, text, text, integer, text. */
    static const char schema[] = "\x06\x17\x1d\x1d\x01\x0f"
                                 "tablePackagesPackages\x02X";
    struct buf record = BUF_INIT(4096);
    size_t end = MAKE_PAGE;

    *db = (struct sqlite_make){.count = 5};
    memcpy(db->pages[0], "SQLite format 3", 16);
    set_be(db->pages[0] + 16, MAKE_PAGE, 2);
    set_be(db->pages[0] + 28, db->count, 4);
    set_be(db->pages[0] + 56, 1, 4);
    sqlite_cell(db, 1, 0, &end, (struct slice){schema, sizeof(schema) - 1}, 0);

    db->pages[1][0] = 5;
    set_be(db->pages[1] + 3, 1, 2);
    set_be(db->pages[1] + 8, 4, 4);
    set_be(db->pages[1] + 12, MAKE_PAGE - 5, 2);
    set_be(db->pages[1] + MAKE_PAGE - 5, 3, 4);
    db->pages[1][MAKE_PAGE - 1] = 1;

    put_record(&record, small);
    end = MAKE_PAGE;
    sqlite_cell(db, 3, 0, &end, buf_slice(&record), 0);
    buf_clear(&record);
    put_record(&record, large);
    end = MAKE_PAGE;
    sqlite_cell(db, 4, 0, &end, buf_slice(&record), 5);
    buf_release(&record);
}

static inline struct slice sqlite_bytes(const struct sqlite_make *db)
{
    return (struct slice){(const char *)db->pages, db->count * (size_t)MAKE_PAGE};
}

/* Makes the sums of a log fit, whatever else is in it. */
static inline void mend_wal(unsigned char *p, size_t len, size_t page_bytes)
{
    bool big_endian = len >= 4 && p[3] & 1;
    uint32_t a = 0, b = 0;
    size_t part = 24;

    for (size_t at = 0; at + part + 8 <= len && (at == 0 || at + 24 + page_bytes <= len);) {
        size_t size = at == 0 ? 24 : 24 + page_bytes;

        for (size_t i = at; i < at + size; i += 8) {
            if (at && i == at + 8)
                i = at + 24;
            a += (big_endian ? get_be32(p + i) : get_le32(p + i)) + b;
            b += (big_endian ? get_be32(p + i + 4) : get_le32(p + i + 4)) + a;
        }
        set_be(p + at + (at ? 16 : 24), a, 4);
        set_be(p + at + (at ? 20 : 28), b, 4);
        at = at ? at + size : 32;
    }
}

/* A log of one frame for each page that is named; the last one commits. */
static inline void make_wal(struct buf *out, const struct sqlite_make *db, const uint32_t *pages,
    size_t count, bool big_endian)
{
    unsigned char head[32] = {0};

    set_be(head, big_endian ? 0x377f0683 : 0x377f0682, 4);
    set_be(head + 4, 3007000, 4);
    set_be(head + 8, MAKE_PAGE, 4);
    memcpy(head + 16, "saltsalt", 8);
    buf_put(out, head, sizeof(head));
    for (size_t i = 0; i < count; i++) {
        memset(head, 0, sizeof(head));
        set_be(head, pages[i], 4);
        set_be(head + 4, i + 1 == count ? db->count : 0, 4);
        memcpy(head + 8, "saltsalt", 8);
        buf_put(out, head, 24);
        buf_put(out, db->pages[pages[i] - 1], MAKE_PAGE);
    }
    mend_wal((unsigned char *)out->data, out->len, MAKE_PAGE);
}

#endif
