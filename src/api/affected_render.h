/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and pages of affected images as the contract writes them (sections 1.4 and 8.1). */
#ifndef CAREEN_API_AFFECTED_RENDER_H
#define CAREEN_API_AFFECTED_RENDER_H

#include "api/affected_params.h"
#include "codec/json_writer.h"

/* One row as a JSON object. */
void affected_write_row(struct json_writer *w, const struct affected_row *row);

/* The same in parts, for many rows of one image: its members, turn by turn, are written once, and
 * then put between those of each row. */
enum { AFFECTED_TURNS = 4 };
void affected_write_image(struct json_writer *w, size_t turn, const struct image *image);
void affected_write_row_of(struct json_writer *w, const struct slice image[AFFECTED_TURNS],
    const struct affected_row *row);

/* The body of the call: total_num, data_list, `next` when rows follow, and what else the request
 * includes. */
void affected_write_page(
    struct buf *out, const struct affected_page *page, const struct affected_request *request);

#endif
