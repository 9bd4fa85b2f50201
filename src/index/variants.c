/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names of packages (a variant, packages.c) each row of a vulnerability has. Most
 * vulnerabilities have one variant, which costs nothing. Where there are more, each row has its
 * *kind*, the position of its variant among those of the posting, in the order of the ordinals: a
 * byte each, for it stands where its ordinal stands in the posting's sets. A change moves the bytes
 * behind it; new images come last.
 *
 *     posting: [ variants: {variant, rows} | kinds: 1, 2 or 4 bytes a row, by rank ]
 *
 * A variant without rows is a free place; with one left there are no kinds.
 */
#include "index/internal.h"

#include "base/array.h"
#include "base/bug.h"

static size_t kinds_bytes(const struct posting *posting)
{
    return posting->kinds ? posting->kind_cap * posting->kind_width + 16 : 0;
}

static size_t variants_bytes(const struct posting *posting)
{
    return posting->variants ? posting->variant_cap * sizeof(*posting->variants) + 16 : 0;
}

static uint32_t members_of(const struct posting *posting)
{
    uint32_t members = 0;

    for (uint32_t i = 0; i < posting->count; i++)
        members += posting->at[i].set.count;
    return members;
}

/* How many rows stand before an ordinal. */
static uint32_t rank_of(const struct posting *posting, uint32_t ordinal)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < posting->count; i++)
        rank += idset_below(&posting->at[i].set, ordinal);
    return rank;
}

static uint32_t kind_at(const struct posting *posting, uint32_t rank)
{
    const char *at = posting->kinds; /* NULL with a width of 0 */
    uint16_t half;
    uint32_t whole;

    if (at)
        at += (size_t)rank * posting->kind_width;

    switch (posting->kind_width) {
    case 0:
        return 0;
    case 1:
        return (uint8_t)*at;
    case 2:
        memcpy(&half, at, sizeof(half));
        return half;
    default:
        memcpy(&whole, at, sizeof(whole));
        return whole;
    }
}

static void set_kind(struct posting *posting, uint32_t rank, uint32_t kind)
{
    char *at = posting->kinds + (size_t)rank * posting->kind_width;
    uint16_t half = (uint16_t)kind;

    if (posting->kind_width == 1)
        *at = (char)kind;
    else if (posting->kind_width == 2)
        memcpy(at, &half, sizeof(half));
    else
        memcpy(at, &kind, sizeof(kind));
}

static uint32_t kind_of(const struct posting *posting, uint32_t variant)
{
    for (uint32_t i = 0; i < posting->variant_count; i++)
        if (posting->variants[i].id == variant)
            return i;
    return posting->variant_count;
}

const uint32_t *posting_variant(const struct posting *posting, uint32_t ordinal)
{
    return &posting->variants[posting->kinds ? kind_at(posting, rank_of(posting, ordinal)) : 0].id;
}

/* --- Names of a posting ----------------------------------------------------------------------- */

static bool has_name(const struct packages *packages, const struct posting *posting, uint32_t name)
{
    for (uint32_t i = 0; i < posting->variant_count; i++)
        if (variant_has(packages, posting->variants[i].id, name))
            return true;
    return false;
}

/* A variant is not among those of the posting: its first `count` names, unless another one has
 * them, forget the vulnerability. */
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

static void drop_place(
    struct postings *postings, struct posting *posting, uint32_t vuln, uint32_t kind)
{
    uint32_t variant = posting->variants[kind].id;

    posting->variants[kind].id = VARIANT_UNSET;
    leave_names(postings, posting, vuln, variant, UINT32_MAX);
    variant_drop(&postings->packages, variant);
}

/* --- Room ------------------------------------------------------------------------------------- */

static int grow_variants(struct posting *posting, struct err *err)
{
    uint32_t cap = posting->variant_cap + 1 + posting->variant_cap / 2;
    struct variant *variants = realloc(posting->variants, cap * sizeof(*variants));

    if (!variants)
        return err_nomem(err);
    posting->variants = variants;
    posting->variant_cap = cap;
    return 0;
}

/* A place for a variant that the posting has not: *ret is its kind. */
static int add_variant(struct postings *postings, struct posting *posting, uint32_t vuln,
    uint32_t variant, uint32_t *ret, struct err *err)
{
    uint32_t kind = kind_of(posting, VARIANT_UNSET);

    if ((kind == posting->variant_cap && grow_variants(posting, err) < 0) ||
        enter_names(postings, posting, vuln, variant, err) < 0)
        return -1;
    if (kind == posting->variant_count)
        posting->variant_count++;
    posting->variants[kind] = (struct variant){.id = variant};
    variant_hold(&postings->packages, variant);
    *ret = kind;
    return 0;
}

/* Kinds for one more row, wide enough for `kind`; `rows` are there. */
static int reserve_kinds(struct posting *posting, uint32_t kind, uint32_t rows, struct err *err)
{
    uint8_t width = kind <= UINT8_MAX ? 1 : kind <= UINT16_MAX ? 2 : 4;
    struct posting wider = *posting;

    if (posting->kinds && rows < posting->kind_cap && width <= posting->kind_width)
        return 0;
    if (posting->kinds && width < posting->kind_width)
        width = posting->kind_width;
    wider.kind_width = width;
    wider.kind_cap = rows + 4 + rows / 8;
    if (posting->kinds && width == posting->kind_width) {
        wider.kinds = realloc(posting->kinds, (size_t)wider.kind_cap * width);
        if (!wider.kinds)
            return err_nomem(err);
    } else {
        wider.kinds = malloc((size_t)wider.kind_cap * width);
        if (!wider.kinds)
            return err_nomem(err);
        for (uint32_t i = 0; i < rows; i++)
            set_kind(&wider, i, kind_at(posting, i));
        free(posting->kinds);
    }
    posting->kinds = wider.kinds;
    posting->kind_width = wider.kind_width;
    posting->kind_cap = wider.kind_cap;
    return 0;
}

int variants_prepare(struct postings *postings, struct posting *posting, uint32_t vuln,
    uint32_t variant, struct err *err)
{
    uint32_t kind = kind_of(posting, variant);
    int failed = 0;

    postings->bytes -= variants_bytes(posting) + kinds_bytes(posting);
    if (kind == posting->variant_count)
        failed = add_variant(postings, posting, vuln, variant, &kind, err);
    if (!failed && posting->variant_count > 1)
        failed = reserve_kinds(posting, kind, members_of(posting), err);
    postings->bytes += variants_bytes(posting) + kinds_bytes(posting);
    return failed;
}

static void drop_kinds(struct posting *posting)
{
    free(posting->kinds);
    posting->kinds = NULL;
    posting->kind_cap = posting->kind_width = 0;
}

void variants_tidy(struct postings *postings, struct posting *posting, uint32_t vuln)
{
    uint32_t used = 0, last = 0;

    for (uint32_t i = 0; i < posting->variant_count; i++) {
        if (posting->variants[i].id != VARIANT_UNSET && posting->variants[i].rows == 0)
            drop_place(postings, posting, vuln, i);
        if (posting->variants[i].id == VARIANT_UNSET)
            continue;
        used++;
        last = i;
    }
    if (used > 1 || posting->variant_count <= 1)
        return;
    postings->bytes -= kinds_bytes(posting);
    drop_kinds(posting);
    posting->variants[0] = posting->variants[last];
    posting->variant_count = 1;
}

void variants_release(struct postings *postings, struct posting *posting, uint32_t vuln)
{
    for (uint32_t i = 0; i < posting->variant_count; i++)
        if (posting->variants[i].id != VARIANT_UNSET)
            drop_place(postings, posting, vuln, i);
    postings->bytes -= variants_bytes(posting) + kinds_bytes(posting);
    variants_free(posting);
}

void variants_free(struct posting *posting)
{
    drop_kinds(posting);
    free(posting->variants);
    posting->variants = NULL;
    posting->variant_count = posting->variant_cap = 0;
}

/* --- Changes ---------------------------------------------------------------------------------- */

static struct variant *variant_in(const struct posting *posting, uint32_t variant)
{
    uint32_t kind = kind_of(posting, variant);

    BUG_ON(kind == posting->variant_count);
    return &posting->variants[kind];
}

/* Moves the kinds from a rank on by one, up or down. */
static void shift_kinds(struct posting *posting, uint32_t rank, uint32_t rows, bool up)
{
    char *at = posting->kinds + (size_t)rank * posting->kind_width;
    size_t behind = (size_t)(rows - rank) * posting->kind_width;

    if (up)
        memmove(at + posting->kind_width, at, behind);
    else
        memmove(at, at + posting->kind_width, behind - posting->kind_width);
}

void variants_change(struct posting *posting, uint32_t ordinal, bool filling,
    const uint32_t *before, const uint32_t *after)
{
    uint32_t rows = posting->kinds ? members_of(posting) : 0, rank = 0;

    if (posting->kinds)
        rank = filling ? rows : rank_of(posting, ordinal);
    if (before)
        variant_in(posting, *before)->rows--;
    if (after)
        variant_in(posting, *after)->rows++;
    if (!posting->kinds)
        return;
    if (!before)
        shift_kinds(posting, rank, rows, true);
    if (after)
        set_kind(posting, rank, kind_of(posting, *after));
    else
        shift_kinds(posting, rank, rows, false);
}

/* --- Rows with a name ------------------------------------------------------------------------- */

/* Clears the bits of the rows whose kinds do not match. */
static void match_kinds(
    const struct posting *posting, const bool *matches, uint64_t *bits, size_t words)
{
    uint32_t rank = 0;

    for (size_t i = 0; i < words; i++)
        for (uint64_t word = bits[i]; word; word &= word - 1)
            if (!matches[kind_at(posting, rank++)])
                bits[i] ^= word & -word;
}

static int match_rows(
    const struct posting *posting, const bool *matches, struct idset *ret, struct err *err)
{
    size_t words = 0;
    uint64_t *bits;
    int failed;

    for (uint32_t i = 0; i < posting->count; i++) {
        size_t need = (size_t)idset_last(&posting->at[i].set) / 64 + 1;

        words = need > words ? need : words;
    }
    bits = calloc(words + 1, sizeof(*bits));
    if (!bits)
        return err_nomem(err);
    for (uint32_t i = 0; i < posting->count; i++)
        idset_into_bits(&posting->at[i].set, bits);
    match_kinds(posting, matches, bits, words);
    failed = idset_of_bits(bits, words, ret, err);
    free(bits);
    return failed;
}

int variants_with(const struct packages *packages, const struct posting *posting, uint32_t name,
    struct named_rows *ret, struct err *err)
{
    bool *matches = calloc(posting->variant_count + 1, sizeof(*matches));
    uint32_t used = 0, matching = 0;
    int failed = 0;

    if (!matches)
        return err_nomem(err);
    for (uint32_t i = 0; i < posting->variant_count; i++) {
        matches[i] = variant_has(packages, posting->variants[i].id, name);
        matching += matches[i];
        used += posting->variants[i].id != VARIANT_UNSET;
    }
    *ret = (struct named_rows){.all = matching == used};
    if (matching && matching < used)
        failed = match_rows(posting, matches, &ret->set, err);
    free(matches);
    return failed;
}

/* --- Validation ------------------------------------------------------------------------------- */

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
    uint32_t rows = 0, members = members_of(posting), used = 0;
    const char *why;

    *bytes += variants_bytes(posting) + kinds_bytes(posting);
    for (uint32_t kind = 0; kind < posting->variant_count; kind++) {
        const struct variant *variant = &posting->variants[kind];
        uint32_t found = 0;

        if (variant->id == VARIANT_UNSET)
            continue;
        used++;
        rows += variant->rows;
        for (uint32_t rank = 0; rank < members; rank++)
            found += kind_at(posting, rank) == kind;
        if (variant->rows == 0 || found != variant->rows)
            return "a vulnerability's variant has no rows, or other rows than it counts";
        if (kind_of(posting, variant->id) != kind)
            return "a vulnerability has a variant twice";
        if ((why = validate_names(packages, vuln, &variant->id)))
            return why;
    }
    if (rows != members || used == 0 || (used > 1) != (posting->kinds != NULL))
        return "a vulnerability's variants are not all of its rows'";
    return NULL;
}
