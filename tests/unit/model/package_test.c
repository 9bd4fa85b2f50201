/* SPDX-License-Identifier: Apache-2.0 */
/* Which ecosystems are the operating system's; when two descriptions of a package are one. */
#include "unit.h"

#include "model/package.h"

static void types(void **state)
{
    static const char *const os[] = {
        "alpm", "apk", "deb", "ebuild", "opkg", "portage", "qpkg", "rpm", "yocto"};
    static const char *const app[] = {"npm", "pypi", "golang", "maven", "cargo", "gem", "nuget",
        "composer", "conda", "hex", "pub", "swift", "cocoapods", "conan", "cran", "hackage",
        "github", "generic", "bitnami", "brew", "docker", "oci", "", "DEB", "debian", "de", "rpm "};

    (void)state;
    for (size_t i = 0; i < sizeof(os) / sizeof(*os); i++)
        if (package_vul_type(slice_of(os[i])) != VUL_LINUX)
            fail_msg("%s is linux_vul", os[i]);
    for (size_t i = 0; i < sizeof(app) / sizeof(*app); i++)
        if (package_vul_type(slice_of(app[i])) != VUL_APP)
            fail_msg("\"%s\" is app_vul", app[i]);
    assert_int_equal(package_vul_type(SLICE_NONE), VUL_APP);
}

static void epochs(void **state)
{
    uint64_t epoch = 7;

    (void)state;
    assert_int_equal(version_epoch(SLICE("12:1.0"), &epoch), 3);
    assert_int_equal(epoch, 12);
    assert_int_equal(version_epoch(SLICE("1.0"), &epoch), 0);
    assert_int_equal(version_epoch(SLICE("a:1.0"), &epoch), 0);
    assert_int_equal(version_epoch(SLICE(":1.0"), &epoch), 0);
    assert_int_equal(epoch, 12);
}

static void tidying(void **state)
{
    static const struct {
        const char *name, *version, *source_name, *source_version;
        const char *left_name, *left_version;
    } cases[] = {
        {"libc6", "2.36-9", "glibc", "2.36-9", "glibc", ""},
        {"libc6", "2:2.36-9", "glibc", "2.36-9", "glibc", ""},
        {"libc6", "2.36-9", "glibc", "2:2.36-9", "glibc", "2:2.36-9"},
        {"zlib1g", "1:1.2", "zlib", "1.3", "zlib", "1.3"},
        {"bash", "5", "bash", "5", "", ""},
        {"bash", "5", "bash", "6", "", "6"},
        {"bash", "5", "", "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct package package = {.name = slice_of(cases[i].name),
            .version = slice_of(cases[i].version),
            .source_name = slice_of(cases[i].source_name),
            .source_version = slice_of(cases[i].source_version)};

        package_tidy(&package);
        assert_slice(package.source_name, cases[i].left_name);
        assert_slice(package.source_version, cases[i].left_version);
    }
}

static void checking(void **state)
{
    const struct package good = {
        .ecosystem = SLICE("deb"), .name = SLICE("bash"), .version = SLICE("5.1")};
    struct package bad = good;
    struct err err = {0};

    (void)state;
    assert_ok(package_check(&good, &err));
    bad.arch = SLICE("amd\n64");
    assert_int_equal(package_check(&bad, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.message,
        "package bash: package architecture \"amd?64\" is not UTF-8 or "
        "holds control characters");
    bad = good;
    bad.name = SLICE_NONE;
    assert_int_equal(package_check(&bad, &err), -1);
    assert_string_equal(err.message, "package name is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(epochs),
        cmocka_unit_test(tidying),
        cmocka_unit_test(checking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
