/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries as clients of the contract write them. The HTTP library's own splitting is not used: it
 * turns '+' into a blank and cuts values at %00, and both would make two requests look alike that a
 * signature tells apart.
 */
#include "codec/query_string.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "codec/hash.h"

enum { SHOWN_NAME_BYTES = 64 };

static int check_text(struct slice text, struct err *err)
{
    if (!utf8_is_valid(text))
        return err_set(err, ERR_INVALID, "the percent-decoded bytes are not UTF-8");
    if (!utf8_is_line(text))
        return err_set(err, ERR_INVALID, "control characters and line breaks are not allowed");
    return 0;
}

int percent_decode(struct slice s, struct arena *arena, struct slice *ret, struct err *err)
{
    struct slice decoded;
    unsigned char *to;

    to = arena_alloc(arena, s.len + 1, err);
    if (!to)
        return -1;
    decoded = (struct slice){(const char *)to, 0};
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '%') {
            to[decoded.len++] = (unsigned char)s.ptr[i];
            continue;
        }
        if (!hex_decode(slice_sub(s, i + 1, 2), to + decoded.len, 1))
            return err_set(err, ERR_INVALID,
                "a '%%' is not followed by two hex digits; write %%25 for a percent sign");
        decoded.len++;
        i += 2;
    }
    if (check_text(decoded, err) < 0)
        return -1;
    *ret = decoded;
    return 0;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct slice s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte = (unsigned char)s.ptr[i];
        char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};

        if (is_unreserved(s.ptr[i]))
            buf_put_char(out, s.ptr[i]);
        else
            buf_put(out, escape, sizeof(escape));
    }
}

static size_t count_pieces(struct slice query)
{
    size_t count = 0;

    while (query.len)
        count += slice_pull_until(&query, '&').len != 0;
    return count;
}

/* The front of a valid text, cut between characters. */
static struct slice shorten(struct slice text)
{
    size_t len = text.len < SHOWN_NAME_BYTES ? text.len : SHOWN_NAME_BYTES;

    while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return slice_sub(text, 0, len);
}

static int decode_param(struct slice piece, size_t number, struct arena *arena,
    struct query_param *ret, struct err *err)
{
    struct slice name = slice_pull_until(&piece, '=');

    if (percent_decode(name, arena, &ret->name, err) < 0)
        return err_prefix(err, "the name of query parameter %zu", number);
    if (percent_decode(piece, arena, &ret->value, err) < 0)
        return err_prefix(err, "query parameter %.*s", SLICE_FMT(shorten(ret->name)));
    return 0;
}

int query_parse(struct slice query, struct arena *arena, struct query_params *ret, struct err *err)
{
    size_t count = count_pieces(query);
    struct query_params params = {0};

    if (count > QUERY_PARAMS_MAX)
        return err_set(err, ERR_LIMIT, "the query has %zu parameters, above the limit of %d", count,
            QUERY_PARAMS_MAX);
    params.at = arena_alloc_array(arena, count, sizeof(*params.at), err);
    if (!params.at)
        return -1;
    while (query.len) {
        struct slice piece = slice_pull_until(&query, '&');

        if (piece.len == 0)
            continue;
        if (decode_param(piece, params.count + 1, arena, &params.at[params.count], err) < 0)
            return -1;
        params.count++;
    }
    *ret = params;
    return 0;
}
