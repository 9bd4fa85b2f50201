/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any number of findings (rows of affected images) as one document, written piece by piece: begin,
 * pages of rows, end. The export call and `careen affected` share it. Memory stays the same however
 * many rows there are.
 *
 *     jsonl   a line for each row: the object that the call's data_list has
 *     csv     a line with the names of the columns, then one for each row
 *     sarif   SARIF 2.1.0 (findings_sarif.h)
 */
#ifndef CAREEN_API_FINDINGS_WRITE_H
#define CAREEN_API_FINDINGS_WRITE_H

#include "api/affected_render.h"
#include "api/findings_sarif.h"

enum findings_format { FINDINGS_JSONL, FINDINGS_CSV, FINDINGS_SARIF, FINDINGS_FORMAT_COUNT };

extern const struct words findings_format_words; /* jsonl csv sarif */
/* "text/csv; charset=UTF-8" */
const char *findings_media_type(enum findings_format format);

enum { FINDINGS_TURNS = AFFECTED_TURNS + 1 };

struct findings_writer {
    enum findings_format format;
    struct buf image; /* what the rows of one image share, turn by turn */
    struct slice turns[FINDINGS_TURNS];
    struct sarif sarif;
};

/* ERR_NOMEM. Released with findings_writer_release(), on failure, too. */
int findings_writer_init(
    struct findings_writer *writer, enum findings_format format, struct err *err);
void findings_writer_release(struct findings_writer *writer);

/* What stands before the rows. */
void findings_write_begin(struct findings_writer *writer, struct buf *out);
/* All rows of a page. ERR_NOMEM; failures of `out` are left to the caller. */
int findings_write_page(struct findings_writer *writer, const struct affected_page *page,
    struct buf *out, struct err *err);
/* What stands behind the rows, or a part of it: true when that was all, else out holds at least
 * `bytes` and there is more. */
bool findings_write_end(struct findings_writer *writer, size_t bytes, struct buf *out);

#endif
