/* SPDX-License-Identifier: Apache-2.0 */
/* What retention has done so far, for people and programs. */
#ifndef CAREEN_CLI_RETENTION_TEXT_H
#define CAREEN_CLI_RETENTION_TEXT_H

#include "base/buf.h"
#include "codec/json_writer.h"
#include "fleet/fleet.h"

/* "superseded after 30d, unseen after 90d; last run ...; 12 images removed in all" */
void retention_past_write(const struct retention_past *past, struct buf *out);
/* An object. */
void retention_past_json(const struct retention_past *past, struct json_writer *w);

#endif
