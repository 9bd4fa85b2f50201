/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers of rpm's databases share. rpm keeps one header for each package, the same in
 * every kind of database; a reader finds the headers, rpm_header.c makes packages of them.
 *
 * The packages are those of `rpm -qa`, gpg-pubkey (an imported key) included: rpm lists it, and so
 * do Trivy and Syft.
 */
#ifndef CAREEN_INVENTORY_RPM_H
#define CAREEN_INVENTORY_RPM_H

#include "inventory/inventory.h"

/* Is the path `file` in one of the folders where distributions keep the database? */
bool rpm_is_database(struct slice path, const char *file);

/* Puts "PATH: " before an error that is set. Returns -1. */
int rpm_prefix(const struct inventory_file *file, struct err *err);

/* Adds the package of a header as it stands in a database: from its number of index entries, which
 * is without the magic that a package file has before it (rpm's docs/manual/format_header.md).
 * ERR_FORMAT, ERR_INVALID, ERR_LIMIT. */
int rpm_header_add(struct slice header, struct inventory *inventory, struct err *err);

/* What is known of a package, in rpm's own words; what is not is empty. */
struct rpm_facts {
    struct slice name, version, release, arch, licence, module;
    struct slice source_rpm; /* a file name: "bash-5.1.8-6.el9.src.rpm" */
    uint32_t epoch;          /* 0: none, which is the same */
};
int rpm_facts_add(const struct rpm_facts *facts, struct inventory *inventory, struct err *err);

#endif
