/* SPDX-License-Identifier: Apache-2.0 */
/* Image references: how they are cut, what is none, and which repositories are one. */
#include "unit.h"

#include "model/reference.h"

#define HEX64 "d5cf8a3f9b7e6c5d4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f"
#define TAG128                                                         \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void parts(void **state)
{
    static const struct {
        const char *text, *name, *tag, *digest;
    } cases[] = {
        {"nginx", "nginx", "", ""},
        {"nginx:1.25", "nginx", "1.25", ""},
        {"nginx@sha256:" HEX64, "nginx", "", "sha256:" HEX64},
        {"nginx:1.25@sha256:" HEX64, "nginx", "1.25", "sha256:" HEX64},
        {"docker.io/library/nginx:latest", "docker.io/library/nginx", "latest", ""},
        {"localhost:5000", "localhost", "5000", ""},
        {"localhost:5000/app", "localhost:5000/app", "", ""},
        {"localhost:5000/team/app:v1", "localhost:5000/team/app", "v1", ""},
        {"[::1]:5000/app:v1", "[::1]:5000/app", "v1", ""},
        {"[2001:db8::1]/app", "[2001:db8::1]/app", "", ""},
        {"[::1]:5000/app@sha512:" HEX64 HEX64, "[::1]:5000/app", "", "sha512:" HEX64 HEX64},
        {"Registry.Example.com/Team/App:V1", "Registry.Example.com/Team/App", "V1", ""},
        {"a/b/c/d/e/f", "a/b/c/d/e/f", "", ""},
        {"my__app-x--y.z:_t.-", "my__app-x--y.z", "_t.-", ""},
        {"app:" TAG128, "app", TAG128, ""},
        {"app@multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "app", "",
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8"},
        {"app@sha256:abc", "app", "", "sha256:abc"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct reference ref;
        struct err err;

        assert_ok(reference_parse(slice_of(cases[i].text), &ref, &err));
        assert_slice(ref.name, cases[i].name);
        assert_slice(ref.tag, cases[i].tag);
        assert_slice(ref.digest, cases[i].digest);
        assert_ptr_equal(ref.name.ptr, cases[i].text);
    }
}

static void refused(void **state)
{
    static const char *const texts[] = {"", " ", "a b", " nginx", "nginx ", "nginx\n", "a\tb",
        "a\x7f", "a\xc2\x85", "\xff", "\xe4\xb8\x96", ":", ":tag", "@", "@sha256:" HEX64, "/",
        "/nginx", "nginx/", "a//b", "nginx:", "nginx:@sha256:" HEX64, "nginx:a:b", "nginx:.a",
        "nginx:-a", "nginx:a+b", "app:" TAG128 "x", "nginx@", "nginx@" HEX64, "nginx@:" HEX64,
        "nginx@sha256:", "nginx@sha256", "nginx@sha256:a:b", "nginx@sha256:" HEX64 "@x:y",
        "nginx@sha 256:ab", "<none>:<none>", "nginx:<none>", "http://host/app", "host:/app",
        "host:port/app", "host:65536/app", "host:80:80/app", "./app.tar", "../app", "-app", "app-",
        "a/.b", "a/b:1/c", "[::1/app", "[]/app", "[::1]:/app", "[::1]", "[app]", "[x y]/app",
        "app;id", "app?x", "a\\b"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct reference ref = {.tag = SLICE_INIT("untouched")};
        struct err err = {0};

        if (reference_parse(slice_of(texts[i]), &ref, &err) == 0)
            fail_msg("\"%s\" is taken", texts[i]);
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(strlen(err.message) > 20);
        assert_slice(ref.tag, "untouched");
    }
}

static void nul_is_refused_and_messages_name_the_text(void **state)
{
    struct reference ref;
    struct err err;

    (void)state;
    assert_int_equal(reference_parse(SLICE("a\0b"), &ref, &err), -1);
    assert_int_equal(reference_parse(SLICE("a:b\0"), &ref, &err), -1);
    assert_string_equal(err.message, "an image reference of 4 bytes is not one line of UTF-8 text");
    assert_int_equal(reference_parse(SLICE("a/b//c"), &ref, &err), -1);
    assert_string_equal(err.message,
        "\"a/b//c\" is not an image reference ([registry/]repository[:tag][@digest]): a repository "
        "is letters, digits, '.', '_' and '-' in parts divided by '/'");
}

static void repositories(void **state)
{
    static const char *const cases[][2] = {
        {"nginx", "nginx"},
        {"library/nginx", "nginx"},
        {"docker.io/nginx", "nginx"},
        {"docker.io/library/nginx", "nginx"},
        {"index.docker.io/nginx", "nginx"},
        {"index.docker.io/library/nginx", "nginx"},
        {"bitnami/nginx", "bitnami/nginx"},
        {"docker.io/bitnami/nginx", "bitnami/nginx"},
        {"quay.io/library/nginx", "quay.io/library/nginx"},
        {"docker.io:443/nginx", "docker.io:443/nginx"},
        {"index.quay.io/nginx", "index.quay.io/nginx"},
        {"mylibrary/nginx", "mylibrary/nginx"},
        {"Docker.io/nginx", "Docker.io/nginx"},
        {"library", "library"},
        {"library/", "library/"},
        {"docker.io/", "docker.io/"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_slice(reference_repository(slice_of(cases[i][0])), cases[i][1]);
}

static void digests(void **state)
{
    static const char *const refused_digests[] = {"", "sha256:", HEX64, "sha256:" HEX64 "0",
        "sha512:" HEX64, "SHA256:" HEX64, " sha256:" HEX64,
        "sha256:D5cf8a3f9b7e6c5d4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f",
        "sha256:g5cf8a3f9b7e6c5d4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f",
        "sha256:5cf8a3f9b7e6c5d4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f"};

    (void)state;
    assert_true(digest_is_valid(SLICE("sha256:" HEX64)));
    for (size_t i = 0; i < sizeof(refused_digests) / sizeof(*refused_digests); i++)
        if (digest_is_valid(slice_of(refused_digests[i])))
            fail_msg("\"%s\" is taken", refused_digests[i]);
    assert_false(digest_is_valid(SLICE_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(refused),
        cmocka_unit_test(nul_is_refused_and_messages_name_the_text),
        cmocka_unit_test(repositories),
        cmocka_unit_test(digests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
