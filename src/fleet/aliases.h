/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names are one vulnerability, in one project (docs/architecture.md, Vocabulary:
 * vulnerability, alias).
 *
 * A record is *in use* while an image of the project holds a claim that refers to it; only records
 * in use link names. Groups are recomputed from them, never grown one way:
 *
 *   - A record links its own name to each of its aliases. An advisory is linked to nothing, and
 *     two CVEs are never linked.
 *   - A name that is no CVE and is linked to two or more of them stands alone: it would merge them.
 *   - The names connected by the remaining links form a group if they hold at most one CVE; else
 *     each name joins the one CVE that it is linked to directly, or stands alone.
 *
 * A group's number is its smallest name id, its title the best of its names: the CVE, else the GHSA
 * with the smallest id, else the smallest id. Most names are in no group: they are their own.
 */
#ifndef CAREEN_FLEET_ALIASES_H
#define CAREEN_FLEET_ALIASES_H

#include "fleet/facts.h"

struct alias_group {
    uint32_t number, title; /* name ids; 0 = the name is its own group */
};

struct aliases {
    const struct facts *facts;
    uint32_t *uses; /* by record id: how often claims of the project's images refer to it */
    size_t use_cap;
    struct alias_group *groups; /* by name id */
    size_t group_cap;
    struct ids dirty; /* names whose links changed since the last settle */
};

void aliases_init(struct aliases *aliases, const struct facts *facts);
void aliases_release(struct aliases *aliases);

/* One more (one less) claim refers to the record. */
int aliases_use(struct aliases *aliases, uint32_t record, struct err *err);
int aliases_unuse(struct aliases *aliases, uint32_t record, struct err *err);
uint32_t aliases_uses(const struct aliases *aliases, uint32_t record); /* how many claims do */
bool aliases_in_use(const struct aliases *aliases, uint32_t record);
/* Nothing to settle? */
bool aliases_settled(const struct aliases *aliases);

/* The groups that change, computed beside readers, to be made true in a moment. */
struct alias_plan {
    struct {
        uint32_t name;
        struct alias_group group;
    } * at; /* owned */
    size_t count, cap;
    struct ids
        changed; /* the group numbers, old and new, whose rows must be derived again; sorted */
};

void alias_plan_release(struct alias_plan *plan);
/* Recomputes the groups around the dirty names; changes none yet. Cost: the components of names
 * that they belong to. */
int aliases_plan(struct aliases *aliases, struct alias_plan *ret, struct err *err);
/* Makes the plan true; nothing is dirty then. On failure nothing has changed. */
int aliases_apply(struct aliases *aliases, const struct alias_plan *plan, struct err *err);

uint32_t aliases_group(const struct aliases *aliases, uint32_t name); /* its number */
uint32_t aliases_title(const struct aliases *aliases, uint32_t name); /* the name to show */

/* The group numbers that a lookup by this name means: its own, and those of the records in use that
 * link it, or its group's title, as alias or covered. Replaces *ret, sorted. */
int aliases_lookup(const struct aliases *aliases, uint32_t name, struct ids *ret, struct err *err);

#endif
