/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing plain heap arrays, and the one array type that is needed everywhere: of 32-bit ids.
 */
#ifndef CAREEN_BASE_ARRAY_H
#define CAREEN_BASE_ARRAY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes *array (heap, *cap elements of `size` bytes) hold at least `need` elements; grows by
 * doubling, new elements zeroed. 0, or -1 with *err (ERR_NOMEM) and nothing changed. */
int array_reserve(void *array, size_t *cap, size_t need, size_t size, struct err *err);

struct ids {
    uint32_t *at; /* owned */
    size_t count, cap;
};

void ids_release(struct ids *ids);
int ids_push(struct ids *ids, uint32_t id, struct err *err);
int ids_append(struct ids *ids, const uint32_t *at, size_t count, struct err *err);
void ids_sort_unique(struct ids *ids);                    /* ascending, duplicates dropped */
bool ids_contains(const struct ids *sorted, uint32_t id); /* O(log n) */
bool ids_equal(const struct ids *a, const struct ids *b);
/* *ret := the members of sorted a that are not in sorted b. *ret is overwritten. */
int ids_subtract(const struct ids *a, const struct ids *b, struct ids *ret, struct err *err);

#endif
