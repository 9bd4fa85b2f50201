/* SPDX-License-Identifier: Apache-2.0 */
/* Which ecosystems are the operating system's. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
