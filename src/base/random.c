/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom(2) in a loop: it may return short for large requests or be interrupted. */
#include "base/random.h"

#include "base/bug.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *dst, size_t len)
{
    char *at = dst;

    while (len) {
        ssize_t got = getrandom(at, len, 0);

        BUG_ON(got < 0 && errno != EINTR);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}
