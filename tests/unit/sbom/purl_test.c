/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of package URLs, and what is none. */
#include "unit.h"

#include "sbom/purl.h"

struct good {
    const char *text, *type, *namespace, *name, *version, *arch, *distro, *epoch, *upstream;
};

static void parses_parts(void **state)
{
    static const struct good table[] = {
        {"pkg:deb/debian/bash@5.0-4?arch=amd64&distro=debian-10.2", "deb", "debian", "bash",
            "5.0-4", "amd64", "debian-10.2", "", ""},
        {"pkg:rpm/amazon/bind@9.11.4-26?distro=amazon-2%20%28Karoo%29&epoch=32&arch=x86_64", "rpm",
            "amazon", "bind", "9.11.4-26", "x86_64", "amazon-2 (Karoo)", "32", ""},
        {"pkg:golang/example.org/a/b@v2.7.1%2Bincompatible#sub/path", "golang", "example.org/a",
            "b", "v2.7.1+incompatible", "", "", "", ""},
        {"pkg:npm/%40babel/core@7.0.0", "npm", "@babel", "core", "7.0.0", "", "", "", ""},
        {"pkg:npm/@babel/core@7.0.0", "npm", "@babel", "core", "7.0.0", "", "", "", ""},
        {"pkg:npm/@babel/core", "npm", "@babel", "core", "", "", "", "", ""},
        {"pkg:npm/@lonely", "npm", "", "@lonely", "", "", "", "", ""},
        {"pkg:k8s/k8s.io%2Fkubelet@1.27.0", "k8s", "", "k8s.io/kubelet", "1.27.0", "", "", "", ""},
        {"pkg://MAVEN/org.example/tool@1?upstream=u%2Bv&empty=&=odd&arch", "maven", "org.example",
            "tool", "1", "", "", "", "u+v"},
        {"pkg:pypi//django@3.2", "pypi", "", "django", "3.2", "", "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct good *want = &table[i];
        struct purl purl;

        if (!purl_parse(slice_of(want->text), &purl))
            fail_msg("%s does not parse", want->text);
        assert_slice(purl.type, want->type);
        assert_slice(purl.namespace, want->namespace);
        assert_slice(purl.name, want->name);
        assert_slice(purl.version, want->version);
        assert_slice(purl.arch, want->arch);
        assert_slice(purl.distro, want->distro);
        assert_slice(purl.epoch, want->epoch);
        assert_slice(purl.upstream, want->upstream);
    }
}

static void refuses(void **state)
{
    static const char *const bad[] = {"", "pkg", "pkg:", "pkg:deb", "pkg:deb/", "pkg:/name",
        "npm/left-pad@1", "PKG:npm/a", "pkg:n_pm/a", "pkg:npm/a%2", "pkg:npm/a%zz", "pkg:npm/a@1%",
        "pkg:npm/a?arch=%4"};
    static char longest[PURL_MAX_BYTES + 1];
    struct purl purl;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (purl_parse(slice_of(bad[i]), &purl))
            fail_msg("\"%s\" parses", bad[i]);
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "pkg:npm/", 8);
    assert_true(purl_parse((struct slice){longest, PURL_MAX_BYTES}, &purl));
    assert_false(purl_parse((struct slice){longest, PURL_MAX_BYTES + 1}, &purl));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_parts),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
