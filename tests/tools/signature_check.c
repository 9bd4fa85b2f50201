// room: auth
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads signed requests from standard input, one JSON object a line:
 *
 *     {"authorization": ..., "method": ..., "target": ..., "headers": {...}, "secret_key": ...,
 *      "now_ms": ..., "body": ...}
 *
 * and answers each with a line: the verdict, a blank, and why (on "wrong", the canonical request).
 * With an argument N each is verified N times, and the mean time goes to standard error.
 */
#include "auth/signature.h"
#include "base/cleanup.h"
#include "codec/hash.h"
#include "codec/json_reader.h"

#include <strings.h>

enum { HEADERS_MAX = 64, MEMORY_BYTES = 16 * 1024 * 1024 };

struct document {
    struct slice authorization, secret_key, body;
    struct slice names[HEADERS_MAX], values[HEADERS_MAX];
    size_t header_count;
    int64_t now_ms;
    struct signed_request request;
};

static struct slice header(void *ctx, struct slice name)
{
    const struct document *doc = ctx;

    for (size_t i = 0; i < doc->header_count; i++)
        if (doc->names[i].len == name.len &&
            strncasecmp(doc->names[i].ptr, name.ptr, name.len) == 0)
            return doc->values[i];
    return SLICE_NONE;
}

static void read_headers(struct json_reader *r, struct arena *arena, struct document *doc)
{
    struct slice key;
    struct err err;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (doc->header_count == HEADERS_MAX)
            json_fail(r, ERR_LIMIT, "too many headers");
        else if (arena_dup(arena, key, &doc->names[doc->header_count], &err) < 0)
            json_fail_with(r, &err);
        else
            json_read_string(r, arena, &doc->values[doc->header_count++]);
    }
}

static int read_document(
    struct slice line, struct arena *arena, struct document *doc, struct err *err)
{
    struct stream *in CLEANUP(stream_cleanup) = stream_open_memory(line, err);
    struct json_reader *r CLEANUP(json_reader_cleanup) = in ? json_reader_new(in, err) : NULL;
    struct slice key;

    if (!r)
        return -1;
    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "headers"))
            read_headers(r, arena, doc);
        else if (slice_is(key, "now_ms"))
            json_read_i64(r, &doc->now_ms);
        else
            json_read_string(r, arena,
                slice_is(key, "authorization") ? &doc->authorization
                : slice_is(key, "secret_key")  ? &doc->secret_key
                : slice_is(key, "body")        ? &doc->body
                : slice_is(key, "method")      ? &doc->request.method
                                               : &doc->request.target);
    }
    return json_reader_finish(r, err);
}

/* 0 with the verdict and what to say of it, or -1. */
static int check(const struct document *doc, struct arena *arena, enum signature_verdict *verdict,
    struct slice *ret_why, struct err *err)
{
    struct signature_times times;
    struct signature signature;
    struct err why = {0};

    *verdict = signature_parse(doc->authorization, &signature, &why);
    if (*verdict == SIGNATURE_GOOD)
        *verdict = signature_check_date(&signature, &doc->request, doc->now_ms, &times, &why);
    if (*verdict != SIGNATURE_GOOD)
        return arena_dup(arena, slice_of(why.message), ret_why, err);
    return signature_verify(
        &signature, &doc->request, doc->secret_key, arena, verdict, ret_why, err);
}

static int answer(struct slice line, uint64_t times, int64_t *ret_us, struct err *err)
{
    static const char *const names[] = {
        "good", "unsupported", "malformed", "expired", "wrong", "wrong-body"};
    struct document doc = {.request.header = header};
    unsigned char body_hash[SHA256_BYTES];
    enum signature_verdict verdict = SIGNATURE_GOOD;
    struct slice why = SLICE_NONE;
    struct arena arena, work;
    int64_t start;
    int status;

    arena_init(&arena, "a request", MEMORY_BYTES);
    arena_init(&work, "a request", MEMORY_BYTES);
    doc.request.ctx = &doc;
    status = read_document(line, &arena, &doc, err);
    if (doc.body.len) {
        sha256(doc.body, body_hash);
        doc.request.body_sha256 = body_hash;
    }
    start = clock_monotonic_us();
    for (uint64_t i = 0; i < times && status == 0; i++) {
        arena_reset(&work);
        status = check(&doc, &work, &verdict, &why, err);
    }
    *ret_us += clock_monotonic_us() - start;
    if (status == 0)
        printf("%s %.*s\n", names[verdict], SLICE_FMT(why));
    arena_release(&arena);
    arena_release(&work);
    return status;
}

int main(int argc, char **argv)
{
    uint64_t times = 1, lines = 0;
    int64_t spent_us = 0;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    struct err err;
    int status = 0;

    if (argc > 1 && !slice_to_u64(slice_of(argv[1]), &times))
        return 2;
    while (status == 0 && (len = getline(&line, &cap, stdin)) > 0) {
        status = answer((struct slice){line, (size_t)len}, times, &spent_us, &err);
        lines++;
    }
    if (status < 0)
        fprintf(stderr, "signature_check: line %zu: %s\n", (size_t)lines, err.message);
    else if (times > 1 && lines)
        fprintf(
            stderr, "%.2f microseconds each\n", (double)spent_us / ((double)lines * (double)times));
    free(line);
    return status < 0;
}
