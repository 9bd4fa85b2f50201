// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* os-release and its cousins of any bytes: never refused. The first line of the input is the name
 * of the file. */
#include "support/read_inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size}, name = slice_pull_until(&text, '\n');
    struct inventory inventory;
    char path[64] = "etc/";

    if (!slice_to_cstr(name, path + 4, sizeof(path) - 4) || !inventory_reader_for(slice_of(path)) ||
        !slice_is(SLICE("os-release"), inventory_reader_for(slice_of(path))->name))
        return 0;
    BUG_ON(!read_as(path, text, &inventory));
    BUG_ON(inventory.package_count || inventory.licence_count);
    inventory_release(&inventory);
    return 0;
}
