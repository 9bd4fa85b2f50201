/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of packages in distroless images of Mariner and Azure Linux, which have no database of
 * rpm's: var/lib/rpmmanifest/container-manifest-2, made with
 *
 *     rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t
 *         %{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}\n'
 *
 * What a package does not have is "(none)". There are no licences.
 */
#include "inventory/readers.h"

#include "base/cleanup.h"
#include "inventory/lines.h"
#include "inventory/rpm.h"

enum { NAME, VERSION_RELEASE, ARCH = 7, EPOCH, SOURCE_RPM, FIELDS };

static struct slice known(struct slice field)
{
    return slice_is(field, "(none)") ? SLICE_NONE : field;
}

static int read_line(
    const struct lines *lines, struct slice line, struct inventory *inventory, struct err *err)
{
    struct slice fields[FIELDS];
    struct rpm_facts facts;
    uint64_t epoch = 0;

    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = known(slice_pull_until(&line, '\t'));
    if ((fields[EPOCH].len && !slice_to_u64(fields[EPOCH], &epoch)) || epoch > UINT32_MAX)
        return lines_fail(lines, err, "the epoch is \"%.*s\", and should be a number of 32 bits",
            SLICE_FMT(fields[EPOCH]));
    facts = (struct rpm_facts){.name = fields[NAME],
        .version = fields[VERSION_RELEASE],
        .arch = fields[ARCH],
        .source_rpm = fields[SOURCE_RPM],
        .epoch = (uint32_t)epoch};
    return rpm_facts_add(&facts, inventory, err) < 0 ? lines_prefix(lines, lines->number, err) : 0;
}

static int read_manifest(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    struct lines lines CLEANUP(lines_release) = {0};
    struct slice line;

    if (lines_open(&lines, file, err) < 0)
        return -1;
    while (lines_next(&lines, &line))
        if (line.len && read_line(&lines, line, inventory, err) < 0)
            return -1;
    return lines_end(&lines, err);
}

static bool matches(struct slice path)
{
    return slice_is(path, "var/lib/rpmmanifest/container-manifest-2");
}

const struct inventory_reader inventory_rpm_manifest = {
    .name = "rpm-manifest", .matches = matches, .read = read_manifest};
