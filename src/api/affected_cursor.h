/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a page of affected images ends: what its last row is sorted by, and which row it is. As
 * text it is `next` in the answer and `after` in the request for the page behind it.
 *
 *     17.42                    image 17, vulnerability 42, in the usual order
 *     S.17.42.3                by severity, descending: of the row's severity, 3
 *     i.17.42.bmdpbng          by image_name, ascending: of the name, in base64url
 *
 * The letter is the first of what is sorted by, a capital for descending. Clients pass it on as it
 * is.
 */
#ifndef CAREEN_API_AFFECTED_CURSOR_H
#define CAREEN_API_AFFECTED_CURSOR_H

#include "fleet/fleet.h"

struct affected_cursor {
    enum index_sort sort;
    bool descending;
    uint32_t image, vuln;
    int64_t value;     /* index_row_value() */
    struct slice name; /* with INDEX_SORT_IMAGE_NAME, instead */
};

extern const char affected_cursor_pattern[]; /* for the document */

/* What `sort` may be, in its two directions, by enum index_sort less 1. */
extern const struct words affected_sorts, affected_sorts_descending;
/* The text of `sort`, or NULL for the usual order. */
const char *affected_sort_name(enum index_sort sort, bool descending);

/* The place of a row that the query gave; its name is the image's own. */
struct affected_cursor affected_cursor_at(
    const struct affected_row *row, const struct index_query *query);
void affected_cursor_write(struct buf *out, const struct affected_cursor *cursor);
/* The name is decoded into the arena. ERR_INVALID without the parameter's name: "must be ...". */
int affected_cursor_read(
    struct slice text, struct arena *arena, struct affected_cursor *ret, struct err *err);
/* Rows behind the cursor, which must be of the query's order. The name is not copied. */
void affected_cursor_apply(const struct affected_cursor *cursor, struct index_query *query);

/* The next page of a walk: rows behind this one, the last of the page before. `name` is the walk's
 * own, empty before the first page, and must outlive the query. ERR_NOMEM. */
int affected_go_on(
    struct index_query *query, const struct affected_row *row, struct buf *name, struct err *err);

#endif
