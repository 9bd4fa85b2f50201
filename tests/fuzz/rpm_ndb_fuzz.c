// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages.db of any bytes behind a flag: with it, the checksum of each blob that a slot points at
 * is made to fit, which no fuzzer would guess. To keep inputs small the page of slots is shorter
 * here than it is in the file: what lacks are slots that are not in use.
 */
#include "support/read_inventory.h"
#include "support/rpm_make.h"

#define PATH "var/lib/rpm/Packages.db"

enum { MAX_SLOTS = 6, SHORT_PAGE = 32 + 16 * MAX_SLOTS };

static void mend(struct buf *file)
{
    unsigned char *p = (unsigned char *)file->data;

    for (size_t i = 0; i < MAX_SLOTS; i++) {
        const unsigned char *slot = p + 32 + 16 * i;
        uint64_t start = 16 * (uint64_t)get_le32(slot + 8);
        uint64_t len = 16 * (uint64_t)get_le32(slot + 12);

        if (len >= 28 && start >= NDB_PAGE && start + len <= file->len)
            set_le(p + start + len - 12, make_adler32(p + start, (size_t)len - 12), 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char unused[16];
    struct buf file = BUF_INIT(1 << 22);
    struct inventory inventory;
    struct blob content;
    const struct inventory_file as_file = {SLICE(PATH), &content, NULL};
    struct err err = {0};

    if (size < 1 + SHORT_PAGE)
        return 0;
    buf_put(&file, data + 1, SHORT_PAGE);
    set_slot(unused, 0, 0, 0);
    while (file.len < NDB_PAGE)
        buf_put(&file, unused, sizeof(unused));
    buf_put(&file, data + 1 + SHORT_PAGE, size - 1 - SHORT_PAGE);
    if (data[0] & 1)
        mend(&file);
    content = blob_of_memory(buf_slice(&file), PATH);
    inventory_init(&inventory);
    if (inventory_reader_for(SLICE(PATH))->read(&as_file, &inventory, &err) == 0)
        check_inventory(&inventory);
    else
        BUG_ON(strncmp(err.message, PATH ": ", strlen(PATH ": ")) != 0 || err.code == ERR_IO);
    inventory_release(&inventory);
    buf_release(&file);
    return 0;
}
