/* SPDX-License-Identifier: Apache-2.0 */
/* Which package types belong to the operating system. */
#include "model/package.h"

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
