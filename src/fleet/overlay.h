/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of one project that are in force, laid over its claims: who asks gives a claim and
 * its image, and learns what the newest matching decision says. Pure: no lock, no disk.
 *
 * Looking one claim up costs the decisions that name its vulnerability, not all there are:
 * decisions on named images are found by image id, others by alias group, those that name a package
 * only by the package.
 */
#ifndef CAREEN_FLEET_OVERLAY_H
#define CAREEN_FLEET_OVERLAY_H

#include "fleet/aliases.h"
#include "model/decision.h"

enum verdict { VERDICT_OPEN, VERDICT_IGNORED, VERDICT_REPAIRED };

struct overlay;

struct overlay *overlay_new(struct err *err);
void overlay_free(struct overlay *overlay); /* accepts NULL */

/* Adds a decision, or replaces the one with its number; everything is copied. aliases: how its
 * names group now. */
int overlay_put(struct overlay *overlay, const struct aliases *aliases,
    const struct decision *decision, struct err *err);
void overlay_remove(struct overlay *overlay, uint32_t number);
/* The decision of this number, or NULL; valid until it is changed. */
const struct decision *overlay_find(const struct overlay *overlay, uint32_t number);
size_t overlay_count(const struct overlay *overlay);
/* Alias groups have changed: names are put to groups anew. Cost: the names of all decisions. */
int overlay_regroup(struct overlay *overlay, const struct aliases *aliases, struct err *err);
/* Does a decision name this name? */
bool overlay_concerns(const struct overlay *overlay, uint32_t name);
/* The decisions in their order; valid until one is changed. */
const struct decision *overlay_at(const struct overlay *overlay, size_t position);
/* The alias groups of one that is there, ascending; none when it names no vulnerability. */
const struct ids *overlay_groups(const struct overlay *overlay, uint32_t number);
/* The numbers of those whose time is over, appended; the earliest expiry of all (INT64_MAX: none).
 * O(decisions). */
int overlay_expired(
    const struct overlay *overlay, int64_t now_ms, struct ids *ret, struct err *err);
int64_t overlay_next_expiry_ms(const struct overlay *overlay);
/* The numbers of those that name this image, appended. */
int overlay_naming(const struct overlay *overlay, const unsigned char image[IMAGE_ID_BYTES],
    struct ids *ret, struct err *err);

/* One claim in one image. */
struct overlaid {
    const struct image *image;
    uint32_t group; /* alias group of its vulnerability */
    enum vul_type type;
    struct slice package;     /* its name */
    int64_t last_found_ms;    /* the latest report that has it (slot.scanned_ms) */
    const struct ids *except; /* decisions taken for not there, ascending; NULL: none */
};
enum verdict overlay_verdict(const struct overlay *overlay, const struct overlaid *claim);
/* The decision that says so; NULL: none matches. */
const struct decision *overlay_decision(
    const struct overlay *overlay, const struct overlaid *claim);
/* The same for all claims of this group and type in the image at once, whatever their packages and
 * times (claim->package and last_found_ms are not looked at). False when they may differ, or it
 * takes more to know that they do not: then each claim is to be asked for. */
bool overlay_row_decision(
    const struct overlay *overlay, const struct overlaid *claim, const struct decision **ret);
/* Does one of its repairs of this image have to be asked with the times of claims? No when the
 * image was last reported before all of them: any time up to that gives the same answer. */
bool overlay_needs_times(const struct overlay *overlay, const struct image *image);
enum verdict verdict_of(const struct decision *decision); /* NULL: open */

/* NULL, or what tells two overlays apart. */
const char *overlay_compare(const struct overlay *a, const struct overlay *b);
/* NULL, or which invariant does not hold. */
const char *overlay_validate(const struct overlay *overlay);

#endif
