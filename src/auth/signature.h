/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request signatures with an access key (AK) and its secret (SK), as the SDKs of the API make them:
 * SDK-HMAC-SHA256, and V11-HMAC-SHA256 with a derived key (contract, sections 2.1 to 2.4).
 *
 * Pure: no HTTP library, no store, no clock. The caller goes
 *
 *     signature_parse()       the Authorization header -> which AK, over which headers
 *     signature_check_date()  fresh enough? Needs no SK and no body: stale requests end here
 *     (looks up the AK's SK, and waits for the body's hash where there is a body)
 *     signature_verify()      -> the verdict, and for the client the canonical request as seen here
 *
 * Slices of struct signature point into the headers of the request.
 */
#ifndef CAREEN_AUTH_SIGNATURE_H
#define CAREEN_AUTH_SIGNATURE_H

#include "base/arena.h"
#include "base/clock.h"

enum signature_algorithm { SIGNATURE_SDK_HMAC_SHA256, SIGNATURE_V11_HMAC_SHA256 };

enum signature_verdict {
    SIGNATURE_GOOD,
    SIGNATURE_UNSUPPORTED, /* another algorithm, of the SDKs' (SM3, ECDSA, SM2) or anybody's */
    SIGNATURE_MALFORMED,   /* the header, or x-sdk-date, is not as it must be */
    SIGNATURE_EXPIRED,     /* x-sdk-date is more than SIGNATURE_SKEW_MS away */
    SIGNATURE_WRONG,       /* the key's owner did not sign this request */
    SIGNATURE_WRONG_BODY,  /* signed, but the body is not the one of X-Sdk-Content-Sha256 */
};

/* How far x-sdk-date may be from the server's time, either way (contract, section 2.4). */
enum { SIGNATURE_SKEW_MS = 15 * 60 * 1000 };

struct signature {
    enum signature_algorithm algorithm;
    struct slice access_key;
    struct slice scope;          /* V11: "YYYYMMDD/<region>/<service>"; else empty */
    struct slice signed_headers; /* names joined by ';', as sent; x-sdk-date is among them */
    struct slice text;           /* the signature itself: 64 lower-case hex digits */
    struct slice date;           /* x-sdk-date, once it was found good; empty before */
};

/* What was signed. */
struct signed_request {
    struct slice method; /* as sent */
    struct slice target; /* the raw request target in origin-form, leading slashes as sent */
    /* The value of a header, or an empty slice; must know Host too. It must be the value that the
     * application goes by: where a header was sent twice, only that one is covered. */
    struct slice (*header)(void *ctx, struct slice lower_case_name);
    void *ctx;
    const unsigned char *body_sha256; /* 32 bytes; NULL: the body is empty */
};

/* Both times as x-sdk-date writes them, for the message. */
struct signature_times {
    char signed_at[CLOCK_TEXT_BYTES], server[CLOCK_TEXT_BYTES];
};

/* Takes an Authorization header apart. Its parameters may come in any order, with blanks around the
 * commas; each exactly once, and no others. SignedHeaders names no header twice, and Authorization
 * not at all. GOOD with *ret; UNSUPPORTED or MALFORMED with the reason in *why, which shows nothing
 * of the signature. Ceilings: LIMIT_SIGNATURE_*, LIMIT_SIGNED_*, LIMIT_ACCESS_KEY_CHARS. */
enum signature_verdict signature_parse(
    struct slice authorization, struct signature *ret, struct err *why);

/* GOOD, MALFORMED, or EXPIRED with *ret; the reason in *why. */
enum signature_verdict signature_check_date(struct signature *signature,
    const struct signed_request *request, int64_t now_ms, struct signature_times *ret,
    struct err *why);

/* GOOD, WRONG or WRONG_BODY in *ret. On WRONG *ret_canonical is the canonical request, its lines
 * joined by '|', in the arena: for the message. It never holds the signature, and "***" in place of
 * tokens and cookies. Takes the same time wherever the signatures differ. Does not look at the
 * date. -1 with *err: ERR_NOMEM, or ERR_LIMIT above QUERY_PARAMS_MAX query parameters. */
int signature_verify(const struct signature *signature, const struct signed_request *request,
    struct slice secret_key, struct arena *arena, enum signature_verdict *ret,
    struct slice *ret_canonical, struct err *err);

#endif
