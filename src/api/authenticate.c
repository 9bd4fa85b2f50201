/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See authenticate.h. An Authorization header whose algorithm is known goes before a token, and
 * X-Auth-Token before a bearer token.
 *
 * A signature covers the body's hash. Where the client states it (X-Sdk-Content-Sha256), the
 * signature is checked before any of the body is read, and the body against the hash behind it.
 * Else the whole check waits for the body, and so does everything that would tell a stranger
 * something.
 */
#include "api/authenticate.h"

#include "api/routes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdarg.h>

/* Of the canonical request that a 401 shows. */
enum { CANONICAL_SHOWN_BYTES = 8 << 10 };

static const char wrong_signature[] = "verify aksk signature fail";
static const struct refusal admitted;

static struct refusal internal(struct call *call, const struct err *err)
{
    call_log(call, LOG_ERROR, err->message);
    return (struct refusal){failure_of(err->code == ERR_LIMIT ? ERR_NOMEM : err->code), ""};
}

/* A 401 with this detail. */
static struct refusal unauthenticated(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct refusal unauthenticated(struct call *call, const char *format, ...)
{
    struct slice detail;
    struct err err;
    char *text;
    va_list args;
    int len, failed = -1;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len >= 0) {
        failed = arena_dup(&call->request->arena, slice_of(text), &detail, &err);
        free(text);
    }
    return (struct refusal){&failure_unauthenticated, failed ? "" : detail.ptr};
}

/* The client is told only that the signature is wrong; the log, at level debug, why. */
static struct refusal bad_signature(struct call *call, const struct err *why)
{
    call_log(call, LOG_DEBUG, why->message);
    return (struct refusal){&failure_unauthenticated, wrong_signature};
}

/* --- Signatures ------------------------------------------------------------------------------- */

static struct slice request_header(void *ctx, struct slice lower_case_name)
{
    const struct call *call = ctx;
    char name[LIMIT_SIGNED_NAME_CHARS + 1];

    if (!slice_to_cstr(lower_case_name, name, sizeof(name)))
        return SLICE_NONE;
    return http_header(call->request, name);
}

static struct signed_request signed_request(struct call *call, const unsigned char *body_sha256)
{
    return (struct signed_request){.method = slice_of(call->request->method),
        .target = call->request->target,
        .header = request_header,
        .ctx = call,
        .body_sha256 = body_sha256};
}

static bool has_body(const struct call *call)
{
    struct slice length = http_header(call->request, "Content-Length");

    return http_header(call->request, "Transfer-Encoding").len ||
           (length.len && !slice_is(length, "0"));
}

static struct refusal wrong_key(struct call *call, struct slice ak, struct slice canonical)
{
    char network[THROTTLE_NETWORK_BYTES];

    lockout_failed(call->service->lockout, ak, throttle_network(call->request->client, network),
        clock_monotonic_us() / 1000);
    return unauthenticated(call, "%s, canonicalRequest:%.*s%s", wrong_signature,
        SLICE_FMT(slice_sub(canonical, 0, CANONICAL_SHOWN_BYTES)),
        canonical.len > CANONICAL_SHOWN_BYTES ? "..." : "");
}

/* The verdict on a signature over a body with this hash (NULL: none). */
static struct refusal judge(struct call *call, const struct signature *signature,
    const struct secret_key *sk, const unsigned char *body_sha256)
{
    const struct signed_request request = signed_request(call, body_sha256);
    enum signature_verdict verdict = SIGNATURE_WRONG;
    struct slice canonical = SLICE_NONE;
    char network[THROTTLE_NETWORK_BYTES];
    struct err err = {0};

    if (signature_verify(signature, &request, (struct slice){sk->text, sk->len},
            &call->request->arena, &verdict, &canonical, &err) < 0)
        return err.code == ERR_LIMIT ? bad_signature(call, &err) : internal(call, &err);
    if (verdict == SIGNATURE_WRONG)
        return wrong_key(call, signature->access_key, canonical);
    lockout_succeeded(call->service->lockout, signature->access_key,
        throttle_network(call->request->client, network));
    if (verdict == SIGNATURE_GOOD)
        return admitted;
    err_set(&err, ERR_INVALID, "the body is not the one of X-Sdk-Content-Sha256");
    return bad_signature(call, &err);
}

/* What can be checked before the body is there. */
static struct refusal judge_headers(
    struct call *call, const struct signature *signature, const struct secret_key *sk)
{
    struct slice stated = slice_trim(http_header(call->request, "X-Sdk-Content-Sha256"));
    unsigned char hash[SHA256_BYTES];

    if (!has_body(call))
        return judge(call, signature, sk, NULL);
    if (hex_decode(stated, hash, sizeof(hash))) {
        call->proof = PROOF_BODY;
        return judge(call, signature, sk, hash);
    }
    if (stated.len)
        return judge(call, signature, sk, NULL); /* UNSIGNED-PAYLOAD, or nonsense */
    call->proof = PROOF_SIGNATURE;
    call->signature = *signature;
    return admitted;
}

/* Looks the key up; `with` gets its secret, which is wiped behind it. */
static struct refusal with_key(struct call *call, const struct signature *signature,
    struct refusal (*with)(struct call *, const struct signature *, const struct secret_key *))
{
    struct secret_key sk = {0};
    struct refusal refusal;
    struct err err = {0};
    char network[THROTTLE_NETWORK_BYTES];
    bool known = false;

    if (principals_by_key(call->service->principals, signature->access_key, &call->request->arena,
            &known, &call->principal, &sk, &err) < 0)
        return internal(call, &err);
    if (!known)
        return unauthenticated(call, "Get secretKey failed,ak:%.*s,err:ak not exist",
            SLICE_FMT(signature->access_key));
    if (lockout_is_locked(call->service->lockout, signature->access_key,
            throttle_network(call->request->client, network), clock_monotonic_us() / 1000))
        refusal = unauthenticated(call, "AK access failed to reach the limit,forbidden.");
    else
        refusal = with(call, signature, &sk);
    explicit_bzero(&sk, sizeof(sk));
    return refusal;
}

static struct refusal by_signature(struct call *call, struct signature *signature)
{
    const struct signed_request request = signed_request(call, NULL);
    struct signature_times times;
    struct err why = {0};

    if (http_header(call->request, "X-Security-Token").len)
        return unauthenticated(call,
            "%s, temporary access keys (X-Security-Token) are not supported", wrong_signature);
    switch (signature_check_date(signature, &request, clock_now_ms(), &times, &why)) {
    case SIGNATURE_GOOD:
        return with_key(call, signature, judge_headers);
    case SIGNATURE_EXPIRED:
        return unauthenticated(call,
            "calc aksk signature fail:signature expired, signature time:%s,server time:%s",
            times.signed_at, times.server);
    case SIGNATURE_UNSUPPORTED:
    case SIGNATURE_MALFORMED:
    case SIGNATURE_WRONG:
    case SIGNATURE_WRONG_BODY:
    default:
        return bad_signature(call, &why);
    }
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static struct refusal by_token(struct call *call, struct slice token)
{
    enum token_verdict verdict = TOKEN_UNKNOWN;
    char when[CLOCK_TEXT_BYTES];
    struct err err = {0};

    if (principals_by_token(call->service->principals, token, clock_now_ms(), &call->request->arena,
            &verdict, &call->principal, &err) < 0)
        return internal(call, &err);
    switch (verdict) {
    case TOKEN_GOOD:
        return admitted;
    case TOKEN_EXPIRED:
        return unauthenticated(
            call, "token expires, expires_at: %s", clock_format(call->principal.expires_ms, when));
    case TOKEN_UNKNOWN:
    case TOKEN_REVOKED:
    default:
        return (struct refusal){&failure_unauthenticated, "decrypt token fail"};
    }
}

/* "Bearer TOKEN" (RFC 6750, section 2.1): the token; else empty. */
static struct slice bearer_token(struct slice authorization)
{
    static const char scheme[] = "bearer ";

    if (authorization.len < sizeof(scheme) ||
        strncasecmp(authorization.ptr, scheme, sizeof(scheme) - 1) != 0)
        return SLICE_NONE;
    return slice_trim(slice_skip(authorization, sizeof(scheme) - 1));
}

/* --- All together ----------------------------------------------------------------------------- */

static bool is_open(const struct call *call)
{
    return call->route->access == ACCESS_OPEN ||
           (call->route->handle == handle_metrics && service_options(call->service)->metrics_open);
}

struct refusal authenticate(struct call *call)
{
    struct slice authorization = http_header(call->request, "Authorization");
    struct slice token = http_header(call->request, "X-Auth-Token");
    enum signature_verdict verdict = SIGNATURE_UNSUPPORTED;
    struct signature signature;
    struct err why = {0};

    if (is_open(call))
        return admitted;
    if (!token.len)
        token = bearer_token(authorization);
    if (authorization.len) {
        verdict = signature_parse(authorization, &signature, &why);
        call->credential = CREDENTIAL_SIGNATURE;
    }
    if (verdict == SIGNATURE_GOOD)
        return by_signature(call, &signature);
    if (verdict == SIGNATURE_UNSUPPORTED && token.len) {
        call->credential = CREDENTIAL_TOKEN;
        return by_token(call, token);
    }
    if (authorization.len)
        return bad_signature(call, &why);
    return (struct refusal){&failure_unauthenticated, "x-auth-token not found"};
}

static struct refusal judge_body(
    struct call *call, const struct signature *signature, const struct secret_key *sk)
{
    return judge(call, signature, sk, call->request->body_sha256);
}

struct refusal authenticate_body(struct call *call)
{
    unsigned char stated[SHA256_BYTES];
    struct err why = {0};

    switch (call->proof) {
    case PROOF_SIGNATURE:
        return with_key(call, &call->signature, judge_body);
    case PROOF_BODY:
        if (hex_decode(slice_trim(http_header(call->request, "X-Sdk-Content-Sha256")), stated,
                sizeof(stated)) &&
            memcmp(stated, call->request->body_sha256, sizeof(stated)) == 0)
            return admitted;
        err_set(&why, ERR_INVALID, "the body is not the one of X-Sdk-Content-Sha256");
        return bad_signature(call, &why);
    case PROOF_COMPLETE:
    default:
        return admitted;
    }
}

struct refusal authorize(struct call *call)
{
    struct slice stated = http_header(call->request, "X-Project-Id");
    struct principals *principals = call->service->principals;
    const struct refusal denied = {&failure_wrong_project, ""};
    struct known_project project;
    struct err err = {0};

    call->request->user_name = call->principal.name;
    if (call->bad_path.failure)
        return call->bad_path;
    if (call->route->access != ACCESS_ROLE)
        return admitted;
    if ((stated.len && !slice_eq(stated, call->project_id)) ||
        !principals_find_project(principals, call->project_id, &project))
        return denied;
    if (principals_access(principals, &call->principal, project.number, call->route->role,
            &call->request->arena, &call->access, &err) < 0)
        return internal(call, &err);
    if (!call->access.any)
        return denied;
    call->project = project.number;
    return project.revoked ? (struct refusal){&failure_revoked_project, ""} : admitted;
}
