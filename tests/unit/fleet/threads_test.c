/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers beside writers: threads that ask without end, one that puts images in, changes and
 * removes them and decides, one that follows, and another fleet on the same folder that writes and
 * follows. Made for the thread sanitizer; without it, every answer is still checked in itself.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "bed.h"
#include "rng.h"

enum { READERS = 3, PUTS = 150, NAMES = 6, IMAGES = 12 };

struct shared {
    struct bed bed;
    struct fleet *other;
    atomic_bool done;
    atomic_uint failures, answers;
    char why[1100]; /* of the first failure */
};

static void note_failure(struct shared *s, const char *what, const struct err *err)
{
    if (atomic_fetch_add(&s->failures, 1) == 0)
        snprintf(s->why, sizeof(s->why), "%s: %s", what, err->message);
}

/* --- Readers ---------------------------------------------------------------------------------- */

struct seen {
    uint32_t image, vuln;
    uint64_t bytes;
};

/* Rows are in order, and everything that they point at can be read. */
static int read_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct seen *seen = ctx;

    if (page->count > page->total)
        return err_set(err, ERR_CORRUPT, "more rows than there are");
    for (size_t i = 0; i < page->count; i++) {
        const struct affected_row *row = &page->rows[i];

        if (row->image->number < seen->image ||
            (row->image->number == seen->image && row->vuln <= seen->vuln))
            return err_set(err, ERR_CORRUPT, "rows are out of order");
        seen->image = row->image->number;
        seen->vuln = row->vuln;
        seen->bytes += slice_hash(row->vul_id) + slice_hash(row->image->name) +
                       slice_hash(row->image->digest) + (uint64_t)row->first_scan_ms;
    }
    return 0;
}

static bool read_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    *(uint64_t *)ctx += slice_hash(image->name) + counts[0];
    return true;
}

static bool read_vuln(void *ctx, const struct vuln_summary *vuln)
{
    *(uint64_t *)ctx += slice_hash(vuln->vul_id) + vuln->images;
    return true;
}

static int read_decided(void *ctx, const struct affected_row *row, struct err *err)
{
    (void)err;
    *(uint64_t *)ctx += slice_hash(row->vul_id) + slice_hash(row->image->name);
    return 0;
}

static int read_view(void *ctx, const struct decision_view *view, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < view->decision->vuln_count; i++)
        *(uint64_t *)ctx += slice_hash(view->vul_ids[i]);
    return 0;
}

static int read_entry(void *ctx, const struct history_entry *entry, struct err *err)
{
    (void)err;
    *(uint64_t *)ctx +=
        slice_hash(entry->decision->reason) + (entry->image ? slice_hash(entry->image->name) : 0);
    return 0;
}

/* A decision about one of the names, or about all. */
static struct decision_request draw_request(struct rng *rng, struct slice *vul)
{
    return (struct decision_request){
        .action = (enum decision_action)rng_below(rng, DECISION_ACTION_COUNT),
        .vuls = vul,
        .vul_count = vul->len ? 1 : 0,
        .all_vuls = vul->len == 0,
        .handled = -1,
        .type = -1,
        .package = rng_below(rng, 3) ? SLICE_NONE : SLICE("openssl"),
        .image_type = -1};
}

static int ask_decisions(
    struct shared *s, struct fleet *fleet, struct rng *rng, struct slice vul_id, struct err *err)
{
    const struct decision_request request = draw_request(rng, &vul_id);
    const struct deciding by = {.author = SLICE("reader")};
    const struct decision_query query = {.in_force = true, .limit = 3};
    const struct history_query history = {
        .vul_id = SLICE("CVE-1"), .scope = {.type = -1}, .action = -1, .status = -1, .limit = 5};
    struct decision_outcome outcome;
    uint64_t sink = 0, total;

    if (fleet_preview_decision(
            fleet, s->bed.project, &request, 1, &by, read_decided, &sink, &outcome, err) < 0 ||
        fleet_each_decision(fleet, s->bed.project, &query, read_view, &sink, err) < 0)
        return -1;
    if (rng_below(rng, 4))
        return 0;
    return fleet_decision_history(fleet, s->bed.project, &history, read_entry, &sink, &total, err);
}

static int ask(struct shared *s, struct rng *rng, struct err *err)
{
    const struct index_scope all = {.type = -1};
    char vul_id[16];
    struct affected_query query = {.q = {.scope = all, .codes = INDEX_ALL_CODES, .limit = 200}};
    struct seen seen = {0};
    struct index_counts counts;
    struct fleet *fleet = rng_below(rng, 4) ? s->bed.fleet : s->other;
    uint64_t sink = 0;

    snprintf(vul_id, sizeof(vul_id), "CVE-%u", (unsigned)rng_below(rng, NAMES));
    query.vul_id = rng_below(rng, 2) ? slice_of(vul_id) : SLICE_NONE;
    if (fleet_affected(fleet, s->bed.project, &query, read_page, &seen, err) < 0 ||
        fleet_count(fleet, s->bed.project, &all, &counts, err) < 0)
        return -1;
    if (rng_below(rng, 8))
        return 0;
    if (ask_decisions(s, fleet, rng, query.vul_id, err) < 0)
        return -1;
    if (fleet_each_vuln(fleet, s->bed.project, &all, INDEX_ALL_CODES, read_vuln, &sink, err) < 0)
        return -1;
    return fleet_each_image(fleet, s->bed.project, &all, 0, read_image, &sink, err);
}

static void *read_on(void *ctx)
{
    struct shared *s = ctx;
    struct rng rng = {(uintptr_t)pthread_self()};

    while (!atomic_load(&s->done)) {
        struct err err = {0};

        if (ask(s, &rng, &err) < 0)
            note_failure(s, "a reader", &err);
        atomic_fetch_add(&s->answers, 1);
    }
    return NULL;
}

/* --- Writers ---------------------------------------------------------------------------------- */

/* Now and then with an alias, so that groups change and other images are derived again. */
static void draw_report(struct rng *rng, struct report *ret)
{
    static const char *const digests[IMAGES] = {"sha256:0", "sha256:1", "sha256:2", "sha256:3",
        "sha256:4", "sha256:5", "sha256:6", "sha256:7", "sha256:8", "sha256:9", "sha256:a",
        "sha256:b"};
    struct err err;

    make_report(ret, rng_below(rng, 2) ? SOURCE_TRIVY : SOURCE_GRYPE, "nginx", "1",
        digests[rng_below(rng, IMAGES)], "");
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16], alias[16];
        struct report_record record = {0};
        struct report_claim claim = {.severity = (enum severity)rng_below(rng, SEVERITY_COUNT)};
        bool ghsa = rng_below(rng, 3) == 0;
        struct slice text;

        snprintf(name, sizeof(name), ghsa ? "GHSA-%u" : "CVE-%u", i);
        snprintf(alias, sizeof(alias), "CVE-%u", i);
        assert_ok(report_text(ret, slice_of(name), &record.name, &err));
        if (ghsa && rng_below(rng, 2)) {
            assert_ok(report_text(ret, slice_of(alias), &text, &err));
            assert_ok(names_push(&ret->arena, &record.aliases, text, &err));
        }
        if (rng_below(rng, 3) == 0)
            continue;
        assert_ok(report_add_record(ret, &record, &claim.record, &err));
        assert_ok(report_add_claim(ret, &claim, &err));
    }
}

/* Some expire in a moment, some are withdrawn. */
static int decide_once(struct shared *s, struct fleet *fleet, struct rng *rng, struct err *err)
{
    char name[16];
    struct slice vul;
    struct decision_request request;
    struct deciding by = {.author = SLICE("writer"), .reason = SLICE("why")};
    struct decision_outcome outcome;
    uint64_t rows;
    int failed = 0;

    snprintf(name, sizeof(name), "CVE-%u", (unsigned)rng_below(rng, NAMES));
    vul = rng_below(rng, 4) ? slice_of(name) : SLICE_NONE;
    request = draw_request(rng, &vul);
    if (rng_below(rng, 3) == 0)
        by.expires_ms = clock_now_ms() + 1000 + (int64_t)rng_below(rng, 500);
    if (fleet_decide(fleet, s->bed.project, &request, 1, &by, "test", &outcome, err) < 0)
        return -1;
    if (outcome.numbers.count && rng_below(rng, 2))
        failed = fleet_withdraw_decision(
            fleet, s->bed.project, outcome.numbers.at[0], &by, "test", &rows, err);
    if (!failed && rng_below(rng, 4) == 0)
        failed = fleet_expire_decisions(fleet, "test", NULL, NULL, err);
    ids_release(&outcome.numbers);
    return failed && err->code != ERR_CONFLICT ? -1 : 0;
}

static int write_once(struct shared *s, struct fleet *fleet, struct rng *rng, struct err *err)
{
    struct placement place = placement_default();
    struct image_change change = {.fields = FIELD_CONTAINERS, .to = place};
    struct put_outcome outcome;
    struct report report;
    struct put_request request = {.report = &report, .place = &place};
    char id[UUID_TEXT_BYTES];
    int failed;

    draw_report(rng, &report);
    failed = fleet_put_images(fleet, s->bed.project, &request, 1, "test", &outcome, err);
    report_release(&report);
    if (failed || outcome.failed || (rng_below(rng, 3) == 0 && decide_once(s, fleet, rng, err) < 0))
        return -1;
    change.to.containers = (int64_t)rng_below(rng, 100);
    if (rng_below(rng, 5) == 0)
        failed = fleet_set_image(
            fleet, s->bed.project, slice_of(outcome.image_id), &change, "test", id, err);
    else if (rng_below(rng, 5) == 0)
        failed = fleet_remove_image(fleet, s->bed.project, slice_of(outcome.image_id), "test", err);
    /* The other writer may have removed it meanwhile. */
    return failed && err->code != ERR_NOT_FOUND ? -1 : 0;
}

/* The log goes: whoever has not followed all of it loads anew. */
static int trim(struct fleet *fleet, struct err *err)
{
    struct store *store = fleet_store(fleet);
    size_t dropped;

    if (store_begin(store, "test", err) < 0)
        return -1;
    if (store_trim_log(store, clock_now_ms() + 1000, SIZE_MAX, &dropped, err) < 0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

static void write_on(struct shared *s, struct fleet *fleet, uint64_t seed)
{
    struct rng rng = {seed};

    for (int i = 0; i < PUTS; i++) {
        struct err err = {0};

        if (write_once(s, fleet, &rng, &err) < 0 || (i % 20 == 19 && trim(fleet, &err) < 0))
            note_failure(s, "a writer", &err);
    }
}

static void *write_beside(void *ctx)
{
    struct shared *s = ctx;

    write_on(s, s->other, 2);
    return NULL;
}

static void *follow_on(void *ctx)
{
    struct shared *s = ctx;

    while (!atomic_load(&s->done)) {
        struct err err = {0};

        if (fleet_follow(s->bed.fleet, &err) < 0 || fleet_follow(s->other, &err) < 0)
            note_failure(s, "a follower", &err);
        usleep(500);
    }
    return NULL;
}

/* Verifying builds a second tenant while everything else goes on. */
static void *verify_on(void *ctx)
{
    struct shared *s = ctx;

    while (!atomic_load(&s->done)) {
        struct err err = {0};

        if (fleet_verify(s->bed.fleet, s->bed.project, &err) < 0)
            note_failure(s, "verifying", &err);
        usleep(20000);
    }
    return NULL;
}

static void test_threads(void **state)
{
    static struct shared s;
    pthread_t readers[READERS], follower, verifier, writer;
    struct err err;

    (void)state;
    bed_init(&s.bed);
    s.other = fleet_open(s.bed.dir, STORE_WRITE, &err);
    assert_non_null(s.other);
    assert_ok(fleet_load(s.other, 0, &err));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &s), 0);
    assert_int_equal(pthread_create(&follower, NULL, follow_on, &s), 0);
    assert_int_equal(pthread_create(&verifier, NULL, verify_on, &s), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_beside, &s), 0);
    write_on(&s, s.bed.fleet, 1);
    pthread_join(writer, NULL);
    atomic_store(&s.done, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    pthread_join(follower, NULL);
    pthread_join(verifier, NULL);
    if (atomic_load(&s.failures))
        fail_msg("%u failures; the first: %s", atomic_load(&s.failures), s.why);
    assert_true(atomic_load(&s.answers) > 0);
    assert_ok(fleet_verify(s.bed.fleet, s.bed.project, &err));
    assert_ok(fleet_verify(s.other, s.bed.project, &err));
    fleet_close(s.other);
    bed_release(&s.bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
