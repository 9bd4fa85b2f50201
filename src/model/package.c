/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which package types belong to the operating system, and what makes two descriptions of a package
 * the same one: whoever reads packages, from a report or from an image, tidies and checks them
 * here.
 */
#include "model/package.h"

#include "model/name.h"

/* purl types (package-url/purl-spec, types) of what a distribution installs, and the names that
 * tools use for such packages where the purl registry has none. bitnami, brew, conda, docker, ...
 * bring software onto a system without being its distribution: app_vul. */
static const char *const os_ecosystems[] = {
    "alpm",    /* Arch Linux */
    "apk",     /* Alpine, Wolfi, Chainguard */
    "deb",     /* Debian, Ubuntu */
    "ebuild",  /* Gentoo, as scanners write it */
    "opkg",    /* OpenWrt, Yocto images */
    "portage", /* Gentoo, as scanners write it too */
    "qpkg",    /* QNX */
    "rpm",     /* Red Hat, SUSE, EulerOS, openEuler, Amazon, ... */
    "yocto",   /* recipes of an embedded distribution */
};

enum vul_type package_vul_type(struct slice ecosystem)
{
    for (size_t i = 0; i < sizeof(os_ecosystems) / sizeof(*os_ecosystems); i++)
        if (slice_is(ecosystem, os_ecosystems[i]))
            return VUL_LINUX;
    return VUL_APP;
}

size_t version_epoch(struct slice version, uint64_t *ret)
{
    size_t colon = slice_find_char(version, ':');

    if (colon == version.len || !slice_to_u64(slice_sub(version, 0, colon), ret))
        return 0;
    return colon + 1;
}

/* "1:2.3-4" -> "2.3-4" */
static struct slice without_epoch(struct slice version)
{
    uint64_t epoch;

    return slice_skip(version, version_epoch(version, &epoch));
}

void package_tidy(struct package *package)
{
    if (slice_eq(package->source_version, package->version) ||
        slice_eq(package->source_version, without_epoch(package->version)))
        package->source_version = SLICE_NONE;
    if (slice_eq(package->source_name, package->name))
        package->source_name = SLICE_NONE;
}

int package_check(const struct package *package, struct err *err)
{
    const struct {
        const char *what;
        struct slice value;
        bool needed;
    } fields[] = {
        {"package name", package->name, true},
        {"package ecosystem", package->ecosystem, true},
        {"package version", package->version, false},
        {"package release", package->release, false},
        {"package channel", package->channel, false},
        {"package architecture", package->arch, false},
        {"package module", package->module, false},
        {"source package name", package->source_name, false},
        {"source package version", package->source_version, false},
    };
    char name[NAME_SHOWN_BYTES];

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (name_check(fields[i].what, fields[i].value, fields[i].needed, err) == 0)
            continue;
        return i == 0 ? -1 : err_prefix(err, "package %s", name_shown(package->name, name));
    }
    return 0;
}
