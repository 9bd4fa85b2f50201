/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See path.h. Paths are bytes: nothing here asks whether they are UTF-8. ".." is taken by the text
 * alone, as the programs do that unpack layers; what a link in between would make of it is not
 * looked at.
 */
#include "image/path.h"

#include "base/utf8.h"

static int fail(struct slice path, const char *why, struct err *err)
{
    char shown[PATH_SHOWN_BYTES];

    return err_set(err, ERR_FORMAT, "the path %s %s", path_show(path, shown), why);
}

static int fail_limit(struct slice path, int limit, const char *of_what, struct err *err)
{
    char shown[PATH_SHOWN_BYTES];

    return err_set(err, ERR_LIMIT, "the path %s has more than the limit of %d %s",
        path_show(path, shown), limit, of_what);
}

/* Appends a part of a path to the len bytes in dst, which has room for it. */
static size_t append(char *dst, size_t len, struct slice part)
{
    if (len)
        dst[len++] = '/';
    memcpy(dst + len, part.ptr, part.len);
    return len + part.len;
}

int path_clean(
    struct slice path, char dst[LIMIT_LAYER_PATH_BYTES], struct slice *ret, struct err *err)
{
    struct slice rest = path;
    size_t len = 0, depth = 0;

    if (path.len > LIMIT_LAYER_PATH_BYTES)
        return fail_limit(path, LIMIT_LAYER_PATH_BYTES, "bytes", err);
    while (rest.len) {
        struct slice part = slice_pull_until(&rest, '/');

        if (part.len == 0 || slice_is(part, "."))
            continue;
        if (!slice_is(part, "..")) {
            if (++depth > LIMIT_LAYER_PATH_DEPTH)
                return fail_limit(path, LIMIT_LAYER_PATH_DEPTH, "parts", err);
            len = append(dst, len, part);
            continue;
        }
        if (depth == 0)
            return fail(path, "leaves the root of the layer", err);
        depth--;
        len = path_folder((struct slice){dst, len}).len;
    }
    *ret = (struct slice){dst, len};
    return 0;
}

struct slice path_folder(struct slice path)
{
    size_t slash = slice_rfind_char(path, '/');

    return slice_sub(path, 0, slash < path.len ? slash : 0);
}

struct slice path_base(struct slice path)
{
    size_t slash = slice_rfind_char(path, '/');

    return slash < path.len ? slice_skip(path, slash + 1) : path;
}

int path_whiteout(struct slice path, char dst[LIMIT_LAYER_PATH_BYTES], enum path_mark *ret_mark,
    struct slice *ret, struct err *err)
{
    struct slice base = path_base(path), folder = path_folder(path), name;
    size_t len = 0;

    if (!slice_starts_with(base, ".wh.")) {
        *ret_mark = PATH_PLAIN;
        *ret = path;
        return 0;
    }
    if (slice_starts_with(base, ".wh..wh.")) {
        *ret_mark = slice_is(base, ".wh..wh..opq") ? PATH_OPAQUE : PATH_IGNORED;
        *ret = folder;
        return 0;
    }
    name = slice_skip(base, strlen(".wh."));
    if (name.len == 0 || slice_is(name, ".") || slice_is(name, ".."))
        return fail(path, "is a whiteout that names nothing", err);
    if (folder.len)
        len = append(dst, 0, folder);
    *ret_mark = PATH_WHITEOUT;
    *ret = (struct slice){dst, append(dst, len, name)};
    return 0;
}

const char *path_show(struct slice path, char dst[PATH_SHOWN_BYTES])
{
    size_t len = 0;

    while (path.len) {
        struct slice shown = utf8_pull_shown(&path);

        if (len + shown.len + sizeof("...") > PATH_SHOWN_BYTES) {
            memcpy(dst + len, "...", 3);
            len += 3;
            break;
        }
        memcpy(dst + len, shown.ptr, shown.len);
        len += shown.len;
    }
    dst[len] = 0;
    return dst;
}
