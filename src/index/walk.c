/* SPDX-License-Identifier: Apache-2.0 */
/* Walks and sums over a scope: counts, images, vulnerabilities. */
#include "index/internal.h"

#include "base/cleanup.h"

enum { CHUNK = 256 };

static void add_counts(
    const struct index *index, const struct idset *set, uint64_t by_code[INDEX_CODES])
{
    uint32_t ordinals[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1) {
        uint32_t sums[INDEX_CODES] = {0}; /* of a chunk: half the width, twice the speed */

        for (size_t i = 0; i < count; i++)
            for (unsigned plane = 0; plane < PLANES; plane++) {
                const uint16_t *counts = counts_at(index, ordinals[i], plane);

                for (size_t j = 0; counts && j < PLANE_CODES; j++)
                    sums[plane * PLANE_CODES + j] += counts[j];
            }
        for (size_t code = 0; code < INDEX_CODES; code++)
            by_code[code] += sums[code];
    }
}

int index_count(const struct index *index, const struct index_scope *scope,
    struct index_counts *ret, struct err *err)
{
    struct ordinals ordinals CLEANUP(ordinals_release);

    if (ordinals_of_scope(index, scope, &ordinals, err) < 0)
        return -1;
    *ret = (struct index_counts){.images = only_set(&ordinals)->count};
    for (size_t i = 0; i < ASSESSMENT_COUNT; i++)
        ret->by_assessment[i] =
            idset_and_count(&index->attributes.assessments[i], only_set(&ordinals));
    if (ordinals.all)
        memcpy(ret->by_code, index->totals, sizeof(ret->by_code));
    else
        add_counts(index, only_set(&ordinals), ret->by_code);
    return 0;
}

int index_each_image(const struct index *index, const struct index_scope *scope, uint32_t after,
    index_image_fn fn, void *ctx, struct err *err)
{
    struct ordinals ordinals CLEANUP(ordinals_release);
    uint32_t chunk[CHUNK], from;
    size_t count;

    if (ordinals_of_scope(index, scope, &ordinals, err) < 0)
        return -1;
    if (after == UINT32_MAX)
        return 0;
    for (from = ordinal_from(index, after + 1);
         (count = idset_read(only_set(&ordinals), from, chunk, CHUNK)); from = chunk[count - 1] + 1)
        for (size_t i = 0; i < count; i++) {
            uint16_t counts[INDEX_CODES];

            counts_read(index, chunk[i], counts);
            if (!fn(ctx, &entry_at(index, chunk[i])->image, counts))
                return 0;
        }
    return 0;
}

/* --- Vulnerabilities -------------------------------------------------------------------------- */

/* Containers by vulnerability, in pages as the postings have them. Added up image by image, for few
 * images run: the other way round would look at every finding of the index. */
struct container_sums {
    uint64_t **pages; /* NULL when nothing runs in the scope */
    size_t count;
};

/* What a walk over vulnerabilities needs of the scope. */
struct vuln_walk {
    struct ordinals ordinals;
    struct container_sums containers;
};

static void release_walk(struct vuln_walk *walk)
{
    for (size_t i = 0; i < walk->containers.count; i++)
        free(walk->containers.pages[i]);
    free(walk->containers.pages);
    ordinals_release(&walk->ordinals);
}

static int make_pages(const struct postings *postings, struct container_sums *sums, struct err *err)
{
    sums->pages = calloc(postings->cap, sizeof(*sums->pages));
    if (!sums->pages)
        return err_nomem(err);
    sums->count = postings->cap;
    for (size_t i = 0; i < postings->cap; i++) {
        if (!postings->pages[i])
            continue;
        sums->pages[i] = calloc(POSTING_PAGE, sizeof(*sums->pages[i]));
        if (!sums->pages[i])
            return err_nomem(err);
    }
    return 0;
}

static void add_containers(
    const struct container_sums *sums, const struct entry *entry, uint64_t codes)
{
    const uint32_t *vulns = entry_vulns(entry);
    const uint8_t *at = entry_codes(entry);

    for (size_t i = 0; i < entry->count; i++)
        if (codes >> at[i] & 1)
            sums->pages[vulns[i] / POSTING_PAGE][vulns[i] % POSTING_PAGE] +=
                (uint64_t)entry->image.place.containers;
}

static int sum_containers(
    const struct index *index, uint64_t codes, struct vuln_walk *walk, struct err *err)
{
    const struct idset *running = &index->attributes.running;
    uint32_t ordinals[CHUNK];
    size_t count;

    if (idset_and_count(running, only_set(&walk->ordinals)) == 0 || index->postings.vulns == 0)
        return 0;
    if (make_pages(&index->postings, &walk->containers, err) < 0)
        return -1;
    for (uint32_t from = 0; (count = idset_read(running, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (walk->ordinals.all || idset_contains(only_set(&walk->ordinals), ordinals[i]))
                add_containers(&walk->containers, entry_at(index, ordinals[i]), codes);
    return 0;
}

static struct index_vuln sum_vuln(
    const struct vuln_walk *walk, const struct posting *posting, uint32_t vuln, uint64_t codes)
{
    struct index_vuln sum = {.vuln = vuln, .worst = NECESSITY_LOW};

    for (uint32_t i = 0; i < posting->count; i++) {
        const struct code_set *at = &posting->at[i];
        uint32_t images;

        if (!(codes >> at->code & 1))
            continue;
        images = walk->ordinals.all ? at->set.count
                                    : idset_and_count(&at->set, only_set(&walk->ordinals));
        if (images == 0)
            continue;
        sum.images += images;
        if (index_code_necessity(at->code) > sum.worst)
            sum.worst = index_code_necessity(at->code);
    }
    if (walk->containers.pages)
        sum.containers = walk->containers.pages[vuln / POSTING_PAGE][vuln % POSTING_PAGE];
    return sum;
}

int index_each_vuln(const struct index *index, const struct index_scope *scope, uint64_t codes,
    index_vuln_fn fn, void *ctx, struct err *err)
{
    struct vuln_walk walk CLEANUP(release_walk) = {.containers = {NULL, 0}};

    if (ordinals_of_scope(index, scope, &walk.ordinals, err) < 0 ||
        sum_containers(index, codes, &walk, err) < 0)
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
    uint32_t ordinals[CHUNK];
    size_t count;

    for (uint32_t from = 0; (count = idset_read(set, from, ordinals, CHUNK));
         from = ordinals[count - 1] + 1)
        for (size_t i = 0; i < count; i++)
            if (ids_push(ret, number_at(index, ordinals[i]), err) < 0)
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
