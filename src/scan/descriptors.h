/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that a child process keeps. */
#ifndef CAREEN_SCAN_DESCRIPTORS_H
#define CAREEN_SCAN_DESCRIPTORS_H

#include <stddef.h>

/* Closes every descriptor of this process from 3 on but these, in any order; -1 stands for none.
 * For a process that has just been forked, and has one thread. */
void descriptors_keep(const int *kept, size_t count);

#endif
