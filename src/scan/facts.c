/* SPDX-License-Identifier: Apache-2.0 */
/* Facts as they are gathered: see facts.h. Their bytes are in facts_bytes.c. */
#include "scan/facts.h"

#include "base/array.h"
#include "base/limits.h"

#include <stdlib.h>

void layer_facts_init(struct layer_facts *facts)
{
    *facts = (struct layer_facts){0};
    arena_init(&facts->arena, "what one layer tells (LIMIT_FACTS_BYTES)", LIMIT_FACTS_BYTES);
}

void layer_facts_release(struct layer_facts *facts)
{
    arena_release(&facts->arena);
    free(facts->at);
    facts->at = NULL;
    facts->count = facts->cap = 0;
}

int layer_facts_add(struct layer_facts *facts, const struct fact *fact, struct err *err)
{
    struct fact copy = *fact;

    if (facts->count >= LIMIT_LAYER_FACTS)
        return err_set(err, ERR_LIMIT,
            "more than %d files of package databases, and links and whiteouts at their places "
            "(LIMIT_LAYER_FACTS)",
            LIMIT_LAYER_FACTS);
    copy.order = ++facts->added;
    if (arena_dup(&facts->arena, fact->path, &copy.path, err) < 0 ||
        arena_dup(&facts->arena, fact->target, &copy.target, err) < 0 ||
        arena_dup(&facts->arena, fact->as, &copy.as, err) < 0 ||
        arena_dup(&facts->arena, fact->why, &copy.why, err) < 0 ||
        arena_dup(&facts->arena, fact->payload, &copy.payload, err) < 0 ||
        array_reserve(&facts->at, &facts->cap, facts->count + 1, sizeof(copy), err) < 0)
        return -1;
    facts->at[facts->count++] = copy;
    return 0;
}

int layer_facts_compare_paths(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len, i = 0;
    int left, right;

    while (i < common && a.ptr[i] == b.ptr[i])
        i++;
    if (i == common)
        return (a.len > b.len) - (a.len < b.len);
    left = a.ptr[i] == '/' ? -1 : (unsigned char)a.ptr[i];
    right = b.ptr[i] == '/' ? -1 : (unsigned char)b.ptr[i];
    return (left > right) - (left < right);
}

static bool hides_lower_layers_only(const struct fact *fact)
{
    return fact->kind == FACT_HIDDEN || fact->kind == FACT_OPAQUE;
}

/* Those that hide in lower layers come first at their path, then by their order. */
static int compare_facts(const void *a, const void *b)
{
    const struct fact *left = a, *right = b;
    int order = layer_facts_compare_paths(left->path, right->path);

    if (order == 0)
        order = (int)hides_lower_layers_only(right) - (int)hides_lower_layers_only(left);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static bool is_below(struct slice path, struct slice folder)
{
    return path.len > folder.len && (folder.len == 0 || path.ptr[folder.len] == '/') &&
           slice_eq(slice_sub(path, 0, folder.len), folder);
}

/* A place that something other than a folder was put at; what came below it before is gone. */
struct ancestor {
    struct slice path;
    size_t order; /* the last time, here or above */
};

void layer_facts_settle(struct layer_facts *facts)
{
    struct ancestor above[64]; /* paths that matter are no deeper: what is, stays */
    size_t depth = 0, kept = 0;

    if (facts->count)
        qsort(facts->at, facts->count, sizeof(*facts->at), compare_facts);
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact fact = facts->at[i];
        bool last = i + 1 == facts->count || !slice_eq(facts->at[i + 1].path, fact.path);

        if (hides_lower_layers_only(&fact)) {
            facts->at[kept++] = fact;
            continue;
        }
        while (depth && !is_below(fact.path, above[depth - 1].path) &&
               !slice_eq(fact.path, above[depth - 1].path))
            depth--;
        if (last && (depth == 0 || fact.order > above[depth - 1].order))
            facts->at[kept++] = fact;
        if (fact.kind != FACT_FOLDER && depth < sizeof(above) / sizeof(above[0])) {
            size_t order =
                depth && above[depth - 1].order > fact.order ? above[depth - 1].order : fact.order;

            above[depth++] = (struct ancestor){fact.path, order};
        }
    }
    facts->count = kept;
}
