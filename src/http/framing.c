/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP library takes the first header of a name and ignores what contradicts it; see framing.h
 * for why that is not enough. */
#include "http/framing.h"

#include "base/limits.h"

#include <strings.h>

static bool is_name(struct slice name, const char *lower)
{
    return name.len == strlen(lower) && !strncasecmp(name.ptr, lower, name.len);
}

/* RFC 9110, section 5.6.2. "Content-Length " with its blank is a length to some servers only. */
static bool is_token(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len > 0;
}

void framing_add(struct framing *framing, struct slice name, struct slice value)
{
    size_t bytes = name.len + value.len;
    uint64_t length;

    framing->header_bytes += bytes;
    if (bytes > framing->largest_header_bytes)
        framing->largest_header_bytes = bytes;
    framing->odd_name |= !is_token(name);
    if (is_name(name, "content-length")) {
        if (!slice_to_u64(value, &length) ||
            (framing->lengths && length != framing->content_length))
            framing->odd_length = true;
        else
            framing->content_length = length;
        framing->lengths++;
    } else if (is_name(name, "transfer-encoding")) {
        framing->chunked = is_name(value, "chunked");
        framing->odd_encoding |= !framing->chunked;
        framing->encodings++;
    }
}

int framing_check(const struct framing *framing, size_t header_bytes, struct err *err)
{
    if (framing->largest_header_bytes > LIMIT_HTTP_ONE_HEADER_BYTES)
        return err_set(err, ERR_LIMIT, "a request header is larger than the limit of %d bytes",
            LIMIT_HTTP_ONE_HEADER_BYTES);
    if (framing->header_bytes > header_bytes)
        return err_set(err, ERR_LIMIT, "the request headers are larger than the limit of %zu bytes",
            header_bytes);
    if (framing->odd_name)
        return err_set(err, ERR_FORMAT,
            "a request header's name is empty or holds blanks or other characters that none may");
    if (framing->odd_length)
        return err_set(err, ERR_FORMAT,
            "the request's Content-Length headers are not one and the same number");
    if (framing->odd_encoding || framing->encodings > 1)
        return err_set(err, ERR_FORMAT,
            "the request's Transfer-Encoding is not \"chunked\", the only one taken here");
    if (framing->encodings && framing->http_1_0)
        return err_set(err, ERR_FORMAT,
            "the request has a Transfer-Encoding, which HTTP/1.0 does not know: send it as "
            "HTTP/1.1, or with a Content-Length");
    if (framing->lengths && framing->encodings)
        return err_set(err, ERR_FORMAT,
            "the request has both Content-Length and Transfer-Encoding: send one of them");
    return 0;
}

bool framing_has_body(const struct framing *framing)
{
    return framing->chunked || framing->content_length > 0;
}
