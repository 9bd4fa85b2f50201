/* SPDX-License-Identifier: Apache-2.0 */
/* What both writers of SBOMs share. Internal to them. */
#ifndef CAREEN_SBOM_EXPORTING_H
#define CAREEN_SBOM_EXPORTING_H

#include "codec/hash.h"
#include "codec/json_writer.h"
#include "sbom/export.h"
#include "sbom/package_field.h"

struct exporting {
    const struct sbom_image *image;
    uint32_t *order;       /* positions of packages, by their fields; heap */
    uint32_t *ranks;       /* by position: where it stands in the order; heap */
    struct report scratch; /* what a reader would make of the purls */
    struct buf purl;       /* of the package (or image) at hand; empty when it has none */
};

/* A package as it is to be written, good until the next one. */
struct exported {
    struct package package;
    struct slice purl;
    struct sbom_beside beside;
    bool differs[PACKAGE_FIELD_COUNT]; /* from what a reader makes of the purl */
};

int exporting_init(struct exporting *exporting, const struct sbom_image *image, struct err *err);
void exporting_release(struct exporting *exporting);
/* The package at this place of the order. */
int exporting_package(
    struct exporting *exporting, size_t rank, struct exported *ret, struct err *err);
/* The purl of the image; empty when there can be none. */
struct slice exporting_image_purl(struct exporting *exporting);

/* Calls put(ctx, name, value) for each fact about the image that has no other place. */
typedef void (*fact_fn)(void *ctx, const char *name, struct slice value);
void exporting_image_facts(const struct sbom_image *image, fact_fn put, void *ctx);

/* The distribution's name and version, which read as os_release again. */
void exporting_system(struct slice os_release, struct slice *ret_name, struct slice *ret_version);
/* The document's own UUID: of this image at this scan. */
void exporting_uuid(const struct sbom_image *image, char ret[UUID_TEXT_BYTES]);
enum { EXPORT_TIME_BYTES = 24 };
/* "2026-11-24T06:52:24Z" */
char *exporting_time(const struct sbom_image *image, char dst[EXPORT_TIME_BYTES]);

#endif
