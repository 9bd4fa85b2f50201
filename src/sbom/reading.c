/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of formats share: texts, versions, purls and related names. See format.h. */
#include "sbom/format.h"

#include "base/buf.h"
#include "base/limits.h"
#include "sbom/distro.h"
#include "sbom/purl.h"

void fail_reading(struct reading *in, const struct err *why)
{
    json_fail(in->json, why->code, "%s", why->message);
}

bool add_text(struct reading *in, struct slice s, struct slice *ret)
{
    struct err err;

    if (report_text(in->report, s, ret, &err) == 0)
        return true;
    fail_reading(in, &err);
    return false;
}

bool read_text(struct reading *in, struct slice *ret)
{
    struct slice s;

    return json_peek_string(in->json, &s) && add_text(in, s, ret);
}

void read_names(struct reading *in, struct names *ret)
{
    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        struct slice name;
        struct err err;

        if (!read_text(in, &name) || name.len == 0)
            continue;
        if (names_push(&in->report->arena, ret, name, &err) < 0)
            fail_reading(in, &err);
    }
}

void read_severity(struct reading *in, enum severity *ret)
{
    struct slice word;
    int value;

    if (!json_peek_string(in->json, &word))
        return;
    value = words_find_nocase(&severity_words, word);
    *ret = value < 0 ? SEVERITY_UNKNOWN : (enum severity)value;
}

/* The epoch that stands in front of a version, and its length with the colon; 0 when there is none.
 */
static size_t leading_epoch(struct slice version, uint64_t *ret)
{
    size_t colon = slice_find_char(version, ':');

    if (colon == version.len || !slice_to_u64(slice_sub(version, 0, colon), ret))
        return 0;
    return colon + 1;
}

bool compose_version(struct reading *in, int64_t epoch, struct slice version, struct slice release,
    struct slice *ret)
{
    struct buf buf = BUF_INIT(LIMIT_JSON_STRING_BYTES);
    uint64_t own = 0;
    size_t skip;
    bool ok;

    version = slice_sub(version, 0, slice_find_char(version, '\0'));
    skip = leading_epoch(version, &own);
    if (skip && own == 0)
        version = slice_skip(version, skip);
    if ((epoch <= 0 || own > 0) && release.len == 0)
        return add_text(in, version, ret);
    if (epoch > 0 && own == 0)
        buf_printf(&buf, "%lld:", (long long)epoch);
    buf_put_slice(&buf, version);
    if (release.len) {
        buf_put_char(&buf, '-');
        buf_put_slice(&buf, release);
    }
    if (buf.failed)
        json_fail(in->json, ERR_INVALID, "a version is too long");
    ok = !buf.failed && add_text(in, buf_slice(&buf), ret);
    buf_release(&buf);
    return ok;
}

/* The qualifier `upstream`, which is Syft's: "glibc", "openssl@3.0.1", "avahi-0.7-20.el8.src.rpm".
 */
static bool apply_upstream(struct reading *in, struct slice upstream, struct package *package)
{
    static const char suffix[] = ".src.rpm";
    size_t cut;

    if (slice_ends_with(upstream, suffix)) {
        upstream.len -= strlen(suffix);
        cut = slice_rfind_char(slice_sub(upstream, 0, slice_rfind_char(upstream, '-')), '-');
    } else {
        cut = slice_find_char(upstream, '@');
    }
    return add_text(in, slice_sub(upstream, 0, cut), &package->source_name) &&
           add_text(in, slice_skip(upstream, cut + 1), &package->source_version);
}

bool to_purl(struct slice text, struct purl *ret)
{
    struct err ignored;

    return purl_parse(text, PURL_LENIENT, ret, &ignored) == 0;
}

bool apply_purl(
    struct reading *in, const struct purl *purl, struct package *package, int64_t *epoch)
{
    struct slice arch = purl_qualifier(purl, "arch"), distro = purl_qualifier(purl, "distro");
    struct slice upstream = purl_qualifier(purl, "upstream");
    char text[DISTRO_RELEASE_BYTES];
    struct slice release;

    if (package->ecosystem.len == 0 && !add_text(in, purl->type, &package->ecosystem))
        return false;
    if (package->arch.len == 0 && !add_text(in, arch, &package->arch))
        return false;
    if (package->source_name.len == 0 && upstream.len && !apply_upstream(in, upstream, package))
        return false;
    if (epoch && *epoch == 0 && (!slice_to_i64(purl_qualifier(purl, "epoch"), epoch) || *epoch < 0))
        *epoch = 0;
    if (distro.len == 0 || in->purl_release.len ||
        package_vul_type(package->ecosystem) != VUL_LINUX)
        return true;
    release = distro_release_of_purl(purl->namespace, distro, text);
    return add_text(in, release, &in->purl_release);
}

/* "1:2.3-4" -> "2.3-4" */
static struct slice without_epoch(struct slice version)
{
    uint64_t epoch;

    return slice_skip(version, leading_epoch(version, &epoch));
}

void tidy_source(struct package *package)
{
    if (slice_eq(package->source_version, package->version) ||
        slice_eq(package->source_version, without_epoch(package->version)))
        package->source_version = SLICE_NONE;
    if (slice_eq(package->source_name, package->name))
        package->source_name = SLICE_NONE;
}

/* Are there CVEs of two different names? */
static bool has_several_cves(const struct names *ids)
{
    const struct slice *first = NULL;

    for (size_t i = 0; i < ids->count; i++) {
        if (name_kind_of(ids->at[i]) != NAME_CVE)
            continue;
        if (first && !slice_eq(*first, ids->at[i]))
            return true;
        first = &ids->at[i];
    }
    return false;
}

bool add_related_record(
    struct reading *in, struct slice name, const struct names *ids, uint32_t *ret)
{
    struct report_record record = {.name = name};
    enum name_kind kind = name_kind_of(name);
    bool several = has_several_cves(ids);
    struct slice *at = NULL;
    struct err err;
    bool ok;

    if (ids->count) {
        /* Aliases from the left, covered ids from the right; report_add_record copies them. */
        at = calloc(ids->count, sizeof(*at));
        if (!at) {
            err_nomem(&err);
            fail_reading(in, &err);
            return false;
        }
        record.aliases.at = at;
    }
    for (size_t i = 0; i < ids->count; i++) {
        enum name_kind other = name_kind_of(ids->at[i]);
        bool alias = kind != NAME_ADVISORY && other != NAME_ADVISORY &&
                     !(other == NAME_CVE && (kind == NAME_CVE || several));

        if (alias)
            at[record.aliases.count++] = ids->at[i];
        else
            at[ids->count - ++record.covers.count] = ids->at[i];
    }
    if (ids->count)
        record.covers.at = at + (ids->count - record.covers.count);
    ok = report_add_record(in->report, &record, ret, &err) == 0;
    if (!ok)
        fail_reading(in, &err);
    free(at);
    return ok;
}

int set_architecture(
    struct report *report, struct slice architecture, struct slice variant, struct err *err)
{
    char text[64];
    int n;

    if (variant.len == 0) {
        report->architecture = architecture;
        return 0;
    }
    n = snprintf(text, sizeof(text), "%.*s/%.*s", SLICE_FMT(architecture), SLICE_FMT(variant));
    if (n < 0 || (size_t)n >= sizeof(text))
        return err_set(err, ERR_INVALID,
            "architecture and variant of the image are longer than %zu bytes", sizeof(text) - 1);
    return report_text(report, (struct slice){text, (size_t)n}, &report->architecture, err);
}
