/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Package URLs (the purl specification, ECMA-427, and its type definitions):
 * scheme:type/namespace/name@version?qualifiers#subpath
 *
 * Parsing gives the parts percent-decoded and normalised as the type's definition says; building
 * gives the canonical form. Both pass the official suite (tests/e2e/test_purl_suite.py).
 */
#ifndef CAREEN_SBOM_PURL_H
#define CAREEN_SBOM_PURL_H

#include "base/buf.h"

enum { PURL_MAX_BYTES = 2048, PURL_MAX_QUALIFIERS = 32 };

/* Both refuse what is no package URL: no scheme, type or name, a bad escape, too long. */
enum purl_mode {
    /* As the specification demands it: qualifier keys in lower case and once each, UTF-8, what the
     * type requires or prohibits. */
    PURL_STRICT,
    /* As tools write it: upper case in keys is normalised too, a malformed or repeated qualifier is
     * passed over, and the type's demands on namespace, name, version and qualifiers are not held
     * against it ("pkg:golang/stdlib@1.22.1" has no namespace, and means something). */
    PURL_LENIENT,
};

struct purl_qualifier {
    struct slice key, value;
};

/* What is not there is empty; type and name are always there. */
struct purl {
    struct slice type; /* lower case: "deb", "maven" */
    struct slice namespace, name, version, subpath;
    struct purl_qualifier qualifiers[PURL_MAX_QUALIFIERS]; /* by key; no value is empty */
    size_t qualifier_count;
    char text[PURL_MAX_BYTES]; /* what purl_parse() makes the slices point into */
};

/* All slices of *ret point into ret->text: a parsed purl may be copied only by parsing again.
 * ERR_INVALID, with *ret undefined. */
int purl_parse(struct slice text, enum purl_mode mode, struct purl *ret, struct err *err);
/* The value of a qualifier, or an empty slice. */
struct slice purl_qualifier(const struct purl *purl, const char *key);

/* Adds one that points to the caller's texts; an empty value adds nothing. BUG when it is full. */
void purl_add_qualifier(struct purl *purl, const char *key, struct slice value);
/* The canonical form of the parts of *purl (its `text` is not looked at), which are normalised on
 * the way: appended to *out. ERR_INVALID, with nothing appended. */
int purl_build(const struct purl *purl, enum purl_mode mode, struct buf *out, struct err *err);

#endif
