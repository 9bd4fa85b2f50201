/* SPDX-License-Identifier: Apache-2.0 */
/* See base64url.h. Three bytes are four characters; one or two bytes left over, two or three. */
#include "codec/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(struct buf *out, struct slice bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (unsigned char)bytes.ptr[i];
        for (held += 8; held >= 6; held -= 6)
            buf_put_char(out, alphabet[bits >> (held - 6) & 63]);
    }
    if (held)
        buf_put_char(out, alphabet[bits << (6 - held) & 63]);
}

static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

int base64url_decode(struct slice text, struct arena *arena, struct slice *ret, struct err *err)
{
    unsigned char *to = arena_alloc(arena, text.len + 1, err);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;

    if (!to)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.ptr[i]);

        if (value < 0)
            return err_set(err, ERR_INVALID, "not base64url");
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            to[len++] = (unsigned char)(bits >> held);
        }
    }
    if (held >= 6 || (bits & ((1u << held) - 1)))
        return err_set(err, ERR_INVALID, "not base64url");
    *ret = (struct slice){(const char *)to, len};
    return 0;
}
