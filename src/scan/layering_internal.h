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
    struct slice release;
    int os_rank;
};

/* The layering's own copy of a text, one for all that are equal. */
int layering_text(struct layering *layering, struct slice text, struct slice *ret, struct err *err);

/* The visible file of this path: its place in databases, or MAP_NONE. There is never a second. */
uint32_t layering_find_database(const struct layering *layering, struct slice path);

/* Licences are added, put in order, and found then. */
int layering_add_licence(
    struct layering *layering, const struct found_licence *found, struct err *err);
void layering_sort_licences(struct layering *layering);
const struct found_licence *layering_find_licence(
    const struct layering *layering, struct slice package);

/* ---- layering_links.c ---- */

int layering_add_link(struct layering *layering, const struct fact *fact, struct err *err);
/* A folder that links to its neighbour has the licence of it, if it has none of its own:
 * usr/share/doc/libc6-dev. */
int layering_link_licences(struct layering *layering, struct err *err);
/* Of databases that links make one, the one of the upper layer stays. */
void layering_join_databases(struct layering *layering);

#endif
