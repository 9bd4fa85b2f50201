/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about decisions share: drafts of decisions, and walks over the rows they reach. */
#ifndef CAREEN_FLEET_DECIDING_H
#define CAREEN_FLEET_DECIDING_H

#include "fleet/internal.h"
#include "fleet/laying.h"

/* Memory for the drafts of one operation (each image with its own vulnerabilities), and for some
 * decisions at once. */
#define DECISIONS_MEMORY_BYTES (256UL * 1024 * 1024)

/* --- Walking (decided_rows.c) ----------------------------------------------------------------- */

/* The rows that decisions concern, with what they would make of them. */
struct row_walk {
    struct fleet *fleet;
    uint32_t project;
    const struct overlay *above; /* decisions that are not in force; may be NULL */
    uint32_t except;             /* a decision in force, taken for not there; 0: none */
    const struct ids *gone;      /* others taken for not there, ascending, of which rows are told as
                                    they are without them; may be NULL */
    uint32_t group;              /* only rows of this alias group; 0: of all */
};
/* Called under the fleet's shared locks, in the rows' order. */
typedef int (*walked_row_fn)(void *ctx, const struct tenant *tenant, const struct image *image,
    const struct laid *row, struct err *err);
/* The locks are let go of and taken again every millisecond: images that come and go meanwhile may
 * be missed. Within a turn to write none do. */
int walk_rows(const struct row_walk *walk, walked_row_fn fn, void *ctx, struct err *err);

/* An overlay of one decision, as names group now. */
struct overlay *overlay_of_one(
    struct fleet *fleet, uint32_t project, const struct decision *decision, struct err *err);
/* The shared locks of both decisions and rows; ended with fleet_end_overlays(). */
int fleet_begin_overlays(
    struct fleet *fleet, uint32_t project, struct tenant **ret, struct err *err);
void fleet_end_overlays(struct fleet *fleet);

/* --- Counting (decided_counts.c) -------------------------------------------------------------- */

bool slices_contain(const struct slice *list, size_t count, struct slice sought);
/* The rows that a decision lies over now (those of enterprise projects; none: of all). */
int count_reached(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct slice *enterprise_projects, size_t enterprise_project_count, uint64_t *ret,
    struct err *err);
/* The same, always by walking over the rows. */
int count_reached_by_walk(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct slice *enterprise_projects, size_t enterprise_project_count, uint64_t *ret,
    struct err *err);
/* The rows that change when a decision in force goes, after others (ascending; NULL: none). */
int count_withdrawn(struct fleet *fleet, uint32_t project, const struct decision *decision,
    const struct ids *gone, uint64_t *ret, struct err *err);

/* Within a write (decide.c). */
int decision_add_cause(struct store *store, enum cause_kind kind, uint32_t project, uint32_t number,
    int64_t now_ms, struct err *err);

/* decisions.c */
/* One that is in force, and whose time is over, is shown as expired. */
void decision_end_by_clock(struct decision *decision, int64_t now_ms);
/* Does it name one of the group's names? */
bool decision_is_about(
    const struct tenant *tenant, const struct decision *decision, uint32_t group);
/* The alias group of a name in this project; 0: nobody has heard of it. */
int decision_find_group(
    struct fleet *fleet, uint32_t project, struct slice vul_id, uint32_t *ret, struct err *err);

/* confine.c */
/* Leaves of a decision what may be known of it in these enterprise projects (some). 1; 0 when
 * nothing is left to be told; -1 on failure. */
int decision_confine(struct fleet *fleet, uint32_t project, const struct slice *granted,
    size_t granted_count, struct arena *arena, struct decision *decision, struct err *err);

/* decision_request.c */
/* Has the group a row in these enterprise projects (none: in any)? 1, 0, or -1 on failure. */
int group_has_row(const struct tenant *tenant, uint32_t group,
    const struct slice *enterprise_projects, size_t enterprise_project_count, struct err *err);

/* --- Drafts (decision_request.c, decision_expand.c) ------------------------------------------- */

struct draft {
    struct decision decision;    /* without a number; vulns: of the names that are stored */
    const struct slice *unknown; /* names that are not stored yet */
    size_t unknown_count;
};

/* An operation's requests on their way to decisions. */
struct drafting {
    struct fleet *fleet;
    uint32_t project;
    const struct deciding *deciding;
    int64_t now_ms;
    struct arena *arena; /* all that drafts point at */
    struct draft *at;
    size_t count, cap;
};

void drafting_release(struct drafting *drafting);
int drafting_add(struct drafting *drafting, const struct draft *draft, struct err *err);
/* ERR_INVALID and ERR_LIMIT: what can be said without looking at any row. */
int decision_request_check(
    const struct decision_request *request, const struct deciding *deciding, struct err *err);
/* Its drafts, expanded as the rows are now. */
int decision_request_draft(
    struct drafting *drafting, const struct decision_request *request, struct err *err);
/* Turns a draft of the request's selector and scope into drafts of what has such rows now. */
int draft_expand(struct drafting *drafting, const struct decision_request *request,
    const struct draft *base, struct err *err);
/* Must the request be expanded? */
bool draft_needs_rows(const struct decision_request *request);

#endif
