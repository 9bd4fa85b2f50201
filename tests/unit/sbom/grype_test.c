/* SPDX-License-Identifier: Apache-2.0 */
/* Grype's report, old and new; and that it names an image as Trivy's does. */
#include "unit.h"

#include "document.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"

static const char image[] =
    "{\"descriptor\": {\"name\": \"grype\", \"version\": \"0.90.0\"}, \"matches\": ["
    " {\"vulnerability\": {\"id\": \"CVE-2024-0001\", \"severity\": \"Negligible\","
    "   \"namespace\": \"redhat:distro:redhat:8\", \"fix\": {\"versions\": [\"0:2.0-4\", "
    "\"3.0-1\"],"
    "   \"state\": \"fixed\"}, \"advisories\": [{\"id\": \"RHSA-2024:1\", \"link\": \"x\"}]},"
    "  \"relatedVulnerabilities\": [{\"id\": \"CVE-2024-0001\"}], \"matchDetails\": [],"
    "  \"artifact\": {\"name\": \"libone\", \"version\": \"2.0-3\", \"type\": \"rpm\","
    "   \"purl\": \"pkg:rpm/redhat/libone@2.0-3?arch=x86_64&epoch=1&upstream=x-1-2.src.rpm\","
    "   \"upstreams\": [{\"name\": \"one\", \"version\": \"2.0-3\"}, {\"name\": \"more\"}],"
    "   \"metadataType\": \"RpmMetadata\", \"metadata\": {\"epoch\": 1,"
    "   \"modularityLabel\": \"stream:1\"}}},"
    " {\"vulnerability\": {\"id\": \"GHSA-aaaa-bbbb-cccc\", \"severity\": null, \"fix\": null},"
    "  \"relatedVulnerabilities\": [{\"id\": \"CVE-2024-0002\"}],"
    "  \"artifact\": {\"name\": \"tool\", \"version\": \"1.0\", \"type\": \"java-archive\","
    "   \"purl\": \"pkg:maven/org.example/tool@1.0\", \"metadata\": {\"virtualPath\": [1]}}}],"
    " \"source\": {\"type\": \"image\", \"target\": {\"userInput\": \"app:1\", \"imageID\": \"" D1
    "\",  \"manifestDigest\": \"" D3
    "\", \"tags\": [\"app:1\"], \"imageSize\": 77, \"repoDigests\": "
    "[\"docker.io/library/app@" D2 "\"], \"architecture\": \"amd64\", \"os\": \"linux\"}},"
    " \"distro\": {\"name\": \"redhat\", \"version\": \"8.7\", \"idLike\": [\"fedora\"]}}";

static void reads_an_image(void **state)
{
    const struct report_claim *claim;
    const struct package *package;

    (void)state;
    read_good(image);
    assert_string_equal(report.format, "grype");
    assert_int_equal(report.source, SOURCE_GRYPE);
    assert_true(report.is_image);
    assert_false(report.complete);
    assert_slice(report.name, "app");
    assert_slice(report.tag, "1");
    assert_slice(report.digest, D2);
    assert_slice(report.config_digest, D1);
    assert_slice(report.os_release, "rhel-8");
    assert_slice(report.architecture, "amd64");
    assert_int_equal(report.size_bytes, 77);

    claim = claim_of("CVE-2024-0001", "libone");
    package = &report.packages[claim->package];
    assert_int_equal(claim->severity, SEVERITY_NEGLIGIBLE);
    assert_slice(claim->fixed_version, "0:2.0-4, 3.0-1");
    assert_slice(package->ecosystem, "rpm");
    assert_slice(package->release, "rhel-8");
    assert_slice(package->version, "1:2.0-3");
    assert_slice(package->arch, "x86_64");
    assert_slice(package->module, "stream:1");
    assert_slice(package->source_name, "one");
    assert_slice(package->source_version, ""); /* the same, but for the epoch */
    assert_names(&report.records[claim->record].covers, "RHSA-2024:1");

    claim = claim_of("GHSA-aaaa-bbbb-cccc", "org.example:tool");
    assert_int_equal(claim->severity, SEVERITY_UNKNOWN);
    assert_names(&report.records[claim->record].aliases, "CVE-2024-0002");
}

static void reads_old_reports(void **state)
{
    (void)state;
    read_good("{\"matches\":[{\"vulnerability\":{\"id\":\"CVE-1\",\"severity\":\"High\","
              "\"links\":[\"x\"],\"cvssV2\":{\"baseScore\":5},\"fixedInVersion\":\"2.0\"},"
              "\"matchDetails\":{\"matcher\":\"m\"},\"artifact\":{\"name\":\"bash\","
              "\"version\":\"1.0\",\"type\":\"deb\",\"metadata\":{\"Source\":\"shell\"}}}],"
              "\"source\":{\"type\":\"directory\",\"target\":\"/srv/app\"},"
              "\"distro\":{\"name\":\"\",\"version\":\"\",\"idLike\":\"\"}}");
    assert_false(report.is_image);
    assert_slice(report.name, "/srv/app");
    assert_slice(report.packages[0].ecosystem, "deb");
    assert_slice(report.packages[0].source_name, "shell");
    assert_slice(report.claims[0].fixed_version, "2.0");
    assert_slice(report.os_release, "");
}

static void upstream_of_a_purl(void **state)
{
    static const struct {
        const char *upstream, *name, *version;
    } table[] = {
        {"avahi-0.7-20.el8.src.rpm", "avahi", "0.7-20.el8"},
        {"two-part-1-2.src.rpm", "two-part", "1-2"}, {"odd.src.rpm", "odd", ""},
        {"openssl%403.0.1", "openssl", "3.0.1"}, {"glibc", "glibc", ""},
        {"a", "", ""}, /* the package itself */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char text[500];

        snprintf(text, sizeof(text),
            "{\"matches\":[{\"vulnerability\":{\"id\":\"V\"},\"artifact\":{\"name\":\"a\","
            "\"version\":\"1\",\"purl\":\"pkg:rpm/x/a@1?upstream=%s\"}}]}",
            table[i].upstream);
        read_good(text);
        assert_slice(report.packages[0].source_name, table[i].name);
        assert_slice(report.packages[0].source_version, table[i].version);
    }
}

static void empty_lists_are_good(void **state)
{
    (void)state;
    read_good("{\"matches\":null,\"source\":null,\"distro\":null}");
    assert_int_equal(report.claim_count, 0);
    assert_false(report.is_image);
    read_good("{\"matches\":[]}");
    assert_string_equal(report.format, "grype");
}

/* One image, as both scanners describe it: name, tag and digest must be the same. */
static void names_an_image_as_trivy_does(void **state)
{
    static const struct {
        const char *given, *tags, *digests;
        const char *name, *tag, *digest;
    } table[] = {
        {"app:1", "[\"app:1\"]", "[\"app@" D2 "\"]", "app", "1", D2},
        {"app", "[\"app:latest\"]", "[]", "app", "latest", D1},
        {"app:1", "[\"app:1\"]", "[\"\"]", "app", "1", D1},
        {"app:1", "[\"app:1\"]", "[\"app@sha256:test\"]", "app", "1", D1},
        {"app:1", "[\"app:1\"]", "[\"mirror/app@" D2 "\"]", "app", "1", D1},
        {"app@" D2, "[]", "[\"app@" D3 "\",\"app@" D2 "\"]", "app", "", D2},
        {"app:1", "[]", "[]", "app", "1", D1},
        {"docker.io/library/app:1", "[\"app:1\"]", "[\"app@" D2 "\"]", "docker.io/library/app", "1",
            D2},
        {"./out/app.tar", "[\"app:1\"]", "null", "app", "1", D1},
        {"out/app.tar.gz", "[\"app:1\",\"app:2\"]", "[]", "app", "1", D1},
        {"/tmp/app", "null", "[]", "", "", D1},
        {"111111111111", "[\"app:1\"]", "[]", "app", "1", D1},
        {D1, "[]", "[]", "", "", D1},
        {"misled:1", "[\"app:2\"]", "[]", "app", "2", D1},
        {"", "[\"\"]", "[\"\"]", "", "", D1},
        {"", "[]", "[\"app@" D2 "\"]", "app", "", D2},
    };
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        for (int trivy = 0; trivy < 2; trivy++) {
            snprintf(text, sizeof(text),
                trivy ? "{\"SchemaVersion\":2,\"ArtifactType\":\"container_image\","
                        "\"ArtifactName\":\"%s\",\"Metadata\":{\"ImageID\":\"" D1 "\","
                        "\"RepoTags\":%s,\"RepoDigests\":%s}}"
                      : "{\"matches\":[],\"source\":{\"type\":\"image\",\"target\":{\"userInput\":"
                        "\"%s\",\"manifestDigest\":\"" D3 "\",\"imageID\":\"" D1 "\","
                        "\"tags\":%s,\"repoDigests\":%s}}}",
                table[i].given, table[i].tags, table[i].digests);
            read_good(text);
            assert_slice(report.name, table[i].name);
            assert_slice(report.tag, table[i].tag);
            assert_slice(report.digest, table[i].digest);
            assert_slice(report.config_digest, D1);
        }
    }
}

static void understands_schemes(void **state)
{
    static const struct {
        const char *given, *tags, *name, *tag;
    } table[] = {
        {"registry:example.org/app:1", "[]", "example.org/app", "1"},
        {"docker:app", "[\"app:latest\"]", "app", "latest"},
        {"docker:dind", "[\"docker:dind\"]", "docker", "dind"},
        {"docker-archive:app", "[\"app:3\"]", "app", "3"},
    };
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        snprintf(text, sizeof(text),
            "{\"matches\":[],\"source\":{\"type\":\"image\",\"target\":{\"userInput\":\"%s\","
            "\"tags\":%s,\"manifestDigest\":\"" D3 "\"}}}",
            table[i].given, table[i].tags);
        read_good(text);
        assert_slice(report.name, table[i].name);
        assert_slice(report.tag, table[i].tag);
        assert_slice(report.digest, D3); /* nothing better is known */
    }
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    assert_refused("{\"matches\":{}}", ERR_INVALID, "matches");
    assert_refused(
        "{\"matches\":[{\"artifact\":{\"name\":[]}}]}", ERR_INVALID, "matches[0].artifact.name");
    assert_refused(
        "{\"matches\":[{\"vulnerability\":{\"id\":\"V\"}}]}", ERR_INVALID, "package name is empty");
    assert_refused("{\"matches\":[{\"artifact\":{\"name\":\"a\"}}]}", ERR_INVALID,
        "vulnerability id is empty");
    assert_refused("{\"matches\":[],\"SchemaVersion\":2}", ERR_UNSUPPORTED,
        "top-level keys of a Grype report and of a Trivy report");
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
        TEST(reads_old_reports),
        TEST(upstream_of_a_purl),
        TEST(empty_lists_are_good),
        TEST(names_an_image_as_trivy_does),
        TEST(understands_schemes),
        TEST(names_what_is_wrong),
        TEST(survives_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
