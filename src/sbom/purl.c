/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing from the right, as the specification tells it ("How to parse a purl string"): subpath,
 * qualifiers, then scheme and type from the left, then version and name from the right again. The
 * text is copied into the result once and its parts are decoded there, in place.
 */
#include "sbom/purl.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes s, a part of purl->text, where it stands. False on a bad escape. */
static bool decode(struct purl *purl, struct slice *s)
{
    char *at = s->len ? purl->text + (s->ptr - purl->text) : NULL;
    size_t used = 0;

    for (size_t i = 0; i < s->len; i++) {
        char c = at[i];

        if (c == '%') {
            int high = i + 2 < s->len ? hex_value(at[i + 1]) : -1;
            int low = high >= 0 ? hex_value(at[i + 2]) : -1;

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        at[used++] = c;
    }
    s->len = used;
    return true;
}

static bool take_qualifiers(struct purl *purl, struct slice rest)
{
    while (rest.len) {
        struct slice value = slice_pull_until(&rest, '&');
        struct slice key = slice_pull_until(&value, '=');
        struct slice *field = NULL;

        if (slice_is(key, "arch"))
            field = &purl->arch;
        else if (slice_is(key, "distro"))
            field = &purl->distro;
        else if (slice_is(key, "epoch"))
            field = &purl->epoch;
        else if (slice_is(key, "upstream"))
            field = &purl->upstream;
        if (!field)
            continue;
        *field = value;
        if (!decode(purl, field))
            return false;
    }
    return true;
}

static bool take_type(struct purl *purl, struct slice type)
{
    if (type.len == 0)
        return false;
    for (size_t i = 0; i < type.len; i++) {
        char *c = purl->text + (type.ptr - purl->text) + i;

        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        else if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '.' && *c != '+' &&
                 *c != '-')
            return false;
    }
    purl->type = type;
    return true;
}

static struct slice strip_slashes(struct slice s)
{
    while (s.len && s.ptr[0] == '/')
        s = slice_skip(s, 1);
    while (s.len && s.ptr[s.len - 1] == '/')
        s.len--;
    return s;
}

/* [namespace/]name[@version]. A scoped name may stand unencoded ("pkg:npm/@babel/core"): the '@'
 * that starts a version does not stand at the start of a segment. */
static bool take_path(struct purl *purl, struct slice path)
{
    size_t slash, at;

    path = strip_slashes(path);
    at = slice_rfind_char(path, '@');
    if (at < path.len && at > 0 && path.ptr[at - 1] != '/') {
        purl->version = slice_skip(path, at + 1);
        path = strip_slashes(slice_sub(path, 0, at));
    }
    slash = slice_rfind_char(path, '/');
    if (slash < path.len) {
        purl->namespace = strip_slashes(slice_sub(path, 0, slash));
        path = slice_skip(path, slash + 1);
    }
    purl->name = path;
    return path.len > 0 && decode(purl, &purl->version) && decode(purl, &purl->namespace) &&
           decode(purl, &purl->name) && purl->name.len > 0;
}

bool purl_parse(struct slice text, struct purl *ret)
{
    struct slice rest, qualifiers, scheme, type;

    if (text.len == 0 || text.len > sizeof(ret->text))
        return false;
    memcpy(ret->text, text.ptr, text.len);
    ret->namespace = ret->version = SLICE_NONE;
    ret->arch = ret->distro = ret->epoch = ret->upstream = SLICE_NONE;
    rest = (struct slice){ret->text, text.len};
    rest = slice_sub(rest, 0, slice_find_char(rest, '#'));
    qualifiers = rest;
    rest = slice_pull_until(&qualifiers, '?');
    scheme = slice_pull_until(&rest, ':');
    if (!slice_is(scheme, "pkg"))
        return false;
    while (rest.len && rest.ptr[0] == '/')
        rest = slice_skip(rest, 1);
    type = slice_pull_until(&rest, '/');
    return take_type(ret, type) && take_path(ret, rest) && take_qualifiers(ret, qualifiers);
}
