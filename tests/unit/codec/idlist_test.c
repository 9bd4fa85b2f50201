/* SPDX-License-Identifier: Apache-2.0 */
/* Id lists: known bytes, round trips of random sets, and all that a damaged list may be. */
#include "unit.h"

#include "codec/idlist.h"
#include "death.h"
#include "rng.h"

enum { MANY = 1 << 20 };

static void assert_bytes(const struct buf *buf, struct slice expected)
{
    if (!slice_eq(buf_slice(buf), expected))
        fail_msg("%zu bytes, other than the %zu expected", buf->len, expected.len);
}

static void known_bytes(void **state)
{
    static const struct {
        uint32_t ids[4];
        size_t count;
        struct slice bytes;
    } cases[] = {
        {{0}, 0, SLICE_INIT("\x00")},
        {{0}, 1, SLICE_INIT("\x01\x00")},
        {{0, 1, 2}, 3, SLICE_INIT("\x03\x00\x00\x00")},
        {{127, 255, 384}, 3, SLICE_INIT("\x03\x7f\x7f\x80\x01")},
        {{128, 16384, UINT32_MAX}, 3, SLICE_INIT("\x03\x80\x01\xff\x7e\xfe\xff\xfe\xff\x0f")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf buf = BUF_INIT(100);
        struct ids ids = {0}, back = {0};
        struct slice rest;
        struct err err;

        assert_ok(ids_append(&ids, cases[i].ids, cases[i].count, &err));
        idlist_encode(&buf, &ids);
        assert_bytes(&buf, cases[i].bytes);
        buf_put_cstr(&buf, "rest");
        rest = buf_slice(&buf);
        assert_ok(idlist_decode(&rest, MANY, &back, &err));
        assert_true(ids_equal(&ids, &back));
        assert_slice(rest, "rest");
        ids_release(&ids);
        ids_release(&back);
        buf_release(&buf);
    }
}

static void draw(struct rng *rng, struct ids *ids, size_t count, uint64_t bound)
{
    struct err err;

    ids->count = 0;
    for (size_t i = 0; i < count; i++)
        assert_ok(ids_push(ids, (uint32_t)rng_below(rng, bound), &err));
    ids_sort_unique(ids);
}

static void random_round_trips(void **state)
{
    struct ids ids = {0}, back = {0};
    struct buf buf = BUF_INIT(MANY);
    struct rng rng = {1};

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct slice rest;
        struct err err;

        draw(&rng, &ids, rng_below(&rng, 300), (UINT64_C(1) << rng_below(&rng, 33)));
        buf_clear(&buf);
        idlist_encode(&buf, &ids);
        rest = buf_slice(&buf);
        assert_ok(idlist_decode(&rest, ids.count, &back, &err));
        assert_true(ids_equal(&ids, &back));
        assert_int_equal(rest.len, 0);

        /* Cut anywhere, nothing is read and nothing is touched. */
        rest = slice_sub(buf_slice(&buf), 0, rng_below(&rng, buf.len));
        size_t len = rest.len;
        assert_int_equal(idlist_decode(&rest, MANY, &back, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(rest.len, len);
        assert_true(ids_equal(&ids, &back));
        if (ids.count) {
            rest = buf_slice(&buf);
            assert_int_equal(idlist_decode(&rest, ids.count - 1, &back, &err), -1);
            assert_int_equal(err.code, ERR_CORRUPT);
        }
    }
    ids_release(&ids);
    ids_release(&back);
    buf_release(&buf);
}

static void damaged_lists(void **state)
{
    static const struct slice damaged[] = {
        SLICE_INIT(""), SLICE_INIT("\x80"),         /* a count cut off */
        SLICE_INIT("\x80\x00"),                     /* 0, overlong */
        SLICE_INIT("\x81\x00\x05"),                 /* 1, overlong */
        SLICE_INIT("\x01\x85\x00"),                 /* a member, overlong */
        SLICE_INIT("\x01"),                         /* no member */
        SLICE_INIT("\x02\x05"),                     /* one too few */
        SLICE_INIT("\x01\x80"),                     /* a member cut off */
        SLICE_INIT("\x01\x80\x80\x80\x80\x10"),     /* 2^32 */
        SLICE_INIT("\x02\xff\xff\xff\xff\x0f\x00"), /* 2^32 - 1, then one more */
        SLICE_INIT("\x02\x01\xfe\xff\xff\xff\x0f"), /* 1 + 1 + (2^32 - 2) */
        SLICE_INIT("\x02\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),     /* a step of 2^64 - 1 */
        SLICE_INIT("\x02\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),     /* more than 64 bits */
        SLICE_INIT("\x01\x85\x80\x80\x80\x80\x80\x80\x80\x80\x02"),         /* 5 and 2^64 */
        SLICE_INIT("\x02\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* eleven bytes */
        SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"), /* a count of 2^64 - 1 */
        SLICE_INIT("\x80\x80\x80\x80\x10\x00"),                     /* a count of 2^32 */
    };
    struct ids ids = {0};
    struct err err;

    (void)state;
    assert_ok(ids_push(&ids, 42, &err));
    for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
        struct slice bytes = damaged[i];

        err.code = ERR_NONE;
        if (idlist_decode(&bytes, SIZE_MAX, &ids, &err) == 0)
            fail_msg("damaged list %zu is taken", i);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(bytes.len, damaged[i].len);
        assert_int_equal(ids.count, 1);
        assert_int_equal(ids.at[0], 42);
    }
    ids_release(&ids);
}

static void unsorted_lists_are_bugs(void **state)
{
    uint32_t equal[] = {1, 1}, falling[] = {2, 1};
    struct ids ids = {equal, 2, 2};
    struct buf buf = BUF_INIT(100);

    (void)state;
    assert_dies(idlist_encode(&buf, &ids));
    ids.at = falling;
    assert_dies(idlist_encode(&buf, &ids));
    buf_release(&buf);
}

/* The sizes that the design counts on: about two bytes for scattered packages, one in a row. */
static void sizes(void **state)
{
    struct ids ids = {0};
    struct buf buf = BUF_INIT(MANY);
    struct rng rng = {2};
    size_t bytes = 0, members = 0;
    struct err err;

    (void)state;
    for (int round = 0; round < 200; round++) {
        for (ids.count = 0; ids.count < 200; ids_sort_unique(&ids))
            assert_ok(ids_push(&ids, (uint32_t)rng_below(&rng, 20000), &err));
        buf_clear(&buf);
        idlist_encode(&buf, &ids);
        bytes += buf.len;
        members += ids.count;
    }
    print_message("200 of 20,000 at random: %zu.%02zu bytes a member\n", bytes / members,
        bytes * 100 / members % 100);
    assert_true(bytes < members * 3 / 2);

    ids.count = 0;
    for (uint32_t id = 1000000; id < 1000200; id++)
        assert_ok(ids_push(&ids, id, &err));
    buf_clear(&buf);
    idlist_encode(&buf, &ids);
    print_message("200 in a row from 1,000,000: %zu bytes\n", buf.len);
    assert_int_equal(buf.len, 2 + 3 + 199);
    ids_release(&ids);
    buf_release(&buf);
}

static void timed_sets_round_trip(void **state)
{
    struct timed_ids ids = {0}, back = {0};
    struct buf buf = BUF_INIT(MANY);
    struct rng rng = {3};
    struct err err;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t count = rng_below(&rng, 200);
        uint64_t times = 1 + rng_below(&rng, 5);

        ids.count = 0;
        for (size_t i = 0; i < count; i++)
            assert_ok(timed_ids_push(&ids, (uint32_t)rng_below(&rng, 20000),
                (int64_t)(1754563675226 + 86400000 * rng_below(&rng, times)), &err));
        timed_ids_sort(&ids);
        buf_clear(&buf);
        assert_ok(timed_ids_encode(&buf, &ids, &err));
        assert_ok(timed_ids_decode(buf_slice(&buf), ids.count, &back, &err));
        assert_int_equal(ids.count, back.count);
        for (size_t i = 0; i < ids.count; i++) {
            assert_int_equal(ids.at[i].id, back.at[i].id);
            assert_int_equal(ids.at[i].first_seen_ms, back.at[i].first_seen_ms);
        }
        assert_int_equal(timed_ids_decode(slice_sub(buf_slice(&buf), 0, rng_below(&rng, buf.len)),
                             MANY, &back, &err),
            -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(ids.count, back.count);
    }
    timed_ids_release(&ids);
    timed_ids_release(&back);
    buf_release(&buf);
}

static void timed_sets_sort_and_find(void **state)
{
    struct timed_ids ids = {0};
    struct err err;

    (void)state;
    assert_null(timed_ids_find(&ids, 1));
    timed_ids_sort(&ids);
    assert_ok(timed_ids_push(&ids, 7, 300, &err));
    assert_ok(timed_ids_push(&ids, UINT32_MAX, 10, &err));
    assert_ok(timed_ids_push(&ids, 7, 100, &err));
    assert_ok(timed_ids_push(&ids, 0, INT64_MAX, &err));
    assert_ok(timed_ids_push(&ids, 7, 200, &err));
    timed_ids_sort(&ids);
    assert_int_equal(ids.count, 3);
    assert_int_equal(timed_ids_find(&ids, 7)->first_seen_ms, 100);
    assert_true(timed_ids_find(&ids, 0)->first_seen_ms == INT64_MAX);
    assert_int_equal(timed_ids_find(&ids, UINT32_MAX)->first_seen_ms, 10);
    assert_null(timed_ids_find(&ids, 1));
    timed_ids_release(&ids);
}

static void timed_bytes(void **state)
{
    struct timed_id members[] = {{5, 200}, {6, 100}, {7, 200}};
    struct timed_ids ids = {members, 3, 3}, unsorted, none = {0};
    struct timed_id falling[] = {{6, 100}, {5, 100}};
    struct buf buf = BUF_INIT(100);
    struct err err = {0};

    (void)state;
    assert_ok(timed_ids_encode(&buf, &ids, &err));
    assert_bytes(&buf, SLICE("\x02\x64\x01\x06\xc8\x01\x02\x05\x01"));
    buf_clear(&buf);
    assert_ok(timed_ids_encode(&buf, &none, &err));
    assert_bytes(&buf, SLICE("\x00"));
    members[1].first_seen_ms = -1;
    assert_int_equal(timed_ids_encode(&buf, &ids, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(buf.len, 1);
    unsorted = (struct timed_ids){falling, 2, 2};
    assert_dies((void)timed_ids_encode(&buf, &unsorted, &err));
    buf_release(&buf);
}

static void damaged_times(void **state)
{
    static const struct slice damaged[] = {
        SLICE_INIT(""), SLICE_INIT("\x00\x00"),     /* a byte behind the end */
        SLICE_INIT("\x01\x64\x01\x06\x00"),         /* likewise */
        SLICE_INIT("\x01"),                         /* no run */
        SLICE_INIT("\x02\x64\x01\x06"),             /* one run too few */
        SLICE_INIT("\x01\x64\x00"),                 /* a run without members, too short */
        SLICE_INIT("\x02\x64\x00\x65\x02\x01\x01"), /* a run without members */
        SLICE_INIT("\x02\x64\x01\x06\x64\x01\x07"), /* the same time twice */
        SLICE_INIT("\x02\x64\x01\x06\x63\x01\x07"), /* an earlier time second */
        SLICE_INIT("\x02\x63\x01\x06\x64\x01\x06"), /* an id with two times */
        SLICE_INIT("\x01\xe4\x00\x01\x06"),         /* an overlong time */
        SLICE_INIT("\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01\x06"), /* a time of 2^63 */
        SLICE_INIT("\xff\xff\xff\xff\x0f\x64\x01\x06"), /* a count of 2^32 - 1 */
    };
    struct timed_ids ids = {0};
    struct err err;

    (void)state;
    assert_ok(timed_ids_push(&ids, 42, 1, &err));
    for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
        err.code = ERR_NONE;
        if (timed_ids_decode(damaged[i], SIZE_MAX, &ids, &err) == 0)
            fail_msg("damaged times %zu are taken", i);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(ids.count, 1);
    }
    /* The ceiling holds over all runs together. */
    assert_ok(timed_ids_decode(SLICE("\x02\x63\x01\x06\x64\x01\x07"), 2, &ids, &err));
    assert_int_equal(ids.count, 2);
    assert_int_equal(
        timed_ids_decode(SLICE("\x02\x63\x02\x06\x00\x64\x01\x09"), 2, &ids, &err), -1);
    timed_ids_release(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(random_round_trips),
        cmocka_unit_test(damaged_lists),
        cmocka_unit_test(unsorted_lists_are_bugs),
        cmocka_unit_test(sizes),
        cmocka_unit_test(timed_sets_round_trip),
        cmocka_unit_test(timed_sets_sort_and_find),
        cmocka_unit_test(timed_bytes),
        cmocka_unit_test(damaged_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
