/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory, in loading and following, and in deciding: the first, the second, ... allocation
 * fails. Whatever that leaves half done must be mended by the next follow, and nothing may be lost;
 * a decision is made whole or not at all. Putting is left out: the SHA-256 behind image ids ends
 * the process when it gets no memory.
 *
 * The allocator is replaced in this program. Few images, so that CRoaring, which does not survive
 * a failed allocation, is not used (index/idset.h). Skipped where the C library or a sanitizer does
 * not let us in.
 */
#include "unit.h"

#include "decision_bed.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)

static long fail_in = -1; /* allocations that still succeed; -1: all */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static bool fails(void)
{
    return fail_in >= 0 && fail_in-- == 0;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

/* Runs a call with the n-th allocation failing. Did one fail? */
#define STARVED(n, result, call) (fail_in = (n), (result) = (call), starved())

static bool starved(void)
{
    bool ret = fail_in < 0;

    fail_in = -1;
    return ret;
}

enum { FAILURES_MAX = 20000 }; /* a call that allocates more often is broken */

/* --- What changes ----------------------------------------------------------------------------- */

static void add_row(struct report *report, struct slice name, bool alias)
{
    struct report_record record = {0};
    struct report_claim claim = {.severity = SEVERITY_LOW};
    struct err err;

    assert_ok(report_text(report, name, &record.name, &err));
    if (alias)
        assert_ok(names_push(&report->arena, &record.aliases, SLICE("CVE-1"), &err));
    assert_ok(report_add_record(report, &record, &claim.record, &err));
    assert_ok(report_add_claim(report, &claim, &err));
}

/* The image's rows: by turns with an alias that joins others' rows, and without; each time with a
 * vulnerability that nobody had before, and that CVE-1 finds. */
static void make_turn(struct report *report, int turn)
{
    char name[32];

    make_report(report, SOURCE_GRYPE, "changing", "1", "sha256:c",
        turn % 2 ? "CVE-1 CVE-2" : "CVE-2 CVE-3");
    add_row(report, SLICE("GHSA-1"), turn % 2 != 0);
    snprintf(name, sizeof(name), "CVE-9%d", turn);
    add_row(report, slice_of(name), true);
}

static void seed_images(struct bed *bed)
{
    put_plain(bed, SOURCE_TRIVY, "one", "1", "sha256:a", "CVE-1 GHSA-1 DSA-1");
    put_plain(bed, SOURCE_TRIVY, "two", "1", "sha256:b", "GHSA-1 CVE-2");
}

static void put_turn(struct bed *bed, int turn)
{
    struct report report;

    make_turn(&report, turn);
    put_at(bed, &report, NULL);
    report_release(&report);
}

/* Each makes an older one of no effect. */
static void decide_turn(struct bed *bed, int turn)
{
    const struct slice vul = turn % 2 ? SLICE("CVE-1") : SLICE("CVE-2");
    struct decision_request request =
        request_of(turn % 4 < 2 ? DECISION_IGNORE : DECISION_REOPEN, &vul);

    if (turn % 3 == 0)
        request.package = SLICE("openssl");
    decide(bed, &request, NULL);
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void test_follow(void **state)
{
    struct bed bed;
    struct fleet *other, *writer;
    uint64_t rows;
    struct err err;
    int failed = 0;
    long n = 0;
    bool hungry = true;

    (void)state;
    bed_init(&bed);
    seed_images(&bed);
    other = fleet_open(bed.dir, STORE_READ, &err);
    assert_non_null(other);
    assert_ok(fleet_load(other, 0, &err));
    writer = bed.fleet;
    for (int turn = 0; hungry && n < FAILURES_MAX; turn++, n += 1 + n / 50) {
        put_turn(&bed, turn);
        decide_turn(&bed, turn);
        hungry = STARVED(n, failed, fleet_follow(other, &err));
        if (failed)
            assert_int_equal(err.code, ERR_NOMEM);
        assert_true(hungry || !failed);
        assert_ok(fleet_follow(other, &err));
        assert_ok(fleet_verify(other, bed.project, &err));
        rows = count_rows(&bed, "CVE-1");
        bed.fleet = other;
        assert_int_equal(count_rows(&bed, "CVE-1"), rows);
        bed.fleet = writer;
    }
    print_message("%ld allocations\n", n);
    assert_true(n > 10 && !hungry);
    fleet_close(other);
    bed_release(&bed);
}

static int open_and_load(const char *dir, struct fleet **ret, struct err *err)
{
    struct fleet *fleet = fleet_open(dir, STORE_READ, err);

    if (!fleet)
        return -1;
    if (fleet_load(fleet, 0, err) < 0) {
        fail_in = -1;
        /* It can be tried again, as a server does. */
        if (fleet_load(fleet, 0, err) < 0)
            fail_msg("loading again: %s", err->message);
    }
    *ret = fleet;
    return 0;
}

static void test_load(void **state)
{
    struct bed bed;
    struct err err;
    long n = 0;
    int failed = 0;
    bool hungry = true;

    (void)state;
    bed_init(&bed);
    seed_images(&bed);
    put_turn(&bed, 1);
    for (int turn = 0; turn < 6; turn++)
        decide_turn(&bed, turn);
    for (; hungry && n < FAILURES_MAX; n += 1 + n / 50) {
        struct fleet *fleet = NULL;

        hungry = STARVED(n, failed, open_and_load(bed.dir, &fleet, &err));
        if (failed)
            continue;
        assert_ok(fleet_verify(fleet, bed.project, &err));
        fleet_close(fleet);
    }
    print_message("%ld allocations\n", n);
    assert_true(n > 10 && !hungry);
    bed_release(&bed);
}

/* --- Decisions -------------------------------------------------------------------------------- */

/* What is decided: by turns about a vulnerability everywhere, one in an image, and a package. */
struct wish {
    struct slice vul, id;
    struct decision_request request;
};

static void make_wish(struct wish *ret, int turn, const char *image_id)
{
    struct decision_request *request = &ret->request;

    ret->vul = turn % 2 ? SLICE("CVE-2") : SLICE("CVE-1");
    ret->id = slice_of(image_id);
    *request = request_of((enum decision_action)(turn % DECISION_ACTION_COUNT), &ret->vul);
    if (turn % 3 == 1) {
        request->scope = DECISION_IMAGES;
        request->image_ids = &ret->id;
        request->image_count = 1;
    }
    if (turn % 3 == 2)
        request->package = SLICE("openssl");
}

static int take_decision(void *ctx, const struct decision_view *view, struct err *err)
{
    struct ids *numbers = ctx;

    assert_true(view->rows > 0);
    return ids_push(numbers, view->decision->number, err);
}

/* The decisions in force. */
static int list(struct bed *bed, struct ids *ret, struct err *err)
{
    const struct decision_query query = {.in_force = true, .limit = SIZE_MAX};

    ret->count = 0;
    return fleet_each_decision(bed->fleet, bed->project, &query, take_decision, ret, err);
}

static size_t count_decisions(struct bed *bed)
{
    struct ids numbers = {0};
    struct err err;
    size_t count;

    assert_ok(fleet_follow(bed->fleet, &err));
    assert_ok(list(bed, &numbers, &err));
    count = numbers.count;
    ids_release(&numbers);
    return count;
}

/* A bed whose image "one" is named, too. */
static void seed_named(struct bed *bed, char ret_id[UUID_TEXT_BYTES])
{
    struct put_outcome one;

    seed_images(bed);
    one = put_plain(bed, SOURCE_TRIVY, "one", "1", "sha256:a", "CVE-1 CVE-2");
    memcpy(ret_id, one.image_id, UUID_TEXT_BYTES);
    wait_ms(2); /* repairs are of what was reported before */
}

static void test_decide(void **state)
{
    const struct deciding by = deciding_by("ann");
    struct bed bed;
    char id[UUID_TEXT_BYTES];
    struct err err;
    long n = 0;
    int failed = 0;
    size_t made = 0;
    bool hungry = true;

    (void)state;
    bed_init(&bed);
    seed_named(&bed, id);
    for (int turn = 0; (hungry || turn % 12) && n < FAILURES_MAX; turn++, n += 1 + n / 50) {
        struct decision_outcome outcome = {0};
        struct wish wish;

        make_wish(&wish, turn, id);
        hungry = STARVED(n, failed,
            fleet_decide(bed.fleet, bed.project, &wish.request, 1, &by, "test", &outcome, &err));
        if (failed)
            assert_int_equal(err.code, ERR_NOMEM);
        assert_true(hungry || !failed);
        made += outcome.numbers.count;
        assert_int_equal(count_decisions(&bed), made);
        bed_verify(&bed);
        ids_release(&outcome.numbers);
    }
    print_message("%ld allocations\n", n);
    assert_true(n > 10 && made > 1);
    bed_release(&bed);
}

/* A preview and a list, which change nothing, and a withdrawal, whole or not at all. */
static void test_withdraw(void **state)
{
    const struct deciding by = deciding_by("bob");
    struct decision_outcome outcome = {0};
    struct ids numbers = {0};
    struct bed bed;
    char id[UUID_TEXT_BYTES];
    uint64_t foretold, rows;
    struct err err;
    int failed = 0;
    bool hungry;

    (void)state;
    bed_init(&bed);
    seed_named(&bed, id);
    for (int turn = 0; turn < 12; turn++) {
        struct wish wish;
        uint32_t number;

        make_wish(&wish, turn, id);
        hungry = true;
        for (long n = 0; hungry && n < FAILURES_MAX; n++)
            hungry = STARVED(n, failed,
                fleet_preview_decision(
                    bed.fleet, bed.project, &wish.request, 1, &by, NULL, NULL, &outcome, &err));
        assert_true(!hungry && !failed);
        number = decide(&bed, &wish.request, NULL);
        hungry = true;
        for (long n = 0; hungry && n < FAILURES_MAX; n++)
            hungry = STARVED(n, failed, list(&bed, &numbers, &err));
        assert_true(!hungry && !failed && numbers.count == 1);
        hungry = true;
        for (long n = 0; hungry && n < FAILURES_MAX; n++)
            hungry = STARVED(n, failed,
                fleet_preview_withdrawal(
                    bed.fleet, bed.project, number, NULL, &by, &foretold, &err));
        assert_true(!hungry && !failed);
        failed = -1;
        for (long n = 0; failed && n < FAILURES_MAX; n++) {
            (void)STARVED(n, failed,
                fleet_withdraw_decision(bed.fleet, bed.project, number, &by, "test", &rows, &err));
            if (failed && count_decisions(&bed) == 0)
                break; /* stored; the following failed */
        }
        assert_int_equal(rows, foretold);
        assert_int_equal(count_decisions(&bed), 0);
        bed_verify(&bed);
    }
    ids_release(&numbers);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follow),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_decide),
        cmocka_unit_test(test_withdraw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    print_message("skipped: the allocator cannot be replaced in this build\n");
    return 77;
}

#endif
