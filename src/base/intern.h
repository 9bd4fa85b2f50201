/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings stored once and named by small ids, 0, 1, 2, ... in order of arrival. Grows only; freed
 * as a whole. Id 0 is always the empty string. Not for use from two threads at once.
 */
#ifndef CAREEN_BASE_INTERN_H
#define CAREEN_BASE_INTERN_H

#include "base/arena.h"
#include "base/map.h"

struct intern {
    struct arena bytes;
    struct map ids;
    struct slice *strings; /* by id */
    size_t count, cap;
};

int intern_init(struct intern *in, const char *what, size_t max_bytes, struct err *err);
void intern_release(struct intern *in);

/* The id of s, adding it if need be. 0, or -1 with *err. */
int intern_put(struct intern *in, struct slice s, uint32_t *ret, struct err *err);
/* The id of s, or MAP_NONE. */
uint32_t intern_find(const struct intern *in, struct slice s);
/* Valid until intern_release; BUG when id is out of range. */
struct slice intern_get(const struct intern *in, uint32_t id);

#endif
