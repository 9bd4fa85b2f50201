/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound release. CLEANUP(f) runs f(&variable) when the variable leaves its scope; every
 * destructor in this tree accepts zeroed and half-made objects, so one declaration at the top of a
 * function replaces its error paths.
 */
#ifndef CAREEN_BASE_CLEANUP_H
#define CAREEN_BASE_CLEANUP_H

#define CLEANUP(f) __attribute__((cleanup(f)))

/* For `int fd CLEANUP(cleanup_fd) = -1;` and `char *p CLEANUP(cleanup_free) = NULL;`. */
void cleanup_fd(const int *fd);
void cleanup_free(void *pointer_to_pointer);

#endif
