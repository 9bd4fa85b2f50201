/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX 2: what is a package, and what the document is about. */
#include "unit.h"

#include "document.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define HEAD "{'spdxVersion':'SPDX-2.3','SPDXID':'SPDXRef-DOCUMENT','name':'doc',"

static const char image[] = HEAD
    "'packages':["
    " {'SPDXID':'SPDXRef-Root','name':'shop/app:1.0','primaryPackagePurpose':'CONTAINER',"
    "  'externalRefs':[{'referenceCategory':'PACKAGE-MANAGER','referenceType':'purl',"
    "   'referenceLocator':'pkg:oci/app@" D1 "?arch=amd64&repository_url=shop%2Fapp'}],"
    "  'annotations':[{'annotator':'Tool: trivy','comment':'ImageID: " D2 "'},"
    "   {'comment':'RepoTag: shop/app:1.0'},{'comment':'SchemaVersion: 2'},{'comment':'odd'}]},"
    " {'SPDXID':'SPDXRef-OS','name':'alpine','versionInfo':'3.19.1',"
    "  'primaryPackagePurpose':'OPERATING-SYSTEM'},"
    " {'SPDXID':'SPDXRef-Application-1','name':'Gemfile.lock',"
    "  'primaryPackagePurpose':'APPLICATION'},"
    " {'SPDXID':'SPDXRef-1','name':'musl','versionInfo':'1.2.4-r2','externalRefs':["
    "  {'referenceType':'cpe23Type','referenceLocator':'cpe:2.3:a'},"
    "  {'referenceLocator':'pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=3.19.1',"
    "   'referenceType':'purl','referenceCategory':'PACKAGE_MANAGER'}],"
    "  'sourceInfo':'built package from: musl-src 1.2.4-r1'},"
    " {'SPDXID':'SPDXRef-2','name':'plain','versionInfo':'1','filesAnalyzed':false},"
    " {'SPDXID':'SPDXRef-3','name':'unversioned','versionInfo':'NOASSERTION',"
    "  'primaryPackagePurpose':'LIBRARY'},"
    " {'SPDXID':'SPDXRef-4','name':'sources','primaryPackagePurpose':'SOURCE'}],"
    "'relationships':[{'spdxElementId':'SPDXRef-DOCUMENT','relationshipType':'DESCRIBES',"
    " 'relatedSpdxElement':'SPDXRef-Root'},{'spdxElementId':'SPDXRef-Root',"
    " 'relationshipType':'CONTAINS','relatedSpdxElement':'SPDXRef-1'}]}";

static void reads_an_image(void **state)
{
    (void)state;
    read_quoted(image);
    assert_string_equal(report.format, "spdx");
    assert_int_equal(report.source, SOURCE_SBOM);
    assert_true(report.is_image);
    assert_true(report.complete);
    assert_slice(report.name, "shop/app");
    assert_slice(report.tag, "1.0");
    assert_slice(report.digest, D1);
    assert_slice(report.config_digest, D2);
    assert_slice(report.os_release, "alpine-3.19");
    assert_slice(report.architecture, "amd64");
    assert_int_equal(report.package_count, 3);
    assert_int_equal(report.claim_count, 0);
    assert_package("musl", "apk|alpine-3.19||musl|1.2.4-r2|x86_64||musl-src|1.2.4-r1");
    assert_package("plain", "generic|||plain|1||||");
    assert_package("unversioned", "generic|||unversioned|||||");
}

/* What the document is about: name (empty: nothing), and how many packages there are. */
static void finds_the_root(void **state)
{
#define PURL "'externalRefs':[{'referenceType':'purl','referenceLocator':'pkg:npm/a@1'}]"
    static const struct {
        const char *rest, *name;
        bool is_image;
        size_t packages;
    } table[] = {
        {"'documentDescribes':['SPDXRef-A'],'packages':[{'SPDXID':'SPDXRef-A','name':'a'},"
         "{'SPDXID':'SPDXRef-B','name':'b'}]}",
            "a", false, 1},
        {"'documentDescribes':['SPDXRef-A'],'packages':[{'SPDXID':'SPDXRef-A','name':'a'," PURL
         "}]}",
            "", false, 1},
        {"'documentDescribes':['SPDXRef-A','SPDXRef-B'],'packages':[{'SPDXID':'SPDXRef-A',"
         "'name':'a'},{'SPDXID':'SPDXRef-B','name':'b'}]}",
            "", false, 2},
        {"'packages':[{'SPDXID':'SPDXRef-A','name':'a'},{'SPDXID':'SPDXRef-B','name':'b'}],"
         "'relationships':[{'relatedSpdxElement':'SPDXRef-DOCUMENT','spdxElementId':'SPDXRef-B',"
         "'relationshipType':'DESCRIBED_BY'},{'spdxElementId':'SPDXRef-A',"
         "'relationshipType':'DESCRIBES','relatedSpdxElement':'SPDXRef-A'}]}",
            "b", false, 1},
        {"'packages':[{'name':'a','primaryPackagePurpose':'CONTAINER'},{'name':'b'}]}", "a", true,
            1},
        {"'packages':[{'name':'a','primaryPackagePurpose':'CONTAINER'},"
         "{'name':'b','primaryPackagePurpose':'CONTAINER'}]}",
            "", false, 0},
        {"'documentDescribes':['SPDXRef-DocumentRoot-Image-a'],'packages':[{'name':'a',"
         "'versionInfo':'1.0','SPDXID':'SPDXRef-DocumentRoot-Image-a'}]}",
            "a", true, 0},
        {"'documentDescribes':['SPDXRef-A'],'packages':[{'name':'x','SPDXID':'SPDXRef-A',"
         "'externalRefs':[{'referenceType':'purl','referenceLocator':"
         "'pkg:docker/team/app@1.0?repository_url=r.example.org'}]},{'name':'y','externalRefs':["
         "{'referenceType':'purl','referenceLocator':'pkg:oci/other@1.0'}]}]}",
            "r.example.org/team/app", true, 1},
        {"'packages':null,'relationships':null,'documentDescribes':null}", "", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char text[1000];

        snprintf(text, sizeof(text), HEAD "%s", table[i].rest);
        read_quoted(text);
        assert_int_equal(report.is_image, table[i].is_image);
        assert_slice(report.name, table[i].name);
        assert_int_equal(report.package_count, table[i].packages);
        assert_int_equal(report.complete, table[i].packages > 0);
    }
}

/* As Trivy and Syft wrote 2.2. */
static void reads_2_2(void **state)
{
    (void)state;
    read_quoted("{'documentDescribes':['SPDXRef-ContainerImage-1'],'packages':["
                "{'attributionTexts':['RepoTag: app:1','ImageID: " D1 "','DiffID: x'],"
                " 'SPDXID':'SPDXRef-ContainerImage-1','name':'app.tar'},"
                "{'SPDXID':'SPDXRef-OperatingSystem-2','name':'centos','versionInfo':'7.6.1810'},"
                "{'name':'bash','externalRefs':[{'referenceType':'purl','referenceLocator':"
                "'pkg:rpm/centos/bash@4.2-31.el7?arch=x86_64&distro=centos-7.6&epoch=1"
                "&rpmmod=m:1&upstream=bash-4.2-31.el7.src.rpm'}]}],"
                "'SPDXID':'SPDXRef-DOCUMENT','spdxVersion':'SPDX-2.2'}");
    assert_true(report.is_image);
    assert_slice(report.name, "app");
    assert_slice(report.tag, "1");
    assert_slice(report.config_digest, D1);
    assert_package("bash", "rpm|centos-7||bash|1:4.2-31.el7|x86_64|m:1||");
}

static void takes_careens_own_annotations(void **state)
{
    (void)state;
    read_quoted(HEAD "'packages':[{'name':'app','primaryPackagePurpose':'CONTAINER','annotations':["
                     "{'comment':'careen:complete=false'},{'comment':'careen:config_digest=" D1
                     "'}]},{'name':'a','annotations':[{'comment':'careen:ecosystem=deb'},"
                     "{'comment':'careen:release= x=y '},{'comment':'careen:channel='},"
                     "{'comment':'careen:version'},{'comment':null}]}]}");
    assert_false(report.complete);
    assert_slice(report.config_digest, D1);
    assert_package("a", "deb| x=y ||a|||||");
}

static void refuses_wrong_types(void **state)
{
    (void)state;
    assert_quoted_refused(HEAD "'packages':[{'name':[]}]}", ERR_INVALID, "packages[0].name");
    assert_quoted_refused(HEAD "'packages':[7]}", ERR_INVALID, "packages[0]");
    assert_quoted_refused(
        HEAD "'packages':[{'externalRefs':[{'referenceType':1}]}]}", ERR_INVALID, "referenceType");
    assert_quoted_refused(
        HEAD "'relationships':[{'spdxElementId':1}]}", ERR_INVALID, "relationships[0]");
    assert_quoted_refused(HEAD "'packages':[{'versionInfo':'1'}]}", ERR_INVALID, "name is empty");
    assert_quoted_refused("{'SPDXID':'SPDXRef-DOCUMENT'}", ERR_INVALID, "without its spdxVersion");
    assert_quoted_refused("{'spdxVersion':'SPDX-2.x'}", ERR_UNSUPPORTED, "SPDX-2.x");
    assert_quoted_refused("{'spdxVersion':'2.3'}", ERR_UNSUPPORTED, "version 2.3");
    read_quoted("{'spdxVersion':'SPDX-2.9'}");
}

static void survives_truncation(void **state)
{
    char *copy CLEANUP(cleanup_free) = strdup(image);

    (void)state;
    assert_non_null(copy);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    assert_survives_truncation(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_an_image),
        TEST(finds_the_root),
        TEST(reads_2_2),
        TEST(takes_careens_own_annotations),
        TEST(refuses_wrong_types),
        TEST(survives_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
