// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpm_seeds FOLDER: writes the seeds of the fuzz targets rpm_header, rpm_sqlite, rpm_ndb and
 * rpm_bdb into FOLDER/TARGET/, which has to be there: tests/fuzz/corpus is made with it.
 */
#include "support/rpm_make.h"

#include <stdio.h>

static const char *folder;
static bool failed;

static void put_seed(const char *name, struct slice bytes)
{
    char path[4096];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    out = fopen(path, "wb");
    failed |= !out || fwrite(bytes.ptr, 1, bytes.len, out) != bytes.len;
    failed |= out && fclose(out) != 0;
}

static void put_sqlite(const char *name, const struct sqlite_make *db, struct slice wal)
{
    struct slice bytes = sqlite_bytes(db);
    struct buf seed = BUF_INIT(1 << 20);
    unsigned char head[3] = {1};

    set_be(head + 1, (uint32_t)bytes.len, 2);
    buf_put(&seed, head, sizeof(head));
    buf_put_slice(&seed, bytes);
    buf_put_slice(&seed, wal);
    put_seed(name, buf_slice(&seed));
    buf_release(&seed);
}

/* The page of slots is cut as in rpm_ndb_fuzz.c. */
static void put_ndb(const struct slice *headers, size_t count)
{
    struct buf file = BUF_INIT(1 << 20), seed = BUF_INIT(1 << 20);

    make_ndb(&file, headers, count);
    buf_put_char(&seed, 1);
    buf_put(&seed, file.data, 32 + 16 * 6);
    buf_put_slice(&seed, slice_skip(buf_slice(&file), NDB_PAGE));
    put_seed("rpm_ndb/two", buf_slice(&seed));
    buf_release(&file);
    buf_release(&seed);
}

int main(int argc, char **argv)
{
    static const uint32_t frames[] = {1, 3, 4};
    static const struct make_entry full[] = {{1000, 6, "bash", 0}, {1001, 6, "5.1", 0},
        {1002, 6, "6.el9", 0}, {1003, 4, NULL, 3}, {1014, 9, "GPLv3+", 0}, {1022, 6, "x86_64", 0},
        {1044, 6, "shell-5-6.src.rpm", 0}, {5096, 6, "bash:5:1:2", 0}};
    struct buf small = BUF_INIT(4096), large = BUF_INIT(4096), header = BUF_INIT(4096);
    struct buf wal = BUF_INIT(1 << 20);
    struct sqlite_make db;
    struct bdb_make bdb;

    if (argc != 2) {
        fprintf(stderr, "usage: rpm_seeds FOLDER\n");
        return 2;
    }
    folder = argv[1];
    put_rpm_header(&header, full, sizeof(full) / sizeof(full[0]));
    put_rpm_package(&small, "small", 0);
    put_rpm_package(&large, "large", 500);
    put_seed("rpm_header/full", buf_slice(&header));
    put_seed("rpm_header/small", buf_slice(&small));
    put_ndb((struct slice[]){buf_slice(&header), buf_slice(&small)}, 2);
    make_bdb(&bdb, false, buf_slice(&small), buf_slice(&large));
    put_seed("rpm_bdb/little", bdb_bytes(&bdb));
    make_bdb(&bdb, true, buf_slice(&small), buf_slice(&large));
    put_seed("rpm_bdb/big", bdb_bytes(&bdb));
    make_sqlite(&db, buf_slice(&small), buf_slice(&large));
    put_sqlite("rpm_sqlite/file", &db, SLICE_NONE);
    make_wal(&wal, &db, frames, 3, false);
    put_sqlite("rpm_sqlite/log", &db, buf_slice(&wal));
    buf_release(&small);
    buf_release(&large);
    buf_release(&header);
    buf_release(&wal);
    if (failed)
        fprintf(stderr, "rpm_seeds: a file could not be written below %s\n", folder);
    return failed;
}
