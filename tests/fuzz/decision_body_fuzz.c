// room: api
/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a decision. What is accepted says what it is about and where; a refusal has a
 * message, and nothing was filled in. */
#include "api/decision_body.h"
#include "base/bug.h"
#include "base/limits.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct decision_body *body)
{
    const struct decision_request request = decision_body_request(body);
    bool placed = request.scope != DECISION_PROJECT && request.scope != DECISION_IMAGES;

    BUG_ON(request.action >= DECISION_ACTION_COUNT || request.scope >= DECISION_SCOPE_COUNT);
    BUG_ON((request.place.len > 0) != placed);
    BUG_ON((request.image_count > 0) != (request.scope == DECISION_IMAGES));
    BUG_ON(request.all_vuls && request.vul_count);
    BUG_ON(!request.all_vuls && !request.vul_count && !request.package.len);
    BUG_ON(request.type < -1 || request.type >= VUL_TYPE_COUNT);
    BUG_ON(request.image_type < -1 || request.image_type >= IMAGE_TYPE_COUNT);
    BUG_ON(request.handled < -1 || request.handled > 1 || body->expires_ms < 0);
    BUG_ON(!utf8_is_line(body->reason) || utf8_count(body->reason) > LIMIT_REMARK_CHARS);
    BUG_ON(!utf8_is_line(request.package) || !utf8_is_line(request.place));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decision_body read = {.action = DECISION_ACTION_COUNT};
    struct err err = {0};
    struct stream *body = stream_open_memory((struct slice){(const char *)data, size}, &err);
    struct arena arena;

    BUG_ON(!body);
    arena_init(&arena, "a decision", SIZE_MAX);
    if (decision_body_read(body, &arena, &read, &err) == 0)
        check(&read);
    else
        BUG_ON(err.code == ERR_NONE || !err.message[0] || read.action != DECISION_ACTION_COUNT);
    stream_close(body);
    arena_release(&arena);
    return 0;
}
