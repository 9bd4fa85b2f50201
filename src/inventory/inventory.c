/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of readers, and what readers fill. A package is tidied here, as the readers of reports
 * do it, so that the package of an image and the one of a report on it are the same; and it is
 * checked here, so that none gets in that a report could not bring.
 */
#include "inventory/inventory.h"

#include "base/array.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "inventory/readers.h"
#include "model/name.h"

#include <stdlib.h>

static const struct inventory_reader *const readers[] = {
    &inventory_os_release,
    &inventory_dpkg,
    &inventory_deb_copyright,
    &inventory_apk,
    &inventory_alpm,
    &inventory_opkg,
    &inventory_rpm_sqlite,
    &inventory_rpm_ndb,
    &inventory_rpm_bdb,
    &inventory_rpm_manifest,
};

enum { READER_COUNT = sizeof(readers) / sizeof(readers[0]) };

const struct inventory_reader *inventory_reader_for(struct slice path)
{
    for (size_t i = 0; i < READER_COUNT; i++)
        if (readers[i]->matches(path))
            return readers[i];
    return NULL;
}

const struct inventory_reader *inventory_reader_named(struct slice name)
{
    for (size_t i = 0; i < READER_COUNT; i++)
        if (slice_is(name, readers[i]->name))
            return readers[i];
    return NULL;
}

void inventory_init(struct inventory *inventory)
{
    *inventory = (struct inventory){0};
    arena_init(&inventory->arena, "a package database", LIMIT_INVENTORY_MEMORY_BYTES);
}

void inventory_release(struct inventory *inventory)
{
    arena_release(&inventory->arena);
    free(inventory->packages);
    free(inventory->licences);
    inventory_init(inventory);
}

/* ---- packages ---- */

/* An epoch of 0 is no epoch. */
static struct slice without_zero_epoch(struct slice version)
{
    uint64_t epoch = 0;
    size_t skip = version_epoch(version, &epoch);

    return epoch == 0 ? slice_skip(version, skip) : version;
}

static int copy_texts(struct inventory *inventory, struct found_package *found, struct err *err)
{
    struct package *package = &found->package;
    struct slice *const texts[] = {&package->ecosystem, &package->name, &package->version,
        &package->arch, &package->module, &package->source_name, &package->source_version,
        &found->licence};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i]->len == 0)
            *texts[i] = SLICE_NONE;
        else if (arena_dup(&inventory->arena, *texts[i], texts[i], err) < 0)
            return -1;
    return 0;
}

/* A licence is told, but it is no part of what a package is: one that is not fit to be stored is
 * left out rather than the package. */
static bool is_licence(struct slice licence)
{
    return licence.len > 0 && licence.len <= LIMIT_LICENCE_BYTES && utf8_is_line(licence);
}

int inventory_add(struct inventory *inventory, const struct package *package, struct slice licence,
    struct err *err)
{
    struct found_package found = {.package = *package};
    char name[NAME_SHOWN_BYTES];

    found.package.version = without_zero_epoch(found.package.version);
    found.package.source_version = without_zero_epoch(found.package.source_version);
    package_tidy(&found.package);
    if (package_check(&found.package, err) < 0)
        return -1;
    if (found.package.version.len == 0)
        return err_set(
            err, ERR_INVALID, "package %s has no version", name_shown(found.package.name, name));
    if (inventory->package_count >= LIMIT_IMAGE_PACKAGES)
        return err_set(err, ERR_LIMIT, "more than %d packages are listed (LIMIT_IMAGE_PACKAGES)",
            LIMIT_IMAGE_PACKAGES);
    if (is_licence(licence))
        found.licence = licence;
    if (array_reserve(&inventory->packages, &inventory->package_cap, inventory->package_count + 1,
            sizeof(*inventory->packages), err) < 0 ||
        copy_texts(inventory, &found, err) < 0)
        return -1;
    inventory->packages[inventory->package_count++] = found;
    return 0;
}

int inventory_add_licence(
    struct inventory *inventory, struct slice package, struct slice licence, struct err *err)
{
    struct found_licence found;

    if (name_check("package name", package, true, err) < 0)
        return -1;
    if (!is_licence(licence))
        return 0;
    if (inventory->licence_count >= LIMIT_IMAGE_PACKAGES)
        return err_set(err, ERR_LIMIT, "more than %d licences are listed (LIMIT_IMAGE_PACKAGES)",
            LIMIT_IMAGE_PACKAGES);
    if (array_reserve(&inventory->licences, &inventory->licence_cap, inventory->licence_count + 1,
            sizeof(*inventory->licences), err) < 0 ||
        arena_dup(&inventory->arena, package, &found.package, err) < 0 ||
        arena_dup(&inventory->arena, licence, &found.licence, err) < 0)
        return -1;
    inventory->licences[inventory->licence_count++] = found;
    return 0;
}
