/* SPDX-License-Identifier: Apache-2.0 */
/* The table of affected_params.h, and one small parser a parameter. */
#include "api/affected_params.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <strings.h>

struct affected_parser {
    struct affected_request request;
    int image_type, necessity, type, status; /* -1: any */
    int handled;                             /* -1: any, 0, 1 */
    bool given[AFFECTED_PARAM_COUNT];
};

static int parse_text(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    size_t chars = utf8_count(value);

    if (chars > param->max_chars)
        return err_set(err, ERR_INVALID, "%s: must be at most %zu characters, not %zu", param->name,
            param->max_chars, chars);
    memcpy((char *)parser + param->offset, &value, sizeof(value));
    return 0;
}

static int parse_word(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    char list[128];
    int found = words_find(param->words, value);

    if (found < 0 && param->rows)
        found = words_find(param->rows, value);
    if (found < 0)
        return err_set(err, ERR_INVALID, "%s: must be %s", param->name,
            words_list(param->words, list, sizeof(list)));
    memcpy((char *)parser + param->offset, &found, sizeof(found));
    return 0;
}

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

static int parse_offset(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    return parse_number(param, value, &parser->request.query.q.offset, err);
}

static int parse_limit(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    uint64_t limit = 0;

    if (parse_number(param, value, &limit, err) < 0)
        return -1;
    parser->request.query.q.limit = (size_t)limit;
    return 0;
}

static int parse_handled(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    if (value.len == 4 && strncasecmp(value.ptr, "true", 4) == 0)
        parser->handled = 1;
    else if (value.len == 5 && strncasecmp(value.ptr, "false", 5) == 0)
        parser->handled = 0;
    else
        return err_set(err, ERR_INVALID, "%s: must be true or false", param->name);
    return 0;
}

static int parse_after(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err)
{
    struct index_query *q = &parser->request.query.q;
    struct slice rest = value, image = slice_pull_until(&rest, '.');
    uint64_t image_number, vuln;

    if (!slice_to_u64(image, &image_number) || !slice_to_u64(rest, &vuln) ||
        image_number > UINT32_MAX || vuln > UINT32_MAX)
        return err_set(err, ERR_INVALID, "%s: must be the `next` of a page before", param->name);
    q->by_cursor = true;
    q->after_image = (uint32_t)image_number;
    q->after_vuln = (uint32_t)vuln;
    return 0;
}

#define AT(field) offsetof(struct affected_parser, field)
#define SCOPE(field) AT(request.query.q.scope.field)

const struct affected_param affected_params[AFFECTED_PARAM_COUNT] = {
    {.name = "enterprise_project_id",
        .value = "ID",
        .help = "enterprise project; 0, the default one, if not given; all_granted_eps: all",
        .scope = true,
        .parse = parse_text,
        .offset = AT(request.enterprise_project),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "offset",
        .value = "N",
        .help = "rows to pass over, 0-2000000",
        .page = true,
        .needs_value = true,
        .parse = parse_offset,
        .high = LIMIT_OFFSET_MAX},
    {.name = "limit",
        .value = "N",
        .help = "rows on the page, 10-200; 10 if not given",
        .page = true,
        .needs_value = true,
        .parse = parse_limit,
        .low = LIMIT_PAGE_MIN,
        .high = LIMIT_PAGE_MAX,
        .otherwise = LIMIT_PAGE_MIN},
    {.name = "is_handled",
        .value = "BOOL",
        .help = "true: rows that were handled; false: those that were not",
        .required = true,
        .needs_value = true,
        .parse = parse_handled},
    {.name = "vul_id",
        .value = "ID",
        .help = "the vulnerability, by any of its names or a CVE that it covers",
        .required = true,
        .parse = parse_text,
        .offset = AT(request.query.vul_id),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "type",
        .value = "TYPE",
        .help = "linux_vul: in OS packages; app_vul: in all others",
        .required = true,
        .parse = parse_word,
        .offset = AT(type),
        .words = &vul_type_words},
    {.name = "image_type",
        .value = "TYPE",
        .help = "local, registry, cicd or cluster",
        .required = true,
        .scope = true,
        .parse = parse_word,
        .offset = AT(image_type),
        .words = &image_type_words,
        .rows = &image_type_rows},
    {.name = "repair_necessity",
        .value = "LEVEL",
        .help = "Low, Medium, High or Critical",
        .parse = parse_word,
        .offset = AT(necessity),
        .words = &necessity_words},
    {.name = "image_id",
        .value = "ID",
        .help = "one image",
        .scope = true,
        .parse = parse_text,
        .offset = SCOPE(image_id),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "image_name",
        .value = "TEXT",
        .help = "images whose name contains TEXT, case-sensitive",
        .scope = true,
        .parse = parse_text,
        .offset = SCOPE(name_part),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "registry_name",
        .value = "NAME",
        .help = "images of this registry",
        .scope = true,
        .parse = parse_text,
        .offset = SCOPE(registry_name),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "registry_type",
        .value = "TYPE",
        .help = "Harbor, Jfrog, SwrPrivate, SwrShared, SwrEnterprise or Other",
        .scope = true,
        .parse = parse_text,
        .offset = SCOPE(registry_type),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "status",
        .value = "STATUS",
        .help = "vul_status_unfix or vul_status_ignored",
        .parse = parse_word,
        .offset = AT(status),
        .words = &vul_status_words},
    {.name = "cluster_id",
        .value = "ID",
        .help = "images of this cluster",
        .scope = true,
        .parse = parse_text,
        .offset = SCOPE(cluster_id),
        .max_chars = LIMIT_CLUSTER_ID_CHARS},
    {.name = "after",
        .value = "CURSOR",
        .help = "rows behind this cursor: the member `next` of the page before",
        .page = true,
        .beyond = true,
        .parse = parse_after,
        .pattern = "^[1-3]?[0-9]{1,9}\\.[1-3]?[0-9]{1,9}$"},
};

/* --- All together ----------------------------------------------------------------------------- */

static bool admits(const struct affected_parser *parser, uint8_t code)
{
    return (parser->necessity < 0 || parser->necessity == (int)index_code_necessity(code)) &&
           (parser->type < 0 || parser->type == (int)index_code_type(code)) &&
           (parser->status < 0 || (parser->status == STATUS_IGNORED) == index_code_ignored(code)) &&
           (parser->handled < 0 || (parser->handled == 1) == index_code_handled(code));
}

static uint64_t mask_of(const struct affected_parser *parser)
{
    uint64_t mask = 0;

    for (unsigned code = 0; code < INDEX_CODES; code++)
        if (admits(parser, (uint8_t)code))
            mask |= UINT64_C(1) << code;
    return mask;
}

static int parse_param(
    struct affected_parser *parser, const struct query_param *given, struct err *err)
{
    for (size_t i = 0; i < AFFECTED_PARAM_COUNT; i++) {
        const struct affected_param *param = &affected_params[i];

        if (!slice_is(given->name, param->name))
            continue;
        if (parser->given[i])
            return err_set(err, ERR_INVALID, "%s: must be given once", param->name);
        parser->given[i] = true;
        if (given->value.len == 0 && !param->needs_value)
            return 0;
        return param->parse(param, given->value, parser, err);
    }
    return 0;
}

static int check_required(const struct affected_parser *parser, struct err *err)
{
    for (size_t i = 0; i < AFFECTED_PARAM_COUNT; i++)
        if (affected_params[i].required && !parser->given[i])
            return err_set(err, ERR_INVALID, "%s: must be given", affected_params[i].name);
    return 0;
}

/* What the parser gathered becomes the query; the scope points into *ret from here on. */
static void take_request(const struct affected_parser *parser, struct affected_request *ret)
{
    struct index_query *q = &ret->query.q;

    *ret = parser->request;
    q->scope.type = parser->image_type;
    q->codes = mask_of(parser);
    if (slice_is(ret->enterprise_project, "all_granted_eps"))
        return;
    q->scope.enterprise_projects = &ret->enterprise_project;
    q->scope.enterprise_project_count = 1;
}

int affected_parse(
    const struct query_params *params, bool strict, struct affected_request *ret, struct err *err)
{
    struct affected_parser parser = {
        .request = {.query.q.limit = LIMIT_PAGE_MIN, .enterprise_project = SLICE_INIT("0")},
        .image_type = -1,
        .necessity = -1,
        .type = -1,
        .status = -1,
        .handled = -1};

    for (size_t i = 0; i < params->count; i++)
        if (parse_param(&parser, &params->at[i], err) < 0)
            return -1;
    if (strict && check_required(&parser, err) < 0)
        return -1;
    take_request(&parser, ret);
    return 0;
}

bool affected_chooses_page(struct slice name)
{
    for (size_t i = 0; i < AFFECTED_PARAM_COUNT; i++)
        if (affected_params[i].page && slice_is(name, affected_params[i].name))
            return true;
    return false;
}

void affected_cursor(struct buf *out, const struct affected_row *row)
{
    buf_put_u64(out, row->image->number);
    buf_put_char(out, '.');
    buf_put_u64(out, row->vuln);
}
