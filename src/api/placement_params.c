/* SPDX-License-Identifier: Apache-2.0 */
/* The table of placement_params.h. Lengths and the rules between values are placement_check()'s. */
#include "api/placement_params.h"

#include "base/limits.h"

static int parse_text(const struct placement_param *param, struct slice value,
    struct placement_request *request, struct err *err)
{
    (void)err;
    memcpy((char *)request + param->offset, &value, sizeof(value));
    return 0;
}

static int parse_image_type(const struct placement_param *param, struct slice value,
    struct placement_request *request, struct err *err)
{
    char list[128];
    int type = words_find(&image_type_words, value);

    if (type < 0)
        return err_set(err, ERR_INVALID, "%s: must be %s, not \"%.*s\"", param->name,
            words_list(&image_type_words, list, sizeof(list)), SLICE_FMT(value));
    request->place.type = (enum image_type)type;
    request->type_given = true;
    return 0;
}

static int parse_containers(const struct placement_param *param, struct slice value,
    struct placement_request *request, struct err *err)
{
    uint64_t number;

    if (!slice_to_u64(value, &number) || number > LIMIT_CONTAINERS)
        return err_set(err, ERR_INVALID, "%s: must be 0-%ld, not \"%.*s\"", param->name,
            LIMIT_CONTAINERS, SLICE_FMT(value));
    request->place.containers = (int64_t)number;
    return 0;
}

static int parse_multi_arch(const struct placement_param *param, struct slice value,
    struct placement_request *request, struct err *err)
{
    if (!slice_is(value, "true") && !slice_is(value, "false"))
        return err_set(err, ERR_INVALID, "%s: must be true or false, not \"%.*s\"", param->name,
            SLICE_FMT(value));
    request->place.multi_arch = slice_is(value, "true");
    return 0;
}

#define AT(field) offsetof(struct placement_request, field)

#define TEXT(field, min_chars, max_chars) \
    parse_text, AT(field), PLACEMENT_TEXT, min_chars, max_chars, NULL, false

const struct placement_param placement_params[PLACEMENT_PARAM_COUNT] = {
    {"enterprise_project_id", "ID", "enterprise project; 0, the default one, if not given",
        FIELD_ENTERPRISE_PROJECT, TEXT(place.enterprise_project, 1, LIMIT_ID_CHARS)},
    {"image_type", "TYPE", "where it lives: local, registry, cicd or cluster", 0, parse_image_type,
        0, PLACEMENT_WORD, 0, 0, &image_type_words, true},
    {"registry_type", "TYPE", "Harbor, Jfrog, SwrPrivate, SwrShared, SwrEnterprise or Other",
        FIELD_REGISTRY_TYPE, parse_text, AT(place.registry_type), PLACEMENT_WORD, 0, 0,
        &registry_type_words, false},
    {"registry_name", "NAME", "the registry's name", 0,
        TEXT(place.registry_name, 0, LIMIT_ID_CHARS)},
    {"organization", "NAME", "the organization it belongs to", FIELD_ORGANIZATION,
        TEXT(place.organization, 0, LIMIT_ID_CHARS)},
    {"cluster_id", "ID", "the cluster it runs in; needed with image type cluster", FIELD_CLUSTER_ID,
        TEXT(place.cluster_id, 0, LIMIT_CLUSTER_ID_CHARS)},
    {"cluster_name", "NAME", "that cluster's name", FIELD_CLUSTER_NAME,
        TEXT(place.cluster_name, 0, LIMIT_ID_CHARS)},
    {"agent_id", "ID", "the host (agent) it was found on", 0,
        TEXT(place.agent_id, 0, LIMIT_CLUSTER_ID_CHARS)},
    {"pipeline", "NAME", "the pipeline that built it", 0, TEXT(place.pipeline, 0, LIMIT_ID_CHARS)},
    {"containers", "N", "how many containers run it", FIELD_CONTAINERS, parse_containers, 0,
        PLACEMENT_NUMBER, 0, 0, NULL, false},
    {"is_multi_arch", "BOOL", "whether its reference names several platforms", FIELD_MULTI_ARCH,
        parse_multi_arch, 0, PLACEMENT_FLAG, 0, 0, NULL, false},
    {"name", "NAME", "its name, instead of the report's", 0, TEXT(name, 0, LIMIT_IMAGE_NAME_CHARS)},
    {"version", "TAG", "its tag, instead of the report's", 0, TEXT(version, 0, LIMIT_ID_CHARS)},
};

void placement_request_init(struct placement_request *request)
{
    *request = (struct placement_request){.place = placement_default()};
}

const struct placement_param *placement_find(struct slice name, struct err *err)
{
    struct buf known = BUF_INIT(1024);

    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++)
        if (slice_is(name, placement_params[i].name))
            return &placement_params[i];
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++)
        buf_printf(&known, "%s%s", i ? ", " : "", placement_params[i].name);
    err_set(err, ERR_INVALID, "%.*s: no such parameter; there are %.*s", SLICE_FMT(name),
        SLICE_FMT(buf_slice(&known)));
    buf_release(&known);
    return NULL;
}

int placement_take(
    struct placement_request *request, struct slice name, struct slice value, struct err *err)
{
    const struct placement_param *param = placement_find(name, err);
    unsigned bit;

    if (!param)
        return -1;
    bit = 1u << (param - placement_params);
    if (request->given & bit)
        return err_set(err, ERR_INVALID, "%s: must be given once", param->name);
    request->given |= bit;
    request->fields |= param->field;
    return param->parse(param, value, request, err);
}
