/* SPDX-License-Identifier: Apache-2.0 */
/* One small parser for each kind of value; see affected_parser.h. */
#include "api/affected_parser.h"
#include "api/fields.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/when.h"

#include <strings.h>

enum { MILLISECONDS_CHARS = 15 };

/* --- Texts ------------------------------------------------------------------------------------ */

static int check_length(const struct affected_param *param, struct slice value, struct err *err)
{
    size_t chars = utf8_count(value);

    if (chars <= param->max_chars)
        return 0;
    return err_set(err, ERR_INVALID, "%s: must be at most %zu characters, not %zu", param->name,
        param->max_chars, chars);
}

int affected_parse_text(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    if (check_length(param, value, err) < 0)
        return -1;
    memcpy((char *)parser + param->offset, &value, sizeof(value));
    return 0;
}

int affected_parse_texts(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    struct value_list list;
    struct slice *grown;

    memcpy(&list, (char *)parser + param->offset, sizeof(list));
    if (check_length(param, value, err) < 0)
        return -1;
    if (list.count == LIMIT_FILTER_VALUES)
        return err_set(
            err, ERR_INVALID, "%s: must be at most %d values", param->name, LIMIT_FILTER_VALUES);
    grown = arena_grow(parser->arena, list.at, list.count, &list.cap, sizeof(*grown), err);
    if (!grown)
        return -1;
    list.at = grown;
    list.at[list.count++] = value;
    memcpy((char *)parser + param->offset, &list, sizeof(list));
    return 0;
}

/* --- Words ------------------------------------------------------------------------------------ */

int affected_parse_word(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    int found;

    if (word_read(param->name, param->words, param->rows, value, &found, err) < 0)
        return -1;
    memcpy((char *)parser + param->offset, &found, sizeof(found));
    return 0;
}

int affected_parse_words(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    uint32_t mask;
    int found;

    if (word_read(param->name, param->words, param->rows, value, &found, err) < 0)
        return -1;
    memcpy(&mask, (char *)parser + param->offset, sizeof(mask));
    mask |= UINT32_C(1) << found;
    memcpy((char *)parser + param->offset, &mask, sizeof(mask));
    return 0;
}

int affected_parse_flag(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    int truth = value.len == 4 && strncasecmp(value.ptr, "true", 4) == 0;

    if (!truth && !(value.len == 5 && strncasecmp(value.ptr, "false", 5) == 0))
        return err_set(err, ERR_INVALID, "%s: must be true or false", param->name);
    memcpy((char *)parser + param->offset, &truth, sizeof(truth));
    return 0;
}

/* --- Pages ------------------------------------------------------------------------------------ */

static int parse_number(
    const struct affected_param *param, struct slice value, uint64_t *ret, struct err *err)
{
    uint64_t number;

    if (value.len > 10 || !slice_to_u64(value, &number) || number < param->low ||
        number > param->high)
        return err_set(err, ERR_INVALID, "%s: must be %u-%u", param->name, param->low, param->high);
    *ret = number;
    return 0;
}

int affected_parse_offset(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    return parse_number(param, value, &parser->request.query.q.offset, err);
}

int affected_parse_limit(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    uint64_t limit = 0;

    if (parse_number(param, value, &limit, err) < 0)
        return -1;
    parser->request.query.q.limit = (size_t)limit;
    return 0;
}

int affected_parse_sort(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    struct index_query *q = &parser->request.query.q;
    bool descending = slice_starts_with(value, "-");
    int found = words_find(param->words, slice_skip(value, descending));
    char list[128];

    if (found < 0)
        return err_set(err, ERR_INVALID, "%s: must be %s, or one with - in front", param->name,
            words_list(param->words, list, sizeof(list)));
    q->sort = (enum index_sort)(found + 1);
    q->descending = descending;
    return 0;
}

/* Whether it fits `sort` is known when all parameters are. */
int affected_parse_after(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    parser->by_cursor = true;
    if (affected_cursor_read(value, parser->arena, &parser->cursor, err) < 0)
        return err_prefix(err, "%s", param->name);
    return 0;
}

/* --- Times ------------------------------------------------------------------------------------ */

int affected_parse_since(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    struct index_query *q = &parser->request.query.q;
    struct err ignored = {0};
    int64_t ms;

    if ((value.len > MILLISECONDS_CHARS || !slice_to_i64(value, &ms) || ms < 0) &&
        when_instant(value, &ms, &ignored) < 0)
        return err_set(err, ERR_INVALID,
            "%s: must be epoch milliseconds, a day, 2027-01-31, or a time, 2027-01-31T18:30Z",
            param->name);
    q->by_time = true;
    q->first_seen_since_ms = ms;
    return 0;
}
