// room: api
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the query of the call. What is accepted must be within the contract's bounds and
 * consistent in itself, its cursor must be the same when it is written and read again, strict
 * parsing must accept no more, and a refusal must be ERR_INVALID and name a parameter's rule.
 */
#include "api/affected_cursor.h"
#include "api/affected_params.h"
#include "base/bug.h"
#include "base/limits.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A mask of codes is a product: of the values of each of the five parts that it admits, it admits
 * every combination. */
static void check_codes(uint64_t codes)
{
    unsigned necessities = 0, types = 0, fixable = 0, ignored = 0, handled = 0;

    for (unsigned code = 0; code < INDEX_CODES; code++) {
        if (!(codes >> code & 1))
            continue;
        necessities |= 1u << index_code_necessity((uint8_t)code);
        types |= 1u << index_code_type((uint8_t)code);
        fixable |= 1u << index_code_fixable((uint8_t)code);
        ignored |= 1u << index_code_ignored((uint8_t)code);
        handled |= 1u << index_code_handled((uint8_t)code);
    }
    for (unsigned code = 0; code < INDEX_CODES; code++)
        BUG_ON((codes >> code & 1) != ((necessities >> index_code_necessity((uint8_t)code) & 1) &
                                          (types >> index_code_type((uint8_t)code) & 1) &
                                          (fixable >> index_code_fixable((uint8_t)code) & 1) &
                                          (ignored >> index_code_ignored((uint8_t)code) & 1) &
                                          (handled >> index_code_handled((uint8_t)code) & 1)));
}

static void check_text(struct slice text, size_t max_chars)
{
    BUG_ON(!utf8_is_line(text) || utf8_count(text) > max_chars);
}

static void check_texts(struct index_values values, size_t max_chars)
{
    BUG_ON(values.count > LIMIT_FILTER_VALUES);
    for (size_t i = 0; i < values.count; i++) {
        BUG_ON(values.at[i].len == 0);
        check_text(values.at[i], max_chars);
    }
}

static void check_scope(const struct affected_request *request)
{
    const struct index_scope *scope = &request->query.q.scope;

    BUG_ON(scope->type < -1 || scope->type >= IMAGE_TYPE_COUNT);
    BUG_ON(scope->types >> IMAGE_TYPE_COUNT);
    BUG_ON((scope->enterprise_projects == NULL) != (scope->enterprise_project_count == 0));
    BUG_ON(scope->enterprise_project_count > 1 &&
           scope->enterprise_projects != request->enterprise_projects.at);
    check_text(request->enterprise_project, LIMIT_ID_CHARS);
    check_text(scope->image_id, LIMIT_ID_CHARS);
    check_text(scope->name_part, LIMIT_ID_CHARS);
    check_text(scope->registry_name, LIMIT_ID_CHARS);
    check_text(scope->registry_type, LIMIT_ID_CHARS);
    check_text(scope->cluster_id, LIMIT_CLUSTER_ID_CHARS);
    check_texts(request->enterprise_projects, LIMIT_ID_CHARS);
    check_texts(scope->image_ids, LIMIT_ID_CHARS);
    check_texts(scope->registry_names, LIMIT_ID_CHARS);
    check_texts(scope->registry_types, LIMIT_ID_CHARS);
    check_texts(scope->cluster_ids, LIMIT_CLUSTER_ID_CHARS);
}

static void check_cursor(const struct index_query *q)
{
    const struct affected_cursor cursor = {
        q->sort, q->descending, q->after_image, q->after_vuln, q->after_value, q->after_name};
    struct buf text = BUF_INIT(SIZE_MAX);
    struct affected_cursor back;
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, "the cursor", SIZE_MAX);
    affected_cursor_write(&text, &cursor);
    BUG_ON(affected_cursor_read(buf_slice(&text), &arena, &back, &err) < 0);
    BUG_ON(back.sort != cursor.sort || back.descending != cursor.descending);
    BUG_ON(back.image != cursor.image || back.vuln != cursor.vuln || back.value != cursor.value);
    BUG_ON(!slice_eq(back.name, cursor.name));
    arena_release(&arena);
    buf_release(&text);
}

static void check_request(const struct affected_request *request)
{
    const struct index_query *q = &request->query.q;

    BUG_ON(q->limit < LIMIT_PAGE_MIN || q->limit > LIMIT_PAGE_MAX);
    BUG_ON(q->offset > LIMIT_OFFSET_MAX);
    BUG_ON(q->by_vuln || q->by_package);
    BUG_ON(!q->by_cursor && (q->after_image || q->after_vuln || q->after_value));
    BUG_ON(q->sort == INDEX_SORT_IMAGE && q->descending);
    BUG_ON(q->by_time ? q->first_seen_since_ms < 0 : q->first_seen_since_ms != 0);
    BUG_ON(request->query.facets != (request->include != 0) || request->include > 3);
    check_text(request->query.vul_id, LIMIT_ID_CHARS);
    check_text(request->query.package_name, LIMIT_NAME_CHARS);
    check_texts(request->query.vul_ids, LIMIT_ID_CHARS);
    check_scope(request);
    check_codes(q->codes);
    if (q->by_cursor)
        check_cursor(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct affected_request request, strict;
    struct query_params params;
    struct arena arena;
    struct err err = {0}, ignored = {0};

    arena_init(&arena, "the query", SIZE_MAX);
    if (query_parse((struct slice){(const char *)data, size}, &arena, &params, &err) == 0) {
        if (affected_parse(&params, false, &arena, &request, &err) == 0) {
            BUG_ON(err.code != ERR_NONE);
            check_request(&request);
        } else {
            BUG_ON(err.code != ERR_INVALID || !strstr(err.message, ": must be "));
            BUG_ON(affected_parse(&params, true, &arena, &strict, &ignored) == 0);
        }
    }
    arena_release(&arena);
    return 0;
}
