/* SPDX-License-Identifier: Apache-2.0 */
/* The table of affected_params.h, and what a request makes of its parameters. */
#include "api/affected_params.h"

#include "api/affected_facets.h"
#include "api/affected_parser.h"
#include "base/limits.h"

#define AT(field) offsetof(struct affected_parser, field)
#define SCOPE(field) AT(request.query.q.scope.field)

static const char instant_pattern[] =
    "^([0-9]{1,15}|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    "(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2}))?)$";

const struct affected_param affected_params[AFFECTED_PARAM_COUNT] = {
    {.name = "enterprise_project_id",
        .value = "ID",
        .help = "enterprise project; 0, the default one, if not given; all_granted_eps: all",
        .scope = true,
        .parse = affected_parse_text,
        .offset = AT(request.enterprise_project),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "offset",
        .value = "N",
        .help = "rows to pass over, 0-2000000",
        .page = true,
        .needs_value = true,
        .parse = affected_parse_offset,
        .high = LIMIT_OFFSET_MAX},
    {.name = "limit",
        .value = "N",
        .help = "rows on the page, 10-200; 10 if not given",
        .page = true,
        .needs_value = true,
        .parse = affected_parse_limit,
        .low = LIMIT_PAGE_MIN,
        .high = LIMIT_PAGE_MAX,
        .otherwise = LIMIT_PAGE_MIN},
    {.name = "is_handled",
        .value = "BOOL",
        .help = "true: rows that were handled; false: those that were not",
        .required = true,
        .needs_value = true,
        .parse = affected_parse_flag,
        .offset = AT(handled)},
    {.name = "vul_id",
        .value = "ID",
        .help = "the vulnerability, by any of its names or a CVE that it covers",
        .required = true,
        .parse = affected_parse_text,
        .offset = AT(request.query.vul_id),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "type",
        .value = "TYPE",
        .help = "linux_vul: in OS packages; app_vul: in all others",
        .required = true,
        .parse = affected_parse_word,
        .offset = AT(type),
        .words = &vul_type_words},
    {.name = "image_type",
        .value = "TYPE",
        .help = "local, registry, cicd or cluster",
        .required = true,
        .scope = true,
        .parse = affected_parse_word,
        .offset = AT(image_type),
        .words = &image_type_words,
        .rows = &image_type_rows},
    {.name = "repair_necessity",
        .value = "LEVEL",
        .help = "Low, Medium, High or Critical",
        .parse = affected_parse_word,
        .offset = AT(necessity),
        .words = &necessity_words},
    {.name = "image_id",
        .value = "ID",
        .help = "one image",
        .scope = true,
        .parse = affected_parse_text,
        .offset = SCOPE(image_id),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "image_name",
        .value = "TEXT",
        .help = "images whose name contains TEXT, case-sensitive",
        .scope = true,
        .parse = affected_parse_text,
        .offset = SCOPE(name_part),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "registry_name",
        .value = "NAME",
        .help = "images of this registry",
        .scope = true,
        .parse = affected_parse_text,
        .offset = SCOPE(registry_name),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "registry_type",
        .value = "TYPE",
        .help = "Harbor, Jfrog, SwrPrivate, SwrShared, SwrEnterprise or Other",
        .scope = true,
        .parse = affected_parse_text,
        .offset = SCOPE(registry_type),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "status",
        .value = "STATUS",
        .help = "vul_status_unfix or vul_status_ignored",
        .parse = affected_parse_word,
        .offset = AT(status),
        .words = &vul_status_words},
    {.name = "cluster_id",
        .value = "ID",
        .help = "images of this cluster",
        .scope = true,
        .parse = affected_parse_text,
        .offset = SCOPE(cluster_id),
        .max_chars = LIMIT_CLUSTER_ID_CHARS},
    {.name = "after",
        .value = "CURSOR",
        .help = "rows behind this cursor: the member `next` of the page before",
        .page = true,
        .beyond = true,
        .parse = affected_parse_after,
        .pattern = affected_cursor_pattern},
    {.name = "sort",
        .value = "KEY",
        .help = "severity, image_name, latest_scan_time, container_num; descending: -severity",
        .beyond = true,
        .parse = affected_parse_sort,
        .words = &affected_sorts,
        .rows = &affected_sorts_descending},
    {.name = "vul_id_in",
        .value = "ID...",
        .help = "any of these vulnerabilities",
        .many = true,
        .beyond = true,
        .parse = affected_parse_texts,
        .offset = AT(vul_ids),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "type_in",
        .value = "TYPE...",
        .help = "any of these types",
        .many = true,
        .beyond = true,
        .parse = affected_parse_words,
        .offset = AT(types),
        .words = &vul_type_words},
    {.name = "repair_necessity_in",
        .value = "LEVEL...",
        .help = "any of these levels",
        .many = true,
        .beyond = true,
        .parse = affected_parse_words,
        .offset = AT(necessities),
        .words = &necessity_words},
    {.name = "status_in",
        .value = "STATUS...",
        .help = "any of these",
        .many = true,
        .beyond = true,
        .parse = affected_parse_words,
        .offset = AT(statuses),
        .words = &vul_status_words},
    {.name = "image_type_in",
        .value = "TYPE...",
        .help = "any of these image types",
        .many = true,
        .scope = true,
        .beyond = true,
        .parse = affected_parse_words,
        .offset = AT(image_types),
        .words = &image_type_words,
        .rows = &image_type_rows},
    {.name = "enterprise_project_id_in",
        .value = "ID...",
        .help = "any of these enterprise projects, instead of the default one",
        .many = true,
        .scope = true,
        .beyond = true,
        .parse = affected_parse_texts,
        .offset = AT(enterprise_projects),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "image_id_in",
        .value = "ID...",
        .help = "any of these images",
        .many = true,
        .scope = true,
        .beyond = true,
        .parse = affected_parse_texts,
        .offset = AT(image_ids),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "registry_name_in",
        .value = "NAME...",
        .help = "images of any of these registries",
        .many = true,
        .scope = true,
        .beyond = true,
        .parse = affected_parse_texts,
        .offset = AT(registry_names),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "registry_type_in",
        .value = "TYPE...",
        .help = "images of registries of any of these types",
        .many = true,
        .scope = true,
        .beyond = true,
        .parse = affected_parse_texts,
        .offset = AT(registry_types),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "cluster_id_in",
        .value = "ID...",
        .help = "images of any of these clusters",
        .many = true,
        .scope = true,
        .beyond = true,
        .parse = affected_parse_texts,
        .offset = AT(cluster_ids),
        .max_chars = LIMIT_CLUSTER_ID_CHARS},
    {.name = "only_latest",
        .value = "[=BOOL]",
        .help = "true: images that no newer one has superseded; false: all",
        .scope = true,
        .beyond = true,
        .parse = affected_parse_flag,
        .offset = AT(only_latest)},
    {.name = "running",
        .value = "[=BOOL]",
        .help = "true: images that are known to run in containers; false: all",
        .scope = true,
        .beyond = true,
        .parse = affected_parse_flag,
        .offset = AT(running)},
    {.name = "first_seen_since",
        .value = "TIME",
        .help = "rows first seen since: epoch milliseconds, 2027-01-31, 2027-01-31T18:30Z",
        .beyond = true,
        .parse = affected_parse_since,
        .pattern = instant_pattern},
    {.name = "fixable",
        .value = "[=BOOL]",
        .help = "true: rows with a known fixed version; false: those without",
        .beyond = true,
        .parse = affected_parse_flag,
        .offset = AT(fixable)},
    {.name = "package_name",
        .value = "NAME",
        .help = "rows of a package of this name, or built from a source of this name",
        .beyond = true,
        .parse = affected_parse_text,
        .offset = AT(request.query.package_name),
        .max_chars = LIMIT_NAME_CHARS},
    {.name = "include",
        .value = "WHAT...",
        .help = "beside the page: counts, facets",
        .page = true,
        .many = true,
        .beyond = true,
        .parse = affected_parse_words,
        .offset = AT(request.include),
        .words = &affected_include_words},
};

/* --- All together ----------------------------------------------------------------------------- */

/* One of a closed vocabulary: the single one, and any of several. */
static bool takes(int wanted, uint32_t several, unsigned value)
{
    return (wanted < 0 || wanted == (int)value) && (several == 0 || (several >> value & 1));
}

static bool admits(const struct affected_parser *parser, uint8_t code)
{
    return takes(parser->necessity, parser->necessities, index_code_necessity(code)) &&
           takes(parser->type, parser->types, index_code_type(code)) &&
           takes(parser->status, parser->statuses,
               index_code_ignored(code) ? STATUS_IGNORED : STATUS_UNFIX) &&
           takes(parser->handled, 0, index_code_handled(code)) &&
           takes(parser->fixable, 0, index_code_fixable(code));
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
        if (parser->given[i] && !param->many)
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

/* A cursor means something only in the order that it was made in. */
static int take_cursor(struct affected_parser *parser, struct err *err)
{
    struct index_query *q = &parser->request.query.q;
    const struct affected_cursor *cursor = &parser->cursor;
    const char *made = affected_sort_name(cursor->sort, cursor->descending);
    const char *asked = affected_sort_name(q->sort, q->descending);

    if (!parser->by_cursor)
        return 0;
    if (made != asked)
        return err_set(err, ERR_INVALID,
            "after: must be the `next` of a page with the same sort (%s), not with another (%s)",
            asked ? asked : "none", made ? made : "none");
    affected_cursor_apply(cursor, q);
    return 0;
}

static struct index_values values_of(const struct value_list *list)
{
    return (struct index_values){list->at, list->count};
}

static int check_enterprise_projects(const struct affected_parser *parser, struct err *err)
{
    for (size_t i = 0; i < parser->enterprise_projects.count; i++)
        if (slice_is(parser->enterprise_projects.at[i], "all_granted_eps"))
            return err_set(err, ERR_INVALID,
                "enterprise_project_id_in: must be ids; all_granted_eps is a value of "
                "enterprise_project_id");
    return 0;
}

/* The single one counts if it was given, or if no list was; with both, it must be in the list. */
static void take_enterprise_projects(
    const struct affected_parser *parser, struct affected_request *ret)
{
    /* An enterprise project has at least one character, so no image is in this one. */
    static const struct slice nowhere = SLICE_INIT("");
    const struct value_list *several = &parser->enterprise_projects;
    struct index_scope *scope = &ret->query.q.scope;

    ret->enterprise_projects = values_of(several);
    if (ret->enterprise_project.len == 0 && several->count == 0)
        ret->enterprise_project = SLICE("0");
    if (slice_is(ret->enterprise_project, "all_granted_eps"))
        ret->enterprise_project = SLICE_NONE;
    scope->enterprise_projects = several->count ? several->at : NULL;
    scope->enterprise_project_count = several->count;
    if (ret->enterprise_project.len == 0)
        return;
    scope->enterprise_projects = several->count ? &nowhere : &ret->enterprise_project;
    scope->enterprise_project_count = 1;
    for (size_t i = 0; i < several->count; i++)
        if (slice_eq(several->at[i], ret->enterprise_project))
            scope->enterprise_projects = &ret->enterprise_project;
}

/* What the parser gathered becomes the query; the scope points into *ret from here on. */
static void take_request(const struct affected_parser *parser, struct affected_request *ret)
{
    struct index_query *q = &ret->query.q;

    *ret = parser->request;
    q->scope.type = parser->image_type;
    q->scope.types = parser->image_types;
    q->scope.image_ids = values_of(&parser->image_ids);
    q->scope.registry_names = values_of(&parser->registry_names);
    q->scope.registry_types = values_of(&parser->registry_types);
    q->scope.cluster_ids = values_of(&parser->cluster_ids);
    q->scope.only_latest = parser->only_latest;
    q->scope.running = parser->running;
    q->codes = mask_of(parser);
    ret->query.vul_ids = values_of(&parser->vul_ids);
    ret->query.facets = ret->include != 0;
    take_enterprise_projects(parser, ret);
}

int affected_parse(const struct query_params *params, bool strict, struct arena *arena,
    struct affected_request *ret, struct err *err)
{
    struct affected_parser parser = {.request = {.query.q.limit = LIMIT_PAGE_MIN},
        .arena = arena,
        .image_type = -1,
        .necessity = -1,
        .type = -1,
        .status = -1,
        .handled = -1,
        .fixable = -1};

    for (size_t i = 0; i < params->count; i++)
        if (parse_param(&parser, &params->at[i], err) < 0)
            return -1;
    if ((strict && check_required(&parser, err) < 0) ||
        check_enterprise_projects(&parser, err) < 0 || take_cursor(&parser, err) < 0)
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
