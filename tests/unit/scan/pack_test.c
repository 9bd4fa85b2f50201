/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "scan/pack.h"

static void test_round_trip(void **state)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct buf out CLEANUP(buf_release) = BUF_INIT(4096);
    struct unpack in = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        pack_number(&out, numbers[i]);
        pack_text(&out, SLICE("text"));
    }
    pack_text(&out, SLICE_NONE);
    in.rest = buf_slice(&out);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_true(unpack_number(&in) == numbers[i]);
        assert_slice(unpack_text(&in), "text");
    }
    assert_int_equal(unpack_text(&in).len, 0);
    assert_false(in.failed);
    assert_int_equal(in.rest.len, 0);
}

static void refuse(struct slice bytes)
{
    struct unpack in = {.rest = bytes};

    assert_true(unpack_number(&in) == 0);
    assert_true(in.failed);
    assert_int_equal(unpack_text(&in).len, 0);
    assert_true(unpack_up_to(&in, 10) == 0);
    assert_true(in.failed);
}

static void test_what_is_no_number(void **state)
{
    (void)state;
    refuse(SLICE_NONE);
    refuse(SLICE("\x80"));                                             /* goes on */
    refuse(SLICE("\x80\x00"));                                         /* not the shortest */
    refuse(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));         /* 65 bits */
    refuse(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")); /* longer still */
}

static void test_more_than_there_is(void **state)
{
    struct unpack in = {.rest = SLICE("\x05"
                                      "four")};

    (void)state;
    assert_int_equal(unpack_text(&in).len, 0);
    assert_true(in.failed);
    in = (struct unpack){.rest = SLICE("\x03"
                                       "abcde")};
    assert_int_equal(unpack_count(&in, 2), 0);
    assert_true(in.failed);
    in = (struct unpack){.rest = SLICE("\x02"
                                       "abcd")};
    assert_int_equal(unpack_count(&in, 2), 2);
    assert_true(unpack_up_to(&in, 'a') == 'a');
    assert_true(unpack_up_to(&in, 'a') == 0);
    assert_true(in.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
