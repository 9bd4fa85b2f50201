/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the conditions of a scope to its ordinals. Each condition is a set (of an attribute's value,
 * or the union of several); they are intersected one by one, the smallest first. A single condition
 * borrows the index's own sets, with the sums of their counts: a part each value.
 *
 * A part of a name is looked for in the distinct names, not in the images, and only when the other
 * conditions leave anything.
 */
#include "index/internal.h"

enum { MAX_WANTED = 7, MAX_CONDITIONS = 13, MAX_OWN = MAX_CONDITIONS, NAME_BATCH = 32 };

static const struct idset no_ordinals;

/* Values of one attribute, any of which will do. */
struct wanted {
    enum table_id table;
    const struct slice *at;
    size_t count;
};

struct conditions {
    const struct idset *sets[MAX_CONDITIONS];
    size_t count;
    struct idset own[MAX_OWN]; /* those made here */
    size_t own_count;
};

static void release_conditions(struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->own_count; i++)
        idset_release(&conditions->own[i]);
}

/* --- What a scope says ------------------------------------------------------------------------ */

static size_t wanted_by(const struct index_scope *scope, struct wanted ret[MAX_WANTED])
{
    const struct wanted all[MAX_WANTED] = {
        {TABLE_ENTERPRISE_PROJECT, scope->enterprise_projects, scope->enterprise_project_count},
        {TABLE_REGISTRY_NAME, &scope->registry_name, scope->registry_name.len > 0},
        {TABLE_REGISTRY_NAME, scope->registry_names.at, scope->registry_names.count},
        {TABLE_REGISTRY_TYPE, &scope->registry_type, scope->registry_type.len > 0},
        {TABLE_REGISTRY_TYPE, scope->registry_types.at, scope->registry_types.count},
        {TABLE_CLUSTER_ID, &scope->cluster_id, scope->cluster_id.len > 0},
        {TABLE_CLUSTER_ID, scope->cluster_ids.at, scope->cluster_ids.count},
    };
    size_t count = 0;

    for (size_t i = 0; i < MAX_WANTED; i++)
        if (all[i].count)
            ret[count++] = all[i];
    return count;
}

enum together {
    TYPES_MATTER,
    TYPES_IMPLIED, /* all images with the values are of the types */
    NO_TYPES       /* no image has all of it */
};

enum { ALL_TYPES = (1 << IMAGE_TYPE_COUNT) - 1 };

static uint32_t types_of(const struct index_scope *scope)
{
    uint32_t types = scope->types ? scope->types : ALL_TYPES;

    if (scope->type >= IMAGE_TYPE_COUNT)
        return 0;
    return types & (scope->type >= 0 ? 1u << scope->type : ALL_TYPES);
}

/* The types that images with one of these values have. */
static uint32_t types_with(const struct index *index, const struct wanted *wanted)
{
    uint32_t types = 0;

    for (size_t i = 0; i < wanted->count && types != ALL_TYPES; i++) {
        const struct table *table = &index->attributes.tables[wanted->table];
        uint32_t place = table_place(table, wanted->at[i]);

        for (size_t j = 0; place != MAP_NONE && j < IMAGE_TYPE_COUNT; j++)
            types |= table->types[place].of[j] ? 1u << j : 0;
    }
    return types;
}

/* What types and values say together, found out without their sets: the images of a registry are
 * never those of a cluster. */
static enum together look_at_types(
    const struct index *index, const struct wanted *wanted, size_t count, uint32_t types)
{
    uint32_t left = types;
    bool implied = types == ALL_TYPES;

    if (count == 0 || (count == 1 && implied))
        return implied ? TYPES_IMPLIED : TYPES_MATTER;
    for (size_t i = 0; i < count; i++) {
        uint32_t with = types_with(index, &wanted[i]);

        left &= with;
        implied |= (with & ~types) == 0;
    }
    return left == 0 ? NO_TYPES : implied ? TYPES_IMPLIED : TYPES_MATTER;
}

/* --- Parts ------------------------------------------------------------------------------------ */

static void add_part(struct ordinals *ordinals, const struct idset *set, struct tally *tally)
{
    struct part *part = &ordinals->parts[ordinals->count++];

    *part = (struct part){.set = set};
    if (tally)
        *part = (struct part){set, tally->totals, tally->sums, tally->blocks};
}

static bool is_part(const struct ordinals *ordinals, const struct idset *set)
{
    for (size_t i = 0; i < ordinals->count; i++)
        if (ordinals->parts[i].set == set)
            return true;
    return false;
}

/* A part for each value that images have. False when they are too many. */
static bool add_values(
    const struct index *index, const struct wanted *wanted, struct ordinals *ordinals)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct value *value =
            table_find(&index->attributes.tables[wanted->table], wanted->at[i]);

        if (!value || is_part(ordinals, &value->set))
            continue;
        if (ordinals->count == MAX_PARTS)
            return false;
        add_part(ordinals, &value->set, value->as.tally);
    }
    return true;
}

static void add_types(const struct index *index, uint32_t types, struct ordinals *ordinals)
{
    for (size_t i = 0; i < IMAGE_TYPE_COUNT; i++)
        if (types >> i & 1)
            add_part(ordinals, &index->attributes.types[i], index->attributes.type_tallies[i]);
}

/* The scope as parts, when it has at most one condition and that is of a kind that has sums. False
 * when not; *ret is of no use then. */
static bool simple_parts(
    const struct index *index, const struct index_scope *scope, struct ordinals *ret)
{
    const struct attributes *attributes = &index->attributes;
    struct wanted wanted[MAX_WANTED];
    size_t values = wanted_by(scope, wanted);
    uint32_t types = types_of(scope);
    enum together together = look_at_types(index, wanted, values, types);
    bool typed = together == TYPES_MATTER;

    ret->count = 0;
    if (together == NO_TYPES)
        return true;
    if (values + typed + scope->only_latest + scope->running > 1 || scope->image_id.len ||
        scope->image_ids.count || scope->name_part.len)
        return false;
    if (values)
        return add_values(index, wanted, ret);
    if (typed) {
        add_types(index, types, ret);
    } else if (scope->only_latest) {
        add_part(ret, &attributes->latest, attributes->latest_tally);
    } else if (scope->running) {
        add_part(ret, &attributes->running, attributes->running_tally);
    } else {
        ret->all = true;
        ret->count = 1;
        ret->parts[0] =
            (struct part){&attributes->live, index->totals, index->sums, index->block_count};
    }
    return true;
}

/* --- Conditions ------------------------------------------------------------------------------- */

static void add_set(struct conditions *conditions, const struct idset *set)
{
    conditions->sets[conditions->count++] = set;
}

/* The union of parts as one more condition. */
static int add_union(const struct ordinals *parts, struct conditions *conditions, struct err *err)
{
    struct idset *set;

    if (parts->count <= 1) {
        add_set(conditions, parts->count ? parts->parts[0].set : &no_ordinals);
        return 0;
    }
    set = &conditions->own[conditions->own_count++];
    for (size_t i = 0; i < parts->count; i++)
        if (idset_or_into(set, parts->parts[i].set, err) < 0)
            return -1;
    add_set(conditions, set);
    return 0;
}

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

/* Makes the bits a condition, and frees them. */
static int bits_finish(struct bits *bits, struct conditions *conditions, struct err *err)
{
    struct idset *set = &conditions->own[conditions->own_count];
    int failed = idset_of_bits(bits->words, bits->count, set, err);

    free(bits->words);
    if (failed)
        return -1;
    conditions->own_count++;
    add_set(conditions, set);
    return 0;
}

/* More values than parts: they are many and small. */
static int add_many_values(const struct index *index, const struct wanted *wanted,
    struct conditions *conditions, struct err *err)
{
    struct bits bits;

    if (bits_init(&bits, index, err) < 0)
        return -1;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct value *value =
            table_find(&index->attributes.tables[wanted->table], wanted->at[i]);

        if (value)
            idset_into_bits(&value->set, bits.words);
    }
    return bits_finish(&bits, conditions, err);
}

/* Values lie all over the heap, and so do their sets: all of a batch are asked of memory before the
 * first is read. */
static void add_batch(
    const struct table *names, const uint32_t *places, size_t count, struct bits *bits)
{
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(names->places[places[i]].value);
    for (size_t i = 0; i < count; i++)
        idset_prefetch(&names->places[places[i]].value->set);
    for (size_t i = 0; i < count; i++)
        idset_into_bits(&names->places[places[i]].value->set, bits->words);
}

static int add_name_part(
    const struct index *index, struct slice part, struct conditions *conditions, struct err *err)
{
    const struct attributes *attributes = &index->attributes;
    const struct table *names = &attributes->tables[TABLE_NAME];
    uint32_t places[NAME_BATCH];
    size_t count = 0;
    struct bits bits;

    if (bits_init(&bits, index, err) < 0)
        return -1;
    for (size_t line = 0; names_next(&attributes->names, part, &line, &places[count]);)
        if (++count == NAME_BATCH) {
            add_batch(names, places, count, &bits);
            count = 0;
        }
    add_batch(names, places, count, &bits);
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

static int add_image_ids(const struct index *index, const struct slice *ids, size_t count,
    struct conditions *conditions, struct err *err)
{
    struct idset *found = &conditions->own[conditions->own_count++];
    bool failed = false;

    for (size_t i = 0; i < count && !failed; i++) {
        struct id_search search = {ids[i], found, err, &failed};

        (void)map_find(&index->ids, slice_hash(ids[i]), collect_id, index, &search);
    }
    add_set(conditions, found);
    return failed ? -1 : 0;
}

/* All but name_part. */
static int add_conditions(const struct index *index, const struct index_scope *scope,
    struct conditions *conditions, struct err *err)
{
    struct wanted wanted[MAX_WANTED];
    size_t count = wanted_by(scope, wanted);
    uint32_t types = types_of(scope);

    if (scope->image_id.len && add_image_ids(index, &scope->image_id, 1, conditions, err) < 0)
        return -1;
    if (scope->image_ids.count &&
        add_image_ids(index, scope->image_ids.at, scope->image_ids.count, conditions, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct ordinals parts = {.count = 0};

        if ((add_values(index, &wanted[i], &parts)
                    ? add_union(&parts, conditions, err)
                    : add_many_values(index, &wanted[i], conditions, err)) < 0)
            return -1;
    }
    if (look_at_types(index, wanted, count, types) == TYPES_MATTER) {
        struct ordinals parts = {.count = 0};

        add_types(index, types, &parts);
        if (add_union(&parts, conditions, err) < 0)
            return -1;
    }
    if (scope->only_latest)
        add_set(conditions, &index->attributes.latest);
    if (scope->running)
        add_set(conditions, &index->attributes.running);
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

/* The conditions become one. */
static int intersect(struct conditions *conditions, struct err *err)
{
    const struct idset *set;

    if (conditions->count == 0)
        return 0;
    smallest_first(conditions);
    set = conditions->sets[0];
    for (size_t i = 1; i < conditions->count && set->count; i++) {
        struct idset both;

        if (idset_and(set, conditions->sets[i], &both, err) < 0)
            return -1;
        if (conditions->own_count && set == &conditions->own[conditions->own_count - 1]) {
            idset_release(&conditions->own[conditions->own_count - 1]);
            conditions->own_count--;
        }
        conditions->own[conditions->own_count] = both;
        set = &conditions->own[conditions->own_count++];
    }
    conditions->sets[0] = set;
    conditions->count = 1;
    return 0;
}

/* The one set that is left, kept when it was made here. */
static void take_set(struct conditions *conditions, struct ordinals *ret)
{
    const struct idset *set = conditions->sets[0];

    for (size_t i = 0; i < conditions->own_count; i++)
        if (set == &conditions->own[i]) {
            ret->own = conditions->own[i];
            conditions->own[i] = (struct idset){0};
            set = &ret->own;
        }
    add_part(ret, set, NULL);
}

static int intersect_all(const struct index *index, const struct index_scope *scope,
    struct conditions *conditions, struct err *err)
{
    if (add_conditions(index, scope, conditions, err) < 0 || intersect(conditions, err) < 0)
        return -1;
    if (scope->name_part.len == 0 || (conditions->count && conditions->sets[0]->count == 0))
        return 0;
    if (add_name_part(index, scope->name_part, conditions, err) < 0)
        return -1;
    return intersect(conditions, err);
}

int parts_of_scope(const struct index *index, const struct index_scope *scope, struct ordinals *ret,
    struct err *err)
{
    struct conditions conditions = {.count = 0};
    int failed;

    ret->count = 0;
    ret->all = false;
    ret->own = (struct idset){0};
    if (simple_parts(index, scope, ret))
        return 0;
    ret->count = 0;
    failed = intersect_all(index, scope, &conditions, err);
    if (failed == 0)
        take_set(&conditions, ret);
    release_conditions(&conditions);
    return failed;
}

int ordinals_of_scope(const struct index *index, const struct index_scope *scope,
    struct ordinals *ret, struct err *err)
{
    if (parts_of_scope(index, scope, ret, err) < 0)
        return -1;
    if (ret->count == 0)
        add_part(ret, &no_ordinals, NULL);
    if (ret->count == 1)
        return 0;
    for (size_t i = 0; i < ret->count; i++)
        if (idset_or_into(&ret->own, ret->parts[i].set, err) < 0) {
            ordinals_release(ret);
            return -1;
        }
    ret->count = 0;
    add_part(ret, &ret->own, NULL);
    return 0;
}

void ordinals_release(struct ordinals *ordinals)
{
    idset_release(&ordinals->own);
    ordinals->count = 0;
    ordinals->all = false;
}
