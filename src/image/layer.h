/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one layer: from its blob, compressed or not, to entries for a visitor. */
#ifndef CAREEN_IMAGE_LAYER_H
#define CAREEN_IMAGE_LAYER_H

#include "image/image.h"

struct layer_reading {
    const struct blob *blob;
    struct slice digest, diff_id; /* "sha256:..." or empty: not checked */
    int scratch_fd;               /* -1: none */
};

/* As image_read_layer(), of a blob. */
int layer_read(
    const struct layer_reading *reading, const struct layer_visitor *visitor, struct err *err);

#endif
