/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Force-included into every file: functions that invite overflow, hidden state or silent
 * misparsing do not compile. The message names what to use instead.
 */
#ifndef CAREEN_BASE_BANNED_H
#define CAREEN_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in glibc's fortified headers under clang, which it will not poison as they are. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol strtol strtoul strtoll strtoull
#pragma GCC poison sscanf gets localtime gmtime

#endif
