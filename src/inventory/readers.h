/* SPDX-License-Identifier: Apache-2.0 */
/* The readers, for the table in inventory.c: one for each kind of file, in a file of its name. */
#ifndef CAREEN_INVENTORY_READERS_H
#define CAREEN_INVENTORY_READERS_H

#include "inventory/inventory.h"

extern const struct inventory_reader inventory_dpkg, inventory_opkg, inventory_deb_copyright;
extern const struct inventory_reader inventory_apk;
extern const struct inventory_reader inventory_alpm;
extern const struct inventory_reader inventory_os_release;
extern const struct inventory_reader inventory_rpm_sqlite, inventory_rpm_ndb, inventory_rpm_bdb;
extern const struct inventory_reader inventory_rpm_manifest;

#endif
