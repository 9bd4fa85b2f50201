/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 over every sequence of one to three bytes, and every code point, against a check that goes
 * the other way round: decode by the bits, then ask whether the number may be written so.
 */
#include "unit.h"

#include "base/utf8.h"

/* The code point at s and its bytes, or 0 bytes. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *ret)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need;

    if (len == 0)
        return 0;
    if ((s[0] & 0x80) == 0) {
        *ret = s[0];
        return 1;
    }
    if ((s[0] & 0xe0) == 0xc0)
        need = 2;
    else if ((s[0] & 0xf0) == 0xe0)
        need = 3;
    else if ((s[0] & 0xf8) == 0xf0)
        need = 4;
    else
        return 0;
    if (len < need)
        return 0;
    *ret = s[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *ret = *ret << 6 | (s[i] & 0x3fu);
    }
    if (*ret < smallest[need] || *ret > 0x10ffff || (*ret >= 0xd800 && *ret <= 0xdfff))
        return 0;
    return need;
}

static bool is_control(uint32_t c)
{
    static const uint32_t directions[] = {0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d,
        0x202e, 0x2066, 0x2067, 0x2068, 0x2069};

    for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++)
        if (c == directions[i])
            return true;
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static void check(const unsigned char *bytes, size_t len)
{
    struct slice s = {(const char *)bytes, len};
    bool valid = true, line = true;
    uint32_t code_point = 0;
    size_t count = 0;

    if (utf8_sequence(s) != decode(bytes, len, &code_point))
        fail_msg("sequence %02x %02x %02x", bytes[0], bytes[1], bytes[2]);
    for (size_t at = 0; at < len && valid; count++) {
        size_t n = decode(bytes + at, len - at, &code_point);

        valid = n != 0;
        line = line && valid && !is_control(code_point);
        at += n;
    }
    if (utf8_is_valid(s) != valid || utf8_is_line(s) != line || (valid && utf8_count(s) != count))
        fail_msg("text %02x %02x %02x of %zu bytes", bytes[0], bytes[1], bytes[2], len);
}

static void every_short_text(void **state)
{
    unsigned char bytes[4] = {0};

    (void)state;
    check(bytes, 0);
    for (uint32_t n = 0; n < 1u << 24; n++) {
        bytes[0] = (unsigned char)(n >> 16);
        bytes[1] = (unsigned char)(n >> 8);
        bytes[2] = (unsigned char)n;
        check(bytes, 3);
        if (bytes[2] == 0)
            check(bytes, 2);
        if (bytes[1] == 0 && bytes[2] == 0)
            check(bytes, 1);
    }
}

/* Four bytes: every lead with every second byte, and last bytes at the edges. */
static void four_bytes(void **state)
{
    static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0x81, 0xa9, 0xbf, 0xc0, 0xff};

    (void)state;
    for (uint32_t n = 0; n < 1u << 16; n++) {
        for (size_t i = 0; i < sizeof(edges) * sizeof(edges); i++) {
            unsigned char bytes[] = {
                (unsigned char)(n >> 8), (unsigned char)n, edges[i / 8], edges[i % 8]};

            check(bytes, 4);
        }
    }
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char text[4] = {0};
        uint32_t back = 0;
        size_t n;

        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        n = utf8_encode(c, text);
        if (decode((const unsigned char *)text, n, &back) != n || back != c)
            fail_msg("U+%04X", c);
        if (utf8_sequence((struct slice){text, n}) != n ||
            utf8_is_line((struct slice){text, n}) == is_control(c))
            fail_msg("U+%04X", c);
    }
}

static void pulled(const char *text, const char *const *pieces)
{
    struct slice rest = slice_of(text);

    for (; *pieces; pieces++)
        assert_slice(utf8_pull_shown(&rest), *pieces);
    assert_int_equal(rest.len, 0);
}

static void what_is_shown(void **state)
{
    static const char *const good[] = {"a", "\xc3\xa9", "\xe9\x95\x9c", "\xf0\x9f\x9a\xa2", NULL};
    static const char *const bad[] = {
        "\xef\xbf\xbd", "[", "\xef\xbf\xbd", "\xef\xbf\xbd", "\xef\xbf\xbd", "x", NULL};

    (void)state;
    pulled("a\xc3\xa9\xe9\x95\x9c\xf0\x9f\x9a\xa2", good);
    /* ESC, half a character, the C1 control CSI, U+202E */
    pulled("\x1b[\xe9\xc2\x9b\xe2\x80\xaex", bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_text),
        cmocka_unit_test(four_bytes),
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(what_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
