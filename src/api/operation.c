/* SPDX-License-Identifier: Apache-2.0 */
/* See operation.h. A pair of a list is a request of its own; all are one operation. */
#include "api/operation.h"

#include "base/bug.h"
#include "base/limits.h"

static const char *const select_names[SELECT_TYPE_COUNT] = {
    "all_vul", "specific_image_all_vul", "specific_vul_all_image", "vul_view", "image_view"};
static const struct words select_words = {"select_type", select_names, SELECT_TYPE_COUNT};

#define AT(member) offsetof(struct operation, member)

static const struct field fields[] = {
    {.name = "image_type",
        .help = "images that live there; cluster and local_image are taken, too",
        .kind = VALUE_WORD,
        .required = true,
        .offset = AT(image_type),
        .words = &image_type_words,
        .rows = &image_type_rows},
    {.name = "type",
        .help = "vulnerabilities of OS packages, or of all others",
        .kind = VALUE_WORD,
        .required = true,
        .offset = AT(type),
        .words = &vul_type_words},
    {.name = "operate_type",
        .help = "what is decided",
        .kind = VALUE_WORD,
        .required = true,
        .offset = AT(action),
        .words = &decision_action_words},
    {.name = "select_type",
        .help = "which rows it is about; each but all_vul wants its list",
        .kind = VALUE_WORD,
        .required = true,
        .offset = AT(select),
        .words = &select_words},
    {.name = "handle_status",
        .help = "of these, only the rows that are not, or are, handled",
        .kind = VALUE_WORD,
        .offset = AT(handled),
        .words = &handle_status_words},
    {.name = "image_id_list",
        .help = "with specific_image_all_vul: the images",
        .kind = VALUE_IDS,
        .offset = AT(images),
        .max_ids = LIMIT_DECISION_IMAGES},
    {.name = "vul_id_list",
        .help = "with specific_vul_all_image: the vulnerabilities, each by any of its names",
        .kind = VALUE_IDS,
        .offset = AT(vuls),
        .max_ids = LIMIT_DECISION_VULNS},
    {.name = "vul_data_list",
        .help = "with vul_view: vulnerabilities, with the images of each",
        .kind = VALUE_PAIRS,
        .offset = AT(by_vul),
        .max_ids = LIMIT_DECISION_IMAGES,
        .max_pairs = LIMIT_DECISIONS_AT_ONCE,
        .one = "vul_id",
        .many = "image_id_list"},
    {.name = "image_data_list",
        .help = "with image_view: images, with the vulnerabilities of each",
        .kind = VALUE_PAIRS,
        .offset = AT(by_image),
        .max_ids = LIMIT_DECISION_VULNS,
        .max_pairs = LIMIT_DECISIONS_AT_ONCE,
        .one = "image_id",
        .many = "vul_id_list"},
    {.name = "remark",
        .help = "why",
        .kind = VALUE_TEXT,
        .offset = AT(remark),
        .max_chars = LIMIT_REMARK_CHARS},
};

const struct fields operation_fields = {FIELDS(fields), false};

/* Is this list, by the position of its field, the one that the select type wants? */
static bool is_wanted(enum select_type select, size_t at)
{
    switch (select) {
    case SELECT_IMAGES:
        return fields[at].offset == AT(images);
    case SELECT_VULS:
        return fields[at].offset == AT(vuls);
    case SELECT_BY_VUL:
        return fields[at].offset == AT(by_vul);
    case SELECT_BY_IMAGE:
        return fields[at].offset == AT(by_image);
    case SELECT_ALL:
    case SELECT_TYPE_COUNT:
    default:
        return false;
    }
}

static int check_lists(const struct operation *operation, uint32_t given, struct err *err)
{
    enum select_type select = (enum select_type)operation->select;

    for (size_t i = 0; i < operation_fields.count; i++) {
        bool list = fields[i].kind == VALUE_IDS || fields[i].kind == VALUE_PAIRS;
        bool wanted = is_wanted(select, i);

        if (list && wanted != ((given >> i & 1) != 0))
            return err_set(err, ERR_INVALID, "%s: must %sbe given with select_type %s",
                fields[i].name, wanted ? "" : "not ", select_names[select]);
    }
    return 0;
}

int operation_read(struct stream *body, struct arena *arena, struct operation *ret, struct err *err)
{
    struct operation operation = {.handled = -1};
    uint32_t given;

    if (fields_from_json(&operation_fields, body, arena, &operation, &given, err) < 0 ||
        check_lists(&operation, given, err) < 0)
        return -1;
    *ret = operation;
    return 0;
}

/* --- As requests ------------------------------------------------------------------------------ */

static void by_vul(const struct pair_list *pairs, struct decision_request *requests)
{
    for (size_t i = 0; i < pairs->count; i++) {
        requests[i].scope = DECISION_IMAGES;
        requests[i].vuls = &pairs->at[i].one;
        requests[i].vul_count = 1;
        requests[i].image_ids = pairs->at[i].many.at;
        requests[i].image_count = pairs->at[i].many.count;
    }
}

static void by_image(const struct pair_list *pairs, struct decision_request *requests)
{
    for (size_t i = 0; i < pairs->count; i++) {
        requests[i].scope = DECISION_IMAGES;
        requests[i].image_ids = &pairs->at[i].one;
        requests[i].image_count = 1;
        requests[i].vuls = pairs->at[i].many.at;
        requests[i].vul_count = pairs->at[i].many.count;
    }
}

static void select_rows(const struct operation *operation, struct decision_request *requests)
{
    switch ((enum select_type)operation->select) {
    case SELECT_ALL:
        requests->all_vuls = true;
        break;
    case SELECT_IMAGES:
        requests->all_vuls = true;
        requests->scope = DECISION_IMAGES;
        requests->image_ids = operation->images.at;
        requests->image_count = operation->images.count;
        break;
    case SELECT_VULS:
        requests->vuls = operation->vuls.at;
        requests->vul_count = operation->vuls.count;
        break;
    case SELECT_BY_VUL:
        by_vul(&operation->by_vul, requests);
        break;
    case SELECT_BY_IMAGE:
        by_image(&operation->by_image, requests);
        break;
    case SELECT_TYPE_COUNT:
    default:
        BUG_ON(true);
    }
}

int operation_requests(const struct operation *operation, struct arena *arena,
    struct decision_request **ret, size_t *ret_count, struct err *err)
{
    size_t pairs = operation->by_vul.count + operation->by_image.count; /* one of them is empty */
    size_t count = pairs ? pairs : 1;
    struct decision_request *requests = arena_alloc_array(arena, count, sizeof(*requests), err);

    if (!requests)
        return -1;
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct decision_request){.action = (enum decision_action)operation->action,
            .handled = operation->handled,
            .type = operation->type,
            .image_type = operation->image_type,
            .scope = DECISION_PROJECT};
    select_rows(operation, requests);
    *ret = requests;
    *ret_count = count;
    return 0;
}
