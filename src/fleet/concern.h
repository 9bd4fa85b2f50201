/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows decisions can change: images, and in each the rows of some alias groups. A superset of
 * those that they reach.
 */
#ifndef CAREEN_FLEET_CONCERN_H
#define CAREEN_FLEET_CONCERN_H

#include "fleet/internal.h"

struct concern {
    struct ids images; /* numbers; ascending when settled */
    struct ids groups; /* the same */
    bool all_groups;   /* a decision names none */
    bool everywhere;   /* all images: so many decisions hold for places that it is not looked up
                          for each */
    size_t places;     /* decisions that hold for a place */
};

void concern_release(struct concern *concern);
/* Adds a decision of an overlay. filter: only images that it reaches now; takes longer, and spares
 * the work on others. Cost: the images that it may reach. */
int concern_add(struct concern *concern, const struct index *index, const struct overlay *overlay,
    uint32_t number, bool filter, struct err *err);
/* After the last one was added. */
int concern_settle(struct concern *concern, const struct index *index, struct err *err);
const struct ids *concern_groups(const struct concern *concern); /* NULL: all */

#endif
