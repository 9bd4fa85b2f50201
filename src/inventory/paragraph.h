/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One package of a text database while it is read: dpkg, apk and pacman all write a paragraph of
 * named fields for each.
 */
#ifndef CAREEN_INVENTORY_PARAGRAPH_H
#define CAREEN_INVENTORY_PARAGRAPH_H

#include "inventory/lines.h"

enum field {
    FIELD_NAME,
    FIELD_VERSION,
    FIELD_ARCH,
    FIELD_LICENCE,
    FIELD_SOURCE,
    FIELD_STATUS, /* dpkg's */
    FIELD_COUNT,
};

struct paragraph {
    struct arena texts;
    struct slice fields[FIELD_COUNT]; /* ptr NULL: not there */
    size_t first_line;                /* 0: between paragraphs */
};

void paragraph_init(struct paragraph *paragraph);
void paragraph_release(struct paragraph *paragraph);
/* Between paragraphs again. */
void paragraph_clear(struct paragraph *paragraph);
/* Called for each line of a paragraph. */
void paragraph_begin(struct paragraph *paragraph, const struct lines *lines);
/* Keeps a copy. ERR_FORMAT, with the line, for a field that is there already; `name` is what the
 * file calls it. */
int paragraph_put(struct paragraph *paragraph, const struct lines *lines, enum field field,
    const char *name, struct slice value, struct err *err);
/* Adds the package, if there is a paragraph, and clears it. Errors have the paragraph's first line
 * in front. */
int paragraph_end(struct paragraph *paragraph, const struct lines *lines,
    struct inventory *inventory, const char *ecosystem, struct err *err);

#endif
