/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of an SQLite database, with and without a write-ahead log, sound and damaged. */
#include "inventory/reading.h"

#include "inventory/sqlite_pages.h"
#include "support/rpm_make.h"

/* Opens a database of which only page 1 matters; NULL for no log. */
static int open_pages(const struct sqlite_make *db, const struct buf *wal,
    struct sqlite_pages *pages, struct err *err)
{
    static struct blob file, log; /* must outlive the pages */

    file = blob_of_memory(sqlite_bytes(db), "db");
    if (wal)
        log = blob_of_memory(buf_slice(wal), "db-wal");
    return sqlite_pages_open(pages, &file, wal ? &log : NULL, err);
}

static void make(struct sqlite_make *db)
{
    *db = (struct sqlite_make){.count = 4};
    memcpy(db->pages[0], "SQLite format 3", 16);
    set_be(db->pages[0] + 16, MAKE_PAGE, 2);
    set_be(db->pages[0] + 28, db->count, 4);
    for (unsigned i = 1; i < 8; i++)
        db->pages[i][0] = (unsigned char)('a' + i);
}

static unsigned char first_byte(const struct sqlite_pages *pages, uint32_t page)
{
    unsigned char content[MAKE_PAGE];
    struct err err;

    return sqlite_pages_read(pages, page, content, &err) == 0 ? content[0] : '-';
}

static void test_file(void **state)
{
    struct sqlite_pages pages;
    struct sqlite_make db;
    struct err err = {0};

    (void)state;
    make(&db);
    assert_ok(open_pages(&db, NULL, &pages, &err));
    assert_int_equal(pages.page_count, 4);
    assert_int_equal(first_byte(&pages, 4), 'd');
    assert_int_equal(first_byte(&pages, 5), '-');
    assert_int_equal(first_byte(&pages, 0), '-');
    sqlite_pages_release(&pages);
    set_be(db.pages[0] + 28, 9, 4);
    assert_int_equal(open_pages(&db, NULL, &pages, &err), -1);
    assert_string_equal(err.message, "the database is cut short: 4 of its 9 pages are there");
    set_be(db.pages[0] + 24, 1, 4); /* the last writer did not keep the count */
    assert_ok(open_pages(&db, NULL, &pages, &err));
    assert_int_equal(pages.page_count, 4);
    sqlite_pages_release(&pages);
}

static void test_header(void **state)
{
    struct sqlite_pages pages;
    struct sqlite_make db;
    struct err err = {0};

    (void)state;
    make(&db);
    db.pages[0][20] = 33;
    assert_int_equal(open_pages(&db, NULL, &pages, &err), -1);
    assert_string_equal(err.message, "the database's pages have 512 bytes, 33 of them reserved");
    db.pages[0][20] = 32;
    assert_ok(open_pages(&db, NULL, &pages, &err));
    assert_int_equal(pages.usable_bytes, 480);
    sqlite_pages_release(&pages);
    set_be(db.pages[0] + 56, 2, 4);
    assert_int_equal(open_pages(&db, NULL, &pages, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    set_be(db.pages[0] + 16, 768, 2);
    assert_int_equal(open_pages(&db, NULL, &pages, &err), -1);
    assert_string_equal(err.message, "the database's pages have 768 bytes, 32 of them reserved");
    db.pages[0][0] = 's';
    assert_int_equal(open_pages(&db, NULL, &pages, &err), -1);
    assert_string_equal(err.message, "it is no SQLite database");
}

/* The newest committed version of a page counts, in either byte order of the sums. */
static void test_log(void **state)
{
    static const uint32_t frames[] = {2, 3, 2, 6};

    (void)state;
    for (int big_endian = 0; big_endian < 2; big_endian++) {
        struct buf wal = BUF_INIT(1 << 20);
        struct sqlite_make db;
        struct sqlite_pages pages;
        struct err err = {0};
        unsigned char *p;

        make(&db);
        db.count = 6;
        make_wal(&wal, &db, frames, 4, big_endian);
        p = (unsigned char *)wal.data + 32;
        p[2 * (24 + MAKE_PAGE) + 24] = 'X';
        mend_wal((unsigned char *)wal.data, wal.len, MAKE_PAGE);
        db.count = 4;
        assert_ok(open_pages(&db, &wal, &pages, &err));
        assert_int_equal(pages.page_count, 6);
        assert_int_equal(pages.frame_count, 3);
        assert_int_equal(first_byte(&pages, 2), 'X');
        assert_int_equal(first_byte(&pages, 4), 'd');
        assert_int_equal(first_byte(&pages, 5), '-'); /* neither file nor log has it */
        assert_int_equal(first_byte(&pages, 6), 'f');
        sqlite_pages_release(&pages);

        set_be(p + 24 + MAKE_PAGE + 4, 4, 4); /* the second frame commits, the fourth does not */
        set_be(p + 3 * (24 + MAKE_PAGE) + 4, 0, 4);
        mend_wal((unsigned char *)wal.data, wal.len, MAKE_PAGE);
        assert_ok(open_pages(&db, &wal, &pages, &err));
        assert_int_equal(pages.page_count, 4);
        assert_int_equal(first_byte(&pages, 2), 'b');
        sqlite_pages_release(&pages);
        buf_release(&wal);
    }
}

/* Whatever does not fit ends the log, without a word: SQLite goes on from there as well. */
static void test_log_that_does_not_count(void **state)
{
    static const uint32_t frames[] = {2, 3};
    struct buf wal = BUF_INIT(1 << 20);
    struct sqlite_pages pages;
    struct sqlite_make db;
    struct err err = {0};
    unsigned char *p;

    (void)state;
    make(&db);
    make_wal(&wal, &db, frames, 2, false);
    p = (unsigned char *)wal.data;
    for (size_t damaged = 0; damaged < wal.len; damaged += 7) {
        p[damaged] ^= 4;
        if (open_pages(&db, &wal, &pages, &err) == 0) {
            assert_int_equal(pages.frame_count, 0);
            sqlite_pages_release(&pages);
        }
        p[damaged] ^= 4;
    }
    wal.len--;
    assert_ok(open_pages(&db, &wal, &pages, &err));
    assert_int_equal(pages.frame_count, 0);
    sqlite_pages_release(&pages);
    wal.len = 31;
    assert_ok(open_pages(&db, &wal, &pages, &err));
    sqlite_pages_release(&pages);
    wal.len = 32 + 2 * (24 + MAKE_PAGE);
    set_be(p + 8, 1024, 4);
    mend_wal(p, wal.len, MAKE_PAGE);
    assert_int_equal(open_pages(&db, &wal, &pages, &err), -1);
    assert_string_equal(
        err.message, "the pages of the write-ahead log have 1024 bytes, those of the database 512");
    set_be(p + 4, 1, 4);
    mend_wal(p, wal.len, MAKE_PAGE);
    assert_int_equal(open_pages(&db, &wal, &pages, &err), -1);
    assert_string_equal(
        err.message, "the write-ahead log is of version 1, and only 3007000 is read");
    buf_release(&wal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_that_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
