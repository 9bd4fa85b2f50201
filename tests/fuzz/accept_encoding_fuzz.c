// room: http
/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an Accept-Encoding header. Who refuses every coding behind it is never sent gzip. */
#include "base/buf.h"
#include "base/bug.h"
#include "http/packing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice given = {(const char *)data, size};
    struct buf refused = BUF_INIT(SIZE_MAX);
    bool wanted = packing_is_wanted(given);

    BUG_ON(wanted && size == 0);
    buf_put_slice(&refused, given);
    buf_put_cstr(&refused, ",gzip;q=0");
    BUG_ON(packing_is_wanted(buf_slice(&refused)));
    buf_release(&refused);
    return 0;
}
