/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions and causes in SQLite: values that pages hold soundly, but that we never wrote; and
 * where numbers end. */
#include "store_fixture.h"

#include <sqlite3.h>

static void run_sql(const struct fixture *f, const char *sql)
{
    char path[512];
    char *why = NULL;
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/careen.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

static int ignore_decision(void *ctx, const struct decision *decision, struct err *err)
{
    (void)ctx;
    (void)decision;
    (void)err;
    return 0;
}

static int ignore_cause(void *ctx, const struct cause *cause, struct err *err)
{
    (void)ctx;
    (void)cause;
    (void)err;
    return 0;
}

/* Two images "2*16 bytes", two projects "a" and "b". */
static uint32_t add_decision(struct store *store)
{
    static const uint32_t vulns[] = {3, 4};
    static const struct slice projects[] = {SLICE_INIT("a"), SLICE_INIT("b")};
    static unsigned char ids[2][IMAGE_ID_BYTES] = {{1}, {2}};
    struct decision decision = {.project = 1,
        .vulns = vulns,
        .vuln_count = 2,
        .scope = DECISION_IMAGES,
        .image_count = 2,
        .type = -1,
        .image_type = -1,
        .enterprise_projects = projects,
        .enterprise_project_count = 2};
    void *images = ids;
    uint32_t number = 0;
    struct err err;

    decision.images = images;
    begin(store);
    assert_ok(store_add_decision(store, &decision, &number, &err));
    commit(store);
    return number;
}

static void test_damaged_decisions(void **state)
{
    static const char *const damages[] = {
        "UPDATE decision SET action = 4",
        "UPDATE decision SET action = -1",
        "UPDATE decision SET scope = 5",
        "UPDATE decision SET scope = 0", /* and yet it names images */
        "UPDATE decision SET type = 2",
        "UPDATE decision SET type = -2",
        "UPDATE decision SET image_type = 4",
        "UPDATE decision SET image_type = -2",
        "UPDATE decision SET ended_ms = 7",    /* and yet it is in force */
        "UPDATE decision SET ended_by = 'bo'", /* likewise */
        "UPDATE decision SET vulns = x''",
        "UPDATE decision SET vulns = x'0103ff'",
        "UPDATE decision SET vulns = x'0203'",
        "UPDATE decision SET vulns = x'0100'",         /* no name has the id 0 */
        "UPDATE decision SET vulns = x'01feffffff07'", /* nor 2147483646 */
        "UPDATE decision SET images = x'01'",
        "UPDATE decision SET images = substr(images, 1, 31)",
        "UPDATE decision SET images = CAST(images || x'01' AS BLOB)",
        "UPDATE decision SET images = CAST(substr(images, 17) || substr(images, 1, 16) AS BLOB)",
        "UPDATE decision SET images = CAST(substr(images, 17) || substr(images, 17) AS BLOB)",
        "UPDATE decision SET enterprise_projects = x'01'",
        "UPDATE decision SET enterprise_projects = x'010000'",
        "UPDATE decision SET enterprise_projects = x'01000000'",
        "UPDATE decision SET enterprise_projects = x'ffffffff61'",
        "UPDATE decision SET enterprise_projects = x'010000006100'",
        "UPDATE decision SET enterprise_projects = x'01000000620100000061'",
        "UPDATE decision SET enterprise_projects = x'01000000610100000061'",
    };
    static const char *const sound[] = {
        "UPDATE decision SET vulns = x'00'", "UPDATE decision SET vulns = x'01fdffffff07'",
        "UPDATE decision SET images = substr(images, 1, 16)",
        "UPDATE decision SET enterprise_projects = x''",
        "UPDATE decision SET enterprise_projects = x'00000000'", /* one that is empty */
        "UPDATE decision SET outcome = 1, ended_ms = 0",         /* a clock may stand at 0 */
    };
    struct fixture *f = *state;
    static const unsigned char ids[2][IMAGE_ID_BYTES] = {{1}, {2}};
    struct arena arena;
    struct decision got;
    uint32_t number;
    struct err err;

    arena_init(&arena, "a test", 1 << 20);
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        number = add_decision(f->store);
        assert_ok(store_get_decision(f->store, number, &arena, &got, &err));
        run_sql(f, damages[i]);
        err = (struct err){0};
        if (store_get_decision(f->store, number, &arena, &got, &err) == 0)
            fail_msg("not seen: %s", damages[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.message, "careen.db"));
        assert_fails(store_each_decision(f->store, 1, true, 0, 9, ignore_decision, NULL, &err),
            ERR_CORRUPT, "careen.db");
        begin(f->store);
        assert_fails(
            store_move_decision(f->store, number, ids[0], ids[1], &err), ERR_CORRUPT, "careen.db");
        store_rollback(f->store);
        run_sql(f, "DELETE FROM decision");
    }
    for (size_t i = 0; i < sizeof(sound) / sizeof(*sound); i++) {
        number = add_decision(f->store);
        run_sql(f, sound[i]);
        if (store_get_decision(f->store, number, &arena, &got, &err) < 0)
            fail_msg("%s: %s", sound[i], err.message);
    }
    number = add_decision(f->store);
    run_sql(f, "UPDATE decision SET outcome = 3");
    assert_fails(
        store_get_decision(f->store, number, &arena, &got, &err), ERR_CORRUPT, "careen.db");
    begin(f->store);
    assert_fails(store_end_decision(f->store, number, DECISION_EXPIRED, SLICE(""), 1, &err),
        ERR_CORRUPT, "careen.db");
    store_rollback(f->store);
    arena_release(&arena);
}

static void test_damaged_causes(void **state)
{
    static const char *const damages[] = {
        "UPDATE cause SET kind = 0 WHERE number = 1",
        "UPDATE cause SET kind = 7 WHERE number = 1",
        "UPDATE cause SET removal = 3 WHERE number = 2",
        "UPDATE cause SET removal = -1 WHERE number = 2",
        "UPDATE cause SET removal = 1 WHERE number = 1",
        "UPDATE cause SET kind = 1, removal = 1 WHERE number = 2",
        "UPDATE cause SET decision = 0 WHERE number = 1",
        "UPDATE cause SET decision = -1 WHERE number = 1",
        "UPDATE cause SET decision = 4294967295 WHERE number = 1",
        "UPDATE cause SET decision = 5 WHERE number = 2",
        "UPDATE cause SET image = 5 WHERE number = 1",
        "UPDATE cause SET image = 0 WHERE number = 2",
        "UPDATE cause SET added = x'0105' WHERE number = 1",
        "UPDATE cause SET removed = x'0105' WHERE number = 1",
        "UPDATE cause SET removed = x'' WHERE number = 1",
    };
    struct cause causes[] = {{.kind = CAUSE_DECISION_PUT, .project = 1, .decision = 4},
        {.kind = CAUSE_IMAGE_REMOVED, .project = 1, .image = 4, .removal = REMOVAL_UNSEEN}};
    struct fixture *f = *state;
    struct err err;

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        run_sql(f, "DELETE FROM cause; DELETE FROM sqlite_sequence WHERE name = 'cause'");
        begin(f->store);
        for (size_t j = 0; j < 2; j++)
            assert_ok(store_add_cause(f->store, &causes[j], &err));
        commit(f->store);
        assert_ok(store_each_cause(f->store, 0, 9, ignore_cause, NULL, &err));
        run_sql(f, damages[i]);
        err = (struct err){0};
        if (store_each_cause(f->store, 0, 9, ignore_cause, NULL, &err) == 0)
            fail_msg("not seen: %s", damages[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.message, "careen.db"));
    }
}

static void test_numbers_end(void **state)
{
    struct fixture *f = *state;
    struct decision decision = {.project = 1, .type = -1, .image_type = -1};
    uint32_t number = 0;
    struct err err;

    add_decision(f->store);
    run_sql(f, "DELETE FROM decision;" /* and its number is not given again */
               "UPDATE sqlite_sequence SET seq = 4294967292 WHERE name = 'decision'");
    begin(f->store);
    assert_ok(store_add_decision(f->store, &decision, &number, &err));
    assert_true(number == 4294967293);
    assert_fails(store_add_decision(f->store, &decision, &number, &err), ERR_LIMIT, "decision");
    commit(f->store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_damaged_decisions),
        TEST(test_damaged_causes),
        TEST(test_numbers_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
