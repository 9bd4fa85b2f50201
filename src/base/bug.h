/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BUG_ON(impossible): stays on in release builds. For broken invariants of our own; bad input is
 * never an assertion.
 */
#ifndef CAREEN_BASE_BUG_H
#define CAREEN_BASE_BUG_H

_Noreturn void bug_die(const char *file, int line, const char *condition);

#define BUG_ON(condition)                            \
    do {                                             \
        if (__builtin_expect(!!(condition), 0))      \
            bug_die(__FILE__, __LINE__, #condition); \
    } while (0)

#endif
