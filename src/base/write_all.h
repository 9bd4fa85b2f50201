/* SPDX-License-Identifier: Apache-2.0 */
/* write(2) until all is written. */
#ifndef CAREEN_BASE_WRITE_ALL_H
#define CAREEN_BASE_WRITE_ALL_H

#include "base/slice.h"

/* Goes on after short writes and signals. False with errno set, when some of it may be written. */
bool write_all(int fd, struct slice bytes);

#endif
