/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a scanner says of an image's names to the one name, tag and digest by which the image
 * is known. In one place, so that reports of different scanners on one image meet in one row.
 */
#ifndef CAREEN_SBOM_ARTIFACT_H
#define CAREEN_SBOM_ARTIFACT_H

#include "sbom/report.h"

/* Texts as the document gives them; empty and malformed ones ("", "sha256:test") are passed over.
 * All must live as long as the report. */
struct artifact {
    struct slice given;         /* what the user typed: a reference, an image id, a path */
    struct slice reference;     /* what the scanner made of it; may be empty */
    struct names repo_tags;     /* "registry/repository:tag" */
    struct names repo_digests;  /* "registry/repository@sha256:..." */
    struct slice config_digest; /* the image id */
    struct slice manifest_digest;
};

/* Sets name, tag, digest and config_digest of *report (is_image must be set). */
void artifact_identify(const struct artifact *artifact, struct report *report);

#endif
