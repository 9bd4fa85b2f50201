/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people said about findings (docs/architecture.md, Vocabulary: decision): a selector
 * (vulnerabilities, a package) x a scope (images, a repository, a registry, a cluster, a project) x
 * an action, with who, why and until when.
 *
 * Decisions lie over claims. Of those that match a claim in an image the newest (the highest
 * number) wins; DECISION_REOPEN is one like the others, so undoing a part of an older decision
 * needs no change of it. A row is ignored (handled) when every one of its claims is.
 */
#ifndef CAREEN_MODEL_DECISION_H
#define CAREEN_MODEL_DECISION_H

#include "base/arena.h"
#include "codec/hash.h"
#include "model/image.h"
#include "model/words.h"

enum decision_action {
    DECISION_IGNORE,
    DECISION_WHITELIST, /* ignored, too */
    DECISION_REPAIR,    /* handled, not ignored: holds for what was reported before it was made */
    DECISION_REOPEN,    /* undoes older ones */
    DECISION_ACTION_COUNT
};

enum decision_scope {
    DECISION_PROJECT,
    DECISION_REGISTRY,   /* place: its name */
    DECISION_REPOSITORY, /* place: its normalised name, without tag */
    DECISION_CLUSTER,    /* place: its id */
    DECISION_IMAGES,     /* those named */
    DECISION_SCOPE_COUNT
};

enum decision_end { DECISION_IN_FORCE, DECISION_WITHDRAWN, DECISION_EXPIRED, DECISION_END_COUNT };

enum { IMAGE_ID_BYTES = UUID_BYTES };

struct decision {
    uint32_t number; /* given by the store, in order, never used again */
    uint32_t project;
    enum decision_action action;

    /* What it is about: claims of all of these. */
    const uint32_t *vulns; /* stored name ids, ascending; none: any vulnerability of the package */
    size_t vuln_count;
    int type;             /* enum vul_type, -1: both */
    struct slice package; /* the exact name of a (binary) package; empty: any */

    /* Where: images of all of these, those that come later included. */
    enum decision_scope scope;
    struct slice place;                            /* see enum decision_scope; else empty */
    const unsigned char (*images)[IMAGE_ID_BYTES]; /* DECISION_IMAGES: their ids, ascending */
    size_t image_count;
    int image_type;                          /* enum image_type, -1: every one */
    const struct slice *enterprise_projects; /* ascending; none: every one */
    size_t enterprise_project_count;

    struct slice author, reason;
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
    int64_t ended_ms;   /* 0: not ended */
    enum decision_end end;
    struct slice ended_by; /* who withdrew it */
};

extern const struct words
    decision_action_words; /* ignore add_to_whitelist manual_repair not_ignore */
extern const struct words decision_scope_words; /* project registry repository cluster images */
extern const struct words decision_end_words;   /* in_force withdrawn expired */

/* An image id's 16 bytes; false when it is no UUID in lower case. And back. */
bool image_id_bytes(struct slice id, unsigned char ret[IMAGE_ID_BYTES]);
void image_id_format(const unsigned char id[IMAGE_ID_BYTES], char ret[UUID_TEXT_BYTES]);
/* The order of ids as bytes, in which sets of them ascend; for qsort() and bsearch(). */
int image_id_compare(const void *left, const void *right);

/* Copies it, and all that it points at, into the arena. ERR_LIMIT, ERR_NOMEM. */
int decision_dup(
    struct arena *arena, const struct decision *decision, struct decision *ret, struct err *err);

/* Does it reach this image (its scope, image type and enterprise projects)? Whether it is still in
 * force is not asked. O(log images). */
bool decision_reaches(const struct decision *decision, const struct image *image);

#endif
