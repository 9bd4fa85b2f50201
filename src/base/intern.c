/* SPDX-License-Identifier: Apache-2.0 */
/* A string table: bytes in an arena, ids found through a map. */
#include "base/intern.h"

#include "base/array.h"
#include "base/bug.h"

int intern_init(struct intern *in, const char *what, size_t max_bytes, struct err *err)
{
    uint32_t empty;

    *in = (struct intern){0};
    arena_init(&in->bytes, what, max_bytes);
    return intern_put(in, SLICE_NONE, &empty, err);
}

void intern_release(struct intern *in)
{
    arena_release(&in->bytes);
    map_release(&in->ids);
    free(in->strings);
    in->strings = NULL;
    in->count = in->cap = 0;
}

static bool is_string(const void *owner, uint32_t id, const void *key)
{
    const struct intern *in = owner;
    const struct slice *s = key;

    return slice_eq(in->strings[id], *s);
}

uint32_t intern_find(const struct intern *in, struct slice s)
{
    return map_find(&in->ids, slice_hash(s), is_string, in, &s);
}

int intern_put(struct intern *in, struct slice s, uint32_t *ret, struct err *err)
{
    uint32_t id = intern_find(in, s);
    struct slice copy;

    if (id == MAP_NONE) {
        if (array_reserve(&in->strings, &in->cap, in->count + 1, sizeof(*in->strings), err) < 0 ||
            arena_dup(&in->bytes, s, &copy, err) < 0)
            return -1;
        id = (uint32_t)in->count;
        if (map_add(&in->ids, slice_hash(s), id, err) < 0)
            return -1;
        in->strings[in->count++] = copy;
    }
    *ret = id;
    return 0;
}

struct slice intern_get(const struct intern *in, uint32_t id)
{
    BUG_ON(id >= in->count);
    return in->strings[id];
}
