/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our names have their namespace in them: "org.example:tool", "@babel/core", "example.org/a/b". Of
 * an OS package the namespace is the distribution, which is not part of the name.
 */
#include "sbom/package_purl.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "model/distro.h"

#include <strings.h>

enum { MAX_TEXT = LIMIT_JSON_STRING_BYTES };

/* ---- versions and sources ---- */

int version_compose(struct report *report, int64_t epoch, struct slice version,
    struct slice release, struct slice *ret, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(MAX_TEXT);
    uint64_t own = 0;
    size_t skip;

    version = slice_sub(version, 0, slice_find_char(version, '\0'));
    skip = version_epoch(version, &own);
    if (skip && own == 0)
        version = slice_skip(version, skip);
    if ((epoch <= 0 || own > 0) && release.len == 0)
        return report_text(report, version, ret, err);
    if (epoch > 0 && own == 0)
        buf_printf(&text, "%lld:", (long long)epoch);
    buf_put_slice(&text, version);
    if (release.len) {
        buf_put_char(&text, '-');
        buf_put_slice(&text, release);
    }
    if (buf_check(&text, "a version", err) < 0)
        return -1;
    return report_text(report, buf_slice(&text), ret, err);
}

int source_from_upstream(
    struct report *report, struct slice upstream, struct package *package, struct err *err)
{
    static const char suffix[] = ".src.rpm";
    size_t cut;

    if (slice_ends_with(upstream, suffix)) {
        upstream.len -= strlen(suffix);
        cut = slice_rfind_char(slice_sub(upstream, 0, slice_rfind_char(upstream, '-')), '-');
    } else {
        cut = slice_find_char(upstream, '@');
    }
    if (report_text(report, slice_sub(upstream, 0, cut), &package->source_name, err) < 0)
        return -1;
    return report_text(report, slice_skip(upstream, cut + 1), &package->source_version, err);
}

/* ---- a package from a purl ---- */

int release_from_purl(
    struct report *report, const struct purl *purl, struct slice *ret, struct err *err)
{
    struct slice distro = purl_qualifier(purl, "distro"), release;
    char text[DISTRO_RELEASE_BYTES];

    *ret = SLICE_NONE;
    if (distro.len == 0 || package_vul_type(purl->type) != VUL_LINUX)
        return 0;
    release = distro_release_of_purl(purl->namespace, distro, text);
    return report_text(report, release, ret, err);
}

/* Is the namespace of such a package the distribution (or vendor, or layer)? Gentoo's is the
 * category: "app-misc/foo". */
static bool namespace_is_distribution(struct slice type)
{
    return package_vul_type(type) == VUL_LINUX && !slice_is(type, "ebuild") &&
           !slice_is(type, "portage");
}

static int join_name(
    struct report *report, const struct purl *purl, struct slice *ret, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);

    if (purl->namespace.len && !namespace_is_distribution(purl->type)) {
        buf_put_slice(&text, purl->namespace);
        buf_put_char(&text, slice_is(purl->type, "maven") ? ':' : '/');
    }
    buf_put_slice(&text, purl->name);
    if (buf_check(&text, "a package's name", err) < 0)
        return -1;
    return report_text(report, buf_slice(&text), ret, err);
}

int package_from_purl(
    struct report *report, const struct purl *purl, struct package *ret, struct err *err)
{
    struct slice module = purl_qualifier(purl, "rpmmod");
    struct package package = {0};
    int64_t epoch = 0;

    if (module.len == 0)
        module = purl_qualifier(purl, "modularitylabel");
    if (!slice_to_i64(purl_qualifier(purl, "epoch"), &epoch))
        epoch = 0;
    if (report_text(report, purl->type, &package.ecosystem, err) < 0 ||
        join_name(report, purl, &package.name, err) < 0 ||
        version_compose(report, epoch, purl->version, SLICE_NONE, &package.version, err) < 0 ||
        report_text(report, purl_qualifier(purl, "arch"), &package.arch, err) < 0 ||
        report_text(report, module, &package.module, err) < 0 ||
        source_from_upstream(report, purl_qualifier(purl, "upstream"), &package, err) < 0)
        return -1;
    *ret = package;
    return 0;
}

/* ---- a purl from a package ---- */

struct slice release_family(struct slice release)
{
    for (size_t i = 0; i + 1 < release.len; i++)
        if (release.ptr[i] == '-' && release.ptr[i + 1] >= '0' && release.ptr[i + 1] <= '9')
            return slice_sub(release, 0, i);
    return release;
}

/* Where scanners' purls call a distribution otherwise than its releases are called here. */
static struct slice namespace_of(struct slice release)
{
    static const struct {
        const char *family, *name;
    } table[] = {
        {"rhel", "redhat"},
        {"sles", "suse"},
        {"slem", "suse"},
        {"opensuse-leap", "opensuse"},
        {"opensuse-tumbleweed", "opensuse"},
    };
    struct slice family = release_family(release);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (slice_is(family, table[i].family))
            return slice_of(table[i].name);
    return family;
}

static void split_name(const struct package *package, struct slice release, struct purl *purl)
{
    size_t cut;

    purl->name = package->name;
    if (namespace_is_distribution(package->ecosystem)) {
        purl->namespace = namespace_of(release);
        return;
    }
    cut = slice_rfind_char(package->name, slice_is(package->ecosystem, "maven") ? ':' : '/');
    if (cut < package->name.len) {
        purl->namespace = slice_sub(package->name, 0, cut);
        purl->name = slice_skip(package->name, cut + 1);
    }
}

/* RPM's purls have the epoch in a qualifier. */
static void split_version(const struct package *package, struct purl *purl)
{
    uint64_t epoch;
    size_t skip = 0;

    if (slice_is(package->ecosystem, "rpm"))
        skip = version_epoch(package->version, &epoch);
    purl->version = slice_skip(package->version, skip);
    if (skip)
        purl_add_qualifier(purl, "epoch", slice_sub(package->version, 0, skip - 1));
}

int package_to_purl(
    const struct package *package, struct slice os_release, struct buf *out, struct err *err)
{
    struct slice release = package->release.len ? package->release : os_release;
    struct buf upstream CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct purl purl = {.type = package->ecosystem};
    struct err strictly;

    split_name(package, release, &purl);
    purl_add_qualifier(&purl, "arch", package->arch);
    if (package_vul_type(package->ecosystem) == VUL_LINUX)
        purl_add_qualifier(&purl, "distro", release);
    split_version(package, &purl);
    purl_add_qualifier(&purl, "rpmmod", package->module);
    if (package->source_name.len) {
        buf_put_slice(&upstream, package->source_name);
        if (package->source_version.len) {
            buf_put_char(&upstream, '@');
            buf_put_slice(&upstream, package->source_version);
        }
    }
    purl_add_qualifier(&purl, "upstream", buf_slice(&upstream));
    /* Where the type demands what is not known (a namespace), a purl without it is still of use. */
    if (purl_build(&purl, PURL_STRICT, out, &strictly) == 0)
        return 0;
    return purl_build(&purl, PURL_LENIENT, out, err);
}

/* ---- images ---- */

int image_to_purl(struct slice name, struct slice tag, struct slice digest,
    struct slice architecture, struct buf *out, struct err *err)
{
    size_t slash = slice_rfind_char(name, '/');
    struct purl purl = {.type = SLICE("oci"),
        .name = slash < name.len ? slice_skip(name, slash + 1) : name,
        .version = digest};

    purl_add_qualifier(&purl, "arch", architecture);
    purl_add_qualifier(&purl, "repository_url", name);
    purl_add_qualifier(&purl, "tag", tag);
    return purl_build(&purl, PURL_STRICT, out, err);
}

static struct slice last_segment(struct slice path)
{
    size_t slash = slice_rfind_char(path, '/');

    return slash < path.len ? slice_skip(path, slash + 1) : path;
}

/* An oci purl's repository_url is the whole repository (whose last segment the purl has as its
 * name, in lower case), a docker purl's only the registry. */
static void put_repository(const struct purl *purl, struct buf *out)
{
    struct slice url = purl_qualifier(purl, "repository_url");
    size_t scheme = slice_contains(url, SLICE("://")) ? slice_find_char(url, ':') + 3 : 0;
    struct slice last;
    bool whole;

    url = slice_skip(url, scheme);
    while (slice_ends_with(url, "/"))
        url.len--;
    last = last_segment(url);
    whole = slice_is(purl->type, "oci") && last.len == purl->name.len &&
            strncasecmp(last.ptr, purl->name.ptr, last.len) == 0;
    buf_put_slice(out, url);
    if (whole)
        return;
    if (url.len)
        buf_put_char(out, '/');
    if (purl->namespace.len) {
        buf_put_slice(out, purl->namespace);
        buf_put_char(out, '/');
    }
    buf_put_slice(out, purl->name);
}

int image_from_purl(struct report *report, const struct purl *purl, struct slice *ret_name,
    struct slice *ret_tag, struct slice *ret_digest, struct err *err)
{
    struct buf repository CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    bool is_digest = slice_find_char(purl->version, ':') < purl->version.len;
    struct slice name, tag = purl_qualifier(purl, "tag"), digest = SLICE_NONE;

    if (!slice_is(purl->type, "oci") && !slice_is(purl->type, "docker")) {
        *ret_name = *ret_tag = *ret_digest = SLICE_NONE;
        return 0;
    }
    put_repository(purl, &repository);
    if (is_digest)
        digest = purl->version;
    else if (tag.len == 0)
        tag = purl->version;
    if (buf_check(&repository, "a repository's name", err) < 0 ||
        report_text(report, buf_slice(&repository), &name, err) < 0 ||
        report_text(report, tag, &tag, err) < 0 || report_text(report, digest, &digest, err) < 0)
        return -1;
    *ret_name = name;
    *ret_tag = tag;
    *ret_digest = digest;
    return 0;
}
