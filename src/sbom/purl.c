/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing takes the parts off both ends, as the specification tells it ("How to parse a purl
 * string"): subpath, qualifiers, scheme, type, version, and of what is left name and namespace. The
 * text is copied into the result once; its parts are decoded and normalised there, in place, which
 * never makes them longer. A valid purl has one '#' and one '?' at most; of several the first
 * counts, so that a query in an unencoded URL stays in its qualifier.
 *
 * Building writes the parts down as they are, parses that, and writes the result: so the rules of
 * normalisation stand in one place, and what was built can be parsed.
 */
#include "sbom/purl.h"

#include "base/bug.h"
#include "base/utf8.h"
#include "sbom/purl_type.h"

/* ---- characters ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Letters, digits and some of `others`, and a letter first. */
static bool is_word(struct slice s, const char *others)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_letter(s.ptr[i]) && !is_digit(s.ptr[i]) &&
            (s.ptr[i] == '\0' || !strchr(others, s.ptr[i])))
            return false;
    return s.len && is_letter(s.ptr[0]);
}

static bool is_type(struct slice s)
{
    return is_word(s, ".-");
}

static bool is_key(struct slice s)
{
    return is_word(s, ".-_");
}

/* ---- parts of purl->text, changed where they stand ---- */

static char *bytes_of(struct purl *purl, struct slice part)
{
    return part.len ? purl->text + (part.ptr - purl->text) : purl->text;
}

/* Returns whether there was something to lower. */
static bool lower(struct purl *purl, struct slice part)
{
    char *at = bytes_of(purl, part);
    bool changed = false;

    for (size_t i = 0; i < part.len; i++)
        if (at[i] >= 'A' && at[i] <= 'Z') {
            at[i] = (char)(at[i] - 'A' + 'a');
            changed = true;
        }
    return changed;
}

/* False on a bad escape. */
static bool decode(struct purl *purl, struct slice *part)
{
    char *at = bytes_of(purl, *part);
    size_t used = 0;

    for (size_t i = 0; i < part->len; i++) {
        char c = at[i];

        if (c == '%') {
            int high = i + 2 < part->len ? hex_value(at[i + 1]) : -1;
            int low = high >= 0 ? hex_value(at[i + 2]) : -1;

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        at[used++] = c;
    }
    part->len = used;
    return true;
}

/* Takes empty segments out of a path; of a subpath "." and "..", too. */
static void tidy_path(struct purl *purl, struct slice *path, bool is_subpath)
{
    char *at = bytes_of(purl, *path);
    struct slice rest = *path;
    size_t used = 0;

    while (rest.len) {
        struct slice segment = slice_pull_until(&rest, '/');

        if (segment.len == 0 || (is_subpath && (slice_is(segment, ".") || slice_is(segment, ".."))))
            continue;
        if (used)
            at[used++] = '/';
        memmove(at + used, segment.ptr, segment.len);
        used += segment.len;
    }
    path->len = used;
}

/* ---- parsing ---- */

struct parsing {
    struct purl *purl;
    enum purl_mode mode;
    struct slice given; /* for messages */
    struct err *err;
};

static int refuse(const struct parsing *in, const char *why)
{
    return err_set(in->err, ERR_INVALID, "\"%.*s\" is no package URL: %s",
        SLICE_FMT(slice_sub(in->given, 0, 200)), why);
}

static int take_decoded(const struct parsing *in, struct slice part, struct slice *ret)
{
    if (!decode(in->purl, &part))
        return refuse(in, "'%' must be followed by two hex digits");
    if (in->mode == PURL_STRICT && !utf8_is_valid(part))
        return refuse(in, "it is not UTF-8");
    *ret = part;
    return 0;
}

/* The keys that the specification defines for every type. */
static bool is_common_key(struct slice key)
{
    static const char *const keys[] = {
        "checksum", "download_url", "file_name", "repository_url", "vcs_url", "vers"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (slice_is(key, keys[i]))
            return true;
    return false;
}

/* The official suite wants "Arch" and "Platform" refused, and "repositorY_url" taken: so upper case
 * is let pass in the keys that are common to all types, and in no others. */
static int take_qualifier(const struct parsing *in, struct slice key, struct slice value)
{
    struct purl *purl = in->purl;
    bool strict = in->mode == PURL_STRICT;
    size_t at = purl->qualifier_count;
    int order = 1;

    if (!is_key(key))
        return strict ? refuse(in, "a qualifier's key is malformed") : 0;
    if (lower(purl, key) && strict && !is_common_key(key))
        return refuse(in, "a qualifier's key is not in lower case");
    if (take_decoded(in, value, &value) < 0)
        return -1;
    while (at && (order = slice_cmp(purl->qualifiers[at - 1].key, key)) > 0)
        at--;
    if (at && order == 0)
        return strict ? refuse(in, "a qualifier is given twice") : 0;
    if (value.len == 0)
        return 0;
    if (purl->qualifier_count == PURL_MAX_QUALIFIERS)
        return refuse(in, "it has too many qualifiers");
    memmove(&purl->qualifiers[at + 1], &purl->qualifiers[at],
        (purl->qualifier_count - at) * sizeof(purl->qualifiers[0]));
    purl->qualifiers[at] = (struct purl_qualifier){key, value};
    purl->qualifier_count++;
    return 0;
}

static int take_qualifiers(const struct parsing *in, struct slice rest)
{
    while (rest.len) {
        struct slice value = slice_pull_until(&rest, '&');
        struct slice key = slice_pull_until(&value, '=');

        if (take_qualifier(in, key, value) < 0)
            return -1;
    }
    return 0;
}

static struct slice strip_slashes(struct slice s)
{
    while (s.len && s.ptr[0] == '/')
        s = slice_skip(s, 1);
    while (s.len && s.ptr[s.len - 1] == '/')
        s.len--;
    return s;
}

/* Where the version's '@' stands, or path.len. A scope may stand unencoded ("@babel/core"): an '@'
 * that starts a segment is not the version's. */
static size_t find_version(struct slice path)
{
    size_t at = slice_rfind_char(path, '@');
    bool starts = at < path.len && (at == 0 || path.ptr[at - 1] == '/');

    return starts ? path.len : at;
}

/* "org/@1.0": in strict reading that is a version without a name. */
static bool lacks_name(const struct parsing *in, struct slice path)
{
    struct slice last = slice_skip(path, slice_rfind_char(path, '/') + 1);

    if (slice_find_char(path, '/') == path.len)
        last = path;
    return in->mode == PURL_STRICT && last.len && last.ptr[0] == '@';
}

/* [namespace/]name[@version] */
static int take_path(const struct parsing *in, struct slice path)
{
    struct purl *purl = in->purl;
    size_t at, slash;

    path = strip_slashes(path);
    if (lacks_name(in, path))
        return refuse(in, "it has no name");
    at = find_version(path);
    if (take_decoded(in, slice_skip(path, at + 1), &purl->version) < 0)
        return -1;
    path = strip_slashes(slice_sub(path, 0, at));
    slash = purl_type_has_path_name(purl->type) ? slice_find_char(path, '/')
                                                : slice_rfind_char(path, '/');
    if (slash < path.len) {
        if (take_decoded(in, slice_sub(path, 0, slash), &purl->namespace) < 0)
            return -1;
        tidy_path(purl, &purl->namespace, false);
        path = slice_skip(path, slash + 1);
    }
    if (take_decoded(in, path, &purl->name) < 0)
        return -1;
    if (purl_type_has_path_name(purl->type))
        tidy_path(purl, &purl->name, false);
    return purl->name.len ? 0 : refuse(in, "it has no name");
}

static int take_parts(const struct parsing *in, struct slice rest)
{
    struct purl *purl = in->purl;
    struct slice qualifiers, scheme, subpath = rest;

    rest = slice_pull_until(&subpath, '#');
    qualifiers = rest;
    rest = slice_pull_until(&qualifiers, '?');
    scheme = slice_sub(rest, 0, slice_find_char(rest, ':'));
    rest = slice_skip(rest, scheme.len + 1);
    lower(purl, scheme);
    if (!slice_is(scheme, "pkg"))
        return refuse(in, "it does not start with \"pkg:\"");
    rest = strip_slashes(rest);
    purl->type = slice_pull_until(&rest, '/');
    if (!is_type(purl->type))
        return refuse(in, "its type is missing or malformed");
    lower(purl, purl->type);
    if (take_path(in, rest) < 0 || take_qualifiers(in, qualifiers) < 0 ||
        take_decoded(in, subpath, &purl->subpath) < 0)
        return -1;
    tidy_path(purl, &purl->subpath, true);
    return 0;
}

int purl_parse(struct slice text, enum purl_mode mode, struct purl *ret, struct err *err)
{
    const struct parsing in = {ret, mode, text, err};

    if (text.len == 0)
        return err_set(err, ERR_INVALID, "a package URL is empty");
    if (text.len > sizeof(ret->text))
        return err_set(err, ERR_INVALID,
            "the package URL \"%.*s...\" is longer than %d bytes (PURL_MAX_BYTES)",
            SLICE_FMT(slice_sub(text, 0, 60)), PURL_MAX_BYTES);
    memcpy(ret->text, text.ptr, text.len);
    ret->namespace = ret->version = ret->subpath = SLICE_NONE;
    ret->qualifier_count = 0;
    if (take_parts(&in, (struct slice){ret->text, text.len}) < 0)
        return -1;
    purl_type_normalise(ret);
    return mode == PURL_STRICT ? purl_type_check(ret, err) : 0;
}

/* ---- qualifiers ---- */

struct slice purl_qualifier(const struct purl *purl, const char *key)
{
    for (size_t i = 0; i < purl->qualifier_count; i++)
        if (slice_is(purl->qualifiers[i].key, key))
            return purl->qualifiers[i].value;
    return SLICE_NONE;
}

void purl_add_qualifier(struct purl *purl, const char *key, struct slice value)
{
    if (value.len == 0)
        return;
    BUG_ON(purl->qualifier_count >= PURL_MAX_QUALIFIERS);
    purl->qualifiers[purl->qualifier_count++] = (struct purl_qualifier){slice_of(key), value};
}

/* ---- building ---- */

/* Everything but letters, digits, "-._~", ':' and, in a path, '/' is percent-encoded. */
static void put_encoded(struct buf *out, struct slice s, bool is_path)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (is_letter(c) || is_digit(c) || (c && strchr("-._~:", c)) || (is_path && c == '/')) {
            buf_put_char(out, c);
        } else {
            buf_put_char(out, '%');
            buf_put_char(out, digits[(unsigned char)c >> 4]);
            buf_put_char(out, digits[(unsigned char)c & 15]);
        }
    }
}

static void put_parts(const struct purl *purl, struct buf *out)
{
    bool path_name = purl_type_has_path_name(purl->type);

    buf_put_cstr(out, "pkg:");
    buf_put_slice(out, purl->type);
    buf_put_char(out, '/');
    if (purl->namespace.len) {
        put_encoded(out, purl->namespace, !path_name);
        buf_put_char(out, '/');
    }
    put_encoded(out, purl->name, path_name);
    if (purl->version.len) {
        buf_put_char(out, '@');
        put_encoded(out, purl->version, false);
    }
    for (size_t i = 0; i < purl->qualifier_count; i++) {
        buf_put_char(out, i ? '&' : '?');
        buf_put_slice(out, purl->qualifiers[i].key);
        buf_put_char(out, '=');
        put_encoded(out, purl->qualifiers[i].value, false);
    }
    if (purl->subpath.len) {
        buf_put_char(out, '#');
        put_encoded(out, purl->subpath, true);
    }
}

int purl_build(const struct purl *purl, enum purl_mode mode, struct buf *out, struct err *err)
{
    struct buf given = BUF_INIT(PURL_MAX_BYTES);
    struct purl parsed;
    int failed;

    if (!is_type(purl->type))
        return err_set(err, ERR_INVALID, "\"%.*s\" is no type of a package URL",
            SLICE_FMT(slice_sub(purl->type, 0, 60)));
    for (size_t i = 0; i < purl->qualifier_count; i++)
        if (!is_key(purl->qualifiers[i].key))
            return err_set(err, ERR_INVALID, "\"%.*s\" is no key of a package URL's qualifier",
                SLICE_FMT(slice_sub(purl->qualifiers[i].key, 0, 60)));
    put_parts(purl, &given);
    failed = buf_check(&given, "the package URL", err);
    if (!failed)
        failed = purl_parse(buf_slice(&given), mode, &parsed, err);
    if (!failed)
        put_parts(&parsed, out);
    buf_release(&given);
    return failed;
}
