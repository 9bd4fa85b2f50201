/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of index_query(): query.c, by_vuln.c, sorted.c. */
#ifndef CAREEN_INDEX_QUERY_H
#define CAREEN_INDEX_QUERY_H

#include "index/internal.h"

/* Rows in the usual order with some of the codes. Several passes, one behind the other, make a page
 * that is sorted by what codes say. */
struct pass {
    const struct index_query *query;
    uint64_t codes;
    bool by_cursor;  /* rows behind (query->after_image, query->after_vuln) */
    uint64_t offset; /* else: behind so many */
    uint64_t total;  /* out: rows of this pass */
    uint64_t left;   /* out: those from where the page may start */
};

/* Are the rows those of some vulnerabilities? */
static inline bool names_vulns(const struct index_query *query)
{
    return query->by_vuln || query->by_package;
}

/* Appends a row; the page has room. */
void page_add(struct index_page *page, const struct entry *entry, size_t finding);

/* Each appends to the page up to query->limit rows; the page has garbage behind its rows on
 * failure. query_vulns() wants ordinals_of_scope(), for a query that names_vulns(). */
int query_images(const struct index *index, const struct ordinals *scope, struct pass *pass,
    struct index_page *page, struct err *err);
int query_vulns(const struct index *index, const struct ordinals *scope, struct pass *pass,
    struct index_page *page, struct err *err);
/* A whole page sorted by an attribute of images, total and more included. */
int query_sorted(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, struct index_page *page, struct err *err);

/* --- Rows by counts (query.c) ----------------------------------------------------------------- */

/* Which rows: the admitted codes, those of them that occur in the index as a list for few and as
 * lanes of ones for many, and the time since when they were first seen. */
struct admitted {
    uint64_t codes;
    bool by_time;
    int64_t since_ms;
    bool all;                         /* every code that occurs */
    unsigned planes;                  /* bit mask of those with a code of the list */
    uint32_t wide_lanes[INDEX_CODES]; /* all ones or 0; only for many */
    uint16_t lanes[INDEX_CODES];
    uint8_t list[INDEX_CODES];
    size_t count;
};

enum { STACK_BLOCKS = 512 };

struct walk {
    const struct index *index;
    const struct ordinals *scope;
    struct admitted admitted;
    uint64_t total;
    uint32_t *rows; /* by block, of the parts without sums; NULL when there are none */
    uint32_t on_stack[STACK_BLOCKS];
};

void admitted_init(struct admitted *admitted, const struct index *index,
    const struct index_query *query, uint64_t codes);
/* Sums do not know times: with query->by_time each image is looked at. */
int walk_begin(struct walk *walk, const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint64_t codes, struct err *err);
void walk_end(struct walk *walk);
/* Admitted rows of an ordinal. */
uint32_t rows_at(const struct index *index, uint32_t ordinal, const struct admitted *admitted);
/* Adds the admitted rows of one image but the first *skip, which it lowers. */
void add_image(struct index_page *page, const struct entry *entry, const struct admitted *admitted,
    uint64_t *skip, size_t limit);
/* Admitted rows of an image that stand at or before `vuln`. */
uint64_t rows_up_to(const struct entry *entry, const struct admitted *admitted, uint32_t vuln);
static inline bool is_admitted(
    const struct entry *entry, size_t finding, const struct admitted *admitted)
{
    return (admitted->codes >> entry_codes(entry)[finding] & 1) &&
           (!admitted->by_time || entry_first_scan_ms(entry, finding) >= admitted->since_ms);
}

/* --- Rows by vulnerability (by_vuln.c) -------------------------------------------------------- */

/* The ordinals where one vulnerability makes a row: the index's own set, or one made for it. */
struct vuln_rows {
    uint32_t vuln;
    const struct idset *set; /* NULL: in own */
    struct idset own;
};

struct rows {
    struct vuln_rows *at; /* ascending by vuln, none without ordinals */
    size_t count, cap;
};

/* The vulnerabilities that a query is about, ascending. */
int query_numbers(
    const struct index *index, const struct index_query *query, struct ids *ret, struct err *err);
/* Where one of them makes rows with some of the codes. */
int rows_of_vuln(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint32_t vuln, uint64_t codes, struct vuln_rows *ret,
    struct err *err);
/* *ret is to be released on failure, too. */
int rows_collect(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, uint64_t codes, struct rows *ret, struct err *err);
void rows_release(struct rows *rows);
static inline const struct idset *set_of_rows(const struct vuln_rows *rows)
{
    return rows->set ? rows->set : &rows->own;
}

#endif
