/* SPDX-License-Identifier: Apache-2.0 */
/* The two destructors that plain C types need for CLEANUP(). */
#include "base/cleanup.h"

#include <unistd.h>

void cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void cleanup_free(void *pointer_to_pointer)
{
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof(p));
    free(p);
}
