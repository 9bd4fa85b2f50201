// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpmdb.sqlite and its log of any bytes. Input: a flag, the length of the database in two bytes,
 * the database, the log. With the flag the sums of the log are made to fit, which no fuzzer would
 * guess.
 */
#include "support/read_inventory.h"
#include "support/rpm_make.h"

#define PATH "var/lib/rpm/rpmdb.sqlite"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = {(const char *)data, size}, database, log;
    struct buf copy = BUF_INIT(1 << 22);
    struct inventory inventory;
    struct blob content, beside;
    const struct inventory_file file = {SLICE(PATH), &content, &beside};
    struct err err = {0};

    if (size < 3)
        return 0;
    database = slice_sub(input, 3, (size_t)data[1] << 8 | data[2]);
    log = slice_skip(input, 3 + database.len);
    buf_put_slice(&copy, log);
    if (data[0] & 1 && copy.len >= 32)
        mend_wal((unsigned char *)copy.data, copy.len, MAKE_PAGE);
    content = blob_of_memory(database, PATH);
    beside = blob_of_memory(buf_slice(&copy), PATH "-wal");
    inventory_init(&inventory);
    if (inventory_reader_for(SLICE(PATH))->read(&file, &inventory, &err) == 0)
        check_inventory(&inventory);
    else
        BUG_ON(strncmp(err.message, PATH ": ", strlen(PATH ": ")) != 0 || err.code == ERR_IO);
    inventory_release(&inventory);
    buf_release(&copy);
    return 0;
}
