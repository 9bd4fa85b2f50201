/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of layering.h: for layering.c and layering_links.c only. */
#ifndef CAREEN_SCAN_LAYERING_INTERNAL_H
#define CAREEN_SCAN_LAYERING_INTERNAL_H

#include "base/bug.h"
#include "base/intern.h"
#include "scan/layering.h"

/* On a path that an upper layer has something at: it hides what lower layers have there, or below
 * there. */
enum { MARK_SELF = 1, MARK_BELOW = 2 };

/* A visible file. */
struct database {
    struct slice path;
    const struct inventory_reader *reader;
    size_t layer;
    bool traced; /* lower layers may hold earlier versions of it */
    bool gone;   /* another one is what the image shows at its place */
    size_t first_package, package_count;
};

struct traced_package {
    struct layering_package shown;
    size_t database;
    bool traced; /* in every version of its database so far */
};

struct visible_link {
    struct slice path, target;
};

struct beside {
    struct slice path;
    size_t layer;
};

/* A visible file that is a hard link to one of lower layers: its database has no packages yet. */
struct lower_link {
    struct slice target;
    size_t database;
    size_t layer; /* the target is looked for below it */
    bool found;   /* its packages are taken */
    bool gone;    /* something else stands at the target */
};

struct layering {
    struct intern texts;
    uint8_t *hidden, *in_layer; /* heap; MARK_* by text id: of all layers so far, of one */
    size_t marks_cap;
    struct database *databases; /* heap, as all that follow */
    size_t database_count, database_cap;
    struct map database_ids; /* by path */
    struct traced_package *packages;
    size_t package_count, package_cap;
    struct map package_ids; /* by database and package; until they are put in order */
    struct found_licence *licences;
    size_t licence_count, licence_cap;
    size_t licences_sorted; /* so many of them are in order of their packages */
    struct visible_link *links;
    size_t link_count, link_cap;
    struct map link_ids; /* by path */
    struct beside *besides;
    size_t beside_count, beside_cap;
    struct lower_link *lower_links;
    size_t lower_link_count, lower_link_cap;
    struct slice *lower_targets; /* of all of them, those on the way included */
    size_t lower_target_count, lower_target_cap;
    struct slice release;
    int os_rank;
};

/* The layering's own copy of a text, one for all that are equal. */
int layering_text(struct layering *layering, struct slice text, struct slice *ret, struct err *err);

/* The visible file of this path: its place in databases, or MAP_NONE. There is never a second. */
uint32_t layering_find_database(const struct layering *layering, struct slice path);

/* Adds a visible file, without what it tells; *ret is its place in databases. */
int layering_add_database(
    struct layering *layering, size_t layer, const struct fact *fact, size_t *ret, struct err *err);
/* What a visible file told. */
int layering_take_told(
    struct layering *layering, size_t database, struct told *told, struct err *err);

/* Licences are added, put in order, and found then. */
int layering_add_licence(
    struct layering *layering, const struct found_licence *found, struct err *err);
void layering_sort_licences(struct layering *layering);
const struct found_licence *layering_find_licence(
    const struct layering *layering, struct slice package);

/* Is the path hidden by what the layer that is being added has on it, or above it? */
bool layering_is_hidden_by_layer(const struct layering *layering, struct slice path);

/* ---- layering_hard_links.c ---- */

/* A visible FACT_SAME. */
int layering_add_lower_link(
    struct layering *layering, size_t layer, const struct fact *fact, struct err *err);
/* Any fact of a layer: is it what hard links of upper layers lead to? */
int layering_take_lower(struct layering *layering, size_t layer, const struct fact *fact,
    struct arena *arena, struct err *err);
/* Behind all facts of a layer. */
void layering_hide_lower(struct layering *layering, size_t layer);
/* ERR_FORMAT when one leads to nothing. What was read for their sake alone is gone. */
int layering_finish_lower(struct layering *layering, struct err *err);

/* ---- layering_links.c ---- */

int layering_add_link(struct layering *layering, const struct fact *fact, struct err *err);
/* A folder that links to its neighbour has the licence of it, if it has none of its own:
 * usr/share/doc/libc6-dev. */
int layering_link_licences(struct layering *layering, struct err *err);
/* Of databases that links make one, the one of the upper layer stays. */
void layering_join_databases(struct layering *layering);

#endif
