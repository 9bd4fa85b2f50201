// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* A copyright file of any bytes: never refused, and never more than one licence. */
#include "support/read_inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory inventory;

    BUG_ON(!read_as(
        "usr/share/doc/a/copyright", (struct slice){(const char *)data, size}, &inventory));
    BUG_ON(inventory.licence_count > 1 || inventory.package_count);
    inventory_release(&inventory);
    return 0;
}
