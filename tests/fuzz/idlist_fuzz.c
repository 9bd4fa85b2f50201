// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a list of ids, and as ids with times. There is one encoding of a set: what can be
 * read must be written again as the very bytes it was read from.
 */
#include "base/bug.h"
#include "codec/idlist.h"

enum { MAX_COUNT = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_list(struct slice bytes)
{
    struct buf again = BUF_INIT(SIZE_MAX);
    struct slice rest = bytes;
    struct ids ids = {0};
    struct err err = {0};

    if (idlist_decode(&rest, MAX_COUNT, &ids, &err) == 0) {
        BUG_ON(ids.count > MAX_COUNT);
        idlist_encode(&again, &ids);
        BUG_ON(!slice_eq(buf_slice(&again), slice_sub(bytes, 0, bytes.len - rest.len)));
    } else {
        BUG_ON(err.code != ERR_CORRUPT || ids.at || rest.len != bytes.len);
    }
    ids_release(&ids);
    buf_release(&again);
}

static void try_times(struct slice bytes)
{
    struct buf again = BUF_INIT(SIZE_MAX);
    struct timed_ids ids = {0};
    struct err err = {0};

    if (timed_ids_decode(bytes, MAX_COUNT, &ids, &err) == 0) {
        BUG_ON(ids.count > MAX_COUNT);
        for (size_t i = 0; i < ids.count; i++)
            BUG_ON(timed_ids_find(&ids, ids.at[i].id) != &ids.at[i]);
        BUG_ON(timed_ids_encode(&again, &ids, &err) != 0);
        BUG_ON(!slice_eq(buf_slice(&again), bytes));
    } else {
        BUG_ON(err.code != ERR_CORRUPT || ids.at);
    }
    timed_ids_release(&ids);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};

    try_list(bytes);
    try_times(bytes);
    return 0;
}
