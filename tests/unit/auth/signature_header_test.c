/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization header: what is read, and each way in which it can be wrong. */
#include "unit.h"

#include "auth/signing.h"

#include "base/buf.h"
#include "base/limits.h"

#define SIG ", Signature=" SDK_SIGNATURE

static void headers_are_read(void **state)
{
    static const char *const good[] = {
        SDK_HEADER,
        V11_HEADER,
        "SDK-HMAC-SHA256 Access=AccessKey,SignedHeaders=x-sdk-date,Signature=" SDK_SIGNATURE,
        "SDK-HMAC-SHA256   Access=AccessKey ,\t SignedHeaders=x-sdk-date , "
        "Signature=" SDK_SIGNATURE,
        "  " SDK_HEADER "  ",
        "SDK-HMAC-SHA256 Signature=" SDK_SIGNATURE ", SignedHeaders=x-sdk-date, Access=AccessKey",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_verdict(sdk_request(slice_of(good[i])), SLICE("SecretKey"), SDK_MS, SIGNATURE_GOOD);
}

static const struct {
    enum signature_verdict verdict;
    const char *header, *says;
} refused[] = {
    {SIGNATURE_UNSUPPORTED, "", "not supported"},
    {SIGNATURE_UNSUPPORTED, "Bearer abc", "not supported"},
    {SIGNATURE_UNSUPPORTED, "SDK-HMAC-SM3 Access=A, SignedHeaders=x-sdk-date" SIG, ""},
    {SIGNATURE_UNSUPPORTED, "SDK-ECDSA-P256-SHA256 Access=A, SignedHeaders=x-sdk-date" SIG, ""},
    {SIGNATURE_UNSUPPORTED, "SDK-SM2-SM3 Access=A, SignedHeaders=x-sdk-date" SIG, ""},
    {SIGNATURE_UNSUPPORTED, "sdk-hmac-sha256 Access=A, SignedHeaders=x-sdk-date" SIG, ""},
    {SIGNATURE_UNSUPPORTED, "SDK-HMAC-SHA2567 Access=A, SignedHeaders=x-sdk-date" SIG, ""},
    {SIGNATURE_UNSUPPORTED, "SDK-HMAC-SHA256\tAccess=A, SignedHeaders=x-sdk-date" SIG, ""},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256", "must give Access"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256", "must give Credential"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 ,,", "each once"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date", "each once"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A" SIG, "each once"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 SignedHeaders=x-sdk-date" SIG, "each once"},
    {SIGNATURE_MALFORMED, SDK_HEADER ",", "nothing else"},
    {SIGNATURE_MALFORMED, SDK_HEADER ", Region=x", "nothing else"},
    {SIGNATURE_MALFORMED, SDK_HEADER ", Access=B", "nothing else"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, Access=A" SIG, "each once"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 access=A, SignedHeaders=x-sdk-date" SIG, "each"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access =A, SignedHeaders=x-sdk-date" SIG, "each"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Credential=A/20060102/r/s, SignedHeaders=x-sdk-date" SIG,
        "Access"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date" SIG, "Credential"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=, SignedHeaders=x-sdk-date" SIG, "access key"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A B, SignedHeaders=x-sdk-date" SIG, "access key"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A/B, SignedHeaders=x-sdk-date" SIG, "access key"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=\"A\", SignedHeaders=x-sdk-date" SIG,
        "access key"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A\x01, SignedHeaders=x-sdk-date" SIG,
        "access key"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=\xc3\xa9, SignedHeaders=x-sdk-date" SIG,
        "access key"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=" SIG, "semicolons"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=;x-sdk-date" SIG, "semicolons"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date;" SIG, "semicolons"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=a;;x-sdk-date" SIG,
        "semicolons"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=a; x-sdk-date" SIG,
        "semicolons"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=a:b;x-sdk-date" SIG,
        "semicolons"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=host" SIG, "x-sdk-date"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-dat" SIG, "x-sdk-date"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date;x-sdk-date" SIG,
        "x-sdk-date twice"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=Host;x-sdk-date;host" SIG,
        "host twice"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=Authorization;x-sdk-date" SIG,
        "Authorization"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date, Signature=", "64"},
    {SIGNATURE_MALFORMED, "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date, Signature=5a", "64"},
    {SIGNATURE_MALFORMED, SDK_HEADER "0", "64"},
    {SIGNATURE_MALFORMED, SDK_HEADER " x", "64"},
    {SIGNATURE_MALFORMED,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date, Signature="
        "5A2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624",
        "lower-case"},
    {SIGNATURE_MALFORMED,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date, Signature="
        "ga2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624",
        "hex"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=A, SignedHeaders=x-sdk-date" SIG,
        "Credential is not"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=A/20060102/r, SignedHeaders=x-sdk-date" SIG,
        "YYYYMMDD"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=A/20060102/r/, SignedHeaders=x-sdk-date" SIG,
        "YYYYMMDD"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=A/20060102//s, SignedHeaders=x-sdk-date" SIG,
        "YYYYMMDD"},
    {SIGNATURE_MALFORMED,
        "V11-HMAC-SHA256 Credential=A/20060102/r/s/t, SignedHeaders=x-sdk-date" SIG, "YYYYMMDD"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=A/2006010/r/s, SignedHeaders=x-sdk-date" SIG,
        "YYYYMMDD"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=A/2006-1-2/r/s, SignedHeaders=x-sdk-date" SIG,
        "YYYYMMDD"},
    {SIGNATURE_MALFORMED, "V11-HMAC-SHA256 Credential=/20060102/r/s, SignedHeaders=x-sdk-date" SIG,
        "access key"},
};

static void headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct signature signature = {.algorithm = 77};
        struct err why = {0};
        enum signature_verdict verdict =
            signature_parse(slice_of(refused[i].header), &signature, &why);

        if (verdict != refused[i].verdict || !strstr(why.message, refused[i].says))
            fail_msg("%s: verdict %d, %s", refused[i].header, (int)verdict, why.message);
        assert_true(why.code == ERR_FORMAT || why.code == ERR_UNSUPPORTED);
        assert_null(strstr(why.message, "5a2ce64c"));
        assert_int_equal(signature.algorithm, 77); /* untouched */
    }
}

/* One long part of an otherwise good header: at its ceiling it is taken, one longer refused. */
static void assert_ceiling(
    const char *before, const char *unit, size_t times, const char *after, const char *says)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct buf header = BUF_INIT(1 << 20);
        struct signature signature;
        struct err why = {0};
        enum signature_verdict verdict;

        buf_put_cstr(&header, before);
        for (size_t i = 0; i < times + extra; i++) {
            buf_put_cstr(&header, unit);
            if (unit[0] == ';') /* names must differ */
                buf_put_u64(&header, i);
        }
        buf_put_cstr(&header, after);
        verdict = signature_parse(buf_slice(&header), &signature, &why);
        if (extra) {
            assert_int_equal(verdict, SIGNATURE_MALFORMED);
            assert_int_equal(why.code, ERR_LIMIT);
            assert_non_null(strstr(why.message, says));
        } else if (verdict != SIGNATURE_GOOD) {
            fail_msg("%s...: %s", before, why.message);
        }
        buf_release(&header);
    }
}

static void headers_have_ceilings(void **state)
{
    const size_t plain = strlen("SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date" SIG);

    (void)state;
    assert_ceiling("SDK-HMAC-SHA256 Access=", "A", LIMIT_ACCESS_KEY_CHARS,
        ", SignedHeaders=x-sdk-date" SIG, "access key");
    assert_ceiling("SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date;", "a",
        LIMIT_SIGNED_NAME_CHARS, SIG, "a name in SignedHeaders");
    assert_ceiling("SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date", ";h",
        LIMIT_SIGNED_HEADERS - 1, SIG, "more headers");
    assert_ceiling("V11-HMAC-SHA256 Credential=A/20060102/r/", "s",
        LIMIT_SIGNATURE_SCOPE_CHARS - strlen("20060102/r/"), ", SignedHeaders=x-sdk-date" SIG,
        "scope");
    assert_ceiling("SDK-HMAC-SHA256 Access=A, ", " ", LIMIT_SIGNATURE_HEADER_BYTES - plain,
        "SignedHeaders=x-sdk-date" SIG, "the Authorization header has");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(headers_are_refused),
        cmocka_unit_test(headers_have_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
