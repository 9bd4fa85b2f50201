// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/* apk's list of packages of any bytes: refused with a place, or read the same wherever it stands.
 */
#include "support/read_inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_paragraphs("lib/apk/db/installed", (struct slice){(const char *)data, size});
    return 0;
}
