/* SPDX-License-Identifier: Apache-2.0 */
/* A library for LD_PRELOAD: no connection is accepted while the file named by CAREEN_DEAF is there,
 * as if the thread that accepts them hung (tests/e2e/test_settings.py). */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int (*accept4_fn)(int, struct sockaddr *, socklen_t *, int);

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    void *found = dlsym(RTLD_NEXT, "accept4");
    accept4_fn real;

    memcpy(&real, &found, sizeof(real));
    if (access(getenv("CAREEN_DEAF"), F_OK) == 0) {
        usleep(10000);
        errno = EAGAIN;
        return -1;
    }
    return real(fd, address, len, flags);
}
