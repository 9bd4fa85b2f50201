/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON documents of images, read and nothing more: OCI index and manifest and their Docker
 * cousins (image-spec, image-index.md, manifest.md; distribution, manifest v2 schema 2), image
 * config (config.md), and the manifest.json of a docker-archive. Unknown members are passed over.
 * All texts are in the arena.
 */
#ifndef CAREEN_IMAGE_DOCUMENTS_H
#define CAREEN_IMAGE_DOCUMENTS_H

#include "base/arena.h"

struct descriptor {
    struct slice media_type, digest;
    uint64_t size;
    struct slice os, architecture, variant;
    struct slice ref_name;   /* org.opencontainers.image.ref.name */
    struct slice image_name; /* io.containerd.image.name */
    bool is_attestation;     /* of another manifest (vnd.docker.reference.type) */
    bool has_urls;           /* may have to be fetched from elsewhere */
};

struct descriptors {
    struct descriptor *at; /* in the arena */
    size_t count, cap;
};

/* An index or a manifest: which one, its members tell. */
struct oci_document {
    bool is_index;    /* has manifests */
    bool is_manifest; /* has a config and layers */
    bool is_schema1;  /* Docker's first, signed */
    struct descriptors manifests;
    struct descriptor config;
    struct descriptors layers;
};
int oci_document_read(
    struct slice json, struct arena *arena, struct oci_document *ret, struct err *err);

struct image_config {
    struct slice os, architecture, variant;
    struct slice *diff_ids; /* lowest first */
    size_t diff_id_count, diff_id_cap;
};
int image_config_read(
    struct slice json, struct arena *arena, struct image_config *ret, struct err *err);

/* One image of a manifest.json. */
struct saved_image {
    struct slice config; /* paths in the archive, as written */
    struct slice *layers;
    size_t layer_count, layer_cap;
    struct slice *tags; /* "alpine:3.10" */
    size_t tag_count, tag_cap;
};
struct saved_images {
    struct saved_image *at;
    size_t count, cap;
};
int saved_images_read(
    struct slice json, struct arena *arena, struct saved_images *ret, struct err *err);

#endif
