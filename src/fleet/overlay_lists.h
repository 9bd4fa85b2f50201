/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of decisions by a small number (an alias group, an interned image or package), each with
 * the newest first. Between overlay.c and overlay_validate.c only.
 */
#ifndef CAREEN_FLEET_OVERLAY_LISTS_H
#define CAREEN_FLEET_OVERLAY_LISTS_H

#include "base/intern.h"
#include "fleet/overlay.h"

/* One decision, and how its names group. */
struct lying {
    struct decision decision; /* what it points at is in `block` */
    char *block;              /* owned */
    struct ids groups;        /* ascending */
};

struct link {
    const struct lying *of; /* NULL: free */
    uint32_t next;          /* position in links; 0: last */
};

struct lists {
    struct {
        uint32_t first, count;
    } * at; /* by key */
    size_t cap;
    struct link *links; /* from 1 */
    size_t link_count, link_cap;
    uint32_t free;     /* the first of those that are free */
    size_t used_count; /* links in use */
};

/* Which lists a decision is in. Those that name images and vulnerabilities are in two, of which the
 * shorter one is walked. */
enum list_kind {
    LIST_GROUP,         /* of a place, by group */
    LIST_PACKAGE,       /* of a place, any vulnerability: by package */
    LIST_IMAGE,         /* of named images, by image */
    LIST_IMAGE_GROUP,   /* the same ones, by group */
    LIST_IMAGE_PACKAGE, /* of named images, any vulnerability: by image */
    LIST_COUNT
};

struct overlay {
    struct lying **at; /* ascending by number */
    size_t count, cap;
    struct lists lists[LIST_COUNT];
    struct intern images, packages; /* that a decision names or named; ids are keys */
    uint32_t *named;                /* by name id: how many decisions name it */
    size_t named_cap;
    const struct lying **by_package; /* those in LIST_PACKAGE, ascending */
    size_t by_package_count, by_package_cap;
};

void lists_release(struct lists *lists);
int lists_add(struct lists *lists, uint32_t key, const struct lying *of, struct err *err);
/* Nothing happens when it is not in. */
void lists_drop(struct lists *lists, uint32_t key, const struct lying *of);
/* The first link of a key's list; 0: none. And how many it has. */
uint32_t lists_first(const struct lists *lists, uint32_t key);
uint32_t lists_length(const struct lists *lists, uint32_t key);

#endif
