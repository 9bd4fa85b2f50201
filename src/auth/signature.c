/* SPDX-License-Identifier: Apache-2.0 */
/* See signature.h. The header is read in signature_header.c, the canonical request made in
 * canonical.c; here are the date, the key and the comparison. */
#include "auth/signature.h"

#include "auth/canonical.h"
#include "base/bug.h"
#include "base/limits.h"
#include "codec/hash.h"

enum { HEX_CHARS = 2 * SHA256_BYTES, DATE_CHARS = 16 };

/* --- The date --------------------------------------------------------------------------------- */

/* Two (or four) digits at `at`, or -1. */
static int number_at(struct slice s, size_t at, size_t len)
{
    uint64_t value;

    return slice_to_u64(slice_sub(s, at, len), &value) ? (int)value : -1;
}

/* YYYYMMDDTHHMMSSZ, and a time that there is. */
static bool read_date(struct slice text, int64_t *ret_ms)
{
    struct tm given = {0}, back;
    time_t seconds;

    if (text.len != DATE_CHARS || text.ptr[8] != 'T' || text.ptr[15] != 'Z')
        return false;
    given.tm_year = number_at(text, 0, 4) - 1900;
    given.tm_mon = number_at(text, 4, 2) - 1;
    given.tm_mday = number_at(text, 6, 2);
    given.tm_hour = number_at(text, 9, 2);
    given.tm_min = number_at(text, 11, 2);
    given.tm_sec = number_at(text, 13, 2);
    back = given;
    /* timegm() carries what is too large (or -1) over into the next field: it must not have had
     * to. */
    seconds = timegm(&back);
    if (given.tm_year < -1900 || back.tm_year != given.tm_year || back.tm_mon != given.tm_mon ||
        back.tm_mday != given.tm_mday || back.tm_hour != given.tm_hour ||
        back.tm_min != given.tm_min || back.tm_sec != given.tm_sec)
        return false;
    *ret_ms = (int64_t)seconds * 1000;
    return true;
}

static void write_date(int64_t ms, char dst[CLOCK_TEXT_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc = {0};

    gmtime_r(&seconds, &utc);
    dst[strftime(dst, CLOCK_TEXT_BYTES, "%Y%m%dT%H%M%SZ", &utc)] = '\0';
}

enum signature_verdict signature_check_date(struct signature *signature,
    const struct signed_request *request, int64_t now_ms, struct signature_times *ret,
    struct err *why)
{
    struct slice text = slice_trim(request->header(request->ctx, SLICE("x-sdk-date")));
    int64_t signed_ms;

    if (!read_date(text, &signed_ms)) {
        err_set(why, ERR_FORMAT, "X-Sdk-Date is not a time written YYYYMMDDTHHMMSSZ");
        return SIGNATURE_MALFORMED;
    }
    if (now_ms >= signed_ms - SIGNATURE_SKEW_MS && now_ms <= signed_ms + SIGNATURE_SKEW_MS) {
        signature->date = text;
        return SIGNATURE_GOOD;
    }
    slice_to_cstr(text, ret->signed_at, sizeof(ret->signed_at));
    write_date(now_ms, ret->server);
    err_set(why, ERR_INVALID, "X-Sdk-Date is %s, more than 15 minutes from the server's %s",
        ret->signed_at, ret->server);
    return SIGNATURE_EXPIRED;
}

/* --- The signature ---------------------------------------------------------------------------- */

/* HKDF (RFC 5869) with the SK as key material and the AK as salt, for one block: the key is the
 * block's hex text (contract, section 2.3). */
static void derive_key(
    const struct signature *signature, struct slice secret_key, char ret[HEX_CHARS + 1])
{
    char info[LIMIT_SIGNATURE_SCOPE_CHARS + 1];
    unsigned char prk[SHA256_BYTES], block[SHA256_BYTES];

    memcpy(info, signature->scope.ptr, signature->scope.len);
    info[signature->scope.len] = 1;
    hmac_sha256(signature->access_key, secret_key, prk);
    hmac_sha256((struct slice){(const char *)prk, sizeof(prk)},
        (struct slice){info, signature->scope.len + 1}, block);
    hex_encode(block, sizeof(block), ret);
    explicit_bzero(prk, sizeof(prk));
    explicit_bzero(block, sizeof(block));
}

/* Algorithm, date, for V11 the scope, and the hash of the canonical request, a line each. */
static size_t write_string_to_sign(
    const struct signature *signature, struct slice canonical, char *dst, size_t cap)
{
    bool derived = signature->algorithm == SIGNATURE_V11_HMAC_SHA256;
    unsigned char hash[SHA256_BYTES];
    char hex[HEX_CHARS + 1];

    sha256(canonical, hash);
    hex_encode(hash, sizeof(hash), hex);
    return (size_t)snprintf(dst, cap, "%s\n%.*s\n%.*s%s%s",
        derived ? "V11-HMAC-SHA256" : "SDK-HMAC-SHA256", SLICE_FMT(signature->date),
        SLICE_FMT(signature->scope), derived ? "\n" : "", hex);
}

static bool is_signed(
    const struct signature *signature, struct slice canonical, struct slice secret_key)
{
    char text[LIMIT_SIGNATURE_SCOPE_CHARS + DATE_CHARS + HEX_CHARS + 32];
    char derived[HEX_CHARS + 1], expected[HEX_CHARS + 1];
    unsigned char mac[SHA256_BYTES];
    size_t len;
    bool equal;

    len = write_string_to_sign(signature, canonical, text, sizeof(text));
    if (signature->algorithm == SIGNATURE_V11_HMAC_SHA256) {
        derive_key(signature, secret_key, derived);
        secret_key = (struct slice){derived, HEX_CHARS};
    }
    hmac_sha256(secret_key, (struct slice){text, len}, mac);
    hex_encode(mac, sizeof(mac), expected);
    equal = secret_equal((struct slice){expected, HEX_CHARS}, signature->text);
    explicit_bzero(derived, sizeof(derived));
    explicit_bzero(mac, sizeof(mac));
    explicit_bzero(expected, sizeof(expected));
    return equal;
}

/* Where the client said which body it signed, the body must be that one. */
static bool is_body_right(const struct signed_request *request)
{
    struct slice given = slice_trim(request->header(request->ctx, SLICE("x-sdk-content-sha256")));
    unsigned char wanted[SHA256_BYTES], got[SHA256_BYTES];

    if (!given.len || slice_is(given, "UNSIGNED-PAYLOAD"))
        return true;
    if (!hex_decode(given, wanted, sizeof(wanted)))
        return false;
    if (request->body_sha256)
        memcpy(got, request->body_sha256, sizeof(got));
    else
        sha256(SLICE_NONE, got);
    return memcmp(wanted, got, sizeof(got)) == 0;
}

int signature_verify(const struct signature *signature, const struct signed_request *request,
    struct slice secret_key, struct arena *arena, enum signature_verdict *ret,
    struct slice *ret_canonical, struct err *err)
{
    struct slice canonical, shown;

    BUG_ON(!signature->date.len);
    if (canonical_request(signature, request, CANONICAL_SIGNED, arena, &canonical, err) < 0)
        return -1;
    /* Anybody can sign with no key at all. */
    if (secret_key.len && is_signed(signature, canonical, secret_key)) {
        *ret = is_body_right(request) ? SIGNATURE_GOOD : SIGNATURE_WRONG_BODY;
        return 0;
    }
    if (canonical_request(signature, request, CANONICAL_SHOWN, arena, &shown, err) < 0)
        return -1;
    *ret = SIGNATURE_WRONG;
    *ret_canonical = shown;
    return 0;
}
