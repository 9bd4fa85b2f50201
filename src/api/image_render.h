/* SPDX-License-Identifier: Apache-2.0 */
/* Images as JSON for Careen's own endpoints and `careen images show`. */
#ifndef CAREEN_API_IMAGE_RENDER_H
#define CAREEN_API_IMAGE_RENDER_H

#include "codec/json_writer.h"
#include "fleet/fleet.h"

/* The reply to an import: image_id, what was found, what changed. */
void image_write_outcome(
    struct buf *out, const struct report *report, const struct put_outcome *outcome);
/* Everything about one image. */
void image_write_detail(struct buf *out, const struct image_detail *detail);
/* Members of an image's row, inside an object that the caller has begun. */
void image_write_members(struct json_writer *w, const struct image *image);
/* Members of a package, likewise: what is its identity and known. */
void package_write_members(struct json_writer *w, const struct package *package);
/* "Critical": n, ... for the four necessities, all types and states together. */
void image_write_counts(struct json_writer *w, const uint16_t counts[INDEX_CODES]);

#endif
