/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures against the vectors that others published (contract, sections 2.1 and 2.3); dates and
 * bodies. */
#include "unit.h"

#include "auth/signing.h"
#include "death.h"

#include "auth/canonical.h"
#include "base/buf.h"
#include "codec/hash.h"

#define GUIDE_SK SLICE("MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc")
#define GUIDE_SIGNATURE "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
#define GUIDE_MS 1573789015000 /* 20191115T033655Z */

static struct fake_request guide_request(void)
{
    return (struct fake_request){.method = SLICE("GET"),
        .target = SLICE("/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&"
                        "marker=13551d6b-755d-4757-b956-536f674975c0"),
        .authorization = SLICE("SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, "
                               "SignedHeaders=content-type;host;x-sdk-date, "
                               "Signature=" GUIDE_SIGNATURE),
        .headers = {{SLICE("content-type"), SLICE("application/json")},
            {SLICE("host"), SLICE("service.region.example.com")},
            {SLICE("x-sdk-date"), SLICE("20191115T033655Z")}}};
}

static void guide_vector(void **state)
{
    struct fake_request fake = guide_request();
    struct signed_request request = fake_as_signed(&fake);
    struct judgement j = judge(&fake, GUIDE_SK, GUIDE_MS);
    unsigned char digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct slice canonical;
    struct err err;

    (void)state;
    assert_int_equal(j.verdict, SIGNATURE_GOOD);
    assert_int_equal(j.signature.algorithm, SIGNATURE_SDK_HMAC_SHA256);
    assert_slice(j.signature.access_key, "QTWAOYTTINDUT2QVKYUC");
    assert_slice(j.signature.signed_headers, "content-type;host;x-sdk-date");
    assert_slice(j.signature.text, GUIDE_SIGNATURE);
    assert_slice(j.signature.date, "20191115T033655Z");
    assert_int_equal(j.signature.scope.len, 0);
    assert_int_equal(j.why.code, ERR_NONE);
    assert_ok(
        canonical_request(&j.signature, &request, CANONICAL_SIGNED, &j.arena, &canonical, &err));
    sha256(canonical, digest);
    hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(hex, "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a");
    judgement_release(&j);
    assert_verdict(fake, SLICE("another"), GUIDE_MS, SIGNATURE_WRONG);
}

static void sdk_vectors(void **state)
{
    struct fake_request v11 = sdk_request(SLICE(V11_HEADER));
    struct judgement j = judge(&v11, SLICE("SecretKey"), SDK_MS);

    (void)state;
    assert_int_equal(j.verdict, SIGNATURE_GOOD);
    assert_int_equal(j.signature.algorithm, SIGNATURE_V11_HMAC_SHA256);
    assert_slice(j.signature.access_key, "AccessKey");
    assert_slice(j.signature.scope, "20060102/test-region-1/demo");
    judgement_release(&j);
    assert_verdict(v11, SLICE("SecretKeZ"), SDK_MS, SIGNATURE_WRONG);
    assert_verdict(sdk_request(SLICE(SDK_HEADER)), SLICE("SecretKey"), SDK_MS, SIGNATURE_GOOD);
    assert_verdict(sdk_request(SLICE(SDK_HEADER)), SLICE("SecretKeZ"), SDK_MS, SIGNATURE_WRONG);
    /* Signed with no key, as anybody can. */
    assert_verdict(
        sdk_request(SLICE("SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, Signature="
                          "bdea17a7383dadcafd176a388bf6e37ad793af58881d33d6c91f9105555eaf5e")),
        SLICE_NONE, SDK_MS, SIGNATURE_WRONG);
}

/* --- The date --------------------------------------------------------------------------------- */

static enum signature_verdict check_date(
    struct slice date, int64_t now_ms, struct signature_times *ret, struct err *why)
{
    struct fake_request fake = sdk_request(SLICE(SDK_HEADER));
    struct signed_request request = fake_as_signed(&fake);
    struct signature signature = {0};
    enum signature_verdict verdict;

    fake.headers[0].value = date;
    verdict = signature_check_date(&signature, &request, now_ms, ret, why);
    assert_int_equal(signature.date.len, verdict == SIGNATURE_GOOD ? 16 : 0);
    return verdict;
}

static void dates_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"20060102T150405Z", SDK_MS}, {"19700101T000000Z", 0}, {" 19700101T000000Z\t", 0},
        {"20240229T235959Z", 1709251199000}, {"20000229T000000Z", 951782400000},
        {"20261231T235959Z", 1798761599000}, {"19691231T235959Z", -1000},
        {"99991231T235959Z", 253402300799000}};
    struct signature_times times;
    struct err why;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice text = slice_of(cases[i].text);

        assert_int_equal(check_date(text, cases[i].ms, &times, &why), SIGNATURE_GOOD);
        assert_int_equal(
            check_date(text, cases[i].ms + SIGNATURE_SKEW_MS, &times, &why), SIGNATURE_GOOD);
        assert_int_equal(
            check_date(text, cases[i].ms - SIGNATURE_SKEW_MS, &times, &why), SIGNATURE_GOOD);
        assert_int_equal(
            check_date(text, cases[i].ms + SIGNATURE_SKEW_MS + 1, &times, &why), SIGNATURE_EXPIRED);
        assert_int_equal(
            check_date(text, cases[i].ms - SIGNATURE_SKEW_MS - 1, &times, &why), SIGNATURE_EXPIRED);
    }
}

static void dates_are_refused(void **state)
{
    static const char *const texts[] = {"", "2006", "20060102T150405", "20060102T150405z",
        "20060102t150405Z", "20060102 150405Z", "20060102T150405ZZ", "2006-01-02T15:04Z",
        "20061302T150405Z", "20060002T150405Z", "20060100T150405Z", "20060132T150405Z",
        "20060431T150405Z", "20230229T150405Z", "21000229T150405Z", "20060102T240405Z",
        "20060102T156005Z", "20060102T150460Z", "-0060102T150405Z", "+2060102T150405Z",
        " 0060102T150405", "2006010aT150405Z", "200601 2T150405Z", "20060102T15+405Z",
        "20060102T1504-5Z", "0x060102T150405Z"};
    struct signature_times times;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct err why = {0};

        if (check_date(slice_of(texts[i]), SDK_MS, &times, &why) != SIGNATURE_MALFORMED)
            fail_msg("\"%s\" is taken", texts[i]);
        assert_int_equal(why.code, ERR_FORMAT);
        assert_non_null(strstr(why.message, "YYYYMMDDTHHMMSSZ"));
    }
}

static void expiry_says_both_times(void **state)
{
    struct signature_times times;
    struct err why;

    (void)state;
    assert_int_equal(
        check_date(SLICE("20211217T064303Z"), 1639724284999, &times, &why), SIGNATURE_EXPIRED);
    assert_string_equal(times.signed_at, "20211217T064303Z");
    assert_string_equal(times.server, "20211217T065804Z");
    assert_non_null(strstr(why.message, "20211217T064303Z"));
    /* A clock that is set to nonsense must not overflow anything. */
    assert_int_equal(
        check_date(SLICE("20211217T064303Z"), INT64_MAX, &times, &why), SIGNATURE_EXPIRED);
    assert_int_equal(
        check_date(SLICE("00000101T000000Z"), INT64_MIN, &times, &why), SIGNATURE_EXPIRED);
}

static void verify_undated(void)
{
    struct fake_request fake = sdk_request(SLICE(SDK_HEADER));
    struct signed_request request = fake_as_signed(&fake);
    enum signature_verdict verdict;
    struct signature signature;
    struct slice canonical;
    struct arena arena;
    struct err err;

    arena_init(&arena, "the test", FAKE_MEMORY_BYTES);
    signature_parse(fake.authorization, &signature, &err);
    signature_verify(&signature, &request, SLICE("k"), &arena, &verdict, &canonical, &err);
}

static void date_comes_first(void **state)
{
    (void)state;
    assert_dies(verify_undated());
}

/* The body of a request is "{}" or empty; what X-Sdk-Content-Sha256 says of it. Signed by
 * Python: hmac.new(b"SecretKey", ..., "sha256") over the lines of the contract's rules. */
static void bodies_must_be_the_signed_ones(void **state)
{
    static const struct {
        const char *sent, *signature;
        enum signature_verdict with_body, without_body;
    } cases[] = {
        /* sent nothing: the hash of "{}" is in the signature only */
        {"", "f2975856f85641f2d2938483c6c9b106c2d4bd5ffd0cff527ffe90f85890196f", SIGNATURE_GOOD,
            SIGNATURE_WRONG},
        {"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "f2975856f85641f2d2938483c6c9b106c2d4bd5ffd0cff527ffe90f85890196f", SIGNATURE_GOOD,
            SIGNATURE_WRONG_BODY},
        {"UNSIGNED-PAYLOAD", "c4c02d8b3718b2f713ebaaee80bafe463de129392f00cda66c5d6bccbaf9b2ac",
            SIGNATURE_GOOD, SIGNATURE_GOOD},
        {"UNSIGNED", "8365e139ccb9e32982f3c7e847c6e0aaa44e87eff68e1fc14567bd620ebafb57",
            SIGNATURE_WRONG_BODY, SIGNATURE_WRONG_BODY},
        {"unsigned-payload", "f8cd4f19703b77cdeed73f84d66e8335109b352810df870f3bef1f2ab44a0993",
            SIGNATURE_WRONG_BODY, SIGNATURE_WRONG_BODY},
    };
    unsigned char body[SHA256_BYTES];

    (void)state;
    sha256(SLICE("{}"), body);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf header = BUF_INIT(1000);
        struct fake_request fake = sdk_request(SLICE_NONE);

        buf_printf(&header,
            "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, Signature=%s",
            cases[i].signature);
        fake.authorization = buf_slice(&header);
        fake.headers[1] =
            (struct fake_header){SLICE("x-sdk-content-sha256"), slice_of(cases[i].sent)};
        fake.body_sha256 = body;
        assert_verdict(fake, SLICE("SecretKey"), SDK_MS, cases[i].with_body);
        fake.body_sha256 = NULL;
        assert_verdict(fake, SLICE("SecretKey"), SDK_MS, cases[i].without_body);
        buf_release(&header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guide_vector),
        cmocka_unit_test(sdk_vectors),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(dates_are_refused),
        cmocka_unit_test(expiry_says_both_times),
        cmocka_unit_test(date_comes_first),
        cmocka_unit_test(bodies_must_be_the_signed_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
