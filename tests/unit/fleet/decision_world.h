/* SPDX-License-Identifier: Apache-2.0 */
/* Two fleets on one data folder, and few images that come, change, move and go in it. */
#ifndef CAREEN_TESTS_FLEET_DECISION_WORLD_H
#define CAREEN_TESTS_FLEET_DECISION_WORLD_H

#include "decision_bed.h"
#include "rng.h"

static const char *const vulns[] = {"CVE-1", "CVE-2", "CVE-3", "GHSA-1", "GHSA-2", "DSA-1"};
static const char *const packages[] = {"openssl", "zlib"};
static const char *const projects[] = {"0", "team-1"};
static const char *const names[] = {"nginx", "library/nginx", "app", "base"};

struct test {
    struct bed bed; /* bed.fleet: the one at hand */
    struct fleet *fleets[2];
    struct rng rng;
};

static inline unsigned below(struct test *t, unsigned bound)
{
    return (unsigned)rng_below(&t->rng, bound);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PICK(t, list) (list)[below((t), COUNT(list))]

/* --- Images ----------------------------------------------------------------------------------- */

static inline void draw_claims(struct test *t, struct report *report)
{
    struct err err;

    for (size_t p = 0; p < COUNT(packages); p++) {
        const struct package package = {.ecosystem = below(t, 2) ? SLICE("deb") : SLICE("npm"),
            .name = slice_of(packages[p]),
            .version = SLICE("1")};
        struct report_claim claim = {.severity = SEVERITY_LOW};

        assert_ok(report_add_package(report, &package, &claim.package, &err));
        for (size_t v = 0; v < COUNT(vulns); v++) {
            struct report_record record = {.name = slice_of(vulns[v])};

            if (below(t, 2))
                continue;
            if (v >= 3 && below(t, 3) == 0)
                assert_ok(names_push(
                    &report->arena, &record.aliases, slice_of(vulns[below(t, 3)]), &err));
            assert_ok(report_add_record(report, &record, &claim.record, &err));
            assert_ok(report_add_claim(report, &claim, &err));
        }
    }
}

static inline void put_some(struct test *t)
{
    struct placement place = placement_default();
    struct report report;

    report_init(&report);
    report.source = below(t, 2) ? SOURCE_TRIVY : SOURCE_GRYPE;
    report.complete = true;
    report.is_image = true;
    report.name = slice_of(PICK(t, names));
    report.tag = SLICE("1");
    report.digest = below(t, 2) ? SLICE("sha256:a") : SLICE("sha256:b");
    report.size_bytes = -1;
    place.enterprise_project = slice_of(PICK(t, projects));
    place.type = below(t, 2) ? IMAGE_REGISTRY : IMAGE_CLUSTER;
    if (place.type == IMAGE_CLUSTER)
        place.cluster_id = SLICE("c-1");
    else
        place.registry_name = SLICE("hub");
    draw_claims(t, &report);
    put_at(&t->bed, &report, &place);
    report_release(&report);
}

struct ids_of {
    size_t count;
    char at[64][UUID_TEXT_BYTES];
};

static inline bool take_id(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct ids_of *ids = ctx;

    (void)counts;
    assert_true(ids->count < COUNT(ids->at));
    memcpy(ids->at[ids->count++], image->id, UUID_TEXT_BYTES);
    return true;
}

static inline void list_images(struct test *t, struct ids_of *ret)
{
    const struct index_scope all = {.type = -1};
    struct err err;

    ret->count = 0;
    assert_ok(fleet_each_image(t->bed.fleet, t->bed.project, &all, 0, take_id, ret, &err));
}

static inline void change_some(struct test *t)
{
    struct image_change change = {FIELD_ENTERPRISE_PROJECT, placement_default()};
    struct ids_of ids;
    char id[UUID_TEXT_BYTES];
    struct slice chosen;
    struct err err = {0};

    list_images(t, &ids);
    if (ids.count == 0)
        return;
    chosen = slice_of(ids.at[below(t, (unsigned)ids.count)]);
    change.to.enterprise_project = slice_of(PICK(t, projects));
    if (below(t, 3) == 0)
        assert_ok(fleet_remove_image(t->bed.fleet, t->bed.project, chosen, "test", &err));
    else if (fleet_set_image(t->bed.fleet, t->bed.project, chosen, &change, "test", id, &err) < 0)
        assert_int_equal(err.code, ERR_CONFLICT);
}

#endif
