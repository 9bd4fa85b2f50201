/* SPDX-License-Identifier: Apache-2.0 */
/* Views of bytes; see slice.h. */
#include "base/slice.h"

#include "base/random.h"

#include <limits.h>

int slice_fmt_len(struct slice s)
{
    return s.len > INT_MAX ? INT_MAX : (int)s.len;
}

struct slice slice_of(const char *cstr)
{
    return cstr ? (struct slice){cstr, strlen(cstr)} : SLICE_NONE;
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_is(struct slice s, const char *cstr)
{
    return slice_eq(s, slice_of(cstr));
}

bool slice_starts_with(struct slice s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.len >= n && (n == 0 || memcmp(s.ptr, prefix, n) == 0);
}

bool slice_ends_with(struct slice s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.len >= n && (n == 0 || memcmp(s.ptr + s.len - n, suffix, n) == 0);
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

/* Both halves of the product of 128 bits, so that no bit of a factor is lost. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

enum { STEP_BYTES = 16 };

/* Both factors hold a secret. With one that is known (a constant, as in FNV or Murmur), pairs of
 * texts can be prepared that collide whatever the secret is. */
static uint64_t add_step(uint64_t h, const char *bytes, size_t n, const uint64_t secrets[2])
{
    uint64_t words[2] = {0};

    memcpy(words, bytes, n);
    return fold(words[0] ^ secrets[0], words[1] ^ secrets[1] ^ h);
}

/* In the manner of wyhash; the last step is filled up with zeros, which the length tells apart. */
uint64_t slice_hash_with(struct slice s, const uint64_t secrets[2])
{
    uint64_t h = 0;
    size_t i = 0;

    for (; s.len - i >= STEP_BYTES; i += STEP_BYTES)
        h = add_step(h, s.ptr + i, STEP_BYTES, secrets);
    if (i < s.len)
        h = add_step(h, s.ptr + i, s.len - i, secrets);
    return fold(h ^ secrets[0], s.len ^ secrets[1]);
}

/* Drawn before main() runs, so that nobody can prepare names that collide in our tables. */
static uint64_t hash_secrets[2];

__attribute__((constructor)) static void draw_hash_secrets(void)
{
    random_bytes(hash_secrets, sizeof(hash_secrets));
}

uint64_t slice_hash(struct slice s)
{
    return slice_hash_with(s, hash_secrets);
}

size_t slice_find_char(struct slice s, char c)
{
    const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return p ? (size_t)(p - s.ptr) : s.len;
}

size_t slice_rfind_char(struct slice s, char c)
{
    const char *p = s.len ? memrchr(s.ptr, c, s.len) : NULL;

    return p ? (size_t)(p - s.ptr) : s.len;
}

bool slice_contains(struct slice s, struct slice needle)
{
    if (needle.len == 0)
        return true;
    return s.len >= needle.len && memmem(s.ptr, s.len, needle.ptr, needle.len) != NULL;
}

struct slice slice_sub(struct slice s, size_t from, size_t len)
{
    if (from > s.len)
        from = s.len;
    if (len > s.len - from)
        len = s.len - from;
    return (struct slice){s.ptr ? s.ptr + from : NULL, len};
}

struct slice slice_skip(struct slice s, size_t n)
{
    return slice_sub(s, n, s.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = slice_skip(s, 1);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_pull_until(struct slice *s, char c)
{
    size_t at = slice_find_char(*s, c);
    struct slice head = slice_sub(*s, 0, at);

    *s = slice_skip(*s, at + 1);
    return head;
}

bool slice_to_u64(struct slice s, uint64_t *ret)
{
    uint64_t value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

bool slice_to_i64(struct slice s, int64_t *ret)
{
    bool negative = slice_starts_with(s, "-");
    uint64_t magnitude;

    if (!slice_to_u64(negative ? slice_skip(s, 1) : s, &magnitude))
        return false;
    if (negative && magnitude == (uint64_t)INT64_MAX + 1) {
        *ret = INT64_MIN;
        return true;
    }
    if (magnitude > (uint64_t)INT64_MAX)
        return false;
    *ret = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

bool slice_to_cstr(struct slice s, char *dst, size_t cap)
{
    if (s.len >= cap)
        return false;
    if (s.len)
        memcpy(dst, s.ptr, s.len);
    dst[s.len] = '\0';
    return true;
}
