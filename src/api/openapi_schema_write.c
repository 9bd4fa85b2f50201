/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of members as JSON Schemas (2020-12, which OpenAPI 3.1 takes). Answers are left open
 * (additionalProperties): clients must pass over what a later version adds. */
#include "api/openapi_schemas.h"

#include "api/fields.h"
#include "api/placement_params.h"
#include "base/limits.h"

/* utf8_is_line() */
static const char line_pattern[] = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f"
                                   "\\u2028-\\u202e\\u2066-\\u2069]*$";

/* An empty word is taken where one may be left out: a PATCH takes back what was said. */
static const char *const empty_names[] = {""};
static const struct words empty_words = {"nothing", empty_names, 1};

void schema_write_line(struct json_writer *w, size_t min_chars, size_t max_chars)
{
    json_write_member(w, "type", SLICE("string"));
    if (min_chars)
        json_write_member_u64(w, "minLength", min_chars);
    if (max_chars)
        json_write_member_u64(w, "maxLength", max_chars);
    json_write_member(w, "pattern", slice_of(line_pattern));
}

void schema_write_words(struct json_writer *w, const struct words *words, const struct words *more)
{
    json_write_member(w, "type", SLICE("string"));
    json_write_key(w, "enum");
    json_write_begin_array(w);
    for (int i = 0; i < words->count; i++)
        json_write_string(w, slice_of(words->names[i]));
    for (int i = 0; more && i < more->count; i++)
        if (words_find(words, slice_of(more->names[i])) < 0)
            json_write_string(w, slice_of(more->names[i]));
    json_write_end_array(w);
}

void schema_write_range(struct json_writer *w, int64_t minimum, int64_t maximum)
{
    json_write_member(w, "type", SLICE("integer"));
    json_write_key(w, "minimum");
    json_write_i64(w, minimum);
    json_write_key(w, "maximum");
    json_write_i64(w, maximum);
}

void schema_write_placement(struct json_writer *w, const struct placement_param *param)
{
    switch (param->kind) {
    case PLACEMENT_WORD:
        schema_write_words(w, param->words, param->required ? NULL : &empty_words);
        break;
    case PLACEMENT_NUMBER:
        schema_write_range(w, 0, LIMIT_CONTAINERS);
        break;
    case PLACEMENT_FLAG:
        json_write_member(w, "type", SLICE("boolean"));
        break;
    case PLACEMENT_TEXT:
    default:
        schema_write_line(w, param->min_chars, param->max_chars);
    }
}

/* --- Fields ----------------------------------------------------------------------------------- */

static void write_ids(struct json_writer *w, const struct field *field)
{
    json_write_member(w, "type", SLICE("array"));
    json_write_member_u64(w, "minItems", 1);
    json_write_member_u64(w, "maxItems", field->max_ids);
    json_write_key(w, "items");
    json_write_begin_object(w);
    schema_write_line(w, 1, LIMIT_ID_CHARS);
    json_write_end_object(w);
}

static void write_pair(struct json_writer *w, const struct field *field)
{
    json_write_member(w, "type", SLICE("object"));
    json_write_key(w, "properties");
    json_write_begin_object(w);
    json_write_key(w, field->one);
    json_write_begin_object(w);
    schema_write_line(w, 1, LIMIT_ID_CHARS);
    json_write_end_object(w);
    json_write_key(w, field->many);
    json_write_begin_object(w);
    write_ids(w, field);
    json_write_end_object(w);
    json_write_end_object(w);
    json_write_key(w, "required");
    json_write_begin_array(w);
    json_write_string(w, slice_of(field->one));
    json_write_string(w, slice_of(field->many));
    json_write_end_array(w);
}

static void write_pairs(struct json_writer *w, const struct field *field)
{
    json_write_member(w, "type", SLICE("array"));
    json_write_member_u64(w, "minItems", 1);
    json_write_member_u64(w, "maxItems", field->max_pairs);
    json_write_key(w, "items");
    json_write_begin_object(w);
    write_pair(w, field);
    json_write_end_object(w);
}

static void write_number(struct json_writer *w, const struct field *field)
{
    schema_write_range(w, field->low, field->high);
    if (!field->otherwise)
        return;
    json_write_key(w, "default");
    json_write_i64(w, field->otherwise);
}

void schema_write_field(struct json_writer *w, const struct field *field)
{
    switch (field->kind) {
    case VALUE_WORD:
        schema_write_words(w, field->words, field->rows);
        break;
    case VALUE_NUMBER:
        write_number(w, field);
        break;
    case VALUE_FLAG:
        json_write_member(w, "type", SLICE("boolean"));
        break;
    case VALUE_IDS:
        write_ids(w, field);
        break;
    case VALUE_PAIRS:
        write_pairs(w, field);
        break;
    case VALUE_TEXT:
    default:
        schema_write_line(w, field->min_chars, field->max_chars);
    }
}

/* What may be left out may be null. */
static void write_field_member(struct json_writer *w, const struct field *field)
{
    json_write_key(w, field->name);
    json_write_begin_object(w);
    json_write_member(w, "description", slice_of(field->help));
    if (field->required) {
        schema_write_field(w, field);
    } else {
        json_write_key(w, "anyOf");
        json_write_begin_array(w);
        json_write_begin_object(w);
        schema_write_field(w, field);
        json_write_end_object(w);
        json_write_begin_object(w);
        json_write_member(w, "type", SLICE("null"));
        json_write_end_object(w);
        json_write_end_array(w);
    }
    json_write_end_object(w);
}

static void write_fields(struct json_writer *w, const struct schema *schema)
{
    const struct fields *fields = schema->fields;

    json_write_member(w, "type", SLICE("object"));
    json_write_member(w, "description", slice_of(schema->help));
    json_write_key(w, "properties");
    json_write_begin_object(w);
    for (size_t i = 0; i < fields->count; i++)
        write_field_member(w, &fields->at[i]);
    json_write_end_object(w);
    json_write_key(w, "required");
    json_write_begin_array(w);
    for (size_t i = 0; i < fields->count; i++)
        if (fields->at[i].required)
            json_write_string(w, slice_of(fields->at[i].name));
    json_write_end_array(w);
    if (fields->closed) {
        json_write_key(w, "additionalProperties");
        json_write_bool(w, false);
    }
}

/* --- Members ---------------------------------------------------------------------------------- */

void schema_write_ref(struct json_writer *w, const struct schema *schema)
{
    struct buf ref = BUF_INIT(256);

    buf_printf(&ref, "#/components/schemas/%s", schema->name);
    json_write_member(w, "$ref", buf_slice(&ref));
    buf_release(&ref);
}

/* A text, or an object of the schema `of` (any, if there is none). */
static void write_item(struct json_writer *w, const struct member *member, bool text)
{
    if (text && member->words)
        schema_write_words(w, member->words, NULL);
    else if (text || !member->of)
        json_write_member(w, "type", text ? SLICE("string") : SLICE("object"));
    else
        schema_write_ref(w, member->of);
    if (member->filled)
        json_write_member_u64(w, "minLength", 1);
    if (text)
        json_write_member_if(w, "pattern", slice_of(member->pattern ? member->pattern : ""));
}

static void write_integer(struct json_writer *w, const struct member *member)
{
    json_write_member(w, "type", SLICE("integer"));
    json_write_member_u64(w, "minimum", 0);
    if (member->maximum)
        json_write_member_u64(w, "maximum", (size_t)member->maximum);
}

static void write_array(struct json_writer *w, const struct member *member)
{
    json_write_member(w, "type", SLICE("array"));
    if (member->type == MEMBER_TEXTS)
        json_write_member_u64(w, "minItems", 1);
    json_write_key(w, "items");
    json_write_begin_object(w);
    if (member->type == MEMBER_INTEGERS)
        write_integer(w, member);
    else
        write_item(w, member, member->type == MEMBER_TEXTS);
    json_write_end_object(w);
}

static void write_type(struct json_writer *w, const struct member *member)
{
    switch (member->type) {
    case MEMBER_INTEGER:
        write_integer(w, member);
        break;
    case MEMBER_BOOLEAN:
        json_write_member(w, "type", SLICE("boolean"));
        break;
    case MEMBER_NULL:
        json_write_member(w, "type", SLICE("null"));
        break;
    case MEMBER_TEXTS:
    case MEMBER_INTEGERS:
    case MEMBER_OBJECTS:
        write_array(w, member);
        break;
    case MEMBER_TEXT:
    case MEMBER_OBJECT:
    default:
        write_item(w, member, member->type == MEMBER_TEXT);
    }
}

static void write_member(struct json_writer *w, const struct member *member)
{
    struct buf help = BUF_INIT(1024);

    buf_printf(&help, "%s%s", member->beyond ? "Beyond HSS: " : "", member->help);
    json_write_key(w, member->name);
    json_write_begin_object(w);
    write_type(w, member);
    json_write_member(w, "description", buf_slice(&help));
    json_write_end_object(w);
    buf_release(&help);
}

static void write_required(struct json_writer *w, const struct schema *schema)
{
    bool begun = false;

    for (size_t i = 0; i < schema->count; i++) {
        if (schema->members[i].optional)
            continue;
        if (!begun) {
            json_write_key(w, "required");
            json_write_begin_array(w);
        }
        begun = true;
        json_write_string(w, slice_of(schema->members[i].name));
    }
    if (begun)
        json_write_end_array(w);
}

void schema_write(struct json_writer *w, const struct schema *schema)
{
    if (schema->write) {
        schema->write(w);
        return;
    }
    if (schema->fields) {
        write_fields(w, schema);
        return;
    }
    json_write_member(w, "type", SLICE("object"));
    json_write_member(w, "description", slice_of(schema->help));
    if (!schema->members)
        return;
    json_write_key(w, "properties");
    json_write_begin_object(w);
    for (size_t i = 0; i < schema->count; i++)
        write_member(w, &schema->members[i]);
    json_write_end_object(w);
    write_required(w, schema);
}
