// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* A header of rpm of any bytes: refused, or one package that is fit. */
#include "support/read_inventory.h"

#include "inventory/rpm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory inventory;
    struct err err = {0};

    inventory_init(&inventory);
    if (rpm_header_add((struct slice){(const char *)data, size}, &inventory, &err) == 0) {
        BUG_ON(inventory.package_count != 1);
        check_inventory(&inventory);
    } else {
        BUG_ON(inventory.package_count != 0 || err.message[0] == '\0');
        BUG_ON(err.code != ERR_FORMAT && err.code != ERR_INVALID && err.code != ERR_LIMIT);
    }
    inventory_release(&inventory);
    return 0;
}
