/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rpm's words to a package: "[epoch:]version-release", and the source package from the name of
 * its file.
 *
 * That file name has no epoch. The source is given its package's own, as Trivy does: where a source
 * builds packages of several epochs (perl, lvm2) it is a guess, and the same package from a report
 * of Trivy's and from a scan shall be one package.
 */
#include "inventory/rpm.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "model/name.h"

int rpm_prefix(const struct inventory_file *file, struct err *err)
{
    char path[NAME_SHOWN_BYTES];

    return err_prefix(err, "%s", name_shown(file->path, path));
}

bool rpm_is_database(struct slice path, const char *file)
{
    /* Fedora and SUSE moved it, and rpm-ostree has one of its own; a link stands in the old place.
     */
    static const char *const folders[] = {
        "var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"};

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        struct slice folder = slice_of(folders[i]);

        if (slice_starts_with(path, folders[i]) && slice_is(slice_skip(path, folder.len), file))
            return true;
    }
    return false;
}

/* "bash-5.1.8-6.el9.src.rpm" -> "bash", "5.1.8-6.el9"; both empty when it is no such name. */
static void split_source(struct slice file, struct slice *ret_name, struct slice *ret_version)
{
    static const char *const suffixes[] = {".src.rpm", ".nosrc.rpm"};

    *ret_name = *ret_version = SLICE_NONE;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        struct slice stem;
        size_t release, version;

        if (!slice_ends_with(file, suffixes[i]))
            continue;
        stem = slice_sub(file, 0, file.len - slice_of(suffixes[i]).len);
        release = slice_rfind_char(stem, '-');
        version = slice_rfind_char(slice_sub(stem, 0, release), '-');
        if (release == stem.len || version == release)
            return;
        *ret_name = slice_sub(stem, 0, version);
        *ret_version = slice_skip(stem, version + 1);
        return;
    }
}

static void put_version(struct buf *out, uint32_t epoch, struct slice version, struct slice release)
{
    if (epoch) {
        buf_put_u64(out, epoch);
        buf_put_char(out, ':');
    }
    buf_put_slice(out, version);
    if (release.len) {
        buf_put_char(out, '-');
        buf_put_slice(out, release);
    }
}

int rpm_facts_add(const struct rpm_facts *facts, struct inventory *inventory, struct err *err)
{
    struct buf version CLEANUP(buf_release) = BUF_INIT(LIMIT_RPM_HEADER_BYTES);
    struct buf source CLEANUP(buf_release) = BUF_INIT(LIMIT_RPM_HEADER_BYTES);
    struct package package = {.ecosystem = SLICE("rpm"),
        .name = facts->name,
        .arch = facts->arch,
        .module = facts->module};
    struct slice source_version;

    split_source(facts->source_rpm, &package.source_name, &source_version);
    if (facts->version.len)
        put_version(&version, facts->epoch, facts->version, facts->release);
    if (source_version.len)
        put_version(&source, facts->epoch, source_version, SLICE_NONE);
    if (buf_check(&version, "an rpm version", err) < 0 ||
        buf_check(&source, "an rpm source version", err) < 0)
        return -1;
    package.version = buf_slice(&version);
    package.source_version = buf_slice(&source);
    return inventory_add(inventory, &package, facts->licence, err);
}
