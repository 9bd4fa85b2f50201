/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-sqlite load DB: rows of bench-dump on standard input into the table `finding`, which must
 * be there. bench-sqlite ask DB: for each line NAME <tab> COUNT SQL <tab> PAGE SQL of standard
 * input runs both statements, prepared once, again and again for a while; prints a line of JSON
 * with the count, the image and vulnerability of the page's rows and the median and 99th percentile
 * of both together. In process and in C, as Careen's own engine is measured: a driver would cost
 * more than some queries.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_BYTES = 1 << 16, COLUMNS_MAX = 64, ROUNDS_MAX = 2000, ROUNDS_MIN = 5 };
enum { IMAGE_ID = 3, VUL_ID = 17 }; /* columns of table.py */
static const double SECONDS_MAX = 2;

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void check(sqlite3 *db, int ok)
{
    if (ok)
        return;
    fprintf(stderr, "bench-sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;

    check(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    return stmt;
}

static void run(sqlite3 *db, const char *sql)
{
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

/* --- Loading ---------------------------------------------------------------------------------- */

static void insert(sqlite3 *db, sqlite3_stmt *stmt, char *line, int columns)
{
    line[strcspn(line, "\n")] = '\0';
    for (int i = 1; i <= columns; i++) {
        char *field = strsep(&line, "\t");

        check(db, sqlite3_bind_text(stmt, i, field, -1, SQLITE_STATIC) == SQLITE_OK);
    }
    check(db, sqlite3_step(stmt) == SQLITE_DONE && sqlite3_reset(stmt) == SQLITE_OK);
}

static void load(sqlite3 *db)
{
    static char line[LINE_BYTES];
    char sql[64 + 2 * COLUMNS_MAX] = "INSERT INTO finding VALUES (?";
    sqlite3_stmt *stmt = prepare(db, "SELECT * FROM finding");
    int columns = sqlite3_column_count(stmt);

    sqlite3_finalize(stmt);
    for (int i = 1; i < columns && i < COLUMNS_MAX; i++)
        strcat(sql, ",?");
    strcat(sql, ")");
    run(db, "BEGIN");
    stmt = prepare(db, sql);
    while (fgets(line, sizeof(line), stdin))
        insert(db, stmt, line, columns);
    sqlite3_finalize(stmt);
    run(db, "COMMIT");
}

/* --- Asking ----------------------------------------------------------------------------------- */

/* Reads all of every row, as whoever renders the page would. */
static size_t read_rows(sqlite3 *db, sqlite3_stmt *stmt)
{
    int step, columns = sqlite3_column_count(stmt);
    size_t bytes = 0;

    while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
        for (int i = 0; i < columns; i++)
            if (sqlite3_column_type(stmt, i) == SQLITE_TEXT && sqlite3_column_text(stmt, i))
                bytes += (size_t)sqlite3_column_bytes(stmt, i);
            else
                bytes += (size_t)sqlite3_column_int64(stmt, i);
    check(db, step == SQLITE_DONE && sqlite3_reset(stmt) == SQLITE_OK);
    return bytes;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_answer(sqlite3 *db, sqlite3_stmt *count, sqlite3_stmt *page)
{
    const char *comma = "";

    check(db, sqlite3_step(count) == SQLITE_ROW);
    printf("\"count\":%lld,\"page\":[", (long long)sqlite3_column_int64(count, 0));
    sqlite3_reset(count);
    for (; sqlite3_step(page) == SQLITE_ROW; comma = ",")
        printf("%s\"%s %s\"", comma, (const char *)sqlite3_column_text(page, IMAGE_ID),
            (const char *)sqlite3_column_text(page, VUL_ID));
    sqlite3_reset(page);
    printf("]");
}

static void ask(sqlite3 *db, char *line)
{
    static double taken[ROUNDS_MAX];
    char *name = strsep(&line, "\t"), *count_sql = strsep(&line, "\t");
    sqlite3_stmt *count = prepare(db, count_sql), *page = prepare(db, line);
    double began_us = now_us();
    size_t rounds = 0, bytes = 0;

    printf("{\"name\":\"%s\",", name);
    print_answer(db, count, page);
    while (
        rounds < ROUNDS_MIN || (rounds < ROUNDS_MAX && now_us() - began_us < SECONDS_MAX * 1e6)) {
        double start_us = now_us();

        bytes += read_rows(db, count) + read_rows(db, page);
        taken[rounds++] = now_us() - start_us;
    }
    qsort(taken, rounds, sizeof(*taken), ascending);
    printf(",\"median_us\":%.2f,\"p99_us\":%.2f,\"rounds\":%zu,\"read\":%zu}\n", taken[rounds / 2],
        taken[rounds * 99 / 100], rounds, bytes);
    fflush(stdout);
    sqlite3_finalize(count);
    sqlite3_finalize(page);
}

int main(int argc, char **argv)
{
    static char line[LINE_BYTES];
    sqlite3 *db;

    if (argc != 3 || (strcmp(argv[1], "load") != 0 && strcmp(argv[1], "ask") != 0)) {
        fprintf(stderr, "usage: bench-sqlite load|ask DB\n");
        return 2;
    }
    check(NULL, sqlite3_open(argv[2], &db) == SQLITE_OK);
    /* A cache of 4 GB, and the rest mapped: all of it in memory. */
    run(db, "PRAGMA cache_size = -4000000; PRAGMA mmap_size = 64000000000;"
            "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF");
    if (strcmp(argv[1], "load") == 0)
        load(db);
    else
        while (fgets(line, sizeof(line), stdin)) {
            line[strcspn(line, "\n")] = '\0';
            ask(db, line);
        }
    sqlite3_close(db);
    return 0;
}
