/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SBOMs out: what is known of one image, as CycloneDX 1.6 or SPDX 2.3, JSON. Reading such a
 * document gives the same packages, field by field, and (CycloneDX) the same claims: what the
 * formats have no place for is written as properties or annotations with the prefix "careen:".
 *
 * The same image at the same scan gives the same bytes.
 */
#ifndef CAREEN_SBOM_EXPORT_H
#define CAREEN_SBOM_EXPORT_H

#include "base/buf.h"
#include "model/package.h"

/* A claim as some source made it. */
struct sbom_claim {
    struct slice id;             /* as the source named the vulnerability */
    const struct slice *related; /* other names of it, aliases and covered ones alike */
    size_t related_count;
    size_t package; /* position in packages */
    enum severity severity;
    struct slice fixed_version;
};

/* What a scan knows of a package beyond its identity; either may be empty. */
struct sbom_beside {
    struct slice licence; /* as its database words it */
    struct slice layer;   /* diff_id of the layer that brought it */
};

struct sbom_image {
    const char *tool_version; /* of Careen */
    const char *id;           /* the image's UUID */
    struct slice name, tag;   /* tag may be empty, and so may all that follow */
    struct slice digest, config_digest;
    struct slice os_release, architecture;
    int64_t size_bytes; /* -1 = not known */
    int64_t scanned_ms; /* the document's time */
    bool complete;      /* is the package list? */
    bool scanned; /* by Careen itself, and by it alone: read again, it is the source `careen` */
    const struct package *packages; /* distinct */
    size_t package_count;
    const struct sbom_beside *beside; /* one for each package; NULL: nothing is known */
    /* Of several on one package and vulnerability the worst severity is written, and the first
     * fixed version. */
    const struct sbom_claim *claims;
    size_t claim_count;
};

/* Appends the document to *out. ERR_NOMEM, ERR_LIMIT. */
int sbom_write_cyclonedx(const struct sbom_image *image, struct buf *out, struct err *err);
/* The same without claims: SPDX 2.3 has no vulnerabilities. */
int sbom_write_spdx(const struct sbom_image *image, struct buf *out, struct err *err);

#endif
