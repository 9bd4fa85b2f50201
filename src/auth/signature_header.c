/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Authorization header. Strict, because whatever is let through here decides what is signed: a
 * header named twice, or a parameter given twice, would leave open which one counts.
 */
#include "auth/signature.h"

#include "base/limits.h"

#include <strings.h>

enum { SIGNATURE_CHARS = 64, SCOPE_DATE_CHARS = 8 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A character of a header name (RFC 9110, section 5.6.2). */
static bool is_token(char c)
{
    return c && (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    strchr("!#$%&'*+-.^_`|~", c));
}

/* A character of an access key, a region or a service: visible ASCII that separates nothing. */
static bool is_name(char c)
{
    return c > ' ' && c < 0x7f && !strchr(",;/=\"\\", c);
}

static bool all_are(struct slice s, bool (*is)(char c))
{
    for (size_t i = 0; i < s.len; i++)
        if (!is(s.ptr[i]))
            return false;
    return s.len > 0;
}

/* Cuts the piece before the next separator off *rest. True when there was one: another piece
 * follows, an empty one too. */
static bool pull_piece(struct slice *rest, char separator, struct slice *ret)
{
    size_t len = slice_find_char(*rest, separator);
    bool more = len < rest->len;

    *ret = slice_sub(*rest, 0, len);
    *rest = slice_skip(*rest, len + 1);
    return more;
}

static int check_access_key(struct slice key, struct err *why)
{
    if (key.len > LIMIT_ACCESS_KEY_CHARS)
        return err_set(why, ERR_LIMIT, "the access key has %zu characters, above the limit of %d",
            key.len, LIMIT_ACCESS_KEY_CHARS);
    if (!all_are(key, is_name))
        return err_set(
            why, ERR_FORMAT, "the access key is empty or holds characters that no access key has");
    return 0;
}

/* That its date is the one of x-sdk-date is not asked for: the scope is part of what is signed. */
static int check_scope(struct slice scope, struct err *why)
{
    struct slice service = scope, date = slice_pull_until(&service, '/'),
                 region = slice_pull_until(&service, '/');

    if (scope.len > LIMIT_SIGNATURE_SCOPE_CHARS)
        return err_set(why, ERR_LIMIT,
            "the scope in Credential has %zu characters, above the limit of %d", scope.len,
            LIMIT_SIGNATURE_SCOPE_CHARS);
    if (date.len != SCOPE_DATE_CHARS || !all_are(date, is_digit) || !all_are(region, is_name) ||
        !all_are(service, is_name))
        return err_set(
            why, ERR_FORMAT, "Credential is not <access key>/YYYYMMDD/<region>/<service>");
    return 0;
}

static bool is_same_name(struct slice a, struct slice b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static int check_signed_headers(struct slice names, struct err *why)
{
    struct slice seen[LIMIT_SIGNED_HEADERS];
    size_t count = 0;
    bool date = false, more = true;

    while (more) {
        struct slice name;

        more = pull_piece(&names, ';', &name);
        if (count == LIMIT_SIGNED_HEADERS)
            return err_set(why, ERR_LIMIT, "SignedHeaders names more headers than the limit of %d",
                LIMIT_SIGNED_HEADERS);
        if (name.len > LIMIT_SIGNED_NAME_CHARS)
            return err_set(why, ERR_LIMIT,
                "a name in SignedHeaders has %zu characters, above the limit of %d", name.len,
                LIMIT_SIGNED_NAME_CHARS);
        if (!all_are(name, is_token))
            return err_set(
                why, ERR_FORMAT, "SignedHeaders must be header names joined by semicolons");
        for (size_t i = 0; i < count; i++)
            if (is_same_name(seen[i], name))
                return err_set(why, ERR_FORMAT, "SignedHeaders names %.*s twice", SLICE_FMT(name));
        if (is_same_name(name, SLICE("authorization")))
            return err_set(why, ERR_FORMAT, "SignedHeaders names Authorization, which cannot be");
        date = date || is_same_name(name, SLICE("x-sdk-date"));
        seen[count++] = name;
    }
    if (!date)
        return err_set(why, ERR_FORMAT, "SignedHeaders does not name x-sdk-date: sign it too");
    return 0;
}

static bool is_lower_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static int check(const struct signature *signature, struct err *why)
{
    if (check_access_key(signature->access_key, why) < 0)
        return -1;
    if (signature->algorithm == SIGNATURE_V11_HMAC_SHA256 && check_scope(signature->scope, why) < 0)
        return -1;
    if (check_signed_headers(signature->signed_headers, why) < 0)
        return -1;
    if (signature->text.len != SIGNATURE_CHARS || !all_are(signature->text, is_lower_hex))
        return err_set(
            why, ERR_FORMAT, "Signature must be %d lower-case hex digits", SIGNATURE_CHARS);
    return 0;
}

/* "name=value, name=value, name=value": each of the three, once. */
static int read_parameters(struct slice rest, struct signature *signature, struct err *why)
{
    const struct {
        const char *name;
        struct slice *value;
    } parameters[] = {
        {signature->algorithm == SIGNATURE_V11_HMAC_SHA256 ? "Credential" : "Access",
            &signature->access_key},
        {"SignedHeaders", &signature->signed_headers},
        {"Signature", &signature->text},
    };
    enum { PARAMETERS = sizeof(parameters) / sizeof(*parameters) };
    bool given[PARAMETERS] = {false}, more = true;
    size_t i, pieces;

    for (pieces = 0; more && pieces < PARAMETERS; pieces++) {
        struct slice name, value;

        more = pull_piece(&rest, ',', &value);
        value = slice_trim(value);
        name = slice_pull_until(&value, '=');
        for (i = 0; i < PARAMETERS && !slice_is(name, parameters[i].name); i++)
            continue;
        if (i == PARAMETERS || given[i])
            break;
        given[i] = true;
        *parameters[i].value = value;
    }
    if (more || pieces < PARAMETERS)
        return err_set(why, ERR_FORMAT,
            "the Authorization header must give %s, SignedHeaders and Signature, each once, and "
            "nothing else",
            parameters[0].name);
    return 0;
}

enum signature_verdict signature_parse(
    struct slice authorization, struct signature *ret, struct err *why)
{
    struct slice rest = slice_trim(authorization), algorithm = slice_pull_until(&rest, ' ');
    struct signature signature = {0};

    if (authorization.len > LIMIT_SIGNATURE_HEADER_BYTES) {
        err_set(why, ERR_LIMIT, "the Authorization header has %zu bytes, above the limit of %d",
            authorization.len, LIMIT_SIGNATURE_HEADER_BYTES);
        return SIGNATURE_MALFORMED;
    }
    if (slice_is(algorithm, "V11-HMAC-SHA256")) {
        signature.algorithm = SIGNATURE_V11_HMAC_SHA256;
    } else if (!slice_is(algorithm, "SDK-HMAC-SHA256")) {
        err_set(why, ERR_UNSUPPORTED,
            "the Authorization header's algorithm is not supported; use SDK-HMAC-SHA256");
        return SIGNATURE_UNSUPPORTED;
    }
    if (read_parameters(rest, &signature, why) < 0)
        return SIGNATURE_MALFORMED;
    if (signature.algorithm == SIGNATURE_V11_HMAC_SHA256) {
        signature.scope = signature.access_key;
        signature.access_key = slice_pull_until(&signature.scope, '/');
    }
    if (check(&signature, why) < 0)
        return SIGNATURE_MALFORMED;
    *ret = signature;
    return SIGNATURE_GOOD;
}
