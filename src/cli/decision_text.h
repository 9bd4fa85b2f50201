/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions, and what they make of rows, for people and programs. */
#ifndef CAREEN_CLI_DECISION_TEXT_H
#define CAREEN_CLI_DECISION_TEXT_H

#include "cli/table.h"
#include "fleet/fleet.h"

/* What a row is: "open", "ignored" or "handled". */
const char *status_text(uint8_t code);

/* Everything about a decision; as JSON, see api/decision_render.h. */
void decision_csv_heading(struct buf *out);
void decision_write_csv(struct buf *out, const struct decision_view *view);

/* The columns of a list: 100 characters at most, up to decision 999999 and 9999999 rows. */
enum { DECISION_COLUMNS = 6 };
extern const char *const decision_headings[DECISION_COLUMNS];
void decision_table_row(struct table *table, const struct decision_view *view);
/* What does not fit into them, as indented lines: who, when and why; further conditions; how it
 * ended. */
void decision_write_notes(struct buf *out, const struct decision_view *view);

#endif
