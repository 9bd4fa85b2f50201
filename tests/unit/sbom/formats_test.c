/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the format, and refusing by name what is not read. */
#include "unit.h"

#include "document.h"

static void refuses_known_formats_by_name(void **state)
{
    static const struct {
        const char *text, *name;
    } table[] = {
        {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.1\"}",
            "CycloneDX document of version 1.1: 1.2 to 1.7 are read"},
        {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}",
            "CycloneDX document of version 2.0"},
        {"{\"spdxVersion\":\"SPDX-2.1\"}", "SPDX document of version SPDX-2.1"},
        {"{\"spdxVersion\":\"SPDX-3.0\"}", "SPDX document of version SPDX-3.0"},
        {"{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}", "SPDX 3"},
        {"{\"@context\":\"https://openvex.dev/ns/v0.2.0\"}", "OpenVEX"},
        {"{\"document\":{},\"product_tree\":{}}", "CSAF"},
        {"{\"version\":\"2.1.0\",\"runs\":[]}", "SARIF"},
        {"{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\"}", "SARIF"},
        {"{\"ClusterName\":\"c\",\"Resources\":[]}", "Trivy Kubernetes report"},
        {"{\"Resources\":[]}", "Trivy Kubernetes report"},
        {"{\"apiVersion\":\"aquasecurity.github.io/v1alpha1\",\"kind\":\"VulnerabilityReport\"}",
            "VulnerabilityReport of the trivy-operator"},
        {"{\"kind\":\"ClusterVulnerabilityReport\"}", "VulnerabilityReport"},
        {"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", "Kubernetes object"},
        {"{\"application/vnd.security.vulnerability.report; version=1.1\":{}}", "Harbor"},
        {"{\"manifest_hash\":\"x\"}", "Clair"},
        {"{\"image\":\"x\",\"unapproved\":[]}", "clair-scanner"},
        {"{\"LayerCount\":1}", "klar"},
        {"{\"total_count\":1,\"data\":[]}", "JFrog Xray"},
        {"{\"artifacts\":[]}", "JFrog Xray"},
        {"{\"artifacts\":[],\"artifactRelationships\":[]}", "Syft"},
        {"{\"imageDigest\":\"x\",\"vulnerability_type\":\"all\"}", "Anchore"},
        {"{\"vulnerabilities\":[],\"dependencyCount\":3}", "Snyk"},
        {"{\"version\":\"15\",\"scan\":{}}", "GitLab"},
        {"[{\"type\":\"issue\",\"check_name\":\"x\"}]", "GitLab code quality"},
        {"{\"Findings\":[]}", "ASFF"},
        {"[{\"SchemaVersion\":\"x\",\"AwsAccountId\":\"1\"}]", "ASFF"},
        {"[{\"Target\":\"x\"}]", "schema version 1"},
        {"{\"payloadType\":\"x\"}", "DSSE"},
        {"SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\n", "SPDX document in tag-value form"},
        {"<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\">",
            "CycloneDX document in XML"},
        {"<rdf:RDF xmlns:spdx=\"http://spdx.org/rdf/terms#\">", "SPDX document in RDF or XML"},
        {"---\nSPDXID: \"SPDXRef-DOCUMENT\"\n", "SPDX document in YAML"},
        {"PK\x03\x04rest", "zip archive"},
        {"\x28\xb5\x2f\xfd"
         "rest",
            "zstd-compressed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        assert_refused(table[i].text, ERR_UNSUPPORTED, table[i].name);
}

/* A value of a type that no format has there: only a known format's is an error. */
static void knows_other_documents_with_the_same_keys(void **state)
{
    (void)state;
    assert_refused("{\"name\":\"x\",\"packages\":{\"a\":[]},\"components\":7,\"source\":\"s\"}",
        ERR_UNSUPPORTED, "not a known report: top-level keys name, packages, components, source;");
    assert_refused("{\"packages\":{},\"spdxVersion\":\"SPDX-2.3\"}", ERR_INVALID,
        "packages of this SPDX document is not an array");
    assert_refused("{\"source\":\"s\",\"matches\":[]}", ERR_INVALID,
        "source of this Grype report is not an object");
    assert_refused("{\"matches\":[],\"source\":\"s\"}", ERR_INVALID, "at byte");
    assert_refused("{\"SchemaVersion\":\"2\"}", ERR_INVALID, "SchemaVersion");
    assert_refused("{\"bomFormat\":1}", ERR_INVALID, "bomFormat");
    read_good("{\"matches\":[],\"components\":[7],\"packages\":{},\"source\":null}");
}

static void lists_the_keys_of_unknown_documents(void **state)
{
    (void)state;
    assert_refused("{\"b\":1,\"a\":[2],\"c\":{\"d\":null}}", ERR_UNSUPPORTED,
        "this is not a known report: top-level keys b, a, c;");
    assert_refused("{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1}",
        ERR_UNSUPPORTED, "7, 8, ...;");
    assert_refused("{\"a\\nb\":1}", ERR_UNSUPPORTED, "keys a?b;");
    assert_refused("{}", ERR_UNSUPPORTED, "an empty JSON object");
    assert_refused("[]", ERR_UNSUPPORTED, "a JSON array");
    assert_refused("[1]", ERR_UNSUPPORTED, "a JSON array");
    assert_refused("null", ERR_UNSUPPORTED, "no object");
}

static void says_what_the_bytes_look_like(void **state)
{
    static char tar[512];

    (void)state;
    assert_refused("", ERR_FORMAT, "empty");
    assert_refused(" \n", ERR_FORMAT, "empty");
    assert_refused("<html>", ERR_FORMAT, "XML or HTML");
    assert_refused("---\na: 1\n", ERR_FORMAT, "YAML");
    assert_refused("- a\n- b\n", ERR_FORMAT, "YAML");
    assert_refused("name: x\n", ERR_FORMAT, "YAML");
    assert_refused("\x7f"
                   "ELF\x02",
        ERR_FORMAT, "ELF");
    assert_refused("SQLite format 3", ERR_FORMAT, "SQLite");
    assert_refused("Total: 5\x01 (HIGH", ERR_FORMAT, "YAML");
    assert_refused("Report \x01", ERR_FORMAT, "starts with \"Report \\01\"");
    memcpy(tar + 257, "ustar", 5);
    tar[0] = 'a';
    assert_int_equal(read_bytes((struct slice){tar, sizeof(tar)}), -1);
    assert_non_null(strstr(err.message, "a tar archive"));
    assert_refused("{\"matches\":[]} x", ERR_FORMAT, "at byte 15");
    assert_refused("{\"matches\":[],}", ERR_FORMAT, "at byte");
}

/* A member that only the other formats have does not make a recognised report another one. */
static void a_recognised_report_may_have_any_member(void **state)
{
    (void)state;
    read_good("{\"matches\":[],\"scan\":{},\"runs\":[],\"kind\":\"VulnerabilityReport\"}");
    read_good("\xef\xbb\xbf \n{\"SchemaVersion\":2,\"$schema\":\"sarif\"}");
    assert_string_equal(report.format, "trivy");
}

static void reads_gzip(void **state)
{
    /* printf '{"matches":[]}' | gzip -n */
    static const unsigned char bytes[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x03, 0xab, 0x56, 0xca, 0x4d, 0x2c, 0x49, 0xce, 0x48, 0x2d, 0x56, 0xb2, 0x8a, 0x8e, 0xad,
        0x05, 0x00, 0x07, 0x9f, 0xcc, 0x28, 0x0e, 0x00, 0x00, 0x00};

    (void)state;
    assert_ok(read_bytes((struct slice){(const char *)bytes, sizeof(bytes)}));
    assert_string_equal(report.format, "grype");
    assert_int_equal(read_bytes((struct slice){(const char *)bytes, sizeof(bytes) - 3}), -1);
    assert_int_equal(err.code, ERR_FORMAT);
}

static void leaves_the_stream_to_the_caller(void **state)
{
    struct stream *in CLEANUP(stream_cleanup) = stream_open_memory(SLICE("{\"matches\":[]}"), &err);
    char byte;
    size_t got = 99;

    (void)state;
    assert_non_null(in);
    assert_ok(report_read(in, LIMIT_REPORT_BYTES, &report, &err));
    assert_ok(stream_read(in, &byte, 1, &got, &err));
    assert_int_equal(got, 0);
}

static void knows_a_ceiling(void **state)
{
    static const char text[] = "{\"matches\":[]}";

    (void)state;
    for (size_t less = 0; less < 2; less++) {
        struct stream *in CLEANUP(stream_cleanup) = stream_open_memory(slice_of(text), &err);

        assert_non_null(in);
        assert_int_equal(report_read(in, strlen(text) - less, &report, &err), less ? -1 : 0);
    }
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "the report is larger than the limit of 13 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_known_formats_by_name),
        TEST(knows_other_documents_with_the_same_keys),
        TEST(lists_the_keys_of_unknown_documents),
        TEST(says_what_the_bytes_look_like),
        TEST(a_recognised_report_may_have_any_member),
        TEST(reads_gzip),
        TEST(leaves_the_stream_to_the_caller),
        TEST(knows_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
