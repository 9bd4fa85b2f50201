/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an SBOM says of one component (CycloneDX) or package (SPDX) while it is read, and the
 * package that it makes: the same for both formats.
 */
#ifndef CAREEN_SBOM_COMPONENT_H
#define CAREEN_SBOM_COMPONENT_H

#include "sbom/artifact.h"
#include "sbom/package_field.h"

/* Texts of the report. */
struct component {
    struct slice group, name, version;
    struct slice type; /* Syft's word for the kind of package */

    bool has_purl;
    struct package package;                           /* from the purl */
    struct slice image_name, image_tag, image_digest; /* of an image's purl */
    uint64_t purl_hash; /* component_ref_hash() of the purl as it stands; 0 = none */

    int64_t epoch, source_epoch;
    struct slice module, source_name, source_version, source_release;
    struct package_fields fields;

    /* Of the document's artifact only. */
    bool is_lock_file; /* Trivy's component for a lock file, whose packages are others */
    bool is_partial;   /* careen:complete = false */
    bool is_whole;     /* careen:complete = true: even without a package */
    bool is_careens;   /* careen:source = careen: what Careen saw itself */
    struct artifact artifact;
    struct slice architecture, digest;
    int64_t size_bytes; /* -1 = not known */
};

void component_init(struct component *component);
/* A purl as the document gives it; what is none is passed over. Of several the first counts. */
bool component_take_purl(struct reading *in, struct component *component, struct slice text);
/* A property by name (read_properties), or an annotation of that form. */
void component_take_property(
    struct reading *in, void *component, struct slice name, struct slice value);
/* The package that it makes: from its purl, else `generic` with its group, name and version. */
bool component_to_package(
    struct reading *in, const struct component *component, struct package *ret);
/* Sets what the report says of the image, or of what else the document is about. is_image must be
 * set. */
int component_identify(struct component *component, struct report *report, struct err *err);
/* Is the package list complete, by what is said of the artifact, and by having a package? */
bool component_tells_all(const struct component *about, const struct report *report);
/* The release: as Careen wrote it with the image, by an operating system's component, or by a purl.
 */
int component_set_release(struct reading *in, const struct component *about,
    const struct component *system, struct err *err);

uint64_t component_ref_hash(struct slice ref);

#endif
