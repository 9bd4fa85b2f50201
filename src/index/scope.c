/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the conditions of a scope to the set of its ordinals: each condition is a set (of an
 * attribute's value, or the union of several), the smallest first, intersected one by one. A scope
 * of one condition on one value borrows the index's own set.
 *
 * A part of a name is looked for in the distinct names, not in the images.
 */
#include "index/internal.h"

enum { MAX_CONDITIONS = 7, MAX_OWN = 3, CHUNK = 512 };

struct conditions {
    const struct idset *sets[MAX_CONDITIONS];
    size_t count;
    struct idset own[MAX_OWN]; /* those made here */
    size_t own_count;
};

static const struct idset no_ordinals;

static void release_conditions(struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->own_count; i++)
        idset_release(&conditions->own[i]);
}

static const struct idset *set_of_value(const struct table *table, struct slice text)
{
    const struct value *value = table_find(table, text);

    return value ? &value->set : &no_ordinals;
}

/* --- Unions: bits in, a set out --------------------------------------------------------------- */

struct bits {
    uint64_t *words;
    size_t count;
};

static int bits_init(struct bits *bits, const struct index *index, struct err *err)
{
    bits->count = (size_t)index->ordinal_count / 64 + 1;
    bits->words = calloc(bits->count, sizeof(*bits->words));
    return bits->words ? 0 : err_nomem(err);
}

static void bits_add(struct bits *bits, const struct idset *set)
{
    uint32_t ordinals[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            bits->words[ordinals[i] / 64] |= (uint64_t)1 << ordinals[i] % 64;
}

/* Makes the bits a condition, and frees them. */
static int bits_finish(struct bits *bits, struct conditions *conditions, struct err *err)
{
    struct idset *set = &conditions->own[conditions->own_count];
    int failed = idset_of_bits(bits->words, bits->count, set, err);

    free(bits->words);
    if (failed)
        return -1;
    conditions->own_count++;
    conditions->sets[conditions->count++] = set;
    return 0;
}

/* --- Conditions ------------------------------------------------------------------------------- */

static int add_enterprise_projects(const struct index *index, const struct index_scope *scope,
    struct conditions *conditions, struct err *err)
{
    const struct table *table = &index->attributes.tables[TABLE_ENTERPRISE_PROJECT];
    struct bits bits;

    if (scope->enterprise_project_count == 1) {
        conditions->sets[conditions->count++] = set_of_value(table, scope->enterprise_projects[0]);
        return 0;
    }
    if (bits_init(&bits, index, err) < 0)
        return -1;
    for (size_t i = 0; i < scope->enterprise_project_count; i++)
        bits_add(&bits, set_of_value(table, scope->enterprise_projects[i]));
    return bits_finish(&bits, conditions, err);
}

static int add_name_part(
    const struct index *index, struct slice part, struct conditions *conditions, struct err *err)
{
    const struct attributes *attributes = &index->attributes;
    struct bits bits;
    uint32_t place;

    if (bits_init(&bits, index, err) < 0)
        return -1;
    for (size_t line = 0; names_next(&attributes->names, part, &line, &place);)
        bits_add(&bits, &attributes->tables[TABLE_NAME].places[place].value->set);
    return bits_finish(&bits, conditions, err);
}

/* Ids are unique by the way they are made; if two images had the same, both would be found. */
struct id_search {
    struct slice id;
    struct idset *found;
    struct err *err;
    bool *failed;
};

static bool collect_id(const void *owner, uint32_t ordinal, const void *key)
{
    const struct index *index = owner;
    const struct id_search *search = key;
    const struct entry *entry = entry_at(index, ordinal);

    if (!slice_eq(image_id_text(&entry->image), search->id))
        return false;
    if (idset_prepare(search->found, search->err) < 0) {
        *search->failed = true;
        return true;
    }
    idset_add(search->found, ordinal);
    return false;
}

static int add_image_id(
    const struct index *index, struct slice id, struct conditions *conditions, struct err *err)
{
    struct idset *found = &conditions->own[conditions->own_count++];
    bool failed = false;
    struct id_search search = {id, found, err, &failed};

    (void)map_find(&index->ids, slice_hash(id), collect_id, index, &search);
    conditions->sets[conditions->count++] = found;
    return failed ? -1 : 0;
}

static int add_conditions(const struct index *index, const struct index_scope *scope,
    struct conditions *conditions, struct err *err)
{
    const struct attributes *attributes = &index->attributes;
    const struct {
        enum table_id table;
        const struct slice *text;
    } exact[] = {
        {TABLE_REGISTRY_NAME, &scope->registry_name},
        {TABLE_REGISTRY_TYPE, &scope->registry_type},
        {TABLE_CLUSTER_ID, &scope->cluster_id},
    };

    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
        if (exact[i].text->len)
            conditions->sets[conditions->count++] =
                set_of_value(&attributes->tables[exact[i].table], *exact[i].text);
    if (scope->type >= IMAGE_TYPE_COUNT)
        conditions->sets[conditions->count++] = &no_ordinals;
    else if (scope->type >= 0)
        conditions->sets[conditions->count++] = &attributes->types[scope->type];
    if (scope->image_id.len && add_image_id(index, scope->image_id, conditions, err) < 0)
        return -1;
    if (scope->enterprise_project_count &&
        add_enterprise_projects(index, scope, conditions, err) < 0)
        return -1;
    if (scope->name_part.len && add_name_part(index, scope->name_part, conditions, err) < 0)
        return -1;
    return 0;
}

/* --- Intersection ----------------------------------------------------------------------------- */

static void smallest_first(struct conditions *conditions)
{
    for (size_t i = 1; i < conditions->count; i++)
        if (conditions->sets[i]->count < conditions->sets[0]->count) {
            const struct idset *set = conditions->sets[0];

            conditions->sets[0] = conditions->sets[i];
            conditions->sets[i] = set;
        }
}

static int intersect(
    const struct conditions *conditions, struct ordinals *ordinals, struct err *err)
{
    ordinals->set = conditions->sets[0];
    for (size_t i = 1; i < conditions->count && ordinals->set->count; i++) {
        struct idset both;

        if (idset_and(ordinals->set, conditions->sets[i], &both, err) < 0)
            return -1;
        idset_release(&ordinals->own);
        ordinals->own = both;
        ordinals->set = &ordinals->own;
    }
    return 0;
}

/* Keeps a set that was made here when it is the answer. */
static void take_own(struct conditions *conditions, struct ordinals *ordinals)
{
    for (size_t i = 0; i < conditions->own_count; i++)
        if (ordinals->set == &conditions->own[i]) {
            ordinals->own = conditions->own[i];
            ordinals->set = &ordinals->own;
            conditions->own[i] = (struct idset){0};
        }
}

int ordinals_of_scope(const struct index *index, const struct index_scope *scope,
    struct ordinals *ret, struct err *err)
{
    struct conditions conditions = {0};
    int failed;

    *ret = (struct ordinals){0};
    failed = add_conditions(index, scope, &conditions, err);
    if (failed == 0 && conditions.count == 0) {
        ret->set = &index->attributes.live;
        ret->all = true;
    } else if (failed == 0) {
        smallest_first(&conditions);
        failed = intersect(&conditions, ret, err);
        if (failed == 0)
            take_own(&conditions, ret);
        else
            ordinals_release(ret);
    }
    release_conditions(&conditions);
    return failed;
}

void ordinals_release(struct ordinals *ordinals)
{
    idset_release(&ordinals->own);
    *ordinals = (struct ordinals){0};
}
