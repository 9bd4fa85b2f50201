// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of Berkeley DB of any bytes, of either byte order. */
#include "support/read_inventory.h"

#define PATH "var/lib/rpm/Packages"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory inventory;
    const struct blob content = blob_of_memory((struct slice){(const char *)data, size}, PATH);
    const struct inventory_file file = {SLICE(PATH), &content, NULL};
    struct err err = {0};

    inventory_init(&inventory);
    if (inventory_reader_for(SLICE(PATH))->read(&file, &inventory, &err) == 0)
        check_inventory(&inventory);
    else
        BUG_ON(strncmp(err.message, PATH ": ", strlen(PATH ": ")) != 0 || err.code == ERR_IO);
    inventory_release(&inventory);
    return 0;
}
