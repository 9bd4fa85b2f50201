/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one rule for names from outside. Whoever reads a report or a package database asks here, so
 * that no name gets into the inventory by one way that another way refuses.
 */
#include "model/name.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <string.h>

enum { SHOWN_BYTES = 60 };

const char *name_shown(struct slice s, char dst[NAME_SHOWN_BYTES])
{
    size_t n = s.len < SHOWN_BYTES ? s.len : SHOWN_BYTES;

    for (size_t i = 0; i < n; i++)
        dst[i] = s.ptr[i] >= 0x20 && s.ptr[i] < 0x7f ? s.ptr[i] : '?';
    memcpy(dst + n, n < s.len ? "..." : "", n < s.len ? 4 : 1);
    return dst;
}

int name_check(const char *what, struct slice s, bool needed, struct err *err)
{
    char text[NAME_SHOWN_BYTES];

    if (s.len == 0 && needed)
        return err_set(err, ERR_INVALID, "%s is empty", what);
    if (!utf8_is_line(s))
        return err_set(err, ERR_INVALID, "%s \"%s\" is not UTF-8 or holds control characters", what,
            name_shown(s, text));
    if (s.len > LIMIT_NAME_CHARS && utf8_count(s) > LIMIT_NAME_CHARS)
        return err_set(err, ERR_INVALID, "%s \"%s\" is longer than %d characters", what,
            name_shown(s, text), LIMIT_NAME_CHARS);
    return 0;
}
