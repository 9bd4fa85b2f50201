/* SPDX-License-Identifier: Apache-2.0 */
/* The SDKs of the API send "//v5/..." where the endpoint was given with a slash at its end. */
#include "http/target.h"

#include <string.h>

bool target_is_valid(struct slice target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];

        if (c <= ' ' || c == 0x7f)
            return false;
    }
    return target.len > 0;
}

/* "scheme://authority" in front, if there is one: what follows it. */
static struct slice without_authority(struct slice target)
{
    struct slice rest = target, scheme = slice_pull_until(&rest, ':');
    size_t end;

    if (!slice_starts_with(rest, "//") || slice_find_char(scheme, '/') < scheme.len ||
        slice_find_char(scheme, '?') < scheme.len)
        return target;
    rest = slice_skip(rest, 2);
    for (end = 0; end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?'; end++)
        continue;
    return slice_skip(rest, end);
}

void target_split(struct slice target, struct slice *path, struct slice *query)
{
    struct slice rest = target;

    if (!slice_starts_with(target, "/"))
        rest = without_authority(target);
    *path = slice_pull_until(&rest, '?');
    *query = rest;
    while (slice_starts_with(*path, "//"))
        *path = slice_skip(*path, 1);
    if (!path->len)
        *path = SLICE("/");
}

void target_hide_query(const char *target)
{
    char *query = strchr((char *)(uintptr_t)target, '?');

    if (query)
        query[1] = '\0';
}
