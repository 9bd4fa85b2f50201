/* SPDX-License-Identifier: Apache-2.0 */
/* Package URLs: the parts, what is none, and the canonical form. */
#include "unit.h"

#include "base/cleanup.h"
#include "sbom/purl.h"

static struct err err;

/* The qualifiers as they stand in a canonical purl, undecoded. */
struct good {
    const char *text, *type, *namespace, *name, *version, *qualifiers, *subpath;
};

static void assert_qualifiers(const struct purl *purl, const char *want)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);

    for (size_t i = 0; i < purl->qualifier_count; i++)
        buf_printf(&text, "%s%.*s=%.*s", i ? "&" : "", SLICE_FMT(purl->qualifiers[i].key),
            SLICE_FMT(purl->qualifiers[i].value));
    assert_slice(buf_slice(&text), want);
}

static void reads_leniently(void **state)
{
    static const struct good table[] = {
        {"pkg:deb/debian/bash@5.0-4?arch=amd64&distro=debian-10.2", "deb", "debian", "bash",
            "5.0-4", "arch=amd64&distro=debian-10.2", ""},
        {"pkg:rpm/amazon/bind@9.11.4-26?distro=amazon-2%20%28Karoo%29&epoch=32&arch=x86_64", "rpm",
            "amazon", "bind", "9.11.4-26", "arch=x86_64&distro=amazon-2 (Karoo)&epoch=32", ""},
        {"pkg:golang/example.org/a/b@v2.7.1%2Bincompatible#sub/path", "golang", "example.org/a",
            "b", "v2.7.1+incompatible", "", "sub/path"},
        {"pkg:npm/%40babel/core@7.0.0", "npm", "@babel", "core", "7.0.0", "", ""},
        {"pkg:npm/@babel/core@7.0.0", "npm", "@babel", "core", "7.0.0", "", ""},
        {"pkg:npm/@babel/core", "npm", "@babel", "core", "", "", ""},
        {"pkg:npm/@lonely", "npm", "", "@lonely", "", "", ""},
        {"pkg:k8s/k8s.io%2Fkubelet@1.27.0", "k8s", "", "k8s.io/kubelet", "1.27.0", "", ""},
        {"pkg://MAVEN/org.example/tool@1?Upstream=u%2Bv&empty=&=odd&arch&upstream=w", "maven",
            "org.example", "tool", "1", "upstream=u+v", ""},
        {"pkg:pypi//Django_Rest@3.2RC1", "pypi", "", "django-rest", "3.2rc1", "", ""},
        {"pkg:golang/stdlib@1.22.1", "golang", "", "stdlib", "1.22.1", "", ""},
        {"PKG:composer/Vendor//Name/", "composer", "vendor", "name", "", "", ""},
        {"pkg:generic/a?download_url=https://example.org/?q=1#./x/../y//z/", "generic", "", "a", "",
            "download_url=https://example.org/?q=1", "x/y/z"},
        {"pkg:git/github.com/Owner/Repo@1", "git", "github.com", "owner/repo", "1", "", ""},
        {"pkg:git/example.org/Owner//Repo@1", "git", "example.org", "Owner/Repo", "1", "", ""},
        {"pkg:pub/Some-Name.x@1", "pub", "", "some_name_x", "1", "", ""},
        {"pkg:cpan/gdt/URI::X@1", "cpan", "GDT", "URI::X", "1", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct good *want = &table[i];
        struct purl purl;

        if (purl_parse(slice_of(want->text), PURL_LENIENT, &purl, &err) < 0)
            fail_msg("%s does not parse: %s", want->text, err.message);
        assert_slice(purl.type, want->type);
        assert_slice(purl.namespace, want->namespace);
        assert_slice(purl.name, want->name);
        assert_slice(purl.version, want->version);
        assert_slice(purl.subpath, want->subpath);
        assert_qualifiers(&purl, want->qualifiers);
    }
}

static void refuses(void **state)
{
    static const char *const bad[] = {"", "pkg", "pkg:", "pkg:deb", "pkg:deb/", "pkg:/name",
        "npm/left-pad@1", "pkg:n_pm/a", "pkg:3d/a", "pkg:npm/a%2", "pkg:npm/a%zz", "pkg:npm/a@1%",
        "pkg:npm/a?arch=%4", "pkg:npm/a#%4"};
    static char longest[PURL_MAX_BYTES + 1];
    struct purl purl;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        err = (struct err){0};
        if (purl_parse(slice_of(bad[i]), PURL_LENIENT, &purl, &err) == 0)
            fail_msg("\"%s\" parses", bad[i]);
        assert_int_equal(err.code, ERR_INVALID);
    }
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "pkg:npm/", 8);
    assert_ok(purl_parse((struct slice){longest, PURL_MAX_BYTES}, PURL_LENIENT, &purl, &err));
    assert_int_equal(
        purl_parse((struct slice){longest, PURL_MAX_BYTES + 1}, PURL_LENIENT, &purl, &err), -1);
}

/* What only strict reading refuses. */
static void is_strict_when_asked(void **state)
{
    static const struct {
        const char *text, *why;
    } table[] = {
        {"pkg:npm/a?Arch=x", "lower case"},
        {"pkg:npm/a?in%20use=x", "malformed"},
        {"pkg:npm/a?x=1&x=2", "twice"},
        {"pkg:npm/%ff", "UTF-8"},
        {"pkg:golang/stdlib@1", "needs a namespace"},
        {"pkg:cargo/x/y", "has no namespace"},
        {"pkg:julia/Dates", "needs the qualifier uuid"},
        {"pkg:cpan/URI::X", "not a module"},
        {"pkg:chrome-extension/dogs", "32 letters"},
        {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.", "1 to 4 numbers"},
        {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.3.4.5", "1 to 4 numbers"},
    };
    struct purl purl;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        assert_ok(purl_parse(slice_of(table[i].text), PURL_LENIENT, &purl, &err));
        if (purl_parse(slice_of(table[i].text), PURL_STRICT, &purl, &err) == 0)
            fail_msg("\"%s\" parses", table[i].text);
        if (!strstr(err.message, table[i].why))
            fail_msg("\"%s\": %s", table[i].text, err.message);
    }
    assert_int_equal(purl_parse(SLICE("pkg:npm/@lonely"), PURL_STRICT, &purl, &err), -1);
}

static void has_a_ceiling_on_qualifiers(void **state)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct purl purl;

    (void)state;
    buf_put_cstr(&text, "pkg:npm/a?q0=v");
    for (int i = 1; i < PURL_MAX_QUALIFIERS; i++)
        buf_printf(&text, "&q%d=v", i);
    assert_ok(purl_parse(buf_slice(&text), PURL_LENIENT, &purl, &err));
    assert_int_equal(purl.qualifier_count, PURL_MAX_QUALIFIERS);
    assert_slice(purl_qualifier(&purl, "q31"), "v");
    assert_slice(purl_qualifier(&purl, "q32"), "");
    buf_put_cstr(&text, "&q=v");
    assert_int_equal(purl_parse(buf_slice(&text), PURL_LENIENT, &purl, &err), -1);
}

static void builds_the_canonical_form(void **state)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct purl purl = {.type = SLICE("Deb"),
        .namespace = SLICE("Debian"),
        .name = SLICE("libstdc++6"),
        .version = SLICE("1:2 3"),
        .subpath = SLICE("/a b/./c/")};

    (void)state;
    purl_add_qualifier(&purl, "distro", SLICE("debian-12"));
    purl_add_qualifier(&purl, "empty", SLICE_NONE);
    purl_add_qualifier(&purl, "arch", SLICE("amd64"));
    assert_ok(purl_build(&purl, PURL_STRICT, &out, &err));
    assert_slice(buf_slice(&out),
        "pkg:deb/debian/libstdc%2B%2B6@1:2%203?arch=amd64&distro=debian-12#a%20b/c");
    buf_clear(&out);
    purl = (struct purl){.type = SLICE("golang"), .name = SLICE("stdlib")};
    assert_int_equal(purl_build(&purl, PURL_STRICT, &out, &err), -1);
    assert_ok(purl_build(&purl, PURL_LENIENT, &out, &err));
    assert_slice(buf_slice(&out), "pkg:golang/stdlib");
}

static void refuses_to_build(void **state)
{
    static char name[PURL_MAX_BYTES];
    struct buf out CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct purl purl = {.type = SLICE("a/b"), .name = SLICE("x")};

    (void)state;
    assert_int_equal(purl_build(&purl, PURL_LENIENT, &out, &err), -1);
    purl.type = SLICE("npm");
    purl_add_qualifier(&purl, "a=b", SLICE("x"));
    assert_int_equal(purl_build(&purl, PURL_LENIENT, &out, &err), -1);
    purl.qualifier_count = 0;
    purl.name = SLICE_NONE;
    assert_int_equal(purl_build(&purl, PURL_LENIENT, &out, &err), -1);
    memset(name, 'x', sizeof(name));
    purl.name = (struct slice){name, sizeof(name)};
    assert_int_equal(purl_build(&purl, PURL_LENIENT, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_leniently),
        cmocka_unit_test(refuses),
        cmocka_unit_test(is_strict_when_asked),
        cmocka_unit_test(has_a_ceiling_on_qualifiers),
        cmocka_unit_test(builds_the_canonical_form),
        cmocka_unit_test(refuses_to_build),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
