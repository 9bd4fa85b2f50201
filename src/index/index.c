/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of the index: put, recode, remove, and the ordinals of images.
 *
 * A change costs what differs: the old and the new findings are walked side by side, and only those
 * that came, went or changed their code touch postings and counts.
 *
 * A new image comes behind all others. One that was removed comes back to its hole. A number that
 * was never seen but is lower than the highest (a load out of order) takes a hole beside its place,
 * or the images between its place and the next hole (or the end) move up by one: right, and slow.
 *
 * Out of memory: prepare_put() does all that may fail and can be undone; behind it nothing of our
 * own fails. CRoaring, in sets of more than 66 ordinals, ends the process instead (idset.h).
 */
#include "index/internal.h"

#include "base/array.h"
#include "base/bug.h"
#include "base/limits.h"
#include "model/vulnerability.h"

enum { CODE_FIXED_BITS = 15 }; /* necessity, type and fixable: not a decision's to change */

/* --- Small helpers ---------------------------------------------------------------------------- */

uint32_t ordinal_from(const struct index *index, uint32_t number)
{
    uint32_t low = 0, count = index->ordinal_count;

    if (count && number_at(index, count - 1) < number)
        return count; /* the usual arrival */
    while (count) {
        uint32_t half = count / 2;

        if (number_at(index, low + half) < number) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

struct slice image_id_text(const struct image *image)
{
    return (struct slice){image->id, strnlen(image->id, sizeof(image->id))};
}

uint64_t image_id_hash(const struct image *image)
{
    return slice_hash(image_id_text(image));
}

static bool same_id(const struct entry *a, const struct entry *b)
{
    return slice_eq(image_id_text(&a->image), image_id_text(&b->image));
}

/* The image of a number and its ordinal, or NULL. */
static struct entry *find_entry(const struct index *index, uint32_t number, uint32_t *ret_ordinal)
{
    uint32_t ordinal = ordinal_from(index, number);

    if (ordinal == index->ordinal_count || number_at(index, ordinal) != number)
        return NULL;
    *ret_ordinal = ordinal;
    return entry_at(index, ordinal);
}

static void set_entry(struct index *index, uint32_t ordinal, uint32_t number, struct entry *entry)
{
    struct block *block = block_of(index, ordinal);

    block->numbers[ordinal % BLOCK_ORDINALS] = number;
    block->entries[ordinal % BLOCK_ORDINALS] = entry;
    block->oldest[ordinal % BLOCK_ORDINALS] = entry_oldest_ms(entry);
    block->newest[ordinal % BLOCK_ORDINALS] = entry_newest_ms(entry);
    if (!entry)
        return;
    for (size_t i = 0; i < INDEX_FACET_COUNT; i++)
        block->values[i][ordinal % BLOCK_ORDINALS] = entry->values[i];
    block->containers[ordinal % BLOCK_ORDINALS] =
        entry->image.place.containers > 0 ? (uint32_t)entry->image.place.containers : 0;
    block->types[ordinal % BLOCK_ORDINALS] = (uint8_t)entry->image.place.type;
}

/* --- Differences of two findings lists -------------------------------------------------------- */

/* The findings of an ordinal before and after. Either entry may be NULL: none. */
struct change {
    struct index *index;
    uint32_t ordinal;
    const struct entry *old, *new;
    const uint32_t *variants; /* of the new ones */
};

struct diff {
    const struct change *of;
    size_t old_at, new_at;
    uint32_t vuln;
    bool gone, come; /* both: the code or the variant changed */
    struct membership old_row, new_row;
};

/* Goes to the next vulnerability that is not the same on both sides. */
static bool diff_next(struct diff *d)
{
    const struct change *of = d->of;
    size_t old_count = of->old ? of->old->count : 0, new_count = of->new ? of->new->count : 0;
    const uint32_t *old_vulns = old_count ? entry_vulns(of->old) : NULL;
    const uint32_t *new_vulns = new_count ? entry_vulns(of->new) : NULL;

    while (d->old_at < old_count || d->new_at < new_count) {
        bool in_old = d->old_at < old_count &&
                      (d->new_at == new_count || old_vulns[d->old_at] <= new_vulns[d->new_at]);
        bool in_new = d->new_at < new_count &&
                      (d->old_at == old_count || new_vulns[d->new_at] <= old_vulns[d->old_at]);

        d->gone = in_old;
        d->come = in_new;
        if (in_old) {
            d->vuln = old_vulns[d->old_at];
            d->old_row.code = entry_codes(of->old)[d->old_at++];
            d->old_row.variant = postings_variant(&of->index->postings, d->vuln, of->ordinal);
        }
        if (in_new) {
            d->vuln = new_vulns[d->new_at];
            d->new_row.code = entry_codes(of->new)[d->new_at];
            d->new_row.variant = of->variants[d->new_at++];
        }
        if (!in_old || !in_new || d->old_row.code != d->new_row.code ||
            d->old_row.variant != d->new_row.variant)
            return true;
    }
    return false;
}

static void undo_findings(const struct change *change)
{
    struct diff d = {.of = change};

    while (diff_next(&d))
        if (d.come)
            postings_trim(&change->index->postings, d.vuln);
}

static int prepare_findings(const struct change *change, struct err *err)
{
    struct diff d = {.of = change};

    while (diff_next(&d)) {
        if (d.come && postings_prepare(&change->index->postings, d.vuln, &d.new_row, err) < 0) {
            undo_findings(change);
            return -1;
        }
    }
    return 0;
}

static void apply_findings(const struct change *change)
{
    struct index *index = change->index;
    struct diff d = {.of = change};

    while (diff_next(&d)) {
        postings_change(&index->postings, d.vuln, change->ordinal, d.gone ? &d.old_row : NULL,
            d.come ? &d.new_row : NULL);
        if (d.come)
            counts_add(index, change->ordinal, d.new_row.code, 1);
        if (d.gone)
            counts_add(index, change->ordinal, d.old_row.code, -1);
    }
}

/* --- Ordinals --------------------------------------------------------------------------------- */

/* Memory for one more ordinal behind the last. */
static int reserve_ordinal(struct index *index, struct err *err)
{
    size_t need = (size_t)index->ordinal_count / BLOCK_ORDINALS + 1;
    struct block *block;

    if (need <= index->block_count)
        return 0;
    if (index->ordinal_count == UINT32_MAX - BLOCK_ORDINALS)
        return err_set(err, ERR_LIMIT, "the index has no room for more than %u images: restart",
            index->ordinal_count);
    if (array_reserve(&index->blocks, &index->block_cap, need, sizeof(*index->blocks), err) < 0 ||
        array_reserve(&index->sums, &index->sum_cap, need, sizeof(*index->sums), err) < 0)
        return -1;
    block = aligned_alloc(_Alignof(struct block), sizeof(*block));
    if (!block)
        return err_nomem(err);
    memset(block, 0, sizeof(*block));
    index->blocks[index->block_count++] = block;
    return 0;
}

/* Where a number goes: its ordinal; when another image stands there, the hole up to which the
 * images from there on move. */
struct place {
    uint32_t ordinal, hole;
};

static struct place find_place(const struct index *index, uint32_t number)
{
    uint32_t ordinal = ordinal_from(index, number), hole = ordinal;

    if (ordinal < index->ordinal_count && number_at(index, ordinal) == number)
        return (struct place){ordinal, ordinal};
    if (ordinal > 0 && ordinal < index->ordinal_count && !entry_at(index, ordinal - 1))
        return (struct place){ordinal - 1, ordinal - 1};
    while (hole < index->ordinal_count && entry_at(index, hole))
        hole++;
    return (struct place){ordinal, hole};
}

/* Moves an image to the ordinal above, which is a hole. */
static void move_up(struct index *index, uint32_t from)
{
    struct entry *entry = entry_at(index, from);
    uint32_t to = from + 1;
    uint64_t hash = image_id_hash(&entry->image);
    struct err none;

    tallies_subtract(index, from, entry);
    orders_leave(index, from, entry, NULL);
    for (size_t i = 0; i < entry->count; i++)
        postings_move(&index->postings, entry_vulns(entry)[i], entry_codes(entry)[i], from, to);
    attributes_move(&index->attributes, entry, from, to);
    counts_move(index, from, to);
    tallies_add(index, to, entry);
    map_remove(&index->ids, hash, from);
    BUG_ON(map_add(&index->ids, hash, to, &none) < 0); /* the room of the one just removed */
    set_entry(index, to, entry->image.number, entry);
    set_entry(index, from, entry->image.number, NULL);
    orders_enter(index, to, NULL, entry);
}

static void open_ordinal(struct index *index, struct place place)
{
    if (place.hole == index->ordinal_count)
        index->ordinal_count++;
    for (uint32_t ordinal = place.hole; ordinal > place.ordinal; ordinal--)
        move_up(index, ordinal - 1);
}

/* --- Public ----------------------------------------------------------------------------------- */

struct index *index_new(struct err *err)
{
    struct index *index = calloc(1, sizeof(*index));

    if (!index) {
        err_nomem(err);
        return NULL;
    }
    attributes_init(&index->attributes);
    index->orders = orders_new(err);
    if (!index->orders) {
        free(index);
        return NULL;
    }
    return index;
}

void index_free(struct index *index)
{
    if (!index)
        return;
    for (uint32_t ordinal = 0; ordinal < index->ordinal_count; ordinal++)
        entry_free(entry_at(index, ordinal));
    for (size_t i = 0; i < index->block_count; i++)
        block_free(index->blocks[i]);
    free(index->blocks);
    free(index->sums);
    map_release(&index->ids);
    attributes_release(&index->attributes);
    postings_release(&index->postings);
    orders_free(index->orders);
    free(index);
}

static int check_put(
    const struct image *image, const struct index_finding *findings, size_t count, struct err *err)
{
    if (count > LIMIT_IMAGE_FINDINGS)
        return err_set(err, ERR_LIMIT,
            "image %.*s has %zu findings, more than the %d (LIMIT_IMAGE_FINDINGS) of one image",
            SLICE_FMT(image->name), count, LIMIT_IMAGE_FINDINGS);
    if ((unsigned)image->place.type >= IMAGE_TYPE_COUNT ||
        (unsigned)image->assessment >= ASSESSMENT_COUNT)
        return err_set(err, ERR_INVALID, "image %.*s has type %d and assessment %d, one is unknown",
            SLICE_FMT(image->name), (int)image->place.type, (int)image->assessment);
    for (size_t i = 0; i < count; i++) {
        if (i && findings[i - 1].vuln >= findings[i].vuln)
            return err_set(err, ERR_INVALID,
                "the findings of image %.*s are not ascending: vulnerability %u behind %u",
                SLICE_FMT(image->name), findings[i].vuln, findings[i - 1].vuln);
        for (uint32_t j = 0; j < findings[i].name_count; j++)
            if (findings[i].names[j] >= VARIANT_LISTS ||
                (j && findings[i].names[j - 1] >= findings[i].names[j]))
                return err_set(err, ERR_INVALID,
                    "the names of packages of image %.*s, vulnerability %u, are not ascending",
                    SLICE_FMT(image->name), findings[i].vuln);
        if (findings[i].code >= INDEX_CODES ||
            index_code_type(findings[i].code) != vuln_type(findings[i].vuln))
            return err_set(err, ERR_INVALID,
                "image %.*s has vulnerability %u with code %d, which is not of its type",
                SLICE_FMT(image->name), findings[i].vuln, findings[i].code);
    }
    return 0;
}

/* Room for the counts of the new image, and of those that move up into another block. */
static int prepare_counts(
    struct index *index, struct place place, const struct entry *new, struct err *err)
{
    for (uint32_t ordinal = place.ordinal | (BLOCK_ORDINALS - 1); ordinal < place.hole;
         ordinal += BLOCK_ORDINALS)
        if (counts_prepare(index, ordinal + 1, entry_at(index, ordinal), err) < 0)
            return -1;
    return counts_prepare(index, place.ordinal, new, err);
}

static void trim_counts(struct index *index, struct place place)
{
    counts_trim(index, place.ordinal / BLOCK_ORDINALS, place.hole / BLOCK_ORDINALS);
}

/* All of a put that may fail. On failure nothing has changed. */
static int prepare_put(
    struct index *index, struct place place, const struct change *change, struct err *err)
{
    const struct entry *old = change->old, *new = change->new;

    if (place.hole == index->ordinal_count && reserve_ordinal(index, err) < 0)
        return -1;
    if (attributes_prepare(&index->attributes, old, new, err) < 0 ||
        prepare_counts(index, place, new, err) < 0 || prepare_findings(change, err) < 0) {
        trim_counts(index, place);
        return -1;
    }
    if ((!old || !same_id(old, new)) &&
        map_add(&index->ids, image_id_hash(&new->image), place.ordinal, err) < 0) {
        undo_findings(change);
        trim_counts(index, place);
        return -1;
    }
    return 0;
}

/* Lets go of an entry that is in no set any more. */
static void discard(struct index *index, struct entry *entry)
{
    attributes_drop(&index->attributes, entry);
    entry_free(entry);
}

/* The variants of findings, held. */
static void drop_variants(struct index *index, uint32_t *variants, size_t count)
{
    for (size_t i = 0; i < count; i++)
        variant_drop(&index->postings.packages, variants[i]);
    free(variants);
}

static uint32_t *hold_variants(
    struct index *index, const struct index_finding *findings, size_t count, struct err *err)
{
    uint32_t *variants = malloc((count + 1) * sizeof(*variants));

    if (!variants) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (variant_acquire(&index->postings.packages, findings[i].names, findings[i].name_count,
                &variants[i], err) < 0) {
            drop_variants(index, variants, i);
            return NULL;
        }
    return variants;
}

static int put_entry(
    struct index *index, struct entry *new, const uint32_t *variants, struct err *err)
{
    struct place place = find_place(index, new->image.number);
    struct entry *old = NULL;
    struct change change = {
        .index = index, .ordinal = place.ordinal, .new = new, .variants = variants};

    if (place.ordinal < index->ordinal_count &&
        number_at(index, place.ordinal) == new->image.number)
        change.old = old = entry_at(index, place.ordinal);
    if (attributes_acquire(&index->attributes, new, err) < 0) {
        entry_free(new);
        return -1;
    }
    if (prepare_put(index, place, &change, err) < 0) {
        discard(index, new);
        return -1;
    }
    if (!old)
        open_ordinal(index, place);
    else
        tallies_subtract(index, place.ordinal, old);
    orders_leave(index, place.ordinal, old, new);
    apply_findings(&change);
    attributes_apply(&index->attributes, place.ordinal, old, new);
    set_entry(index, place.ordinal, new->image.number, new);
    tallies_add(index, place.ordinal, new);
    orders_enter(index, place.ordinal, old, new);
    tallies_fit(index, new);
    trim_counts(index, place);
    index->images += old ? 0 : 1;
    index->entry_bytes += entry_bytes(new);
    if (old) {
        if (!same_id(old, new))
            map_remove(&index->ids, image_id_hash(&old->image), place.ordinal);
        tallies_fit(index, old);
        index->entry_bytes -= entry_bytes(old);
        discard(index, old);
    }
    return 0;
}

int index_put(struct index *index, const struct image *image, const struct index_finding *findings,
    size_t count, struct err *err)
{
    struct entry *new;
    uint32_t *variants;
    int failed = -1;

    if (check_put(image, findings, count, err) < 0)
        return -1;
    variants = hold_variants(index, findings, count, err);
    if (!variants)
        return -1;
    new = entry_new(image, findings, count, err);
    if (new)
        failed = put_entry(index, new, variants, err);
    drop_variants(index, variants, count);
    return failed;
}

void index_begin_filling(struct index *index)
{
    BUG_ON(index->ordinal_count);
    index->postings.filling = true;
}

void index_end_filling(struct index *index)
{
    postings_settle(&index->postings);
}

int index_recode(struct index *index, uint32_t number, uint32_t vuln, uint8_t code, struct err *err)
{
    uint32_t ordinal;
    struct entry *entry = find_entry(index, number, &ordinal);
    size_t at = entry ? entry_find(entry, vuln) : 0;
    struct membership before, after;
    uint8_t old;

    if (!entry || at == entry->count || entry_vulns(entry)[at] != vuln)
        return 0;
    old = entry_codes(entry)[at];
    if (old == code)
        return 0;
    if (code >= INDEX_CODES || ((code ^ old) & CODE_FIXED_BITS))
        return err_set(err, ERR_INVALID,
            "vulnerability %u of image %u has code %d, which cannot become %d", vuln, number, old,
            code);
    if (counts_prepare_code(index, ordinal, code, err) < 0)
        return -1;
    before.code = old;
    after.code = code;
    before.variant = after.variant = postings_variant(&index->postings, vuln, ordinal);
    if (postings_prepare(&index->postings, vuln, &after, err) < 0) {
        postings_trim(&index->postings, vuln);
        counts_trim(index, ordinal / BLOCK_ORDINALS, ordinal / BLOCK_ORDINALS);
        return -1;
    }
    postings_change(&index->postings, vuln, ordinal, &before, &after);
    counts_add(index, ordinal, code, 1);
    counts_add(index, ordinal, old, -1);
    counts_trim(index, ordinal / BLOCK_ORDINALS, ordinal / BLOCK_ORDINALS);
    tallies_recode(index, ordinal, entry, old, code);
    entry_set_code(entry, at, code);
    return 0;
}

void index_remove(struct index *index, uint32_t number)
{
    uint32_t ordinal;
    struct entry *old = find_entry(index, number, &ordinal);

    if (!old)
        return;
    tallies_subtract(index, ordinal, old);
    orders_leave(index, ordinal, old, NULL);
    apply_findings(&(struct change){.index = index, .ordinal = ordinal, .old = old});
    attributes_apply(&index->attributes, ordinal, old, NULL);
    counts_trim(index, ordinal / BLOCK_ORDINALS, ordinal / BLOCK_ORDINALS);
    tallies_fit(index, old);
    map_remove(&index->ids, image_id_hash(&old->image), ordinal);
    set_entry(index, ordinal, number, NULL);
    index->images--;
    index->entry_bytes -= entry_bytes(old);
    discard(index, old);
}

const struct image *index_find(const struct index *index, uint32_t number)
{
    uint32_t ordinal;
    const struct entry *entry = find_entry(index, number, &ordinal);

    return entry ? &entry->image : NULL;
}

size_t index_findings(const struct index *index, uint32_t number, const uint32_t **ret_vulns,
    const uint8_t **ret_codes)
{
    uint32_t ordinal;
    const struct entry *entry = find_entry(index, number, &ordinal);

    *ret_vulns = entry ? entry_vulns(entry) : NULL;
    *ret_codes = entry ? entry_codes(entry) : NULL;
    return entry ? entry->count : 0;
}

size_t index_names(const struct index *index, uint32_t number, uint32_t vuln, const uint32_t **ret)
{
    uint32_t ordinal;
    const struct entry *entry = find_entry(index, number, &ordinal);
    size_t at = entry ? entry_find(entry, vuln) : 0;
    struct variant_names names;

    *ret = NULL;
    if (!entry || at == entry->count || entry_vulns(entry)[at] != vuln)
        return 0;
    names = variant_names(
        &index->postings.packages, posting_variant(postings_find(&index->postings, vuln), ordinal));
    *ret = names.at;
    return names.count;
}

void index_size(const struct index *index, struct index_size *ret)
{
    size_t bytes =
        sizeof(*index) + index->entry_bytes + index->attributes.bytes + index->postings.bytes;

    bytes += index->block_count * sizeof(struct block) + orders_bytes(index->orders);
    bytes += index->planes * sizeof(uint16_t[BLOCK_ORDINALS][PLANE_CODES]);
    bytes += index->block_cap * sizeof(*index->blocks) + index->sum_cap * sizeof(*index->sums);
    bytes += index->ids.cap * sizeof(*index->ids.slots);
    bytes += index->postings.cap * sizeof(*index->postings.pages);
    bytes += packages_bytes(&index->postings.packages);
    bytes +=
        index->attributes.names.cap + index->attributes.names.line_cap * sizeof(struct name_line);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = &index->attributes.tables[i];

        bytes += table->types_cap * sizeof(*table->types) + table->cap * sizeof(*table->places) +
                 table->ids.cap * sizeof(*table->ids.slots);
    }
    *ret = (struct index_size){index->images, index->findings, index->postings.vulns, bytes};
}
