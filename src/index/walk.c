/* SPDX-License-Identifier: Apache-2.0 */
/* Walks and sums over a scope: counts, images, vulnerabilities. */
#include "index/internal.h"

#include "base/cleanup.h"

enum { CHUNK = 256 };

static void add_counts(
    const struct index *index, const struct idset *set, uint64_t by_code[INDEX_CODES])
{
    uint32_t slots[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, slots, CHUNK));
         from = slots[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            for (size_t code = 0; code < INDEX_CODES; code++)
                by_code[code] += counts_at(index, slots[i])[code];
}

int index_count(const struct index *index, const struct index_scope *scope,
    struct index_counts *ret, struct err *err)
{
    struct slots slots CLEANUP(slots_release);

    if (slots_of_scope(index, scope, &slots, err) < 0)
        return -1;
    *ret = (struct index_counts){.images = slots.set->count};
    for (size_t i = 0; i < ASSESSMENT_COUNT; i++)
        ret->by_assessment[i] = idset_and_count(&index->attributes.assessments[i], slots.set);
    if (slots.all)
        memcpy(ret->by_code, index->totals, sizeof(ret->by_code));
    else
        add_counts(index, slots.set, ret->by_code);
    return 0;
}

int index_each_image(const struct index *index, const struct index_scope *scope, uint32_t after,
    index_image_fn fn, void *ctx, struct err *err)
{
    struct slots slots CLEANUP(slots_release);
    uint32_t chunk[CHUNK], from;
    size_t count;

    if (slots_of_scope(index, scope, &slots, err) < 0)
        return -1;
    if (after == UINT32_MAX)
        return 0;
    for (from = slot_from(index, after + 1); (count = idset_read(slots.set, from, chunk, CHUNK));
         from = chunk[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (!fn(ctx, &entry_at(index, chunk[i])->image, counts_at(index, chunk[i])))
                return 0;
    return 0;
}

/* --- Vulnerabilities -------------------------------------------------------------------------- */

/* What a walk over vulnerabilities needs of the scope. */
struct vuln_walk {
    struct slots slots;
    int64_t *containers; /* by slot, 0 outside of the scope; NULL when nothing runs in it */
};

static void release_walk(struct vuln_walk *walk)
{
    free(walk->containers);
    slots_release(&walk->slots);
}

static int read_containers(const struct index *index, struct vuln_walk *walk, struct err *err)
{
    const struct idset *running = &index->attributes.running;
    uint32_t slots[CHUNK];
    size_t count;

    if (idset_and_count(running, walk->slots.set) == 0)
        return 0;
    walk->containers = calloc(index->slot_count, sizeof(*walk->containers));
    if (!walk->containers)
        return err_nomem(err);
    for (uint32_t from = 0; (count = idset_read(running, from, slots, CHUNK));
         from = slots[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (walk->slots.all || idset_contains(walk->slots.set, slots[i]))
                walk->containers[slots[i]] = entry_at(index, slots[i])->image.place.containers;
    return 0;
}

static uint64_t sum_containers(const struct idset *set, const int64_t *containers)
{
    uint32_t slots[CHUNK];
    uint64_t sum = 0;
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, slots, CHUNK));
         from = slots[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            sum += (uint64_t)containers[slots[i]];
    return sum;
}

static struct index_vuln sum_vuln(
    const struct vuln_walk *walk, const struct posting *posting, uint32_t vuln, uint32_t codes)
{
    struct index_vuln sum = {.vuln = vuln, .worst = NECESSITY_LOW};

    for (uint32_t i = 0; i < posting->count; i++) {
        const struct code_set *at = &posting->at[i];
        uint32_t images;

        if (!(codes >> at->code & 1))
            continue;
        images = walk->slots.all ? at->set.count : idset_and_count(&at->set, walk->slots.set);
        if (images == 0)
            continue;
        sum.images += images;
        if (index_code_necessity(at->code) > sum.worst)
            sum.worst = index_code_necessity(at->code);
        if (walk->containers)
            sum.containers += sum_containers(&at->set, walk->containers);
    }
    return sum;
}

int index_each_vuln(const struct index *index, const struct index_scope *scope, uint32_t codes,
    index_vuln_fn fn, void *ctx, struct err *err)
{
    struct vuln_walk walk CLEANUP(release_walk) = {.containers = NULL};

    if (slots_of_scope(index, scope, &walk.slots, err) < 0 ||
        read_containers(index, &walk, err) < 0)
        return -1;
    for (size_t i = 0; i < index->postings.cap; i++) {
        const struct posting_page *page = index->postings.pages[i];

        for (size_t j = 0; page && j < POSTING_PAGE; j++) {
            struct index_vuln sum;

            if (!page->at[j])
                continue;
            sum = sum_vuln(&walk, page->at[j], (uint32_t)(i * POSTING_PAGE + j), codes);
            if (sum.images && !fn(ctx, &sum))
                return 0;
        }
    }
    return 0;
}

static int push_numbers(
    const struct index *index, const struct idset *set, struct ids *ret, struct err *err)
{
    uint32_t slots[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, slots, CHUNK));
         from = slots[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (ids_push(ret, number_at(index, slots[i]), err) < 0)
                return -1;
    return 0;
}

int index_images_of(const struct index *index, uint32_t vuln, struct ids *ret, struct err *err)
{
    const struct posting *posting = postings_find(&index->postings, vuln);
    struct idset all CLEANUP(idset_release) = {.count = 0};
    size_t count = ret->count;

    for (uint32_t i = 0; posting && i < posting->count; i++)
        if (idset_or_into(&all, &posting->at[i].set, err) < 0)
            return -1;
    if (push_numbers(index, &all, ret, err) < 0) {
        ret->count = count;
        return -1;
    }
    return 0;
}
