/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the claims of slots to rows: folding by alias group and type, the worst word for severity,
 * the first scan time, what an image's slots hold together and how far it is assessed.
 */
#include "unit.h"

#include "fleet/internal.h"
#include "made_facts.h"
#include "rng.h"

struct bed {
    struct facts facts;
    struct aliases aliases;
    struct slot slots[SOURCE_COUNT];
    struct derived derived;
    struct image image;
    struct err err;
};

static void bed_init(struct bed *bed)
{
    *bed = (struct bed){.image = {.first_seen_ms = 777}};
    made_init(&bed->facts);
    aliases_init(&bed->aliases, &bed->facts);
    for (int i = 0; i < SOURCE_COUNT; i++)
        bed->slots[i].source = (enum source)i;
}

static void bed_release(struct bed *bed)
{
    content_release(bed->slots);
    derived_release(&bed->derived);
    aliases_release(&bed->aliases);
    facts_release(&bed->facts);
}

static uint32_t add_claim(struct bed *bed, uint32_t package, uint32_t record, enum vul_type type,
    enum severity severity, int64_t known_ms)
{
    uint32_t id = ++bed->facts.last_claim;

    assert_true(id < MADE_MAX);
    bed->facts.claims[id] = (struct fact_claim){.package = package,
        .record = record,
        .type = (uint8_t)type,
        .severity = (uint8_t)severity,
        .known_ms = known_ms,
        .package_name = 10 - package,
        .source_name = package % 3 ? 0 : 7};
    return id;
}

static uint32_t plain_record(struct bed *bed, uint32_t name)
{
    const struct ids none = {0};

    return made_record(&bed->facts, name, &none, &none);
}

static void hold_package(struct bed *bed, enum source source, uint32_t package, int64_t seen_ms)
{
    struct slot *slot = &bed->slots[source];

    assert_int_equal(timed_ids_push(&slot->packages, package, seen_ms, &bed->err), 0);
    timed_ids_sort(&slot->packages);
}

static void hold_claim(struct bed *bed, enum source source, uint32_t claim)
{
    assert_int_equal(ids_push(&bed->slots[source].claims, claim, &bed->err), 0);
    ids_sort_unique(&bed->slots[source].claims);
}

static void derive(struct bed *bed)
{
    struct err err;

    assert_ok(derive_findings(
        &bed->facts, &bed->aliases, NULL, &bed->image, bed->slots, &bed->derived, &err));
}

/* --- Folding ---------------------------------------------------------------------------------- */

static void test_folding(void **state)
{
    struct bed bed;
    uint32_t ghsa, cve, other, by_ghsa, by_cve, by_other;
    struct ids aliases = {0}, none = {0};

    (void)state;
    bed_init(&bed);
    ghsa = made_name(&bed.facts, NAME_GHSA);
    cve = made_name(&bed.facts, NAME_CVE);
    other = made_name(&bed.facts, NAME_CVE);
    assert_int_equal(ids_push(&aliases, cve, &bed.err), 0);
    by_ghsa = made_record(&bed.facts, ghsa, &aliases, &none);
    by_cve = plain_record(&bed, cve);
    by_other = plain_record(&bed, other);
    hold_claim(&bed, SOURCE_TRIVY, add_claim(&bed, 1, by_other, VUL_APP, SEVERITY_LOW, 1));
    hold_claim(&bed, SOURCE_TRIVY, add_claim(&bed, 1, by_cve, VUL_APP, SEVERITY_HIGH, 1));
    hold_claim(&bed, SOURCE_GRYPE, add_claim(&bed, 2, by_ghsa, VUL_APP, SEVERITY_MEDIUM, 1));
    hold_claim(&bed, SOURCE_GRYPE, add_claim(&bed, 3, by_ghsa, VUL_LINUX, SEVERITY_CRITICAL, 1));

    derive(&bed); /* no record in use: every name by itself */
    assert_int_equal(bed.derived.count, 4);

    assert_int_equal(aliases_use(&bed.aliases, by_ghsa, &bed.err), 0);
    assert_int_equal(made_settle(&bed.aliases, &none, &bed.err), 0);
    derive(&bed);
    assert_int_equal(bed.derived.count, 3);
    assert_int_equal(bed.derived.at[0].vuln, vuln_number(ghsa, VUL_APP));
    assert_int_equal(
        bed.derived.at[0].code, index_code(NECESSITY_HIGH, VUL_APP, false, false, false));
    assert_int_equal(bed.derived.at[1].vuln, vuln_number(ghsa, VUL_LINUX));
    assert_int_equal(
        bed.derived.at[1].code, index_code(NECESSITY_CRITICAL, VUL_LINUX, false, false, false));
    assert_int_equal(bed.derived.at[2].vuln, vuln_number(other, VUL_APP));
    assert_int_equal(
        bed.derived.at[2].code, index_code(NECESSITY_LOW, VUL_APP, false, false, false));

    content_release(bed.slots);
    derive(&bed);
    assert_int_equal(bed.derived.count, 0);
    ids_release(&aliases);
    ids_release(&none);
    bed_release(&bed);
}

/* The words of two packages' claims, and the row's severity. */
static void test_severity(void **state)
{
    static const struct {
        enum severity one, two;
        enum necessity expected;
    } cases[] = {
        {SEVERITY_UNKNOWN, SEVERITY_UNKNOWN, NECESSITY_MEDIUM},
        {SEVERITY_UNKNOWN, SEVERITY_NEGLIGIBLE, NECESSITY_LOW},
        {SEVERITY_LOW, SEVERITY_UNKNOWN, NECESSITY_LOW},
        {SEVERITY_NEGLIGIBLE, SEVERITY_LOW, NECESSITY_LOW},
        {SEVERITY_MEDIUM, SEVERITY_LOW, NECESSITY_MEDIUM},
        {SEVERITY_LOW, SEVERITY_HIGH, NECESSITY_HIGH},
        {SEVERITY_CRITICAL, SEVERITY_HIGH, NECESSITY_CRITICAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        uint32_t record;

        bed_init(&bed);
        record = plain_record(&bed, made_name(&bed.facts, NAME_CVE));
        hold_claim(&bed, SOURCE_TRIVY, add_claim(&bed, 1, record, VUL_LINUX, cases[i].one, 1));
        hold_claim(&bed, SOURCE_GRYPE, add_claim(&bed, 2, record, VUL_LINUX, cases[i].two, 1));
        derive(&bed);
        assert_int_equal(bed.derived.count, 1);
        assert_int_equal(index_code_necessity(bed.derived.at[0].code), cases[i].expected);
        bed_release(&bed);
    }
}

/* --- Times ------------------------------------------------------------------------------------ */

/* The earliest, over the packages, of the later of: package first seen here, claim first known. */
static void test_first_scan(void **state)
{
    static const struct {
        int64_t seen_by_trivy, seen_by_grype; /* package 1; 0: not there */
        int64_t known;
        int64_t second_seen, second_known; /* package 2; 0: no second claim */
        int64_t expected;
    } cases[] = {
        {100, 0, 50, 0, 0, 100},    /* known before the package came */
        {100, 0, 150, 0, 0, 150},   /* known after */
        {100, 90, 50, 0, 0, 90},    /* the earliest source counts */
        {100, 90, 95, 0, 0, 95},    /* and then the claim */
        {100, 0, 150, 120, 1, 120}, /* the second package was first */
        {100, 0, 50, 120, 130, 100},
        {0, 0, 50, 0, 0, 777}, /* in no slot: with the image */
        {0, 0, 900, 0, 0, 900},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;
        uint32_t record;

        bed_init(&bed);
        record = plain_record(&bed, made_name(&bed.facts, NAME_CVE));
        if (cases[i].seen_by_trivy)
            hold_package(&bed, SOURCE_TRIVY, 1, cases[i].seen_by_trivy);
        if (cases[i].seen_by_grype)
            hold_package(&bed, SOURCE_GRYPE, 1, cases[i].seen_by_grype);
        hold_claim(&bed, SOURCE_TRIVY,
            add_claim(&bed, 1, record, VUL_LINUX, SEVERITY_LOW, cases[i].known));
        if (cases[i].second_seen) {
            hold_package(&bed, SOURCE_TRIVY, 2, cases[i].second_seen);
            hold_claim(&bed, SOURCE_TRIVY,
                add_claim(&bed, 2, record, VUL_LINUX, SEVERITY_LOW, cases[i].second_known));
        }
        derive(&bed);
        assert_int_equal(bed.derived.count, 1);
        assert_int_equal(bed.derived.at[0].first_scan_ms, cases[i].expected);
        bed_release(&bed);
    }
}

/* --- Many claims at random -------------------------------------------------------------------- */

enum { PACKAGES = 6, NAMES = 5, CLAIMS = 40 };

static void check_row(const struct bed *bed, const struct index_finding *row)
{
    enum severity worst = SEVERITY_UNKNOWN;
    int64_t first_ms = INT64_MAX;
    bool fixable = false, named[11] = {false};
    uint32_t names = 0;

    for (uint32_t id = 1; id <= bed->facts.last_claim; id++) {
        const struct fact_claim *claim = &bed->facts.claims[id];
        int64_t seen_ms = INT64_MAX;
        bool held = false;

        for (int s = 0; s < SOURCE_COUNT; s++) {
            held |= ids_contains(&bed->slots[s].claims, id);
            for (size_t i = 0; i < bed->slots[s].packages.count; i++)
                if (bed->slots[s].packages.at[i].id == claim->package &&
                    bed->slots[s].packages.at[i].first_seen_ms < seen_ms)
                    seen_ms = bed->slots[s].packages.at[i].first_seen_ms;
        }
        if (!held || vuln_number(bed->facts.records[claim->record].name, claim->type) != row->vuln)
            continue;
        worst = claim->severity > worst ? (enum severity)claim->severity : worst;
        fixable |= claim->fixed_version != 0;
        named[claim->package_name] = named[claim->source_name] = true;
        if (seen_ms == INT64_MAX)
            seen_ms = bed->image.first_seen_ms;
        seen_ms = claim->known_ms > seen_ms ? claim->known_ms : seen_ms;
        first_ms = seen_ms < first_ms ? seen_ms : first_ms;
    }
    assert_int_not_equal(first_ms, INT64_MAX); /* at least one claim makes the row */
    assert_int_equal(row->first_scan_ms, first_ms);
    assert_int_equal(
        row->code, index_code(necessity_of(worst), vuln_type(row->vuln), fixable, false, false));
    for (uint32_t name = 1; name < 11; name++)
        if (named[name])
            assert_int_equal(row->names[names++], name);
    assert_int_equal(row->name_count, names);
}

static void run_random(uint64_t seed)
{
    struct rng rng = {seed};
    struct bed bed;
    struct ids rows = {0};

    bed_init(&bed);
    for (int i = 0; i < NAMES; i++)
        plain_record(&bed, made_name(&bed.facts, NAME_CVE));
    for (int i = 0; i < CLAIMS; i++)
        add_claim(&bed, 1 + (uint32_t)rng_below(&rng, PACKAGES),
            1 + (uint32_t)rng_below(&rng, NAMES), (enum vul_type)rng_below(&rng, VUL_TYPE_COUNT),
            (enum severity)rng_below(&rng, SEVERITY_COUNT), (int64_t)rng_below(&rng, 1000));
    for (uint32_t id = 3; id <= CLAIMS; id += 3)
        bed.facts.claims[id].fixed_version = id;
    for (uint64_t n = rng_below(&rng, CLAIMS); n; n--) {
        uint32_t claim = 1 + (uint32_t)rng_below(&rng, CLAIMS);

        hold_claim(&bed, (enum source)rng_below(&rng, SOURCE_COUNT), claim);
        assert_int_equal(ids_push(&rows,
                             vuln_number(bed.facts.records[bed.facts.claims[claim].record].name,
                                 bed.facts.claims[claim].type),
                             &bed.err),
            0);
    }
    ids_sort_unique(&rows);
    for (uint64_t n = rng_below(&rng, PACKAGES * 2); n; n--)
        hold_package(&bed, (enum source)rng_below(&rng, SOURCE_COUNT),
            1 + (uint32_t)rng_below(&rng, PACKAGES), (int64_t)rng_below(&rng, 1000));
    derive(&bed);
    assert_int_equal(bed.derived.count, rows.count);
    for (size_t i = 0; i < bed.derived.count; i++) {
        assert_int_equal(bed.derived.at[i].vuln, rows.at[i]);
        check_row(&bed, &bed.derived.at[i]);
    }
    ids_release(&rows);
    bed_release(&bed);
}

static void test_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++)
        run_random(seed);
}

/* --- What slots hold together ----------------------------------------------------------------- */

static void test_content(void **state)
{
    struct bed bed;
    struct ids claims = {0};
    struct timed_ids packages = {0};
    struct err err;

    (void)state;
    bed_init(&bed);
    hold_claim(&bed, SOURCE_GRYPE, 9);
    hold_claim(&bed, SOURCE_GRYPE, 4);
    hold_claim(&bed, SOURCE_TRIVY, 4);
    hold_package(&bed, SOURCE_TRIVY, 7, 30);
    hold_package(&bed, SOURCE_GRYPE, 7, 20);
    hold_package(&bed, SOURCE_GRYPE, 5, 40);
    assert_ok(content_claims(bed.slots, &claims, &err));
    assert_int_equal(claims.count, 2);
    assert_int_equal(claims.at[0], 4);
    assert_int_equal(claims.at[1], 9);
    assert_ok(content_packages(bed.slots, &packages, &err));
    assert_int_equal(packages.count, 2);
    assert_int_equal(packages.at[0].id, 5);
    assert_int_equal(packages.at[1].id, 7);
    assert_int_equal(packages.at[1].first_seen_ms, 20);
    ids_release(&claims);
    timed_ids_release(&packages);
    bed_release(&bed);
}

static void test_assessment(void **state)
{
    struct bed bed;

    (void)state;
    bed_init(&bed);
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_NOT);
    bed.slots[SOURCE_TRIVY].complete = true; /* complete, and empty: nothing was recognised */
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_NOT);
    hold_package(&bed, SOURCE_GRYPE, 1, 5);
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_PARTLY);
    hold_package(&bed, SOURCE_TRIVY, 1, 5);
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_FULL);
    bed_release(&bed);
    bed_init(&bed);
    hold_claim(&bed, SOURCE_GRYPE, 1);
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_PARTLY);
    bed_release(&bed);
}

static void test_assessment_of_own_scans(void **state)
{
    struct bed bed;

    (void)state;
    bed_init(&bed);
    bed.slots[SOURCE_CAREEN].complete = true; /* known to hold nothing */
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_FULL);
    hold_package(&bed, SOURCE_CAREEN, 1, 5); /* what is wrong with it nobody has said */
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_NOT);
    hold_claim(&bed, SOURCE_GRYPE, 1); /* somebody has, and the list is complete */
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_FULL);
    bed.slots[SOURCE_CAREEN].complete = false;
    assert_int_equal(content_assessment(bed.slots), ASSESSMENT_PARTLY);
    bed_release(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_severity),
        cmocka_unit_test(test_first_scan),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_assessment),
        cmocka_unit_test(test_assessment_of_own_scans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
