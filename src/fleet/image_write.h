/* SPDX-License-Identifier: Apache-2.0 */
/* One image on its way into the store; see write.c. Between put_images.c and write.c only. */
#ifndef CAREEN_FLEET_IMAGE_WRITE_H
#define CAREEN_FLEET_IMAGE_WRITE_H

#include "fleet/internal.h"

struct image_write {
    /* Set by the caller. */
    struct fleet *fleet;
    struct slice project_id;
    const struct put_request *request;
    struct arena *arena; /* lives as long as the transaction */
    int64_t now_ms;
    struct image image; /* the row to be: image_from_request() and the project */

    bool found; /* the image was there before */
    bool row_changed, content_changed;
    unsigned char line[16], line_before[16];
    struct slot old[SOURCE_COUNT];
    struct slot slot;                     /* what the report says */
    uint32_t *packages, *records, *names; /* stored ids, by position in the report */
};

void image_write_release(struct image_write *write);
/* Finds the image's row, or begins a new one; writes nothing. */
int image_write_resolve(struct image_write *write, struct err *err);
/* Writes row, slot and cause of a resolved image, which the write may not have touched yet. 0, -1
 * on failure, or 1 with *err when the image is refused for its size: nothing of it is written then.
 */
int image_write_store(struct image_write *write, struct err *err);
/* The image's slots as they will be; they share memory with *write. */
void image_write_slots(const struct image_write *write, struct slot ret[SOURCE_COUNT]);

#endif
