/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that are known but not read, refused by name and with a remedy: whoever sends a SARIF
 * file shall not have to guess. Each row is a top-level key that only such documents have; where
 * the key alone does not tell, a part of its value does.
 */
#include "sbom/format.h"

#include "sbom/tap.h"

#define TRY_TRIVY_JSON "make one with: trivy image --format json --list-all-pkgs IMAGE"
#define TRY_SPDX_2 "only SPDX 2.2 and 2.3 are read, as JSON"
#define TRY_JSON "only JSON is read, of CycloneDX 1.2 to 1.7 and of SPDX 2.2 and 2.3"

struct refusal {
    const char *key;   /* the top-level key, or a prefix of it that ends in '*' */
    const char *value; /* a part of its string value; NULL: the key tells */
    const char *title;
    const char *remedy;
};

static const struct refusal by_key[] = {
    {"@context", "spdx.org", "an SPDX 3 document", TRY_SPDX_2},
    {"@graph", NULL, "an SPDX 3 document", TRY_SPDX_2},
    {"@context", "openvex", "an OpenVEX document",
        "it states what is not affected, not what an image holds"},
    {"product_tree", NULL, "a CSAF document",
        "it is an advisory or a VEX statement, not a report on an image"},
    {"document", NULL, "a CSAF document",
        "it is an advisory or a VEX statement, not a report on an image"},
    {"runs", NULL, "a SARIF log", "SARIF has no packages; " TRY_TRIVY_JSON},
    {"$schema", "sarif", "a SARIF log", "SARIF has no packages; " TRY_TRIVY_JSON},
    {"ClusterName", NULL, "a Trivy Kubernetes report",
        "it is about a cluster, not about one image; " TRY_TRIVY_JSON},
    {"kind", "VulnerabilityReport", "a VulnerabilityReport of the trivy-operator",
        "it lacks the package list; " TRY_TRIVY_JSON},
    {"kind", "ConfigAuditReport", "a ConfigAuditReport of the trivy-operator", TRY_TRIVY_JSON},
    {"kind", "ExposedSecretReport", "an ExposedSecretReport of the trivy-operator", TRY_TRIVY_JSON},
    {"kind", "ComplianceReport", "a compliance report of the trivy-operator", TRY_TRIVY_JSON},
    {"kind", "SbomReport", "an SbomReport of the trivy-operator", TRY_TRIVY_JSON},
    {"application/vnd.*", NULL, "a Harbor vulnerability report", TRY_TRIVY_JSON},
    {"manifest_hash", NULL, "a Clair report", TRY_TRIVY_JSON},
    {"LayerCount", NULL, "a Clair (klar) report", TRY_TRIVY_JSON},
    {"unapproved", NULL, "a Clair (clair-scanner) report", TRY_TRIVY_JSON},
    {"total_count", NULL, "a JFrog Xray report", TRY_TRIVY_JSON},
    {"vulnerability_type", NULL, "an Anchore Engine report", TRY_TRIVY_JSON},
    {"imageDigest", NULL, "an Anchore Engine report", TRY_TRIVY_JSON},
    {"artifactRelationships", NULL, "a Syft document",
        "convert it with: grype sbom:FILE --output json"},
    {"packageManager", NULL, "a Snyk report", TRY_TRIVY_JSON},
    {"dependencyCount", NULL, "a Snyk report", TRY_TRIVY_JSON},
    {"licensesPolicy", NULL, "a Snyk report", TRY_TRIVY_JSON},
    {"scan", NULL, "a GitLab security report", TRY_TRIVY_JSON},
    {"remediations", NULL, "a GitLab security report", TRY_TRIVY_JSON},
    {"Findings", NULL, "an AWS ASFF document", TRY_TRIVY_JSON},
    {"detector", NULL, "a GitHub dependency snapshot", TRY_TRIVY_JSON},
    {"payloadType", NULL, "a signed attestation (DSSE)", "take the document out of its payload"},
    {"predicateType", NULL, "an in-toto attestation", "take the document out of its predicate"},
    {"auditReportVersion", NULL, "an npm audit report", TRY_TRIVY_JSON},
    {"experimental_config", NULL, "an OSV-Scanner report", TRY_TRIVY_JSON},
    {"consoleURL", NULL, "a Prisma Cloud (twistcli) report", TRY_TRIVY_JSON},
    {"schema_version", NULL, "an OSV record", "it is an advisory, not a report on an image"},
};

/* These tell only where nothing else did: other documents have such keys too. */
static const struct refusal by_key_at_end[] = {
    {"artifacts", NULL, "a JFrog Xray summary", TRY_TRIVY_JSON},
    {"Resources", NULL, "a Trivy Kubernetes report",
        "it is about a cluster, not about one image; " TRY_TRIVY_JSON},
    {"apiVersion", NULL, "a Kubernetes object", TRY_TRIVY_JSON},
};

/* The first element of an array. */
static const struct refusal by_element[] = {
    {"Target", NULL, "a Trivy report of schema version 1 (a list)",
        "only version 2 is read: use Trivy 0.20 or newer"},
    {"check_name", NULL, "a GitLab code quality report", TRY_TRIVY_JSON},
    {"AwsAccountId", NULL, "an AWS ASFF document", TRY_TRIVY_JSON},
    {"packageManager", NULL, "a list of Snyk reports", TRY_TRIVY_JSON},
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static bool key_matches(const struct refusal *row, struct slice key)
{
    size_t n = strlen(row->key);

    if (row->key[n - 1] == '*')
        return key.len >= n - 1 && memcmp(key.ptr, row->key, n - 1) == 0;
    return slice_is(key, row->key);
}

static int refuse(const struct refusal *row, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED, "this is %s: %s", row->title, row->remedy);
}

int refuse_by_key(struct json_reader *json, struct slice key, bool *consumed, struct err *err)
{
    struct slice value = SLICE_NONE;
    const struct refusal *by_value[COUNT(by_key)];
    size_t count = 0;

    *consumed = false;
    for (size_t i = 0; i < COUNT(by_key); i++) {
        if (!key_matches(&by_key[i], key))
            continue;
        if (!by_key[i].value)
            return refuse(&by_key[i], err);
        by_value[count++] = &by_key[i];
    }
    if (count == 0 || json_peek(json) != JSON_STRING)
        return 0;
    *consumed = true;
    if (!json_peek_string(json, &value))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (slice_contains(value, slice_of(by_value[i]->value)))
            return refuse(by_value[i], err);
    return 0;
}

int refuse_by_keys(const struct slice *keys, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < COUNT(by_key_at_end); k++)
            if (key_matches(&by_key_at_end[k], keys[i]))
                return refuse(&by_key_at_end[k], err);
    return 0;
}

int refuse_array(struct json_reader *json, struct err *err)
{
    struct slice key;

    json_begin_array(json);
    if (json_next_element(json) && json_peek(json) == JSON_OBJECT) {
        json_begin_object(json);
        while (json_next_key(json, &key)) {
            for (size_t i = 0; i < COUNT(by_element); i++)
                if (key_matches(&by_element[i], key))
                    return refuse(&by_element[i], err);
            json_skip(json);
        }
    }
    if (json_failed(json))
        return json_reader_finish(json, err);
    return err_set(
        err, ERR_UNSUPPORTED, "this is not a known report: a JSON array; " TRY_TRIVY_JSON);
}

/* ---- what is no JSON ---- */

static const struct {
    size_t offset;
    const char *bytes;
    size_t len;
    enum err_code code;
    const char *what;
} magics[] = {
    {0,
        "\x7f"
        "ELF",
        4, ERR_FORMAT, "an ELF executable"},
    {0, "PK\x03\x04", 4, ERR_UNSUPPORTED, "a zip archive: unpack it first"},
    {0, "\x28\xb5\x2f\xfd", 4, ERR_UNSUPPORTED, "zstd-compressed: decompress it first"},
    {0,
        "\xfd"
        "7zXZ",
        5, ERR_UNSUPPORTED, "xz-compressed: decompress it first"},
    {0, "BZh", 3, ERR_UNSUPPORTED, "bzip2-compressed: decompress it first"},
    {0, "SQLite format 3", 15, ERR_FORMAT, "an SQLite database"},
    {0, "%PDF", 4, ERR_FORMAT, "a PDF document"},
    {257, "ustar", 5, ERR_FORMAT,
        "a tar archive, perhaps an image: scan it, and send the scanner's report"},
};

static int refuse_markup(struct slice head, struct err *err)
{
    if (slice_contains(head, SLICE("cyclonedx")))
        return err_set(err, ERR_UNSUPPORTED, "this is a CycloneDX document in XML: " TRY_JSON);
    if (slice_contains(head, SLICE("spdx.org/")))
        return err_set(err, ERR_UNSUPPORTED, "this is an SPDX document in RDF or XML: " TRY_JSON);
    return err_set(
        err, ERR_FORMAT, "the report is not JSON: it looks like XML or HTML; " TRY_TRIVY_JSON);
}

/* "key: value" or "---" in the first line. */
static bool looks_like_yaml(struct slice head)
{
    struct slice rest = head, line = slice_pull_until(&rest, '\n');
    size_t colon = slice_find_char(line, ':');

    return slice_starts_with(line, "---") || slice_starts_with(line, "- ") ||
           (colon > 0 && colon < line.len &&
               (colon + 1 == line.len || line.ptr[colon + 1] == ' ' ||
                   line.ptr[colon + 1] == '\r'));
}

static int refuse_unknown(struct slice head, struct err *err)
{
    char shown[3 * 16 + 1] = "";
    size_t used = 0;

    for (size_t i = 0; i < head.len && i < 16; i++) {
        char c = head.ptr[i];

        if (c >= 0x20 && c < 0x7f)
            shown[used++] = c;
        else
            used +=
                (size_t)snprintf(shown + used, sizeof(shown) - used, "\\%02x", (unsigned char)c);
    }
    shown[used] = '\0';
    return err_set(err, ERR_FORMAT,
        "the report is no JSON object: it starts with \"%s\"; " TRY_TRIVY_JSON, shown);
}

/* Objects, arrays and the bare words, in UTF-8; a byte order mark and UTF-16 are the JSON reader's
 * to judge. */
static bool may_be_json(struct slice head)
{
    static const char starts[] = "{[\xef\xfe\xff";

    return slice_starts_with(head, "null") || slice_starts_with(head, "true") ||
           slice_starts_with(head, "false") || (head.ptr[0] && strchr(starts, head.ptr[0])) ||
           (head.len > 1 && (head.ptr[0] == '\0' || head.ptr[1] == '\0'));
}

int refuse_by_bytes(struct slice head, struct err *err)
{
    struct slice text = slice_trim(head);

    for (size_t i = 0; i < COUNT(magics); i++) {
        struct slice found = slice_sub(head, magics[i].offset, magics[i].len);

        if (found.len == magics[i].len && memcmp(found.ptr, magics[i].bytes, found.len) == 0)
            return err_set(err, magics[i].code, "the report is not JSON: it is %s", magics[i].what);
    }
    if (text.len == 0)
        return head.len == TAP_HEAD_BYTES ? 0 : err_set(err, ERR_FORMAT, "the report is empty");
    if (text.ptr[0] == '<')
        return refuse_markup(text, err);
    if (slice_starts_with(text, "SPDXVersion:"))
        return err_set(
            err, ERR_UNSUPPORTED, "this is an SPDX document in tag-value form: " TRY_JSON);
    if (!may_be_json(text) && slice_contains(text, SLICE("SPDXRef-DOCUMENT")))
        return err_set(err, ERR_UNSUPPORTED, "this is an SPDX document in YAML: " TRY_JSON);
    if (!may_be_json(text) && looks_like_yaml(text))
        return err_set(
            err, ERR_FORMAT, "the report is not JSON: it looks like YAML; " TRY_TRIVY_JSON);
    return may_be_json(text) ? 0 : refuse_unknown(text, err);
}
