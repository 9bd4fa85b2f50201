/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the end of the plain part of a string: printable ASCII without quote and backslash, which
 * stands for itself inside and outside JSON. Nearly all bytes of a report are such, so reader and
 * writer spend their time here: 16 bytes at a time with SSE2, 8 elsewhere.
 */
#ifndef CAREEN_CODEC_JSON_PLAIN_H
#define CAREEN_CODEC_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool json_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

#ifdef __SSE2__

/* Bytes of the 16 at p before the first that is not plain. */
static inline unsigned json_plain_block(const char *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i_u *)p);
    /* Signed, so that bytes from 0x80 on count as less than a blank too. */
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i escape = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    unsigned stop = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, escape)));

    return stop ? (unsigned)__builtin_ctz(stop) : 16;
}

#define JSON_PLAIN_BLOCK 16u

#else

/* Of the 8 bytes at p: 8 when all are plain, else 0 (the caller looks closer). */
static inline unsigned json_plain_block(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255, high = ones * 0x80;
    uint64_t x, quote, escape;

    memcpy(&x, p, sizeof(x));
    quote = x ^ (ones * '"');
    escape = x ^ (ones * '\\');
    return (((x - ones * 0x20) | (quote - ones) | (escape - ones) | x) & high) ? 0 : 8;
}

#define JSON_PLAIN_BLOCK 8u

#endif

/* Length of the plain start of p[0..len). */
static inline size_t json_plain_len(const char *p, size_t len)
{
    size_t i = 0;

    while (len - i >= JSON_PLAIN_BLOCK) {
        unsigned n = json_plain_block(p + i);

        i += n;
        if (n < JSON_PLAIN_BLOCK)
            break;
    }
    /* The rest of a longer string, with some of the bytes before it: nearly always all plain. */
    if (len >= JSON_PLAIN_BLOCK && len - i < JSON_PLAIN_BLOCK &&
        json_plain_block(p + len - JSON_PLAIN_BLOCK) == JSON_PLAIN_BLOCK)
        return len;
    while (i < len && json_is_plain(p[i]))
        i++;
    return i;
}

#endif
