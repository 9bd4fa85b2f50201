// room: scan
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the facts of a layer: the checksum that would stop all others is put right first.
 * What can be read is laid over nothing, and over itself, and written again as the same bytes.
 */
#include "base/bug.h"
#include "codec/hash.h"
#include "scan/layering.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lay(const struct layer_facts *facts)
{
    const struct interest interest = {0};
    struct err err = {0};
    struct layering *layering = layering_new(&err);
    struct alias *missing = NULL;
    size_t count;

    if (layering && layering_add(layering, 1, facts, &err) == 0 &&
        layering_add(layering, 0, facts, &err) == 0 &&
        layering_missing_aliases(layering, &interest, &missing, &count, &err) == 0 &&
        layering_finish(layering, &err) == 0)
        for (size_t i = 0; i < layering_package_count(layering); i++)
            BUG_ON(layering_package(layering, i)->layer > 1);
    free(missing);
    layering_free(layering);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf bytes = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);
    unsigned char digest[SHA256_BYTES];
    struct layer_facts facts;
    struct err err = {0};

    buf_put(&bytes, data, size);
    sha256(buf_slice(&bytes), digest);
    buf_put(&bytes, digest, sizeof(digest));
    if (layer_facts_decode(buf_slice(&bytes), &facts, &err) == 0) {
        BUG_ON(layer_facts_encode(&facts, &again, &err) != 0);
        BUG_ON(!slice_eq(buf_slice(&bytes), buf_slice(&again)));
        lay(&facts);
        layer_facts_release(&facts);
    } else {
        BUG_ON(err.code != ERR_CORRUPT && err.code != ERR_LIMIT);
    }
    buf_release(&bytes);
    buf_release(&again);
    return 0;
}
