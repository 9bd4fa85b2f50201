/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: text and back in every order, and what is none. */
#include "unit.h"

#include "api/affected_cursor.h"
#include "base/limits.h"

static struct affected_cursor read_good(struct arena *arena, const char *text)
{
    struct affected_cursor cursor;
    struct err err = {0};

    if (affected_cursor_read(slice_of(text), arena, &cursor, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return cursor;
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        struct affected_cursor cursor;
    } cases[] = {
        {"17.42", {.image = 17, .vuln = 42}},
        {"4294967295.4294967295", {.image = UINT32_MAX, .vuln = UINT32_MAX}},
        {"s.17.42.3", {INDEX_SORT_SEVERITY, false, 17, 42, 3, {NULL, 0}}},
        {"S.17.42.0", {INDEX_SORT_SEVERITY, true, 17, 42, 0, {NULL, 0}}},
        {"l.1.2.1700000000000",
            {INDEX_SORT_LATEST_SCAN, false, 1, 2, INT64_C(1700000000000), {NULL, 0}}},
        {"L.1.2.0", {INDEX_SORT_LATEST_SCAN, true, 1, 2, 0, {NULL, 0}}},
        {"c.1.2.-1", {INDEX_SORT_CONTAINERS, false, 1, 2, -1, {NULL, 0}}},
        {"C.1.2.2147483547", {INDEX_SORT_CONTAINERS, true, 1, 2, LIMIT_CONTAINERS, {NULL, 0}}},
        {"i.1.2.bmdpbng", {INDEX_SORT_IMAGE_NAME, false, 1, 2, 0, SLICE_INIT("nginx")}},
        {"I.1.2.6ZWc", {INDEX_SORT_IMAGE_NAME, true, 1, 2, 0, SLICE_INIT("\xe9\x95\x9c")}},
        {"i.1.2.", {INDEX_SORT_IMAGE_NAME, false, 1, 2, 0, {NULL, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct affected_cursor *want = &cases[i].cursor;
        struct buf out = BUF_INIT(1024);
        struct affected_cursor got;
        struct arena arena;

        arena_init(&arena, "a test", 1 << 16);
        affected_cursor_write(&out, want);
        assert_slice(buf_slice(&out), cases[i].text);
        got = read_good(&arena, cases[i].text);
        assert_int_equal(got.sort, want->sort);
        assert_int_equal(got.descending, want->descending);
        assert_int_equal(got.image, want->image);
        assert_int_equal(got.vuln, want->vuln);
        assert_int_equal(got.value, want->value);
        assert_true(slice_eq(got.name, want->name));
        buf_release(&out);
        arena_release(&arena);
    }
}

static void test_refused(void **state)
{
    static const char *const cases[] = {"", ".", "1", "1.", ".1", "1.2.", "1.2.3", "1.2.3.4", "x",
        "x.1.2.3", "s", "s.", "s.1", "s.1.2", "s.1.2.", "s.1.2.x", "s.1.2.4", "s.1.2.-1",
        "ss.1.2.3", "s.1.2.3.", "s.1.2.3.4", "s..2.3", "s.1..3", "s.4294967296.2.3",
        "s.1.4294967296.3", "c.1.2.-2", "l.1.2.-1", "l.1.2.9223372036854775808", "c.1.2.+1",
        "i.1.2.Z", "i.1.2.Zg==", "i.1.2.Zh", "i.1.2.bmdpbng.", "n.1.2.bmdpbng", " 1.2", "1.2 "};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct affected_cursor cursor;
        struct arena arena;
        struct err err = {0};

        arena_init(&arena, "a test", 1 << 16);
        if (affected_cursor_read(slice_of(cases[i]), &arena, &cursor, &err) == 0)
            fail_msg("taken: %s", cases[i]);
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.message, "must be the `next` of a page before");
        arena_release(&arena);
    }
}

/* What is wrong inside is not the caller's fault. */
static void test_no_room(void **state)
{
    struct affected_cursor cursor;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, "a test", 4);
    assert_int_equal(affected_cursor_read(SLICE("i.1.2.bmdpbng"), &arena, &cursor, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    arena_release(&arena);
}

/* The row's own values end up in the query that goes on behind it. */
static void test_going_on(void **state)
{
    const struct image image = {.number = UINT32_MAX - 2,
        .name = SLICE_INIT("nginx"),
        .latest_scan_ms = 77,
        .place.containers = -1};
    const struct affected_row row = {.image = &image,
        .vuln = UINT32_MAX,
        .code = index_code(NECESSITY_HIGH, VUL_APP, true, false, true)};
    static const struct {
        enum index_sort sort;
        int64_t value;
        const char *name;
    } cases[] = {{INDEX_SORT_IMAGE, 0, ""}, {INDEX_SORT_SEVERITY, NECESSITY_HIGH, ""},
        {INDEX_SORT_IMAGE_NAME, 0, "nginx"}, {INDEX_SORT_LATEST_SCAN, 77, ""},
        {INDEX_SORT_CONTAINERS, -1, ""}};
    struct buf name = BUF_INIT(1024);
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct index_query query = {.sort = cases[i].sort, .descending = true};

        assert_ok(affected_go_on(&query, &row, &name, &err));
        assert_true(query.by_cursor);
        assert_int_equal(query.after_image, UINT32_MAX - 2);
        assert_int_equal(query.after_vuln, UINT32_MAX);
        assert_int_equal(query.after_value, cases[i].value);
        assert_slice(query.after_name, cases[i].name);
        assert_ptr_not_equal(query.after_name.ptr, image.name.ptr);
    }
    buf_release(&name);
}

static void test_names(void **state)
{
    (void)state;
    assert_null(affected_sort_name(INDEX_SORT_IMAGE, true));
    assert_string_equal(affected_sort_name(INDEX_SORT_SEVERITY, true), "-severity");
    assert_string_equal(affected_sort_name(INDEX_SORT_IMAGE_NAME, false), "image_name");
    assert_string_equal(affected_sort_name(INDEX_SORT_LATEST_SCAN, false), "latest_scan_time");
    assert_string_equal(affected_sort_name(INDEX_SORT_CONTAINERS, true), "-container_num");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_going_on),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
