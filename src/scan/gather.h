/* SPDX-License-Identifier: Apache-2.0 */
/* From a layer's entries to its facts: reads the layer once, and again when files that matter are
 * hard links to files that do not. */
#ifndef CAREEN_SCAN_GATHER_H
#define CAREEN_SCAN_GATHER_H

#include "image/image.h"
#include "scan/facts.h"
#include "scan/interest.h"

/* *ret is initialised. A database that its reader refuses is a fact of the layer, not an error: it
 * may be covered by a good one. Errors: those of image_read_layer(); ERR_LIMIT; ERR_FORMAT for the
 * log of a database that is a hard link to what is not there. Any thread. */
int layer_facts_gather(struct image_source *source, const struct manifest *manifest, size_t layer,
    const struct interest *interest, struct layer_facts *ret, struct err *err);

#endif
