/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the process ends itself: an invariant of ours does not hold. */
#include "base/bug.h"

void bug_die(const char *file, int line, const char *condition)
{
    fprintf(stderr, "careen: internal error at %s:%d: %s\n", file, line, condition);
    abort();
}
