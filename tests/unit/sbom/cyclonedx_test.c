/* SPDX-License-Identifier: Apache-2.0 */
/* CycloneDX: what is a package, what the document is about, and the vulnerabilities. */
#include "unit.h"

#include "document.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define HEAD "{'bomFormat':'CycloneDX','specVersion':'1.6',"

/* As Trivy writes it. */
static const char trivy_image[] = HEAD
    "'metadata':{'tools':{'components':[{'type':'application','name':'trivy'}]},"
    " 'component':{'bom-ref':'root','type':'container','name':'shop/app:1.0',"
    "  'purl':'pkg:oci/app@" D1 "?arch=amd64&repository_url=index.docker.io%2Fshop%2Fapp',"
    "  'properties':[{'name':'aquasecurity:trivy:ImageID','value':'" D2 "'},"
    "   {'name':'aquasecurity:trivy:RepoTag','value':'shop/app:1.0'},"
    "   {'name':'aquasecurity:trivy:Size','value':'1234'},{'name':'other','value':'x'}]}},"
    "'components':["
    " {'bom-ref':'os','type':'operating-system','name':'debian','version':'12.1'},"
    " {'bom-ref':'lock','type':'application','name':'package-lock.json',"
    "  'properties':[{'name':'aquasecurity:trivy:Class','value':'lang-pkgs'}]},"
    " {'bom-ref':'c1','type':'library','name':'libone1','version':'1.0-2',"
    "  'purl':'pkg:deb/debian/libone1@1.0-2?arch=amd64&distro=debian-12.1&epoch=1',"
    "  'properties':[{'value':'one','name':'aquasecurity:trivy:SrcName'},"
    "   {'name':'aquasecurity:trivy:SrcVersion','value':'1.0'},"
    "   {'name':'aquasecurity:trivy:SrcRelease','value':'1'},"
    "   {'name':'aquasecurity:trivy:SrcEpoch','value':'2'},{'name':'number','value':3}]},"
    " {'bom-ref':'c2','type':'library','group':'org.example','name':'tool','version':'1',"
    "  'purl':'pkg:maven/org.example/tool@1'},"
    " {'bom-ref':'c3','type':'library','name':'core','purl':'pkg:npm/%40scope/core@2'}],"
    "'vulnerabilities':["
    " {'id':'CVE-2024-0001','source':{'name':'debian'},"
    "  'ratings':[{'source':{'name':'nvd'},'severity':'critical','score':9.8,'method':'CVSSv31'},"
    "   {'source':{'name':'debian'},'severity':'low'}],"
    "  'recommendation':'Upgrade other to version 9; Upgrade libone1 to version 1:1.0-3',"
    "  'affects':[{'ref':'c1','versions':[{'version':'1.0-2','status':'affected'}]}]},"
    " {'id':'GHSA-aaaa-bbbb-cccc','references':[{'id':'CVE-2024-0002','source':{}}],"
    "  'ratings':[{'score':7.5,'method':'CVSSv3'},{'score':0.9,'method':'other'}],"
    "  'affects':[{'ref':'c2'},{'ref':'c3','versions':[{'status':'unaffected'}]}]},"
    " {'id':'CVE-2024-0003','analysis':{'state':'not_affected'},'affects':[{'ref':'c2'}]}]}";

static void reads_an_image(void **state)
{
    (void)state;
    read_quoted(trivy_image);
    assert_string_equal(report.format, "cyclonedx");
    assert_int_equal(report.source, SOURCE_SBOM);
    assert_true(report.is_image);
    assert_true(report.complete);
    assert_slice(report.name, "shop/app");
    assert_slice(report.tag, "1.0");
    assert_slice(report.digest, D1);
    assert_slice(report.config_digest, D2);
    assert_slice(report.os_release, "debian-12");
    assert_slice(report.architecture, "amd64");
    assert_int_equal(report.size_bytes, 1234);
    assert_int_equal(report.package_count, 3);
    assert_package("libone1", "deb|debian-12||libone1|1:1.0-2|amd64||one|2:1.0-1");
    assert_package("org.example:tool", "maven|||org.example:tool|1||||");
    assert_package("@scope/core", "npm|||@scope/core|2||||");
}

static void reads_vulnerabilities(void **state)
{
    const struct report_claim *claim;

    (void)state;
    read_quoted(trivy_image);
    assert_int_equal(report.claim_count, 2);
    claim = claim_of("CVE-2024-0001", "libone1");
    assert_int_equal(claim->severity, SEVERITY_LOW);
    assert_slice(claim->fixed_version, "1:1.0-3");
    claim = claim_of("GHSA-aaaa-bbbb-cccc", "org.example:tool");
    assert_int_equal(claim->severity, SEVERITY_HIGH);
    assert_slice(claim->fixed_version, "");
    assert_names(&report.records[claim->record].aliases, "CVE-2024-0002");
}

static void rates(void **state)
{
    static const struct {
        const char *ratings;
        enum severity severity;
    } table[] = {
        {"[]", SEVERITY_UNKNOWN},
        {"null", SEVERITY_UNKNOWN},
        {"[{'severity':'none'}]", SEVERITY_NEGLIGIBLE},
        {"[{'severity':'info'}]", SEVERITY_NEGLIGIBLE},
        {"[{'severity':'unknown'}]", SEVERITY_UNKNOWN},
        {"[{'severity':'low'},{'severity':'high'},{'severity':'medium'}]", SEVERITY_HIGH},
        {"[{'severity':'low','score':9.9,'method':'CVSSv4'}]", SEVERITY_LOW},
        {"[{'score':9,'method':'CVSSv2'}]", SEVERITY_CRITICAL},
        {"[{'method':'CVSSv2','score':8.99}]", SEVERITY_HIGH},
        {"[{'score':4.0,'method':'CVSSv31'}]", SEVERITY_MEDIUM},
        {"[{'score':0.1,'method':'CVSSv31'}]", SEVERITY_LOW},
        {"[{'score':3,'method':'CVSSv31'}]", SEVERITY_LOW},
        {"[{'score':0.0,'method':'CVSSv31'}]", SEVERITY_NEGLIGIBLE},
        {"[{'score':9.9,'method':'OWASP'}]", SEVERITY_UNKNOWN},
        {"[{'score':-1,'method':'CVSSv3'}]", SEVERITY_UNKNOWN},
        {"[{'source':{'name':'own'},'severity':'medium'},{'severity':'high'}]", SEVERITY_MEDIUM},
        {"[{'source':{'name':'own'},'severity':'unknown'},{'severity':'high'}]", SEVERITY_HIGH},
        {"[{'source':{'name':'own'},'severity':'low'},{'source':{'name':'own'},'severity':'high'}]",
            SEVERITY_HIGH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char text[600];

        snprintf(text, sizeof(text),
            HEAD "'components':[{'bom-ref':'a','name':'a'}],'vulnerabilities':[{'id':'CVE-1',"
                 "'ratings':%s,'affects':[{'ref':'a'}],'source':{'name':'own','url':null}}]}",
            table[i].ratings);
        read_quoted(text);
        assert_int_equal(report.claim_count, 1);
        if (report.claims[0].severity != table[i].severity)
            fail_msg("%s: %u", table[i].ratings, report.claims[0].severity);
    }
}

static void takes_claims_by_their_analysis(void **state)
{
    static const struct {
        const char *state;
        size_t claims;
    } table[] = {{"exploitable", 1}, {"in_triage", 1}, {"false_positive", 0}, {"not_affected", 0},
        {"resolved", 0}, {"resolved_with_pedigree", 0}, {"something new", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char text[400];

        snprintf(text, sizeof(text),
            HEAD "'vulnerabilities':[{'id':'CVE-1','affects':[{'ref':'a'}],'analysis':{'x':1,"
                 "'state':'%s'}}],'components':[{'name':'a','bom-ref':'a'}]}",
            table[i].state);
        read_quoted(text);
        assert_int_equal(report.claim_count, table[i].claims);
        assert_true(report.complete);
    }
}

/* What affects nobody knows what, was looked at in part. */
static void admits_what_it_cannot_place(void **state)
{
    (void)state;
    read_quoted(HEAD "'components':[{'name':'a'}],'vulnerabilities':[{'id':'CVE-1',"
                     "'affects':[{'ref':'urn:cdx:other/1#a'}]}]}");
    assert_int_equal(report.claim_count, 0);
    assert_false(report.complete);
    read_quoted(HEAD "'components':[{'name':'a'}],'vulnerabilities':[{'id':'CVE-1'}]}");
    assert_false(report.complete);
    read_quoted(HEAD "'components':[{'name':'a','bom-ref':'a'}],"
                     "'vulnerabilities':[{'affects':[{'ref':'a'}]}]}");
    assert_false(report.complete);
    read_quoted(HEAD "'components':[]}");
    assert_false(report.complete);
    read_quoted(HEAD "'components':[{'name':'a'}]}");
    assert_true(report.complete);
}

static void finds_components_by_purl_too(void **state)
{
    (void)state;
    read_quoted(HEAD "'vulnerabilities':[{'id':'CVE-1','affects':[{'ref':'pkg:npm/a@1'}]}],"
                     "'components':[{'purl':'pkg:npm/a@1','name':'a','type':'library'}]}");
    assert_int_equal(report.claim_count, 1);
}

static void knows_packages_by_type(void **state)
{
    (void)state;
    read_quoted(HEAD
        "'metadata':{'component':{'type':'application','name':'whole','version':'1',"
        " 'purl':'pkg:npm/whole@1','components':[{'type':'library','name':'in-root'}]}},"
        "'components':["
        "{'type':'framework','group':'g','name':'f','version':'1','components':["
        " {'type':'firmware','name':'fw','components':[{'name':'deep','pedigree':{'ancestors':["
        "  {'type':'library','name':'ancestor'}]}}]}]},"
        "{'type':'file','name':'a-file'},{'type':'data','name':'d'},{'type':'container','name':'c'}"
        ","
        "{'type':'file','name':'x','purl':'pkg:pypi/Some_File@1.0'},"
        "{'type':'library','name':'bad-purl','purl':'npm:x','version':'3'},"
        "{'type':'library','name':'redis','version':'7','purl':'pkg:bitnami/redis?arch=amd64',"
        " 'cpe':'cpe:2.3:a'},"
        "{'type':'library','name':'typed','properties':[{'name':'syft:package:type',"
        " 'value':'rpm'},{'name':'syft:metadata:epoch','value':'3'},"
        " {'name':'syft:metadata:sourceRpm','value':'src-1-2.src.rpm'}],'version':'1-2'}]}");
    assert_false(report.is_image);
    assert_slice(report.name, "whole");
    assert_int_equal(report.package_count, 8);
    assert_package("in-root", "generic|||in-root|||||");
    assert_package("g/f", "generic|||g/f|1||||");
    assert_package("fw", "generic|||fw|||||");
    assert_package("deep", "generic|||deep|||||");
    assert_package("some-file", "pypi|||some-file|1.0||||");
    assert_package("bad-purl", "generic|||bad-purl|3||||");
    assert_package("redis", "bitnami|||redis|7|amd64|||");
    assert_package("typed", "rpm|||typed|3:1-2|||src|");
}

/* A vulnerability of the whole needs a package for it; an image is none. */
static void takes_the_root_when_it_is_affected(void **state)
{
    static const char text[] =
        HEAD "'metadata':{'component':{'bom-ref':'r','type':'%s','name':'whole','version':'1'}},"
             "'components':[{'name':'a'}],"
             "'vulnerabilities':[{'id':'CVE-1','affects':[{'ref':'r'}]}]}";
    char buffer[400];

    (void)state;
    snprintf(buffer, sizeof(buffer), "%s", "");
    for (size_t i = 0; i < 2; i++) {
        const char *type = i ? "container" : "application";
        char *at = buffer;

        for (const char *from = text; *from; from++) {
            if (from[0] == '%' && from[1] == 's') {
                at += snprintf(at, 20, "%s", type);
                from++;
            } else {
                *at++ = *from;
            }
        }
        *at = '\0';
        read_quoted(buffer);
        assert_int_equal(report.package_count, i ? 1 : 2);
        assert_int_equal(report.claim_count, i ? 0 : 1);
        assert_int_equal(report.complete, i == 0);
    }
}

static void reads_members_in_any_order(void **state)
{
    (void)state;
    read_quoted(
        "{'vulnerabilities':[{'affects':[{'versions':null,'ref':'b'}],'id':'CVE-1',"
        " 'properties':[{'value':'2','name':'careen:fixed_version'}]}],'components':[{'components':"
        " [{'version':'1','name':'b','bom-ref':'b','purl':null}],'name':'a','x':{'y':[1]}}],"
        "'metadata':{'component':{'version':'1.0','name':'app','type':'container'}},"
        "'serialNumber':'urn:uuid:1','$schema':'http://cyclonedx.org/schema/bom-1.9.schema.json',"
        "'specVersion':'1.9','bomFormat':'CycloneDX'}");
    assert_true(report.is_image);
    assert_slice(report.name, "app");
    assert_slice(report.tag, "1.0");
    assert_int_equal(report.package_count, 2);
    assert_slice(claim_of("CVE-1", "b")->fixed_version, "2");
}

static void takes_nulls(void **state)
{
    (void)state;
    read_quoted(HEAD "'metadata':null,'components':null,'vulnerabilities':null}");
    read_quoted(HEAD "'metadata':{'component':null},'components':[null,"
                     "{'name':'a','version':null,'group':null,'type':null,'properties':null,"
                     "'components':null,'bom-ref':null}],'vulnerabilities':[{'id':'CVE-1',"
                     "'source':null,'ratings':[null],'analysis':null,'references':null,"
                     "'affects':null,'recommendation':null}]}");
    assert_int_equal(report.package_count, 1);
}

static void refuses_wrong_types(void **state)
{
    (void)state;
    assert_quoted_refused(HEAD "'components':{}}", ERR_INVALID, "components");
    assert_quoted_refused(HEAD "'components':[{'name':1}]}", ERR_INVALID, "components[0].name");
    assert_quoted_refused(HEAD "'components':[{'purl':[]}]}", ERR_INVALID, "purl");
    assert_quoted_refused(HEAD "'metadata':{'component':'x'}}", ERR_INVALID, "component");
    assert_quoted_refused(
        HEAD "'vulnerabilities':[{'affects':{}}]}", ERR_INVALID, "vulnerabilities[0].affects");
    assert_quoted_refused(
        HEAD "'vulnerabilities':[{'ratings':[{'score':'9'}]}]}", ERR_INVALID, "ratings[0].score");
    assert_quoted_refused(HEAD "'components':[{'type':'library'}]}", ERR_INVALID, "name is empty");
    assert_quoted_refused("{'bomFormat':'BOM','specVersion':'1.4'}", ERR_INVALID, "not \"BOM\"");
    assert_quoted_refused("{'specVersion':'1.4'}", ERR_INVALID, "bomFormat");
    assert_quoted_refused("{'bomFormat':'CycloneDX'}", ERR_INVALID, "without its specVersion");
    assert_quoted_refused(
        "{'bomFormat':'CycloneDX','specVersion':'1.x'}", ERR_UNSUPPORTED, "version 1.x");
}

static void takes_careens_own_properties(void **state)
{
    (void)state;
    read_quoted(HEAD
        "'metadata':{'component':{'type':'container','name':'app','properties':["
        " {'name':'careen:complete','value':'false'},{'name':'careen:digest','value':'" D1 "'},"
        " {'name':'careen:config_digest','value':'" D2 "'},"
        " {'name':'careen:architecture','value':'arm64/v8'},"
        " {'name':'careen:size_bytes','value':'77'},"
        " {'name':'careen:release','value':'odd release'}]}},"
        "'components':[{'type':'operating-system','name':'x'},"
        "{'type':'library','name':'a','purl':'pkg:deb/debian/a@1','properties':["
        " {'name':'careen:name','value':'A'},{'name':'careen:channel','value':'esm'},"
        " {'name':'careen:release','value':''},{'name':'careen:unknown','value':'x'}]},"
        "{'type':'library','name':'b','purl':'pkg:deb/debian/b@1?arch=all','properties':["
        " {'name':'careen:arch','value':''},{'name':'careen:module','value':'m'},"
        " {'name':'careen:source_name','value':'b'},{'name':'careen:source_version','value':'1'}]}]"
        "}");
    assert_false(report.complete);
    assert_slice(report.digest, D1);
    assert_slice(report.config_digest, D2);
    assert_slice(report.architecture, "arm64/v8");
    assert_int_equal(report.size_bytes, 77);
    assert_slice(report.os_release, "odd release");
    assert_package("A", "deb||esm|A|1||||");
    assert_package("b", "deb|odd release||b|1||m|b|1");
}

/* Packages told apart by nothing but that one names the release of the distribution itself. */
static void refuses_twins(void **state)
{
    (void)state;
    assert_quoted_refused(HEAD "'components':[{'type':'operating-system','name':'debian',"
                               "'version':'12'},{'purl':'pkg:deb/debian/a@1'},"
                               "{'purl':'pkg:deb/debian/a@1','properties':["
                               "{'name':'careen:release','value':'debian-12'}]}]}",
        ERR_INVALID, "package a is there twice");
}

static void survives_truncation(void **state)
{
    char *copy CLEANUP(cleanup_free) = strdup(trivy_image);

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
        TEST(reads_vulnerabilities),
        TEST(rates),
        TEST(takes_claims_by_their_analysis),
        TEST(admits_what_it_cannot_place),
        TEST(finds_components_by_purl_too),
        TEST(knows_packages_by_type),
        TEST(takes_the_root_when_it_is_affected),
        TEST(reads_members_in_any_order),
        TEST(takes_nulls),
        TEST(refuses_wrong_types),
        TEST(takes_careens_own_properties),
        TEST(refuses_twins),
        TEST(survives_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
