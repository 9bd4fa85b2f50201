// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of distroless images of any bytes. */
#include "support/read_inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory inventory;

    read_as("var/lib/rpmmanifest/container-manifest-2", (struct slice){(const char *)data, size},
        &inventory);
    inventory_release(&inventory);
    return 0;
}
