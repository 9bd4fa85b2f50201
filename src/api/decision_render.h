/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions as JSON. */
#ifndef CAREEN_API_DECISION_RENDER_H
#define CAREEN_API_DECISION_RENDER_H

#include "codec/json_writer.h"
#include "fleet/fleet.h"

/* One decision as an object; what it does not name is left out. */
void decision_write(struct json_writer *w, const struct decision_view *view);
/* What deciding did, as members of an object: rows, reached, decisions (their numbers). */
void decision_write_outcome(struct json_writer *w, const struct decision_outcome *outcome);

#endif
