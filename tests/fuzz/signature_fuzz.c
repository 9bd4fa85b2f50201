// room: auth
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that claims to be signed. Input: the Authorization header, the target, then one header
 * a line. What is read of the header stays within its ceilings; nobody guesses a signature; path
 * and query made canonical are canonical.
 */
#include "auth/canonical.h"
#include "base/buf.h"
#include "base/bug.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "codec/query_string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_MS = 0, HEADERS_MAX = 100 };

struct input {
    struct slice names[HEADERS_MAX], values[HEADERS_MAX];
    size_t count;
};

static struct slice header(void *ctx, struct slice name)
{
    const struct input *in = ctx;

    BUG_ON(name.len > LIMIT_SIGNED_NAME_CHARS);
    for (size_t i = 0; i < in->count; i++)
        if (slice_eq(in->names[i], name))
            return in->values[i];
    return SLICE_NONE;
}

static void check_parsed(const struct signature *s)
{
    bool derived = s->algorithm == SIGNATURE_V11_HMAC_SHA256;

    BUG_ON(!s->access_key.len || s->access_key.len > LIMIT_ACCESS_KEY_CHARS);
    BUG_ON(slice_find_char(s->access_key, '/') != s->access_key.len);
    BUG_ON(!utf8_is_line(s->access_key));
    BUG_ON(s->scope.len > LIMIT_SIGNATURE_SCOPE_CHARS || !derived != !s->scope.len);
    BUG_ON(s->text.len != 64 || s->date.len);
    BUG_ON(!slice_contains(s->signed_headers, SLICE("-")));
}

/* The second and third line as a target: canonical already. */
static void check_again(const struct signature *signature, struct signed_request request,
    struct slice canonical, struct arena *arena)
{
    struct buf target = BUF_INIT(SIZE_MAX);
    struct slice rest = canonical, method = slice_pull_until(&rest, '\n'), again;
    struct err err;

    BUG_ON(!slice_eq(method, request.method));
    buf_put_slice(&target, slice_pull_until(&rest, '\n'));
    buf_put_char(&target, '?');
    buf_put_slice(&target, slice_pull_until(&rest, '\n'));
    request.target = buf_slice(&target);
    BUG_ON(canonical_request(signature, &request, CANONICAL_SIGNED, arena, &again, &err) != 0);
    BUG_ON(!slice_eq(canonical, again));
    buf_release(&target);
}

static void check_canonical(
    const struct signature *signature, const struct signed_request *request, struct arena *arena)
{
    enum signature_verdict verdict;
    struct slice canonical, shown;
    struct err err;

    if (canonical_request(signature, request, CANONICAL_SIGNED, arena, &canonical, &err) < 0) {
        BUG_ON(err.code != ERR_LIMIT);
        return;
    }
    check_again(signature, *request, canonical, arena);
    if (!signature->date.len)
        return;
    BUG_ON(signature_verify(
               signature, request, SLICE("no fuzzer knows"), arena, &verdict, &shown, &err) != 0);
    BUG_ON(verdict != SIGNATURE_WRONG);
    BUG_ON(slice_find_char(shown, '\n') != shown.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice authorization = slice_pull_until(&rest, '\n');
    struct input in = {.count = 0};
    struct signed_request request = {.method = SLICE("GET"), .header = header, .ctx = &in};
    struct signature_times times;
    struct signature signature;
    struct arena arena;
    struct err why = {0};
    enum signature_verdict verdict;

    request.target = slice_pull_until(&rest, '\n');
    for (; rest.len && in.count < HEADERS_MAX; in.count++) {
        in.values[in.count] = slice_pull_until(&rest, '\n');
        in.names[in.count] = slice_pull_until(&in.values[in.count], ':');
    }
    verdict = signature_parse(authorization, &signature, &why);
    BUG_ON((verdict == SIGNATURE_GOOD) != (why.code == ERR_NONE));
    BUG_ON(!utf8_is_line(slice_of(why.message)));
    if (verdict != SIGNATURE_GOOD)
        signature = (struct signature){.signed_headers = SLICE("x-sdk-date;host")};
    else
        check_parsed(&signature);
    arena_init(&arena, "the request", SIZE_MAX);
    signature_check_date(&signature, &request, NOW_MS, &times, &why);
    check_canonical(&signature, &request, &arena);
    arena_release(&arena);
    return 0;
}
