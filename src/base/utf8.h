/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629): validity, code points, and whether a text is fit for a field of one line. */
#ifndef CAREEN_BASE_UTF8_H
#define CAREEN_BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the sequence that starts at s (1-4), or 0 when it is not valid UTF-8 (overlong forms,
 * surrogates and code points above U+10FFFF included). */
size_t utf8_sequence(struct slice s);
bool utf8_is_valid(struct slice s);
size_t utf8_count(struct slice s); /* code points of a valid text */
/* Valid UTF-8 without control characters: C0, DEL, C1, U+2028, U+2029, and those that turn the
 * direction of writing (U+061C, U+200E, U+200F, U+202A-202E, U+2066-2069). Fit for a name. */
bool utf8_is_line(struct slice s);
/* Takes the first character (of what is no UTF-8: the first byte) off *text, which is not empty,
 * and returns it; U+FFFD, as a constant, where utf8_is_line() does not allow it. For terminals. */
struct slice utf8_pull_shown(struct slice *text);
/* Encodes a code point (<= U+10FFFF, no surrogate) into dst; returns the bytes written, 1-4. */
size_t utf8_encode(uint32_t code_point, char dst[4]);

#endif
