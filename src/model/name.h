/* SPDX-License-Identifier: Apache-2.0 */
/* What any name from outside has to be before it is stored: a package's, an image's, an alias. */
#ifndef CAREEN_MODEL_NAME_H
#define CAREEN_MODEL_NAME_H

#include "base/err.h"
#include "base/slice.h"

/* Is s fit for a field of one line: UTF-8 without control characters, at most LIMIT_NAME_CHARS, not
 * empty if needed? ERR_INVALID names `what` and the value. */
int name_check(const char *what, struct slice s, bool needed, struct err *err);

enum { NAME_SHOWN_BYTES = 72 };
/* A copy that is fit for a message: cut after some 60 bytes, '?' for all but printable ASCII.
 * Returns dst. */
const char *name_shown(struct slice s, char dst[NAME_SHOWN_BYTES]);

#endif
