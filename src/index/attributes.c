/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What images are filtered by, value -> set of ordinals, and the strings that they share.
 *
 * Strings are counted: a value goes with the last image that has it, and its place in the table is
 * used again. So a server in which images come and go for years holds no more than what its images
 * hold (the tables themselves keep the room of their largest time, 12 to 24 bytes a place).
 */
#include "index/internal.h"

#include "base/array.h"
#include "base/bug.h"

#define NO_PLACE UINT32_MAX
#define FIELD(member, table_of)                  \
    {                                            \
        offsetof(struct image, member), table_of \
    }

const struct field attribute_fields[FIELD_COUNT] = {
    FIELD(place.enterprise_project, TABLE_ENTERPRISE_PROJECT),
    FIELD(place.registry_type, TABLE_REGISTRY_TYPE),
    FIELD(place.registry_name, TABLE_REGISTRY_NAME),
    FIELD(place.cluster_id, TABLE_CLUSTER_ID),
    FIELD(name, TABLE_NAME),
    FIELD(place.organization, TABLE_TEXT),
    FIELD(place.cluster_name, TABLE_TEXT),
    FIELD(place.agent_id, TABLE_TEXT),
    FIELD(place.pipeline, TABLE_TEXT),
    FIELD(tag, TABLE_TEXT),
    FIELD(os_release, TABLE_TEXT),
    FIELD(architecture, TABLE_TEXT),
};

static struct slice *slice_at(struct image *image, size_t field)
{
    return (struct slice *)(void *)((char *)image + attribute_fields[field].offset);
}

/* --- Tables ----------------------------------------------------------------------------------- */

struct slice value_text(const struct value *value)
{
    return (struct slice){value->text, value->len};
}

static bool is_text(const void *owner, uint32_t id, const void *key)
{
    const struct table *table = owner;
    const struct slice *text = key;

    return slice_eq(value_text(table->places[id].value), *text);
}

uint32_t table_place(const struct table *table, struct slice text)
{
    return map_find(&table->ids, slice_hash(text), is_text, table, &text);
}

const struct value *table_find(const struct table *table, struct slice text)
{
    uint32_t id = table_place(table, text);

    return id == MAP_NONE ? NULL : table->places[id].value;
}

static size_t value_bytes(const struct value *value)
{
    return sizeof(*value) + value->len + 16;
}

static int table_add(
    struct table *table, bool has_types, struct slice text, uint32_t *ret, struct err *err)
{
    uint32_t id = table->first_free;
    struct value *value;

    if (id == NO_PLACE) {
        id = (uint32_t)table->count;
        if (array_reserve(
                &table->places, &table->cap, table->count + 1, sizeof(*table->places), err) < 0)
            return -1;
    }
    if (has_types && array_reserve(&table->types, &table->types_cap, (size_t)id + 1,
                         sizeof(*table->types), err) < 0)
        return -1;
    value = calloc(1, sizeof(*value) + text.len);
    if (!value)
        return err_nomem(err);
    if (map_add(&table->ids, slice_hash(text), id, err) < 0) {
        free(value);
        return -1;
    }
    value->len = (uint32_t)text.len;
    if (text.len)
        memcpy(value->text, text.ptr, text.len);
    if (id == table->first_free)
        table->first_free = table->places[id].next_free;
    else
        table->count++;
    table->places[id] = (struct table_place){value, NO_PLACE};
    *ret = id;
    return 0;
}

static int table_acquire(struct attributes *attributes, enum table_id which, struct slice text,
    uint32_t *ret, struct err *err)
{
    struct table *table = &attributes->tables[which];
    uint32_t id = map_find(&table->ids, slice_hash(text), is_text, table, &text);

    if (id == MAP_NONE) {
        if ((which == TABLE_NAME && names_prepare(&attributes->names, text.len, err) < 0) ||
            table_add(table, which != TABLE_TEXT, text, &id, err) < 0)
            return -1;
        if (which == TABLE_NAME)
            table->places[id].value->as.line = names_add(&attributes->names, text, id);
        attributes->bytes += value_bytes(table->places[id].value);
    }
    table->places[id].value->refs++;
    *ret = id;
    return 0;
}

static void table_drop(struct attributes *attributes, enum table_id which, uint32_t id)
{
    struct table *table = &attributes->tables[which];
    struct value *value = table->places[id].value;

    BUG_ON(value->refs == 0);
    if (--value->refs)
        return;
    BUG_ON(value->set.count);
    if (which == TABLE_NAME)
        names_remove(&attributes->names, value->as.line, table);
    else if (table_has_tallies(which))
        tally_drop(attributes, &value->as.tally);
    attributes->bytes -= value_bytes(value) + idset_bytes(&value->set);
    map_remove(&table->ids, slice_hash(value_text(value)), id);
    idset_release(&value->set);
    free(value);
    table->places[id] = (struct table_place){NULL, table->first_free};
    table->first_free = id;
}

/* --- All of them ------------------------------------------------------------------------------ */

void attributes_init(struct attributes *attributes)
{
    *attributes = (struct attributes){0};
    for (size_t i = 0; i < TABLE_COUNT; i++)
        attributes->tables[i].first_free = NO_PLACE;
}

static void release_sets(struct idset *sets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        idset_release(&sets[i]);
}

void attributes_release(struct attributes *attributes)
{
    for (enum table_id i = 0; i < TABLE_COUNT; i++) {
        struct table *table = &attributes->tables[i];

        for (size_t j = 0; j < table->count; j++) {
            struct value *value = table->places[j].value;

            if (!value)
                continue;
            if (table_has_tallies(i))
                free(value->as.tally);
            idset_release(&value->set);
            free(value);
        }
        free(table->places);
        free(table->types);
        map_release(&table->ids);
    }
    names_release(&attributes->names);
    release_sets(attributes->types, IMAGE_TYPE_COUNT);
    release_sets(attributes->assessments, ASSESSMENT_COUNT);
    idset_release(&attributes->live);
    idset_release(&attributes->latest);
    idset_release(&attributes->running);
    for (size_t i = 0; i < IMAGE_TYPE_COUNT; i++)
        free(attributes->type_tallies[i]);
    free(attributes->latest_tally);
    free(attributes->running_tally);
    attributes_init(attributes);
}

const struct value *attributes_value(const struct attributes *attributes, size_t field, uint32_t id)
{
    return attributes->tables[attribute_fields[field].table].places[id].value;
}

/* Gives back the references of the first `count` fields. */
static void drop_fields(struct attributes *attributes, const struct entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++)
        table_drop(attributes, attribute_fields[i].table, entry->values[i]);
}

int attributes_acquire(struct attributes *attributes, struct entry *entry, struct err *err)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum table_id table = attribute_fields[i].table;
        struct slice *text = slice_at(&entry->image, i);

        if (table_acquire(attributes, table, *text, &entry->values[i], err) < 0) {
            drop_fields(attributes, entry, i);
            return -1;
        }
        *text = value_text(attributes->tables[table].places[entry->values[i]].value);
    }
    return 0;
}

void attributes_drop(struct attributes *attributes, const struct entry *entry)
{
    drop_fields(attributes, entry, FIELD_COUNT);
}

/* The sets that an entry's ordinal belongs to. */
enum { MAX_SETS = TABLE_TEXT + 5 };

static size_t sets_of(
    struct attributes *attributes, const struct entry *entry, struct idset *ret[MAX_SETS])
{
    size_t count = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum table_id table = attribute_fields[i].table;

        if (table != TABLE_TEXT)
            ret[count++] = &attributes->tables[table].places[entry->values[i]].value->set;
    }
    ret[count++] = &attributes->types[entry->image.place.type];
    ret[count++] = &attributes->assessments[entry->image.assessment];
    ret[count++] = &attributes->live;
    if (entry->image.latest)
        ret[count++] = &attributes->latest;
    if (entry->image.place.containers > 0)
        ret[count++] = &attributes->running;
    return count;
}

static bool is_among(const struct idset *set, struct idset *const *sets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sets[i] == set)
            return true;
    return false;
}

int attributes_prepare(struct attributes *attributes, const struct entry *old,
    const struct entry *entry, struct err *err)
{
    struct idset *before[MAX_SETS], *after[MAX_SETS];
    size_t before_count = old ? sets_of(attributes, old, before) : 0;
    size_t after_count = sets_of(attributes, entry, after);

    for (size_t i = 0; i < after_count; i++) {
        if (is_among(after[i], before, before_count))
            continue;
        attributes->bytes -= idset_bytes(after[i]);
        if (idset_prepare(after[i], err) < 0) {
            attributes->bytes += idset_bytes(after[i]);
            return -1;
        }
        attributes->bytes += idset_bytes(after[i]);
    }
    return 0;
}

/* Adds `step` (1 or -1) to the counts of types of an entry's values. */
static void count_types(struct attributes *attributes, const struct entry *entry, int step)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum table_id table = attribute_fields[i].table;

        if (table != TABLE_TEXT)
            attributes->tables[table].types[entry->values[i]].of[entry->image.place.type] +=
                (uint32_t)step;
    }
}

void attributes_apply(struct attributes *attributes, uint32_t ordinal, const struct entry *old,
    const struct entry *entry)
{
    struct idset *before[MAX_SETS], *after[MAX_SETS];
    size_t before_count = old ? sets_of(attributes, old, before) : 0;
    size_t after_count = entry ? sets_of(attributes, entry, after) : 0;

    if (entry)
        count_types(attributes, entry, 1);
    if (old)
        count_types(attributes, old, -1);
    for (size_t i = 0; i < after_count; i++) {
        if (is_among(after[i], before, before_count))
            continue;
        attributes->bytes -= idset_bytes(after[i]);
        idset_add(after[i], ordinal);
        attributes->bytes += idset_bytes(after[i]);
    }
    for (size_t i = 0; i < before_count; i++) {
        if (is_among(before[i], after, after_count))
            continue;
        attributes->bytes -= idset_bytes(before[i]);
        idset_remove(before[i], ordinal);
        attributes->bytes += idset_bytes(before[i]);
    }
}

void attributes_move(
    struct attributes *attributes, const struct entry *entry, uint32_t from, uint32_t to)
{
    struct idset *sets[MAX_SETS];
    size_t count = sets_of(attributes, entry, sets);

    for (size_t i = 0; i < count; i++) {
        attributes->bytes -= idset_bytes(sets[i]);
        idset_move(sets[i], from, to);
        attributes->bytes += idset_bytes(sets[i]);
    }
}

static const char *validate_table(
    const struct attributes *attributes, enum table_id which, size_t *bytes)
{
    const struct table *table = &attributes->tables[which];
    bool has_sets = which != TABLE_TEXT;
    size_t alive = 0, free_places = 0;

    for (size_t i = 0; i < table->count; i++) {
        const struct value *value = table->places[i].value;
        const char *why;

        if (!value)
            continue;
        alive++;
        *bytes += value_bytes(value) + idset_bytes(&value->set);
        if (table_has_tallies(which))
            *bytes += tally_bytes(value->as.tally);
        if (table_find(table, value_text(value)) != value)
            return "an attribute's value is not found by its text";
        if (value->refs == 0 || value->set.count != (has_sets ? value->refs : 0))
            return "an attribute's value has references other than its ordinals";
        for (size_t j = 0; has_sets && j < IMAGE_TYPE_COUNT; j++)
            if (table->types[i].of[j] != idset_and_count(&value->set, &attributes->types[j]))
                return "an attribute's value counts its images of a type wrongly";
        if ((why = idset_validate(&value->set)))
            return why;
    }
    for (uint32_t id = table->first_free; id != NO_PLACE; id = table->places[id].next_free)
        if (table->places[id].value || ++free_places > table->count)
            return "an attribute's free list is broken";
    if (alive + free_places != table->count || table->ids.count != alive)
        return "an attribute's table has lost a place";
    return NULL;
}

const char *attributes_validate(const struct attributes *attributes)
{
    size_t bytes = idset_bytes(&attributes->live) + idset_bytes(&attributes->latest) +
                   idset_bytes(&attributes->running) + tally_bytes(attributes->latest_tally) +
                   tally_bytes(attributes->running_tally);
    uint64_t typed = 0, assessed = 0;
    const char *why;

    for (enum table_id i = 0; i < TABLE_COUNT; i++)
        if ((why = validate_table(attributes, i, &bytes)))
            return why;
    if ((why = names_validate(&attributes->names, &attributes->tables[TABLE_NAME])))
        return why;
    for (size_t i = 0; i < IMAGE_TYPE_COUNT; i++) {
        typed += attributes->types[i].count;
        bytes += idset_bytes(&attributes->types[i]) + tally_bytes(attributes->type_tallies[i]);
        if ((why = idset_validate(&attributes->types[i])))
            return why;
    }
    for (size_t i = 0; i < ASSESSMENT_COUNT; i++) {
        assessed += attributes->assessments[i].count;
        bytes += idset_bytes(&attributes->assessments[i]);
        if ((why = idset_validate(&attributes->assessments[i])))
            return why;
    }
    if (typed != attributes->live.count || assessed != attributes->live.count)
        return "the sets of types or assessments do not add up to the images";
    if (bytes != attributes->bytes)
        return "the memory of attributes is not what was counted";
    if ((why = idset_validate(&attributes->latest)) || (why = idset_validate(&attributes->running)))
        return why;
    return idset_validate(&attributes->live);
}
