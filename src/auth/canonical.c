/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Six parts, one after the other. Path and query are decoded and encoded again, so that it does not
 * matter which characters a client escaped; segments of the path one by one, so that "%2F" and "/"
 * stay two things. What the decoded bytes are is not judged here, and a '%' that escapes nothing
 * stands for itself: a signer may sign any value, and that such a value is refused is for the
 * parameters' own checks to say, in words that help.
 */
#include "auth/canonical.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "codec/hash.h"
#include "codec/query_string.h"

/* Where the parts of one canonical request go. */
struct canonical {
    const struct signature *signature;
    const struct signed_request *request;
    enum canonical_form form;
    char newline;
    struct buf out;
};

/* Headers whose values are secrets: they are never shown. */
static const char *const secret_headers[] = {
    "x-auth-token", "x-security-token", "x-subject-token", "cookie", "proxy-authorization"};

/* Into dst, which has room for s.len bytes. */
static struct slice decode(struct slice s, char *dst)
{
    size_t len = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte;

        if (s.ptr[i] == '%' && hex_decode(slice_sub(s, i + 1, 2), &byte, 1)) {
            dst[len++] = (char)byte;
            i += 2;
        } else {
            dst[len++] = s.ptr[i];
        }
    }
    return (struct slice){dst, len};
}

/* `decoded` has room for the whole path. */
static void put_path(struct canonical *c, struct slice path, char *decoded)
{
    bool ends_in_slash = slice_ends_with(path, "/");

    while (path.len) {
        size_t len = slice_find_char(path, '/');

        percent_encode(&c->out, decode(slice_sub(path, 0, len), decoded));
        if (len < path.len)
            buf_put_char(&c->out, '/');
        path = slice_skip(path, len + 1);
    }
    if (!ends_in_slash)
        buf_put_char(&c->out, '/');
}

static int by_name_then_value(const void *a, const void *b)
{
    const struct query_param *x = a, *y = b;
    int order = slice_cmp(x->name, y->name);

    return order ? order : slice_cmp(x->value, y->value);
}

static int put_query(
    struct canonical *c, struct slice query, char *decoded, struct arena *arena, struct err *err)
{
    size_t count = 0, cap = 0;
    struct query_param *params = NULL;

    while (query.len) {
        struct slice value = slice_pull_until(&query, '&'), name;

        if (!value.len)
            continue;
        if (count == QUERY_PARAMS_MAX)
            return err_set(err, ERR_LIMIT, "the query has more parameters than the limit of %d",
                QUERY_PARAMS_MAX);
        params = arena_grow(arena, params, count, &cap, sizeof(*params), err);
        if (!params)
            return -1;
        name = slice_pull_until(&value, '=');
        params[count].name = decode(name, decoded);
        decoded += name.len;
        params[count++].value = decode(value, decoded);
        decoded += value.len;
    }
    if (count)
        qsort(params, count, sizeof(*params), by_name_then_value);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(&c->out, '&');
        percent_encode(&c->out, params[i].name);
        buf_put_char(&c->out, '=');
        percent_encode(&c->out, params[i].value);
    }
    return 0;
}

static bool is_secret(struct slice name)
{
    for (size_t i = 0; i < sizeof(secret_headers) / sizeof(*secret_headers); i++)
        if (slice_is(name, secret_headers[i]))
            return true;
    return false;
}

static void put_headers(struct canonical *c)
{
    struct slice names = c->signature->signed_headers;

    while (names.len) {
        struct slice name = slice_pull_until(&names, ';'), value;
        char lower[LIMIT_SIGNED_NAME_CHARS];

        for (size_t i = 0; i < name.len; i++) {
            bool upper = name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';

            lower[i] = (char)(upper ? name.ptr[i] - 'A' + 'a' : name.ptr[i]);
        }
        name.ptr = lower;
        value = slice_trim(c->request->header(c->request->ctx, name));
        if (c->form == CANONICAL_SHOWN && is_secret(name))
            value = SLICE("***");
        buf_put_slice(&c->out, name);
        buf_put_char(&c->out, ':');
        buf_put_slice(&c->out, value);
        buf_put_char(&c->out, c->newline);
    }
}

static void put_payload_hash(struct canonical *c)
{
    struct slice given =
        slice_trim(c->request->header(c->request->ctx, SLICE("x-sdk-content-sha256")));
    unsigned char empty[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    if (given.len) {
        buf_put_slice(&c->out, given);
        return;
    }
    if (!c->request->body_sha256)
        sha256(SLICE_NONE, empty);
    hex_encode(c->request->body_sha256 ? c->request->body_sha256 : empty, SHA256_BYTES, hex);
    buf_put_cstr(&c->out, hex);
}

static int put_all(struct canonical *c, struct arena *arena, struct err *err)
{
    struct slice query = c->request->target, path = slice_pull_until(&query, '?');
    char *decoded = arena_alloc(arena, c->request->target.len + 1, err);

    if (!decoded)
        return -1;
    buf_put_slice(&c->out, c->request->method);
    buf_put_char(&c->out, c->newline);
    put_path(c, path, decoded);
    buf_put_char(&c->out, c->newline);
    if (put_query(c, query, decoded, arena, err) < 0)
        return -1;
    buf_put_char(&c->out, c->newline);
    put_headers(c);
    buf_put_char(&c->out, c->newline);
    buf_put_slice(&c->out, c->signature->signed_headers);
    buf_put_char(&c->out, c->newline);
    put_payload_hash(c);
    return buf_check(&c->out, "the canonical request", err);
}

int canonical_request(const struct signature *signature, const struct signed_request *request,
    enum canonical_form form, struct arena *arena, struct slice *ret, struct err *err)
{
    struct canonical c = {.signature = signature,
        .request = request,
        .form = form,
        .newline = form == CANONICAL_SHOWN ? '|' : '\n',
        .out = BUF_INIT(LIMIT_CANONICAL_REQUEST_BYTES)};
    int status = put_all(&c, arena, err);

    if (status == 0)
        status = arena_dup(arena, buf_slice(&c.out), ret, err);
    buf_release(&c.out);
    return status;
}
