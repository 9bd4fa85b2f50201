/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From facts to rows: the claims of an image's slots folded into findings, one for each alias group
 * and type. Severity is the worst known word over the row's packages; the first scan time is the
 * earliest, over them, of the later of "package first seen in this image" and "claim first known"
 * (docs/architecture.md, Vocabulary: finding, Severity, Times); the decisions in force lie over
 * them. A row can be fixed when one of its claims can. Pure: no lock, no disk.
 */
#include "fleet/internal.h"

#include "base/bug.h"
#include "fleet/laying.h"

/* A finding being folded: the severity is still the scanners' word. */
struct fold {
    uint32_t vuln, claim;
    enum severity severity;
    int64_t first_scan_ms;
};

/* What rows are derived from. */
struct deriving {
    struct laying laying;
    const struct slot *slots; /* by source */
    bool decided;             /* there are decisions */
};

void derived_release(struct derived *derived)
{
    free(derived->at);
    ids_release(&derived->names);
    *derived = (struct derived){0};
}

void content_release(struct slot slots[SOURCE_COUNT])
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        slot_release(&slots[i]);
}

int content_claims(const struct slot slots[SOURCE_COUNT], struct ids *ret, struct err *err)
{
    ret->count = 0;
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (ids_append(ret, slots[i].claims.at, slots[i].claims.count, err) < 0)
            return -1;
    ids_sort_unique(ret);
    return 0;
}

int content_packages(const struct slot slots[SOURCE_COUNT], struct timed_ids *ret, struct err *err)
{
    ret->count = 0;
    for (int i = 0; i < SOURCE_COUNT; i++)
        for (size_t j = 0; j < slots[i].packages.count; j++) {
            const struct timed_id *package = &slots[i].packages.at[j];

            if (timed_ids_push(ret, package->id, package->first_seen_ms, err) < 0)
                return -1;
        }
    timed_ids_sort(ret);
    return 0;
}

/* Careen's own scan tells what is in an image, not what is wrong with it: as long as nobody else
 * has compared that with advisories, the image is not assessed, unless it is known to hold nothing
 * (careen scan --allow-empty). */
enum assessment content_assessment(const struct slot slots[SOURCE_COUNT])
{
    const struct slot *scan = &slots[SOURCE_CAREEN];
    bool complete = false, anything = false;

    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (i == SOURCE_CAREEN)
            continue;
        complete |= slots[i].complete && slots[i].packages.count > 0;
        anything |= slots[i].packages.count > 0 || slots[i].claims.count > 0;
    }
    complete |= scan->complete && (anything || scan->packages.count == 0);
    return complete ? ASSESSMENT_FULL : anything ? ASSESSMENT_PARTLY : ASSESSMENT_NOT;
}

/* When the package was first seen in the image, by any source. */
static int64_t package_first_seen(
    const struct slot slots[SOURCE_COUNT], uint32_t package, int64_t fallback_ms)
{
    int64_t earliest = INT64_MAX;

    for (int i = 0; i < SOURCE_COUNT; i++) {
        const struct timed_id *found = timed_ids_find(&slots[i].packages, package);

        if (found && found->first_seen_ms < earliest)
            earliest = found->first_seen_ms;
    }
    return earliest == INT64_MAX ? fallback_ms : earliest;
}

static int compare_folds(const void *left, const void *right)
{
    const struct fold *a = left, *b = right;

    return (a->vuln > b->vuln) - (a->vuln < b->vuln);
}

static struct fold fold_of(const struct deriving *deriving, uint32_t claim_id)
{
    const struct facts *facts = deriving->laying.facts;
    const struct fact_claim *claim;
    uint32_t group;
    int64_t seen_ms;

    BUG_ON(claim_id > facts->last_claim);
    claim = &facts->claims[claim_id];
    group = aliases_group(deriving->laying.aliases, facts->records[claim->record].name);
    seen_ms =
        package_first_seen(deriving->slots, claim->package, deriving->laying.image->first_seen_ms);
    return (struct fold){vuln_number(group, claim->type), claim_id, claim->severity,
        seen_ms > claim->known_ms ? seen_ms : claim->known_ms};
}

/* Does one of these claims know a version that fixes it? */
static bool is_fixable(const struct deriving *deriving, const struct fold *folds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (deriving->laying.facts->claims[folds[i].claim].fixed_version)
            return true;
    return false;
}

/* Adds the names that the row's packages go by, ascending: their own, and those of their sources;
 * who asks for openssl means libssl3, too. Returns how many, or -1. */
static int add_names(const struct facts *facts, const struct fold *folds, size_t count,
    struct ids *names, struct err *err)
{
    size_t first = names->count;
    struct ids row;

    for (size_t i = 0; i < count; i++) {
        const struct fact_claim *claim = &facts->claims[folds[i].claim];

        if (ids_push(names, claim->package_name, err) < 0 ||
            (claim->source_name && ids_push(names, claim->source_name, err) < 0))
            return -1;
    }
    row = (struct ids){.at = names->at + first, .count = names->count - first};
    ids_sort_unique(&row);
    names->count = first + row.count;
    return (int)row.count;
}

/* The code of a row with these claims. */
static uint8_t code_of(
    const struct deriving *deriving, const struct fold *folds, size_t count, enum severity worst)
{
    uint32_t vuln = folds->vuln;
    struct laid row = {0};

    if (deriving->decided && !lay_row(&deriving->laying, vuln, &row))
        for (size_t i = 0; i < count; i++)
            lay_claim(&deriving->laying, folds[i].claim, &row);
    return index_code(necessity_of(worst), vuln_type(vuln), is_fixable(deriving, folds, count),
        row.ignored, row.handled);
}

/* Folds sorted by vulnerability into findings. */
static int merge_folds(const struct deriving *deriving, const struct fold *folds, size_t count,
    struct derived *ret, struct err *err)
{
    if (array_reserve(&ret->at, &ret->cap, count, sizeof(*ret->at), err) < 0)
        return -1;
    ret->count = ret->names.count = 0;
    for (size_t i = 0; i < count;) {
        struct fold row = folds[i];
        size_t first = i;
        int names;

        for (i++; i < count && folds[i].vuln == row.vuln; i++) {
            if (folds[i].severity > row.severity)
                row.severity = folds[i].severity;
            if (folds[i].first_scan_ms < row.first_scan_ms)
                row.first_scan_ms = folds[i].first_scan_ms;
        }
        names = add_names(deriving->laying.facts, &folds[first], i - first, &ret->names, err);
        if (names < 0)
            return -1;
        ret->at[ret->count++] = (struct index_finding){.vuln = row.vuln,
            .code = code_of(deriving, &folds[first], i - first, row.severity),
            .first_scan_ms = row.first_scan_ms,
            .name_count = (uint32_t)names};
    }
    for (size_t i = 0, at = 0; i < ret->count; i++) { /* the names stay where they are now */
        ret->at[i].names = ret->names.at + at;
        at += ret->at[i].name_count;
    }
    return 0;
}

static int derive(const struct deriving *deriving, struct ids *claims, struct fold **folds,
    struct derived *ret, struct err *err)
{
    if (content_claims(deriving->slots, claims, err) < 0)
        return -1;
    *folds = calloc(claims->count + 1, sizeof(**folds));
    if (!*folds)
        return err_nomem(err);
    for (size_t i = 0; i < claims->count; i++)
        (*folds)[i] = fold_of(deriving, claims->at[i]);
    qsort(*folds, claims->count, sizeof(**folds), compare_folds);
    return merge_folds(deriving, *folds, claims->count, ret, err);
}

int derive_findings(const struct facts *facts, const struct aliases *aliases,
    const struct overlay *overlay, const struct image *image, const struct slot slots[SOURCE_COUNT],
    struct derived *ret, struct err *err)
{
    const struct deriving deriving = {
        .laying = {.facts = facts,
            .aliases = aliases,
            .overlay = overlay,
            .image = image,
            .slots = slots},
        .slots = slots,
        .decided = overlay && overlay_count(overlay) > 0,
    };
    struct ids claims = {0};
    struct fold *folds = NULL;
    int failed = derive(&deriving, &claims, &folds, ret, err);

    free(folds);
    ids_release(&claims);
    return failed;
}
