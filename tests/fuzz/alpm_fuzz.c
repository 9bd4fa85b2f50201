// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* A package of pacman's database of any bytes: refused with a place, or one package. */
#include "support/read_inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory inventory;
    bool read = read_as(
        "var/lib/pacman/local/a-1-1/desc", (struct slice){(const char *)data, size}, &inventory);

    BUG_ON(inventory.package_count != (read ? 1 : 0));
    inventory_release(&inventory);
    return 0;
}
