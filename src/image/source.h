/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of an image source, shared by image.c, which opens it, and oci_layout.c and
 * docker_archive.c, which read what is in it.
 */
#ifndef CAREEN_IMAGE_SOURCE_H
#define CAREEN_IMAGE_SOURCE_H

#include "image/documents.h"
#include "image/image.h"
#include "image/place.h"

struct source_image {
    struct manifest manifest;  /* must be first */
    struct slice *layer_paths; /* in the place; NULL for a folder */
};

struct image_source {
    enum source_kind kind;
    char *path; /* owned: of the target */
    int scratch_fd;
    struct arena arena; /* all texts and arrays */
    struct place place;
    struct source_image *images; /* in the arena */
    size_t count, cap;
    size_t documents;            /* indexes and manifests read */
    size_t missing;              /* of those, and listed, but not there */
    size_t left_out;             /* there, but with layers that are not read */
    struct slice first_left_out; /* and why */
};

/* Appends an image. ERR_LIMIT for LIMIT_IMAGE_MANIFESTS. */
int source_add(struct image_source *source, const struct source_image *image, struct err *err);
/* Room for so many layers and their paths, all empty, into *image; *ret: where to fill them in. */
int source_make_layers(struct image_source *source, size_t count, struct source_image *image,
    struct layer **ret, struct err *err);
/* Takes platform, config digest and size from a config, and diff_ids into manifest->layers, of
 * which it must have as many. what: of messages. ERR_FORMAT. */
int source_take_config(struct image_source *source, const struct image_config *config,
    struct manifest *manifest, struct layer *layers, struct err *err);
/* The name and tag that a reference says; false when it is none. */
bool source_name(struct slice reference, struct manifest *manifest);
/* "sha256:..." of bytes, in the arena. */
int source_digest(
    struct image_source *source, struct slice bytes, struct slice *ret, struct err *err);

/* Reads index.json and what it leads to; source_check_any() is the caller's. */
int oci_layout_read(struct image_source *source, struct err *err);
/* Reads manifest.json, and adds its images. Those that an OCI layout beside it has given already
 * are named as manifest.json does. */
int docker_archive_read(struct image_source *source, struct err *err);
/* ERR_NOT_FOUND when no image was found. */
int source_check_any(const struct image_source *source, struct err *err);

#endif
