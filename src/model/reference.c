/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references, cut from the right: the digest behind '@', then the tag behind the last ':'
 * that no '/' follows (a ':' before a '/' is a registry's port).
 *
 * Laxer than the grammar of distribution/reference where scanners and registries are: upper case in
 * the repository, any run of separators, any length. The digest is that of the OCI image
 * specification (descriptor.md, Digests); whether its hex digits are all there is
 * digest_is_valid().
 */
#include "model/reference.h"

#include "base/utf8.h"

enum { TAG_MAX_CHARS = 128, SHOWN_BYTES = 200 };

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Letters, digits and the characters of `extra`, at least one. */
static bool consists_of(struct slice s, const char *extra)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]) && !(s.ptr[i] && strchr(extra, s.ptr[i])))
            return false;
    return s.len != 0;
}

static bool is_component(struct slice s)
{
    return consists_of(s, "._-") && is_alnum(s.ptr[0]) && is_alnum(s.ptr[s.len - 1]);
}

/* host, host:port, [IPv6] or [IPv6]:port */
static bool is_registry(struct slice s)
{
    size_t colon = slice_rfind_char(s, ':'), bracket = slice_rfind_char(s, ']');
    uint64_t port;

    if (colon < s.len && (bracket == s.len || colon > bracket)) {
        if (!slice_to_u64(slice_skip(s, colon + 1), &port) || port > UINT16_MAX)
            return false;
        s = slice_sub(s, 0, colon);
    }
    if (slice_starts_with(s, "[") && slice_ends_with(s, "]"))
        return consists_of(slice_sub(s, 1, s.len - 2), ":.");
    return is_component(s);
}

static bool is_name(struct slice name)
{
    bool first = true, last;

    do {
        size_t slash = slice_find_char(name, '/');
        struct slice component = slice_sub(name, 0, slash);

        last = slash == name.len;
        if (first && !last ? !is_registry(component) : !is_component(component))
            return false;
        name = slice_skip(name, slash + 1);
        first = false;
    } while (!last);
    return true;
}

static bool is_tag(struct slice tag)
{
    return tag.len <= TAG_MAX_CHARS && consists_of(tag, "_.-") && tag.ptr[0] != '.' &&
           tag.ptr[0] != '-';
}

static bool is_digest(struct slice digest)
{
    struct slice encoded = digest;
    struct slice algorithm = slice_pull_until(&encoded, ':');

    return consists_of(algorithm, "+._-") && consists_of(encoded, "=_-");
}

static int refuse(struct slice text, const char *why, struct err *err)
{
    if (!utf8_is_line(text))
        return err_set(err, ERR_INVALID,
            "an image reference of %zu bytes is not one line of UTF-8 text", text.len);
    return err_set(err, ERR_INVALID,
        "\"%.*s\" is not an image reference ([registry/]repository[:tag][@digest]): %s",
        SLICE_FMT(slice_sub(text, 0, SHOWN_BYTES)), why);
}

int reference_parse(struct slice text, struct reference *ret, struct err *err)
{
    struct reference parsed = {.name = text};
    size_t at = slice_find_char(text, '@'), colon;

    if (at < text.len) {
        parsed.name = slice_sub(text, 0, at);
        parsed.digest = slice_skip(text, at + 1);
        if (!is_digest(parsed.digest))
            return refuse(text, "behind the '@' stands no digest (algorithm:hex)", err);
    }
    colon = slice_rfind_char(parsed.name, ':');
    if (colon < parsed.name.len &&
        slice_find_char(slice_skip(parsed.name, colon), '/') == parsed.name.len - colon) {
        parsed.tag = slice_skip(parsed.name, colon + 1);
        parsed.name = slice_sub(parsed.name, 0, colon);
        if (!is_tag(parsed.tag))
            return refuse(text,
                "a tag is 1 to 128 letters, digits, '_', '.' and '-', the first no '.' or '-'",
                err);
    }
    if (!is_name(parsed.name))
        return refuse(
            text, "a repository is letters, digits, '.', '_' and '-' in parts divided by '/'", err);
    *ret = parsed;
    return 0;
}

/* Cuts the prefix off, unless nothing would be left. */
static struct slice without(struct slice name, const char *prefix)
{
    size_t len = strlen(prefix);

    return name.len > len && slice_starts_with(name, prefix) ? slice_skip(name, len) : name;
}

struct slice reference_repository(struct slice name)
{
    name = without(name, slice_starts_with(name, "index.") ? "index.docker.io/" : "docker.io/");
    return without(name, "library/");
}

bool digest_is_valid(struct slice digest)
{
    struct slice hex = slice_skip(digest, strlen("sha256:"));

    if (!slice_starts_with(digest, "sha256:") || hex.len != 64)
        return false;
    for (size_t i = 0; i < hex.len; i++)
        if (!((hex.ptr[i] >= '0' && hex.ptr[i] <= '9') || (hex.ptr[i] >= 'a' && hex.ptr[i] <= 'f')))
            return false;
    return true;
}

void digest_write(const unsigned char hash[SHA256_BYTES], char ret[DIGEST_TEXT_BYTES])
{
    memcpy(ret, "sha256:", strlen("sha256:"));
    hex_encode(hash, SHA256_BYTES, ret + strlen("sha256:"));
}
