/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions laid over claims, against a model that looks through all of them: random decisions that
 * come, change and go, while names are regrouped. After each step every claim that there can be is
 * asked for, one by one and by rows.
 */
#include "unit.h"

#include "fleet/overlay.h"
#include "made_facts.h"
#include "model/reference.h"
#include "rng.h"

enum { NAMES = 12, RECORDS = 8, IMAGES = 7, PACKAGES = 3, DECISIONS = 24, STEPS = 260, TIMES = 4 };

static const char *const packages[PACKAGES] = {"openssl", "zlib", "curl"};
static const char *const projects[] = {"0", "team-1", "team-2"};
static const char *const repositories[] = {"nginx", "docker.io/library/nginx", "team/app"};
static const char *const places[] = {"here", "there"};

/* One decision with what it points at. */
struct made {
    struct decision decision;
    uint32_t vulns[3];
    unsigned char images[3][IMAGE_ID_BYTES];
    struct slice projects[2];
};

struct bed {
    struct rng rng;
    struct facts facts;
    struct aliases aliases;
    struct overlay *overlay;
    struct image images[IMAGES];
    struct made made[DECISIONS]; /* those in force, in any order */
    size_t count;
    uint32_t last; /* number */
    uint32_t records[RECORDS];
    bool used[RECORDS];
};

static unsigned below(struct bed *bed, unsigned bound)
{
    return (unsigned)rng_below(&bed->rng, bound);
}

#define PICK(bed, list) (list)[below((bed), sizeof(list) / sizeof((list)[0]))]

static void make_images(struct bed *bed)
{
    for (unsigned i = 0; i < IMAGES; i++) {
        struct image *image = &bed->images[i];
        unsigned char id[IMAGE_ID_BYTES] = {(unsigned char)(i * 37), 1, 2, (unsigned char)i};

        *image = (struct image){.number = i + 1, .latest_scan_ms = 10 * below(bed, TIMES)};
        image_id_format(id, image->id);
        image->name = slice_of(PICK(bed, repositories));
        image->place = (struct placement){.type = (enum image_type)below(bed, IMAGE_TYPE_COUNT),
            .enterprise_project = slice_of(PICK(bed, projects)),
            .registry_name = slice_of(PICK(bed, places)),
            .cluster_id = slice_of(PICK(bed, places))};
    }
}

/* Names of two kinds, and records that link two of them each; none is in use yet. */
static void make_names(struct bed *bed)
{
    const struct ids none = {0};

    made_init(&bed->facts);
    aliases_init(&bed->aliases, &bed->facts);
    for (unsigned i = 0; i < NAMES; i++)
        made_name(&bed->facts, i < NAMES / 2 ? NAME_CVE : NAME_GHSA);
    for (unsigned i = 0; i < RECORDS; i++) {
        uint32_t alias = 1 + below(bed, NAMES / 2);
        const struct ids aliases = {.at = &alias, .count = 1};

        bed->records[i] =
            made_record(&bed->facts, NAMES / 2 + 1 + below(bed, NAMES / 2), &aliases, &none);
    }
}

/* --- Decisions -------------------------------------------------------------------------------- */

static int compare_numbers(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static int compare_images(const void *left, const void *right)
{
    return memcmp(left, right, IMAGE_ID_BYTES);
}

static void draw_images(struct bed *bed, struct made *made)
{
    unsigned first = below(bed, IMAGES);

    made->decision.image_count = 1 + below(bed, 3);
    for (unsigned i = 0; i < made->decision.image_count; i++)
        assert_true(
            image_id_bytes(slice_of(bed->images[(first + 2 * i) % IMAGES].id), made->images[i]));
    qsort(made->images, made->decision.image_count, IMAGE_ID_BYTES, compare_images);
}

static void draw_scope(struct bed *bed, struct made *made)
{
    struct decision *decision = &made->decision;

    decision->scope = (enum decision_scope)below(bed, DECISION_SCOPE_COUNT);
    if (decision->action == DECISION_REPAIR || below(bed, 3) == 0)
        decision->scope = DECISION_IMAGES;
    if (decision->scope == DECISION_IMAGES)
        draw_images(bed, made);
    else if (decision->scope == DECISION_REPOSITORY)
        decision->place = reference_repository(slice_of(PICK(bed, repositories)));
    else if (decision->scope != DECISION_PROJECT)
        decision->place = slice_of(PICK(bed, places));
    decision->image_type = (int)below(bed, IMAGE_TYPE_COUNT * 3) % (IMAGE_TYPE_COUNT + 1) - 1;
    if (below(bed, 3) == 0) {
        made->projects[0] = slice_of(projects[below(bed, 2)]);
        made->projects[1] = slice_of(projects[2]);
        decision->enterprise_project_count = 1 + below(bed, 2);
    }
}

static void draw_decision(struct bed *bed, uint32_t number, struct made *ret)
{
    struct decision *decision = &ret->decision;
    uint32_t first = 1 + below(bed, NAMES);

    *ret = (struct made){.decision = {.number = number}};
    decision->action = (enum decision_action)below(bed, DECISION_ACTION_COUNT);
    decision->type = (int)below(bed, 3) - 1;
    decision->vuln_count = below(bed, 4);
    for (unsigned i = 0; i < decision->vuln_count; i++)
        ret->vulns[i] = (first + 5 * i) % NAMES + 1;
    qsort(ret->vulns, decision->vuln_count, sizeof(ret->vulns[0]), compare_numbers);
    if (decision->vuln_count == 0 || below(bed, 4) == 0)
        decision->package = slice_of(PICK(bed, packages));
    if (decision->vuln_count == 0 && below(bed, 5) == 0)
        decision->package = SLICE_NONE; /* of any: laid for a trial only */
    decision->created_ms = 10 * below(bed, TIMES);
    decision->expires_ms = below(bed, 3) == 0 ? 1 + below(bed, 50) : 0;
    draw_scope(bed, ret);
}

/* Pointers into the struct itself: where it lies for good. */
static void settle(struct made *made)
{
    made->decision.vulns = made->vulns;
    made->decision.images = (const unsigned char(*)[IMAGE_ID_BYTES])made->images;
    made->decision.enterprise_projects = made->projects;
}

static void put(struct bed *bed)
{
    size_t at = bed->count;
    struct err err;

    if (bed->count == DECISIONS || (bed->count && below(bed, 3) == 0))
        at = below(bed, (unsigned)bed->count); /* replaces one */
    draw_decision(
        bed, at == bed->count ? ++bed->last : bed->made[at].decision.number, &bed->made[at]);
    settle(&bed->made[at]);
    if (at == bed->count)
        bed->count++;
    assert_ok(overlay_put(bed->overlay, &bed->aliases, &bed->made[at].decision, &err));
}

static void take_out(struct bed *bed)
{
    size_t at;

    if (bed->count == 0)
        return;
    at = below(bed, (unsigned)bed->count);
    overlay_remove(bed->overlay, bed->made[at].decision.number);
    assert_null(overlay_find(bed->overlay, bed->made[at].decision.number));
    bed->made[at] = bed->made[--bed->count];
    settle(&bed->made[at]);
    overlay_remove(bed->overlay, bed->last + 1); /* not there */
}

static void regroup(struct bed *bed)
{
    unsigned at = below(bed, RECORDS);
    struct ids changed = {0};
    struct err err;

    if (bed->used[at])
        assert_ok(aliases_unuse(&bed->aliases, bed->records[at], &err));
    else
        assert_ok(aliases_use(&bed->aliases, bed->records[at], &err));
    bed->used[at] = !bed->used[at];
    assert_ok(made_settle(&bed->aliases, &changed, &err));
    assert_ok(overlay_regroup(bed->overlay, &bed->aliases, &err));
    ids_release(&changed);
}

/* --- The model -------------------------------------------------------------------------------- */

static bool is_about(const struct bed *bed, const struct decision *decision, uint32_t group)
{
    for (size_t i = 0; i < decision->vuln_count; i++)
        if (aliases_group(&bed->aliases, decision->vulns[i]) == group)
            return true;
    return decision->vuln_count == 0;
}

static uint32_t model_decision(const struct bed *bed, const struct overlaid *claim)
{
    uint32_t best = 0;

    for (size_t i = 0; i < bed->count; i++) {
        const struct decision *d = &bed->made[i].decision;

        if (d->number > best && !ids_contains(claim->except, d->number) &&
            is_about(bed, d, claim->group) && (d->type < 0 || d->type == (int)claim->type) &&
            (d->package.len == 0 || slice_eq(d->package, claim->package)) &&
            (d->action != DECISION_REPAIR || claim->last_found_ms <= d->created_ms) &&
            decision_reaches(d, claim->image))
            best = d->number;
    }
    return best;
}

static uint32_t number_of(const struct decision *decision)
{
    return decision ? decision->number : 0;
}

static void check_claims(const struct bed *bed, struct overlaid *claim)
{
    const struct decision *of_row = NULL;
    bool at_once = overlay_row_decision(bed->overlay, claim, &of_row);
    bool timed = overlay_needs_times(bed->overlay, claim->image);

    for (unsigned package = 0; package < PACKAGES; package++)
        for (int64_t found_ms = 0; found_ms <= claim->image->latest_scan_ms; found_ms += 10) {
            uint32_t expected;

            claim->package = slice_of(packages[package]);
            claim->last_found_ms = found_ms;
            expected = model_decision(bed, claim);
            assert_int_equal(number_of(overlay_decision(bed->overlay, claim)), expected);
            if (at_once)
                assert_int_equal(number_of(of_row), expected);
            claim->last_found_ms = claim->image->latest_scan_ms;
            if (!timed)
                assert_int_equal(number_of(overlay_decision(bed->overlay, claim)), expected);
        }
}

static size_t check_everything(struct bed *bed)
{
    size_t at_once = 0;

    for (unsigned i = 0; i < IMAGES; i++)
        for (uint32_t name = 1; name <= NAMES; name++)
            for (int type = 0; type < VUL_TYPE_COUNT; type++) {
                const struct decision *found;
                uint32_t first = below(bed, bed->last + 1);
                uint32_t numbers[2] = {first, first + 1 + below(bed, 3)};
                const struct ids except = {numbers, below(bed, 3), 0};
                struct overlaid claim = {.image = &bed->images[i],
                    .group = aliases_group(&bed->aliases, name),
                    .type = (enum vul_type)type,
                    .except = &except};

                check_claims(bed, &claim);
                at_once += overlay_row_decision(bed->overlay, &claim, &found);
            }
    return at_once;
}

static void check_lists(struct bed *bed)
{
    int64_t now_ms = below(bed, 60), next_ms = INT64_MAX;
    unsigned char image[IMAGE_ID_BYTES];
    struct ids over = {0}, naming = {0};
    size_t over_count = 0, naming_count = 0;
    struct err err;

    assert_true(image_id_bytes(slice_of(bed->images[below(bed, IMAGES)].id), image));
    assert_ok(overlay_expired(bed->overlay, now_ms, &over, &err));
    assert_ok(overlay_naming(bed->overlay, image, &naming, &err));
    for (size_t i = 0; i < bed->count; i++) {
        const struct decision *d = &bed->made[i].decision;
        bool named = false;

        if (d->expires_ms && d->expires_ms < next_ms)
            next_ms = d->expires_ms;
        over_count += d->expires_ms && d->expires_ms <= now_ms;
        for (size_t j = 0; j < d->image_count; j++)
            named |= memcmp(d->images[j], image, IMAGE_ID_BYTES) == 0;
        naming_count += named;
        for (size_t j = 0; j < d->vuln_count; j++)
            assert_true(overlay_concerns(bed->overlay, d->vulns[j]));
    }
    assert_int_equal(over.count, over_count);
    assert_int_equal(naming.count, naming_count);
    assert_int_equal(overlay_next_expiry_ms(bed->overlay), next_ms);
    assert_int_equal(overlay_count(bed->overlay), bed->count);
    ids_release(&over);
    ids_release(&naming);
}

/* The same decisions put in another order, and grouped only now. */
static void check_same(struct bed *bed)
{
    struct err err;
    struct overlay *other = overlay_new(&err);

    assert_non_null(other);
    for (size_t i = 0; i < bed->count; i++)
        assert_ok(overlay_put(other, &bed->aliases, &bed->made[i].decision, &err));
    assert_null(overlay_validate(other));
    if (overlay_compare(bed->overlay, other))
        fail_msg("%s", overlay_compare(bed->overlay, other));
    if (bed->count) {
        overlay_remove(other, bed->made[0].decision.number);
        assert_non_null(overlay_compare(bed->overlay, other));
    }
    overlay_free(other);
}

static void run_seed(uint64_t seed)
{
    static struct bed bed;
    size_t at_once = 0;
    struct err err;

    bed = (struct bed){.rng = {seed}};
    make_images(&bed);
    make_names(&bed);
    bed.overlay = overlay_new(&err);
    assert_non_null(bed.overlay);
    for (int step = 0; step < STEPS; step++) {
        const char *broken;

        switch (below(&bed, 6)) {
        case 0:
        case 1:
            take_out(&bed);
            break;
        case 2:
            regroup(&bed);
            break;
        default:
            put(&bed);
        }
        broken = overlay_validate(bed.overlay);
        if (broken)
            fail_msg("seed %llu, step %d: %s", (unsigned long long)seed, step, broken);
        at_once += check_everything(&bed);
        check_lists(&bed);
        if (step % 16 == 0)
            check_same(&bed);
    }
    /* Rows that are answered at once are not the exception. */
    assert_true(at_once > (size_t)STEPS * IMAGES * NAMES * VUL_TYPE_COUNT / 8);
    overlay_free(bed.overlay);
    aliases_release(&bed.aliases);
    facts_release(&bed.facts);
}

static void test_against_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        run_seed(seed);
}

/* --- By hand ---------------------------------------------------------------------------------- */

static void test_empty(void **state)
{
    const struct image image = {.id = "00000000-0000-0000-0000-000000000000"};
    const struct overlaid claim = {.image = &image, .group = 1};
    const struct decision *found = NULL;
    struct err err;
    struct overlay *overlay = overlay_new(&err);

    (void)state;
    assert_non_null(overlay);
    assert_int_equal(overlay_verdict(overlay, &claim), VERDICT_OPEN);
    assert_true(overlay_row_decision(overlay, &claim, &found));
    assert_null(found);
    assert_int_equal(overlay_next_expiry_ms(overlay), INT64_MAX);
    assert_false(overlay_needs_times(overlay, &image));
    overlay_free(overlay);
    overlay_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_against_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
