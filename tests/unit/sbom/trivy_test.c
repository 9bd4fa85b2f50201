/* SPDX-License-Identifier: Apache-2.0 */
/* Trivy's report: what is taken from where, in any order of members. */
#include "unit.h"

#include "document.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static const char image[] =
    "{\"SchemaVersion\": 2, \"CreatedAt\": \"2026-01-01T00:00:00Z\","
    " \"ArtifactName\": \"registry.example:5000/team/app:1.4\", \"ArtifactType\": "
    "\"container_image\","
    " \"Metadata\": {\"Size\": 123456, \"OS\": {\"Family\": \"debian\", \"Name\": \"12.5\"},"
    "  \"ImageID\": \"" D1 "\", \"RepoTags\": [\"other:1\", "
    "\"registry.example:5000/team/app:1.4\"],"
    "  \"RepoDigests\": [\"other@" D1 "\", \"registry.example:5000/team/app@" D2 "\"],"
    "  \"ImageConfig\": {\"architecture\": \"arm64\", \"variant\": \"v8\", \"os\": \"linux\"}},"
    " \"Results\": ["
    "  {\"Target\": \"app (debian 12.5)\", \"Class\": \"os-pkgs\", \"Type\": \"debian\","
    "   \"Packages\": ["
    "    {\"ID\": \"libone@1:2.0-3\", \"Name\": \"libone\", \"Version\": \"2.0\", \"Release\": "
    "\"3\","
    "     \"Epoch\": 1, \"Arch\": \"arm64\", \"SrcName\": \"one\", \"SrcVersion\": \"2.0\","
    "     \"SrcRelease\": \"3\", \"SrcEpoch\": 1, \"Identifier\": {\"UID\": \"u1\","
    "     \"PURL\": \"pkg:deb/debian/libone@2.0-3?arch=arm64&epoch=1\"}},"
    "    {\"ID\": \"two@5\", \"Name\": \"two\", \"Version\": \"5\", \"SrcName\": \"two\","
    "     \"SrcVersion\": \"5\", \"Identifier\": {\"UID\": \"u2\"}}],"
    "   \"Vulnerabilities\": ["
    "    {\"VulnerabilityID\": \"CVE-2024-0001\", \"VendorIDs\": [\"DSA-1-1\"],"
    "     \"PkgName\": \"libone\", \"PkgIdentifier\": {\"UID\": \"u1\"},"
    "     \"InstalledVersion\": \"1:2.0-3\", \"FixedVersion\": \"1:2.0-4\", \"Severity\": "
    "\"HIGH\"},"
    "    {\"VulnerabilityID\": \"CVE-2024-0002\", \"PkgID\": \"two@5\", \"PkgName\": \"two\","
    "     \"InstalledVersion\": \"5\", \"Severity\": \"Low\", \"Status\": \"not_affected\"}]},"
    "  {\"Target\": \"jars\", \"Class\": \"lang-pkgs\", \"Type\": \"jar\","
    "   \"Packages\": [{\"Name\": \"org.example:tool\", \"Version\": \"1.0\"}],"
    "   \"Vulnerabilities\": [{\"VulnerabilityID\": \"CVE-2024-0003\", \"VendorIDs\": "
    "[\"GHSA-aaaa-bbbb-cccc\"],"
    "     \"PkgName\": \"org.example:tool\", \"InstalledVersion\": \"1.0\", \"Severity\": "
    "\"weird\"}]},"
    "  {\"Target\": \"Dockerfile\", \"Class\": \"config\", \"Type\": \"dockerfile\","
    "   \"Misconfigurations\": [{\"ID\": \"DS001\"}]}]}";

static void reads_an_image(void **state)
{
    const struct report_claim *claim;
    const struct package *package;

    (void)state;
    read_good(image);
    assert_string_equal(report.format, "trivy");
    assert_int_equal(report.source, SOURCE_TRIVY);
    assert_true(report.complete && report.is_image);
    assert_slice(report.name, "registry.example:5000/team/app");
    assert_slice(report.tag, "1.4");
    assert_slice(report.digest, D2);
    assert_slice(report.config_digest, D1);
    assert_slice(report.os_release, "debian-12");
    assert_slice(report.architecture, "arm64/v8");
    assert_int_equal(report.size_bytes, 123456);
    assert_int_equal(report.package_count, 3);
    assert_int_equal(report.claim_count, 3);

    claim = claim_of("CVE-2024-0001", "libone");
    package = &report.packages[claim->package];
    assert_int_equal(claim->severity, SEVERITY_HIGH);
    assert_slice(claim->fixed_version, "1:2.0-4");
    assert_slice(package->ecosystem, "deb");
    assert_slice(package->release, "debian-12");
    assert_slice(package->version, "1:2.0-3");
    assert_slice(package->arch, "arm64");
    assert_slice(package->source_name, "one");
    assert_slice(package->source_version, "");
    assert_names(&report.records[claim->record].covers, "DSA-1-1");
    assert_names(&report.records[claim->record].aliases, "");

    claim = claim_of("CVE-2024-0002", "two");
    assert_slice(report.packages[claim->package].source_name, "");
    assert_int_equal(claim->severity, SEVERITY_LOW);
    assert_slice(claim->fixed_version, "");

    claim = claim_of("CVE-2024-0003", "org.example:tool");
    assert_slice(report.packages[claim->package].ecosystem, "maven");
    assert_slice(report.packages[claim->package].release, "");
    assert_int_equal(claim->severity, SEVERITY_UNKNOWN);
    assert_names(&report.records[claim->record].aliases, "GHSA-aaaa-bbbb-cccc");
}

static void order_of_members_does_not_matter(void **state)
{
    (void)state;
    read_good("{\"Results\": [{\"Vulnerabilities\": [{\"Severity\": \"CRITICAL\","
              " \"PkgIdentifier\": {\"UID\": \"u1\"}, \"InstalledVersion\": \"1.2.3-r0\","
              " \"PkgName\": \"musl\", \"VulnerabilityID\": \"CVE-2024-0001\"}],"
              " \"Packages\": [{\"Identifier\": {\"UID\": \"u1\"}, \"SrcVersion\": \"9\","
              " \"SrcName\": \"musl-src\", \"Version\": \"1.2.3-r0\", \"Name\": \"musl\"}],"
              " \"Type\": \"alpine\", \"Class\": \"os-pkgs\"}],"
              " \"Metadata\": {\"RepoTags\": [\"a:1\"], \"OS\": {\"Name\": \"3.19.1\", \"Family\": "
              "\"alpine\"}},"
              " \"ArtifactType\": \"container_image\", \"ArtifactName\": \"a:1\", "
              "\"SchemaVersion\": 2}");
    assert_int_equal(report.package_count, 1);
    assert_int_equal(report.claim_count, 1);
    assert_slice(report.packages[0].ecosystem, "apk");
    assert_slice(report.packages[0].release, "alpine-3.19");
    assert_slice(report.packages[0].source_name, "musl-src");
    assert_slice(report.packages[0].source_version, "9");
    assert_true(report.complete);
    assert_slice(report.name, "a");
}

#define HEAD "{\"SchemaVersion\":2,\"ArtifactName\":\"a:1\",\"ArtifactType\":\"container_image\","
#define NPM_RESULT "{\"Class\":\"lang-pkgs\",\"Type\":\"npm\""
#define VULN(id, link) "{\"VulnerabilityID\":\"" id "\"," link "}"

/* The means of linking, each alone; the last vulnerability makes its own package. */
static void links_by_every_means(void **state)
{
    (void)state;
    read_good(
        HEAD "\"Results\":[" NPM_RESULT ",\"Packages\":["
             "{\"Name\":\"p\",\"Version\":\"1\",\"Arch\":\"x1\",\"Identifier\":{\"UID\":\"1\"}},"
             "{\"Name\":\"p\",\"Version\":\"1\",\"Arch\":\"x2\",\"ID\":\"p@1\"},"
             "{\"Name\":\"p\",\"Version\":\"1\",\"Arch\":\"x3\","
             "\"Identifier\":{\"PURL\":\"pkg:npm/p@1\"}},"
             "{\"Name\":\"q\",\"Version\":\"1\",\"Arch\":\"x4\"}],"
             "\"Vulnerabilities\":[" VULN(
                 "V-1", "\"PkgName\":\"?\",\"PkgIdentifier\":{\"UID\":\"1\"}") "," VULN("V-2",
                 "\"PkgName\":\"?\",\"PkgID\":\"p@1\"") "," VULN("V-3",
                 "\"PkgName\":\"?\",\"PkgIdentifier\":{\"PURL\":\"pkg:npm/p@1\"}") "," VULN("V-4",
                 "\"PkgName\":\"q\",\"InstalledVersion\":\"1\"") "," VULN("V-5",
                 "\"PkgName\":\"q\",\"InstalledVersion\":\"2\"") "]}]}");
    assert_int_equal(report.package_count, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(report.claims[i].package, i);
    assert_slice(report.packages[4].name, "q");
    assert_slice(report.packages[4].version, "2");
    assert_slice(report.packages[4].ecosystem, "npm");
}

/* Identifiers hold within their result only. */
static void links_within_a_result(void **state)
{
    (void)state;
    read_good(HEAD
        "\"Results\":[" NPM_RESULT
        ",\"Packages\":[{\"ID\":\"x\",\"Name\":\"a\",\"Version\":\"1\"}],"
        "\"Vulnerabilities\":[" VULN("V-1",
            "\"PkgID\":\"x\"") "]}," NPM_RESULT
                               ",\"Packages\":[{\"ID\":\"x\",\"Name\":\"b\",\"Version\":\"1\"}],"
                               "\"Vulnerabilities\":[" VULN("V-1", "\"PkgID\":\"x\"") "]}]}");
    assert_non_null(claim_of("V-1", "a"));
    assert_non_null(claim_of("V-1", "b"));
    assert_int_equal(report.record_count, 1);
}

static void says_whether_it_is_complete(void **state)
{
    static const struct {
        const char *results;
        bool complete;
    } table[] = {
        {"null", false},
        {"[]", false},
        {"[" NPM_RESULT "}]", false},
        {"[" NPM_RESULT ",\"Packages\":[]}]", true},
        {"[" NPM_RESULT ",\"Packages\":null}]", true},
        {"[{\"Class\":\"secret\",\"Packages\":[]}]", false},
        {"[" NPM_RESULT ",\"Packages\":[]}," NPM_RESULT "}]", true},
        {"[" NPM_RESULT ",\"Packages\":[]}," NPM_RESULT
         ",\"Vulnerabilities\":[" VULN("V", "\"PkgName\":\"a\"") "]}]",
            false},
        {"[" NPM_RESULT ",\"Vulnerabilities\":[" VULN("V", "\"PkgName\":\"a\"") "]}]", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char text[1000];

        snprintf(text, sizeof(text), HEAD "\"Results\":%s}", table[i].results);
        read_good(text);
        if (report.complete != table[i].complete)
            fail_msg("%s", table[i].results);
    }
}

static void composes_versions(void **state)
{
    static const char *const want[] = {"1:2-3", "2-3", "2", "7:2", "2"};

    (void)state;
    read_good(
        HEAD "\"Results\":[{\"Class\":\"os-pkgs\",\"Type\":\"redhat\",\"Packages\":["
             "{\"Name\":\"a\",\"Version\":\"2\",\"Release\":\"3\",\"Epoch\":1},"
             "{\"Name\":\"b\",\"Version\":\"2\",\"Release\":\"3\",\"Epoch\":0},"
             "{\"Name\":\"c\",\"Version\":\"0:2\"},"
             "{\"Name\":\"d\",\"Version\":\"7:2\",\"Epoch\":7},"
             "{\"Name\":\"e\",\"Version\":\"2\\u0000junk\",\"Epoch\":null,\"Arch\":null}]}]}");
    for (size_t i = 0; i < 5; i++)
        assert_slice(report.packages[i].version, want[i]);
    assert_slice(report.packages[0].ecosystem, "rpm");
}

/* A distribution that only a purl names. */
static void takes_the_release_from_a_purl(void **state)
{
    (void)state;
    read_good("{\"SchemaVersion\":2,\"ArtifactName\":\"s.json\",\"ArtifactType\":\"spdx\","
              "\"Results\":[{\"Class\":\"os-pkgs\",\"Type\":\"alpine\",\"Packages\":["
              "{\"Name\":\"m\",\"Version\":\"1\",\"Identifier\":{\"PURL\":"
              "\"pkg:apk/alpine/m@1?arch=x86_64&distro=3.9.4\"}}]}]}");
    assert_slice(report.os_release, "alpine-3.9");
    assert_slice(report.packages[0].release, "alpine-3.9");
    assert_slice(report.packages[0].arch, "x86_64");
    assert_false(report.is_image);
    assert_slice(report.name, "s.json");
}

static void relates_names(void **state)
{
    static const struct {
        const char *name, *vendor_ids, *aliases, *covers;
    } table[] = {
        {"CVE-1", "null", "", ""},
        {"CVE-1", "[\"GHSA-2\",\"GHSA-1\",null,\"\",\"CVE-1\"]", "GHSA-1 GHSA-2", ""},
        {"CVE-1", "[\"CVE-2\"]", "", "CVE-2"},
        {"GHSA-1", "[\"CVE-1\",\"CVE-1\"]", "CVE-1", ""},
        {"GHSA-1", "[\"CVE-2\",\"CVE-1\",\"GHSA-2\"]", "GHSA-2", "CVE-1 CVE-2"},
        {"GHSA-1", "[\"RHSA-2024:1\"]", "", "RHSA-2024:1"},
        {"openSUSE-SU-1", "[\"CVE-1\"]", "", "CVE-1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char text[1000];

        snprintf(text, sizeof(text),
            HEAD "\"Results\":[" NPM_RESULT ",\"Vulnerabilities\":[{\"VendorIDs\":%s,"
                 "\"VulnerabilityID\":\"%s\",\"PkgName\":\"a\"}]}]}",
            table[i].vendor_ids, table[i].name);
        read_good(text);
        assert_names(&report.records[0].aliases, table[i].aliases);
        assert_names(&report.records[0].covers, table[i].covers);
    }
}

static void worse_severity_and_known_fix_stay(void **state)
{
    (void)state;
    read_good(HEAD "\"Results\":[" NPM_RESULT ",\"Vulnerabilities\":[" VULN(
        "V", "\"PkgName\":\"a\",\"Severity\":\"MEDIUM\"") "," VULN("V",
        "\"PkgName\":\"a\",\"Severity\":\"CRITICAL\",\"FixedVersion\":\"2\"") "," VULN("V",
        "\"PkgName\":\"a\",\"Severity\":\"UNKNOWN\"") "]}]}");
    assert_int_equal(report.claim_count, 1);
    assert_int_equal(report.claims[0].severity, SEVERITY_CRITICAL);
    assert_slice(report.claims[0].fixed_version, "2");
}

static void refuses_other_schemas(void **state)
{
    (void)state;
    assert_refused("{\"SchemaVersion\":3,\"ArtifactName\":1}", ERR_UNSUPPORTED,
        "schema version 3: only version 2 is read");
    assert_refused(
        "{\"ArtifactName\":\"a\",\"Results\":[]}", ERR_UNSUPPORTED, "without its SchemaVersion");
    assert_refused(
        "[{\"Target\":\"a\",\"Vulnerabilities\":null}]", ERR_UNSUPPORTED, "schema version 1");
    assert_refused(
        "{\"ClusterName\":\"c\",\"Resources\":[]}", ERR_UNSUPPORTED, "Trivy Kubernetes report");
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    assert_refused(HEAD "\"Results\":{}}", ERR_INVALID, "Results");
    assert_refused(HEAD "\"Results\":[{\"Packages\":[{},{\"Name\":5}]}]}", ERR_INVALID,
        "Results[0].Packages[1].Name");
    assert_refused(
        HEAD "\"Results\":[{\"Packages\":[{\"Epoch\":\"1\"}]}]}", ERR_INVALID, "at byte");
    assert_refused(HEAD "\"Metadata\":{\"OS\":[]}}", ERR_INVALID, "Metadata.OS");
    assert_refused(HEAD "\"Results\":[" NPM_RESULT ",\"Packages\":[{\"Version\":\"1\"}]}]}",
        ERR_INVALID, "Results[0]: package name is empty at byte");
    assert_refused(HEAD "\"Results\":[" NPM_RESULT ",\"Vulnerabilities\":[{\"PkgName\":\"a\"}]}]}",
        ERR_INVALID, "vulnerability id is empty");
    assert_refused(HEAD "\"Metadata\":{\"OS\":{\"Family\":\"a\\u0001b\",\"Name\":\"1\"}}}",
        ERR_INVALID, "the distribution \"a?b-1\"");
}

static void survives_truncation(void **state)
{
    (void)state;
    assert_survives_truncation(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_an_image),
        TEST(order_of_members_does_not_matter),
        TEST(links_by_every_means),
        TEST(links_within_a_result),
        TEST(says_whether_it_is_complete),
        TEST(composes_versions),
        TEST(takes_the_release_from_a_purl),
        TEST(relates_names),
        TEST(worse_severity_and_known_fix_stay),
        TEST(refuses_other_schemas),
        TEST(names_what_is_wrong),
        TEST(survives_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
