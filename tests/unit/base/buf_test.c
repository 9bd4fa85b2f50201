/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: content against a plain copy, exact ceilings, errors that stick. */
#include "unit.h"

#include "base/buf.h"
#include "huge.h"
#include "rng.h"

#include <inttypes.h>

static void puts_add_up(void **state)
{
    static char expected[1 << 20];
    struct buf buf = BUF_INIT(sizeof(expected));
    struct rng rng = {3};
    size_t len = 0;
    struct err err;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char piece[200];
        size_t n = rng_below(&rng, sizeof(piece));

        for (size_t k = 0; k < n; k++)
            piece[k] = (char)rng_next(&rng);
        if (i % 7 == 0) {
            piece[0] = (char)i;
            n = 1;
            buf_put_char(&buf, piece[0]);
        } else if (i % 2) {
            buf_put(&buf, piece, n);
        } else {
            buf_put_slice(&buf, (struct slice){piece, n});
        }
        memcpy(expected + len, piece, n);
        len += n;
        assert_int_equal(buf.len, len);
        assert_true(!buf.data || buf.data[buf.len] == '\0');
    }
    assert_ok(buf_check(&buf, "the test", &err));
    assert_true(slice_eq(buf_slice(&buf), (struct slice){expected, len}));
    buf_release(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.max, sizeof(expected));
}

static void numbers_are_printf_s(void **state)
{
    static const uint64_t edges[] = {0, 1, 9, 10, 99, 100, INT64_MAX, (uint64_t)INT64_MAX + 1,
        UINT64_MAX, UINT64_MAX - 1, UINT32_MAX, 10000000000000000000u, 9999999999999999999u};
    struct buf buf = BUF_INIT(1000);
    struct rng rng = {4};
    char text[100];

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        uint64_t value =
            i < sizeof(edges) / sizeof(*edges) ? edges[i] : rng_next(&rng) >> rng_below(&rng, 64);

        buf_clear(&buf);
        buf_put_u64(&buf, value);
        buf_put_char(&buf, ' ');
        buf_put_i64(&buf, (int64_t)value);
        buf_put_char(&buf, ' ');
        buf_put_i64(&buf, (int64_t)(0 - value));
        snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64 " %" PRId64, value, (int64_t)value,
            (int64_t)(0 - value));
        assert_string_equal(buf.data, text);
    }
    buf_release(&buf);
}

static void ceiling_is_exact_and_sticks(void **state)
{
    struct buf buf = BUF_INIT(10);
    struct err err = {0};

    (void)state;
    buf_put_cstr(&buf, "0123456789");
    assert_ok(buf_check(&buf, "the answer", &err));
    buf_put_cstr(&buf, "");
    assert_ok(buf_check(&buf, "the answer", &err));
    buf_put_char(&buf, 'x');
    assert_int_equal(buf_check(&buf, "the answer", &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message, "the answer is larger than the limit of 10 bytes");
    assert_slice(buf_slice(&buf), "0123456789");

    buf_clear(&buf);
    buf_put_cstr(&buf, "abc");
    buf_put_cstr(&buf, "01234567"); /* one too many, nothing of it is taken */
    buf_put_cstr(&buf, "d");        /* would fit, but the row is broken */
    buf_put_u64(&buf, 1);
    buf_put_i64(&buf, -1);
    buf_printf(&buf, "%d", 1);
    assert_null(buf_reserve(&buf, 0));
    assert_slice(buf_slice(&buf), "abc");
    assert_int_equal(buf_check(&buf, "the answer", &err), -1);
    buf_release(&buf);
    assert_ok(buf_check(&buf, "the answer", &err));
    buf_put_cstr(&buf, "0123456789");
    assert_slice(buf_slice(&buf), "0123456789");
    buf_release(&buf);
}

static void reserve_at_the_end_of_size_t(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 2, SIZE_MAX / 2};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct buf buf = BUF_INIT(SIZE_MAX);
        struct err err = {0};

        buf_put_char(&buf, 'a');
        assert_null(buf_reserve(&buf, sizes[i]));
        assert_int_equal(buf_check(&buf, "the test", &err), -1);
        assert_int_equal(err.code, sizes[i] == SIZE_MAX ? ERR_LIMIT : ERR_NOMEM);
        assert_slice(buf_slice(&buf), "a");
        buf_release(&buf);
    }
}

static void printf_and_reserve(void **state)
{
    struct buf buf = BUF_INIT(1000);
    char *room;

    (void)state;
    assert_int_equal(buf_slice(&buf).len, 0);
    buf_printf(&buf, "%s-%05d", "abc", 42);
    assert_slice(buf_slice(&buf), "abc-00042");
    buf_printf(&buf, "%*s", 500, "");
    assert_int_equal(buf.len, 509);
    assert_int_equal(strlen(buf.data), 509);
    buf_printf(&buf, "%*s", 492, "");
    assert_int_equal(buf.failed, ERR_LIMIT);
    assert_int_equal(buf.len, 509);

    buf_clear(&buf);
    assert_int_equal(buf.data[0], 0);
    room = buf_reserve(&buf, 4);
    assert_non_null(room);
    memcpy(room, "four", 4);
    buf.len += 4;
    buf.data[buf.len] = '\0';
    assert_slice(buf_slice(&buf), "four");
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_add_up),
        cmocka_unit_test(numbers_are_printf_s),
        cmocka_unit_test(ceiling_is_exact_and_sticks),
        cmocka_unit_test(reserve_at_the_end_of_size_t),
        cmocka_unit_test(printf_and_reserve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
