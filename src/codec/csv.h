/* SPDX-License-Identifier: Apache-2.0 */
/* CSV (RFC 4180) with LF line ends. A field that a spreadsheet would run as a formula gets a quote
 * in front (OWASP, CSV injection). */
#ifndef CAREEN_CODEC_CSV_H
#define CAREEN_CODEC_CSV_H

#include "base/buf.h"

/* Appends a field, with a comma before it unless it is the first of its line. */
void csv_field(struct buf *out, struct slice text, bool first);
void csv_number(struct buf *out, int64_t value);
void csv_end(struct buf *out);

#endif
