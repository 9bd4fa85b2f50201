/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the child process of a scan says to its parent: frames of a type, a length, and bytes
 * (pack.h). The parent believes none of it: every frame is checked like any other bytes from
 * outside (tests/fuzz/scan_wire_fuzz.c).
 */
#ifndef CAREEN_SCAN_WIRE_H
#define CAREEN_SCAN_WIRE_H

#include "image/image.h"
#include "scan/layering.h"
#include "scan/scan.h"

enum frame_type {
    FRAME_WALLS,    /* why_not of sandbox.h */
    FRAME_PROGRESS, /* layers done, and known */
    FRAME_FACTS,    /* for the cache: name, bytes */
    FRAME_IMAGE,
    FRAME_ERROR,    /* code, message: the last frame */
    FRAME_DONE,     /* the last frame when all is well */
    FRAME_CACHED,   /* a name of what was read from the cache */
    FRAME_LEFT_OUT, /* image_left_out() */
    FRAME_TYPES
};

enum { FRAME_HEAD_BYTES = 5 }; /* type; length, lowest byte first */
void frame_head(enum frame_type type, size_t len, unsigned char dst[FRAME_HEAD_BYTES]);
/* The first frame of *bytes, cut off them: 1; 0 when it is not whole yet; -1, ERR_FORMAT. */
int frame_next(struct slice *bytes, enum frame_type *ret_type, struct slice *ret, struct err *err);

/* What the child knows of an image. */
struct found_image {
    const struct manifest *manifest;
    enum source_kind kind;
    struct layering *layering;
    size_t cached_layers;
};

/* Appends. ERR_NOMEM, ERR_LIMIT. */
int image_encode(const struct found_image *image, struct buf *out, struct err *err);
/* *ret owns all it points at. ERR_FORMAT; those of report_add_package(). */
int image_decode(struct slice bytes, struct scanned_image *ret, struct err *err);
void scanned_image_release(struct scanned_image *image);

void error_encode(const struct err *error, struct buf *out);
/* What it says, or that it cannot be read. */
void error_decode(struct slice bytes, struct err *ret);

#endif
