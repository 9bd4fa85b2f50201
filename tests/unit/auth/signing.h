/* SPDX-License-Identifier: Apache-2.0 */
/* A request that exists only in a test, and what the three steps of signature.h make of it. */
#ifndef CAREEN_TESTS_SIGNING_H
#define CAREEN_TESTS_SIGNING_H

#include "unit.h"

#include "auth/signature.h"

enum { FAKE_HEADERS_MAX = 24, FAKE_MEMORY_BYTES = 4 * 1024 * 1024 };

struct fake_header {
    struct slice name, value; /* the name in lower case */
};

struct fake_request {
    struct slice method, target, authorization;
    struct fake_header headers[FAKE_HEADERS_MAX]; /* ends with the first that has no name */
    const unsigned char *body_sha256;
};

static inline struct slice fake_header(void *ctx, struct slice name)
{
    const struct fake_request *fake = ctx;

    for (size_t i = 0; i < FAKE_HEADERS_MAX && fake->headers[i].name.len; i++)
        if (slice_eq(fake->headers[i].name, name))
            return fake->headers[i].value;
    return SLICE_NONE;
}

static inline struct signed_request fake_as_signed(struct fake_request *fake)
{
    return (struct signed_request){.method = fake->method,
        .target = fake->target,
        .header = fake_header,
        .ctx = fake,
        .body_sha256 = fake->body_sha256};
}

/* The vectors of Go's signer_test.go and derived_signer_test.go: one request, two signatures. */
#define SDK_MS 1136214245000 /* 20060102T150405Z */
#define SDK_SIGNATURE "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624"
#define V11_SIGNATURE "8fd3610508884bb19718317797c7378716a94bc740d97502e569322e366341cc"
#define SDK_HEADER \
    "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, Signature=" SDK_SIGNATURE
#define V11_HEADER                                                       \
    "V11-HMAC-SHA256 Credential=AccessKey/20060102/test-region-1/demo, " \
    "SignedHeaders=x-sdk-date, Signature=" V11_SIGNATURE

static inline struct fake_request sdk_request(struct slice authorization)
{
    return (struct fake_request){.method = SLICE("GET"),
        .target = SLICE("/path?limit=1"),
        .authorization = authorization,
        .headers = {{SLICE("x-sdk-date"), SLICE("20060102T150405Z")}}};
}

struct judgement {
    enum signature_verdict verdict;
    struct signature signature;
    struct signature_times times; /* EXPIRED */
    struct slice canonical;       /* WRONG */
    struct err why; /* what the verdict came with; ERR_NONE when it is about the key */
    struct arena arena;
};

static inline void judgement_release(struct judgement *j)
{
    arena_release(&j->arena);
}

static inline struct judgement judge(struct fake_request *fake, struct slice secret, int64_t now_ms)
{
    struct judgement j = {0};
    struct signed_request request = fake_as_signed(fake);

    arena_init(&j.arena, "the test", FAKE_MEMORY_BYTES);
    j.verdict = signature_parse(fake->authorization, &j.signature, &j.why);
    if (j.verdict == SIGNATURE_GOOD)
        j.verdict = signature_check_date(&j.signature, &request, now_ms, &j.times, &j.why);
    if (j.verdict == SIGNATURE_GOOD && signature_verify(&j.signature, &request, secret, &j.arena,
                                           &j.verdict, &j.canonical, &j.why) < 0)
        fail_msg("%s", j.why.message);
    return j;
}

static inline void assert_verdict(
    struct fake_request fake, struct slice secret, int64_t now_ms, enum signature_verdict expected)
{
    struct judgement j = judge(&fake, secret, now_ms);

    if (j.verdict != expected)
        fail_msg("verdict %d, not %d, on %.*s %.*s: %s", (int)j.verdict, (int)expected,
            SLICE_FMT(fake.target), SLICE_FMT(fake.authorization), j.why.message);
    judgement_release(&j);
}

#endif
