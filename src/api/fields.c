/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a query by the table of fields.h. */
#include "api/fields.h"

#include "base/bug.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *text_rule(
    struct slice text, size_t min_chars, size_t max_chars, char dst[TEXT_RULE_BYTES])
{
    size_t chars;

    if (!utf8_is_line(text))
        snprintf(dst, TEXT_RULE_BYTES, "must be %zu-%zu characters without control characters",
            min_chars, max_chars);
    else if ((chars = utf8_count(text)) < min_chars || chars > max_chars)
        snprintf(dst, TEXT_RULE_BYTES, "must be %zu-%zu characters, not %zu", min_chars, max_chars,
            chars);
    else
        return NULL;
    return dst;
}

static int take_text(const struct field *field, struct slice value, void *at, struct err *err)
{
    char rule[TEXT_RULE_BYTES];

    if (text_rule(value, field->min_chars, field->max_chars, rule))
        return err_set(err, ERR_INVALID, "%s: %s", field->name, rule);
    memcpy(at, &value, sizeof(value));
    return 0;
}

int word_read(const char *name, const struct words *words, const struct words *rows,
    struct slice value, int *ret, struct err *err)
{
    char list[128];
    int found = words_find(words, value);

    if (found < 0 && rows)
        found = words_find(rows, value);
    if (found < 0)
        return err_set(
            err, ERR_INVALID, "%s: must be %s", name, words_list(words, list, sizeof(list)));
    *ret = found;
    return 0;
}

static int take_word(const struct field *field, struct slice value, void *at, struct err *err)
{
    int found;

    if (word_read(field->name, field->words, field->rows, value, &found, err) < 0)
        return -1;
    memcpy(at, &found, sizeof(found));
    return 0;
}

static int take_number(const struct field *field, struct slice value, void *at, struct err *err)
{
    uint64_t number;

    if (value.len > 10 || !slice_to_u64(value, &number) || (int64_t)number < field->low ||
        (int64_t)number > field->high)
        return err_set(err, ERR_INVALID, "%s: must be %lld-%lld", field->name,
            (long long)field->low, (long long)field->high);
    memcpy(at, &number, sizeof(number));
    return 0;
}

static int take_flag(const struct field *field, struct slice value, void *at, struct err *err)
{
    bool truth = value.len == 4 && strncasecmp(value.ptr, "true", 4) == 0;

    if (!truth && !(value.len == 5 && strncasecmp(value.ptr, "false", 5) == 0))
        return err_set(err, ERR_INVALID, "%s: must be true or false", field->name);
    memcpy(at, &truth, sizeof(truth));
    return 0;
}

static int take(const struct field *field, struct slice value, void *into, struct err *err)
{
    void *at = (char *)into + field->offset;

    switch (field->kind) {
    case VALUE_TEXT:
        return take_text(field, value, at, err);
    case VALUE_WORD:
        return take_word(field, value, at, err);
    case VALUE_NUMBER:
        return take_number(field, value, at, err);
    case VALUE_FLAG:
        return take_flag(field, value, at, err);
    case VALUE_IDS:
    case VALUE_PAIRS:
    default:
        BUG_ON(true); /* no parameter is a list */
    }
    return -1;
}

static bool may_be_empty(const struct field *field)
{
    return !field->required && field->kind != VALUE_NUMBER && field->kind != VALUE_FLAG;
}

static int take_param(const struct fields *fields, const struct query_param *param, uint32_t *given,
    void *into, struct err *err)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->at[i];

        if (!slice_is(param->name, field->name))
            continue;
        if (*given >> i & 1)
            return err_set(err, ERR_INVALID, "%s: must be given once", field->name);
        *given |= UINT32_C(1) << i;
        if (param->value.len == 0 && may_be_empty(field))
            return 0;
        return take(field, param->value, into, err);
    }
    return 0;
}

int fields_from_query(const struct fields *fields, const struct query_params *params, bool strict,
    void *into, struct err *err)
{
    uint32_t given = 0;

    BUG_ON(fields->count > 32);
    for (size_t i = 0; i < params->count; i++)
        if (take_param(fields, &params->at[i], &given, into, err) < 0)
            return -1;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->at[i];

        if ((field->required || (strict && field->strict)) && !(given >> i & 1))
            return err_set(err, ERR_INVALID, "%s: must be given", field->name);
    }
    return 0;
}
