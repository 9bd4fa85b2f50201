/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by RFC 3629, section 4 (the ABNF is the switch below). */
#include "base/utf8.h"

static bool in_range(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

size_t utf8_sequence(struct slice s)
{
    unsigned char b[4] = {0}, low = 0x80, high = 0xbf;
    size_t len;

    if (s.len == 0)
        return 0;
    memcpy(b, s.ptr, s.len < 4 ? s.len : 4);
    if (b[0] < 0x80)
        return 1;
    len = in_range(b[0], 0xc2, 0xdf)   ? 2
          : in_range(b[0], 0xe0, 0xef) ? 3
          : in_range(b[0], 0xf0, 0xf4) ? 4
                                       : 0;
    if (len == 0 || s.len < len)
        return 0;
    if (b[0] == 0xe0)
        low = 0xa0;
    else if (b[0] == 0xed)
        high = 0x9f;
    else if (b[0] == 0xf0)
        low = 0x90;
    else if (b[0] == 0xf4)
        high = 0x8f;
    if (!in_range(b[1], low, high))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!in_range(b[i], 0x80, 0xbf))
            return 0;
    return len;
}

/* Nearly every character is ASCII, and takes no call. */
bool utf8_is_valid(struct slice s)
{
    for (size_t i = 0, n; i < s.len; i += n) {
        n = (unsigned char)s.ptr[i] < 0x80 ? 1 : utf8_sequence(slice_skip(s, i));
        if (n == 0)
            return false;
    }
    return true;
}

size_t utf8_count(struct slice s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* General category Cc, U+2028 and U+2029, and the property Bidi_Control of Unicode: those make a
 * text look like another one, or reach beyond its end into what is shown behind it. */
static bool is_control(struct slice s, size_t n)
{
    unsigned char b[3] = {0};

    memcpy(b, s.ptr, n < 3 ? n : 3);
    if (n == 1)
        return b[0] < 0x20 || b[0] == 0x7f;
    if (n == 2)
        return (b[0] == 0xc2 && b[1] < 0xa0) || (b[0] == 0xd8 && b[1] == 0x9c);
    if (n != 3 || b[0] != 0xe2)
        return false;
    if (b[1] == 0x80)
        return in_range(b[2], 0x8e, 0x8f) || in_range(b[2], 0xa8, 0xae);
    return b[1] == 0x81 && in_range(b[2], 0xa6, 0xa9);
}

bool utf8_is_line(struct slice s)
{
    for (size_t i = 0, n; i < s.len; i += n) {
        struct slice rest = {s.ptr + i, s.len - i};

        n = 1;
        if (in_range((unsigned char)s.ptr[i], ' ', '~'))
            continue;
        n = utf8_sequence(rest);
        if (n == 0 || is_control(rest, n))
            return false;
    }
    return true;
}

struct slice utf8_pull_shown(struct slice *text)
{
    size_t n = utf8_sequence(*text);
    struct slice first = slice_sub(*text, 0, n ? n : 1);

    *text = slice_skip(*text, first.len);
    return utf8_is_line(first) ? first : SLICE("\xef\xbf\xbd");
}

size_t utf8_encode(uint32_t code_point, char dst[4])
{
    if (code_point < 0x80) {
        dst[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        dst[0] = (char)(0xc0 | code_point >> 6);
        dst[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        dst[0] = (char)(0xe0 | code_point >> 12);
        dst[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        dst[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    dst[0] = (char)(0xf0 | code_point >> 18);
    dst[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    dst[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    dst[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
