/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with the headers that it wants before it, and what every unit test uses. */
#ifndef CAREEN_TESTS_UNIT_H
#define CAREEN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/slice.h"

/* Fails with the message when the call (0 or -1) failed. */
#define assert_ok(call)                                 \
    do {                                                \
        struct err *err_at = &err;                      \
        if ((call) != 0)                                \
            fail_msg("%s: %s", #call, err_at->message); \
    } while (0)

#define assert_slice(actual, text)                                                    \
    do {                                                                              \
        struct slice s_at = (actual);                                                 \
        if (!slice_is(s_at, (text)))                                                  \
            fail_msg("%s is \"%.*s\", not \"%s\"", #actual, SLICE_FMT(s_at), (text)); \
    } while (0)

#endif
