// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a query. What is read must be fit for a name, and encoded and read again it must be
 * the same.
 */
#include "base/bug.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "codec/query_string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct buf *out, const struct query_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        BUG_ON(!utf8_is_line(params->at[i].name) || !utf8_is_line(params->at[i].value));
        if (i)
            buf_put_char(out, '&');
        percent_encode(out, params->at[i].name);
        buf_put_char(out, '=');
        percent_encode(out, params->at[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf encoded = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);
    struct query_params params, back;
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, "the query", SIZE_MAX);
    if (query_parse((struct slice){(const char *)data, size}, &arena, &params, &err) == 0) {
        BUG_ON(err.code != ERR_NONE || params.count > QUERY_PARAMS_MAX);
        encode(&encoded, &params);
        BUG_ON(query_parse(buf_slice(&encoded), &arena, &back, &err) != 0);
        BUG_ON(back.count != params.count);
        encode(&again, &back);
        BUG_ON(!slice_eq(buf_slice(&encoded), buf_slice(&again)));
        for (size_t i = 0; i < params.count; i++)
            BUG_ON(!slice_eq(params.at[i].name, back.at[i].name) ||
                   !slice_eq(params.at[i].value, back.at[i].value));
    } else {
        BUG_ON(err.code != ERR_INVALID && err.code != ERR_LIMIT);
        BUG_ON(!utf8_is_line(slice_of(err.message)));
    }
    buf_release(&encoded);
    buf_release(&again);
    arena_release(&arena);
    return 0;
}
