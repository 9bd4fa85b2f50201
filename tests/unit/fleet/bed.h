/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet in a temporary folder, and short ways to fill it, for cases by hand. */
#ifndef CAREEN_TESTS_FLEET_BED_H
#define CAREEN_TESTS_FLEET_BED_H

#include "base/limits.h"
#include "fleet/fleet.h"
#include "folder.h"

struct bed {
    char dir[256];
    struct fleet *fleet;
    uint32_t project;
    struct arena arena; /* of what was shown */
    struct err err;
};

static inline void bed_init(struct bed *bed)
{
    *bed = (struct bed){0};
    folder_make(bed->dir, sizeof(bed->dir));
    arena_init(&bed->arena, "what was shown", LIMIT_REPORT_MEMORY_BYTES);
    bed->fleet = fleet_open(bed->dir, STORE_CREATE, &bed->err);
    if (!bed->fleet || fleet_load(bed->fleet, 0, &bed->err) < 0 ||
        fleet_find_project(bed->fleet, SLICE("default"), &bed->project, &bed->err) < 0)
        fail_msg("%s", bed->err.message);
}

static inline void bed_release(struct bed *bed)
{
    fleet_close(bed->fleet);
    arena_release(&bed->arena);
    folder_remove(bed->dir);
}

static inline void bed_verify(struct bed *bed)
{
    struct err err;

    assert_ok(fleet_verify(bed->fleet, bed->project, &err));
}

/* --- Reports ---------------------------------------------------------------------------------- */

/* One package, and one claim for each of these vulnerabilities ("CVE-1 CVE-2"). */
static inline void make_report(struct report *report, enum source source, const char *name,
    const char *tag, const char *digest, const char *vulns)
{
    const struct package package = {
        .ecosystem = SLICE("deb"), .name = SLICE("openssl"), .version = SLICE("1.0")};
    struct slice rest = slice_of(vulns);
    struct report_claim claim = {.severity = SEVERITY_HIGH};
    struct err err;

    report_init(report);
    report->source = source;
    report->complete = true;
    report->is_image = true;
    report->name = slice_of(name);
    report->tag = slice_of(tag);
    report->digest = slice_of(digest);
    report->size_bytes = -1;
    assert_ok(report_add_package(report, &package, &claim.package, &err));
    while (rest.len) {
        struct report_record record = {.name = slice_pull_until(&rest, ' ')};

        assert_ok(report_add_record(report, &record, &claim.record, &err));
        assert_ok(report_add_claim(report, &claim, &err));
    }
}

/* Puts one report in, at a place or (NULL) the default one; the outcome must be good. */
static inline struct put_outcome put_at(
    struct bed *bed, const struct report *report, const struct placement *place)
{
    struct placement usual = placement_default();
    struct put_request request = {.report = report, .place = place ? place : &usual};
    struct put_outcome outcome;
    struct err err;

    assert_ok(fleet_put_images(bed->fleet, bed->project, &request, 1, "test", &outcome, &err));
    if (outcome.failed)
        fail_msg("refused: %s", outcome.err.message);
    return outcome;
}

static inline struct put_outcome put_plain(struct bed *bed, enum source source, const char *name,
    const char *tag, const char *digest, const char *vulns)
{
    struct report report;
    struct put_outcome outcome;

    make_report(&report, source, name, tag, digest, vulns);
    outcome = put_at(bed, &report, NULL);
    report_release(&report);
    return outcome;
}

static inline struct image_detail show(struct bed *bed, const char *id)
{
    struct image_detail detail;
    struct err err;

    assert_ok(fleet_show_image(bed->fleet, bed->project, slice_of(id), &bed->arena, &detail, &err));
    return detail;
}

/* How many rows a vulnerability (NULL: all) has. */
static inline int take_total(void *ctx, const struct affected_page *page, struct err *err)
{
    (void)err;
    *(uint64_t *)ctx = page->total;
    return 0;
}

static inline uint64_t count_rows(struct bed *bed, const char *vul_id)
{
    const struct affected_query query = {
        .q = {.scope = {.type = -1}, .codes = INDEX_ALL_CODES, .limit = 10},
        .vul_id = slice_of(vul_id)};
    uint64_t total = UINT64_MAX;
    struct err err;

    assert_ok(fleet_affected(bed->fleet, bed->project, &query, take_total, &total, &err));
    return total;
}

/* Does a call (0 or -1) fail with this code, and does the message hold this text? */
#define assert_fails(call, want, text)                                                 \
    do {                                                                               \
        err = (struct err){0};                                                         \
        assert_int_equal((call), -1);                                                  \
        if (err.code != (want) || !strstr(err.message, (text)))                        \
            fail_msg("%s: code %d, \"%s\", not code %d, \"%s\"", #call, (int)err.code, \
                err.message, (int)(want), (text));                                     \
    } while (0)

#endif
