// room: scan
/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes from the child of a scan: frames, images, errors. */
#include "base/bug.h"
#include "scan/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_image(struct slice bytes)
{
    struct scanned_image image;
    struct err err = {0};

    if (image_decode(bytes, &image, &err) < 0) {
        BUG_ON(err.code == ERR_NONE);
        return;
    }
    BUG_ON(image.report.source != SOURCE_CAREEN || image.report.claim_count);
    for (size_t i = 0; i < image.report.package_count; i++)
        BUG_ON(image.report.packages[i].name.len == 0);
    scanned_image_release(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size}, body;
    enum frame_type type;
    struct err err = {0}, told;

    try_image(rest);
    while (frame_next(&rest, &type, &body, &err) == 1) {
        if (type == FRAME_IMAGE)
            try_image(body);
        error_decode(body, &told);
        BUG_ON(told.code == ERR_NONE);
    }
    return 0;
}
