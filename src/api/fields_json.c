/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a JSON body by the table of fields.h, in one pass over the stream. The reader's errors
 * stick, so a walk goes on after a failure and is checked at its end; it names the member and the
 * byte.
 */
#include "api/fields.h"

#include "base/bug.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "codec/json_reader.h"

#include <string.h>

struct walk {
    struct json_reader *r;
    struct arena *arena;
    const struct fields *fields;
    void *into;
    uint32_t given;
};

/* Consumes a null, which is as good as nothing. */
static bool is_null(struct walk *walk)
{
    return json_peek(walk->r) == JSON_NULL && json_skip(walk->r);
}

static bool read_text(struct walk *walk, size_t min_chars, size_t max_chars, struct slice *ret)
{
    char rule[TEXT_RULE_BYTES];

    if (!json_read_string(walk->r, walk->arena, ret))
        return false;
    if (text_rule(*ret, min_chars, max_chars, rule))
        json_fail(walk->r, ERR_INVALID, "%s", rule);
    return !json_failed(walk->r);
}

static void read_word(struct walk *walk, const struct field *field, void *at)
{
    char list[128];
    struct slice value;
    int found;

    if (!json_peek_string(walk->r, &value))
        return;
    found = words_find(field->words, value);
    if (found < 0 && field->rows)
        found = words_find(field->rows, value);
    if (found < 0)
        json_fail(walk->r, ERR_INVALID, "must be %s", words_list(field->words, list, sizeof(list)));
    else
        memcpy(at, &found, sizeof(found));
}

static void read_number(struct walk *walk, const struct field *field, void *at)
{
    int64_t number = 0;

    if (!json_read_i64(walk->r, &number))
        return;
    if (number < field->low || number > field->high)
        json_fail(walk->r, ERR_INVALID, "must be %lld-%lld", (long long)field->low,
            (long long)field->high);
    else
        memcpy(at, &number, sizeof(number));
}

static void read_flag(struct walk *walk, void *at)
{
    bool truth = false;

    if (json_read_bool(walk->r, &truth))
        memcpy(at, &truth, sizeof(truth));
}

/* *ids: those read so far of all the field's lists. */
static void read_ids(struct walk *walk, const struct field *field, size_t *ids, struct id_list *ret)
{
    struct slice *list = NULL;
    size_t count = 0, cap = 0;
    struct err err = {0};

    json_begin_array(walk->r);
    while (json_next_element(walk->r)) {
        if (++*ids > field->max_ids) {
            json_fail(walk->r, ERR_INVALID, "there must be at most %zu ids", field->max_ids);
            return;
        }
        list = arena_grow(walk->arena, list, count, &cap, sizeof(*list), &err);
        if (!list) {
            json_fail_with(walk->r, &err);
            return;
        }
        if (!read_text(walk, 1, LIMIT_ID_CHARS, &list[count]))
            return;
        count++;
    }
    if (count == 0)
        json_fail(walk->r, ERR_INVALID, "must not be empty");
    *ret = (struct id_list){list, count};
}

static void read_pair(struct walk *walk, const struct field *field, size_t *ids, struct pair *ret)
{
    struct slice key;

    json_begin_object(walk->r);
    while (json_next_key(walk->r, &key)) {
        bool one = slice_is(key, field->one), many = slice_is(key, field->many);

        if ((one && ret->one.len) || (many && ret->many.count))
            json_fail(walk->r, ERR_INVALID, "must be given once");
        else if (one)
            read_text(walk, 1, LIMIT_ID_CHARS, &ret->one);
        else if (many)
            read_ids(walk, field, ids, &ret->many);
        else
            json_skip(walk->r);
    }
    if (!ret->one.len || !ret->many.count)
        json_fail(
            walk->r, ERR_INVALID, "%s must be given", ret->one.len ? field->many : field->one);
}

static void read_pairs(struct walk *walk, const struct field *field, void *at)
{
    struct pair *list = NULL;
    size_t count = 0, cap = 0, ids = 0;
    struct err err = {0};

    json_begin_array(walk->r);
    while (json_next_element(walk->r)) {
        if (count == field->max_pairs) {
            json_fail(walk->r, ERR_INVALID, "there must be at most %zu pairs", field->max_pairs);
            return;
        }
        list = arena_grow(walk->arena, list, count, &cap, sizeof(*list), &err);
        if (!list) {
            json_fail_with(walk->r, &err);
            return;
        }
        list[count] = (struct pair){0};
        read_pair(walk, field, &ids, &list[count]);
        count++;
    }
    if (count == 0)
        json_fail(walk->r, ERR_INVALID, "must not be empty");
    else
        memcpy(at, &(struct pair_list){list, count}, sizeof(struct pair_list));
}

static void read_value(struct walk *walk, const struct field *field)
{
    void *at = (char *)walk->into + field->offset;
    struct id_list list = {NULL, 0};
    struct slice text = SLICE_NONE;
    size_t ids = 0;

    switch (field->kind) {
    case VALUE_TEXT:
        if (read_text(walk, field->min_chars, field->max_chars, &text))
            memcpy(at, &text, sizeof(text));
        break;
    case VALUE_WORD:
        read_word(walk, field, at);
        break;
    case VALUE_NUMBER:
        read_number(walk, field, at);
        break;
    case VALUE_FLAG:
        read_flag(walk, at);
        break;
    case VALUE_IDS:
        read_ids(walk, field, &ids, &list);
        memcpy(at, &list, sizeof(list));
        break;
    case VALUE_PAIRS:
        read_pairs(walk, field, at);
        break;
    default:
        BUG_ON(true);
    }
}

static const struct field *find(const struct walk *walk, struct slice key)
{
    for (size_t i = 0; i < walk->fields->count; i++)
        if (slice_is(key, walk->fields->at[i].name))
            return &walk->fields->at[i];
    return NULL;
}

/* Errors about the member itself, not its value: without a byte. */
static void refuse_member(struct walk *walk, struct slice key, const char *why)
{
    struct err err = {0};

    err_set(&err, ERR_INVALID, "%.*s: %s", SLICE_FMT(key), why);
    json_fail_with(walk->r, &err);
}

/* A member given as null may be given again: nothing was said. */
static void read_member(struct walk *walk, struct slice key)
{
    const struct field *field = find(walk, key);
    uint32_t bit = field ? UINT32_C(1) << (field - walk->fields->at) : 0;

    if (walk->given & bit)
        refuse_member(walk, key, "must be given once");
    else if (!field && walk->fields->closed)
        refuse_member(walk, key, "there is no such member");
    else if (!field)
        json_skip(walk->r);
    else if (!is_null(walk)) {
        walk->given |= bit;
        read_value(walk, field);
    }
}

static int check_required(const struct walk *walk, struct err *err)
{
    for (size_t i = 0; i < walk->fields->count; i++)
        if (walk->fields->at[i].required && !(walk->given >> i & 1))
            return err_set(err, ERR_INVALID, "%s: must be given", walk->fields->at[i].name);
    return 0;
}

int fields_from_json(const struct fields *fields, struct stream *body, struct arena *arena,
    void *into, uint32_t *ret_given, struct err *err)
{
    struct json_reader *r CLEANUP(json_reader_cleanup) = NULL;
    struct walk walk = {.arena = arena, .fields = fields, .into = into};
    struct slice key;

    BUG_ON(fields->count > 32);
    if (!body)
        return err_set(err, ERR_FORMAT, "the body is empty: send a JSON object");
    r = json_reader_new(body, err);
    if (!r)
        return -1;
    walk.r = r;
    json_begin_object(r);
    while (json_next_key(r, &key))
        read_member(&walk, key);
    if (json_reader_finish(r, err) < 0 || check_required(&walk, err) < 0)
        return -1;
    *ret_given = walk.given;
    return 0;
}
