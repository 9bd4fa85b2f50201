/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical request, rule by rule (contract, section 2.1), as a client that signed wrongly gets
 * it shown.
 */
#include "unit.h"

#include "auth/signing.h"

#include "auth/canonical.h"
#include "base/buf.h"
#include "codec/query_string.h"

#define SIG ", Signature=" SDK_SIGNATURE

static void assert_canonical(const char *target, const char *first_three_lines)
{
    struct fake_request fake = sdk_request(SLICE(SDK_HEADER));
    struct judgement j;

    fake.target = slice_of(target);
    j = judge(&fake, SLICE("another"), SDK_MS);
    assert_int_equal(j.verdict, SIGNATURE_WRONG);
    if (!slice_starts_with(j.canonical, first_three_lines))
        fail_msg("%s: %.*s", target, SLICE_FMT(j.canonical));
    assert_true(slice_ends_with(j.canonical,
        "|x-sdk-date:20060102T150405Z||x-sdk-date|"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    judgement_release(&j);
}

static void targets_are_canonical(void **state)
{
    (void)state;
    assert_canonical("/", "GET|/||x");
    assert_canonical("/a", "GET|/a/||x");
    assert_canonical("/a/", "GET|/a/||x");
    assert_canonical("/a//", "GET|/a//||x");
    assert_canonical("//v5/p", "GET|//v5/p/||x");
    assert_canonical("/a?", "GET|/a/||x");
    assert_canonical("/a?&&", "GET|/a/||x");
    assert_canonical("/a?b", "GET|/a/|b=|x");
    assert_canonical("/a?b=", "GET|/a/|b=|x");
    assert_canonical("/a?=b", "GET|/a/|=b|x");
    assert_canonical("/a?b==c", "GET|/a/|b=%3Dc|x");
    assert_canonical("/a?b?c/d", "GET|/a/|b%3Fc%2Fd=|x");
    /* What a Go client with nothing set sends. */
    assert_canonical("/a?image_type&is_handled=false&type&vul_id",
        "GET|/a/|image_type=&is_handled=false&type=&vul_id=|x");
    /* By key, then by value; duplicates stay; by decoded bytes ('A' < '[', though "%5B" < "A"). */
    assert_canonical("/a?b=2&a=1&b=10&b=2", "GET|/a/|a=1&b=10&b=2&b=2|x");
    assert_canonical("/a?a-b=1&a=2", "GET|/a/|a=2&a-b=1|x");
    assert_canonical("/a?a[=1&aA=2", "GET|/a/|aA=2&a%5B=1|x");
    assert_canonical("/a?%e4%b8%ad=x&z=1", "GET|/a/|z=1&%E4%B8%AD=x|x");
    /* However it was escaped; '+' is a plus; "%2F" is no separator. */
    assert_canonical("/%7e%41b%20c/%2f", "GET|/~Ab%20c/%2F/||x");
    assert_canonical("/a+b:c@d?q=a+b%2bc*~", "GET|/a%2Bb%3Ac%40d/|q=a%2Bb%2Bc%2A~|x");
    assert_canonical("/a?q=%00%0a%ff%7c", "GET|/a/|q=%00%0A%FF%7C|x");
    /* A '%' that escapes nothing stands for itself. */
    assert_canonical("/%zz?q=%4&r=%", "GET|/%25zz/|q=%254&r=%25|x");
}

static void headers_are_canonical(void **state)
{
    struct fake_request fake = {.method = SLICE("POST"),
        .target = SLICE("/a"),
        .authorization = SLICE("SDK-HMAC-SHA256 Access=A, "
                               "SignedHeaders=X-B;x-sdk-date;gone;x-security-token" SIG),
        .headers = {{SLICE("x-a"), SLICE("not signed")}, {SLICE("x-b"), SLICE(" one \t two\t ")},
            {SLICE("x-security-token"), SLICE("hush")},
            {SLICE("x-sdk-date"), SLICE("20060102T150405Z")},
            {SLICE("x-sdk-content-sha256"), SLICE("UNSIGNED-PAYLOAD")}}};
    struct judgement j = judge(&fake, SLICE("sesame"), SDK_MS);
    struct signed_request request = fake_as_signed(&fake);
    struct slice canonical;
    struct err err;

    (void)state;
    assert_int_equal(j.verdict, SIGNATURE_WRONG);
    assert_slice(j.canonical,
        "POST|/a/||x-b:one \t two|x-sdk-date:20060102T150405Z|gone:|x-security-token:***||"
        "X-B;x-sdk-date;gone;x-security-token|UNSIGNED-PAYLOAD");
    assert_ok(
        canonical_request(&j.signature, &request, CANONICAL_SIGNED, &j.arena, &canonical, &err));
    assert_slice(canonical,
        "POST\n/a/\n\nx-b:one \t two\nx-sdk-date:20060102T150405Z\ngone:\n"
        "x-security-token:hush\n\nX-B;x-sdk-date;gone;x-security-token\nUNSIGNED-PAYLOAD");
    judgement_release(&j);
}

static void query_and_memory_have_ceilings(void **state)
{
    struct fake_request fake = sdk_request(SLICE(SDK_HEADER));
    struct buf target = BUF_INIT(1 << 20);
    struct signed_request request;
    enum signature_verdict verdict;
    struct slice canonical;
    struct judgement j = judge(&fake, SLICE("SecretKey"), SDK_MS);
    struct err err = {0};

    (void)state;
    buf_put_cstr(&target, "/path?");
    for (int i = 0; i < QUERY_PARAMS_MAX; i++)
        buf_printf(&target, "a%d&&", i);
    fake.target = buf_slice(&target);
    assert_verdict(fake, SLICE("SecretKey"), SDK_MS, SIGNATURE_WRONG);
    buf_put_cstr(&target, "b");
    fake.target = buf_slice(&target);
    request = fake_as_signed(&fake);
    assert_int_equal(signature_verify(&j.signature, &request, SLICE("SecretKey"), &j.arena,
                         &verdict, &canonical, &err),
        -1);
    assert_int_equal(err.code, ERR_LIMIT);
    judgement_release(&j);
    buf_release(&target);
}

static void memory_runs_out(void **state)
{
    struct fake_request fake = sdk_request(SLICE(SDK_HEADER));
    struct signed_request request = fake_as_signed(&fake);
    struct judgement j = judge(&fake, SLICE("SecretKey"), SDK_MS);
    size_t failed = 0;
    int status = -1;

    (void)state;
    for (size_t bytes = 0; status < 0; bytes += 16) {
        enum signature_verdict verdict;
        struct slice canonical;
        struct arena arena;
        struct err err = {0};

        arena_init(&arena, "the test", bytes);
        status = signature_verify(
            &j.signature, &request, SLICE("other"), &arena, &verdict, &canonical, &err);
        assert_int_equal(err.code, status < 0 ? ERR_LIMIT : ERR_NONE);
        failed += status < 0;
        arena_release(&arena);
    }
    assert_true(failed > 5);
    judgement_release(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_canonical),
        cmocka_unit_test(headers_are_canonical),
        cmocka_unit_test(query_and_memory_have_ceilings),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
