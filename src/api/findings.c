/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /careen/v1/{project_id}/findings: every row that the filters choose, in one answer.
 *
 * The answer is made in pieces on the event loop, page after page of the index behind a cursor. The
 * shared lock is held for one page at a time, so that writers wait no longer for an export than for
 * any other call; rows of images that stay as they are come once, whatever arrives meanwhile.
 */
#include "api/findings.h"

#include "api/affected_cursor.h"
#include "api/affected_params.h"
#include "api/call.h"
#include "api/findings_write.h"
#include "api/granted.h"
#include "base/clock.h"
#include "base/limits.h"

#include <stdlib.h>

struct findings_params {
    int format; /* enum findings_format */
};

static const struct field findings_fields[] = {
    {.name = "format",
        .help = "of the answer; jsonl if not given",
        .kind = VALUE_WORD,
        .offset = offsetof(struct findings_params, format),
        .words = &findings_format_words},
};
const struct fields findings_query = {FIELDS(findings_fields), false};

enum { PIECE_BYTES = 256 * 1024, PIECE_US = 1000 };

struct export
{
    struct service *service;
    uint32_t project;
    struct affected_request request;
    struct buf name; /* of the image behind which the next page begins, when sorted by that */
    struct findings_writer writer;
    struct buf *out;
    bool rows_done;
};

/* --- Pieces ----------------------------------------------------------------------------------- */

static int take_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct export *export = ctx;

    export->rows_done = !page->more;
    if (page->count && affected_go_on(&export->request.query.q, &page->rows[page->count - 1],
                           &export->name, err) < 0)
        return -1;
    return findings_write_page(&export->writer, page, export->out, err);
}

static int next(void *ctx, struct buf *piece, bool *ret_end, struct err *err)
{
    struct export *export = ctx;
    int64_t until_us = clock_monotonic_us() + PIECE_US;

    export->out = piece;
    while (!export->rows_done && piece->len < PIECE_BYTES && clock_monotonic_us() < until_us)
        if (fleet_affected(export->service->fleet, export->project, &export->request.query,
                take_page, export, err) < 0)
            return -1;
    if (export->rows_done && piece->len < PIECE_BYTES)
        *ret_end = findings_write_end(&export->writer, PIECE_BYTES, piece);
    return 0;
}

static void end(void *ctx)
{
    struct export *export = ctx;

    __atomic_sub_fetch(&export->service->exports, 1, __ATOMIC_RELAXED);
    findings_writer_release(&export->writer);
    buf_release(&export->name);
    free(export);
}

/* --- The call --------------------------------------------------------------------------------- */

/* NULL when too many are under way. */
static struct export *make(struct service *service, struct err *err)
{
    struct export *export = NULL;

    if (__atomic_add_fetch(&service->exports, 1, __ATOMIC_RELAXED) > LIMIT_EXPORTS)
        err_set(err, ERR_BUSY, "%d exports are under way already: try again later", LIMIT_EXPORTS);
    else if (!(export = calloc(1, sizeof(*export))))
        err_nomem(err);
    if (!export)
        __atomic_sub_fetch(&service->exports, 1, __ATOMIC_RELAXED);
    else
        *export = (struct export){.service = service, .name = BUF_INIT(LIMIT_HTTP_RESPONSE_BYTES)};
    return export;
}

/* The filters alone: what chooses a page is passed over, as what is not known is. */
static int parse(struct call *call, int *ret_format, struct affected_request *ret, struct err *err)
{
    struct findings_params own = {.format = FINDINGS_JSONL};
    struct query_params params;
    size_t kept = 0;

    if (call_query(call, &params, err) < 0 ||
        fields_from_query(&findings_query, &params, false, &own, err) < 0)
        return -1;
    for (size_t i = 0; i < params.count; i++)
        if (!affected_chooses_page(params.at[i].name))
            params.at[kept++] = params.at[i];
    params.count = kept;
    *ret_format = own.format;
    return affected_parse(&params, false, &call->request->arena, ret, err);
}

/* All that may be refused, and the first piece, so that what is wrong is told by a status. */
static int begin(struct call *call, struct export *export, bool *ret_end, struct err *err)
{
    struct buf *body = &call->response->body;
    int format;

    if (parse(call, &format, &export->request, err) < 0 ||
        granted_scope(call, &export->request, err) < 0 ||
        findings_writer_init(&export->writer, (enum findings_format)format, err) < 0)
        return -1;
    export->project = call->project;
    export->request.query.q.limit = LIMIT_PAGE_MAX;
    findings_write_begin(&export->writer, body);
    if (next(export, body, ret_end, err) < 0)
        return -1;
    return buf_check(body, "the answer", err);
}

void handle_export_findings(struct call *call)
{
    struct err err = {0};
    struct export *export = make(call->service, &err);
    bool ended = false;

    if (!export || begin(call, export, &ended, &err) < 0) {
        if (export)
            end(export);
        call_fail(call, &err);
        return;
    }
    call->response->content_type = findings_media_type(export->writer.format);
    if (ended)
        end(export); /* an answer like any other */
    else
        call->response->producer = (struct http_producer){next, end, export};
    call_finish(call);
}
