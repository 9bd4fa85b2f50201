/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that ask for more memory than there is: the sanitizers' allocators would end the
 * process where malloc(3) returns NULL. Read by their runtimes at start; nobody's in other builds.
 */
#ifndef CAREEN_TESTS_HUGE_H
#define CAREEN_TESTS_HUGE_H

const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

#endif
