/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See affected_facets.h. The index knows texts as facets; those of closed vocabularies are added up
 * here, from its counts by code and by image type.
 */
#include "api/affected_facets.h"

#include "base/bug.h"
#include "model/words.h"

static const char *const include_names[] = {"counts", "facets"};
const struct words affected_include_words = {"include", include_names, 2};

static const char *const flag_names[] = {"false", "true"};
static const struct words flag_words = {"flag", flag_names, 2};

/* --- Closed vocabularies ---------------------------------------------------------------------- */

static int necessity_part(uint8_t code)
{
    return (int)index_code_necessity(code);
}

static int type_part(uint8_t code)
{
    return (int)index_code_type(code);
}

static int status_part(uint8_t code)
{
    return index_code_ignored(code) ? STATUS_IGNORED : STATUS_UNFIX;
}

static int handled_part(uint8_t code)
{
    return index_code_handled(code);
}

static int fixable_part(uint8_t code)
{
    return index_code_fixable(code);
}

static const struct facet {
    const char *name;
    const struct words *words; /* NULL: of the index, by id */
    int (*part)(uint8_t code); /* NULL: by image type */
    enum index_facet_id id;
} all[AFFECTED_FACETS] = {
    {"repair_necessity", &necessity_words, necessity_part, 0},
    {"type", &vul_type_words, type_part, 0},
    {"status", &vul_status_words, status_part, 0},
    {"is_handled", &flag_words, handled_part, 0},
    {"fixable", &flag_words, fixable_part, 0},
    {"image_type", &image_type_words, NULL, 0},
    {"registry_type", NULL, NULL, INDEX_FACET_REGISTRY_TYPE},
    {"registry_name", NULL, NULL, INDEX_FACET_REGISTRY_NAME},
    {"cluster_id", NULL, NULL, INDEX_FACET_CLUSTER_ID},
    {"enterprise_project_id", NULL, NULL, INDEX_FACET_ENTERPRISE_PROJECT},
};

static uint64_t rows_of(const struct index_facets *facets, const struct facet *facet, int value)
{
    uint64_t rows = 0;

    if (!facet->part)
        return facets->by_image_type[value];
    for (unsigned code = 0; code < INDEX_CODES; code++)
        if (facet->part((uint8_t)code) == value)
            rows += facets->by_code[code];
    return rows;
}

/* In its place among the few there are: most rows first, then by its bytes. */
static void add_value(struct index_facet *ret, struct index_facet_value value)
{
    size_t at = ret->count++;

    for (; at > 0; at--) {
        const struct index_facet_value *before = &ret->at[at - 1];

        if (before->rows > value.rows ||
            (before->rows == value.rows && slice_cmp(before->text, value.text) < 0))
            break;
        ret->at[at] = *before;
    }
    ret->at[at] = value;
}

const char *affected_facet_name(size_t facet)
{
    BUG_ON(facet >= AFFECTED_FACETS);
    return all[facet].name;
}

const struct index_facet *affected_facet(
    const struct index_facets *facets, size_t facet, struct index_facet *room)
{
    const struct words *words;

    BUG_ON(facet >= AFFECTED_FACETS);
    words = all[facet].words;
    if (!words)
        return &facets->by_value[all[facet].id];
    room->count = 0;
    for (int value = 0; value < words->count; value++) {
        uint64_t rows = rows_of(facets, &all[facet], value);

        if (rows)
            add_value(room, (struct index_facet_value){slice_of(words_name(words, value)), rows});
    }
    room->values = room->count;
    return room;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_facet(struct json_writer *w, const struct index_facet *facet)
{
    json_write_begin_object(w);
    json_write_member_u64(w, "value_num", facet->values);
    json_write_key(w, "values");
    json_write_begin_array(w);
    for (size_t i = 0; i < facet->count; i++) {
        json_write_begin_object(w);
        json_write_member(w, "value", facet->at[i].text);
        json_write_member_u64(w, "row_num", facet->at[i].rows);
        json_write_end_object(w);
    }
    json_write_end_array(w);
    json_write_end_object(w);
}

void affected_write_facets(
    struct json_writer *w, const struct index_facets *facets, unsigned include)
{
    struct index_facet room;

    if (include >> INCLUDE_COUNTS & 1) {
        json_write_key(w, "counts");
        json_write_begin_object(w);
        json_write_member_u64(w, "image_num", facets->images);
        json_write_member_u64(w, "vul_num", facets->vulns);
        json_write_member_u64(w, "container_num", facets->containers);
        json_write_end_object(w);
    }
    if (!(include >> INCLUDE_FACETS & 1))
        return;
    json_write_key(w, "facets");
    json_write_begin_object(w);
    for (size_t i = 0; i < AFFECTED_FACETS; i++) {
        json_write_key(w, affected_facet_name(i));
        write_facet(w, affected_facet(facets, i, &room));
    }
    json_write_end_object(w);
}
