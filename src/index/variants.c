/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names of packages (a variant, packages.c) each row of a vulnerability has: a set of
 * ordinals for each variant but one, the *base*, whose rows are all the others. Most
 * vulnerabilities have one variant, or one by far the most common, and that costs nothing; a set
 * that comes to hold many more rows than the base takes its place.
 *
 *     posting: [ base variant | variant_count | sets, then their variants, in one piece of memory ]
 */
#include "index/internal.h"

#include "base/bug.h"

enum { REBASE_SLACK = 64 };

static size_t room_bytes(uint32_t cap)
{
    return cap ? cap * (sizeof(struct idset) + sizeof(uint32_t)) + 16 : 0;
}

static uint32_t members_of(const struct posting *posting)
{
    uint32_t members = 0;

    for (uint32_t i = 0; i < posting->count; i++)
        members += posting->at[i].set.count;
    return members;
}

static uint32_t base_members(const struct posting *posting)
{
    uint32_t members = members_of(posting);

    for (uint32_t i = 0; i < posting->variant_count; i++)
        members -= posting->variants[i].count;
    return members;
}

static uint32_t position_of(const struct posting *posting, uint32_t variant)
{
    const uint32_t *ids = posting_variant_ids(posting);

    for (uint32_t i = 0; i < posting->variant_count; i++)
        if (ids[i] == variant)
            return i;
    return posting->variant_count;
}

/* The variant of an ordinal that is in the posting: its position, or variant_count for the base. */
static uint32_t position_at(const struct posting *posting, uint32_t ordinal)
{
    uint32_t i = 0;

    while (i < posting->variant_count && !idset_contains(&posting->variants[i], ordinal))
        i++;
    return i;
}

uint32_t posting_variant(const struct posting *posting, uint32_t ordinal)
{
    return *posting_variant_place(posting, ordinal);
}

const uint32_t *posting_variant_place(const struct posting *posting, uint32_t ordinal)
{
    uint32_t at = position_at(posting, ordinal);

    return at == posting->variant_count ? &posting->base : posting_variant_ids(posting) + at;
}

/* --- Names of a posting ----------------------------------------------------------------------- */

static bool has_name(const struct packages *packages, const struct posting *posting, uint32_t name)
{
    const uint32_t *ids = posting_variant_ids(posting);

    if (variant_has(packages, posting->base, name))
        return true;
    for (uint32_t i = 0; i < posting->variant_count; i++)
        if (variant_has(packages, ids[i], name))
            return true;
    return false;
}

/* A variant that has left the posting: its names, unless another one has them, forget the
 * vulnerability. The first `count` of them. */
static void leave_names(struct postings *postings, const struct posting *posting, uint32_t vuln,
    uint32_t variant, uint32_t count)
{
    struct variant_names names = variant_names(&postings->packages, &variant);

    for (uint32_t i = 0; i < names.count && i < count; i++)
        if (!has_name(&postings->packages, posting, names.at[i]))
            packages_leave(&postings->packages, names.at[i], vuln);
}

/* Before a variant comes to the posting. */
static int enter_names(struct postings *postings, const struct posting *posting, uint32_t vuln,
    uint32_t variant, struct err *err)
{
    struct variant_names names = variant_names(&postings->packages, &variant);

    for (uint32_t i = 0; i < names.count; i++) {
        if (has_name(&postings->packages, posting, names.at[i]))
            continue;
        if (packages_enter(&postings->packages, names.at[i], vuln, err) < 0) {
            leave_names(postings, posting, vuln, variant, i);
            return -1;
        }
    }
    return 0;
}

/* --- Sets ------------------------------------------------------------------------------------- */

static int grow(struct postings *postings, struct posting *posting, struct err *err)
{
    uint32_t cap = posting->variant_cap + 1 + posting->variant_cap / 2;
    struct idset *sets = malloc(cap * (sizeof(*sets) + sizeof(uint32_t)));

    if (!sets)
        return err_nomem(err);
    if (posting->variant_count) {
        memcpy(sets, posting->variants, posting->variant_count * sizeof(*sets));
        memcpy(sets + cap, posting_variant_ids(posting), posting->variant_count * sizeof(uint32_t));
    }
    free(posting->variants);
    postings->bytes += room_bytes(cap) - room_bytes(posting->variant_cap);
    posting->variants = sets;
    posting->variant_cap = cap;
    return 0;
}

int variants_prepare(struct postings *postings, struct posting *posting, uint32_t vuln,
    uint32_t variant, struct err *err)
{
    uint32_t at;
    struct idset *set;
    int failed;

    if (posting->base == variant)
        return 0;
    if (posting->base == VARIANT_UNSET) {
        if (enter_names(postings, posting, vuln, variant, err) < 0)
            return -1;
        variant_hold(&postings->packages, variant);
        posting->base = variant;
        return 0;
    }
    at = position_of(posting, variant);
    if (at == posting->variant_count) {
        if ((at == posting->variant_cap && grow(postings, posting, err) < 0) ||
            enter_names(postings, posting, vuln, variant, err) < 0)
            return -1;
        variant_hold(&postings->packages, variant);
        posting->variants[at] = (struct idset){0};
        ((uint32_t *)(void *)(posting->variants + posting->variant_cap))[at] = variant;
        posting->variant_count++;
    }
    set = &posting->variants[at];
    postings->bytes -= idset_bytes(set);
    failed = postings->filling ? idset_prepare_long(set, err) : idset_prepare(set, err);
    postings->bytes += idset_bytes(set);
    return failed;
}

/* Takes a set out; the last one moves to its place. */
static void drop_set(struct postings *postings, struct posting *posting, uint32_t at)
{
    uint32_t *ids = (uint32_t *)(void *)(posting->variants + posting->variant_cap);
    uint32_t last = --posting->variant_count;

    postings->bytes -= idset_bytes(&posting->variants[at]);
    idset_release(&posting->variants[at]);
    posting->variants[at] = posting->variants[last];
    ids[at] = ids[last];
    if (last)
        return;
    postings->bytes -= room_bytes(posting->variant_cap);
    free(posting->variants);
    posting->variants = NULL;
    posting->variant_cap = 0;
}

static void drop_variant(
    struct postings *postings, struct posting *posting, uint32_t vuln, uint32_t variant)
{
    leave_names(postings, posting, vuln, variant, UINT32_MAX);
    variant_drop(&postings->packages, variant);
}

static uint32_t largest(const struct posting *posting)
{
    uint32_t at = 0;

    for (uint32_t i = 1; i < posting->variant_count; i++)
        if (posting->variants[i].count > posting->variants[at].count)
            at = i;
    return at;
}

/* The base has no rows any more: a set takes its place. */
static void replace_base(struct postings *postings, struct posting *posting, uint32_t vuln)
{
    uint32_t at = largest(posting), gone = posting->base;

    posting->base = posting_variant_ids(posting)[at];
    drop_set(postings, posting, at);
    drop_variant(postings, posting, vuln, gone);
}

void variants_tidy(struct postings *postings, struct posting *posting, uint32_t vuln)
{
    for (uint32_t i = posting->variant_count; i-- > 0;) {
        uint32_t variant = posting_variant_ids(posting)[i];

        if (posting->variants[i].count)
            continue;
        drop_set(postings, posting, i);
        drop_variant(postings, posting, vuln, variant);
    }
    if (posting->variant_count && base_members(posting) == 0)
        replace_base(postings, posting, vuln);
}

void variants_release(struct postings *postings, struct posting *posting, uint32_t vuln)
{
    uint32_t base = posting->base;

    while (posting->variant_count) {
        uint32_t variant = posting_variant_ids(posting)[posting->variant_count - 1];

        drop_set(postings, posting, posting->variant_count - 1);
        drop_variant(postings, posting, vuln, variant);
    }
    if (base == VARIANT_UNSET)
        return;
    posting->base = VARIANT_UNSET;
    drop_variant(postings, posting, vuln, base);
}

/* --- A common variant becomes the base -------------------------------------------------------- */

/* The ordinals of the base, which no set says. */
static int base_set(const struct posting *posting, struct idset *ret)
{
    size_t words = 0;
    uint64_t *bits;
    struct err no_matter;
    int failed;

    for (uint32_t i = 0; i < posting->count; i++) {
        size_t need = (size_t)idset_last(&posting->at[i].set) / 64 + 1;

        words = need > words ? need : words;
    }
    bits = calloc(words, sizeof(*bits));
    if (!bits)
        return -1;
    for (uint32_t i = 0; i < posting->count; i++)
        idset_into_bits(&posting->at[i].set, bits);
    for (uint32_t i = 0; i < posting->variant_count; i++)
        idset_out_of_bits(&posting->variants[i], bits);
    failed = idset_of_bits(bits, words, ret, &no_matter);
    free(bits);
    return failed;
}

void variants_rebase(struct postings *postings, struct posting *posting)
{
    uint32_t at, gone = posting->base, *ids;
    struct idset set;

    if (posting->variant_count == 0)
        return;
    at = largest(posting);
    if (posting->variants[at].count <= 2 * base_members(posting) + REBASE_SLACK ||
        base_set(posting, &set) < 0)
        return; /* without memory all stays as it is, which is right, too */
    ids = (uint32_t *)(void *)(posting->variants + posting->variant_cap);
    posting->base = ids[at];
    ids[at] = gone;
    postings->bytes += idset_bytes(&set) - idset_bytes(&posting->variants[at]);
    idset_release(&posting->variants[at]);
    posting->variants[at] = set;
}

/* --- Changes ---------------------------------------------------------------------------------- */

static void change_set(struct postings *postings, struct idset *set, uint32_t ordinal, bool comes)
{
    postings->bytes -= idset_bytes(set);
    if (comes)
        idset_add(set, ordinal);
    else
        idset_remove(set, ordinal);
    postings->bytes += idset_bytes(set);
}

void variants_add(
    struct postings *postings, struct posting *posting, uint32_t variant, uint32_t ordinal)
{
    uint32_t at;

    if (posting->base == variant)
        return;
    at = position_of(posting, variant);
    BUG_ON(at == posting->variant_count);
    change_set(postings, &posting->variants[at], ordinal, true);
}

void variants_remove(
    struct postings *postings, struct posting *posting, uint32_t variant, uint32_t ordinal)
{
    uint32_t at = position_of(posting, variant);

    if (at < posting->variant_count)
        change_set(postings, &posting->variants[at], ordinal, false);
}

void variants_move(struct postings *postings, struct posting *posting, uint32_t from, uint32_t to)
{
    uint32_t at = position_at(posting, from);

    if (at == posting->variant_count)
        return;
    postings->bytes -= idset_bytes(&posting->variants[at]);
    idset_move(&posting->variants[at], from, to);
    postings->bytes += idset_bytes(&posting->variants[at]);
}

int variants_settle(struct postings *postings, struct posting *posting, struct err *err)
{
    for (uint32_t i = 0; i < posting->variant_count; i++) {
        postings->bytes -= idset_bytes(&posting->variants[i]);
        if (idset_settle(&posting->variants[i], err) < 0)
            return -1;
        postings->bytes += idset_bytes(&posting->variants[i]);
    }
    variants_rebase(postings, posting);
    return 0;
}

/* --- Rows with a name ------------------------------------------------------------------------- */

static int add_to_union(
    const struct idset **only, struct idset *all, const struct idset *set, struct err *err)
{
    if (!*only && all->count == 0) {
        *only = set;
        return 0;
    }
    if (*only && idset_or_into(all, *only, err) < 0)
        return -1;
    *only = NULL;
    return idset_or_into(all, set, err);
}

int variants_with(const struct packages *packages, const struct posting *posting, uint32_t name,
    struct named_rows *ret, struct err *err)
{
    const uint32_t *ids = posting_variant_ids(posting);
    bool base = variant_has(packages, posting->base, name);

    *ret = (struct named_rows){.all_but = base};
    for (uint32_t i = 0; i < posting->variant_count; i++)
        if (variant_has(packages, ids[i], name) != base &&
            add_to_union(&ret->set, &ret->own, &posting->variants[i], err) < 0) {
            idset_release(&ret->own);
            return -1;
        }
    return 0;
}

/* --- Validation ------------------------------------------------------------------------------- */

static bool is_member(const struct posting *posting, uint32_t ordinal)
{
    for (uint32_t i = 0; i < posting->count; i++)
        if (idset_contains(&posting->at[i].set, ordinal))
            return true;
    return false;
}

static const char *validate_set(const struct posting *posting, uint32_t at)
{
    uint32_t ordinals[256];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(&posting->variants[at], from, ordinals, 256));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (!is_member(posting, ordinals[i]) || position_at(posting, ordinals[i]) != at)
                return "a variant has an image that the vulnerability has not, or another has";
    return idset_validate(&posting->variants[at]);
}

static const char *validate_names(
    const struct packages *packages, uint32_t vuln, const uint32_t *variant)
{
    struct variant_names names = variant_names(packages, variant);

    for (uint32_t i = 0; i < names.count; i++) {
        const struct idset *vulns = packages_vulns(packages, names.at[i]);

        if (!vulns || !idset_contains(vulns, vuln))
            return "a package's name does not know a vulnerability that it has";
    }
    return NULL;
}

const char *variants_validate(
    const struct packages *packages, const struct posting *posting, uint32_t vuln, size_t *bytes)
{
    const uint32_t *ids = posting_variant_ids(posting);
    const char *why = validate_names(packages, vuln, &posting->base);

    *bytes += room_bytes(posting->variant_cap);
    if (posting->base == VARIANT_UNSET ||
        position_of(posting, posting->base) != posting->variant_count)
        return "a vulnerability's base variant is not set, or set twice";
    for (uint32_t i = 0; i < posting->variant_count && !why; i++) {
        *bytes += idset_bytes(&posting->variants[i]);
        if (posting->variants[i].count == 0 || position_of(posting, ids[i]) != i)
            return "a vulnerability's variant is empty, or there twice";
        why = validate_names(packages, vuln, &ids[i]);
        if (!why)
            why = validate_set(posting, i);
    }
    if (!why && base_members(posting) == 0)
        return "a vulnerability's base variant has no image";
    return why;
}
