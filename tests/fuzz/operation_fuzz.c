// room: api
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the body of an operation. What is accepted has its list and no other, within the
 * bounds, and becomes requests that say so; a refusal has a message, and nothing was filled in.
 */
#include "api/operation.h"
#include "base/bug.h"
#include "base/limits.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ids(const struct slice *ids, size_t count, size_t most)
{
    BUG_ON(count > most);
    for (size_t i = 0; i < count; i++)
        BUG_ON(!ids[i].len || !utf8_is_line(ids[i]) || utf8_count(ids[i]) > LIMIT_ID_CHARS);
}

static void check_request(const struct operation *operation, const struct decision_request *request)
{
    bool images = operation->select != SELECT_ALL && operation->select != SELECT_VULS;
    bool all = operation->select == SELECT_ALL || operation->select == SELECT_IMAGES;

    BUG_ON(request->scope != (images ? DECISION_IMAGES : DECISION_PROJECT));
    BUG_ON((request->image_count > 0) != images || (request->vul_count == 0) != all);
    BUG_ON(request->all_vuls != all || request->package.len || request->place.len);
    BUG_ON(request->action >= DECISION_ACTION_COUNT);
    BUG_ON(request->type < 0 || request->type >= VUL_TYPE_COUNT);
    BUG_ON(request->image_type < 0 || request->image_type >= IMAGE_TYPE_COUNT);
    BUG_ON(request->handled < -1 || request->handled > 1);
    check_ids(request->vuls, request->vul_count, LIMIT_DECISION_VULNS);
    check_ids(request->image_ids, request->image_count, LIMIT_DECISION_IMAGES);
}

static void check_operation(const struct operation *operation, struct arena *arena)
{
    struct decision_request *requests;
    struct err err = {0};
    size_t count;

    BUG_ON((operation->images.count > 0) != (operation->select == SELECT_IMAGES));
    BUG_ON((operation->vuls.count > 0) != (operation->select == SELECT_VULS));
    BUG_ON((operation->by_vul.count > 0) != (operation->select == SELECT_BY_VUL));
    BUG_ON((operation->by_image.count > 0) != (operation->select == SELECT_BY_IMAGE));
    BUG_ON(!utf8_is_line(operation->remark) || utf8_count(operation->remark) > LIMIT_REMARK_CHARS);
    BUG_ON(operation_requests(operation, arena, &requests, &count, &err) < 0);
    BUG_ON(count == 0 || count > LIMIT_DECISIONS_AT_ONCE);
    for (size_t i = 0; i < count; i++)
        check_request(operation, &requests[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct operation operation = {.select = SELECT_TYPE_COUNT};
    struct err err = {0};
    struct stream *body = stream_open_memory((struct slice){(const char *)data, size}, &err);
    struct arena arena;

    BUG_ON(!body);
    arena_init(&arena, "an operation", SIZE_MAX);
    if (operation_read(body, &arena, &operation, &err) == 0)
        check_operation(&operation, &arena);
    else
        BUG_ON(err.code == ERR_NONE || !err.message[0] || operation.select != SELECT_TYPE_COUNT);
    stream_close(body);
    arena_release(&arena);
    return 0;
}
